//! Sound files as people really have them: joined, streamed, cut off, with wrong sizes and with tags where nobody expects them.

use std::path::{Path, PathBuf};

/// A fixture's bytes.
pub fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio").join(name)).unwrap()
}

pub fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A rising tone: `channels` interleaved, 16 bits.
pub fn tone(frames: u32, rate_hz: u32, channels: u16) -> Vec<u8> {
    let value = |frame: u32| {
        let time = f64::from(frame) / f64::from(rate_hz);
        (((200.0 + 40.0 * time) * time * std::f64::consts::TAU).sin() * 20_000.0) as i16
    };
    (0..frames).flat_map(|frame| (0..channels).map(move |_| value(frame))).flat_map(i16::to_le_bytes).collect()
}

pub fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    chunk_that_says(id, body.len() as u32, body)
}

pub fn chunk_that_says(id: &[u8; 4], size: u32, body: &[u8]) -> Vec<u8> {
    let padding = &[0][..body.len() % 2];
    [id, &size.to_le_bytes()[..], body, padding].concat()
}

/// The format chunk of 16-bit samples, or of floats.
pub fn format_chunk(rate_hz: u32, channels: u16, is_float: bool) -> Vec<u8> {
    let bytes = if is_float { 4_u16 } else { 2 };
    let mut body = if is_float { 3_u16 } else { 1 }.to_le_bytes().to_vec();
    body.extend(channels.to_le_bytes());
    body.extend(rate_hz.to_le_bytes());
    body.extend((rate_hz * u32::from(channels * bytes)).to_le_bytes());
    body.extend((channels * bytes).to_le_bytes());
    body.extend((8 * bytes).to_le_bytes());
    chunk(b"fmt ", &body)
}

/// A file of chunks that says it is `size` bytes long.
pub fn riff(id: &[u8; 4], size: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
    [&id[..], &size.to_le_bytes(), b"WAVE", &chunks.concat()].concat()
}

/// An ID3v2.4 tag of text frames.
pub fn id3v2(frames: &[(&[u8; 4], &str)]) -> Vec<u8> {
    let size = |size: usize| [size >> 21, size >> 14, size >> 7, size].map(|byte| (byte & 0x7f) as u8);
    let frame = |(id, text): &(&[u8; 4], &str)| [&id[..], &size(text.len() + 1), &[0, 0, 3], text.as_bytes()].concat();
    let body: Vec<u8> = frames.iter().flat_map(frame).collect();
    [b"ID3\x04\0\0", &size(body.len())[..], &body].concat()
}

pub fn id3v1(title: &str) -> Vec<u8> {
    let mut tag = b"TAG".to_vec();
    tag.extend(title.as_bytes());
    tag.resize(127, 0);
    tag.push(255);
    tag
}

/// An APE tag without items, with its header or without.
pub fn ape(has_header: bool) -> Vec<u8> {
    let part = |flags: u32| {
        let mut part = b"APETAGEX".to_vec();
        [2000_u32, 32, 0, flags].iter().for_each(|word| part.extend(word.to_le_bytes()));
        part.extend([0; 8]);
        part
    };
    if has_header { [part(0xa000_0000), part(0x8000_0000)].concat() } else { part(0) }
}

/// An MP3 whose first frame promises another number of frames.
pub fn with_count(mp3: &[u8], count: impl Fn(u32) -> u32) -> Vec<u8> {
    let mut bytes = mp3.to_vec();
    let info = bytes.windows(4).position(|word| word == b"Info" || word == b"Xing").unwrap();
    let at = info + 8..info + 12;
    let known = u32::from_be_bytes(bytes[at.clone()].try_into().unwrap());
    bytes[at].copy_from_slice(&count(known).to_be_bytes());
    // The encoder's note has a checksum: 0 is none.
    bytes[info + 0x9a..info + 0x9c].fill(0);
    bytes
}

/// A FLAC with a block of comments in front of its own.
pub fn flac_with_comments(flac: &[u8], comments: &[&str]) -> Vec<u8> {
    let mut body = 0_u32.to_le_bytes().to_vec();
    body.extend((comments.len() as u32).to_le_bytes());
    for comment in comments {
        body.extend((comment.len() as u32).to_le_bytes());
        body.extend(comment.as_bytes());
    }
    let size = &(body.len() as u32).to_be_bytes()[1..];
    [&flac[..42], &[4], size, &body, &flac[42..]].concat()
}

/// The pages of an ogg.
pub fn pages(ogg: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut rest = ogg;
    while !rest.is_empty() {
        let segments = usize::from(rest[26]);
        let bytes = 27 + segments + rest[27..27 + segments].iter().map(|&segment| usize::from(segment)).sum::<usize>();
        found.push(rest[..bytes].to_vec());
        rest = &rest[bytes..];
    }
    found
}

/// An ogg without the mark at its end.
pub fn without_end_mark(ogg: &[u8]) -> Vec<u8> {
    let mut pages = pages(ogg);
    let last = pages.last_mut().unwrap();
    assert_eq!(last[5] & 4, 4, "it had one");
    last[5] &= !4;
    last[22..26].fill(0);
    let crc = last.iter().fold(0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc: u32, _| if crc >> 31 == 0 { crc << 1 } else { crc << 1 ^ 0x04c1_1db7 })
    });
    last[22..26].copy_from_slice(&crc.to_le_bytes());
    pages.concat()
}
