//! Files that other programs play and that a strict reader would refuse, or half of which it would drop: they are read whole, or as far as they are sound
//! with a remark; and what plays of them is what was decoded.

use std::path::Path;

use tagscape::audio::{AudioErrorKind, AudioRemark, DecodedTrack, decode_file};

use crate::audio_formats::{has_ffmpeg, made};
use crate::common::odd_audio::{
    ape, chunk, chunk_that_says, fixture, format_chunk, id3v1, id3v2, pages, riff, tone, with_count, without_end_mark, write,
};
use crate::seeking;

fn decoded(bytes: &[u8], name: &str) -> DecodedTrack {
    let folder = tempfile::tempdir().unwrap();
    decode_file(&write(folder.path(), name, bytes)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn error(bytes: &[u8], name: &str) -> AudioErrorKind {
    let folder = tempfile::tempdir().unwrap();
    match decode_file(&write(folder.path(), name, bytes)) {
        Ok(track) => panic!("{name}: {:.2} s", track.pcm.duration_secs()),
        Err(error) => error.kind,
    }
}

/// Holds a file against what is expected of it: frames, and remarks as a pattern of words.
fn assert_found(bytes: &[u8], name: &str, frames: usize, words: &str) -> DecodedTrack {
    let track = decoded(bytes, name);
    let remarks: Vec<_> = track.remarks.iter().map(ToString::to_string).collect();
    assert_eq!(track.pcm.frames(), frames, "{name}: {remarks:?}");
    assert_eq!(remarks.is_empty(), words.is_empty(), "{name}: {remarks:?}");
    assert!(remarks.join("; ").contains(words), "{name}: {remarks:?}");
    track
}

/// Frames, and samples of a channel in each, of an MP3 without an info frame.
fn mpeg_frames(mp3: &[u8]) -> usize {
    decoded(mp3, "whole.mp3").pcm.frames()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The nebula without its info frame: all that an encoder of a stream writes.
fn without_info_frame() -> Vec<u8> {
    let mp3 = fixture("nebula.mp3");
    let info = mp3.windows(4).position(|word| word == b"Info" || word == b"Xing").unwrap();
    let first = info - 36;
    assert_eq!(mp3[first], 0xff);
    let next =
        (first + 4..mp3.len()).find(|&at| mp3[at] == 0xff && mp3[at + 1] == mp3[first + 1] && mp3[at + 2] & 0xfc == mp3[first + 2] & 0xfc);
    mp3[next.unwrap()..].to_vec()
}

#[test]
fn joined_mp3s_are_read_to_their_end_whatever_stands_between() {
    let bare = without_info_frame();
    let frames = mpeg_frames(&bare);
    let whole = decoded(&bare, "whole.mp3").pcm;
    let tags = [
        id3v2(&[(b"TIT2", "Second")]),
        id3v1("First"),
        ape(true),
        ape(false),
        [id3v1("First"), id3v2(&[])].concat(),
        vec![0x55; 61],
        vec![],
    ];
    for between in tags {
        let joined = assert_found(&[&bare[..], &between, &bare].concat(), "joined.mp3", 2 * frames, "").pcm;
        let second = &joined.samples[whole.samples.len() + 9216..];
        // The first frames after the joint overlap with those before it.
        assert!(largest_difference(second, &whole.samples[9216..]) < 1e-4, "{between:?}");
    }
    // With info frames: the first one's counts do not speak for the second, and the second one is no audio.
    let with_info = fixture("nebula.mp3");
    let one = decoded(&with_info, "one.mp3").pcm.frames();
    let joined = [&with_info[..], &[0x55; 61], &with_info].concat();
    let track = assert_found(&joined, "joined.mp3", 2 * frames - 1105, "");
    assert!(2 * frames - 1105 > 2 * one, "nothing was cut off at the joint");
    assert!(track.pcm.samples[one * 2 + 40_000..].iter().any(|sample| sample.abs() > 0.01));
}

#[test]
fn an_mp3_that_changes_its_channels_or_its_rate_goes_on() {
    let (mono, stereo, low) = (fixture("vbr.mp3"), without_info_frame(), fixture("low.mp3"));
    let (of_mono, of_stereo, of_low) = (decoded(&mono, "a.mp3").pcm, decoded(&stereo, "b.mp3").pcm, decoded(&low, "c.mp3").pcm);
    assert_eq!((of_mono.channels, of_stereo.channels, of_low.channels), (1, 2, 1));
    assert_eq!((of_mono.sample_rate_hz, of_stereo.sample_rate_hz, of_low.sample_rate_hz), (44_100, 44_100, 22_050));
    let joined = [&mono[..], &stereo].concat();
    let track = assert_found(&joined, "m.mp3", of_mono.frames() + of_stereo.frames(), "").pcm;
    assert_eq!(track.channels, 2);
    let doubled: Vec<f32> = of_mono.samples.iter().flat_map(|&sample| [sample, sample]).collect();
    assert!(track.samples[..doubled.len()] == doubled, "one channel sounds on both sides");
    assert!(track.samples[doubled.len()..] == of_stereo.samples, "a part has a decoder of its own");
    let back = assert_found(&[&stereo[..], &mono].concat(), "s.mp3", of_mono.frames() + of_stereo.frames(), "").pcm;
    assert!(back.samples[..of_stereo.samples.len()] == of_stereo.samples && back.samples[of_stereo.samples.len()..] == doubled);
    // Another rate, and with it another version: twice as many frames.
    let slower = assert_found(&[&stereo[..], &low, &stereo].concat(), "r.mp3", 2 * of_stereo.frames() + 2 * of_low.frames(), "").pcm;
    assert_eq!((slower.channels, slower.sample_rate_hz), (2, 44_100));
    let from = of_stereo.samples.len() + 4 * of_low.samples.len();
    assert!(slower.samples[from..] == of_stereo.samples, "the third part lies where it has to");
    let middle: Vec<f32> = slower.samples[of_stereo.samples.len()..from].iter().step_by(4).copied().collect();
    let error = middle.iter().zip(&of_low.samples).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
    let power = of_low.samples.iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>();
    assert!(error < 0.01 * power, "{error} of {power}");
}

#[test]
fn what_an_mp3_declares_and_does_not_have_is_remarked_on_and_all_of_it_is_read() {
    let mp3 = fixture("nebula.mp3");
    let frames = mpeg_frames(&without_info_frame());
    for (count, words) in [(10, "of the 90"), (2, "of the 18")] {
        assert_found(&with_count(&mp3, |known| known * count), "more.mp3", frames - 1105, words);
    }
    let track = assert_found(&with_count(&mp3, |known| known / 2), "less.mp3", frames - 1105, "declares 4.5");
    assert!(matches!(track.remarks[..], [AudioRemark::RunsOn { .. }]));
    assert_found(&mp3, "right.mp3", 9 * 44_100, "");
    // Inside of a frame, which shows without a promise as well.
    let cut = without_info_frame();
    let track = assert_found(&cut[..cut.len() - 40], "cut.mp3", frames - 1152, "is cut off after");
    assert!(matches!(track.remarks[..], [AudioRemark::CutOff { promised_secs: None, .. }]));
}

#[test]
fn free_format_is_named_and_no_noise_is_made_of_it() {
    let frame = |padding: u8| {
        let mut frame = vec![0xff, 0xfb, padding << 1, 0x64];
        frame.extend((0..596 + u32::from(padding)).map(|n| (n * n % 251) as u8));
        frame
    };
    let bytes: Vec<u8> = (0..200).flat_map(|n| frame(n % 2)).collect();
    for bytes in [bytes.clone(), [id3v2(&[(b"TIT2", "Free")]), bytes].concat()] {
        let said = error(&bytes, "free.mp3").to_string();
        assert!(said.contains("free-format MP3"), "{said}");
    }
}

#[test]
fn a_wav_is_read_by_its_samples_and_not_by_the_sizes_around_them() {
    let (format, body) = (format_chunk(16_000, 1, false), tone(50_000, 16_000, 1));
    let whole = decoded(&riff(b"RIFF", 100_036, &[format.clone(), chunk(b"data", &body)]), "whole.wav").pcm;
    assert_eq!(whole.frames(), 50_000);
    let with = |riff_size: u32, data_size: u32| riff(b"RIFF", riff_size, &[format.clone(), chunk_that_says(b"data", data_size, &body)]);
    for (what, bytes) in [
        ("too small", with(100_028, 100_000)),
        ("too large", with(200_000, 100_000)),
        ("a pipe", with(u32::MAX, u32::MAX)),
        ("zeros", with(0, 0)),
        ("another pipe", with(0x7fff_ffff, 0x7fff_ffff - 36)),
    ] {
        assert!(assert_found(&bytes, "a.wav", 50_000, "").pcm.samples == whole.samples, "{what}");
    }
    assert_found(&with(100_036, 120_000), "cut.wav", 50_000, "after 3.12 s of the 3.75 s");
    assert_found(&with(100_036, 40_000), "on.wav", 50_000, "declares 1.25 s");
    for id in [b"RF64", b"BW64"] {
        for (size, frames, words) in
            [(100_000_u64, 50_000, ""), (0, 50_000, ""), (u64::MAX, 50_000, ""), (1 << 33, 50_000, "after 3.12 s of")]
        {
            let sizes = [[0; 8], size.to_le_bytes(), [0; 8]].concat();
            let long = chunk(b"ds64", &[&sizes[..], &[0; 4]].concat());
            let bytes = riff(id, u32::MAX, &[long, format.clone(), chunk_that_says(b"data", u32::MAX, &body)]);
            assert!(assert_found(&bytes, "long.wav", frames, words).pcm.samples == whole.samples);
        }
    }
    assert!(matches!(error(&riff(b"RIFF", 36, &[format.clone(), chunk(b"data", &[])]), "none.wav"), AudioErrorKind::NoSamples));
    assert!(matches!(error(&riff(b"RIFF", 36, &[format, chunk_that_says(b"data", 90, &[])]), "none.wav"), AudioErrorKind::CutOff { .. }));
}

#[test]
fn an_aiff_that_is_cut_off_or_streamed_keeps_what_is_there() {
    let aiff = fixture("nebula.aiff");
    let whole = decoded(&aiff, "whole.aiff").pcm;
    let sound = aiff.windows(4).position(|word| word == b"SSND").unwrap();
    let says = |size: u32| {
        let mut bytes = aiff.clone();
        bytes[sound + 4..sound + 8].copy_from_slice(&size.to_be_bytes());
        bytes[4..8].copy_from_slice(&size.to_be_bytes());
        bytes
    };
    for placeholder in [0, u32::MAX] {
        let streamed = decoded(&says(placeholder), "streamed.aiff");
        assert!(streamed.remarks.is_empty() && streamed.pcm.samples.starts_with(&whole.samples));
    }
    let cut = assert_found(&aiff[..sound + 16 + 4 * 10_001], "cut.aiff", 10_001, "after 1.25 s of the 2.00 s").pcm;
    assert!(whole.samples.starts_with(&cut.samples));
}

#[test]
fn a_sample_that_is_no_number_is_silent_and_its_time_is_told() {
    let samples: Vec<f32> = (0..32_000).map(|n| (n as f32 * 0.05).sin() * 0.5).collect();
    let bytes = |broken: &[(usize, f32)]| {
        let mut samples = samples.clone();
        broken.iter().for_each(|&(at, value)| samples[at] = value);
        let body: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        riff(b"RIFF", 0, &[format_chunk(8_000, 2, true), chunk(b"data", &body)])
    };
    let track = assert_found(&bytes(&[(16_001, f32::NAN)]), "one.wav", 16_000, "a sample that is not a number at 1.000 s");
    assert_eq!(track.pcm.samples[16_001], 0.0);
    assert!(track.pcm.samples.iter().zip(&samples).enumerate().all(|(at, (a, b))| a == b || at == 16_001));
    let many = [(20_000, f32::INFINITY), (20_001, f32::NEG_INFINITY), (20_002, f32::MAX), (9, -f32::NAN)];
    let track = assert_found(&bytes(&many), "many.wav", 16_000, "holds 4 samples that are not numbers, the first at 0.001 s");
    assert!(track.pcm.samples.iter().all(|sample| sample.abs() <= 1.0));
    // A loud file is not damaged.
    assert_found(&bytes(&[(5, 32_768.0)]), "loud.wav", 16_000, "");
}

#[test]
fn a_flac_is_read_by_its_frames_and_not_by_what_its_header_says_of_them() {
    let flac = fixture("nebula.flac");
    let whole = decoded(&flac, "whole.flac").pcm;
    assert_eq!(whole.frames(), 64_000);
    for (at, bytes) in [(8, &[0, 0][..]), (8, &[0, 0, 0, 0]), (8, &[0, 16, 0xff, 0xff]), (12, &[0, 0, 1, 0, 0, 2]), (12, &[0xff; 6])] {
        let mut other = flac.clone();
        other[at..at + bytes.len()].copy_from_slice(bytes);
        assert!(assert_found(&other, "a.flac", 64_000, "").pcm.samples == whole.samples, "{bytes:?} at {at}");
    }
    for tags in [id3v1("x"), ape(true), ape(false), [ape(true), id3v1("x")].concat()] {
        assert!(assert_found(&[&flac[..], &tags].concat(), "t.flac", 64_000, "").pcm.samples == whole.samples);
        let before = [&id3v2(&[(b"TIT2", "x")])[..], &flac, &tags].concat();
        assert!(assert_found(&before, "t.flac", 64_000, "").pcm.samples == whole.samples);
    }
    let total = |frames: u32| {
        let mut bytes = flac.clone();
        bytes[22..26].copy_from_slice(&frames.to_be_bytes());
        bytes
    };
    assert_found(&total(90_000), "more.flac", 64_000, "after 4.00 s of the 5.62 s");
    assert_found(&total(40_000), "less.flac", 64_000, "declares 2.50 s");
    // Of a stream without a length a cut shows by its last frame.
    let mut stream = total(0);
    assert_found(&stream, "stream.flac", 64_000, "");
    stream[26..42].fill(0);
    assert_found(&stream, "stream.flac", 64_000, "");
    let cut = decoded(&stream[..stream.len() - 20], "stream.flac");
    assert!(cut.pcm.frames() < 64_000 && whole.samples.starts_with(&cut.pcm.samples));
    assert!(matches!(cut.remarks[..], [AudioRemark::CutOff { promised_secs: None, .. }]), "{:?}", cut.remarks);
}

#[test]
fn an_ogg_without_an_end_mark_is_read_to_its_end_with_a_remark() {
    let ogg = fixture("nebula.ogg");
    let whole = decoded(&ogg, "whole.ogg").pcm;
    let open = assert_found(&without_end_mark(&ogg), "open.ogg", whole.frames(), "no end mark: it may be cut off after 9.00 s").pcm;
    assert!(open.samples == whole.samples);
    let pages = pages(&ogg);
    let cut = decoded(&pages[..pages.len() - 1].concat(), "cut.ogg");
    assert!(matches!(cut.remarks[..], [AudioRemark::NoEndMark { .. }]), "{:?}", cut.remarks);
    assert!(whole.samples.starts_with(&cut.pcm.samples) && cut.pcm.frames() > whole.frames() / 3);
    // Links without marks between them are whole; the last one is not known to be.
    let chained = [without_end_mark(&ogg), ogg.clone()].concat();
    assert!(decoded(&chained, "chained.ogg").remarks.is_empty());
}

#[test]
fn a_container_without_audio_that_is_read_says_what_is_in_it() {
    let page = |body: &[u8]| [b"OggS\0\x02".as_slice(), &[0; 8], &[7, 0, 0, 0], &[0; 8], &[1, body.len() as u8], body].concat();
    for (body, name) in [(&b"Speex   1.2rc1"[..], "Speex"), (b"\x80theora\x03\x02\x01", "Theora"), (b"fishead\0\x03\0", "no audio")] {
        let said = error(&[page(body), page(body)].concat(), "k.ogg").to_string();
        assert!(said.contains(name) || name == "no audio", "{said}");
    }
    assert!(matches!(error(&page(b"Speex   "), "k.ogg"), AudioErrorKind::NoKnownAudio(codecs) if codecs == "Speex"));
}

#[test]
fn links_of_other_forms_go_on_in_the_first_ones() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (opus, _) = made(folder.path(), "mono.opus");
    let (vorbis, second) = (fixture("nebula.ogg"), std::fs::read(opus).unwrap());
    let (one, two) = (decoded(&vorbis, "a.ogg").pcm, decoded(&second, "b.opus").pcm);
    assert_eq!((one.channels, two.channels, one.sample_rate_hz, two.sample_rate_hz), (2, 1, 44_100, 48_000));
    let resampled = (two.frames() * 44_100).div_ceil(48_000);
    let track = assert_found(&[&vorbis[..], &second, &vorbis].concat(), "chained.ogg", 2 * one.frames() + resampled, "").pcm;
    assert!(track.samples[..one.samples.len()] == one.samples);
    assert!(track.samples[one.samples.len() + 2 * resampled..] == one.samples);
}

#[test]
fn a_bare_aac_stream_that_goes_on_behind_a_tag_is_remarked_on() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = made(folder.path(), "aac.aac");
    let one = std::fs::read(path).unwrap();
    let frames = decoded(&one, "one.aac").pcm.frames();
    assert_found(&[&one[..], &one].concat(), "joined.aac", 2 * frames, "");
    assert_found(&[&one[..], &id3v1("x"), &one].concat(), "tag.aac", frames, "goes on after");
    assert_found(&[&one[..], &id3v1("x")].concat(), "end.aac", frames, "");
}

/// Puts the bytes of an element's size to unknown.
fn without_size(bytes: &mut [u8], id: &[u8]) -> usize {
    let places: Vec<usize> = bytes.windows(id.len()).enumerate().filter(|(_, word)| *word == id).map(|(at, _)| at + id.len()).collect();
    for &at in &places {
        let count = bytes[at].leading_zeros() as usize;
        bytes[at] = ((0x100_u16 >> count) as u8 - 1) | (0x80 >> count);
        bytes[at + 1..=at + count].fill(0xff);
    }
    places.len()
}

#[test]
fn a_webm_of_unknown_sizes_is_whole_and_one_that_is_cut_off_is_not() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = made(folder.path(), "opus.webm");
    let known = std::fs::read(&path).unwrap();
    let whole = decoded(&known, "known.webm").pcm;
    let mut open = known.clone();
    assert_eq!(without_size(&mut open, b"\x18\x53\x80\x67"), 1);
    assert!(without_size(&mut open, b"\x1f\x43\xb6\x75") > 0);
    let clusters = without_cues(&open);
    assert!(assert_found(clusters, "open.webm", whole.frames(), "").pcm.samples == whole.samples);
    let cut = decoded(&clusters[..clusters.len() * 2 / 3], "cut.webm");
    assert!(cut.pcm.frames() > whole.frames() / 2 && cut.pcm.frames() < whole.frames());
    assert!(matches!(cut.remarks[..], [AudioRemark::CutOff { .. }]), "{:?}", cut.remarks);
}

/// A Matroska file up to its index.
fn without_cues(bytes: &[u8]) -> &[u8] {
    let end = bytes.windows(4).rposition(|word| word == b"\x1c\x53\xbb\x6b").unwrap_or(bytes.len());
    &bytes[..end]
}

#[test]
fn the_default_track_of_a_matroska_file_plays() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.mka");
    let tones = ["sine=f=300:d=2:r=48000", "sine=f=900:d=2:r=48000"];
    let mut command = std::process::Command::new("ffmpeg");
    command.args(["-v", "error", "-f", "lavfi", "-i", tones[0], "-f", "lavfi", "-i", tones[1], "-map", "0", "-map", "1", "-c:a", "flac"]);
    command.args(["-disposition:a:0", "0", "-disposition:a:1", "default"]).arg(&path);
    assert!(command.status().unwrap().success());
    let crossings = |path: &Path| {
        let pcm = decode_file(path).unwrap().pcm;
        pcm.samples.windows(2).filter(|pair| pair[0] <= 0.0 && pair[1] > 0.0).count()
    };
    assert!(crossings(&path).abs_diff(1800) < 5, "{} in two seconds", crossings(&path));
    // The flag left out means that it is set.
    let mut bytes = std::fs::read(&path).unwrap();
    let flags: Vec<usize> = bytes.windows(3).enumerate().filter(|(_, word)| *word == b"\x88\x81\x01").map(|(at, _)| at).collect();
    flags.iter().for_each(|&at| bytes[at..at + 3].copy_from_slice(b"\xec\x81\x01"));
    assert!(crossings(&write(folder.path(), "left_out.mka", &bytes)).abs_diff(1800) < 5);
}

#[test]
fn what_plays_of_an_odd_file_is_what_was_decoded_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (bare, with_info, ogg, flac) = (without_info_frame(), fixture("nebula.mp3"), fixture("nebula.ogg"), fixture("nebula.flac"));
    let half = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let pages = pages(&ogg);
    let mut files: Vec<(&str, bool, Vec<u8>)> = vec![
        ("joined.mp3", true, [&bare[..], &id3v2(&[(b"TIT2", "x")]), &bare].concat()),
        ("info.mp3", true, [&with_info[..], &[0x55; 61], &with_info].concat()),
        ("cut.mp3", true, half(&with_info)),
        ("count.mp3", true, with_count(&with_info, |known| known / 2)),
        ("mono_stereo.mp3", false, [&fixture("vbr.mp3")[..], &bare].concat()),
        ("rates.mp3", false, [&bare[..], &fixture("low.mp3")].concat()),
        ("open.ogg", true, without_end_mark(&ogg)),
        ("cut.ogg", true, pages[..pages.len() - 1].concat()),
        ("half.ogg", true, half(&ogg)),
        ("cut.flac", true, half(&flac)),
        ("tag.flac", true, [&flac[..], &id3v1("x")].concat()),
    ];
    let body = tone(60_000, 16_000, 2);
    files.push(("cut.wav", false, riff(b"RIFF", 0, &[format_chunk(16_000, 2, false), chunk_that_says(b"data", 900_000, &body)])));
    if has_ffmpeg() {
        let made = |name: &str| std::fs::read(made(folder.path(), name).0).unwrap();
        let webm = made("opus.webm");
        files.push(("open_op.webm", true, {
            let mut open = webm.clone();
            without_size(&mut open, b"\x18\x53\x80\x67");
            without_size(&mut open, b"\x1f\x43\xb6\x75");
            without_cues(&open).to_vec()
        }));
        files.push(("cut_op.webm", true, half(&webm)));
        files.push(("open_op.opus", true, without_end_mark(&made("stereo.opus"))));
        files.push(("cut.mp4", true, half(&made("aac_fast.mp4"))));
        files.push(("cut.mka", true, half(&made("flac.mka"))));
        files.push(("cut.aac", true, half(&made("aac.aac"))));
        files.push(("cut_fragments.mp4", true, half(&made("aac_fragments.mp4"))));
    }
    let mut wrong = Vec::new();
    for (name, is_indexed, bytes) in &files {
        let path = write(folder.path(), name, bytes);
        if let Err(reason) = seeking::judge(&path, name, 48_000, *is_indexed, 11) {
            wrong.push(format!("{name}: {reason}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
