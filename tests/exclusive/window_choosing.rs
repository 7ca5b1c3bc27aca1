//! Choosing as a visitor does: a rectangle drawn in a window on a virtual screen, and keys.

use std::time::Duration;

use glam::Vec2;
use tagscape::app::resources::demo_collection;
use tagscape::catalog::SegmentId;
use tagscape::scene::MapSize;
use tagscape::store::Collection;

use super::window::{demo_scene, move_pointer, wait_for};
use super::window_changes::Shown;

#[test]
fn a_rectangle_drawn_in_the_window_chooses_what_is_in_it_and_keys_do_the_rest() {
    let Some(shown) = Shown::open(&[]) else { return };
    shown.rest();
    let ready = shown.events().into_iter().find(|event| event["event"] == "ready").unwrap();
    let edges: Vec<f32> = ready["map"].as_array().unwrap().iter().map(|edge| edge.as_f64().unwrap() as f32).collect();
    let map = MapSize { width: edges[2], height: edges[3] };
    let scene = demo_scene(&Collection::open(&demo_collection().unwrap()).unwrap().into(), map);
    let rows = scene.positions.len() as u64;
    // Rows in a rectangle of the map that is so much smaller on each side.
    let within = |from: Vec2, to: Vec2, less: f32| {
        let is_in = |row: &u64| {
            let at = scene.screen_of(SegmentId(*row as u32), map).unwrap();
            (from.x + less..to.x - less).contains(&at.x) && (from.y + less..to.y - less).contains(&at.y)
        };
        (0..rows).filter(is_in).count() as u64
    };
    let window = shown.window();
    shown.xdotool(&["windowfocus", &window]);
    let press = |keys: &[&str]| {
        let before = shown.events().len();
        keys.iter().for_each(|key| drop(shown.xdotool(&["key", key])));
        wait_for(&shown.log, before, Duration::from_secs(20), |event| event["event"] == "select")
    };
    let drag = |from: Vec2, to: Vec2| {
        let before = shown.events().len();
        let point = |at: Vec2| move_pointer(&shown.display, (edges[0] + at.x) as i64, (edges[1] + at.y) as i64);
        point(from);
        shown.xdotool(&["mousedown", "1"]);
        point((from + to) * 0.5);
        std::thread::sleep(Duration::from_millis(200));
        point(to);
        std::thread::sleep(Duration::from_millis(200));
        shown.xdotool(&["mouseup", "1"]);
        wait_for(&shown.log, before, Duration::from_secs(20), |event| event["event"] == "select").expect("a selection")
    };
    shown.xdotool(&["key", "r"]);
    let (from, to) = (Vec2::new(250.0, 400.0), Vec2::new(450.0, 700.0));
    let first = drag(from, to);
    let count = first["count"].as_u64().unwrap();
    assert_eq!(first["tool"], "rectangle");
    let (least, most) = (within(from, to, 1.0), within(from, to, -1.0));
    assert!(least > 100 && most < rows / 2 && (least..=most).contains(&count), "{least} <= {count} <= {most}");
    // With Shift, another one comes to it.
    shown.xdotool(&["keydown", "shift"]);
    let (from, to) = (Vec2::new(500.0, 300.0), Vec2::new(700.0, 700.0));
    let both = drag(from, to)["count"].as_u64().unwrap();
    shown.xdotool(&["keyup", "shift"]);
    assert!((count + within(from, to, 1.0)..=count + within(from, to, -1.0)).contains(&both), "{count} and more are {both}");
    let inverted = press(&["i"]).expect("inverted");
    assert_eq!((inverted["count"].as_u64(), inverted["tool"].as_str()), (Some(rows - both), Some("invert")));
    let cleared = press(&["Escape"]).expect("cleared");
    assert_eq!((cleared["count"].as_u64(), cleared["tool"].as_str()), (Some(0), Some("clear")));
}
