//! Opening: what a file is, and the decoder and numbers of its audio track.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use symphonia::core::codecs::audio::well_known::{CODEC_ID_ADPCM_IMA_WAV, CODEC_ID_ADPCM_MS, CODEC_ID_MP3};
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::units::TimeBase;

use super::codec::PacketDecoder;
use super::error::AudioErrorKind;
use super::layout::Container;
use super::matroska;
use super::metadata::read_metadata;
use super::mp4;
use super::mpeg;
use super::source::BoundedFile;
use crate::catalog::TrackMetadata;
use crate::plain_file;

/// Channels beyond which a header is taken for hostile.
const MAX_CHANNELS: usize = 64;
/// Sample rates outside of which a header is taken for hostile, in Hz.
const SAMPLE_RATES_HZ: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// A file whose container is known.
pub(super) struct Opened {
    pub reader: Box<dyn FormatReader>,
    pub container: Container,
    pub metadata: TrackMetadata,
}

/// Opens a file and finds out what it is, by its bytes; its ending is only a hint.
pub(super) fn open(path: &Path) -> Result<Opened, AudioErrorKind> {
    let file = plain_file::open(path).map_err(AudioErrorKind::of_file)?;
    if file.metadata().map_err(AudioErrorKind::Io)?.len() == 0 {
        return Err(AudioErrorKind::Empty);
    }
    // Opened once more, since a cloned handle would share its place in the file with the reader.
    let again = plain_file::open(path).map_err(AudioErrorKind::of_file)?;
    let mut reader = match probe(Box::new(file), path) {
        Ok(reader) => reader,
        // An MP4's tables mostly stand at its end, and Matroska says at its beginning how long it is.
        Err(AudioErrorKind::Unsupported(_) | AudioErrorKind::Damaged { .. }) if is_cut_off(&again) => {
            return Err(AudioErrorKind::CutOff { found_secs: 0.0, promised_secs: None });
        }
        Err(error) => return Err(error),
    };
    let mut metadata = read_metadata(reader.as_mut());
    let mut container = Container::of(reader.format_info().short_name, &again)?;
    if let Container::Matroska(layout) = &container {
        metadata.title = metadata.title.or_else(|| layout.title.clone());
    }
    if let Container::Adts(layout) = &container {
        let end = layout.audio_end;
        reader = probe(Box::new(BoundedFile::new(again, end).map_err(AudioErrorKind::Io)?), path)?;
    } else if codec_of(reader.as_ref()) == Some(CODEC_ID_MP3) && !container.is_counted() {
        let layout = mpeg::read_layout(&again).map_err(AudioErrorKind::Io)?;
        container = Container::Mpeg(layout);
        reader = probe(Box::new(BoundedFile::new(again, layout.audio_end).map_err(AudioErrorKind::Io)?), path)?;
    }
    Ok(Opened { reader, container, metadata })
}

/// Whether a file that cannot be opened has the beginning of an MP4 or Matroska file and lacks its end.
fn is_cut_off(file: &File) -> bool {
    let mut head = [0; 8];
    let mut reader = file;
    if reader.rewind().and_then(|()| reader.read_exact(&mut head)).is_err() {
        return false;
    }
    match head {
        [_, _, _, _, b'f', b't', b'y', b'p'] => mp4::read_layout(file).is_ok_and(|layout| layout.is_cut_off),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => matroska::read_layout(file).is_ok_and(|layout| layout.is_cut_off),
        _ => false,
    }
}

/// What a container says of its audio track.
pub(super) struct Link {
    pub decoder: PacketDecoder,
    pub track_id: u32,
    pub time_base: Option<TimeBase>,
    pub num_frames: Option<u64>,
    /// Frames before the first that sounds.
    pub delay: i64,
    /// Frames of a packet where they are compressed, and 0 where they are not.
    pub packet_frames: i64,
    /// Whether whole blocks are decoded, of which the last may be longer than the audio.
    pub has_padded_end: bool,
}

impl Link {
    pub(super) fn of(reader: &dyn FormatReader, container: &Container) -> Result<Self, AudioErrorKind> {
        let unsupported = |reason: &str| AudioErrorKind::Unsupported(reason.to_owned());
        let track = reader.default_track(TrackType::Audio).ok_or_else(|| unsupported("no audio track in it"))?;
        let params = track.codec_params.as_ref().and_then(|params| params.audio()).ok_or_else(|| unsupported("no audio track in it"))?;
        // Padding is cut here and not by the decoder, which would trust a guessed length of an MP3 and every page's end of an ogg.
        let decoder = PacketDecoder::of(params, *container == Container::Indexed)?;
        if !(1..=MAX_CHANNELS).contains(&decoder.channels) {
            return Err(unsupported(&format!("{} channels", decoder.channels)));
        }
        let is_timed = container.is_counted() || track.time_base == TimeBase::try_from_recip(decoder.rate_hz);
        if !SAMPLE_RATES_HZ.contains(&decoder.rate_hz) || !is_timed {
            return Err(unsupported(&format!("{} Hz", decoder.rate_hz)));
        }
        let has_padded_end = [CODEC_ID_ADPCM_IMA_WAV, CODEC_ID_ADPCM_MS].contains(&params.codec);
        let packet_frames = params.max_frames_per_packet.filter(|_| !decoder.is_pcm).and_then(|frames| i64::try_from(frames).ok());
        Ok(Self {
            decoder,
            track_id: track.id,
            time_base: track.time_base,
            num_frames: track.num_frames,
            delay: track.delay.map_or(0, i64::from),
            packet_frames: packet_frames.unwrap_or(0).min(1 << 16),
            has_padded_end,
        })
    }
}

fn codec_of(reader: &dyn FormatReader) -> Option<symphonia::core::codecs::audio::AudioCodecId> {
    let track = reader.default_track(TrackType::Audio)?;
    track.codec_params.as_ref()?.audio().map(|params| params.codec)
}

fn probe(source: Box<dyn MediaSource>, path: &Path) -> Result<Box<dyn FormatReader>, AudioErrorKind> {
    let mut hint = Hint::new();
    if let Some(ending) = path.extension().and_then(|ending| ending.to_str()) {
        hint.with_extension(ending);
    }
    let source = MediaSourceStream::new(source, Default::default());
    symphonia::default::get_probe()
        .probe(&hint, source, FormatOptions::default(), MetadataOptions::default())
        .map_err(AudioErrorKind::of_opening)
}
