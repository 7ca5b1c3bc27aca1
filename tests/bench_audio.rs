//! `tagscape bench audio`: what it prints, of which inputs, and what it refuses.

use serde_json::Value;
use tagscape::store::NOTES_FILE;

use crate::common::collection::{made_elsewhere, wandering};
use crate::common::program::{checkout, demo_audio, extract, program};

fn bench(arguments: &[&str]) -> (Option<i32>, String, String) {
    let done = program().args(["bench", "audio"]).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.code(), text(&done.stdout), text(&done.stderr))
}

#[test]
fn it_prints_latencies_underruns_and_steps_of_the_demo_and_of_files() {
    let file = demo_audio().remove(0);
    for inputs in [&[][..], &[file.to_str().unwrap()]] {
        let (code, out, errors) = bench(&[&["--output", "null", "--seconds", "1", "--json"], inputs].concat());
        assert_eq!((code, errors.as_str()), (Some(0), ""));
        let found: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((&found["sample_rate_hz"], &found["buffer_frames"]), (&48_000.into(), &256.into()));
        assert!(found["output"].as_str().unwrap().contains("silent"), "{found}");
        for kind in ["cached_ms", "cold_ms"] {
            let share = |name: &str| found[kind][name].as_f64().unwrap();
            assert!(share("p50") > 0.0 && share("p50") <= share("p95") && share("p95") <= share("max") && share("count") >= 1.0, "{found}");
        }
        // Of memory and threads as well, where the system says: decoding, supervisor and output are threads beside the program's own.
        assert_eq!(found["threads"].as_u64().is_some_and(|count| count >= 5), cfg!(target_os = "linux"), "{found}");
        assert!(!cfg!(target_os = "linux") || found["peak_rss_bytes"].as_u64() > Some(1 << 20), "{found}");
        assert!(found["underruns"].is_u64() && found["swept"].as_u64().unwrap() >= 200, "{found}");
        let [heard, music] = ["largest_step", "music_step"].map(|name| found[name].as_f64().unwrap());
        // It was heard, and what was heard is made of what was decoded: cross-faded, at most two in step.
        assert!(heard > 0.0 && heard <= 2.0 * music, "{found}");
    }
}

#[test]
fn a_collections_notes_are_used_and_nothing_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let (music, collection, user) = (folder.path().join("music"), folder.path().join("c.tagscape"), folder.path().join("user"));
    std::fs::create_dir(&music).unwrap();
    std::fs::copy(checkout().join("tests/fixtures/audio/nebula.flac"), music.join("a.flac")).unwrap();
    assert_eq!(extract(&["--models", "mtt-vgg"], &music, &collection).status.code(), Some(0));
    let notes = collection.join(NOTES_FILE);
    let step_with = |lufs: f64| {
        rusqlite::Connection::open(&notes).unwrap().execute("UPDATE notes SET loudness_lufs = ?1, peak = 0.01", [lufs]).unwrap();
        let before = std::fs::read(&notes).unwrap();
        let mut command = program();
        command.args(["bench", "audio", "--output", "null", "--seconds", "1", "--json"]).arg(&collection).env("TAGSCAPE_USER_DATA", &user);
        let done = command.output().unwrap();
        assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
        assert!(std::fs::read(&notes).unwrap() == before && !user.join(NOTES_FILE).exists());
        let found: Value = serde_json::from_slice(&done.stdout).unwrap();
        found["music_step"].as_f64().unwrap()
    };
    // Turned down to a tenth, and up fourfold, of stretches that are not all alike.
    let (quiet, loud) = (step_with(2.0), step_with(-40.0));
    assert!(loud > 4.0 * quiet, "{loud}, {quiet}");
}

#[test]
fn what_cannot_be_heard_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, errors) = bench(&["--output", "null", "--seconds", "1", folder.path().to_str().unwrap()]);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{errors}");
    let text = folder.path().join("a.mp3");
    std::fs::write(&text, "no music").unwrap();
    let (code, out, errors) = bench(&["--output", "null", "--seconds", "1", text.to_str().unwrap()]);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{errors}");
    assert!(errors.contains("a.mp3"), "{errors}");
}

#[test]
fn a_collection_without_audio_has_nothing_to_listen_to_and_is_drawn_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 6, 5);
    made_elsewhere(&path);
    let name = path.to_str().unwrap();
    let (code, out, errors) = bench(&["--output", "null", "--seconds", "1", name]);
    assert_eq!((code, out.as_str(), errors.lines().count()), (Some(2), "", 1), "{errors}");
    assert!(errors.contains(&format!("{name}: none of its 6 audio files is in {name}")), "{errors}");
    let picture = folder.path().join("map.png");
    let drawn = program().args(["render", name, "--size", "320x240", "--out", picture.to_str().unwrap()]).output().unwrap();
    assert!(drawn.status.success() && picture.exists(), "{}", String::from_utf8_lossy(&drawn.stderr));
    // Together with music, it is named, and the music measured.
    let music = demo_audio().remove(0);
    let (code, out, errors) = bench(&["--output", "null", "--seconds", "1", "--json", name, music.to_str().unwrap()]);
    assert!(code == Some(0) && serde_json::from_str::<Value>(&out).is_ok() && errors.lines().count() == 1, "{errors}");
}
