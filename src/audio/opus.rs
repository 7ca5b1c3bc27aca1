//! Opus: what its header says, how long its packets are, and packets of several streams.
//!
//! libopus (through `symphonia-adapter-libopus`) decodes one stream of one or two channels. A file of more channels holds several such streams, a
//! packet of each one after the other, and says which of their channels is which: that is done here. So are the gain of the header, and
//! nothing is trimmed: where the audio begins and ends is for the container's time line.
//! Facts: RFC 7845 (header, channel mappings), RFC 6716, 3.1 and 3.2 (packet lengths) and appendix B (packets that tell their own length).

use symphonia::core::audio::layouts::{CHANNEL_LAYOUT_MONO, CHANNEL_LAYOUT_STEREO};
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::RegisterableAudioDecoder;
use symphonia::core::packet::PacketRef;
use symphonia::core::units::{Duration, Timestamp};

use super::error::AudioErrorKind;

/// Opus decodes to this rate, whatever rate its source had.
pub(super) const RATE_HZ: u32 = 48_000;
/// Most frames in a packet: 120 ms.
const MAX_PACKET_FRAMES: u64 = 5760;

/// The identification header.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OpusHead {
    /// Channels of the output.
    pub channels: usize,
    /// Frames that the decoder needs before the first that is to be heard.
    pub pre_skip: i64,
    gain: f32,
    streams: usize,
    /// How many of the streams, the first ones, are stereo.
    coupled: usize,
    /// For each output channel, in the order of a wav file, the decoded channel that goes there; 255 is silence.
    mapping: Vec<u8>,
}

impl OpusHead {
    /// Reads `OpusHead` as ogg and matroska have it, and with version 0 as an MP4's `dOps`, whose numbers are big-endian.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, AudioErrorKind> {
        let damaged = || AudioErrorKind::Damaged { at_secs: 0.0, reason: "its opus header is broken".to_owned() };
        let &[version, channels, skip_a, skip_b, _, _, _, _, gain_a, gain_b, family, ref table @ ..] =
            bytes.strip_prefix(b"OpusHead").ok_or_else(damaged)?
        else {
            return Err(damaged());
        };
        let (pre_skip, gain) = if version == 0 {
            (u16::from_be_bytes([skip_a, skip_b]), i16::from_be_bytes([gain_a, gain_b]))
        } else {
            (u16::from_le_bytes([skip_a, skip_b]), i16::from_le_bytes([gain_a, gain_b]))
        };
        let channels = usize::from(channels);
        let (streams, coupled, mapping) = match family {
            0 if (1..=2).contains(&channels) => (1, channels - 1, vec![0, 1]),
            1 if (1..=8).contains(&channels) => {
                let &[streams, coupled, ref mapping @ ..] = table else { return Err(damaged()) };
                (usize::from(streams), usize::from(coupled), mapping.to_vec())
            }
            0 | 1 => return Err(damaged()),
            other => return Err(AudioErrorKind::Unsupported(format!("opus with channel mapping {other}"))),
        };
        let decoded = streams + coupled;
        let mapping: Vec<u8> = mapping.get(..channels).ok_or_else(damaged)?.to_vec();
        if streams == 0 || coupled > streams || decoded > 255 || mapping.iter().any(|&from| from != 255 && usize::from(from) >= decoded) {
            return Err(damaged());
        }
        let mapping = wave_order(channels).iter().filter_map(|&from| mapping.get(from).copied()).collect();
        let gain = 10_f32.powf(f32::from(gain) / (20.0 * 256.0));
        Ok(Self { channels, pre_skip: i64::from(pre_skip), gain, streams, coupled, mapping })
    }
}

/// Where the channels of a wav file's order stand in vorbis's order (RFC 7845, 5.1.1.2).
fn wave_order(channels: usize) -> &'static [usize] {
    match channels {
        1 => &[0],
        2 => &[0, 1],
        3 => &[0, 2, 1],
        4 => &[0, 1, 2, 3],
        5 => &[0, 2, 1, 3, 4],
        6 => &[0, 2, 1, 5, 3, 4],
        7 => &[0, 2, 1, 6, 5, 3, 4],
        _ => &[0, 2, 1, 7, 5, 6, 3, 4],
    }
}

/// Decodes packets of all streams of a file.
pub(super) struct OpusDecoder {
    head: OpusHead,
    streams: Vec<Box<dyn AudioDecoder>>,
    /// Each stream's samples of the present packet, interleaved.
    decoded: Vec<Vec<f32>>,
}

impl OpusDecoder {
    pub(super) fn try_new(head: OpusHead) -> Result<Self, AudioErrorKind> {
        let new_stream = |stream| {
            let channels = if stream < head.coupled { CHANNEL_LAYOUT_STEREO } else { CHANNEL_LAYOUT_MONO };
            let mut params = AudioCodecParameters::new();
            params.for_codec(CODEC_ID_OPUS).with_sample_rate(RATE_HZ).with_channels(channels);
            symphonia_adapter_libopus::OpusDecoder::try_registry_new(&params, &AudioDecoderOptions::default())
                .map_err(AudioErrorKind::of_opening)
        };
        let streams = (0..head.streams).map(new_stream).collect::<Result<Vec<_>, _>>()?;
        let decoded = vec![Vec::new(); streams.len()];
        Ok(Self { head, streams, decoded })
    }

    pub(super) fn channels(&self) -> usize {
        self.head.channels
    }

    pub(super) fn reset(&mut self) {
        self.streams.iter_mut().for_each(|stream| stream.reset());
    }

    /// Appends a packet's interleaved samples; gives the number of frames.
    pub(super) fn decode(&mut self, packet: &[u8], into: &mut Vec<f32>) -> Result<usize, String> {
        let (mut rest, mut frames) = (packet, None);
        let last = self.streams.len() - 1;
        for (number, (stream, decoded)) in self.streams.iter_mut().zip(&mut self.decoded).enumerate() {
            let alone;
            let part = if number == last {
                rest
            } else {
                let taken;
                (alone, taken) = take_delimited(rest).ok_or("an opus packet of several streams is broken")?;
                rest = rest.get(taken..).unwrap_or(&[]);
                &alone[..]
            };
            if part.is_empty() {
                return Err("an opus packet is empty".to_owned());
            }
            let part = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, part);
            let buffer = stream.decode_ref(&part).map_err(|error| error.to_string())?;
            if frames.is_some_and(|frames| frames != buffer.frames()) {
                return Err("the streams of an opus packet differ in length".to_owned());
            }
            frames = Some(buffer.frames());
            decoded.clear();
            buffer.copy_to_vec_interleaved(decoded);
        }
        let frames = frames.unwrap_or(0);
        into.reserve(frames * self.head.channels);
        for frame in 0..frames {
            into.extend(self.head.mapping.iter().map(|&from| {
                let from = usize::from(from);
                let sample = if from == 255 {
                    None
                } else if from < 2 * self.head.coupled {
                    self.decoded.get(from / 2).and_then(|stream| stream.get(2 * frame + from % 2))
                } else {
                    self.decoded.get(from - self.head.coupled).and_then(|stream| stream.get(frame))
                };
                self.head.gain * sample.copied().unwrap_or(0.0)
            }));
        }
        Ok(frames)
    }
}

/// Whether a packet is of the voice coder, alone or together with the transform coder.
pub(super) fn is_voice(packet: &[u8]) -> bool {
    packet.first().is_some_and(|toc| toc >> 3 < 16)
}

/// Frames of a packet, at 48 kHz; all streams' packets of a file are as long as the first's.
pub(super) fn packet_frames(packet: &[u8]) -> Option<u64> {
    let &toc = packet.first()?;
    let frame = match toc >> 3 {
        config @ 0..=11 => [480, 960, 1920, 2880][usize::from(config % 4)],
        config @ 12..=15 => [480, 960][usize::from(config % 2)],
        config => [120, 240, 480, 960][usize::from(config % 4)],
    };
    let count = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(packet.get(1)? & 63),
    };
    Some(frame * count).filter(|frames| (1..=MAX_PACKET_FRAMES).contains(frames))
}

/// The packet at the start of `bytes` that tells its own length, as one that does not; and how many bytes it takes.
fn take_delimited(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let &toc = bytes.first()?;
    let mut alone = vec![toc];
    let mut at = 1;
    let size = |at: &mut usize| -> Option<usize> {
        let first = usize::from(*bytes.get(*at)?);
        *at += 1;
        if first < 252 {
            return Some(first);
        }
        let second = usize::from(*bytes.get(*at)?);
        *at += 1;
        Some(first + 4 * second)
    };
    let data = match toc & 3 {
        0 => size(&mut at)?,
        1 => 2 * size(&mut at)?,
        2 => {
            let from = at;
            let first = size(&mut at)?;
            alone.extend_from_slice(bytes.get(from..at)?);
            first + size(&mut at)?
        }
        _ => {
            let &counts = bytes.get(at)?;
            at += 1;
            let (is_variable, has_padding, count) = (counts & 0x80 != 0, counts & 0x40 != 0, usize::from(counts & 63));
            alone.push(counts);
            let mut padding = 0;
            if has_padding {
                loop {
                    let &more = bytes.get(at)?;
                    at += 1;
                    alone.push(more);
                    padding += if more == 255 { 254 } else { usize::from(more) };
                    if more != 255 {
                        break;
                    }
                }
            }
            let frames = if is_variable {
                let mut sum = 0;
                for _ in 1..count {
                    let from = at;
                    sum += size(&mut at)?;
                    alone.extend_from_slice(bytes.get(from..at)?);
                }
                sum + size(&mut at)?
            } else {
                count * size(&mut at)?
            };
            frames + padding
        }
    };
    let end = at.checked_add(data)?;
    alone.extend_from_slice(bytes.get(at..end)?);
    Some((alone, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packets_length_is_in_its_first_bytes() {
        assert_eq!(packet_frames(&[0b0000_0000]), Some(480));
        assert_eq!(packet_frames(&[0b0001_1001]), Some(5760), "two of 60 ms");
        assert_eq!(packet_frames(&[0b1111_1100]), Some(960));
        assert_eq!(packet_frames(&[0b1000_0011, 48]), Some(5760), "48 of 2.5 ms");
        assert_eq!(packet_frames(&[0b1111_1111, 7]), None, "more than 120 ms");
        assert_eq!(packet_frames(&[0b1111_1111]), None);
        assert_eq!(packet_frames(&[]), None);
    }

    #[test]
    fn a_packet_that_tells_its_length_is_taken_off_and_rewritten() {
        // Facts of RFC 6716, appendix B, for each way to pack frames.
        assert_eq!(take_delimited(&[0xfc, 2, 7, 8, 99]), Some((vec![0xfc, 7, 8], 4)));
        assert_eq!(take_delimited(&[0xfd, 1, 7, 8, 99]), Some((vec![0xfd, 7, 8], 4)));
        assert_eq!(take_delimited(&[0xfe, 1, 2, 7, 8, 9, 99]), Some((vec![0xfe, 1, 7, 8, 9], 6)));
        assert_eq!(take_delimited(&[0xff, 3, 1, 7, 8, 9, 99]), Some((vec![0xff, 3, 7, 8, 9], 6)));
        assert_eq!(take_delimited(&[0xff, 0xc2, 1, 1, 2, 7, 8, 9, 0, 99]), Some((vec![0xff, 0xc2, 1, 1, 7, 8, 9, 0], 9)));
        let mut long = vec![0xfc, 252, 1];
        long.resize(3 + 256, 5);
        assert_eq!(take_delimited(&long).map(|(alone, taken)| (alone.len(), taken)), Some((257, 259)));
        for broken in [&[][..], &[0xfc], &[0xfc, 9, 1], &[0xff, 0xc2, 1], &[0xfe, 255]] {
            assert_eq!(take_delimited(broken), None);
        }
    }

    #[test]
    fn the_header_is_read_and_a_broken_one_refused() {
        let mut head = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\x06\0".to_vec();
        let found = OpusHead::parse(&head).unwrap();
        assert_eq!((found.channels, found.pre_skip, found.streams, found.coupled), (2, 312, 1, 1));
        assert!((found.gain - 10_f32.powf(6.0 / 20.0)).abs() < 1e-6);
        head[18] = 1;
        assert!(OpusHead::parse(&head).is_err(), "a mapping without a table");
        head[18] = 255;
        assert!(matches!(OpusHead::parse(&head), Err(AudioErrorKind::Unsupported(_))));
        let surround = b"OpusHead\x01\x06\x38\x01\x80\xbb\0\0\0\0\x01\x04\x02\0\x04\x01\x02\x03\x05";
        assert_eq!(OpusHead::parse(surround).unwrap().mapping, [0, 1, 4, 5, 2, 3]);
        let beyond = b"OpusHead\x01\x06\x38\x01\x80\xbb\0\0\0\0\x01\x04\x02\0\x04\x01\x02\x03\x06";
        assert!(OpusHead::parse(beyond).is_err());
    }
}
