//! Names on the map: where they belong, and never over one another.

use std::sync::Arc;

use glam::Vec2;
use tagscape::app::headless;
use tagscape::app::state::{AppState, Effect};
use tagscape::command::{Command as Wish, MethodKind};
use tagscape::project::Compute;
use tagscape::scene::labels::{self, Label, PlacedLabel, place};
use tagscape::scene::words::{Area, Taken};
use tagscape::scene::{AxisScale, Dimensions, Guides, LabelKind, MapSize, Scene};
use tagscape::seed::SplitMix64;
use tagscape::store::Collection;

use crate::common::collection::wandering;
use crate::guides::{choices, clash, measure};

/// A scene of nothing but names, in a few heaps.
fn named(count: usize, dimensions: Dimensions, map: MapSize) -> Scene {
    let mut seed = SplitMix64::new(3);
    let mut labels: Vec<Label> = (0..count)
        .map(|number| {
            let heap = (number % 5) as f32 * 2.0;
            let at =
                [heap + seed.next_normal(), seed.next_normal(), if dimensions == Dimensions::Three { seed.next_normal() } else { 0.0 }];
            let text = "Long Names Of Artists"[..3 + seed.next_below(18) as usize].to_owned();
            Label { at, text, weight: seed.next_below(1000) as u32 }
        })
        .collect();
    labels::sort(&mut labels);
    let positions: Arc<[[f32; 3]]> = labels.iter().map(|label| label.at).collect();
    let names = ["x", "y", "z"][..dimensions.count()].iter().map(ToString::to_string).collect();
    let mut scene = Scene::new(positions, Arc::new([]), names, AxisScale::Uniform, dimensions, map.aspect());
    scene.labels = labels.into();
    scene
}

fn placed(scene: &Scene, map: MapSize) -> Vec<PlacedLabel> {
    place(scene, map, &mut Taken::default(), &measure)
}

#[test]
fn no_name_lies_over_another_or_over_a_number_or_leaves_the_map() {
    let mut names = 0;
    for (width, height) in [(400.0, 300.0), (936.0, 872.0), (1422.0, 800.0), (7680.0, 4320.0)] {
        let map = MapSize { width, height };
        for dimensions in [Dimensions::Two, Dimensions::Three] {
            for count in [3, 50, 5000] {
                for zoom in [0.1, 1.0, 4.0, 50.0] {
                    let mut scene = named(count, dimensions, map);
                    scene.camera.azimuth = zoom;
                    scene.camera.zoom(zoom, Vec2::new(-0.2, 0.1), map.aspect());
                    let mut guides = Guides::of(&scene, map, &measure);
                    let found = place(&scene, map, &mut guides.taken, &measure);
                    let areas: Vec<Area> = guides.texts.iter().map(|text| text.area).chain(found.iter().map(|label| label.area)).collect();
                    assert_eq!(clash(&areas, map), None, "{map:?} {dimensions:?} {count} {zoom}");
                    assert!(found.len() <= 240);
                    let again = place(&scene, map, &mut Guides::of(&scene, map, &measure).taken, &measure);
                    assert!(found == again, "the same input gives the same places");
                    names += found.len();
                    // Of two names over one another the comparer would tell.
                    if let Some(label) = found.first() {
                        let moved = Area { min: label.area.min + 1.0, max: label.area.max + 1.0 };
                        assert!(clash(&[label.area, moved], map).is_some());
                    }
                }
            }
        }
    }
    assert!(names > 2000, "{names}");
}

#[test]
fn the_weightiest_have_their_places_first_and_names_come_as_one_zooms_in() {
    let map = MapSize { width: 1200.0, height: 800.0 };
    let mut scene = named(3000, Dimensions::Two, map);
    let far = placed(&scene, map);
    assert_eq!(far[0].index, 0);
    assert!(far.windows(2).all(|pair| pair[0].index < pair[1].index && pair[0].size >= pair[1].size));
    scene.camera.zoom(6.0, Vec2::ZERO, map.aspect());
    let near = placed(&scene, map);
    let is_on = |label: &&PlacedLabel| {
        let at = scene.screen_from_layout(scene.labels[label.index].at.into(), map).unwrap();
        (150.0..map.width - 150.0).contains(&at.x) && (30.0..map.height - 30.0).contains(&at.y)
    };
    let stayed = far.iter().filter(is_on).filter(|label| near.iter().any(|other| other.index == label.index)).count();
    assert!(near.len() > 2 * far.iter().filter(is_on).count(), "{} of {}", near.len(), far.len());
    assert!(stayed * 10 >= 8 * far.iter().filter(is_on).count(), "{stayed} stayed");
}

#[test]
fn a_small_move_of_the_camera_moves_names_and_swaps_none() {
    let map = MapSize { width: 1200.0, height: 800.0 };
    let mut scene = named(400, Dimensions::Two, map);
    // All is far from the border, where names come and go.
    scene.camera.zoom(0.6, Vec2::ZERO, map.aspect());
    let before = placed(&scene, map);
    for step in 1..=12 {
        scene.camera.pan(Vec2::new(1.7, -0.9), map.height);
        let after = placed(&scene, map);
        let indices = |labels: &[PlacedLabel]| labels.iter().map(|label| label.index).collect::<Vec<_>>();
        assert_eq!(indices(&before), indices(&after), "step {step}");
        for (old, new) in before.iter().zip(&after) {
            let way = new.area.min - old.area.min;
            assert!((way - Vec2::new(1.7, -0.9) * step as f32).length() < 0.05, "{old:?} {new:?}");
        }
    }
}

/// The labels that a state shows after a wish, sought at once.
fn wished(state: &mut AppState, wish: Wish) -> Arc<[Label]> {
    let effects = state.update(wish);
    headless::settle(state, effects).unwrap();
    state.shown.as_ref().unwrap().scene.labels.clone()
}

#[test]
fn tags_artists_and_tracks_are_named_where_their_segments_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 40, 25);
    let collection = Collection::open(&path).unwrap();
    let tags = collection.tags("msd-musicnn-taggrams".parse().unwrap()).unwrap().unwrap();
    let (mut state, effects) =
        AppState::open(collection, choices("msd-musicnn-embeddings", MethodKind::Pca, Dimensions::Two), None, Compute::Cpu).unwrap();
    headless::settle(&mut state, effects).unwrap();
    state.set_map_size(MapSize { width: 900.0, height: 700.0 });
    assert!(state.shown.as_ref().unwrap().scene.labels.is_empty(), "nothing covers the map at the start");
    let named = wished(&mut state, Wish::SetLabels(LabelKind::Tags));
    assert!(named.len() >= 5 && named.iter().all(|label| tags.position(&label.text).is_some()), "{named:?}");
    assert_eq!(named.iter().map(|label| label.weight).sum::<u32>(), 1000, "each segment has one strongest tag");
    assert!(named.windows(2).all(|pair| pair[0].weight >= pair[1].weight));
    let named = wished(&mut state, Wish::SetLabels(LabelKind::Tracks));
    assert_eq!(named.len(), 40);
    let scene = state.shown.as_ref().unwrap().scene.clone();
    for label in named.iter() {
        let track: usize = label.text.strip_prefix("Track ").unwrap().parse().unwrap();
        let least = scene.positions[track * 25..(track + 1) * 25]
            .iter()
            .map(|position| (position[0] - label.at[0]).hypot(position[1] - label.at[1]))
            .fold(f32::INFINITY, f32::min);
        assert!(least < 0.1 * scene.bounds.extent().max_element(), "{label:?} is {least} away from its track");
    }
    // Another layout has the same names elsewhere, and one that is shown no longer names nothing.
    let effects = state.update(Wish::SetLabels(LabelKind::Tags));
    let [Effect::Label(stale)] = &effects[..] else { panic!("names are asked for: {effects:?}") };
    assert!(state.awaits_labels());
    let again = wished(&mut state, Wish::SetMethod(MethodKind::Original));
    assert!(!again.is_empty() && !state.awaits_labels());
    state.finish_labels((stale.serial, Ok(Vec::new())));
    assert_eq!(state.shown.as_ref().unwrap().scene.labels, again, "a stale outcome is dropped");
    assert!(wished(&mut state, Wish::SetLabels(LabelKind::None)).is_empty());
}
