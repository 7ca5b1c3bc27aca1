//! An MP3 as symphonia's decoders take it: frame by frame, part by part.
//!
//! symphonia's own reader takes the first part's form for all of a file, and syncs to what looks like a frame in a tag. This one gives the very frames that
//! `mpeg` counts, and asks for a new decoder where a part of another form begins.

use std::fs::File;
use std::io;

use symphonia::core::audio::{Channels, Position};
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_MP3;
use symphonia::core::errors::{Error, Result, SeekErrorKind};
use symphonia::core::formats::well_known::FORMAT_ID_MP3;
use symphonia::core::formats::{FormatInfo, FormatReader, MediaInfo, SeekMode, SeekTo, SeekedTo, Track};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::{Metadata, MetadataLog};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use super::mpeg::{MpegLayout, Promise};
use super::mpeg_frames::{Frame, FrameHeader, Frames};
use super::source::FileStretch;

const INFO: FormatInfo = FormatInfo { format: FORMAT_ID_MP3, short_name: "mp3", long_name: "MPEG Audio Layer 3" };

/// Samples that are not heard, as an encoder's note in the first frame says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gaps {
    /// Before the first.
    pub delay: u32,
    /// Behind the last.
    pub padding: u32,
}

/// Reads the frames of an MP3.
pub(super) struct MpegReader {
    frames: Frames<File>,
    layout: MpegLayout,
    gaps: Gaps,
    tracks: [Track; 1],
    media_info: MediaInfo,
    metadata: MetadataLog,
    /// Form of the part that is being read.
    form: Option<FrameHeader>,
    /// The first frame of a part, until its decoder is there.
    held: Option<Frame>,
    /// When the next frame begins, in samples of its part.
    next: i64,
}

impl MpegReader {
    /// At the start of a file that was walked over.
    ///
    /// # Errors
    /// What reading the file gives.
    pub(super) fn open(file: File, layout: MpegLayout, gaps: Gaps) -> io::Result<Self> {
        let len = file.metadata()?.len();
        let frames = Frames::new(file, len)?;
        let (media_info, metadata) = (MediaInfo::default(), MetadataLog::default());
        let next = -i64::from(gaps.delay);
        let mut reader = Self { frames, layout, gaps, tracks: [Track::new(0)], media_info, metadata, form: None, held: None, next };
        reader.held = reader.next_frame()?;
        if let Some(first) = reader.held {
            reader.begin_part(first.header);
            let discarded = u64::from(gaps.delay) + u64::from(gaps.padding);
            if let Some(promised) = layout.promised_frames.filter(|_| layout.promise() == Promise::Kept) {
                reader.tracks[0].with_num_frames((promised * layout.frame_samples).saturating_sub(discarded));
            }
        }
        Ok(reader)
    }

    /// The next frame of audio.
    fn next_frame(&mut self) -> io::Result<Option<Frame>> {
        while let Some(frame) = self.frames.next()? {
            if !frame.is_info {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    fn begin_part(&mut self, header: FrameHeader) {
        self.form = Some(header);
        let places = if header.channels() == 1 { Position::FRONT_LEFT } else { Position::FRONT_LEFT | Position::FRONT_RIGHT };
        let mut params = AudioCodecParameters::new();
        params.for_codec(CODEC_ID_MP3).with_sample_rate(header.sample_rate_hz).with_channels(Channels::Positioned(places));
        self.tracks[0] = Track::new(0);
        self.tracks[0].with_codec_params(CodecParameters::Audio(params));
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.frames.rewind();
        (self.held, self.form, self.next) = (None, None, -i64::from(self.gaps.delay));
        self.held = self.next_frame()?;
        self.form = self.held.map(|first| first.header);
        Ok(())
    }
}

impl FormatReader for MpegReader {
    fn format_info(&self) -> &FormatInfo {
        &INFO
    }

    fn media_info(&self) -> &MediaInfo {
        &self.media_info
    }

    fn metadata(&mut self) -> Metadata<'_> {
        self.metadata.metadata()
    }

    fn seek(&mut self, _mode: SeekMode, to: SeekTo) -> Result<SeekedTo> {
        let SeekTo::Timestamp { ts: required_ts, track_id } = to else { return Err(Error::SeekError(SeekErrorKind::Unseekable)) };
        // A part's frames are counted from its own start.
        if self.layout.parts != 1 {
            return Err(Error::SeekError(SeekErrorKind::Unseekable));
        }
        if required_ts.get() < self.next {
            self.rewind()?;
        }
        loop {
            let frame = match self.held.take() {
                Some(frame) => Some(frame),
                None => self.next_frame()?,
            };
            let Some(frame) = frame else { return Err(Error::SeekError(SeekErrorKind::OutOfRange)) };
            let end = self.next.saturating_add(frame.header.samples() as i64);
            if end > required_ts.get() {
                self.held = Some(frame);
                return Ok(SeekedTo { track_id, required_ts, actual_ts: Timestamp::new(self.next) });
            }
            self.next = end;
        }
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn next_packet(&mut self) -> Result<Option<Packet>> {
        let frame = match self.held.take() {
            Some(frame) => frame,
            None => {
                let Some(frame) = self.next_frame()? else { return Ok(None) };
                if self.form.is_some_and(|form| !frame.header.is_like(form)) {
                    self.begin_part(frame.header);
                    (self.held, self.next) = (Some(frame), 0);
                    return Err(Error::ResetRequired);
                }
                frame
            }
        };
        let data = self.frames.data(frame)?;
        let (start, samples) = (self.next, frame.header.samples());
        self.next = start.saturating_add(samples as i64);
        Ok(Some(Packet::new(0, Timestamp::new(start), Duration::new(samples), data)))
    }

    fn into_inner<'s>(self: Box<Self>) -> MediaSourceStream<'s>
    where
        Self: 's,
    {
        MediaSourceStream::new(Box::new(FileStretch::first(self.frames.into_inner(), self.layout.audio_end)), Default::default())
    }
}
