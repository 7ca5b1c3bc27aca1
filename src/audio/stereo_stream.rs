//! A stretch of a track as two channels at an output's rate, from its first samples on.
//!
//! The output's time line is the whole track's, resampled: sample `n` of a stretch that begins at `round(start * rate)` is, to the bit, the whole
//! track's sample of that number (`polyphase`), at whatever place decoding began.

use std::path::Path;
use std::sync::Arc;

use super::decode::guarded;
use super::error::{AudioError, AudioErrorKind};
use super::indexed_stream::IndexedStream;
use super::polyphase::Polyphase;
use super::seek_index::SeekIndex;
use super::stream::AudioStream;

/// Blocks of a decoder, by index or from the start of the file.
enum Blocks {
    Indexed(Box<IndexedStream>),
    Scanned(Box<AudioStream>),
}

impl Blocks {
    fn open(path: &Path, index: Option<&Arc<SeekIndex>>, start_secs: f64, rate_hz: u32) -> Result<(Self, u64), AudioError> {
        // Output sample, and the first input sample that it is made of.
        let begin = |input_hz: u32| {
            let number = (start_secs * f64::from(rate_hz)).round() as u64;
            let filters = Polyphase::between(input_hz, rate_hz);
            (number, filters.input_at(number).saturating_sub(filters.reach()))
        };
        if let Some(index) = index {
            let (number, input) = begin(index.rate_hz);
            if let Some(stream) = IndexedStream::open(path, index, input)? {
                return Ok((Self::Indexed(Box::new(stream)), number));
            }
        }
        let mut stream = AudioStream::open(path)?;
        let (number, input) = begin(stream.sample_rate_hz);
        stream.skip_to(input)?;
        Ok((Self::Scanned(Box::new(stream)), number))
    }

    /// Channels, and frames in a second.
    fn shape(&self) -> (usize, u32) {
        match self {
            Self::Indexed(stream) => (stream.channels(), stream.rate_hz()),
            Self::Scanned(stream) => (stream.channels, stream.sample_rate_hz),
        }
    }

    fn next_block(&mut self, path: &Path, into: &mut Vec<f32>) -> Result<Option<u64>, AudioError> {
        match self {
            Self::Indexed(stream) => stream.next_block(into).map_err(|kind| kind.at(path)),
            Self::Scanned(stream) => stream.next_block(into),
        }
    }
}

/// A track's stereo samples at a wanted rate, from a wanted place on.
pub struct StereoStream {
    blocks: Blocks,
    filters: Arc<Polyphase>,
    block: Vec<f32>,
    /// Input samples that are still needed, left and right, from input sample `first` on.
    left: Vec<f32>,
    right: Vec<f32>,
    first: Option<u64>,
    /// The output sample that comes next.
    next: u64,
    /// Output samples of the track, once its end is known.
    end: Option<u64>,
    has_failed: bool,
}

impl StereoStream {
    /// Opens a track at a time, `start_secs` from 0 on. With an `index` that fits the file, nothing before the stretch is read.
    ///
    /// # Errors
    /// A file that cannot be read or is no audio, and a rate of 0.
    pub fn open(path: &Path, index: Option<&Arc<SeekIndex>>, start_secs: f64, rate_hz: u32) -> Result<Self, AudioError> {
        if rate_hz == 0 {
            return Err(AudioErrorKind::Resample { from_hz: 0, to_hz: 0, reason: "there is no such rate".to_owned() }.at(path));
        }
        guarded(path, || {
            let (blocks, next) = Blocks::open(path, index, start_secs, rate_hz)?;
            let filters = Polyphase::between(blocks.shape().1, rate_hz);
            let (block, left, right) = (Vec::new(), Vec::new(), Vec::new());
            Ok(Self { blocks, filters, block, left, right, first: None, next, end: None, has_failed: false })
        })
    }

    /// Appends the next frames, left and right, as many as one more block of the decoder gives; false, and none, behind the end.
    ///
    /// # Errors
    /// Damage, and a file that ends too early. After an error every further call is one.
    pub fn next_chunk(&mut self, path: &Path, into: &mut Vec<[f32; 2]>) -> Result<bool, AudioError> {
        if self.has_failed {
            return Err(AudioErrorKind::Decoder("it had failed before".to_owned()).at(path));
        }
        // A decoder that panics is never called again.
        self.has_failed = true;
        let has_more = guarded(path, || self.read_chunk(path, into))?;
        self.has_failed = false;
        Ok(has_more)
    }

    fn read_chunk(&mut self, path: &Path, into: &mut Vec<[f32; 2]>) -> Result<bool, AudioError> {
        let had = into.len();
        while into.len() == had && self.end.is_none() {
            self.block.clear();
            match self.blocks.next_block(path, &mut self.block)? {
                Some(start) => self.take_block(start),
                None => {
                    let input = self.first.map_or(0, |first| first + self.left.len() as u64);
                    self.end = Some(if self.first.is_some() { self.filters.output_of(input) } else { 0 });
                }
            }
            self.give(into);
        }
        Ok(into.len() > had)
    }

    /// Keeps a block's channels as left and right: mono doubled; of more than two, the even ones left and the odd ones right, each side's mean.
    fn take_block(&mut self, start: u64) {
        let channels = self.blocks.shape().0.max(1);
        if self.first.is_none() {
            self.first = Some(start);
        }
        match channels {
            1 => {
                self.left.extend_from_slice(&self.block);
                self.right.extend_from_slice(&self.block);
            }
            2 => {
                self.left.extend(self.block.as_chunks::<2>().0.iter().map(|frame| frame[0]));
                self.right.extend(self.block.as_chunks::<2>().0.iter().map(|frame| frame[1]));
            }
            _ => {
                let side = |frame: &[f32], first: usize| {
                    frame.iter().skip(first).step_by(2).sum::<f32>() / frame.iter().skip(first).step_by(2).count().max(1) as f32
                };
                self.left.extend(self.block.chunks_exact(channels).map(|frame| side(frame, 0)));
                self.right.extend(self.block.chunks_exact(channels).map(|frame| side(frame, 1)));
            }
        }
    }

    /// Appends the output samples for which all input is there, and forgets input that no further one needs.
    fn give(&mut self, into: &mut Vec<[f32; 2]>) {
        let Some(first) = self.first else { return };
        let reach = self.filters.reach();
        let input_end = first + self.left.len() as u64;
        let is_due = |number: u64| match self.end {
            Some(end) => number < end,
            None => self.filters.input_at(number) + reach < input_end,
        };
        while is_due(self.next) {
            into.push(self.filters.sample(self.next, [&self.left, &self.right], first));
            self.next += 1;
        }
        let needed = self.filters.input_at(self.next).saturating_sub(reach);
        let spent = usize::try_from(needed.saturating_sub(first)).unwrap_or(usize::MAX).min(self.left.len());
        self.left.drain(..spent);
        self.right.drain(..spent);
        self.first = Some(first + spent as u64);
    }
}
