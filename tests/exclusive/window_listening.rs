//! When segments sound, as a visitor chooses it: the pointer and the buttons of a window on a virtual screen, by its event log.

use std::time::Duration;

use glam::Vec2;
use serde_json::Value;
use tagscape::app::headless::settle;
use tagscape::app::resources::demo_collection;
use tagscape::app::state::{AppState, Choices};
use tagscape::catalog::SegmentId;
use tagscape::project::Compute;
use tagscape::scene::pick::{Aim, nearest_on_screen};
use tagscape::scene::{MapSize, Scene};
use tagscape::store::Collection;

use super::window::{demo_scene, move_pointer, wait_for};
use super::window_changes::Shown;
use crate::common::collection::{made_elsewhere, wandering};
use crate::common::widgets::at_the_panels_end;

const PATIENCE: Duration = Duration::from_secs(20);
/// In which a hover would have sounded.
const SILENCE: Duration = Duration::from_millis(700);
const WINDOW: [u32; 2] = [1440, 900];

/// A window, and where its segments are.
struct Listener {
    shown: Shown,
    pixels: Vec<(u64, [i64; 2])>,
}

impl Listener {
    /// Moves onto the segment of a number, counted over the map, by way of a place where there is none; the event that says so.
    fn hover(&self, number: usize) -> Value {
        move_pointer(&self.shown.display, 1439, 899);
        let before = self.shown.events().len();
        let (segment, [x, y]) = self.pixels[number];
        move_pointer(&self.shown.display, x, y);
        let found = wait_for(&self.shown.log, before, PATIENCE, |event| event["event"] == "hover").expect("a hover");
        assert_eq!(found["segment"].as_u64(), Some(segment), "{found}");
        found
    }

    fn click(&self, [x, y]: [i64; 2]) {
        move_pointer(&self.shown.display, x, y);
        std::thread::sleep(Duration::from_millis(100));
        self.shown.xdotool(&["click", "1"]);
        std::thread::sleep(Duration::from_millis(300));
    }

    fn count(&self, name: &str) -> usize {
        self.shown.events().iter().filter(|event| event["event"] == name).count()
    }
}

/// Segments that are pointed at with whole pixels, all over the map.
fn pixels_of(scene: &Scene, edges: &[i64]) -> Vec<(u64, [i64; 2])> {
    let map = MapSize { width: edges[2] as f32, height: edges[3] as f32 };
    let rows = scene.positions.len();
    let found = (0..rows).step_by((rows / 60).max(1)).filter_map(|row| {
        let pixel = scene.screen_of(SegmentId(row as u32), map)?.round();
        let inside = (20.0..map.width - 20.0).contains(&pixel.x) && (20.0..map.height - 20.0).contains(&pixel.y);
        let under = |at: Vec2| nearest_on_screen(&Aim::new(scene, map, at, 5.0), &scene.positions);
        // The same a pixel further: what is meant does not hang on rounding.
        let meant = under(pixel).filter(|found| inside && under(pixel + Vec2::ONE) == Some(*found))?;
        Some((u64::from(meant.0), [edges[0] + pixel.x as i64, edges[1] + pixel.y as i64]))
    });
    let mut found: Vec<_> = found.collect();
    found.dedup_by_key(|(segment, _)| *segment);
    assert!(found.len() >= 8, "{} segments stand alone", found.len());
    found
}

fn listener(shown: Shown, collection: Collection) -> Listener {
    shown.rest();
    let ready = shown.events().into_iter().find(|event| event["event"] == "ready").unwrap();
    let edges: Vec<i64> = ready["map"].as_array().unwrap().iter().map(|edge| edge.as_i64().unwrap()).collect();
    let scene = demo_scene(&collection.into(), MapSize { width: edges[2] as f32, height: edges[3] as f32 });
    Listener { pixels: pixels_of(&scene, &edges), shown }
}

/// The buttons of LISTEN, in the window as it opens on the demo with its left panel scrolled down.
fn listen_buttons() -> [[i64; 2]; 3] {
    let choices = Choices::of("msd-musicnn-embeddings".parse().unwrap());
    let (mut state, effects) = AppState::open(Collection::open(&demo_collection().unwrap()).unwrap(), choices, None, Compute::Cpu).unwrap();
    settle(&mut state, effects).unwrap();
    let places = at_the_panels_end(&mut state, WINDOW, &["Listen: On hover", "Listen: On click", "Listen: Off"]);
    [0, 1, 2].map(|place| places[place].map(|edge| edge.round() as i64))
}

#[test]
fn on_hover_pointing_sounds_on_click_a_click_does_and_off_nothing() {
    let [on_hover, on_click, off] = listen_buttons();
    let Some(shown) = Shown::open(&[]) else { return };
    let listener = listener(shown, Collection::open(&demo_collection().unwrap()).unwrap());
    // The panel's end, where LISTEN is.
    move_pointer(&listener.shown.display, 100, 500);
    listener.shown.xdotool(&["click", "--repeat", "60", "--delay", "10", "5"]);
    std::thread::sleep(Duration::from_secs(1));
    let sounds = |before: usize| wait_for(&listener.shown.log, before, PATIENCE, |event| event["event"] == "audition");
    let mut number = 0;
    for (round, button) in [(0, None), (1, Some(on_click)), (2, Some(off)), (3, Some(on_hover))] {
        button.into_iter().for_each(|button| listener.click(button));
        number += 1;
        let (before, auditions) = (listener.shown.events().len(), listener.count("audition"));
        let hover = listener.hover(number);
        if round == 0 || round == 3 {
            let audition = sounds(before).expect("the hover sounds");
            assert_eq!(audition["segment"], hover["segment"], "round {round}");
            continue;
        }
        std::thread::sleep(SILENCE);
        assert_eq!(listener.count("audition"), auditions, "round {round}: a hover is silent");
        listener.shown.xdotool(&["click", "1"]);
        if round == 1 {
            let audition = sounds(before).expect("the click sounds");
            assert_eq!((&audition["segment"], &audition["track"]), (&hover["segment"], &hover["track"]));
            assert_eq!(listener.count("audition"), auditions + 1, "once");
            // It sounds to its end, wherever the pointer goes.
            listener.hover(number + 7);
            wait_for(&listener.shown.log, before, PATIENCE, |event| event["event"] == "stop").expect("it ends by itself");
            assert_eq!(listener.count("audition"), auditions + 1, "round {round}: another hover is silent too");
        } else {
            std::thread::sleep(SILENCE);
            assert_eq!(listener.count("audition"), auditions, "and so is a click");
            assert!(listener.count("hover") > 3, "pointing shows all the same");
        }
    }
}

#[test]
fn a_collection_without_audio_says_so_once_and_is_explored_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 12, 10);
    made_elsewhere(&path);
    let Some(shown) = Shown::open_on(&path, &[]) else { return };
    let listener = listener(shown, Collection::open(&path).unwrap());
    for number in 0..8 {
        listener.hover(number);
        std::thread::sleep(Duration::from_millis(150));
    }
    listener.shown.xdotool(&["key", "space"]);
    std::thread::sleep(SILENCE);
    let notices: Vec<_> = listener.shown.events().into_iter().filter(|event| event["event"] == "notice").collect();
    let said = |word: &str| notices.iter().filter(|notice| notice["text"].as_str().unwrap().contains(word)).count();
    assert_eq!((said("none of this collection's audio files"), said("cannot play")), (1, 0), "{notices:?}");
    assert_eq!((listener.count("audition"), listener.count("hover") >= 8), (0, true));
}
