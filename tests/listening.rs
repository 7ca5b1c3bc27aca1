//! Listening as the state has it: when what sounds, how far it goes on, the playhead, keys, and files that are not there.

use tagscape::app::event_log::Event;
use tagscape::app::headless::settle;
use tagscape::app::state::{AppState, Choices, Effect};
use tagscape::catalog::{SegmentId, SegmentSpan};
use tagscape::command::{Command, Course, Listen};
use tagscape::project::Compute;
use tagscape::scene::MapSize;
use tagscape::store::{Collection, set_audio_root};

use crate::common::collection::{made_elsewhere, wandering};

const MAP: MapSize = MapSize { width: 800.0, height: 600.0 };
const TRACKS: usize = 4;
const SEGMENTS: usize = 120;
const SECS: f64 = 2.992;

fn open(folder: &std::path::Path, listen: Listen) -> AppState {
    let collection = Collection::open(&wandering(folder, TRACKS, SEGMENTS)).unwrap();
    let choices = Choices { listen, ..Choices::of("msd-musicnn-embeddings".parse().unwrap()) };
    let (mut state, effects) = AppState::open(collection, choices, None, Compute::Cpu).unwrap();
    settle(&mut state, effects).unwrap();
    state.set_map_size(MAP);
    state
}

/// Moves the pointer onto a segment, or off the map; returns the segment that is under it then.
fn point(state: &mut AppState, segment: Option<u32>) -> (Vec<Effect>, Option<u32>) {
    let at = segment.and_then(|row| state.shown.as_ref().unwrap().scene.screen_of(SegmentId(row), MAP));
    let effects = state.update(Command::Point { at, window_pixels: [0.0; 2] });
    (effects, state.shown.as_ref().unwrap().scene.hovered.map(|found| found.0))
}

/// The one audition among effects.
fn audition(effects: &[Effect]) -> Option<(u64, SegmentSpan)> {
    let mut asked = effects.iter().filter_map(|effect| match effect {
        Effect::Audition { serial, span, .. } => Some((*serial, *span)),
        _ => None,
    });
    let first = asked.next();
    assert!(asked.next().is_none(), "two at once: {effects:?}");
    first
}

fn is_stopped(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::StopAudio))
}

fn span_of(row: u32) -> SegmentSpan {
    SegmentSpan { start_secs: f64::from(row % SEGMENTS as u32) * SECS, duration_secs: SECS }
}

#[test]
fn on_hover_pointing_plays_on_click_a_click_does_and_off_keys_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path(), Listen::OnHover);
    let (effects, hovered) = point(&mut state, Some(7));
    let hovered = hovered.unwrap();
    let (serial, span) = audition(&effects).unwrap();
    assert_eq!(span, span_of(hovered));
    let near = effects.iter().find_map(|effect| if let Effect::Prefetch(near) = effect { Some(near) } else { None }).unwrap();
    assert!((4..=22).contains(&near.len()) && near.iter().all(|(_, other)| other.duration_secs == SECS), "{near:?}");
    state.audition_started(serial, 1.0);
    assert_eq!(state.sounding_segment(), Some(SegmentId(hovered)));
    assert!(is_stopped(&point(&mut state, None).0), "what the pointer let sound ends when it leaves");

    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path(), Listen::OnClick);
    let (effects, hovered) = point(&mut state, Some(200));
    assert!(audition(&effects).is_none() && matches!(effects[..], [Effect::Log(Event::Hover { .. })]), "{effects:?}");
    let (serial, span) = audition(&state.update(Command::Play)).unwrap();
    assert_eq!(span, span_of(hovered.unwrap()));
    state.audition_started(serial, 1.0);
    let left = point(&mut state, None).0;
    assert!(!is_stopped(&left) && state.is_sounding(), "what was clicked on sounds on: {left:?}");
    assert!(is_stopped(&state.update(Command::PlayOrStop)) && !state.is_sounding());

    state.update(Command::SetListen(Listen::Off));
    let (effects, hovered) = point(&mut state, Some(300));
    assert!(audition(&effects).is_none(), "{effects:?}");
    assert_eq!(audition(&state.update(Command::PlayOrStop)).unwrap().1, span_of(hovered.unwrap()));
    assert!(is_stopped(&state.update(Command::SetListen(Listen::Off))));
}

#[test]
fn left_and_right_go_along_the_track_and_stay_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path(), Listen::OnClick);
    let first = point(&mut state, Some(SEGMENTS as u32 + 1)).1.unwrap();
    let track = first / SEGMENTS as u32;
    audition(&state.update(Command::StepSegment(1))).unwrap();
    for (steps, row) in [(1, first + 1), (-1, first), (-500, track * SEGMENTS as u32), (1000, (track + 1) * SEGMENTS as u32 - 1)] {
        let (serial, span) = audition(&state.update(Command::StepSegment(steps))).unwrap();
        assert_eq!(span, span_of(row), "{steps} steps");
        state.audition_started(serial, 1.0);
        assert_eq!(state.sounding_segment(), Some(SegmentId(row)));
        state.audition_finished(serial);
        assert_eq!(state.sounding_segment(), None);
    }
    // Space plays the last one once more, as nothing is under the pointer.
    point(&mut state, None);
    assert_eq!(audition(&state.update(Command::PlayOrStop)).unwrap().1, span_of((track + 1) * SEGMENTS as u32 - 1));
}

#[test]
fn going_on_the_playhead_runs_from_segment_to_segment_and_long_tracks_in_stretches() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path(), Listen::OnClick);
    assert!(matches!(state.update(Command::SetCourse(Course::Onward))[..], [Effect::SetLooping(false)]));
    let first = point(&mut state, Some(3)).1.unwrap();
    let start = span_of(first).start_secs;
    let (serial, span) = audition(&state.update(Command::Play)).unwrap();
    assert_eq!(span.start_secs, start);
    let length = SEGMENTS as f64 * SECS;
    assert!((span.duration_secs - 300.0_f64.min(length - start)).abs() < 1e-9, "{span:?}");
    state.audition_started(serial, 1.0);
    let mut told = Vec::new();
    for tenth in 0..100 {
        for effect in state.follow_playhead(serial, f64::from(tenth) * 0.1) {
            if let Effect::Log(Event::Playhead { segment, .. }) = effect {
                told.push(segment);
            }
        }
    }
    assert_eq!(told, [first + 1, first + 2, first + 3]);
    assert_eq!(state.sounding_segment(), Some(SegmentId(first + 3)));
    assert!(state.follow_playhead(serial + 1, 0.0).is_empty(), "another audition's playhead");

    // A click in the bar goes there; what is left of the track is asked for.
    let (serial, span) = audition(&state.update(Command::Seek(100.0))).unwrap();
    assert!((span.start_secs - 100.0).abs() < 1e-9 && (span.start_secs + span.duration_secs - length).abs() < 1e-6, "{span:?}");
    state.audition_started(serial, 1.0);
    assert_eq!(state.sounding_segment(), Some(SegmentId(first - first % SEGMENTS as u32 + 33)));
    assert!(audition(&state.audition_finished(serial)).is_none(), "the track is over");

    // From its very start a track of 359 s takes two stretches.
    let (serial, span) = audition(&state.update(Command::Seek(0.0))).unwrap();
    assert_eq!((span.start_secs, span.duration_secs), (0.0, 300.0));
    state.audition_started(serial, 1.0);
    let (_, rest) = audition(&state.audition_finished(serial)).unwrap();
    assert!((rest.start_secs - 300.0).abs() < 1e-9 && (rest.duration_secs - (length - 300.0)).abs() < 1e-6, "{rest:?}");
}

#[test]
fn a_change_of_course_takes_what_sounds_along() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path(), Listen::OnClick);
    let row = point(&mut state, Some(10)).1.unwrap();
    let (serial, _) = audition(&state.update(Command::Play)).unwrap();
    state.audition_started(serial, 1.0);
    state.follow_playhead(serial, 1.5);
    let effects = state.update(Command::SetCourse(Course::Onward));
    let (serial, span) = audition(&effects).unwrap();
    assert!((span.start_secs - span_of(row).start_secs - 1.5).abs() < 1e-9, "{span:?}");
    state.audition_started(serial, 1.0);
    state.follow_playhead(serial, 4.0);
    let effects = state.update(Command::SetCourse(Course::Loop));
    assert!(matches!(effects[0], Effect::SetLooping(true)));
    assert_eq!(audition(&effects).unwrap().1, span_of(row + 1), "the segment that the playhead was in");
    assert!(state.update(Command::SetCourse(Course::Loop)).is_empty());
    // Mute is silence, whatever the volume.
    assert!(matches!(state.update(Command::SetMuted(true))[..], [Effect::SetVolume(0.0)]));
    assert!(matches!(state.update(Command::SetVolume(0.7))[..], [Effect::SetVolume(0.0)]));
    assert!(matches!(state.update(Command::SetMuted(false))[..], [Effect::SetVolume(0.7)]));
}

#[test]
fn missing_files_are_told_once_and_found_again_in_another_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path(), Listen::OnHover);
    let fail = |state: &mut AppState, row| {
        let (effects, _) = point(state, Some(row));
        let told = audition(&effects).map(|(serial, _)| state.audition_failed(serial, "cannot read x".into()).len());
        point(state, None);
        told
    };
    assert_eq!(fail(&mut state, 1), Some(1));
    let notice = state.notices.newest().unwrap().to_owned();
    assert!(notice.contains("none of this collection's audio files") && notice.contains("LISTEN"), "{notice}");
    assert_eq!(fail(&mut state, 140), None, "nothing more is asked for where nothing is");
    assert!(state.listen_view().missing_in.is_some());

    let moved = folder.path().join("moved");
    for text in ["", "/no/such/folder", folder.path().to_str().unwrap()] {
        let effects = state.update(Command::SetAudioRoot(text.into()));
        assert!(matches!(effects[..], [Effect::Log(Event::Notice { .. })]), "{text}: {effects:?}");
    }
    let first = state.collection.tracks()[0].path.clone();
    std::fs::create_dir_all(moved.join(&first).parent().unwrap()).unwrap();
    std::fs::write(moved.join(&first), "not music").unwrap();
    let effects = state.update(Command::SetAudioRoot(format!(" {} ", moved.display())));
    let [Effect::KeepAudioRoot(root)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((root, state.notices.newest(), state.listen_view().missing_in), (&moved.canonicalize().unwrap(), None, None));
    // A file that is there and cannot be played: told once for its track, another's that is missing once for all.
    assert_eq!((fail(&mut state, 1), fail(&mut state, 2)), (Some(1), Some(0)));
    assert_eq!((fail(&mut state, 140), fail(&mut state, 270)), (Some(1), Some(0)));
    let notice = state.notices.newest().unwrap().to_owned();
    assert!(notice.contains(".ogg is missing") && notice.contains("LISTEN"), "{notice}");

    // The collection remembers.
    set_audio_root(state.collection.path(), root).unwrap();
    assert_eq!(Collection::open(state.collection.path()).unwrap().audio_root(), *root);
}

#[test]
fn a_collection_made_elsewhere_without_audio_is_told_of_once_and_everything_else_works() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), TRACKS, SEGMENTS);
    made_elsewhere(&path);
    let choices = Choices { listen: Listen::OnHover, ..Choices::of("msd-musicnn-embeddings".parse().unwrap()) };
    let (mut state, effects) = AppState::open(Collection::open(&path).unwrap(), choices, None, Compute::Cpu).unwrap();
    settle(&mut state, effects).unwrap();
    state.set_map_size(MAP);
    assert_eq!(state.audio_root, path, "where a folder is not named, its own");
    let (effects, _) = point(&mut state, Some(1));
    let (serial, _) = audition(&effects).unwrap();
    let effects = state.audition_failed(serial, "cannot play 'x'".into());
    assert!(
        matches!(&effects[..], [Effect::Log(Event::Notice { text })] if text.contains("none of this collection's audio files")),
        "{effects:?}"
    );
    let view = state.listen_view();
    assert_eq!((view.has_none, view.missing_in), (true, path.to_str()));
    for row in (5..400).step_by(37) {
        let (effects, hovered) = point(&mut state, Some(row));
        assert!(matches!(effects[..], [Effect::Log(Event::Hover { .. })]), "nothing is asked of the player, for now or ahead: {effects:?}");
        assert!(hovered.is_some() && state.track_view().unwrap().tags.len() > 3);
    }
    for command in [Command::Play, Command::PlayOrStop, Command::SetCourse(Course::Onward), Command::StepSegment(1), Command::Seek(3.0)] {
        assert!(audition(&state.update(command.clone())).is_none(), "{command:?}");
    }
    assert!(state.update(Command::SetListen(Listen::OnClick)).is_empty() && state.update(Command::Play).is_empty());
    // The music may be put where the paths say, or its folder named.
    let first = path.join(&state.collection.tracks()[0].path);
    std::fs::create_dir_all(first.parent().unwrap()).unwrap();
    std::fs::write(&first, "music").unwrap();
    assert!(matches!(&state.update(Command::SetAudioRoot(path.display().to_string()))[..], [Effect::KeepAudioRoot(_)]));
    assert!(audition(&state.update(Command::Play)).is_some() && !state.listen_view().has_none);
}
