//! Makes waveform and spectrogram of what sounds, on a thread of its own, while it is still being decoded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::AppError;
use super::worker::{Outcome, Task, Wake, Worker};
use crate::audio::{Pcm, to_mono_at};
use crate::catalog::{SegmentSpan, TrackId};
use crate::mel::{MelConfig, MelStream};
use crate::player::SegmentAudio;
use crate::scene::SoundPicture;

/// Parts of a waveform, and most columns of a spectrogram: more than a bar has pixels.
const PARTS: usize = 1024;
/// The networks' own recipe: what is seen is what they hear.
const MEL: &MelConfig = &MelConfig::MUSICNN;
/// Log-mel energy that is full tone at least, so that silence does not look like music.
const FULL_TONE: f32 = 2.0;
/// Seconds of audio that are brought to the networks' rate at a time.
const BLOCK_SECS: u32 = 4;
/// Between two pictures of a stretch that is still being decoded.
const SHOW_EVERY: Duration = Duration::from_millis(400);
/// How long decoding is waited for before it is looked again.
const LOOK_EVERY: Duration = Duration::from_millis(8);

/// A stretch to make a picture of.
#[derive(Clone, Debug)]
pub struct PictureRequest {
    /// Whose.
    pub track: TrackId,
    /// Which stretch.
    pub span: SegmentSpan,
    /// Its audio, which may still be under way.
    pub audio: Arc<SegmentAudio>,
    /// The audio's rate.
    pub sample_rate_hz: u32,
}

/// That thread's handle.
pub type PictureWorker = Worker<PictureRequest, SoundPicture>;

impl Outcome for SoundPicture {
    /// A sound without a picture sounds all the same.
    fn of_panic(_: u64) -> Option<Self> {
        None
    }
}

/// Starts the thread that makes pictures.
///
/// # Errors
/// [`AppError::Worker`] where the system gives no thread.
pub fn start(wake: Wake) -> Result<PictureWorker, AppError> {
    let mut serial = 0;
    Worker::start("sound-picture", wake, move |request: PictureRequest, task: &Task<'_, _, _>| {
        let mut drawing = Drawing::new(&request);
        let mut shown_at = Instant::now();
        while task.is_wanted() {
            let (ready, more_comes) = request.audio.progress();
            let has_drawn = drawing.draw(ready, more_comes);
            if !more_comes || (has_drawn && shown_at.elapsed() >= SHOW_EVERY) {
                serial += 1;
                shown_at = Instant::now();
                task.tell(drawing.picture(serial));
            }
            if !more_comes {
                break;
            }
            std::thread::sleep(LOOK_EVERY);
        }
    })
}

/// The picture of a stretch, as it is whole.
#[must_use]
pub fn picture_of(request: &PictureRequest) -> SoundPicture {
    let mut drawing = Drawing::new(request);
    drawing.draw(request.audio.progress().0, false);
    drawing.picture(1)
}

/// A picture that grows with its audio.
struct Drawing<'r> {
    request: &'r PictureRequest,
    peaks: Vec<[f32; 2]>,
    mel: MelStream,
    /// The loudest of each column, `[columns, bands]`.
    columns: Vec<f32>,
    column_count: usize,
    /// Frames of the spectrogram that the whole stretch has: at least as many as columns.
    total_mel_frames: usize,
    /// Frames of audio that are drawn.
    drawn: usize,
    mel_frames: usize,
    block: Vec<f32>,
}

impl<'r> Drawing<'r> {
    fn new(request: &'r PictureRequest) -> Self {
        let total_mel_frames = mel_frames_of(request.span.duration_secs);
        let column_count = total_mel_frames.min(PARTS);
        Self {
            peaks: vec![[0.0; 2]; PARTS.min(request.audio.frame_count().max(1))],
            mel: MelStream::new(MEL),
            columns: vec![0.0; column_count * MEL.mel_bands],
            column_count,
            total_mel_frames,
            drawn: 0,
            mel_frames: 0,
            block: Vec::new(),
            request,
        }
    }

    /// Draws whole blocks of what is ready, and all of it at the end; whether there was any.
    fn draw(&mut self, ready: usize, more_comes: bool) -> bool {
        let block = (self.request.sample_rate_hz * BLOCK_SECS).max(1) as usize;
        let before = self.drawn;
        while ready - self.drawn >= block || (!more_comes && self.drawn < ready) {
            let end = ready.min(self.drawn + block);
            self.draw_block(self.drawn..end);
            self.drawn = end;
        }
        if !more_comes {
            let mut rows = Vec::new();
            self.mel.finish(&mut rows);
            self.add_rows(&rows);
        }
        self.drawn > before
    }

    fn draw_block(&mut self, frames: std::ops::Range<usize>) {
        let (total, parts) = (self.request.audio.frame_count().max(1), self.peaks.len());
        self.block.clear();
        for number in frames {
            let [left, right] = self.request.audio.frame(number);
            if let Some([least, largest]) = self.peaks.get_mut(number * parts / total) {
                *least = least.min(left).min(right);
                *largest = largest.max(left).max(right);
            }
            self.block.push(0.5 * (left + right));
        }
        let pcm = Pcm { sample_rate_hz: self.request.sample_rate_hz, channels: 1, samples: std::mem::take(&mut self.block) };
        // A rate that cannot be brought to the networks' leaves the spectrogram empty; the waveform is there.
        let mono = to_mono_at(&pcm, MEL.sample_rate_hz).unwrap_or_default();
        self.block = pcm.samples;
        let mut rows = Vec::new();
        self.mel.push(&mono, &mut rows);
        self.add_rows(&rows);
    }

    /// Takes the next frames of the spectrogram, `[frames, bands]`.
    fn add_rows(&mut self, rows: &[f32]) {
        for row in rows.chunks_exact(MEL.mel_bands) {
            // In whole numbers: there are no more columns than frames, so each column has a frame.
            let column = self.mel_frames * self.column_count / self.total_mel_frames;
            self.mel_frames += 1;
            let start = column * MEL.mel_bands;
            if let Some(held) = self.columns.get_mut(start..start + MEL.mel_bands) {
                held.iter_mut().zip(row).for_each(|(held, value)| *held = held.max(*value));
            }
        }
    }

    fn picture(&self, serial: u64) -> SoundPicture {
        let full = self.columns.iter().copied().fold(FULL_TONE, f32::max);
        let tone = |band: usize, column: usize| {
            let value = self.columns.get(column * MEL.mel_bands + band).copied().unwrap_or(0.0);
            (value / full * 255.0).round() as u8
        };
        let tones = (0..MEL.mel_bands).rev().flat_map(|band| (0..self.column_count).map(move |column| (band, column)));
        let request = self.request;
        SoundPicture {
            track: request.track,
            span: request.span,
            serial,
            peaks: self.peaks.clone(),
            tones: tones.map(|(band, column)| tone(band, column)).collect(),
            columns: self.column_count,
        }
    }
}

/// Spectrogram frames of a stretch of so many seconds, at least one. A part of a thousandth of a frame is rounding.
fn mel_frames_of(secs: f64) -> usize {
    let frames = secs * f64::from(MEL.sample_rate_hz) / MEL.hop_samples as f64;
    (frames - 1e-3).ceil().max(1.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::SplitMix64;

    #[test]
    fn no_column_of_a_sound_without_silence_stays_black() {
        let mut seed = SplitMix64::new(4);
        // Whole numbers of frames and others, fewer frames than columns, as many, and more.
        for (secs, rate) in
            [(2.992, 44_100), (8.976, 44_100), (3.84, 16_000), (0.1, 48_000), (7.0, 22_050), (16.384, 32_000), (47.9, 8_000)]
        {
            let frames = (secs * f64::from(rate)).round() as usize;
            let noise: Vec<f32> = (0..2 * frames).map(|_| 0.2 * seed.next_normal()).collect();
            let audio = Arc::new(SegmentAudio::from_interleaved(&noise, frames, 0));
            let span = SegmentSpan { start_secs: 1.0, duration_secs: secs };
            let picture = picture_of(&PictureRequest { track: TrackId(1), span, audio, sample_rate_hz: rate });
            let is_black = |column: &usize| (0..picture.bands()).all(|band| picture.tones[band * picture.columns + column] == 0);
            let black: Vec<usize> = (0..picture.columns).filter(is_black).collect();
            assert!(black.is_empty(), "{secs} s at {rate} Hz: {} of {} columns are black: {black:?}", black.len(), picture.columns);
        }
    }

    #[test]
    fn a_tone_after_silence_is_where_it_sounds_and_in_its_band() {
        let rate = 48_000_u32;
        let wave = |n: u32| if n < rate { 0.0 } else { 0.5 * (std::f32::consts::TAU * 440.0 * n as f32 / rate as f32).sin() };
        let stereo: Vec<f32> = (0..2 * rate).flat_map(|n| [wave(n), wave(n)]).collect();
        let audio = Arc::new(SegmentAudio::from_interleaved(&stereo, 2 * rate as usize, 0));
        let span = SegmentSpan { start_secs: 5.0, duration_secs: 2.0 };
        let picture = picture_of(&PictureRequest { track: TrackId(3), span, audio, sample_rate_hz: rate });
        assert_eq!((picture.peaks.len(), picture.columns, picture.bands()), (1024, 125, 96));
        assert_eq!(picture.peaks[100], [0.0; 2]);
        assert!((picture.peaks[900][1] - 0.5).abs() < 0.01 && (picture.peaks[900][0] + 0.5).abs() < 0.01);
        let column = |at: usize| (0..96).map(|row| picture.tones[row * picture.columns + at]).collect::<Vec<_>>();
        assert!(column(20).iter().all(|&tone| tone == 0));
        let loudest = (0..96).max_by_key(|&row| column(100)[row]).unwrap();
        assert!(loudest > 60, "440 Hz is low: row {loudest} of 96 from the top");
        assert_eq!(column(100)[loudest], 255);
    }
}
