//! Decoding: every format's time line, stretches that are exact to the sample, and files that lie.

use std::path::{Path, PathBuf};

use tagscape::audio::{AudioErrorKind, AudioRemark, MonoStream, decode_file, decode_mono_at, decode_span, to_mono_at};
use tagscape::catalog::SegmentSpan;

use crate::common::counting_alloc::peak_bytes;

const FORMATS: [&str; 6] = ["nebula.ogg", "nebula.mp3", "low.mp3", "vbr.mp3", "nebula.flac", "nebula.aiff"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio").join(name)
}

/// A 16-bit WAV of a rising tone, stereo at 11,025 Hz, whose data chunk says that it is `said` bytes long.
fn wav(frames: u32, said: u32) -> Vec<u8> {
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + said).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    bytes.extend(11_025_u32.to_le_bytes());
    bytes.extend((11_025_u32 * 4).to_le_bytes());
    bytes.extend(b"\x04\0\x10\0data");
    bytes.extend(said.to_le_bytes());
    for frame in 0..frames {
        let time = f64::from(frame) / 11_025.0;
        let value = ((200.0 + 90.0 * time) * time * std::f64::consts::TAU).sin() * 20_000.0;
        bytes.extend((value as i16).to_le_bytes());
        bytes.extend((-(value as i16) / 2).to_le_bytes());
    }
    bytes
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn failure(path: &Path) -> AudioErrorKind {
    match decode_file(path) {
        Ok(track) => panic!("{} decoded to {:.3} s", path.display(), track.pcm.duration_secs()),
        Err(error) => {
            assert_eq!(error.path, path);
            assert!(!error.to_string().contains('\n'), "{error}");
            error.kind
        }
    }
}

#[test]
fn every_format_has_its_length_and_its_tags() {
    for (name, secs, channels, rate_hz) in
        [("nebula.ogg", 9.0, 2, 44_100), ("nebula.mp3", 9.0, 2, 44_100), ("nebula.flac", 4.0, 1, 16_000), ("nebula.aiff", 2.0, 2, 8_000)]
    {
        let track = decode_file(&fixture(name)).unwrap();
        assert_eq!((track.pcm.channels, track.pcm.sample_rate_hz), (channels, rate_hz), "{name}");
        assert!((track.pcm.duration_secs() - secs).abs() < 1e-9, "{name}: {} s", track.pcm.duration_secs());
        assert!(
            track.pcm.samples.iter().any(|sample| sample.abs() > 0.01) && track.pcm.samples.iter().all(|sample| sample.abs() < 1.5),
            "{name}"
        );
    }
    let tags = decode_file(&fixture("nebula.ogg")).unwrap().metadata;
    assert_eq!((tags.title.as_deref(), tags.artist.as_deref()), (Some("Nebula"), Some("Max McCracken")));
    assert_eq!((tags.album.as_deref(), tags.genre.as_deref(), tags.year), (Some("Endgame: Singularity"), Some("Ambient"), Some(2012)));
    assert_eq!(decode_file(&fixture("nebula.mp3")).unwrap().metadata.title.as_deref(), Some("Nebula"));
    assert_eq!(decode_file(&fixture("vbr.mp3")).unwrap().metadata.title.as_deref(), Some("No info frame"), "ID3v1 stands behind the audio");
}

#[test]
fn the_mp3_and_the_ogg_lie_on_the_same_time_line() {
    // Both are made of the same samples: the lag with the largest correlation has to be 0, which it is not where the encoder's delay of
    // 1105 frames is still there.
    let (mp3, ogg) = (
        to_mono_at(&decode_file(&fixture("nebula.mp3")).unwrap().pcm, 44_100),
        to_mono_at(&decode_file(&fixture("nebula.ogg")).unwrap().pcm, 44_100),
    );
    let (mp3, ogg) = (mp3.unwrap(), ogg.unwrap());
    let correlation = |lag: i64| -> f64 {
        (100_000..200_000_i64).map(|frame| f64::from(mp3[(frame + lag) as usize]) * f64::from(ogg[frame as usize])).sum()
    };
    let best = (-1200..=1200).max_by(|&a, &b| correlation(a).total_cmp(&correlation(b)));
    assert_eq!(best, Some(0));
}

#[test]
fn an_mp3_without_an_info_frame_is_whole_although_its_length_can_only_be_guessed() {
    // LAME puts 1105 frames of delay before and pads to whole MPEG frames of 1152; without an info frame nobody can know, and all is audio.
    for (name, rate_hz, mpeg_frame) in [("vbr.mp3", 44_100.0, 1152), ("low.mp3", 22_050.0, 576)] {
        let pcm = decode_file(&fixture(name)).unwrap().pcm;
        assert_eq!(pcm.frames() % mpeg_frame, 0, "{name}");
        assert!(pcm.frames() as f64 >= 9.0 * rate_hz && (pcm.frames() as f64) < 9.0 * rate_hz + 4.0 * 1152.0, "{name}: {}", pcm.frames());
    }
}

#[test]
fn a_stretch_is_the_same_samples_as_in_the_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut paths: Vec<_> = FORMATS.iter().map(|name| fixture(name)).collect();
    paths.push(write(folder.path(), "tone.wav", &wav(50_000, 200_000)));
    for path in paths {
        let whole = decode_file(&path).unwrap().pcm;
        let rate = f64::from(whole.sample_rate_hz);
        let duration = whole.duration_secs();
        let starts = [0.0, 0.001, 0.02, 0.3, 0.497, 1.0, duration / 2.0, duration * 0.8, duration - 0.3, duration - 0.01];
        for (start_secs, duration_secs) in starts.into_iter().flat_map(|start| [(start, 0.25), (start, 2.992)]) {
            let span = SegmentSpan { start_secs, duration_secs };
            let found = decode_span(&path, span).unwrap();
            let first = (start_secs * rate).round() as usize;
            let end = (((start_secs + duration_secs) * rate).round() as usize).min(whole.frames());
            assert_eq!(
                (found.channels, found.sample_rate_hz, found.frames()),
                (whole.channels, whole.sample_rate_hz, end - first),
                "{span:?} of {path:?}"
            );
            assert!(found.samples == whole.samples[first * whole.channels..end * whole.channels], "{span:?} of {path:?} differs");
        }
    }
}

#[test]
fn a_stretch_behind_the_end_is_an_error_and_a_nonsensical_one_does_no_harm() {
    for name in FORMATS {
        let far = decode_span(&fixture(name), SegmentSpan { start_secs: 1e4, duration_secs: 1.0 });
        assert!(matches!(far.unwrap_err().kind, AudioErrorKind::NoSuchSpan { .. }), "{name}");
        for (start_secs, duration_secs) in
            [(f64::NAN, 1.0), (0.0, f64::NAN), (-5.0, 1.0), (f64::INFINITY, 1.0), (1.0, -1.0), (1e300, 1e300)]
        {
            let _ = decode_span(&fixture(name), SegmentSpan { start_secs, duration_secs });
        }
    }
}

#[test]
fn mono_in_one_go_is_mono_of_the_whole() {
    for name in FORMATS {
        let whole = decode_file(&fixture(name)).unwrap();
        let mono = decode_mono_at(&fixture(name), 16_000).unwrap();
        assert_eq!(mono.samples, to_mono_at(&whole.pcm, 16_000).unwrap(), "{name}");
        assert_eq!((mono.duration_secs, mono.metadata), (whole.pcm.duration_secs(), whole.metadata), "{name}");
    }
}

#[test]
fn a_long_track_goes_through_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    // Ten minutes of silence that take no room on most disks, and a tone before them: 26 MB, 38 MB at 16 kHz.
    let frames = 11_025 * 600;
    let path = write(folder.path(), "long.wav", &wav(50_000, frames * 4));
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(44 + u64::from(frames) * 4).unwrap();
    let ((samples, secs), peak) = peak_bytes(|| {
        let mut stream = MonoStream::open(&path, 16_000).unwrap();
        let (mut chunk, mut samples) = (Vec::new(), 0);
        while stream.next_chunk(&mut chunk).unwrap() {
            assert!(!chunk.is_empty() && chunk.len() < 40_000);
            samples += chunk.len();
        }
        assert!(!stream.next_chunk(&mut chunk).unwrap() && chunk.is_empty());
        (samples, stream.duration_secs())
    });
    assert_eq!((samples, secs), (16_000 * 600, 600.0));
    // The readers' and the resampler's own buffers, whatever the length.
    assert!(peak < 4_000_000, "{peak} bytes");
}

#[test]
fn a_stream_in_chunks_remarks_at_its_end_on_what_is_cut_off_and_stays_failed_where_it_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "short.wav", &wav(50_000, 400_000));
    let mut stream = MonoStream::open(&path, 16_000).unwrap();
    let mut chunk = Vec::new();
    while stream.next_chunk(&mut chunk).unwrap() {}
    assert!(
        matches!(stream.remarks(), [AudioRemark::CutOff { promised_secs: Some(secs), .. }] if (secs - 100_000.0 / 11_025.0).abs() < 1e-3)
    );
    assert!(stream.loudness().is_none() && (stream.duration_secs() - 50_000.0 / 11_025.0).abs() < 1e-9);
    let mut damaged = std::fs::read(fixture("nebula.flac")).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0x5a);
    let mut stream = MonoStream::open(&write(folder.path(), "damaged.flac", &damaged), 16_000).unwrap();
    let error = loop {
        match stream.next_chunk(&mut chunk) {
            Ok(more) => assert!(more, "the end of a file that is damaged"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error.kind, AudioErrorKind::Damaged { .. }), "{error}");
    assert!(stream.next_chunk(&mut chunk).is_err() && chunk.is_empty());
}

#[test]
fn what_is_no_audio_says_so() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(failure(&write(folder.path(), "empty.flac", b"")), AudioErrorKind::Empty));
    let text = "These are the lyrics of a song that was never recorded.\n".repeat(50);
    assert!(matches!(failure(&write(folder.path(), "text.mp3", text.as_bytes())), AudioErrorKind::NotAudio));
    assert!(matches!(failure(folder.path()), AudioErrorKind::NotAFile(_)));
    assert!(matches!(failure(&folder.path().join("nowhere.wav")), AudioErrorKind::Io(_)));
}

#[test]
fn a_stream_that_is_cut_off_anywhere_keeps_what_is_there_with_a_remark() {
    let folder = tempfile::tempdir().unwrap();
    for name in FORMATS {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let whole = decode_file(&fixture(name)).unwrap().pcm;
        for cut in [bytes.len() / 10, bytes.len() / 2, bytes.len() * 9 / 10, bytes.len() - 700] {
            // Without an info frame, a cut exactly between two frames cannot be seen; these are inside of one.
            let path = write(folder.path(), name, &bytes[..cut]);
            let track = match decode_file(&path) {
                Ok(track) => track,
                // The first page of sound is not whole.
                Err(error) if name == "nebula.ogg" && cut < bytes.len() / 5 && matches!(error.kind, AudioErrorKind::CutOff { .. }) => {
                    continue;
                }
                Err(error) => panic!("{name} at {cut}: {error}"),
            };
            let remarks = &track.remarks;
            assert!(matches!(remarks[..], [AudioRemark::CutOff { .. } | AudioRemark::NoEndMark { .. }]), "{name} at {cut}: {remarks:?}");
            assert!(whole.samples.starts_with(&track.pcm.samples), "{name} at {cut}: not what is there");
            // A page of an ogg holds a second and more.
            let share = track.pcm.frames() as f64 / whole.frames() as f64;
            assert!(
                (cut as f64 / bytes.len() as f64 - share).abs() < if name == "nebula.ogg" { 0.6 } else { 0.15 },
                "{name} at {cut}: {share}"
            );
        }
        for cut in [1, 3, 4, 5, 20, 40] {
            failure(&write(folder.path(), name, &bytes[..cut]));
        }
    }
    assert!(matches!(failure(&write(folder.path(), "none.wav", &wav(0, 0))), AudioErrorKind::NoSamples | AudioErrorKind::CutOff { .. }));
}

#[test]
fn a_header_that_lies_about_the_length_is_remarked_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut flac = std::fs::read(fixture("nebula.flac")).unwrap();
    // STREAMINFO begins at byte 8; its total sample count's low 32 bits at 8 + 14.
    let total = u32::from_be_bytes([flac[22], flac[23], flac[24], flac[25]]);
    assert_eq!(total, 64_000);
    for lie in [total + 5_000, total - 5_000] {
        flac[22..26].copy_from_slice(&lie.to_be_bytes());
        let track = decode_file(&write(folder.path(), "lie.flac", &flac)).unwrap();
        assert_eq!((track.pcm.frames(), track.remarks.len()), (64_000, 1), "{lie}");
    }
    let mut mp3 = std::fs::read(fixture("nebula.mp3")).unwrap();
    let info = mp3.windows(4).position(|word| word == b"Info" || word == b"Xing").unwrap();
    let frames = u32::from_be_bytes([mp3[info + 8], mp3[info + 9], mp3[info + 10], mp3[info + 11]]);
    for lie in [frames * 2, frames / 2] {
        mp3[info + 8..info + 12].copy_from_slice(&lie.to_be_bytes());
        let track = decode_file(&write(folder.path(), "lie.mp3", &mp3)).unwrap();
        assert!(track.pcm.duration_secs() >= 9.0 && track.remarks.len() == 1, "{lie}: {:?}", track.remarks);
    }
}

#[test]
fn a_damaged_middle_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["nebula.flac", "nebula.ogg"] {
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 64].fill(0x5a);
        let error = failure(&write(folder.path(), name, &bytes));
        assert!(matches!(error, AudioErrorKind::Damaged { .. } | AudioErrorKind::CutOff { .. }), "{name}: {error:?}");
    }
}

#[test]
fn hostile_headers_neither_panic_nor_take_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    // Every byte of the first 120 set to its extremes, one at a time: rates, channel counts, sizes, block types.
    for name in FORMATS {
        let bytes = std::fs::read(fixture(name)).unwrap();
        for position in 0..120 {
            for value in [0x00, 0xff] {
                let mut hostile = bytes.clone();
                hostile[position] = value;
                let path = write(folder.path(), name, &hostile);
                if let Err(error) = decode_file(&path) {
                    assert!(!matches!(error.kind, AudioErrorKind::Decoder(_)), "byte {position} = {value:#x} of {name}: {error}");
                }
            }
        }
    }
}

#[test]
fn the_links_of_a_chained_ogg_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let link = std::fs::read(fixture("nebula.ogg")).unwrap();
    let path = write(folder.path(), "chained.ogg", &[link.clone(), link].concat());
    let (one, two) = (decode_file(&fixture("nebula.ogg")).unwrap().pcm, decode_file(&path).unwrap().pcm);
    assert_eq!(two.frames(), 2 * one.frames());
    assert!(two.samples[one.samples.len()..] == one.samples);
    let span = decode_span(&path, SegmentSpan { start_secs: 8.9, duration_secs: 3.0 }).unwrap();
    let first = (8.9_f64 * 44_100.0).round() as usize * 2;
    assert!(span.samples == two.samples[first..first + span.samples.len()] && span.frames() == 132_300);
}
