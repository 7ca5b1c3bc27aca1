//! `tagscape bench audio`: what it prints, of which inputs, and what it refuses.

use serde_json::Value;

use crate::common::program::{demo_audio, program};

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
        assert!(found["underruns"].is_u64() && found["swept"].as_u64().unwrap() >= 200, "{found}");
        let [heard, music] = ["largest_step", "music_step"].map(|name| found[name].as_f64().unwrap());
        // It was heard, and what was heard is made of what was decoded: cross-faded, at most two in step.
        assert!(heard > 0.0 && heard <= 2.0 * music, "{found}");
    }
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
