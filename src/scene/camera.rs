//! The eye: orthographic in 2-D, perspective and orbiting in 3-D, over the same world.
//!
//! World space is the layout brought to a box of about -1 to 1 (see [`super::map::Scene::clip_from_layout`]), y up.

use glam::{DMat4, DVec3, Vec2, Vec3};

/// Whether the map is a plane or a space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dimensions {
    /// A plane, seen from above.
    #[default]
    Two,
    /// A space, seen in perspective.
    Three,
}

impl Dimensions {
    /// 2 or 3.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Three => 3,
        }
    }
}

/// Vertical opening angle of the perspective, in radians.
const FIELD_OF_VIEW: f32 = 0.65;
/// Room left around the layout.
const MARGIN: f32 = 1.12;
/// How far one may zoom in or out from the whole layout.
const ZOOM_RANGE: std::ops::RangeInclusive<f32> = 1e-6..=20.0;

/// Where the eye is and where it looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Plane or space.
    pub dimensions: Dimensions,
    /// The world point in the middle of the picture; finer than f32, so that the picture moves smoothly at any zoom.
    pub target: DVec3,
    /// Half the picture's height in world units at the target; in 3-D the eye's distance follows from it.
    pub half_height: f32,
    /// Angle around the vertical axis, in radians (3-D).
    pub azimuth: f32,
    /// Angle above the horizontal plane, in radians (3-D).
    pub elevation: f32,
}

impl Camera {
    /// Sees a world box of `half_extent` around the origin, whole, in a picture of `aspect` (width over height).
    #[must_use]
    pub fn fit(dimensions: Dimensions, half_extent: Vec3, aspect: f32) -> Self {
        let half_height = match dimensions {
            Dimensions::Two => half_extent.y.max(half_extent.x / aspect) * MARGIN,
            // A turning box must stay in the picture from every side. Its corners reach further than the ball of layouts does.
            Dimensions::Three => half_extent.length() * 1.04 / aspect.min(1.0),
        };
        Self { dimensions, target: DVec3::ZERO, half_height: half_height.max(1e-6), azimuth: 0.6, elevation: 0.35 }
    }

    /// From the target to the eye.
    #[must_use]
    pub fn eye_from_target(&self) -> Vec3 {
        let (sin_azimuth, cos_azimuth) = self.azimuth.sin_cos();
        let (sin_elevation, cos_elevation) = self.elevation.sin_cos();
        let direction = Vec3::new(cos_elevation * sin_azimuth, sin_elevation, cos_elevation * cos_azimuth);
        direction * self.distance()
    }

    /// From the eye to the target, in world units (3-D).
    #[must_use]
    pub fn distance(&self) -> f32 {
        self.half_height / (FIELD_OF_VIEW * 0.5).tan()
    }

    /// The least and the largest distance from the eye that is seen, along its axis and in world units (3-D).
    #[must_use]
    pub fn depth_range(&self) -> [f32; 2] {
        let distance = self.distance();
        let far = distance + 8.0;
        [(distance * 0.02).max(far * 1e-4), far]
    }

    /// World, counted from the target, to clip space (x right, y up, depth 0..1) for a picture of `aspect`.
    #[must_use]
    pub fn clip_from_target(&self, aspect: f32) -> DMat4 {
        match self.dimensions {
            Dimensions::Two => {
                let half_height = f64::from(self.half_height);
                let scale = DVec3::new(1.0 / (half_height * f64::from(aspect)), 1.0 / half_height, 0.0);
                // Depth is 0.5 everywhere: nothing is in front of anything in a plane.
                DMat4::from_translation(DVec3::new(0.0, 0.0, 0.5)) * DMat4::from_scale(scale)
            }
            Dimensions::Three => {
                let [near, far] = self.depth_range();
                let view = glam::camera::rh::view::look_at_mat4(self.eye_from_target(), Vec3::ZERO, Vec3::Y);
                (glam::camera::rh::proj::directx::perspective(FIELD_OF_VIEW, aspect, near, far) * view).as_dmat4()
            }
        }
    }

    /// Moves the picture along with a pointer that moved by `delta` pixels in a picture `height` pixels high.
    pub fn pan(&mut self, delta: Vec2, height: f32) {
        let world_per_pixel = 2.0 * self.half_height / height.max(1.0);
        let (right, up) = match self.dimensions {
            Dimensions::Two => (Vec3::X, Vec3::Y),
            Dimensions::Three => {
                let forward = (-self.eye_from_target()).normalize_or(Vec3::NEG_Z);
                let right = forward.cross(Vec3::Y).normalize_or(Vec3::X);
                (right, right.cross(forward))
            }
        };
        self.target += ((-right * delta.x + up * delta.y) * world_per_pixel).as_dvec3();
    }

    /// Turns around the target (3-D), by a pointer's way in pixels: a whole picture's height is half a turn.
    pub fn orbit(&mut self, delta: Vec2, height: f32) {
        let radians_per_pixel = std::f32::consts::PI / height.max(1.0);
        self.azimuth = (self.azimuth - delta.x * radians_per_pixel).rem_euclid(std::f32::consts::TAU);
        self.elevation = (self.elevation + delta.y * radians_per_pixel).clamp(-1.5, 1.5);
    }

    /// Comes `factor` times nearer, the world under `cursor_in_ndc` (-1..1, y up) staying where it is.
    pub fn zoom(&mut self, factor: f32, cursor_in_ndc: Vec2, aspect: f32) {
        if !factor.is_finite() || factor <= 0.0 {
            return;
        }
        let before = self.half_height;
        self.half_height = (before / factor).clamp(*ZOOM_RANGE.start(), *ZOOM_RANGE.end());
        if self.dimensions == Dimensions::Two {
            let shift = cursor_in_ndc * Vec2::new(aspect, 1.0) * (before - self.half_height);
            self.target += shift.extend(0.0).as_dvec3();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::Vec4Swizzles as _;

    fn ndc(camera: &Camera, aspect: f32, world: Vec3) -> Vec3 {
        let clip = camera.clip_from_target(aspect) * (world.as_dvec3() - camera.target).extend(1.0);
        (clip.xyz() / clip.w).as_vec3()
    }

    #[test]
    fn a_fitted_camera_sees_the_whole_box() {
        for (dimensions, half) in [(Dimensions::Two, Vec3::new(1.0, 0.4, 0.0)), (Dimensions::Three, Vec3::ONE)] {
            for aspect in [0.5, 1.0, 1.8] {
                let mut camera = Camera::fit(dimensions, half, aspect);
                for azimuth in [0.0, 0.6, 2.0] {
                    camera.azimuth = azimuth;
                    for corner in 0..8 {
                        let sign = |bit: u32| if corner >> bit & 1 == 1 { 1.0 } else { -1.0 };
                        let at = ndc(&camera, aspect, half * Vec3::new(sign(0), sign(1), sign(2)) * 0.8);
                        assert!(at.x.abs() <= 1.0 && at.y.abs() <= 1.0, "{dimensions:?} {aspect} {at}");
                        assert!((0.0..=1.0).contains(&at.z), "depth {}", at.z);
                    }
                }
            }
        }
    }

    #[test]
    fn zooming_keeps_what_is_under_the_cursor() {
        let mut camera = Camera::fit(Dimensions::Two, Vec3::ONE, 1.5);
        let world = Vec3::new(0.3, -0.2, 0.0);
        let cursor = ndc(&camera, 1.5, world);
        camera.zoom(7.0, Vec2::new(cursor.x, cursor.y), 1.5);
        let after = ndc(&camera, 1.5, world);
        assert!((after - cursor).length() < 1e-5, "{cursor} {after}");
        camera.zoom(f32::NAN, Vec2::ZERO, 1.5);
        assert!(camera.half_height.is_finite());
    }

    #[test]
    fn panning_moves_the_world_with_the_pointer() {
        for dimensions in [Dimensions::Two, Dimensions::Three] {
            let mut camera = Camera::fit(dimensions, Vec3::ONE, 1.0);
            let point = camera.target.as_vec3();
            let before = ndc(&camera, 1.0, point);
            camera.pan(Vec2::new(50.0, -20.0), 400.0);
            let moved = ndc(&camera, 1.0, point) - before;
            // 50 of 400 pixels are a quarter of the way from -1 to 1; pixels count downwards.
            assert!((moved.x - 0.25).abs() < 0.01 && (moved.y - 0.1).abs() < 0.01, "{dimensions:?} {moved}");
        }
    }
}
