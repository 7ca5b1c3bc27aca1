//! Where an ogg's packets lie in its pages.
//!
//! Facts: RFC 3533, section 6 (page header, segment table).

use std::io;

use super::file_window::FileWindow;
use super::seek_index::Piece;

/// Bytes of a page's header before its segment table.
const HEAD: usize = 27;
/// Packets that may stand before the first one of audio: headers, of which a comment may hold a picture.
const MAX_HEADERS: usize = 16;

/// Goes over the packets of an ogg's first stream.
pub(super) struct OggPackets {
    window: FileWindow,
    /// Where the next page begins.
    next_page: u64,
    /// Where the next segment of the present page begins, and the lengths of those that are left, last first.
    at: u64,
    segments: Vec<u8>,
    serial: Option<u32>,
    has_found: bool,
}

impl OggPackets {
    pub(super) fn new(window: FileWindow) -> Self {
        Self { window, next_page: 0, at: 0, segments: Vec::new(), serial: None, has_found: false }
    }

    /// Appends the pieces of the next packet, which has to be `data`; before the first one, headers are passed over. False where it is not.
    pub(super) fn find(&mut self, data: &[u8], pieces: &mut Vec<Piece>) -> io::Result<bool> {
        let kept = pieces.len();
        for _ in 0..if self.has_found { 1 } else { MAX_HEADERS } {
            pieces.truncate(kept);
            if !self.next(pieces)? {
                return Ok(false);
            }
            if self.holds(&pieces[kept..], data)? {
                self.has_found = true;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn holds(&mut self, pieces: &[Piece], data: &[u8]) -> io::Result<bool> {
        let mut rest = data;
        for piece in pieces {
            let bytes = self.window.bytes(piece.at, piece.bytes as usize)?;
            let Some(behind) = rest.strip_prefix(bytes).filter(|_| bytes.len() == piece.bytes as usize) else { return Ok(false) };
            rest = behind;
        }
        Ok(rest.is_empty())
    }

    /// Appends the next packet's pieces. False behind the last one.
    fn next(&mut self, pieces: &mut Vec<Piece>) -> io::Result<bool> {
        loop {
            let begin = self.at;
            let mut bytes = 0;
            let mut is_whole = false;
            while let Some(segment) = self.segments.pop() {
                bytes += u32::from(segment);
                // A segment of less than 255 bytes ends its packet.
                if segment < 255 {
                    is_whole = true;
                    break;
                }
            }
            self.at += u64::from(bytes);
            if bytes > 0 || is_whole {
                pieces.push(Piece { at: begin, bytes });
            }
            if is_whole {
                return Ok(true);
            }
            if !self.turn_page()? {
                return Ok(false);
            }
        }
    }

    /// Goes on with the next page of the stream.
    fn turn_page(&mut self) -> io::Result<bool> {
        loop {
            let at = self.next_page;
            let (serial, count) = match *self.window.bytes(at, HEAD)? {
                [b'O', b'g', b'g', b'S', 0, _, _, _, _, _, _, _, _, _, a, b, c, d, .., count] => {
                    (u32::from_le_bytes([a, b, c, d]), usize::from(count))
                }
                _ => return Ok(false),
            };
            let table = self.window.bytes(at + HEAD as u64, count)?.to_vec();
            if table.len() < count {
                return Ok(false);
            }
            let body = at + (HEAD + count) as u64;
            self.next_page = body + table.iter().map(|&segment| u64::from(segment)).sum::<u64>();
            if self.next_page > self.window.len() {
                return Ok(false);
            }
            if *self.serial.get_or_insert(serial) == serial {
                self.at = body;
                self.segments = table.into_iter().rev().collect();
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn page(serial: u32, segments: &[u8], body: &[u8]) -> Vec<u8> {
        let mut page = b"OggS\0\0".to_vec();
        page.extend([0; 8]);
        page.extend(serial.to_le_bytes());
        page.extend([0; 8]);
        page.push(segments.len() as u8);
        page.extend(segments);
        page.extend(body);
        page
    }

    #[test]
    fn packets_are_put_together_over_pages_and_headers_passed_over() {
        let long: Vec<u8> = (0..700_u32).map(|n| (n % 251) as u8).collect();
        let other = page(9, &[3], b"xyz");
        let mut file = tempfile::tempfile().unwrap();
        let pages = [
            page(1, &[4, 2], b"headHE"),
            page(1, &[3, 255, 255], &[&b"one"[..], &long[..510]].concat()),
            other,
            page(1, &[190, 0, 1], &[&long[510..], b"z"].concat()),
        ];
        let bytes = pages.concat();
        file.write_all(&bytes).unwrap();
        let mut packets = OggPackets::new(FileWindow::new(file, bytes.len() as u64));
        let mut pieces = Vec::new();
        for (data, count) in [(&b"one"[..], 1), (&long, 3), (b"", 4), (b"z", 5)] {
            assert!(packets.find(data, &mut pieces).unwrap(), "{data:?}");
            assert_eq!(pieces.len(), count);
        }
        let gathered: Vec<u8> = pieces[1..3].iter().flat_map(|piece| bytes[piece.at as usize..][..piece.bytes as usize].to_vec()).collect();
        assert_eq!(gathered, long);
        assert!(!packets.find(b"more", &mut pieces).unwrap());
    }
}
