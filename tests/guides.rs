//! Grid, numbers and names around the map, on every size of map and at every zoom; and logarithmic axes all the way.

use std::sync::Arc;

use glam::{Vec2, Vec3};
use tagscape::app::headless;
use tagscape::app::state::{AppState, Choices, Effect};
use tagscape::command::{Command as Wish, Listen, MethodKind};
use tagscape::project::Compute;
use tagscape::scene::guides::GuideText;
use tagscape::scene::words::Area;
use tagscape::scene::{AxisScale, Bounds, Dimensions, Guides, LineKind, MapSize, Scaling, Scene};
use tagscape::store::Collection;

use crate::common::collection::wandering;

/// Letters as wide as most; egui's own are a little narrower.
pub fn measure(text: &str, size: f32) -> Vec2 {
    Vec2::new(text.chars().count() as f32 * size * 0.55, size * 1.25)
}

/// The first two areas that lie over one another, or the first that leaves the map.
pub fn clash(areas: &[Area], map: MapSize) -> Option<String> {
    for (index, area) in areas.iter().enumerate() {
        if area.min.x < 0.0 || area.min.y < 0.0 || area.max.x > map.width || area.max.y > map.height {
            return Some(format!("{area:?} leaves {map:?}"));
        }
        let over = |other: &&Area| {
            let (low, high) = (area.min.max(other.min), area.max.min(other.max));
            low.x < high.x && low.y < high.y
        };
        if let Some(other) = areas[..index].iter().find(over) {
            return Some(format!("{area:?} lies over {other:?}"));
        }
    }
    None
}

const SIZES: [(f32, f32); 6] = [(400.0, 300.0), (300.0, 500.0), (936.0, 872.0), (1422.0, 800.0), (1920.0, 1080.0), (7680.0, 4320.0)];

fn scene(dimensions: Dimensions, scale: AxisScale, scalings: [Scaling; 3], map: MapSize) -> Scene {
    let names = ["Female vocalists", "a very long name of an axis that some dataset somewhere has", "component 3 (12.3 %)"];
    let positions: Arc<[[f32; 3]]> = Arc::new([[-6.5, -3.0, -2.0], [0.4, 12.0, 2.0], [0.0, 1.0, 0.5]]);
    let names = names[..dimensions.count()].iter().map(ToString::to_string).collect();
    let mut scene = Scene::new(positions, Arc::new([]), names, scale, dimensions, map.aspect());
    scene.scalings = scalings;
    scene
}

#[test]
fn no_word_lies_over_another_or_leaves_the_map() {
    let log = Scaling::Log { floor: 1e-6, has_zeros: true };
    let mut numbers = 0;
    for (width, height) in SIZES {
        let map = MapSize { width, height };
        for dimensions in [Dimensions::Two, Dimensions::Three] {
            for scalings in [[Scaling::Linear; 3], [log, Scaling::SymLog { threshold: 0.1 }, log]] {
                for zoom in [0.05, 0.3, 1.0, 7.0, 300.0, 4e5] {
                    for (azimuth, elevation) in [(0.0, 0.0), (0.6, 0.35), (2.3, -0.7), (4.0, 1.4), (5.5, 0.02)] {
                        let mut scene = scene(dimensions, AxisScale::PerAxis, scalings, map);
                        (scene.camera.azimuth, scene.camera.elevation) = (azimuth, elevation);
                        scene.camera.zoom(zoom, Vec2::new(0.31, -0.22), map.aspect());
                        let guides = Guides::of(&scene, map, &measure);
                        let areas: Vec<Area> = guides.texts.iter().map(|text| text.area).collect();
                        let what = format!("{map:?} {dimensions:?} {scalings:?} {zoom} {azimuth} {elevation}");
                        assert_eq!(clash(&areas, map), None, "{what}");
                        assert!(guides.lines.iter().all(|line| line.from.is_finite() && line.to.is_finite()), "{what}");
                        numbers += guides.texts.len();
                        if dimensions == Dimensions::Two {
                            assert_eq!(guides.texts.iter().filter(|text| text.is_title).count(), 2, "{what}");
                            assert!(guides.texts.len() >= 4, "{what}: {:?}", guides.texts);
                            break;
                        } else if zoom == 1.0 {
                            let titles = guides.texts.iter().filter(|text| text.is_title).count();
                            assert!(titles == 3 || (titles == 2 && width < 900.0), "{what}: {titles}");
                            assert!(guides.texts.len() >= 6, "{what}: {:?}", guides.texts);
                        }
                    }
                }
            }
        }
    }
    assert!(numbers > 1000);
}

#[test]
fn the_comparer_notices_a_word_over_another() {
    let map = MapSize { width: 100.0, height: 100.0 };
    let area = |x, y| Area::at(Vec2::new(x, y), Vec2::new(20.0, 10.0));
    assert_eq!(clash(&[area(0.0, 0.0), area(20.0, 0.0), area(0.0, 10.0)], map), None);
    assert!(clash(&[area(0.0, 0.0), area(50.0, 50.0), area(19.0, 9.0)], map).is_some());
    assert!(clash(&[area(81.0, 0.0)], map).is_some());
}

/// Where a number stands on its axis, as a coordinate.
fn value_of(text: &GuideText) -> Option<f64> {
    text.text.replace('−', "-").parse().ok()
}

#[test]
fn numbers_of_a_plane_stand_where_their_values_lie() {
    let map = MapSize { width: 1200.0, height: 800.0 };
    let scalings = [Scaling::Log { floor: 1e-7, has_zeros: false }, Scaling::SymLog { threshold: 0.01 }, Scaling::Linear];
    for zoom in [0.4, 1.0, 5.0, 60.0] {
        let mut scene = scene(Dimensions::Two, AxisScale::PerAxis, scalings, map);
        scene.camera.zoom(zoom, Vec2::new(0.6, 0.1), map.aspect());
        let guides = Guides::of(&scene, map, &measure);
        let mut seen = 0;
        for text in guides.texts.iter().filter(|text| !text.is_title) {
            let Some(value) = value_of(text) else { continue };
            let middle = (text.area.min + text.area.max) * 0.5;
            let is_lower = middle.y > map.height - 20.0;
            let axis = usize::from(!is_lower);
            let mut place = Vec3::ZERO;
            place[axis] = if axis == 0 { value.log10() } else { scalings[axis].coordinate(value) } as f32;
            let at = scene.screen_from_layout(place, map).unwrap();
            let error = if is_lower { at.x - middle.x } else { at.y - middle.y };
            assert!(error.abs() < 1.0, "{text:?} is {error} off at zoom {zoom}");
            seen += 1;
        }
        assert!(seen >= 6, "zoom {zoom}: {:?}", guides.texts);
    }
}

#[test]
fn a_logarithmic_plane_has_minor_lines_and_its_title_says_so() {
    let map = MapSize { width: 1200.0, height: 800.0 };
    let mut scene = scene(Dimensions::Two, AxisScale::PerAxis, [Scaling::Log { floor: 0.01, has_zeros: true }; 3], map);
    scene.bounds = Bounds { min: Vec3::new(-2.0, -2.0, 0.0), max: Vec3::ZERO };
    let guides = Guides::of(&scene, map, &measure);
    assert!(guides.lines.iter().filter(|line| line.kind == LineKind::Minor).count() >= 20);
    assert!(guides.texts.iter().any(|text| text.text == "Female vocalists (log, 0 at 0.01)"), "{:?}", guides.texts);
    assert!(["1", "0.1", "0.01"].iter().all(|wanted| guides.texts.iter().any(|text| text.text == *wanted)), "{:?}", guides.texts);
}

pub fn choices(space: &str, method: MethodKind, dimensions: Dimensions) -> Choices {
    Choices { method, dimensions, listen: Listen::Off, ..Choices::of(space.parse().unwrap()) }
}

fn settled(state: &mut AppState, wish: Wish) -> bool {
    let effects = state.update(wish);
    let is_asked = effects.iter().any(|effect| matches!(effect, Effect::Project(_)));
    headless::settle(state, effects).unwrap();
    is_asked
}

#[test]
fn a_wish_for_logarithmic_axes_moves_points_grid_and_pointer_alike() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 8, 10);
    for dimensions in [Dimensions::Two, Dimensions::Three] {
        let collection = Collection::open(&path).unwrap();
        let chosen = choices("msd-musicnn-taggrams", MethodKind::Original, dimensions);
        let (mut state, effects) = AppState::open(collection, chosen, None, Compute::Cpu).unwrap();
        headless::settle(&mut state, effects).unwrap();
        let map = MapSize { width: 800.0, height: 600.0 };
        state.set_map_size(map);
        let before = state.shown.as_ref().unwrap().scene.positions.clone();
        assert!(settled(&mut state, Wish::SetLog(true)));
        assert!(!settled(&mut state, Wish::SetLog(true)), "nothing new is wished");
        let scene = &state.shown.as_ref().unwrap().scene;
        for (log, plain) in scene.positions.iter().zip(before.iter()) {
            for axis in 0..dimensions.count() {
                assert!(plain[axis] > 0.0 && (log[axis] - plain[axis].log10()).abs() < 1e-5);
            }
            assert!(dimensions == Dimensions::Three || log[2] == 0.0);
        }
        assert!(scene.scalings[..dimensions.count()].iter().all(|scaling| matches!(scaling, Scaling::Log { .. })));
        assert!(scene.bounds.max.x <= 0.0);
        let at = scene.screen_of(tagscape::catalog::SegmentId(7), map).unwrap();
        state.update(Wish::Point { at: Some(at), window_pixels: [0.0; 2] });
        let hovered = state.shown.as_ref().unwrap().scene.hovered.unwrap();
        let distance = state.shown.as_ref().unwrap().scene.screen_of(hovered, map).unwrap().distance(at);
        // In a space the disc of another may lie in front.
        let reach = if dimensions == Dimensions::Two { 0.01 } else { 15.0 };
        assert!(distance < reach, "{hovered:?} is {distance} away");
        // An embedding has nothing to take logarithms of; the wish stays for what follows.
        let effects = state.update(Wish::SetMethod(MethodKind::Tsne));
        assert!(!state.has_valued_axes() && effects.iter().any(|effect| matches!(effect, Effect::Project(_))));
        assert!(settled(&mut state, Wish::SetMethod(MethodKind::Pca)));
        let scene = &state.shown.as_ref().unwrap().scene;
        assert!(scene.scalings[..2].iter().all(|scaling| matches!(scaling, Scaling::SymLog { .. })), "{:?}", scene.scalings);
        assert!(settled(&mut state, Wish::SetLog(false)));
        assert_eq!(state.shown.as_ref().unwrap().scene.scalings, [Scaling::Linear; 3]);
    }
}
