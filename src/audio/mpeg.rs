//! How many frames an MP3 has, and how many it promises.
//!
//! An MPEG audio stream has no length and no end mark. What can be known is this: each frame says how long it is, so that a last
//! frame that the file does not hold whole means a file that is cut off; and an encoder's info frame (Xing, Info, VBRI) says how
//! many frames follow. Tags stand before (ID3v2), after (ID3v1, APE, Lyrics3) and, where files were joined, between, and are no audio.
//! Files that were joined may change their channels and their rate: each run of frames of one form is a part, which a decoder of its own reads.
//! Facts: ISO/IEC 11172-3, 2.4.1.3 and 2.4.3.1 (header, frame size); the Xing and VBRI headers as LAME and Fraunhofer write them.

use std::fs::File;
use std::io;

use super::mpeg_frames::{FrameHeader, Frames, free_format_words};

/// Bytes at the start of a stream in which a frame of free format has to be found.
const FREE_FORMAT_REACH: u64 = 1 << 13;

/// What a walk over all frames finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MpegLayout {
    /// Byte behind the last whole frame.
    pub audio_end: u64,
    /// Whole frames, info frames not counted.
    pub frames: u64,
    /// Frames before anything that is joined to them: a tag, junk, another info frame, or frames of another form.
    pub first_frames: u64,
    /// Frames that the first info frame promises.
    pub promised_frames: Option<u64>,
    /// Samples of a channel in a frame of the first part: 1152, or 576 at the low sample rates.
    pub frame_samples: u64,
    /// Frames in a second, of the first part.
    pub rate_hz: u32,
    /// Most channels of any part.
    pub channels: usize,
    /// Runs of frames of one form.
    pub parts: u64,
    /// Whether the file ends inside of a frame.
    pub is_cut_off: bool,
}

/// What the info frame's count says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    /// There is none, or it is of the first of several joined files.
    OfNothing,
    /// It is right.
    Kept,
    /// So many frames, and there are fewer.
    Short(u64),
    /// So many frames, and there are more.
    Exceeded(u64),
}

impl MpegLayout {
    /// What the info frame's count says of the file.
    pub(super) fn promise(&self) -> Promise {
        // The count may hold the info frame itself.
        let is_like = |promised: u64, frames: u64| promised.abs_diff(frames) <= 1;
        match self.promised_frames {
            Some(promised) if is_like(promised, self.frames) => Promise::Kept,
            // A header of the first part does not speak for what was joined to it.
            Some(promised) if self.first_frames < self.frames && is_like(promised, self.first_frames) => Promise::OfNothing,
            Some(promised) if promised > self.frames => Promise::Short(promised),
            Some(promised) => Promise::Exceeded(promised),
            None => Promise::OfNothing,
        }
    }

    /// Length of so many frames in seconds.
    pub(super) fn secs(&self, frames: u64) -> f64 {
        frames as f64 * self.frame_samples as f64 / f64::from(self.rate_hz.max(1))
    }
}

/// Walks over all frames of an MP3 file.
///
/// # Errors
/// Only what reading the file gives.
pub(super) fn read_layout(file: &File) -> io::Result<MpegLayout> {
    let len = file.metadata()?.len();
    let mut frames = Frames::new(file, len)?;
    let mut layout = MpegLayout::default();
    let (mut first, mut form): (_, Option<FrameHeader>) = (None, None);
    let mut is_joined = false;
    while let Some(frame) = frames.next()? {
        let header = frame.header;
        if first.is_none() {
            first = Some(header);
            (layout.frame_samples, layout.rate_hz, layout.promised_frames) =
                (header.samples(), header.sample_rate_hz, frame.promised_frames);
        } else {
            is_joined |= frame.is_joined || frame.is_info;
        }
        layout.audio_end = frame.at + header.bytes;
        if frame.is_info {
            continue;
        }
        if form.replace(header).is_none_or(|form| !header.is_like(form)) {
            layout.parts += 1;
            is_joined |= layout.parts > 1;
        }
        layout.channels = layout.channels.max(header.channels());
        layout.frames += 1;
        layout.first_frames += u64::from(!is_joined);
    }
    layout.is_cut_off = frames.is_cut_off;
    Ok(layout)
}

/// Whether a stream's frames are of free format, of a bit rate that no header tells.
///
/// # Errors
/// Only what reading the file gives.
pub(super) fn is_free_format(file: &File) -> io::Result<bool> {
    let words = free_format_words(file, FREE_FORMAT_REACH)?;
    let has = |at: u64, word: u32| words.binary_search(&(at, word)).is_ok();
    // Three frames, each as far behind the one before it, but for a byte of padding.
    Ok(words.iter().take(8).enumerate().any(|(number, &(at, word))| {
        words[number + 1..].iter().any(|&(next, other)| {
            let third = 2 * next - at;
            other == word && next - at > 32 && (third - 1..=third + 1).any(|third| has(third, word))
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// MPEG 1, 44.1 kHz, stereo, 128 kbit/s: 417 bytes.
    const HEADER: [u8; 4] = [0xff, 0xfb, 0x90, 0x00];

    fn frame() -> Vec<u8> {
        let mut frame = HEADER.to_vec();
        frame.resize(417, 0);
        frame
    }

    fn info_frame(count: u32) -> Vec<u8> {
        let mut info = frame();
        info[36..40].copy_from_slice(b"Xing");
        info[43] = 1;
        info[44..48].copy_from_slice(&count.to_be_bytes());
        info
    }

    fn layout_of(parts: &[&[u8]]) -> MpegLayout {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&parts.concat()).unwrap();
        read_layout(&file).unwrap()
    }

    #[test]
    fn frames_are_counted_between_the_tags() {
        let id3 = [b"ID3\x04\0\0\0\0\0\x05", b"\xff\xfb\x90\0\0".as_slice()].concat();
        let mut id3v1 = b"TAG".to_vec();
        id3v1.resize(128, 0);
        let found = layout_of(&[&id3, &frame(), &frame(), &frame(), &id3v1]);
        assert_eq!((found.audio_end, found.frames, found.first_frames, found.parts), (15 + 3 * 417, 3, 3, 1));
        assert_eq!((found.frame_samples, found.rate_hz, found.channels, found.is_cut_off), (1152, 44_100, 2, false));
        assert_eq!(found.promise(), Promise::OfNothing);
    }

    #[test]
    fn the_info_frame_is_no_audio_and_its_promise_is_read() {
        let found = layout_of(&[&info_frame(2), &frame(), &frame()]);
        assert_eq!((found.frames, found.promised_frames, found.is_cut_off), (2, Some(2), false));
    }

    #[test]
    fn a_file_that_ends_inside_of_a_frame_is_cut_off() {
        let found = layout_of(&[&frame(), &frame(), &frame()[..300]]);
        assert_eq!((found.frames, found.audio_end, found.is_cut_off), (2, 834, true));
    }

    #[test]
    fn junk_between_frames_is_passed_and_junk_behind_them_is_no_audio() {
        let found = layout_of(&[&[0x55; 1000], &frame(), &frame(), &[0xff; 77], &frame(), &frame(), &[0; 500]]);
        assert_eq!((found.frames, found.audio_end), (4, 1000 + 4 * 417 + 77));
        assert_eq!(layout_of(&[&[0x55; 1000]]), MpegLayout::default());
        assert_eq!(layout_of(&[]), MpegLayout::default());
    }

    #[test]
    fn a_tag_that_claims_to_be_longer_than_the_file_ends_the_search() {
        assert_eq!(layout_of(&[b"ID3\x04\0\0\x7f\x7f\x7f\x7f", &frame(), &frame()]).frames, 0);
    }

    /// A frame of another form: mono.
    fn mono() -> Vec<u8> {
        let mut frame = frame();
        frame[3] = 0xc0;
        frame
    }

    #[test]
    fn joined_files_are_read_on_whatever_tag_or_junk_stands_between() {
        let id3 = b"ID3\x04\0\0\0\0\0\x05\xff\xfb\x90\0\0".to_vec();
        let id3v1 = [&b"TAG"[..], &[b'x'; 125]].concat();
        let ape = [&b"APETAGEX\xd0\x07\0\0\x60\0\0\0\x01\0\0\0\0\0\0\xa0"[..], &[0; 8], &[0xff; 64], &[b'x'; 32]].concat();
        let lyrics = b"LYRICSBEGININD00003110000022LYRICS200".to_vec();
        for between in [id3.clone(), id3v1.clone(), ape, lyrics, vec![0x55; 61], [id3v1, id3].concat()] {
            let found = layout_of(&[&frame(), &frame(), &between, &frame(), &frame(), &frame()]);
            assert_eq!((found.frames, found.first_frames, found.parts, found.is_cut_off), (5, 2, 1, false), "{:?}", &between[..3]);
        }
    }

    #[test]
    fn a_change_of_channels_begins_a_part_and_single_false_headers_do_not() {
        let found = layout_of(&[&frame(), &frame(), &mono(), &mono(), &mono(), &mono(), &frame(), &frame(), &frame(), &frame()]);
        assert_eq!((found.frames, found.first_frames, found.parts, found.channels), (10, 2, 3, 2));
        let found = layout_of(&[&frame(), &frame(), &mono(), &[0x55; 20], &frame(), &frame()]);
        assert_eq!((found.frames, found.parts), (4, 1), "one frame of another form is junk");
    }

    #[test]
    fn a_promise_is_of_the_whole_or_of_the_first_of_joined_files() {
        let promise = |parts: &[&[u8]]| layout_of(parts).promise();
        let (one, info) = (frame(), |count| info_frame(count));
        assert_eq!(promise(&[&info(3), &one, &one, &one]), Promise::Kept);
        assert_eq!(promise(&[&info(4), &one, &one, &one]), Promise::Kept, "with the info frame");
        assert_eq!(promise(&[&info(30), &one, &one, &one]), Promise::Short(30));
        assert_eq!(promise(&[&info(1), &one, &one, &one]), Promise::Exceeded(1));
        assert_eq!(promise(&[&info(2), &one, &one, &[0x55; 61], &info(3), &one, &one, &one]), Promise::OfNothing);
        assert_eq!(promise(&[&info(2), &one, &one, &info(3), &one, &one, &one]), Promise::OfNothing);
        assert_eq!(promise(&[&info(9), &one, &one, &info(3), &one, &one, &one]), Promise::Short(9), "the first part is cut off");
        assert_eq!(layout_of(&[&info(2), &one, &one, &info(3), &one, &one, &one]).frames, 5, "info frames are no audio");
    }

    #[test]
    fn free_format_is_told_from_other_frames() {
        let is_free = |bytes: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            is_free_format(&file).unwrap()
        };
        let free = |padding: u8, bytes: usize| {
            let mut frame = vec![0xff, 0xfb, padding << 1, 0x64];
            frame.resize(bytes, 0x11);
            frame
        };
        assert!(is_free(&[free(0, 600), free(1, 601), free(0, 600), free(0, 600)].concat()));
        assert!(is_free(&[b"ID3\x04\0\0\0\0\0\x02ab".to_vec(), free(0, 300), free(0, 300), free(0, 300)].concat()));
        assert!(!is_free(&[frame(), frame(), frame()].concat()));
        assert!(!is_free(&[free(0, 600), vec![0; 3000]].concat()) && !is_free(b"") && !is_free(b"ID3"));
    }
}
