//! Vorbis of more than two channels: its channel couplings in the order in which symphonia undoes them.
//!
//! The couplings of a setup header have to be undone last first (Vorbis I, 4.3.5). symphonia 0.6 undoes them first first, which is the same for a
//! single pair, and mixes channels up where one of them is in several, as in every 5.1 file of the reference encoder. Until that is mended there, the
//! header's list is turned round before it gets it. The streams' own flags of unused channels are passed on along the same list; that order only
//! matters to residues of types 0 and 1, which no encoder of surround writes.
//!
//! The list stands near the header's end, behind tables that cannot be skipped without being read. So it is looked for from every bit on: what comes
//! there has so many fixed fields, and has to end so exactly with the header, that nothing else passes for it.
//! Facts: Vorbis I, 4.2.4 (setup header), 2.1.4 (bits are packed from the lowest on).

/// Identification header, which stands before the setup header.
const IDENT_BYTES: usize = 30;

/// The headers with every mapping's couplings turned round; `None` where there is nothing to turn, or no place for it is found.
pub(super) fn with_turned_couplings(headers: &[u8], channels: usize) -> Option<Box<[u8]>> {
    if channels <= 2 {
        return None;
    }
    let setup = headers.get(IDENT_BYTES..).filter(|setup| setup.starts_with(b"\x05vorbis"))?;
    let last = setup.iter().rposition(|&byte| byte != 0)?;
    let framing = last * 8 + 7 - setup[last].leading_zeros() as usize;
    let mut places = (0..framing).filter_map(|from| Tail { bytes: setup, at: from, end: framing, channels }.couplings());
    let found = places.next().filter(|_| places.next().is_none())?;
    let mut turned: Box<[u8]> = headers.into();
    let turned_setup = &mut turned[IDENT_BYTES..];
    for (from, bits, count) in found {
        for pair in 0..count {
            for bit in 0..2 * bits {
                let source = from + (count - 1 - pair) * 2 * bits + bit;
                let target = from + pair * 2 * bits + bit;
                let value = setup[source / 8] >> (source % 8) & 1;
                turned_setup[target / 8] = turned_setup[target / 8] & !(1 << (target % 8)) | value << (target % 8);
            }
        }
    }
    Some(turned)
}

/// Mappings and modes up to the framing bit.
struct Tail<'b> {
    bytes: &'b [u8],
    at: usize,
    end: usize,
    channels: usize,
}

impl Tail<'_> {
    fn read(&mut self, bits: usize) -> Option<usize> {
        let from = self.at;
        self.at += bits;
        (self.at <= self.end)
            .then(|| (0..bits).fold(0, |word, bit| word | usize::from(self.bytes[(from + bit) / 8] >> ((from + bit) % 8) & 1) << bit))
    }

    fn expect(&mut self, bits: usize, wanted: impl Fn(usize) -> bool) -> Option<usize> {
        self.read(bits).filter(|&value| wanted(value))
    }

    /// First bit, bits of a channel's number, and count of the couplings of each mapping that has several.
    fn couplings(mut self) -> Option<Vec<(usize, usize, usize)>> {
        let number_bits = (usize::BITS - (self.channels - 1).leading_zeros()) as usize;
        let mappings = self.read(6)? + 1;
        let mut found = Vec::new();
        for _ in 0..mappings {
            self.expect(16, |kind| kind == 0)?;
            let submaps = if self.read(1)? == 1 { self.read(4)? + 1 } else { 1 };
            if self.read(1)? == 1 {
                let count = self.read(8)? + 1;
                found.push((self.at, number_bits, count));
                for _ in 0..count {
                    let channels = self.channels;
                    let magnitude = self.expect(number_bits, |number| number < channels)?;
                    self.expect(number_bits, |number| number < channels && number != magnitude)?;
                }
            }
            self.expect(2, |reserved| reserved == 0)?;
            if submaps > 1 {
                for _ in 0..self.channels {
                    self.expect(4, |submap| submap < submaps)?;
                }
            }
            for _ in 0..submaps {
                self.expect(8, |time| time == 0)?;
                self.expect(8, |floor| floor < 64)?;
                self.expect(8, |residue| residue < 64)?;
            }
        }
        let modes = self.read(6)? + 1;
        for _ in 0..modes {
            self.read(1)?;
            self.expect(16, |window| window == 0)?;
            self.expect(16, |transform| transform == 0)?;
            self.expect(8, |mapping| mapping < mappings)?;
        }
        found.retain(|&(_, _, count)| count > 1);
        (self.at == self.end && !found.is_empty()).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits, lowest first, as bytes.
    fn packed(fields: &[(usize, usize)]) -> Vec<u8> {
        let flat: Vec<u8> = fields.iter().flat_map(|&(word, bits)| (0..bits).map(move |bit| (word >> bit & 1) as u8)).collect();
        flat.chunks(8).map(|byte| byte.iter().enumerate().fold(0, |sum, (at, bit)| sum | bit << at)).collect()
    }

    fn headers(couplings: &[(usize, usize)]) -> Vec<u8> {
        let mut fields: Vec<(usize, usize)> = b"\x05vorbis".iter().map(|&byte| (usize::from(byte), 8)).collect();
        // Tables of some kind before the mappings.
        fields.extend([(0x5a5a_1234, 32), (0x0f0f_7777, 31), (1, 5)]);
        fields.extend([(0, 6), (0, 16), (1, 1), (1, 4), (1, 1), (couplings.len() - 1, 8)]);
        fields.extend(couplings.iter().flat_map(|&(magnitude, angle)| [(magnitude, 3), (angle, 3)]));
        fields.push((0, 2));
        fields.extend([0, 0, 0, 0, 0, 1].map(|submap| (submap, 4)));
        fields.extend([(0, 8), (0, 8), (0, 8), (0, 8), (1, 8), (1, 8)]);
        fields.extend([(0, 6), (1, 1), (0, 16), (0, 16), (0, 8), (1, 1)]);
        [vec![0; IDENT_BYTES], packed(&fields)].concat()
    }

    #[test]
    fn the_couplings_of_a_surround_header_are_turned_round_and_nothing_else() {
        let (list, turned) = ([(0, 2), (3, 4), (0, 1), (0, 3)], [(0, 3), (0, 1), (3, 4), (0, 2)]);
        assert_eq!(with_turned_couplings(&headers(&list), 6).as_deref(), Some(&headers(&turned)[..]));
        assert_eq!(with_turned_couplings(&headers(&[(0, 1)]), 6), None, "one only");
        assert_eq!(with_turned_couplings(&headers(&list), 2), None, "stereo");
        assert_eq!(with_turned_couplings(&headers(&list)[..60], 6), None, "cut off");
        assert_eq!(with_turned_couplings(&[], 6), None);
    }
}
