//! Packets to samples, whatever the codec.

use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_PCM_F64BE_PLANAR, CODEC_ID_PCM_S32LE, CODEC_ID_VORBIS,
};
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::Packet;

use super::aac::{self, AacDecoder};
use super::error::AudioErrorKind;
use super::mpeg_frames::FrameHeader;
use super::opus::{self, OpusDecoder, OpusHead};
use super::vorbis::with_turned_couplings;

/// A decoder of one stream's packets.
pub(super) struct PacketDecoder {
    codec: AudioCodecId,
    engine: Engine,
    /// Packets that were decoded since the start.
    packets: u64,
    /// Whether packets are plain samples.
    pub is_pcm: bool,
    /// Bytes of a frame where each has the same number.
    frame_bytes: Option<u64>,
    /// Channels of what it gives.
    pub channels: usize,
    /// Frames in a second of what it gives.
    pub rate_hz: u32,
    /// Frames before the first that sounds, as the codec's own header says.
    pub pre_skip: Option<i64>,
}

enum Engine {
    Symphonia(Box<dyn AudioDecoder>),
    Aac(AacDecoder),
    Opus(OpusDecoder),
}

/// What has to be decoded before a stretch so that it has the samples that it has in a decode of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preroll {
    /// So many frames, at least.
    Frames(i64),
    /// From a packet on whose number is a multiple of this, with the one before it to warm up.
    From(u64),
}

impl PacketDecoder {
    /// A decoder; `is_trimming` if it is to cut what packets say is delay or padding.
    pub(super) fn of(params: &AudioCodecParameters, is_trimming: bool) -> Result<Self, AudioErrorKind> {
        let codec = params.codec;
        let mut pre_skip = None;
        let engine = match codec {
            CODEC_ID_OPUS => {
                let head = OpusHead::parse(params.extra_data.as_deref().unwrap_or_default())?;
                pre_skip = Some(head.pre_skip);
                Engine::Opus(OpusDecoder::try_new(head)?)
            }
            CODEC_ID_AAC => Engine::Aac(AacDecoder::try_new(params)?),
            _ => {
                let options = AudioDecoderOptions::default().gapless(is_trimming).verify(true);
                let headers = params.extra_data.as_deref().filter(|_| codec == CODEC_ID_VORBIS);
                let channels = params.channels.as_ref().map_or(0, |channels| channels.count());
                let turned = headers.and_then(|headers| with_turned_couplings(headers, channels)).map(|headers| {
                    let mut params = params.clone();
                    params.with_extra_data(headers);
                    params
                });
                let params = turned.as_ref().unwrap_or(params);
                let decoder = symphonia::default::get_codecs().make_audio_decoder(params, &options).map_err(AudioErrorKind::of_opening)?;
                Engine::Symphonia(decoder)
            }
        };
        let own = match &engine {
            Engine::Symphonia(decoder) => decoder.codec_params(),
            Engine::Aac(decoder) => decoder.inner().codec_params(),
            Engine::Opus(_) => params,
        };
        let channels = match &engine {
            Engine::Opus(decoder) => decoder.channels(),
            _ => own.channels.as_ref().or(params.channels.as_ref()).map_or(0, |channels| channels.count()),
        };
        let rate_hz = if codec == CODEC_ID_OPUS { opus::RATE_HZ } else { own.sample_rate.or(params.sample_rate).unwrap_or(0) };
        let is_pcm = (CODEC_ID_PCM_S32LE..=CODEC_ID_PCM_F64BE_PLANAR).contains(&codec);
        let frame_bytes = params.bits_per_sample.filter(|_| is_pcm).map(|bits| u64::from(bits.div_ceil(8)) * channels as u64);
        Ok(Self { codec, engine, packets: 0, is_pcm, frame_bytes: frame_bytes.filter(|&bytes| bytes > 0), channels, rate_hz, pre_skip })
    }

    /// Decodes a packet and appends its samples, interleaved; gives the number of frames.
    ///
    /// # Errors
    /// Damage, whose place is for the caller to fill in, and streams that change midway.
    pub(super) fn decode(&mut self, packet: &Packet, into: &mut Vec<f32>) -> Result<usize, AudioErrorKind> {
        let damaged = |reason: String| AudioErrorKind::Damaged { at_secs: 0.0, reason };
        self.packets += 1;
        let from = into.len();
        let (frames, channels, rate_hz) = match &mut self.engine {
            Engine::Opus(decoder) => (decoder.decode(&packet.data, into).map_err(damaged)?, self.channels, self.rate_hz),
            Engine::Aac(decoder) => decoder.decode(packet, into)?,
            Engine::Symphonia(decoder) => {
                let buffer = decoder.decode(packet).map_err(|error| damaged(error.to_string()))?;
                let (frames, spec) = (buffer.frames(), buffer.spec());
                let shape = (spec.channels().count(), spec.rate());
                if frames > 0 && shape == (self.channels, self.rate_hz) {
                    into.resize(from + frames * self.channels, 0.0);
                    buffer.copy_to_slice_interleaved(&mut into[from..]);
                }
                (frames, shape.0, shape.1)
            }
        };
        if (channels, rate_hz) != (self.channels, self.rate_hz) {
            into.truncate(from);
            return Err(AudioErrorKind::Unsupported("its channels or sample rate change midway".to_owned()));
        }
        Ok(frames)
    }

    /// Whether what the last packet gave is none yet: the first of vorbis has nothing to overlap with.
    pub(super) fn is_priming(&self) -> bool {
        self.codec == CODEC_ID_VORBIS && self.packets == 1
    }

    /// Frames that a packet will give, where it says so without being decoded.
    pub(super) fn frames_of(&self, packet: &Packet) -> Option<u64> {
        match self.codec {
            CODEC_ID_OPUS => opus::packet_frames(&packet.data),
            CODEC_ID_AAC => Some(aac::PACKET_FRAMES),
            CODEC_ID_MP3 => {
                let word = packet.data.get(..4)?.try_into().ok()?;
                FrameHeader::parse(u32::from_be_bytes(word)).map(FrameHeader::samples)
            }
            _ => self.frame_bytes.map(|bytes| packet.data.len() as u64 / bytes),
        }
    }

    /// What has to be decoded before a stretch of packets such as this one.
    pub(super) fn preroll(&self, packet: &Packet) -> Preroll {
        match self.codec {
            CODEC_ID_AAC => Preroll::From(aac::RESTART_PACKETS),
            // What opus predicts from the past dies away; after 80 ms it cannot be heard. Of its transform coder no bit of it is left after seconds. Its voice
            // coder computes in integers, and some last bits differ for as long as it goes on.
            CODEC_ID_OPUS => Preroll::Frames(i64::from(opus::RATE_HZ) * if opus::is_voice(&packet.data) { 120 } else { 4 }),
            // More than the bit reservoir can reach back at the lowest bit rates.
            CODEC_ID_MP3 => Preroll::Frames(32 * 1152),
            _ => Preroll::Frames(0),
        }
    }

    /// Forgets the past; the next packet is number `next`, and `before` the one before it, where [`Preroll::From`] asks for it.
    pub(super) fn restart(&mut self, next: u64, before: Option<Packet>) {
        match &mut self.engine {
            Engine::Symphonia(decoder) => decoder.reset(),
            Engine::Opus(decoder) => decoder.reset(),
            Engine::Aac(decoder) => decoder.restart_at(next, before),
        }
    }

    /// Whether an MP3's frame: one that cannot be decoded is silent in every player.
    pub(super) fn is_mp3(&self) -> bool {
        self.codec == CODEC_ID_MP3
    }

    /// Whether a packet's own trims at its start are to be cut.
    pub(super) fn is_opus(&self) -> bool {
        self.codec == CODEC_ID_OPUS
    }

    /// Holds the checksum of all samples against what was decoded, where the stream has one.
    pub(super) fn is_checksum_wrong(&mut self) -> bool {
        match &mut self.engine {
            Engine::Symphonia(decoder) => decoder.finalize().verify_ok == Some(false),
            _ => false,
        }
    }
}
