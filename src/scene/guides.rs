//! Axes, grid lines, ticks and axis names, as lines and words on screen.

use glam::{Vec2, Vec3};

use super::camera::Dimensions;
use super::map::{MapSize, Scene};

/// Which point of a text lies at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextAlign {
    /// Middle of the upper edge.
    TopCenter,
    /// Middle of the right edge.
    RightCenter,
    /// The middle.
    Center,
    /// Lower right corner.
    BottomRight,
    /// Upper left corner.
    TopLeft,
}

/// A grid line, from one place on screen to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GuideLine {
    /// One end.
    pub from: Vec2,
    /// The other end.
    pub to: Vec2,
    /// Whether it is an axis (stronger) and not a line of the grid.
    pub is_axis: bool,
}

/// A word on screen.
#[derive(Clone, Debug, PartialEq)]
pub struct GuideText {
    /// Where.
    pub at: Vec2,
    /// What.
    pub text: String,
    /// Which point of the text lies there.
    pub align: TextAlign,
    /// Whether it names an axis (larger) and not a tick.
    pub is_title: bool,
}

/// Everything around the points that helps to read the map. Units: those of the [`MapSize`] it was made for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guides {
    /// Lines, to be drawn behind the points.
    pub lines: Vec<GuideLine>,
    /// Words, to be drawn over them.
    pub texts: Vec<GuideText>,
}

/// Room between ticks, at least.
const TICK_SPACING: f32 = 90.0;

impl Guides {
    /// The guides of a scene on a map.
    #[must_use]
    pub fn of(scene: &Scene, map: MapSize) -> Self {
        match scene.camera.dimensions {
            Dimensions::Two => plane(scene, map),
            Dimensions::Three => space(scene, map),
        }
    }
}

fn plane(scene: &Scene, map: MapSize) -> Guides {
    let mut guides = Guides::default();
    let low = scene.layout_from_screen(Vec2::new(0.0, map.height), map);
    let high = scene.layout_from_screen(Vec2::new(map.width, 0.0), map);
    if !low.is_finite() || !high.is_finite() || map.width < 1.0 || map.height < 1.0 {
        return guides;
    }
    let line = |from, to, is_axis| GuideLine { from, to, is_axis };
    for value in ticks(low.x, high.x, map.width / TICK_SPACING) {
        let x = (value - low.x) / (high.x - low.x) * map.width;
        guides.lines.push(line(Vec2::new(x, 0.0), Vec2::new(x, map.height), value == 0.0));
        if (30.0..map.width - 30.0).contains(&x) {
            guides.texts.push(tick_text(Vec2::new(x, map.height - 18.0), value, TextAlign::TopCenter));
        }
    }
    for value in ticks(low.y, high.y, map.height / TICK_SPACING) {
        let y = (high.y - value) / (high.y - low.y) * map.height;
        guides.lines.push(line(Vec2::new(0.0, y), Vec2::new(map.width, y), value == 0.0));
        if (30.0..map.height - 40.0).contains(&y) {
            guides.texts.push(tick_text(Vec2::new(38.0, y), value, TextAlign::RightCenter));
        }
    }
    let places = [(Vec2::new(map.width - 10.0, map.height - 24.0), TextAlign::BottomRight), (Vec2::new(10.0, 8.0), TextAlign::TopLeft)];
    for ((at, align), name) in places.into_iter().zip(&scene.axis_names) {
        guides.texts.push(GuideText { at, text: name.clone(), align, is_title: true });
    }
    guides
}

/// The layout's box, with the three faces turned away from the eye ruled, so that no line crosses in front of the points.
fn space(scene: &Scene, map: MapSize) -> Guides {
    let mut guides = Guides::default();
    let (low, high) = (scene.bounds.center() - scene.bounds.extent() * 0.5, scene.bounds.center() + scene.bounds.extent() * 0.5);
    let toward_eye = scene.camera.eye() - scene.camera.target;
    let back = Vec3::select(toward_eye.cmpgt(Vec3::ZERO), low, high);
    let front = low + high - back;
    let mut push = |from: Vec3, to: Vec3, is_axis: bool| {
        if let (Some(from), Some(to)) = (scene.screen_from_layout(from, map), scene.screen_from_layout(to, map)) {
            guides.lines.push(GuideLine { from, to, is_axis });
        }
    };
    for (ruled, along, fixed) in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)] {
        let mut from = back;
        from[along] = low[along];
        let mut to = from;
        to[along] = high[along];
        let edges = [low[ruled], high[ruled]];
        for value in ticks(low[ruled], high[ruled], 4.0).into_iter().chain(edges) {
            from[ruled] = value;
            to[ruled] = value;
            push(from, to, value == back[ruled] && fixed > along);
        }
    }
    // Names and numbers stand along the three edges nearest to the outline of the box.
    let edges = [(0, Vec3::new(0.0, low.y, front.z)), (1, Vec3::new(front.x, 0.0, back.z)), (2, Vec3::new(front.x, low.y, 0.0))];
    let center = scene.screen_from_layout(scene.bounds.center(), map).unwrap_or_default();
    for (axis, edge) in edges {
        let place = |value: f32, push_out: f32| {
            let mut at = edge;
            at[axis] = value;
            let screen = scene.screen_from_layout(at, map)?;
            let middle = {
                let mut m = edge;
                m[axis] = (low[axis] + high[axis]) * 0.5;
                scene.screen_from_layout(m, map)?
            };
            Some(screen + (middle - center).normalize_or(Vec2::Y) * push_out)
        };
        for value in ticks(low[axis], high[axis], 3.0) {
            if let Some(at) = place(value, 16.0) {
                guides.texts.push(tick_text(at, value, TextAlign::Center));
            }
        }
        if let (Some(at), Some(name)) = (place((low[axis] + high[axis]) * 0.5, 58.0), scene.axis_names.get(axis)) {
            guides.texts.push(GuideText { at, text: name.clone(), align: TextAlign::Center, is_title: true });
        }
    }
    guides
}

fn tick_text(at: Vec2, value: f32, align: TextAlign) -> GuideText {
    GuideText { at, text: number(value), align, is_title: false }
}

/// A tick's number, short.
fn number(value: f32) -> String {
    if value != 0.0 && !(1e-3..1e5).contains(&value.abs()) {
        return format!("{value:.1e}");
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').replace('-', "−")
}

/// Round numbers (1, 2 or 5 times a power of ten apart) between two, about `wanted` of them.
#[must_use]
pub fn ticks(low: f32, high: f32, wanted: f32) -> Vec<f32> {
    let (low, high) = (f64::from(low), f64::from(high));
    let rough = (high - low) / f64::from(wanted.max(1.0));
    if !rough.is_finite() || rough <= 0.0 || rough < low.abs().max(high.abs()) * 1e-6 {
        return Vec::new();
    }
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|&step| step >= rough * 0.999).unwrap_or(power * 10.0);
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last).take(100).map(|i| (i as f64 * step) as f32).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::scene::AxisScale;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(0.0, 1.0, 5.0), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(ticks(-7.0, 12.0, 4.0), [-5.0, 0.0, 5.0, 10.0]);
        assert!(ticks(1.0, 1.0, 4.0).is_empty());
        assert!(ticks(f32::NAN, 1.0, 4.0).is_empty());
        assert!(ticks(1.0, 0.0, 4.0).is_empty());
        assert_eq!((number(-0.25), number(0.0), number(20.0)), ("−0.25".into(), "0".into(), "20".into()));
    }

    #[test]
    fn both_axes_of_a_plane_and_all_three_of_a_space_are_named() {
        let map = MapSize { width: 800.0, height: 600.0 };
        for (dimensions, names) in [(Dimensions::Two, vec!["rock", "jazz"]), (Dimensions::Three, vec!["1", "2", "3"])] {
            let positions = Arc::new([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]);
            let scene = Scene::new(
                positions,
                Arc::new([]),
                names.iter().map(ToString::to_string).collect(),
                AxisScale::Uniform,
                dimensions,
                map.aspect(),
            );
            let guides = Guides::of(&scene, map);
            let titles: Vec<_> = guides.texts.iter().filter(|text| text.is_title).collect();
            assert_eq!(titles.len(), names.len());
            assert!(titles.iter().zip(&names).all(|(title, name)| title.text.contains(name)));
            assert!(titles.iter().all(|title| (0.0..=800.0).contains(&title.at.x) && (0.0..=600.0).contains(&title.at.y)), "{titles:?}");
            assert!(guides.lines.len() > 4);
        }
    }
}
