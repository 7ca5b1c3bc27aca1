//! The scene: a layout's positions with everything that decides how they are seen.
//!
//! Three spaces: *layout* (the projection's own numbers), *world* (the layout brought to about -1..1, y up) and *screen* (pixels
//! or UI points from the map's upper left corner, y down).

use std::borrow::Cow;
use std::sync::Arc;

use glam::{DMat4, DVec2, DVec3, Mat4, Vec2, Vec3, Vec4};

use super::averages::{Average, averages};
use super::bounds::Bounds;
use super::camera::{Camera, Dimensions};
use super::chosen::ChosenRows;
use super::coloring::Coloring;
use super::labels::Label;
use super::morph::Morph;
use super::row_colors::RowColors;
use super::scaling::Scaling;
use super::style::Theme;
use super::view_kind::ViewKind;
use crate::catalog::{SegmentId, TrackRows};

/// Whether a unit is as long on every axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AxisScale {
    /// The same scale everywhere: distances can be compared (PCA, t-SNE, UMAP).
    #[default]
    Uniform,
    /// Each axis fills the picture: for axes that have nothing to do with one another (two tags).
    PerAxis,
}

/// Width and height of the map on screen, in pixels or UI points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapSize {
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl MapSize {
    /// Width over height; 1 for a map without area.
    #[must_use]
    pub fn aspect(self) -> f32 {
        if self.width > 0.0 && self.height > 0.0 { self.width / self.height } else { 1.0 }
    }
}

/// Layout to clip space, by way of an anchor: a point of layout space near the middle of the picture, in f32 as positions are.
///
/// A position minus the anchor is exact where they are near each other (Sterbenz, "Floating-Point Computation", 1974), so that a picture keeps
/// all that positions tell, however near the eye is; a matrix alone would take the small difference of two large numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipFromLayout {
    /// The anchor, in layout space.
    pub anchor: Vec3,
    /// What is done to a position minus the anchor.
    pub matrix: Mat4,
}

impl ClipFromLayout {
    /// A position in clip space.
    #[inline]
    #[must_use]
    pub fn clip_of(&self, position: Vec3) -> Vec4 {
        self.matrix * (position - self.anchor).extend(1.0)
    }
}

/// A layout and how it is seen.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Where each row is, in layout space; `z` is 0 in 2-D. `[rows]`
    pub positions: Arc<[[f32; 3]]>,
    /// Which rows belong to which track, sorted by first row.
    pub track_rows: Arc<[TrackRows]>,
    /// The axes' names, as many as dimensions.
    pub axis_names: Vec<String>,
    /// Whether axes are stretched on their own.
    pub scale: AxisScale,
    /// How values became positions, by axis.
    pub scalings: [Scaling; 3],
    /// The box around the positions.
    pub bounds: Bounds,
    /// Each track's disc in the averages view, once it was wanted. `[tracks]`
    pub averages: Option<Arc<[Average]>>,
    averages_revision: u64,
    /// What is drawn.
    pub view: ViewKind,
    /// Names on the map, the weightiest first.
    pub labels: Arc<[Label]>,
    /// Colours.
    pub theme: Theme,
    /// What the rows are coloured by; [`Scene::color_by`] changes it.
    pub coloring: Arc<Coloring>,
    /// The colours that follow from it and the theme.
    pub colors: RowColors,
    /// The eye.
    pub camera: Camera,
    /// The way on which the rows are to `positions`; none: they are there.
    pub morph: Option<Morph>,
    /// The segment under the pointer.
    pub hovered: Option<SegmentId>,
    /// The rows that keep their colours while all others step back; `None`: nothing is chosen, and all look as they are.
    pub chosen: Option<Arc<ChosenRows>>,
    /// Raised whenever `chosen` changes.
    pub chosen_revision: u64,
    /// The class of the colours whose rows, and no others, are chosen.
    pub chosen_class: Option<u32>,
    /// Raised whenever `colors` or `theme` change, so that the GPU's copies follow.
    pub revision: u64,
    /// Raised whenever `positions` change; `bounds` may lie behind them for a moment, while a layout moves.
    pub layout_revision: u64,
}

impl Scene {
    /// A scene of these positions, coloured by track, seen whole on a map of `aspect`.
    #[must_use]
    pub fn new(
        positions: Arc<[[f32; 3]]>,
        track_rows: Arc<[TrackRows]>,
        axis_names: Vec<String>,
        scale: AxisScale,
        dimensions: Dimensions,
        aspect: f32,
    ) -> Self {
        let mut scene = Self::uncolored(positions, track_rows, axis_names, scale, dimensions, aspect);
        scene.color_by_track();
        scene
    }

    /// The same without colours, for who has others: [`Scene::color_by`] must follow before it is drawn.
    #[must_use]
    pub fn uncolored(
        positions: Arc<[[f32; 3]]>,
        track_rows: Arc<[TrackRows]>,
        axis_names: Vec<String>,
        scale: AxisScale,
        dimensions: Dimensions,
        aspect: f32,
    ) -> Self {
        let bounds = Bounds::of(&positions);
        let mut scene = Self {
            positions,
            track_rows,
            axis_names,
            scale,
            scalings: [Scaling::Linear; 3],
            bounds,
            averages: None,
            averages_revision: 0,
            view: ViewKind::default(),
            labels: [].into(),
            theme: Theme::default(),
            coloring: Arc::new(Coloring::none()),
            colors: RowColors::default(),
            camera: Camera::fit(dimensions, Vec3::ONE, aspect),
            morph: None,
            hovered: None,
            chosen: None,
            chosen_revision: 1,
            chosen_class: None,
            revision: 0,
            layout_revision: 1,
        };
        scene.fit(aspect);
        scene
    }

    /// Chooses other rows, or none.
    pub fn choose(&mut self, chosen: Option<Arc<ChosenRows>>) {
        self.chosen = chosen;
        self.chosen_class = None;
        self.chosen_revision += 1;
    }

    /// Where each row is on the picture: in `positions`, or on the way there. `[rows]`
    #[must_use]
    pub fn shown_positions(&self) -> Cow<'_, [[f32; 3]]> {
        self.morph.as_ref().map_or(Cow::Borrowed(&*self.positions), |morph| Cow::Owned(morph.mixed(&self.positions)))
    }

    /// Computes the averages, unless they are those of the positions already.
    pub fn refresh_averages(&mut self) {
        if self.averages.is_none() || self.averages_revision != self.layout_revision {
            self.averages = Some(averages(&self.positions, &self.track_rows, self.camera.dimensions).into());
            self.averages_revision = self.layout_revision;
        }
    }

    /// Shows the whole layout again, from the same side.
    pub fn fit(&mut self, aspect: f32) {
        let before = self.camera;
        self.camera = Camera::fit(before.dimensions, self.half_extent(aspect), aspect);
        self.camera.azimuth = before.azimuth;
        self.camera.elevation = before.elevation;
    }

    /// Half the layout's edges in world units; the longest is 1, or the map's aspect where a plane's axes are stretched.
    #[must_use]
    pub fn half_extent(&self, aspect: f32) -> Vec3 {
        match (self.scale, self.camera.dimensions) {
            (AxisScale::Uniform, _) => self.bounds.extent() / self.bounds.extent().max_element(),
            (AxisScale::PerAxis, Dimensions::Two) => Vec3::new(aspect, 1.0, 1.0),
            (AxisScale::PerAxis, Dimensions::Three) => Vec3::ONE,
        }
    }

    /// World units in a unit of layout space, by axis; layout's middle is world's origin.
    pub(super) fn world_scale(&self, aspect: f32) -> DVec3 {
        (self.half_extent(aspect) * 2.0).as_dvec3() / self.bounds.extent().as_dvec3()
    }

    /// Layout to clip space.
    #[must_use]
    pub fn clip_from_layout(&self, aspect: f32) -> ClipFromLayout {
        let (scale, center, target) = (self.world_scale(aspect), self.bounds.center().as_dvec3(), self.camera.target);
        let anchor = (target / scale + center).as_vec3();
        // Where the anchor is seen from the target: what f32 rounded off it.
        let rest = (anchor.as_dvec3() - center) * scale - target;
        let matrix = self.camera.clip_from_target(aspect) * DMat4::from_translation(rest) * DMat4::from_scale(scale);
        ClipFromLayout { anchor, matrix: matrix.as_mat4() }
    }

    /// Clip-space w of the layout's middle when all of it is seen; 1 in a plane. Sizes and haze refer to it, not to where the eye looks now:
    /// coming nearer makes discs larger and clearer.
    #[must_use]
    pub fn fitted_w(&self, aspect: f32) -> f32 {
        match self.camera.dimensions {
            Dimensions::Two => 1.0,
            Dimensions::Three => Camera::fit(Dimensions::Three, self.half_extent(aspect), aspect).distance(),
        }
    }

    /// How many times nearer the eye is than where it sees all of the layout.
    #[must_use]
    pub fn nearness(&self, aspect: f32) -> f32 {
        Camera::fit(self.camera.dimensions, self.half_extent(aspect), aspect).half_height / self.camera.half_height
    }

    /// Where a point of layout space is on a map of this size; `None` behind the eye or where it is not finite.
    #[must_use]
    pub fn screen_from_layout(&self, point: Vec3, map: MapSize) -> Option<Vec2> {
        screen_from_clip(self.clip_from_layout(map.aspect()).clip_of(point), map)
    }

    /// Where a row is on a map of this size.
    #[must_use]
    pub fn screen_of(&self, segment: SegmentId, map: MapSize) -> Option<Vec2> {
        self.screen_from_layout(Vec3::from(*self.positions.get(segment.0 as usize)?), map)
    }

    /// The plane's point under a place on screen (2-D).
    #[must_use]
    pub fn layout_from_screen(&self, screen: Vec2, map: MapSize) -> DVec2 {
        let ndc = ndc_from_screen(screen, map);
        let world = self.camera.target.truncate() + (ndc * Vec2::new(map.aspect(), 1.0) * self.camera.half_height).as_dvec2();
        world / self.world_scale(map.aspect()).truncate() + self.bounds.center().as_dvec3().truncate()
    }

    /// The position in `track_rows` of the track that a segment belongs to.
    #[must_use]
    pub fn track_position(&self, segment: SegmentId) -> Option<usize> {
        crate::catalog::segment::position_of_row(&self.track_rows, segment.0 as usize)
    }
}

/// Screen to normalised device coordinates, -1..1, y up.
#[must_use]
pub fn ndc_from_screen(screen: Vec2, map: MapSize) -> Vec2 {
    Vec2::new(screen.x / map.width.max(1.0) * 2.0 - 1.0, 1.0 - screen.y / map.height.max(1.0) * 2.0)
}

/// Clip space to screen; `None` behind the eye or where it is not finite.
#[must_use]
pub fn screen_from_clip(clip: Vec4, map: MapSize) -> Option<Vec2> {
    if clip.w <= 1e-6 {
        return None;
    }
    let ndc = Vec2::new(clip.x, clip.y) / clip.w;
    let screen = Vec2::new((ndc.x + 1.0) * 0.5 * map.width, (1.0 - ndc.y) * 0.5 * map.height);
    screen.is_finite().then_some(screen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(scale: AxisScale, dimensions: Dimensions) -> Scene {
        let positions: Arc<[[f32; 3]]> = Arc::new([[0.0, 10.0, 0.0], [4.0, 11.0, 0.5], [2.0, 10.5, 1.0]]);
        Scene::new(positions, Arc::new([]), vec![], scale, dimensions, 2.0)
    }

    #[test]
    fn screen_and_layout_are_each_others_inverse_in_a_plane() {
        let map = MapSize { width: 800.0, height: 400.0 };
        for scale in [AxisScale::Uniform, AxisScale::PerAxis] {
            let mut scene = scene(scale, Dimensions::Two);
            scene.camera.zoom(3.0, Vec2::new(0.3, 0.1), 2.0);
            let point = Vec2::new(1.3, 10.2);
            let screen = scene.screen_from_layout(point.extend(0.0), map).unwrap();
            assert!((scene.layout_from_screen(screen, map) - point.as_dvec2()).length() < 1e-4, "{scale:?}");
        }
    }

    #[test]
    fn every_row_of_a_fitted_scene_is_on_the_map() {
        let map = MapSize { width: 800.0, height: 400.0 };
        for dimensions in [Dimensions::Two, Dimensions::Three] {
            for scale in [AxisScale::Uniform, AxisScale::PerAxis] {
                let scene = scene(scale, dimensions);
                for row in 0..3 {
                    let at = scene.screen_of(SegmentId(row), map).unwrap();
                    assert!((0.0..=800.0).contains(&at.x) && (0.0..=400.0).contains(&at.y), "{dimensions:?} {scale:?} {at}");
                }
                assert_eq!(scene.screen_of(SegmentId(3), map), None);
            }
        }
    }
}
