//! From one layout of the same rows to another: every point goes its own straight way, and the eye goes along.

use std::sync::Arc;

use glam::{Mat3, Vec3};
use rayon::prelude::*;

use super::camera::{Camera, Dimensions};
use super::map::Scene;

/// Rows that are mixed in one go.
const RUN: usize = 1 << 14;

/// A way from one layout to another, and how much of it is gone.
#[derive(Clone, Debug)]
pub struct Morph {
    /// Where each row was on the picture, in the space of the layout that it goes to. `[rows]`
    pub from: Arc<[[f32; 3]]>,
    /// The part of the time that is over, 0..1.
    pub share: f32,
    /// Which one it is, for the GPU's copies.
    pub serial: u64,
    cameras: [Camera; 2],
}

impl Morph {
    /// The way from what `old` shows to what `new` shows, both seen on a map of `aspect`; `None` where they have not the same rows.
    ///
    /// Layouts have scales of their own: what counts is where a row is on the picture. What was a space and becomes a plane begins as it was seen, from
    /// the side that the eye was on; what was a plane and becomes a space begins as a sheet in front of the eye.
    #[must_use]
    pub fn between(old: &Scene, new: &Scene, aspect: f32, serial: u64) -> Option<Self> {
        let rows = new.positions.len();
        if rows == 0 || old.positions.len() != rows || old.track_rows != new.track_rows {
            return None;
        }
        let dimensions = [old.camera.dimensions, new.camera.dimensions];
        let turned = if dimensions == [Dimensions::Three, Dimensions::Two] { seen_from(&old.camera) } else { Mat3::IDENTITY };
        let flat = if dimensions == [Dimensions::Three, Dimensions::Three] { 1.0 } else { 0.0 };
        let (old_scale, new_scale) = (old.world_scale(aspect).as_vec3(), new.world_scale(aspect).as_vec3());
        let (old_center, new_center) = (old.bounds.center(), new.bounds.center());
        let place = |&position: &[f32; 3]| {
            let world = turned * ((Vec3::from(position) - old_center) * old_scale);
            (world * Vec3::new(1.0, 1.0, flat) / new_scale + new_center).to_array()
        };
        let before = old.shown_positions();
        let from: Vec<[f32; 3]> = before.par_iter().with_min_len(RUN).map(place).collect();
        // The eye begins where it was, as far as the new picture has such a place.
        let mut eye = new.camera;
        if dimensions[0] == dimensions[1] {
            eye = old.camera;
        } else if dimensions[1] == Dimensions::Three {
            (eye.azimuth, eye.elevation) = (0.0, 0.0);
        }
        Some(Self { from: from.into(), share: 0.0, serial, cameras: [eye, new.camera] })
    }

    /// How far the points are: they start and arrive gently.
    #[must_use]
    pub fn way(&self) -> f32 {
        let t = self.share.clamp(0.0, 1.0);
        t * t * (3.0 - 2.0 * t)
    }

    /// Where each row is now, on its way to `to`. `[rows]`
    #[must_use]
    pub fn mixed(&self, to: &[[f32; 3]]) -> Vec<[f32; 3]> {
        let way = self.way();
        let mix = |(from, to): (&[f32; 3], &[f32; 3])| std::array::from_fn(|axis| mixed(from[axis], to[axis], way));
        self.from.par_iter().zip(to).with_min_len(RUN).map(mix).collect()
    }

    /// The eye now.
    #[must_use]
    pub fn camera(&self) -> Camera {
        let way = self.way();
        let [from, to] = self.cameras;
        let turn = |from: f32, to: f32| from + (to - from) * way;
        // Around the shorter way.
        let tau = std::f32::consts::TAU;
        let around = (to.azimuth - from.azimuth + tau * 0.5).rem_euclid(tau) - tau * 0.5;
        Camera {
            dimensions: to.dimensions,
            target: from.target.lerp(to.target, f64::from(way)),
            // Nearness is a factor.
            half_height: from.half_height * (to.half_height / from.half_height).powf(way),
            azimuth: from.azimuth + around * way,
            elevation: turn(from.elevation, to.elevation),
        }
    }
}

/// `way` (0..1) from one coordinate to another; exactly there at 1. A row that was nowhere is where it goes to at once. Twin: `shaders/morph.wgsl`.
#[inline]
#[must_use]
pub fn mixed(from: f32, to: f32, way: f32) -> f32 {
    let between = from * (1.0 - way) + to * way;
    if from.abs() < f32::MAX { between } else { to }
}

/// World axes to those of the picture: right, up, toward the eye.
fn seen_from(camera: &Camera) -> Mat3 {
    let toward_eye = camera.eye_from_target().normalize_or(Vec3::Z);
    let right = Vec3::Y.cross(toward_eye).normalize_or(Vec3::X);
    Mat3::from_cols(right, toward_eye.cross(right), toward_eye).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::SegmentId;
    use crate::scene::{AxisScale, MapSize};

    const MAP: MapSize = MapSize { width: 640.0, height: 480.0 };

    fn scene(positions: &[[f32; 3]], dimensions: Dimensions) -> Scene {
        Scene::new(positions.into(), [].into(), vec![], AxisScale::Uniform, dimensions, MAP.aspect())
    }

    fn on_screen(scene: &Scene, positions: &[[f32; 3]]) -> Vec<glam::Vec2> {
        positions.iter().map(|&position| scene.screen_from_layout(position.into(), MAP).unwrap()).collect()
    }

    #[test]
    fn points_begin_where_they_were_seen_and_end_where_they_belong() {
        let (a, b) = ([[0.0, 0.0, 0.0], [4.0, 1.0, 2.0], [1.0, 3.0, 1.0]], [[100.0, 5.0, -7.0], [90.0, 9.0, 8.0], [95.0, 2.0, 1.0]]);
        for dimensions in [[Dimensions::Two, Dimensions::Two], [Dimensions::Three, Dimensions::Three]] {
            let flat =
                |rows: [[f32; 3]; 3], dimensions| if dimensions == Dimensions::Two { rows.map(|[x, y, _]| [x, y, 0.0]) } else { rows };
            let (mut old, mut new) = (scene(&flat(a, dimensions[0]), dimensions[0]), scene(&flat(b, dimensions[1]), dimensions[1]));
            old.camera.zoom(1.7, glam::Vec2::new(0.3, 0.2), MAP.aspect());
            let mut morph = Morph::between(&old, &new, MAP.aspect(), 1).unwrap();
            let before = on_screen(&old, &old.positions);
            let fitted = new.camera;
            new.camera = morph.camera();
            for (was, is) in before.iter().zip(on_screen(&new, &morph.mixed(&new.positions))) {
                assert!((*was - is).length() < 0.05, "{dimensions:?}: {was} {is}");
            }
            morph.share = 1.0;
            assert_eq!((morph.mixed(&new.positions), morph.camera()), (new.positions.to_vec(), fitted));
        }
        // A space that becomes a plane keeps right and up.
        let (old, new) = (scene(&a, Dimensions::Three), scene(&b.map(|[x, y, _]| [x, y, 0.0]), Dimensions::Two));
        let morph = Morph::between(&old, &new, MAP.aspect(), 1).unwrap();
        let (was, is) = (on_screen(&old, &a), on_screen(&new, &morph.from));
        for pair in [(0, 1), (1, 2), (0, 2)] {
            let (was, is) = (was[pair.1] - was[pair.0], is[pair.1] - is[pair.0]);
            assert!(was.normalize().dot(is.normalize()) > 0.95, "{was} {is}");
        }
        assert!(Morph::between(&scene(&a[..2], Dimensions::Two), &new, 1.0, 1).is_none());
    }

    #[test]
    fn a_row_that_was_nowhere_is_where_it_goes_to() {
        assert_eq!((mixed(f32::NAN, 2.0, 0.1), mixed(f32::INFINITY, 2.0, 0.1), mixed(1.0, 3.0, 0.5)), (2.0, 2.0, 2.0));
        let old = scene(&[[0.0; 3], [1.0; 3]], Dimensions::Two);
        let mut half = scene(&[[5.0, 0.0, 0.0], [0.0, 5.0, 0.0]], Dimensions::Two);
        let mut morph = Morph::between(&old, &half, 1.0, 1).unwrap();
        morph.share = 0.5;
        half.morph = Some(morph);
        // Another layout on the way begins from where points are.
        let next = scene(&[[1.0, 1.0, 0.0], [2.0, 2.0, 0.0]], Dimensions::Two);
        half.camera = half.morph.as_ref().unwrap().camera();
        let there = on_screen(&half, &half.shown_positions());
        let mut seen = next.clone();
        let on = Morph::between(&half, &next, 1.0, 2).unwrap();
        seen.camera = on.camera();
        for (was, is) in there.iter().zip(on_screen(&seen, &on.from)) {
            assert!((*was - is).length() < 0.05, "{was} {is}");
        }
        assert_eq!(half.screen_of(SegmentId(0), MAP), half.screen_from_layout(Vec3::new(5.0, 0.0, 0.0), MAP));
    }
}
