//! AAC: a decode that can begin in the middle, and what symphonia's decoder does not do.
//!
//! symphonia decodes AAC-LC of one or two channels. Files of more are refused by it; a file with spectral band replication (HE-AAC) is not
//! where only its packets say so, and would lose its upper half: [`has_band_replication`] finds that.
//!
//! Noise bands are filled from a generator that runs on from packet to packet. So that a stretch has the samples that the whole has, a new decoder
//! begins at every 128th packet, warmed up by the packet before: all that AAC-LC hands on from a packet to the next is its overlapping half
//! window, so that this changes nothing but the generator's state.
//! Facts: ISO/IEC 14496-3, 4.4.2.1 (raw data blocks, fill elements) and 4.5.2.8.2 (SBR within them).

use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::packet::Packet;

use super::error::AudioErrorKind;

/// Frames of a packet.
pub(super) const PACKET_FRAMES: u64 = 1024;
/// Packets after which a new decoder begins.
pub(super) const RESTART_PACKETS: u64 = 128;
/// Packets that are looked at for band replication, and how many have to have it.
const PROBED: (u64, u64) = (16, 13);

/// Decodes the packets of one AAC-LC stream.
pub(super) struct AacDecoder {
    params: AudioCodecParameters,
    decoder: Box<dyn AudioDecoder>,
    /// Number of the next packet in the stream.
    next: u64,
    before: Option<Packet>,
    probed: u64,
    replicated: u64,
}

impl AacDecoder {
    pub(super) fn try_new(params: &AudioCodecParameters) -> Result<Self, AudioErrorKind> {
        let decoder = new_decoder(params).map_err(|error| match error {
            Error::Unsupported(_) => {
                AudioErrorKind::Unsupported("aac that is not AAC-LC of one or two channels, as HE-AAC or surround".to_owned())
            }
            other => AudioErrorKind::of_opening(other),
        })?;
        Ok(Self { params: params.clone(), decoder, next: 0, before: None, probed: 0, replicated: 0 })
    }

    /// The decoder as symphonia made it.
    pub(super) fn inner(&self) -> &dyn AudioDecoder {
        self.decoder.as_ref()
    }

    /// Goes on with packet `next`, at which a new decoder begins, behind the packet `before`.
    pub(super) fn restart_at(&mut self, next: u64, before: Option<Packet>) {
        (self.next, self.before) = (next, before);
    }

    /// Appends a packet's interleaved samples; gives frames, channels and rate.
    pub(super) fn decode(&mut self, packet: &Packet, into: &mut Vec<f32>) -> Result<(usize, usize, u32), AudioErrorKind> {
        let damaged = |error: Error| AudioErrorKind::Damaged { at_secs: 0.0, reason: error.to_string() };
        self.look_for_replication(&packet.data)?;
        if self.next.is_multiple_of(RESTART_PACKETS) && self.next > 0 {
            self.decoder = new_decoder(&self.params).map_err(damaged)?;
            if let Some(before) = &self.before {
                // If it is damaged, that was said when it was decoded.
                let _ = self.decoder.decode(before);
            }
        }
        if (self.next + 1).is_multiple_of(RESTART_PACKETS) {
            self.before = Some(packet.clone());
        }
        self.next += 1;
        let buffer = self.decoder.decode(packet).map_err(damaged)?;
        let frames = buffer.frames();
        let (channels, rate) = (buffer.spec().channels().count(), buffer.spec().rate());
        let from = into.len();
        into.resize(from + frames * channels, 0.0);
        buffer.copy_to_slice_interleaved(&mut into[from..]);
        Ok((frames, channels, rate))
    }

    fn look_for_replication(&mut self, packet: &[u8]) -> Result<(), AudioErrorKind> {
        if self.probed < PROBED.0 {
            self.probed += 1;
            self.replicated += u64::from(has_band_replication(packet));
            if self.replicated >= PROBED.1 {
                return Err(AudioErrorKind::Unsupported("HE-AAC, aac with spectral band replication".to_owned()));
            }
        }
        Ok(())
    }
}

fn new_decoder(params: &AudioCodecParameters) -> Result<Box<dyn AudioDecoder>, Error> {
    symphonia::default::get_codecs().make_audio_decoder(params, &AudioDecoderOptions::default().gapless(false))
}

/// Whether a raw data block seems to end with a fill element of band replication data and the end mark.
///
/// What comes before cannot be skipped without decoding it. So the element is looked for from the end, at every length that it may have: a block without
/// one looks as if it had one in one of eight cases, and always having it is no chance.
fn has_band_replication(block: &[u8]) -> bool {
    let bits = |from: usize, count: usize| -> usize {
        (from..from + count).fold(0, |word, at| word << 1 | usize::from(block[at / 8] >> (7 - at % 8) & 1))
    };
    // Behind the end mark, 111, zeros fill up the byte.
    let Some(last) = block.iter().rposition(|&byte| byte != 0) else { return false };
    let end = last * 8 + 8 - block[last].trailing_zeros() as usize;
    if block.len() - last > 1 || end < 3 || bits(end - 3, 3) != 7 {
        return false;
    }
    let end = end - 3;
    (1..=269).any(|bytes: usize| {
        // Element 6, its length in four bits, or 15 and eight more; then the kind: 13 or 14.
        let head = if bytes < 15 { 7 } else { 15 };
        let Some(from) = end.checked_sub(8 * bytes + head) else { return false };
        let length = if bytes < 15 { bytes } else { 15 << 8 | (bytes - 14) };
        bits(from, 3) == 6 && bits(from + 3, head - 3) == length && [13, 14].contains(&bits(from + head, 4))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits, most significant first, as bytes.
    fn packed(bits: &[(u32, usize)]) -> Vec<u8> {
        let flat: Vec<u8> = bits.iter().flat_map(|&(word, count)| (0..count).rev().map(move |bit| (word >> bit & 1) as u8)).collect();
        flat.chunks(8).map(|byte| byte.iter().enumerate().fold(0, |sum, (at, bit)| sum | bit << (7 - at))).collect()
    }

    #[test]
    fn band_replication_is_seen_at_a_blocks_end_whatever_its_length() {
        for lead in 0..9 {
            for bytes in [1_u32, 5, 14, 15, 60] {
                let mut block = vec![(0, lead), (0x1234_5678, 32), (6, 3)];
                if bytes < 15 {
                    block.push((bytes, 4));
                } else {
                    block.extend([(15, 4), (bytes - 14, 8)]);
                }
                block.push((13, 4));
                block.extend(vec![(0x5a, 8); bytes as usize - 1]);
                block.extend([(9, 4), (7, 3)]);
                assert!(has_band_replication(&packed(&block)), "{bytes} bytes behind {lead} bits");
            }
        }
    }

    #[test]
    fn ordinary_blocks_seldom_look_as_if_they_had_it() {
        let mut random = crate::seed::SplitMix64::new(7);
        let found = (0..2000)
            .filter(|_| {
                let mut block: Vec<u8> = (0..300).map(|_| random.next_u64() as u8).collect();
                block.push(0b1110_0000 | (random.next_u64() as u8 & 1) << 7);
                has_band_replication(&block)
            })
            .count();
        assert!(found < 2000 / 4, "{found}");
        assert!(!has_band_replication(&[]) && !has_band_replication(&[0; 9]) && !has_band_replication(&[7]));
    }
}
