//! The window in a user's hands, on a virtual screen, by its event log: lists, keys, the scale, and a pointer that rests while the map moves.

use std::time::Duration;

use glam::Vec2;
use tagscape::app::headless::settle;
use tagscape::app::resources::demo_collection;
use tagscape::app::state::{AppState, Choices};
use tagscape::project::Compute;
use tagscape::scene::MapSize;
use tagscape::scene::pick::{Aim, nearest_on_screen};
use tagscape::store::Collection;

use super::window::{demo_scene, move_pointer, wait_for};
use super::window_changes::Shown;
use crate::common::collection::wandering;
use crate::common::widgets::as_it_opens;

const PATIENCE: Duration = Duration::from_secs(20);
const WINDOW: [u32; 2] = [1440, 900];

/// The map's rectangle in pixels.
fn map_of(shown: &Shown) -> [i64; 4] {
    let ready = shown.events().into_iter().find(|event| event["event"] == "ready").unwrap();
    let edges: Vec<i64> = ready["map"].as_array().unwrap().iter().map(|edge| edge.as_i64().unwrap()).collect();
    [edges[0], edges[1], edges[2], edges[3]]
}

#[test]
fn a_list_is_searched_with_pointer_and_keyboard_and_what_is_chosen_stays() {
    let choices = Choices::of("msd-musicnn-embeddings".parse().unwrap());
    let (mut state, effects) = AppState::open(Collection::open(&demo_collection().unwrap()).unwrap(), choices, None, Compute::Cpu).unwrap();
    settle(&mut state, effects).unwrap();
    let [x_list] = as_it_opens(&mut state, WINDOW, &["component 1"])[..] else { panic!("one place") };
    let Some(shown) = Shown::open(&[]) else { return };
    let window = shown.window();
    shown.xdotool(&["windowfocus", &window]);
    shown.rest();
    let click = |[x, y]: [f64; 2]| {
        move_pointer(&shown.display, x as i64, y as i64);
        std::thread::sleep(Duration::from_millis(200));
        shown.xdotool(&["click", "1"]);
        std::thread::sleep(Duration::from_millis(500));
    };
    shown.xdotool(&["key", "i"]);
    wait_for(&shown.log, 0, PATIENCE, |event| event["event"] == "select").expect("all are chosen");
    let before = shown.events().len();
    click(x_list);
    // Into the field of the list that is open now, right below its button.
    click([x_list[0], x_list[1] + 30.0]);
    shown.xdotool(&["type", "--delay", "40", "lir vim 7"]);
    shown.xdotool(&["key", "ctrl+a"]);
    shown.xdotool(&["type", "--delay", "40", "nent 17"]);
    shown.xdotool(&["key", "Return"]);
    let projection = wait_for(&shown.log, before, PATIENCE, |event| event["event"] == "projection").expect("another axis");
    assert!(projection["axes"][0].as_str().unwrap().starts_with("component 17"), "{projection}");
    click(x_list);
    shown.xdotool(&["key", "Escape"]);
    shown.rest();
    let selects: Vec<_> = shown.events().into_iter().skip(before).filter(|event| event["event"] == "select").collect();
    assert!(selects.is_empty(), "what is chosen stays: {selects:?}");
    // The list is folded: the next Escape is the map's.
    shown.xdotool(&["key", "Escape"]);
    let clear = wait_for(&shown.log, before, PATIENCE, |event| event["event"] == "select").expect("it is cleared");
    assert_eq!(clear["tool"], "clear");
}

#[test]
fn a_pointer_that_rests_hears_what_the_map_brings_under_it() {
    let Some(shown) = Shown::open(&[]) else { return };
    let window = shown.window();
    shown.xdotool(&["windowfocus", &window]);
    shown.rest();
    let [left, top, width, height] = map_of(&shown);
    let size = MapSize { width: width as f32, height: height as f32 };
    let scene = demo_scene(&Collection::open(&demo_collection().unwrap()).unwrap().into(), size);
    // A place without a segment near it, and one not far off.
    let nearest = |at: Vec2, reach: f32| nearest_on_screen(&Aim::new(&scene, size, at, reach), &scene.positions);
    let places = (60..width - 60).step_by(7).flat_map(|x| (60..height - 60).step_by(7).map(move |y| Vec2::new(x as f32, y as f32)));
    // A height of the window that brings a segment there.
    let lower = |place: Vec2| {
        (600..=880).rev().step_by(4).find_map(|outer: i64| {
            let map = MapSize { width: size.width, height: size.height - (900 - outer) as f32 };
            let mut scene = scene.clone();
            scene.fit(map.aspect());
            let under = nearest_on_screen(&Aim::new(&scene, map, place, 2.0), &scene.positions)?;
            Some((outer, under))
        })
    };
    let gaps = places.filter(|&at| nearest(at, 22.0).is_none() && nearest(at, 40.0).is_some());
    let found = gaps.take(200).find_map(|place| lower(place).map(|(outer, under)| (place, outer, under)));
    let (place, outer, under) = found.expect("a gap in the map that another height closes");
    move_pointer(&shown.display, left + place.x as i64, top + place.y as i64);
    shown.rest();
    let hovers = || shown.events().into_iter().filter(|event| event["event"] == "hover").count();
    let before = hovers();
    // From here on nothing moves the pointer. From afar, everything is near it.
    for _ in 0..25 {
        shown.xdotool(&["click", "5"]);
        std::thread::sleep(Duration::from_millis(60));
        if hovers() > before {
            break;
        }
    }
    shown.rest();
    let scrolled = hovers();
    assert!(scrolled > before, "scrolling brings a segment under the pointer");
    shown.xdotool(&["key", "Home"]);
    shown.rest();
    let before = shown.events().len();
    shown.xdotool(&["windowsize", &window, "1440", &outer.to_string()]);
    let hover = wait_for(&shown.log, before, PATIENCE, |event| event["event"] == "hover").expect("resizing brings it under the pointer");
    assert_eq!(hover["segment"].as_u64(), Some(u64::from(under.0)), "{outer} pixels high");
}

#[test]
fn another_scale_fills_the_window_and_the_pointer_means_what_is_under_it() {
    let Some(shown) = Shown::open(&[]) else { return };
    let window = shown.window();
    shown.xdotool(&["windowfocus", &window]);
    let frames = shown.rest();
    for key in ["ctrl+plus", "ctrl+plus", "ctrl+0"] {
        shown.xdotool(&["key", key]);
    }
    assert!(shown.rest() > frames);
    // At the scale that it had in the beginning the map lies as it did, and its segments are where they were.
    let [left, top, width, height] = map_of(&shown);
    let size = MapSize { width: width as f32, height: height as f32 };
    let scene = demo_scene(&Collection::open(&demo_collection().unwrap()).unwrap().into(), size);
    let at = |row: u32| scene.screen_of(tagscape::catalog::SegmentId(row), size).unwrap().round();
    let inside = (0..scene.positions.len() as u32).map(at).find(|at| (40.0..size.width - 40.0).contains(&at.x) && at.y > 40.0).unwrap();
    let before = shown.events().len();
    move_pointer(&shown.display, left + inside.x as i64, top + inside.y as i64);
    let hover = wait_for(&shown.log, before, PATIENCE, |event| event["event"] == "hover").expect("a segment");
    let found = nearest_on_screen(&Aim::new(&scene, size, inside, 5.0), &scene.positions).unwrap();
    assert_eq!(hover["segment"].as_u64(), Some(u64::from(found.0)));
}

#[test]
fn while_a_layout_is_computed_the_window_is_still_and_draws_a_percentage_now_and_then() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 2000, 40);
    let Some(shown) = Shown::open_on(&path, &["--method", "umap", "--device", "cpu"]) else { return };
    let events = shown.events();
    let until = events.iter().position(|event| event["event"] == "ready").unwrap();
    let still: Vec<_> = events[..until].iter().filter(|event| event["event"] == "still").collect();
    let time = |event: &serde_json::Value| event["t_ms"].as_f64().unwrap();
    let secs = (time(&events[until]) - still.first().map_or(0.0, |event| time(event))) / 1e3;
    assert!(secs > 1.5, "80,000 rows took {secs} s; the test needs more");
    // Once, and once more for what is not a percentage, such as the sound output that opens.
    assert!((1..=3).contains(&still.len()), "{} times in {secs} s: {still:?}", still.len());
    let frames: u64 =
        events[..until].iter().filter(|event| event["event"] == "frame_stats").map(|event| event["frames"].as_u64().unwrap()).sum();
    assert!(frames as f64 <= 2.0 * secs + 12.0, "{frames} frames in {secs} s");
}
