//! Files made of chunks: WAV, RF64, BW64 and AIFF.
//!
//! Their sizes are often wrong where no decoder minds: of a writer that was stopped, or could not seek back, or of one that counts otherwise. So the
//! chunks are walked over here, and symphonia is given a header with the sizes that are true. Only the size of the audio itself declares a length.
//! Facts: IBM and Microsoft, Multimedia Programming Interface (RIFF, `LIST INFO`); EBU Tech 3306 (RF64, `ds64`); ITU-R BS.2088 (BW64); Apple, AIFF 1.3.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

use super::source::FileStretch;
use super::tags_behind::{self, array_at};

/// Largest chunk that is read into memory: a format, a list of texts.
const MAX_CHUNK: u64 = 1 << 20;
/// Texts after which no more lists of them are read.
const MAX_TEXTS: usize = 1000;
/// Most chunks of a file.
const MAX_CHUNKS: usize = 10_000;
/// Bytes behind the declared end that are no chunk and may still be padding or a block that was counted wrongly.
const MAX_JUNK: u64 = 4096;

/// What a walk over a file's chunks finds.
#[derive(Debug)]
pub(super) struct ChunkFile {
    /// A header of the audio alone, with the true sizes.
    head: Vec<u8>,
    /// Where the samples stand.
    pub data: Range<u64>,
    /// Bytes of a frame, or of a block of compressed ones.
    pub block_bytes: u64,
    /// Bytes of samples that the file declares, where that is another number than there are.
    pub promised_bytes: Option<u64>,
    /// Whether a second chunk of samples follows.
    pub goes_on: bool,
    /// Texts of a `LIST INFO`, or of an AIFF's own chunks, by their ids.
    pub texts: Vec<([u8; 4], String)>,
    /// Where an ID3v2 tag stands, in a chunk of its own or before all of them.
    pub id3: Option<Range<u64>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Wave,
    Aiff,
}

impl ChunkFile {
    /// Reads the chunks of a file; `None` where it is none of these, or lacks what a decoder needs.
    ///
    /// # Errors
    /// Only what reading the file gives.
    pub(super) fn read(file: &File) -> io::Result<Option<Self>> {
        let len = file.metadata()?.len();
        let mut walk = Walk { reader: BufReader::new(file), len, form: Form::Wave };
        let start = tags_behind::behind_id3v2(&mut walk.reader, 0)?;
        let Some(head) = array_at::<12>(&mut walk.reader, start)? else { return Ok(None) };
        let (id, kind) = ([head[0], head[1], head[2], head[3]], [head[8], head[9], head[10], head[11]]);
        walk.form = match (&id, &kind) {
            (b"RIFF" | b"RF64" | b"BW64", b"WAVE") => Form::Wave,
            (b"FORM", b"AIFF" | b"AIFC") => Form::Aiff,
            _ => return Ok(None),
        };
        let mut found = walk.read_all(start + 12, kind)?;
        if let Some(found) = found.as_mut().filter(|_| start > 0) {
            found.id3.get_or_insert(0..start);
        }
        Ok(found)
    }

    /// The audio as symphonia reads it.
    pub(super) fn open(&self, file: File) -> FileStretch {
        FileStretch::behind(self.head.clone(), file, self.data.clone())
    }
}

struct Walk<'f> {
    reader: BufReader<&'f File>,
    len: u64,
    form: Form,
}

impl Walk<'_> {
    fn read_all(&mut self, mut at: u64, kind: [u8; 4]) -> io::Result<Option<ChunkFile>> {
        let (mut format, mut long_data) = (None, None);
        let mut found =
            ChunkFile { head: Vec::new(), data: 0..0, block_bytes: 1, promised_bytes: None, goes_on: false, texts: Vec::new(), id3: None };
        let mut has_data = false;
        for _ in 0..MAX_CHUNKS {
            let Some((id, size)) = self.head_at(at)? else { break };
            let body = at + 8;
            if matches!(&id, b"data" | b"SSND") {
                if has_data {
                    found.goes_on |= size > 0;
                    break;
                }
                has_data = true;
                let size = if size == u64::from(u32::MAX) { long_data.unwrap_or(size) } else { size };
                let lead = self.lead_of(&id);
                let Some(next) = self.take_data(body, size, lead, &mut found)? else { break };
                at = next;
                continue;
            }
            if body + size > self.len {
                break;
            }
            match &id {
                b"fmt " | b"COMM" if size <= MAX_CHUNK => format = Some(self.bytes(body, size)?),
                b"ds64" => long_data = array_at::<16>(&mut self.reader, body)?.map(|sizes| le_u64(&sizes[8..])),
                b"LIST" if (4..=MAX_CHUNK).contains(&size) && found.texts.len() < MAX_TEXTS => {
                    found.texts.extend(info_texts(&self.bytes(body, size)?))
                }
                b"NAME" | b"AUTH" if size <= MAX_CHUNK => found.texts.push((id, text_of(&self.bytes(body, size)?))),
                b"id3 " | b"ID3 " => found.id3 = Some(body..body + size),
                _ => {}
            }
            at = self.behind(body, size)?;
        }
        let Some(format) = format.filter(|_| has_data) else { return Ok(None) };
        found.block_bytes = self.block_bytes(&format).max(1);
        found.head = self.header(kind, &format, found.data.end - found.data.start);
        Ok(Some(found))
    }

    /// Takes the samples of a chunk whose body begins at `body`; gives where the next chunk begins, if one may.
    fn take_data(&mut self, body: u64, size: u64, lead: u64, found: &mut ChunkFile) -> io::Result<Option<u64>> {
        let left = self.len - body;
        let first = (body + lead).min(self.len);
        let is_unknown = size <= lead && left > size && !self.follows_chunk(body, size)? || is_placeholder(size) && size > left;
        if is_unknown {
            found.data = first..tags_behind::audio_end(&mut self.reader, self.len)?.max(first);
            return Ok(None);
        }
        if size > left {
            found.data = first..self.len;
            found.promised_bytes = Some(size - lead.min(size));
            return Ok(None);
        }
        let end = (body + size).max(first);
        found.data = first..end;
        let next = self.behind(body, end - body)?;
        if self.len <= next || self.is_chunk(next)? {
            return Ok(Some(next));
        }
        // No chunk follows. Audio that runs on behind its declared end, of a writer that was stopped, is neither silence nor a tag.
        let until = tags_behind::audio_end(&mut self.reader, self.len)?;
        let mut behind = self.bytes(end, MAX_JUNK.min(self.len - end))?;
        behind.truncate(usize::try_from(until.saturating_sub(end)).unwrap_or(usize::MAX));
        if until > end + MAX_JUNK && behind.iter().any(|&byte| byte != 0) && !behind.starts_with(b"ID3") {
            found.promised_bytes = Some(end - first);
            found.data.end = until;
        }
        Ok(None)
    }

    /// Bytes between the head of a chunk and the samples in it: of an AIFF, an offset and a block size.
    fn lead_of(&self, id: &[u8; 4]) -> u64 {
        if self.form == Form::Aiff && id == b"SSND" { 8 } else { 0 }
    }

    /// The place of the chunk behind one: chunks are padded to even lengths, but by some writers.
    fn behind(&mut self, body: u64, size: u64) -> io::Result<u64> {
        let end = body + size;
        Ok(if size % 2 == 1 && (!self.is_chunk(end)? || self.is_chunk(end + 1)?) { end + 1 } else { end })
    }

    fn follows_chunk(&mut self, body: u64, size: u64) -> io::Result<bool> {
        let next = self.behind(body, size)?;
        self.is_chunk(next)
    }

    /// A chunk's id and size, where one can begin.
    fn head_at(&mut self, at: u64) -> io::Result<Option<([u8; 4], u64)>> {
        let Some([a, b, c, d, size @ ..]) = array_at::<8>(&mut self.reader, at)? else { return Ok(None) };
        let id = [a, b, c, d];
        let size = if self.form == Form::Aiff { u32::from_be_bytes(size) } else { u32::from_le_bytes(size) };
        Ok(id.iter().all(|byte| matches!(byte, 0x20..=0x7e)).then_some((id, u64::from(size))))
    }

    /// Whether a chunk that fits into the file begins here, or samples, which may be cut off.
    fn is_chunk(&mut self, at: u64) -> io::Result<bool> {
        Ok(self.head_at(at)?.is_some_and(|(id, size)| at + 8 + size <= self.len || matches!(&id, b"data" | b"SSND")))
    }

    fn bytes(&mut self, at: u64, count: u64) -> io::Result<Vec<u8>> {
        self.reader.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        self.reader.by_ref().take(count).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn block_bytes(&self, format: &[u8]) -> u64 {
        let word = |at: usize| format.get(at..at + 2).map_or([0; 2], |word| [word[0], word[1]]);
        match self.form {
            Form::Wave => u64::from(u16::from_le_bytes(word(12))),
            Form::Aiff => u64::from(u16::from_be_bytes(word(0))) * u64::from(u16::from_be_bytes(word(6)).div_ceil(8)),
        }
    }

    fn header(&self, kind: [u8; 4], format: &[u8], data_bytes: u64) -> Vec<u8> {
        let padding = &[0][..format.len() % 2];
        // What takes no 32 bits reaches to the end of the stretch.
        let data_size = u32::try_from(data_bytes).unwrap_or(u32::MAX);
        let format_size = format.len() as u32;
        match self.form {
            Form::Wave => {
                let sizes = [format_size, data_size].map(u32::to_le_bytes);
                [b"RIFF\xff\xff\xff\xffWAVEfmt ", &sizes[0][..], format, padding, b"data", &sizes[1]].concat()
            }
            Form::Aiff => {
                let sound = data_size.saturating_add(8);
                let whole = sound.saturating_add(4 + 8 + 8 + format_size + padding.len() as u32);
                let sizes = [whole, format_size, sound].map(u32::to_be_bytes);
                [b"FORM", &sizes[0][..], &kind, b"COMM", &sizes[1], format, padding, b"SSND", &sizes[2], &[0; 8]].concat()
            }
        }
    }
}

/// Whether a size is one that writers put down before they know it: all ones, or the largest signed number, with or without a header's length taken off.
fn is_placeholder(size: u64) -> bool {
    matches!(size, 0x7fff_f000..=0x8000_0100 | 0xffff_f000..=0xffff_ffff | 0xffff_ffff_ffff_f000..)
}

fn le_u64(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// The texts of a `LIST` chunk's body, if it is one of texts.
fn info_texts(body: &[u8]) -> Vec<([u8; 4], String)> {
    let Some(mut rest) = body.strip_prefix(b"INFO") else { return Vec::new() };
    let mut texts = Vec::new();
    while let [a, b, c, d, s0, s1, s2, s3, text @ ..] = rest {
        let size = (u32::from_le_bytes([*s0, *s1, *s2, *s3]) as usize).min(text.len());
        texts.push(([*a, *b, *c, *d], text_of(&text[..size])));
        rest = text.get(size + size % 2..).unwrap_or_default();
    }
    texts
}

/// A text up to its first zero: UTF-8, else Latin-1.
fn text_of(bytes: &[u8]) -> String {
    let bytes = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|&byte| char::from(byte)).collect(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const FORMAT: &[u8] = b"\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0";

    fn chunk(id: &[u8], size: u32, body: &[u8]) -> Vec<u8> {
        [id, &size.to_le_bytes()[..], body].concat()
    }

    fn wave(riff: &[u8; 4], riff_size: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
        [riff, &riff_size.to_le_bytes()[..], b"WAVE", &chunks.concat()].concat()
    }

    fn read(bytes: &[u8]) -> Option<ChunkFile> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        ChunkFile::read(&file).unwrap()
    }

    fn samples(count: usize) -> Vec<u8> {
        (0..count).map(|number| (number * 7 % 200 + 1) as u8).collect()
    }

    /// Bytes of samples that are there, and those that were promised.
    fn found(bytes: &[u8]) -> (u64, Option<u64>) {
        let file = read(bytes).unwrap();
        (file.data.end - file.data.start, file.promised_bytes)
    }

    #[test]
    fn the_size_of_the_whole_declares_nothing_and_that_of_the_samples_does() {
        let format = || chunk(b"fmt ", 16, FORMAT);
        let data = |size: u32| chunk(b"data", size, &samples(8000));
        for riff_size in [0, 8, 8036, 8028, u32::MAX] {
            assert_eq!(found(&wave(b"RIFF", riff_size, &[format(), data(8000)])), (8000, None), "{riff_size}");
        }
        for placeholder in [0, u32::MAX, u32::MAX - 36, 0x7fff_ffff, 0x7fff_ffff - 36, 0x8000_0000] {
            assert_eq!(found(&wave(b"RIFF", placeholder, &[format(), data(placeholder)])), (8000, None), "{placeholder:#x}");
        }
        assert_eq!(found(&wave(b"RIFF", 9036, &[format(), data(9000)])), (8000, Some(9000)));
        assert_eq!(found(&wave(b"RIFF", 2036, &[format(), data(2000)])), (8000, Some(2000)), "audio runs on");
        let zeros = [samples(2000), vec![0; 6000]].concat();
        assert_eq!(found(&wave(b"RIFF", 2036, &[format(), chunk(b"data", 2000, &zeros)])), (2000, None), "padding is no audio");
        assert_eq!(found(&wave(b"RIFF", 44, &[format(), chunk(b"data", 0, &chunk(b"LIST", 4, b"INFO"))])), (0, None), "empty");
    }

    #[test]
    fn a_64_bit_file_has_its_sizes_in_a_chunk_of_their_own() {
        for (size, promised) in [(8000, None), (9000, Some(9000)), (0, None), (u64::MAX, None)] {
            let sizes = [36_u64.to_le_bytes(), size.to_le_bytes(), 0_u64.to_le_bytes()].concat();
            let long = chunk(b"ds64", 28, &[sizes, vec![0; 4]].concat());
            let chunks = [long, chunk(b"fmt ", 16, FORMAT), chunk(b"data", u32::MAX, &samples(8000))];
            for riff in [b"RF64", b"BW64"] {
                assert_eq!(found(&wave(riff, u32::MAX, &chunks)), (8000, promised), "{size}");
            }
        }
    }

    #[test]
    fn texts_are_read_before_and_behind_the_samples_and_after_odd_chunks() {
        let list = [&b"INFO"[..], &chunk(b"INAM", 5, b"Aria\0\0"), &chunk(b"IART", 4, b"B\xe9la")].concat();
        let list = || chunk(b"LIST", list.len() as u32, &list);
        let odd = |body: &[u8]| chunk(b"junk", 3, body);
        let (format, data) = (|| chunk(b"fmt ", 16, FORMAT), || chunk(b"data", 8000, &samples(8000)));
        for chunks in
            [vec![format(), list(), data()], vec![odd(b"abc\0"), format(), data(), list()], vec![odd(b"abc"), format(), data(), list()]]
        {
            let file = read(&wave(b"RIFF", 0, &chunks)).unwrap();
            assert_eq!(file.texts, [(*b"INAM", "Aria".to_owned()), (*b"IART", "Béla".to_owned())]);
            assert_eq!(file.data.end - file.data.start, 8000);
        }
    }

    #[test]
    fn an_aiff_that_is_cut_off_keeps_what_is_there() {
        let mut comm = b"COMM\0\0\0\x12\0\x01\0\0\x0f\xa0\0\x10\x40\x0b\xfa\0\0\0\0\0\0\0".to_vec();
        comm.extend(b"SSND");
        for (size, promised) in [(8008_u32, None), (9008, Some(9000)), (0, None), (u32::MAX, None)] {
            let bytes = [b"FORM\0\0\0\x08AIFF", &comm[..], &size.to_be_bytes(), &[0; 8], &samples(8000)].concat();
            assert_eq!(found(&bytes), (8000, promised), "{size}");
        }
    }

    #[test]
    fn no_byte_of_a_header_can_make_the_walk_fail() {
        let whole = wave(b"RIFF", 0, &[chunk(b"fmt ", 16, FORMAT), chunk(b"data", 800, &samples(800))]);
        for at in 0..60 {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut broken = whole.clone();
                broken[at] = value;
                read(&broken);
            }
        }
    }
}
