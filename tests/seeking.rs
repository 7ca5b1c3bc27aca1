//! What plays is the stretch that the network heard: in every format a stretch that was sought has the samples of the whole track, decoded from its
//! start and resampled, in the same places.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tagscape::audio::{SeekIndex, StereoStream, decode_file};
use tagscape::catalog::SegmentSpan;
use tagscape::player::{FileSource, SegmentSource};
use tagscape::seed::SplitMix64;

use crate::audio_formats::{CASES, Case, has_ffmpeg, made};

const STRETCHES: usize = 50;
const STRETCH_SECS: f64 = 0.6;
/// By how much a sample of Opus may differ, of the transform coder and of the voice coder, whose memory dies away and never ends. Its place may not.
const OPUS_DIFFERENCE: [f32; 2] = [2e-3, 3e-2];

fn all(path: &Path, index: Option<&Arc<SeekIndex>>, start_secs: f64, rate_hz: u32, limit: usize) -> Vec<[f32; 2]> {
    let mut stream = StereoStream::open(path, index, start_secs, rate_hz).unwrap();
    let mut frames = Vec::new();
    while frames.len() < limit && stream.next_chunk(path, &mut frames).unwrap() {}
    frames.truncate(limit);
    frames
}

fn largest_difference(a: &[[f32; 2]], b: &[[f32; 2]]) -> f32 {
    a.iter().zip(b).flat_map(|(a, b)| [(a[0] - b[0]).abs(), (a[1] - b[1]).abs()]).fold(0.0, f32::max)
}

/// Whether a file of that name has an index: uncompressed audio needs none.
fn is_indexed(name: &str) -> bool {
    ![".wav", ".aiff", ".aifc", "16.caf", "32.caf", "pcm."].iter().any(|part| name.contains(part))
}

/// Compares stretches with the whole; what is wrong, in words.
pub fn judge(path: &Path, name: &str, rate_hz: u32, is_indexed: bool, stretches: usize) -> Result<(), String> {
    // By way of the bytes that are kept of it.
    let index = SeekIndex::scan(path).map_err(|error| error.to_string())?;
    let index = index
        .map(|index| Arc::new(index.to_bytes().and_then(|bytes| SeekIndex::from_bytes(&bytes, path)).expect("an index that comes back")));
    if index.is_some() != is_indexed {
        return Err(format!("an index is {}there", if is_indexed { "not " } else { "" }));
    }
    let whole = all(path, None, 0.0, rate_hz, usize::MAX);
    let secs = decode_file(path).unwrap().pcm.duration_secs();
    let frames = (secs * f64::from(rate_hz)).ceil();
    if (whole.len() as f64 - frames).abs() > 1.0 {
        return Err(format!("{} frames and not {frames}", whole.len()));
    }
    // ffmpeg's table in a caf counts the last packet as long as the others.
    let slack = if name == "alac.caf" { 0.1 } else { 1e-9 };
    if index.as_ref().is_some_and(|index| (index.duration_secs() - secs).abs() > slack) {
        return Err("the index says another length".to_owned());
    }
    let wanted_frames = (STRETCH_SECS * f64::from(rate_hz)) as usize;
    let mut random = SplitMix64::new(5);
    for number in 0..stretches {
        let start_secs = if number == 0 { 0.0 } else { f64::from(random.next_f32()) * secs };
        let first = (start_secs * f64::from(rate_hz)).round() as usize;
        let wanted = &whole[first.min(whole.len())..(first + wanted_frames).min(whole.len())];
        // Without an index now and then: it comes to the same.
        let index = index.as_ref().filter(|_| number % 10 != 9);
        let found = all(path, index, start_secs, rate_hz, wanted_frames);
        if found.len() != wanted.len() {
            return Err(format!("{} of {} frames at {start_secs} s", found.len(), wanted.len()));
        }
        let difference = largest_difference(&found, wanted);
        let allowed = match name {
            "speech.opus" => OPUS_DIFFERENCE[1],
            _ if name.contains("op") => OPUS_DIFFERENCE[0],
            _ => 0.0,
        };
        if difference > allowed {
            let at = found.iter().zip(wanted).position(|(a, b)| a != b);
            return Err(format!("differs by {difference} at {start_secs} s, from frame {at:?} on"));
        }
    }
    Ok(())
}

fn judge_all(is_mine: impl Fn(&Case) -> bool, rate_hz: u32) {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for case in CASES.iter().filter(|case| is_mine(case)) {
        let (path, _) = made(folder.path(), case.name);
        if let Err(reason) = judge(&path, case.name, rate_hz, is_indexed(case.name), STRETCHES) {
            wrong.push(format!("{}: {reason}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_in_ogg_or_matroska(case: &Case) -> bool {
    [".ogg", ".oga", ".opus", ".mka", ".webm"].iter().any(|ending| case.name.ends_with(ending))
}

#[test]
fn stretches_of_ogg_and_matroska_are_those_of_the_whole_to_the_sample() {
    judge_all(is_in_ogg_or_matroska, 48_000);
}

#[test]
fn stretches_of_all_other_formats_are_those_of_the_whole_to_the_sample() {
    judge_all(|case| !is_in_ogg_or_matroska(case), 44_100);
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio").join(name)
}

#[test]
fn stretches_of_the_fixtures_are_those_of_the_whole_to_the_sample_at_any_rate_of_the_output() {
    for name in ["low.mp3", "vbr.mp3", "nebula.mp3", "nebula.ogg", "nebula.flac", "nebula.aiff"] {
        for rate_hz in [44_100, 48_000] {
            judge(&fixture(name), name, rate_hz, is_indexed(name), STRETCHES)
                .unwrap_or_else(|reason| panic!("{name} at {rate_hz} Hz: {reason}"));
        }
    }
}

#[test]
fn at_the_files_own_rate_what_sounds_is_what_was_decoded() {
    let path = fixture("vbr.mp3");
    let pcm = decode_file(&path).unwrap().pcm;
    assert_eq!(pcm.channels, 1);
    let found = all(&path, None, 0.0, pcm.sample_rate_hz, usize::MAX);
    assert!(found.iter().map(|frame| frame[0]).eq(pcm.samples.iter().copied()));
    assert!(found.iter().all(|frame| frame[0] == frame[1]), "one channel sounds on both sides");
}

#[test]
fn a_segment_begins_to_sound_before_it_is_decoded_and_is_then_whole() {
    let path = fixture("vbr.mp3");
    let span = SegmentSpan { start_secs: 1.0, duration_secs: 2.992 };
    let source = FileSource::default();
    let mut ready = None;
    let audio = source.stream(&path, span, 48_000, &mut |audio| ready = Some(audio.progress()), &|| true).unwrap().unwrap();
    let (frames, more_comes) = ready.unwrap();
    assert!((2048..20_000).contains(&frames) && more_comes, "{frames}");
    assert_eq!(audio.frames(), all(&path, None, 1.0, 48_000, 143_616));
    assert!(source.stream(&path, span, 48_000, &mut |_| {}, &|| false).unwrap().is_none(), "given up");
}

#[test]
fn a_file_that_has_changed_is_indexed_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mp3");
    std::fs::copy(fixture("vbr.mp3"), &path).unwrap();
    let index = Arc::new(SeekIndex::scan(&path).unwrap().unwrap());
    assert!(index.is_of(&path));
    let span = SegmentSpan { start_secs: 1.0, duration_secs: 0.5 };
    let source = FileSource::default();
    let before = source.load(&path, span, 48_000).unwrap().frames();
    std::fs::copy(fixture("low.mp3"), &path).unwrap();
    assert!(!index.is_of(&path));
    let after = source.load(&path, span, 48_000).unwrap().frames();
    assert_ne!(before, after);
    assert_eq!(after, all(&path, Some(&index), 1.0, 48_000, 24_000), "an index of another file is not used");
    assert_eq!(after, all(&fixture("low.mp3"), None, 1.0, 48_000, 24_000));
}
