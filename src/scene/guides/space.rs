//! The guides of a space: the layout's box, its three faces that are turned away from the eye ruled, so that no line crosses in front of the points.

use glam::{DVec3, Vec2, Vec3};

use super::plane::by_roundness;
use super::{GuideLine, Guides, LineKind, MARGIN, TICK_SIZE, TITLE_SIZE, title};
use crate::scene::map::{MapSize, Scene};
use crate::scene::ticks::Ticks;
use crate::scene::words::{Area, Measure};

/// Between an edge and its numbers, and between numbers and the axis' name.
const GAP: f32 = 7.0;
/// Places along an edge where its name may stand, the best first.
const TITLE_PLACES: [f32; 7] = [0.5, 0.4, 0.6, 0.3, 0.7, 0.15, 0.85];

pub(super) fn rule(guides: &mut Guides, scene: &Scene, map: MapSize, measure: Measure<'_>) {
    let (low, high) = (scene.bounds.center() - scene.bounds.extent() * 0.5, scene.bounds.center() + scene.bounds.extent() * 0.5);
    let toward_eye = scene.camera.eye_from_target();
    let back = Vec3::select(toward_eye.cmpgt(Vec3::ZERO), low, high);
    let front = low + high - back;
    // Names and numbers stand along edges of the ruled faces, those nearest to the outline of the box.
    let edges = [Vec3::new(0.0, back.y, front.z), Vec3::new(front.x, 0.0, back.z), Vec3::new(front.x, back.y, 0.0)];
    let edges: Vec<Edge> = edges.into_iter().enumerate().filter_map(|(axis, at)| Edge::new(scene, map, axis, at, low, high)).collect();
    let ticks = [0, 1, 2].map(|axis| {
        let length = edges.iter().find(|edge| edge.axis == axis).map_or(300.0, |edge| edge.from.distance(edge.to));
        let (low, high) = (DVec3::from(low)[axis], DVec3::from(high)[axis]);
        Ticks::between(scene.scalings[axis], low, high, f64::from((length / 70.0).clamp(2.0, 6.0)))
    });
    let mut push = |from: Vec3, to: Vec3, kind| {
        if let Some((from, to)) = seen_part(scene, map, from, to) {
            guides.lines.push(GuideLine { from, to, kind });
        }
    };
    for (ruled, along, fixed) in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)] {
        let line_at = |value: f32| {
            let mut from = back;
            from[along] = low[along];
            from[ruled] = value;
            let mut to = from;
            to[along] = high[along];
            (from, to)
        };
        for tick in &ticks[ruled].ticks {
            let (from, to) = line_at(tick.at as f32);
            push(from, to, if tick.text.is_empty() { LineKind::Minor } else { LineKind::Grid });
        }
        for value in [low[ruled], high[ruled]] {
            let (from, to) = line_at(value);
            push(from, to, if value == back[ruled] && fixed > along { LineKind::Axis } else { LineKind::Grid });
        }
    }
    guides.lines.sort_by_key(|line| line.kind);

    for edge in &edges {
        let ticks = &ticks[edge.axis];
        let text = title(scene, edge.axis, ticks, map.width * 0.5, measure);
        let size = measure(&text, TITLE_SIZE);
        let numbers = ticks.ticks.iter().map(|tick| edge.reach(measure(&tick.text, TICK_SIZE))).fold(0.0, f32::max);
        TITLE_PLACES.iter().any(|&share| {
            let middle = edge.from.lerp(edge.to, share) + edge.out * (GAP + 2.0 * numbers + GAP + edge.reach(size));
            guides.write(text.clone(), Area::around(middle, size).moved_onto(map, MARGIN), true, map)
        });
    }
    // In turns, so that a corner is not always the first axis'.
    let told: Vec<_> = edges.iter().map(|edge| by_roundness(&ticks[edge.axis].ticks)).collect();
    for turn in 0..told.iter().map(Vec::len).max().unwrap_or(0) {
        for (edge, told) in edges.iter().zip(&told) {
            let Some(tick) = told.get(turn) else { continue };
            let Some(at) = scene.screen_from_layout(edge.at(tick.at as f32), map) else { continue };
            let size = measure(&tick.text, TICK_SIZE);
            guides.write(tick.text.clone(), Area::around(at + edge.out * (GAP + edge.reach(size)), size), false, map);
        }
    }
}

/// An edge of the box that has numbers along it.
struct Edge {
    axis: usize,
    line: Vec3,
    from: Vec2,
    to: Vec2,
    /// Away from the box on screen, of length 1.
    out: Vec2,
}

impl Edge {
    fn new(scene: &Scene, map: MapSize, axis: usize, line: Vec3, low: Vec3, high: Vec3) -> Option<Self> {
        let at = |value: f32| {
            let mut place = line;
            place[axis] = value;
            place
        };
        let (from, to) = seen_part(scene, map, at(low[axis]), at(high[axis]))?;
        let center = scene.screen_from_layout(scene.bounds.center(), map).unwrap_or(Vec2::new(map.width, map.height) * 0.5);
        let away = (from + to) * 0.5 - center;
        let across = (to - from).normalize_or(Vec2::X).perp();
        let out = if across.dot(away) < 0.0 { -across } else { across };
        Some(Self { axis, line, from, to, out })
    }

    fn at(&self, value: f32) -> Vec3 {
        let mut place = self.line;
        place[self.axis] = value;
        place
    }

    /// Half of what a word of this size takes of the way outward.
    fn reach(&self, size: Vec2) -> f32 {
        (self.out.abs() * size * 0.5).element_sum()
    }
}

/// The part of a line that is before the eye, on screen.
fn seen_part(scene: &Scene, map: MapSize, from: Vec3, to: Vec3) -> Option<(Vec2, Vec2)> {
    let seen = |share: f32| scene.screen_from_layout(from.lerp(to, share), map);
    match (seen(0.0), seen(1.0)) {
        (Some(from), Some(to)) => Some((from, to)),
        (None, None) => None,
        (Some(from), None) => Some((from, last_seen(0.0, 1.0, seen)?)),
        (None, Some(to)) => Some((last_seen(1.0, 0.0, seen)?, to)),
    }
}

/// The place on screen nearest to where a line that is seen at one share is no longer seen at another.
fn last_seen(mut near: f32, mut far: f32, seen: impl Fn(f32) -> Option<Vec2>) -> Option<Vec2> {
    for _ in 0..10 {
        let middle = (near + far) * 0.5;
        if seen(middle).is_some() { near = middle } else { far = middle }
    }
    seen(near)
}
