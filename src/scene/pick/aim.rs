//! Where a pointer aims, as numbers that every engine of picking computes with: the GPU's, the CPU's threads, the tree and the oracle.

use glam::{DVec4, Vec2};

use crate::catalog::SegmentId;
use crate::scene::camera::Dimensions;
use crate::scene::map::{ClipFromLayout, MapSize, Scene};
use crate::scene::style::Style;

/// The key of a row that is not under the pointer: more than every other.
pub const NO_KEY: u32 = u32::MAX;
/// Set in the keys of rows whose disc the pointer is not on; the others come first.
pub const BESIDE: u32 = 1 << 31;
/// How much larger or smaller than its nominal size a disc is drawn in a space. Twin: `shaders/points.wgsl`.
const SIZES: [f32; 2] = [0.4, 3.0];

/// A pointer over a scene. Three linear forms of a position relative to `anchor` say where it is: `across` and `down` are the way
/// from the pointer in the map's unit, times the clip-space w, which is `depth`. The pointer's place is in their last numbers, computed in f64,
/// so that nothing is lost near it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aim {
    /// Layout position that others are relative to.
    pub anchor: [f32; 3],
    /// To the right of the pointer.
    pub across: [f32; 4],
    /// Below it.
    pub down: [f32; 4],
    /// Clip-space w; 1 in a plane.
    pub depth: [f32; 4],
    /// The least and the largest depth that is drawn.
    pub seen: [f32; 2],
    /// Square of the radius around the pointer.
    pub radius2: f32,
    /// Radius of a disc at the depth `fitted`; 0 in a plane, where nothing is in front of anything.
    pub disc: f32,
    /// See [`Scene::fitted_w`].
    pub fitted: f32,
}

impl Aim {
    /// At `cursor` on a map, for rows within `radius`, all in the map's unit.
    #[must_use]
    pub fn new(scene: &Scene, map: MapSize, cursor: Vec2, radius: f32) -> Self {
        let aspect = map.aspect();
        let ClipFromLayout { anchor: middle, matrix } = scene.clip_from_layout(aspect);
        let clip = matrix.as_dmat4();
        let dimensions = scene.camera.dimensions;
        let anchor = match dimensions {
            Dimensions::Two => scene.layout_from_screen(cursor, map).as_vec2().extend(0.0),
            Dimensions::Three => middle,
        };
        let anchor = if anchor.is_finite() { anchor } else { middle };
        let [width, height] = [map.width, map.height].map(f64::from);
        let at = [f64::from(cursor.x) / width.max(1.0) * 2.0 - 1.0, 1.0 - f64::from(cursor.y) / height.max(1.0) * 2.0];
        let depth = clip.row(3);
        let mut forms = [(clip.row(0) - depth * at[0]) * (0.5 * width), (depth * at[1] - clip.row(1)) * (0.5 * height), depth];
        if dimensions == Dimensions::Two {
            // Each axis on its own, to the last bit: the tree's bounds rest on it.
            let [across, down, depth] = &mut forms;
            (across.y, across.z, down.x, down.z) = (0.0, 0.0, 0.0, 0.0);
            *depth = DVec4::W;
        }
        let [across, down, depth] = forms.map(|form| {
            let there = form.dot((anchor.as_dvec3() - middle.as_dvec3()).extend(1.0));
            [form.x, form.y, form.z, there].map(|value| value as f32)
        });
        let (seen, disc) = match dimensions {
            Dimensions::Two => ([0.5, 2.0], 0.0),
            Dimensions::Three => {
                let style = Style::for_density(scene.positions.len(), map.width * map.height, scene.view.has_lines());
                (scene.camera.depth_range(), style.point_radius.min(radius))
            }
        };
        Self { anchor: anchor.to_array(), across, down, depth, seen, radius2: radius * radius, disc, fitted: scene.fitted_w(aspect) }
    }

    /// The three forms of a position: across, down, depth.
    #[inline]
    #[must_use]
    pub fn forms(&self, position: [f32; 3]) -> [f32; 3] {
        let x = position[0] - self.anchor[0];
        let y = position[1] - self.anchor[1];
        let z = position[2] - self.anchor[2];
        let of = |form: &[f32; 4]| x * form[0] + y * form[1] + z * form[2] + form[3];
        [of(&self.across), of(&self.down), of(&self.depth)]
    }

    /// What the rows under the pointer are ordered by, the least first; [`NO_KEY`] for a row that is not within the radius, not
    /// drawn, or no number.
    ///
    /// Rows whose disc the pointer is on come first (3-D), the nearest to the eye before the others, then those beside it, by their squared
    /// distance: bits of floats that are not negative are ordered as the floats are. Twin: `shaders/shared/pick.wgsl`.
    #[inline]
    #[must_use]
    pub fn key(&self, position: [f32; 3]) -> u32 {
        let [across, down, depth] = self.forms(position);
        let (way2, depth2) = (across * across + down * down, depth * depth);
        // What is no number compares false.
        if !(depth >= self.seen[0] && depth <= self.seen[1] && way2 <= self.radius2 * depth2) {
            return NO_KEY;
        }
        let distance2 = way2 / depth2;
        let disc = self.disc * (self.fitted / depth).clamp(SIZES[0], SIZES[1]);
        if self.disc > 0.0 && distance2 <= disc * disc { depth.to_bits() } else { distance2.to_bits() | BESIDE }
    }

    /// Whether a row may be within the radius; true for all that are. Cheap: one comparison.
    #[inline]
    #[must_use]
    pub(super) fn is_near(&self, position: [f32; 3]) -> bool {
        let [across, down, depth] = self.forms(position);
        across * across + down * down <= self.radius2 * (depth * depth)
    }

    /// Whether a row is within the radius and drawn.
    #[inline]
    #[must_use]
    pub fn is_hit(&self, position: [f32; 3]) -> bool {
        self.key(position) != NO_KEY
    }

    /// From the pointer to the middle of a position's disc, in the map's unit.
    #[must_use]
    pub fn distance(&self, position: [f32; 3]) -> f32 {
        let [across, down, depth] = self.forms(position);
        across.hypot(down) / depth
    }
}

/// A key and its row in one number: of rows with the same key, the first is the least.
#[inline]
pub(super) fn packed(key: u32, row: u32) -> u64 {
    u64::from(key) << 32 | u64::from(row)
}

/// The row of the least [`packed`] number.
pub(super) fn found(least: u64) -> Option<SegmentId> {
    ((least >> 32) as u32 != NO_KEY).then_some(SegmentId(least as u32))
}
