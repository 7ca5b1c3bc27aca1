//! Opening: what a file is, and the decoder and numbers of its audio track.

use std::fs::File;
use std::path::Path;

use symphonia::core::codecs::audio::well_known::{CODEC_ID_ADPCM_IMA_WAV, CODEC_ID_ADPCM_MS, CODEC_ID_MP3, CODEC_ID_OPUS};
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::units::TimeBase;

use super::chunk_file::ChunkFile;
use super::codec::PacketDecoder;
use super::error::AudioErrorKind;
use super::flac_file::FlacFile;
use super::layout::Container;
use super::metadata::{add_revision, chunk_metadata, id3_in, read_metadata};
use super::mpeg;
use super::mpeg_reader::{Gaps, MpegReader};
use super::ogg_layout;
use super::repair::Repaired;
use super::source::FileStretch;
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
    pub end: FileEnd,
}

/// What the bytes of a file say of its end, besides its container.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct FileEnd {
    /// The declared length by the true one, where they differ.
    pub promised_ratio: Option<f64>,
    /// Whether the bytes of the audio are counted, so that their end is the stream's.
    pub is_measured: bool,
    /// Whether the file ends inside of a packet.
    pub is_ragged: bool,
    /// Whether more audio follows that is not read.
    pub goes_on: bool,
}

/// Opens a file and finds out what it is, by its bytes; its ending is only a hint.
pub(super) fn open(path: &Path) -> Result<Opened, AudioErrorKind> {
    let file = plain_file::open(path).map_err(AudioErrorKind::of_file)?;
    if file.metadata().map_err(AudioErrorKind::Io)?.len() == 0 {
        return Err(AudioErrorKind::Empty);
    }
    // Opened once more, since a cloned handle would share its place in the file with the reader.
    let again = plain_file::open(path).map_err(AudioErrorKind::of_file)?;
    let io = AudioErrorKind::Io;
    if let Some(chunks) = ChunkFile::read(&again).map_err(io)? {
        return open_chunks(&chunks, file, again, path);
    }
    if let Some(flac) = FlacFile::read(&again).map_err(io)? {
        return open_flac(&flac, file, again, path);
    }
    if mpeg::is_free_format(&again).map_err(io)? {
        return Err(AudioErrorKind::Unsupported("free-format MP3 is not supported".to_owned()));
    }
    if let Some(codecs) = ogg_layout::read_layout(&again).map_err(io)?.unreadable() {
        return Err(AudioErrorKind::NoKnownAudio(codecs));
    }
    let repaired = Repaired::of(file, &again).map_err(io)?;
    let mut end = FileEnd { promised_ratio: repaired.promised_ratio, ..FileEnd::default() };
    let mut reader = match probe(Box::new(repaired.source), path) {
        Ok(reader) => reader,
        // An MP4's tables mostly stand at its end, and Matroska says at its beginning how long it is.
        Err(AudioErrorKind::Unsupported(_) | AudioErrorKind::Damaged { .. }) if repaired.is_cut_off => {
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
        end.goes_on = layout.goes_on;
        reader = probe(Box::new(FileStretch::first(again, layout.audio_end)), path)?;
    } else if codec_of(reader.as_ref(), &container) == Some(CODEC_ID_MP3) && !container.is_counted() {
        let layout = mpeg::read_layout(&again).map_err(io)?;
        container = Container::Mpeg(layout);
        // symphonia knows what the encoders' notes say of their delays.
        let gaps = audio_track(reader.as_ref(), &container)
            .map_or(Gaps::default(), |track| Gaps { delay: track.delay.unwrap_or(0), padding: track.padding.unwrap_or(0) });
        reader = Box::new(MpegReader::open(again, layout, gaps).map_err(io)?);
    }
    Ok(Opened { reader, container, metadata, end })
}

fn open_chunks(chunks: &ChunkFile, file: File, again: File, path: &Path) -> Result<Opened, AudioErrorKind> {
    let found = chunks.data.end - chunks.data.start;
    if found == 0 {
        let is_cut = chunks.promised_bytes.is_some();
        return Err(if is_cut { AudioErrorKind::CutOff { found_secs: 0.0, promised_secs: None } } else { AudioErrorKind::NoSamples });
    }
    let id3 = chunks.id3.clone().and_then(|stretch| id3_in(again, stretch));
    let reader = probe(Box::new(chunks.open(file)), path)?;
    // Of whole blocks: a file may be cut off inside of one.
    let blocks = |bytes: u64| bytes / chunks.block_bytes;
    let promised = chunks.promised_bytes.map(blocks).filter(|&promised| promised != blocks(found));
    let promised_ratio = promised.map(|promised| promised as f64 / blocks(found).max(1) as f64);
    Ok(Opened {
        reader,
        container: Container::Indexed,
        metadata: chunk_metadata(&chunks.texts, id3.as_ref()),
        end: FileEnd { promised_ratio, is_measured: true, is_ragged: false, goes_on: chunks.goes_on },
    })
}

fn open_flac(flac: &FlacFile, file: File, again: File, path: &Path) -> Result<Opened, AudioErrorKind> {
    let mut reader = probe(Box::new(flac.open(file, true)), path)?;
    let mut metadata = read_metadata(reader.as_mut());
    if flac.start > 0
        // The copy shares its place in the file, and is done with before the file is read on.
        && let Some(revision) = again.try_clone().ok().and_then(|file| id3_in(file, 0..flac.start))
    {
        add_revision(&mut metadata, &revision);
    }
    if flac.end < flac.len {
        reader = probe(Box::new(flac.open(again, false)), path)?;
    }
    let end = FileEnd { is_ragged: flac.is_ragged, ..FileEnd::default() };
    Ok(Opened { reader, container: Container::Indexed, metadata, end })
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
        let none = || {
            let codecs = if let Container::Matroska(layout) = container { layout.codecs() } else { String::new() };
            AudioErrorKind::NoKnownAudio(if codecs.is_empty() { "no track of audio".to_owned() } else { codecs })
        };
        let track = audio_track(reader, container).ok_or_else(none)?;
        let params = track.codec_params.as_ref().and_then(|params| params.audio()).ok_or_else(none)?;
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

/// The track that plays where nobody chooses: of a Matroska file, the first of those that are flagged so, also by leaving the flag out, that can be decoded.
pub(super) fn audio_track<'r>(reader: &'r dyn FormatReader, container: &Container) -> Option<&'r Track> {
    let Container::Matroska(layout) = container else { return reader.default_track(TrackType::Audio) };
    let is_known = |track: &&Track| {
        let codec = track.codec_params.as_ref().and_then(|params| params.audio()).map(|params| params.codec);
        codec.is_some_and(|codec| codec == CODEC_ID_OPUS || symphonia::default::get_codecs().get_audio_decoder(codec).is_some())
    };
    let mut tracks = layout.audio_tracks().filter_map(|number| reader.tracks().iter().find(|track| u64::from(track.id) == number));
    tracks.find(is_known).or_else(|| reader.default_track(TrackType::Audio))
}

fn codec_of(reader: &dyn FormatReader, container: &Container) -> Option<symphonia::core::codecs::audio::AudioCodecId> {
    let track = audio_track(reader, container)?;
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
