//! Every format, made by ffmpeg: what is decoded is what was encoded, at its place to the sample, in one go and in stretches.

use std::path::{Path, PathBuf};
use std::process::Command;

use tagscape::audio::{AudioErrorKind, Pcm, decode_file, decode_mono_at, decode_span, is_audio_file};
use tagscape::catalog::SegmentSpan;
use tagscape::seed::SplitMix64;

use crate::common::counting_alloc::peak_bytes;

/// How a file is made and what has to be found in it.
pub struct Case {
    pub name: &'static str,
    pub rate_hz: u32,
    pub channels: usize,
    args: &'static str,
    /// Frames by which the decoded audio lies behind the source: 0 wherever the container tells the encoder's delay, which older versions of
    /// ffmpeg do not write into all.
    lag: i64,
    /// Frames that may be there beyond the source's: where the container does not tell the encoder's padding.
    surplus: usize,
    /// Least correlation of a channel with the source.
    likeness: f64,
}

const fn case(name: &'static str, rate_hz: u32, channels: usize, args: &'static str) -> Case {
    Case { name, rate_hz, channels, args, lag: 0, surplus: 0, likeness: 0.999_999 }
}

const fn lossy(name: &'static str, rate_hz: u32, channels: usize, args: &'static str, surplus: usize) -> Case {
    Case { name, rate_hz, channels, args, lag: 0, surplus, likeness: 0.98 }
}

const SECS: f64 = 7.1234;

pub const CASES: &[Case] = &[
    Case { likeness: 0.999, ..case("u8.wav", 8_000, 1, "-c:a pcm_u8") },
    case("s16.wav", 11_025, 2, "-c:a pcm_s16le"),
    case("s24.wav", 96_000, 2, "-c:a pcm_s24le"),
    case("f32.wav", 192_000, 1, "-c:a pcm_f32le"),
    case("f64.wav", 44_100, 2, "-c:a pcm_f64le"),
    case("extensible.wav", 48_000, 8, "-c:a pcm_s24le"),
    Case { likeness: 0.999, ..case("alaw.wav", 8_000, 1, "-c:a pcm_alaw") },
    Case { surplus: 2100, ..lossy("ima.wav", 22_050, 1, "-c:a adpcm_ima_wav", 0) },
    Case { surplus: 2100, ..lossy("ms.wav", 22_050, 2, "-c:a adpcm_ms", 0) },
    case("s16.aiff", 32_000, 2, "-c:a pcm_s16be"),
    case("f32.aifc", 44_100, 2, "-c:a pcm_f32be -f aiff"),
    case("sowt.aifc", 44_100, 1, "-c:a pcm_s16le -f aiff"),
    case("s16.caf", 44_100, 2, "-c:a pcm_s16be"),
    case("f32.caf", 48_000, 1, "-c:a pcm_f32le"),
    case("alac.caf", 44_100, 2, "-c:a alac"),
    case("mono.flac", 8_000, 1, "-c:a flac"),
    case("stereo.flac", 192_000, 2, "-c:a flac -sample_fmt s32"),
    case("surround.flac", 48_000, 6, "-c:a flac"),
    case("flac.oga", 44_100, 2, "-c:a flac"),
    case("alac.m4a", 44_100, 2, "-c:a alac"),
    case("alac_mono.m4a", 96_000, 1, "-c:a alac"),
    case("alac_surround.m4a", 48_000, 6, "-c:a alac"),
    case("pcm.mov", 44_100, 2, "-c:a pcm_s16le"),
    case("pcm.mka", 48_000, 2, "-c:a pcm_s24le"),
    case("flac.mka", 44_100, 2, "-c:a flac"),
    case("alac.mka", 44_100, 2, "-c:a alac"),
    case("flac.mp4", 44_100, 2, "-c:a flac -strict -2"),
    lossy("vorbis.ogg", 44_100, 2, "-c:a libvorbis", 0),
    lossy("vorbis_surround.ogg", 48_000, 6, "-c:a libvorbis", 0),
    lossy("vorbis.webm", 44_100, 2, "-c:a libvorbis", 2048),
    lossy("mono.opus", 48_000, 1, "-c:a libopus -b:a 96k", 0),
    lossy("stereo.opus", 48_000, 2, "-c:a libopus -b:a 128k", 0),
    Case { likeness: -1.0, ..lossy("speech.opus", 48_000, 1, "-c:a libopus -b:a 20k -application voip -frame_duration 60", 0) },
    lossy("surround.opus", 48_000, 6, "-c:a libopus -mapping_family 1 -b:a 400k", 0),
    lossy("opus_7_1.opus", 48_000, 8, "-c:a libopus -mapping_family 1 -b:a 500k", 0),
    lossy("opus.webm", 48_000, 2, "-c:a libopus -b:a 128k", 0),
    lossy("opus.mka", 48_000, 6, "-c:a libopus -mapping_family 1 -b:a 400k", 0),
    lossy("opus.mp4", 48_000, 2, "-c:a libopus -b:a 128k", 0),
    lossy("aac.m4a", 44_100, 2, "-c:a aac -b:a 192k", 0),
    lossy("aac_mono.m4a", 16_000, 1, "-c:a aac", 0),
    lossy("aac_fast.mp4", 48_000, 2, "-c:a aac -b:a 192k -movflags +faststart", 0),
    lossy("aac_fragments.mp4", 44_100, 2, "-c:a aac -b:a 192k -frag_duration 1000000 -movflags empty_moov+delay_moov", 1024),
    Case { lag: 1024, ..lossy("aac.aac", 44_100, 2, "-c:a aac -b:a 192k", 2048) },
    Case { lag: 1024, ..lossy("aac.mka", 44_100, 2, "-c:a aac -b:a 192k", 2048) },
    lossy("mp3.mp3", 44_100, 2, "-c:a libmp3lame -b:a 192k", 0),
    lossy("mono.mp3", 24_000, 1, "-c:a libmp3lame -b:a 64k", 0),
    Case { lag: 1105, ..lossy("mp3.mka", 44_100, 2, "-c:a libmp3lame -b:a 192k", 2304) },
];

/// Whether ffmpeg is there; on a machine of the continuous integration it has to be.
pub fn has_ffmpeg() -> bool {
    let found = Command::new("ffmpeg").arg("-version").output().is_ok();
    assert!(found || std::env::var_os("CI").is_none(), "ffmpeg is missing: tests/setup/system-packages.sh test");
    if !found {
        eprintln!("skipped: ffmpeg is missing");
    }
    found
}

/// Rising and falling tones, another pair in each channel, and a click every half second.
pub fn source(rate_hz: u32, channels: usize) -> Pcm {
    let frames = (SECS * f64::from(rate_hz)) as usize;
    let top = f64::from(rate_hz).min(16_000.0);
    let mut samples = Vec::with_capacity(frames * channels);
    for frame in 0..frames {
        let time = frame as f64 / f64::from(rate_hz);
        for channel in 0..channels {
            let low = 90.0 + 37.0 * channel as f64 + 0.004 * top * time;
            let high = top * (0.2 - 0.008 * time) + 53.0 * channel as f64;
            let value = 0.3 * (std::f64::consts::TAU * low * time).sin() + 0.2 * (std::f64::consts::TAU * high * time).sin();
            samples.push(value as f32);
        }
    }
    Pcm { samples, channels, sample_rate_hz: rate_hz }
}

fn write_wav(path: &Path, pcm: &Pcm) {
    let bytes = pcm.samples.len() as u32 * 4;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x03\0");
    wav.extend((pcm.channels as u16).to_le_bytes());
    wav.extend(pcm.sample_rate_hz.to_le_bytes());
    wav.extend((pcm.sample_rate_hz * pcm.channels as u32 * 4).to_le_bytes());
    wav.extend((pcm.channels as u16 * 4).to_le_bytes());
    wav.extend(b"\x20\0data");
    wav.extend(bytes.to_le_bytes());
    wav.extend(pcm.samples.iter().flat_map(|sample| sample.to_le_bytes()));
    std::fs::write(path, wav).unwrap();
}

fn ffmpeg(args: &[&str]) {
    let output = Command::new("ffmpeg").args(["-v", "error", "-y", "-nostdin"]).args(args).output().unwrap();
    assert!(output.status.success(), "ffmpeg {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Encodes the source as the case says.
pub fn make(folder: &Path, case: &Case, source: &Pcm) -> PathBuf {
    let wav = folder.join("source.wav");
    write_wav(&wav, source);
    let path = folder.join(case.name);
    let mut args = vec!["-i", wav.to_str().unwrap()];
    let layout = ["", "mono", "stereo", "", "", "", "5.1", "", "7.1"][case.channels];
    args.extend(["-channel_layout", layout]);
    args.rotate_right(2);
    args.extend(case.args.split(' '));
    args.extend(["-metadata", "title=A Title", "-metadata", "artist=An Artist", "-metadata", "album=An Album", "-metadata", "track=3/12"]);
    args.push(path.to_str().unwrap());
    ffmpeg(&args);
    path
}

fn decoded_by_ffmpeg(path: &Path, like: &Pcm) -> Pcm {
    let raw = path.with_extension("raw");
    ffmpeg(&["-i", path.to_str().unwrap(), "-f", "f32le", raw.to_str().unwrap()]);
    let bytes = std::fs::read(raw).unwrap();
    let samples = bytes.chunks_exact(4).map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect();
    Pcm { samples, ..*like }
}

fn channel(pcm: &Pcm, channel: usize) -> Vec<f64> {
    pcm.samples.iter().skip(channel).step_by(pcm.channels).map(|&sample| f64::from(sample)).collect()
}

/// Correlation of `b`, `lag` frames later, with `a`, over the middle of it.
fn likeness(a: &[f64], b: &[f64], lag: i64) -> f64 {
    let frames = 4000..a.len().min(b.len()) - 4000;
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for frame in frames {
        let (a, b) = (a[frame], b[(frame as i64 + lag) as usize]);
        (ab, aa, bb) = (ab + a * b, aa + a * a, bb + b * b);
    }
    ab / (aa * bb).sqrt()
}

fn best_lag(a: &[f64], b: &[f64]) -> i64 {
    let part = |values: &[f64]| values[..values.len().min(16_000)].to_vec();
    let (a, b) = (part(a), part(b));
    (-2500..=2500).max_by(|&one, &other| likeness(&a, &b, one).total_cmp(&likeness(&a, &b, other))).unwrap()
}

/// What is wrong with a case, in words.
fn judge(case: &Case) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let source = source(case.rate_hz, case.channels);
    let path = make(folder.path(), case, &source);
    let track = decode_file(&path).map_err(|error| error.to_string())?;
    let pcm = &track.pcm;
    if (pcm.channels, pcm.sample_rate_hz) != (source.channels, source.sample_rate_hz) {
        return Err(format!("{} channels at {} Hz", pcm.channels, pcm.sample_rate_hz));
    }
    let surplus = pcm.frames() as i64 - source.frames() as i64;
    if !(0..=case.surplus as i64).contains(&surplus) {
        return Err(format!("{surplus} frames too many"));
    }
    let lag = best_lag(&channel(&source, 0), &channel(pcm, 0));
    let reference = decoded_by_ffmpeg(&path, pcm);
    let lag_of_reference = if lag == case.lag || lag == 0 { best_lag(&channel(pcm, 0), &channel(&reference, 0)) } else { 0 };
    for number in 0..case.channels {
        let found = likeness(&channel(pcm, number), &channel(&reference, number), lag_of_reference);
        // ffmpeg's own opus decoder delays the voice coder's band by two frames more than libopus.
        if found < 0.999 && case.likeness > 0.95 {
            return Err(format!("channel {number} is like ffmpeg's by {found} only"));
        }
    }
    // A voice coder at 20 kbit/s moves tones of different height by different times: its place cannot be told by them, only its length.
    if ![0, case.lag].contains(&lag) && case.likeness > 0.95 {
        return Err(format!("lies {lag} frames late"));
    }
    for number in 0..case.channels {
        let found = likeness(&channel(&source, number), &channel(pcm, number), lag);
        // Channel 3 is the one for low tones alone.
        if found < case.likeness && !(case.likeness < 0.99 && case.channels > 2 && number == 3) {
            return Err(format!("channel {number} is like the source by {found} only"));
        }
    }
    let mono = decode_mono_at(&path, 16_000).map_err(|error| error.to_string())?;
    if mono.duration_secs != pcm.duration_secs() {
        return Err(format!("{} s in chunks", mono.duration_secs));
    }
    judge_spans(&path, pcm)?;
    judge_cuts(&path, folder.path(), case, pcm)
}

fn judge_spans(path: &Path, whole: &Pcm) -> Result<(), String> {
    let mut random = SplitMix64::new(3);
    let rate = f64::from(whole.sample_rate_hz);
    for _ in 0..50 {
        let first = random.next_below(whole.frames() as u64) as usize;
        let count = 1 + random.next_below(whole.frames() as u64 / 3) as usize;
        let span = SegmentSpan { start_secs: first as f64 / rate, duration_secs: count as f64 / rate };
        let found = decode_span(path, span).map_err(|error| format!("{span:?}: {error}"))?;
        let end = (first + count).min(whole.frames());
        let wanted = &whole.samples[first * whole.channels..end * whole.channels];
        if found.samples != wanted {
            let at = found.samples.iter().zip(wanted).position(|(found, wanted)| found != wanted);
            return Err(format!("{span:?} has {} of {} samples and differs from number {at:?} on", found.samples.len(), wanted.len()));
        }
    }
    Ok(())
}

fn judge_cuts(path: &Path, folder: &Path, case: &Case, whole: &Pcm) -> Result<(), String> {
    let bytes = std::fs::read(path).unwrap();
    for cut in [bytes.len() / 10, bytes.len() / 2, bytes.len() * 9 / 10, bytes.len() - 1500, bytes.len() - 3] {
        let cut_path = folder.join(format!("cut_{}", case.name));
        std::fs::write(&cut_path, &bytes[..cut]).unwrap();
        match decode_file(&cut_path) {
            Ok(track) if !whole.samples.starts_with(&track.pcm.samples) && !track.pcm.samples.starts_with(&whole.samples) => {
                return Err(format!("cut off at {cut} of {}: other samples than before", bytes.len()));
            }
            // What is behind the audio may be lost.
            Ok(track) if track.remarks.is_empty() && track.pcm.frames() < whole.frames() => {
                return Err(format!("cut off at {cut} of {} decodes to {} s", bytes.len(), track.pcm.duration_secs()));
            }
            Ok(_) => {}
            // Its tables stand at the end.
            Err(error) if matches!(error.kind, AudioErrorKind::CutOff { .. }) && (is_tabled(case.name) || cut < bytes.len() / 5) => {}
            Err(error) => return Err(format!("cut off at {cut}: {error}")),
        }
    }
    Ok(())
}

/// Whether a container cannot be read without its end.
fn is_tabled(name: &str) -> bool {
    name == "alac.caf"
        || [".m4a", ".mp4", ".mov"].iter().any(|ending| name.ends_with(ending)) && !["aac_fast.mp4", "aac_fragments.mp4"].contains(&name)
}

fn judge_all(cases: impl Iterator<Item = &'static Case>) {
    if !has_ffmpeg() {
        return;
    }
    let wrong: Vec<String> = cases.filter_map(|case| judge(case).err().map(|reason| format!("{}: {reason}", case.name))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn lossless_formats_give_the_source_at_its_place_in_one_go_and_in_stretches() {
    judge_all(CASES.iter().filter(|case| case.likeness > 0.99));
}

#[test]
fn lossy_formats_give_the_source_at_its_place_in_one_go_and_in_stretches() {
    judge_all(CASES.iter().filter(|case| case.likeness < 0.99));
}

#[test]
fn tags_are_read_from_every_container() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let source = source(48_000, 2);
    let mut wrong = Vec::new();
    for name in ["mp3.mp3", "aac.m4a", "alac.m4a", "stereo.opus", "vorbis.ogg", "flac.oga", "aac.mka", "opus.webm", "s16.aiff"] {
        let case = CASES.iter().find(|case| case.name == name).unwrap();
        let path = make(folder.path(), &Case { rate_hz: 48_000, channels: 2, ..*case }, &source);
        let tags = decode_file(&path).unwrap().metadata;
        let found = (tags.title.as_deref(), tags.artist.as_deref(), tags.album.as_deref(), tags.track_number);
        let is_aiff = name.ends_with("aiff");
        if found
            != (
                Some("A Title"),
                Some("An Artist").filter(|_| !is_aiff),
                Some("An Album").filter(|_| !is_aiff),
                Some(3).filter(|_| !is_aiff),
            )
        {
            wrong.push(format!("{name}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A file of a case of that name.
pub fn made(folder: &Path, name: &str) -> (PathBuf, Pcm) {
    let case = CASES.iter().find(|case| case.name == name).unwrap();
    let source = source(case.rate_hz, case.channels);
    (make(folder, case, &source), source)
}

#[test]
fn content_decides_what_a_file_is_whatever_its_ending_and_whatever_tags_stand_around_it() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // An ID3v2 tag with a picture of 300 KB that is full of false frame headers and container marks, and one of junk.
    let picture: Vec<u8> = b"\xff\xfb\x90\0ftypOggSfLaC\xff\xf1\x50\x80".iter().copied().cycle().take(300_000).collect();
    let sizes = |size: usize| [size >> 21, size >> 14, size >> 7, size].map(|byte| (byte & 0x7f) as u8);
    let apic = [&b"\0image/png\0\x03\0"[..], &picture].concat();
    let frame = [&b"APIC"[..], &sizes(apic.len()), &[0, 0], &apic].concat();
    let tag = [&b"ID3\x04\0\0"[..], &sizes(frame.len()), &frame].concat();
    let junk_tag = [&b"ID3\x03\0\0"[..], &sizes(500), &[0xaa; 500]].concat();
    let id3v1 = [&b"TAG"[..], &[b'x'; 125]].concat();
    let ape = [&b"APETAGEX\xd0\x07\0\0\x20\0\0\0\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\0"[..]].concat();
    let mut wrong = Vec::new();
    for (name, others) in [
        ("mono.mp3", &["a.wav", "a.flac", "a", "a.m4a"][..]),
        ("s16.wav", &["b.mp3", "b.ogg", "b"]),
        ("mono.flac", &["c.mp3", "c.wav", "c"]),
        ("vorbis.ogg", &["d.mp3", "d"]),
        ("aac.m4a", &["e.mp3", "e.aac", "e"]),
        ("aac.aac", &["f.mp3", "f"]),
        ("opus.webm", &["g.ogg", "g"]),
        ("alac.caf", &["h.wav", "h"]),
        ("s16.aiff", &["i.wav", "i"]),
    ] {
        let (path, _) = made(folder.path(), name);
        let whole = decode_file(&path).unwrap().pcm;
        let bytes = std::fs::read(&path).unwrap();
        for other in others {
            let renamed = folder.path().join(other);
            std::fs::write(&renamed, &bytes).unwrap();
            match decode_file(&renamed) {
                Ok(track) if track.pcm == whole => {}
                Ok(track) => wrong.push(format!("{name} as {other}: {} s", track.pcm.duration_secs())),
                Err(error) => wrong.push(format!("{name} as {other}: {error}")),
            }
            if !other.contains('.') && !is_audio_file(&renamed) {
                wrong.push(format!("{name} without an ending is not known"));
            }
        }
        if !["mono.mp3", "aac.aac", "mono.flac"].contains(&name) {
            continue;
        }
        let mut around: Vec<(&str, Vec<u8>)> =
            vec![("a picture before", [&tag[..], &bytes].concat()), ("junk before", [&junk_tag[..], &bytes].concat())];
        if name != "mono.flac" {
            around.push(("ID3v1 behind", [&bytes[..], &id3v1].concat()));
            around.push(("APE and ID3v1 behind", [&bytes[..], &ape, &id3v1].concat()));
            around.push(("garbage before", [&[0x12; 777][..], &bytes].concat()));
        }
        for (what, bytes) in around {
            std::fs::write(&path, &bytes).unwrap();
            match decode_file(&path) {
                Ok(track) if track.pcm == whole => {}
                Ok(track) => wrong.push(format!("{name} with {what}: {} frames, not {}", track.pcm.frames(), whole.frames())),
                Err(error) => wrong.push(format!("{name} with {what}: {error}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn broken_bytes_of_any_format_neither_panic_nor_hang_nor_take_the_memory() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut random = SplitMix64::new(11);
    for name in [
        "aac.m4a",
        "alac.m4a",
        "aac_fragments.mp4",
        "aac.aac",
        "stereo.opus",
        "surround.opus",
        "opus.webm",
        "flac.mka",
        "alac.caf",
        "s16.caf",
    ] {
        let (path, _) = made(folder.path(), name);
        let bytes = std::fs::read(&path).unwrap();
        let hostile = folder.path().join(format!("hostile_{name}"));
        for round in 0..300 {
            let mut broken = bytes[..bytes.len().min(30_000)].to_vec();
            // Most of the numbers that matter stand at the beginning, or at the end of an MP4.
            let reach = if round % 2 == 0 { 1500 } else { broken.len() as u64 };
            if round % 3 == 0 {
                broken = bytes.clone();
            }
            for _ in 0..1 + round % 4 {
                let offset = random.next_below(reach) as usize;
                let at = if round % 5 == 0 { broken.len() - 1 - offset } else { offset };
                broken[at] = [0, 0xff, 0x7f, 0x80, random.next_u64() as u8][random.next_below(5) as usize];
            }
            std::fs::write(&hostile, &broken).unwrap();
            let (result, peak) = peak_bytes(|| decode_file(&hostile).map(|track| track.pcm.frames()));
            assert!(peak < 200_000_000, "{name}, round {round}: {peak} bytes");
            if let Err(error) = result {
                assert!(!matches!(error.kind, AudioErrorKind::Decoder(_)), "{name}, round {round}: {error}");
            }
        }
    }
}

#[test]
fn gaps_in_the_timestamps_of_whole_files_are_no_missing_audio() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = made(folder.path(), "vorbis.ogg");
    // Each repetition begins a little late.
    for name in ["gaps.m4a", "gaps.mka", "gaps.opus"] {
        let looped = folder.path().join(name);
        ffmpeg(&["-stream_loop", "9", "-i", path.to_str().unwrap(), "-t", "70", looped.to_str().unwrap()]);
        let secs = decode_file(&looped).unwrap().pcm.duration_secs();
        assert!((secs - 70.0).abs() < 0.5, "{name}: {secs} s");
        judge_spans(&looped, &decode_file(&looped).unwrap().pcm).unwrap();
    }
}
