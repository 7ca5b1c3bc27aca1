//! Fourier transforms of a square or a cube of real numbers, on all cores: lines of one axis at a time, turned over between axes.

use std::sync::Arc;

use rayon::prelude::*;
use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};

/// Rows of a turned-over matrix that one task writes.
const STRIP: usize = 16;

/// The transforms of a cube with `size` values along each of `D` axes.
pub struct Spectrum<const D: usize> {
    size: usize,
    real_forward: Arc<dyn RealToComplex<f32>>,
    real_inverse: Arc<dyn ComplexToReal<f32>>,
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    values: Vec<Complex32>,
    turned: Vec<Complex32>,
}

impl<const D: usize> Spectrum<D> {
    /// For cubes of `size`^D values; `size` is even.
    #[must_use]
    pub fn new(size: usize) -> Self {
        let (mut real, mut complex) = (RealFftPlanner::new(), FftPlanner::new());
        let len = (size / 2 + 1) * size.pow(D as u32 - 1);
        Self {
            size,
            real_forward: real.plan_fft_forward(size),
            real_inverse: real.plan_fft_inverse(size),
            forward: complex.plan_fft_forward(size),
            inverse: complex.plan_fft_inverse(size),
            values: vec![Complex32::default(); len],
            turned: vec![Complex32::default(); len],
        }
    }

    /// The frequency along each axis (0 up to `size`) of the spectrum's value number `at`.
    #[must_use]
    pub fn frequencies(&self, at: usize) -> [usize; D] {
        let half = self.size / 2 + 1;
        let (last, rest) = (at % self.size, at / self.size);
        // See `forward`: [x, y] in a plane, [y, x, z] in space.
        std::array::from_fn(|axis| match (D, axis) {
            (_, 0) => rest % half,
            (2, _) | (_, 2) => last,
            _ => rest / half,
        })
    }

    /// The spectrum of `cube` (its last axis x runs fastest; it is overwritten), for reading and changing.
    pub fn forward(&mut self, cube: &mut [f32]) -> &mut [Complex32] {
        let half = self.size / 2 + 1;
        let real = &self.real_forward;
        cube.par_chunks_mut(self.size).zip(self.values.par_chunks_mut(half)).for_each_init(
            || real.make_scratch_vec(),
            |scratch, (line, into)| {
                // It fails only for slices of another length.
                let _ = real.process_with_scratch(line, into, scratch);
            },
        );
        turn_over(&self.values, half, &mut self.turned);
        self.lines(true);
        if D == 3 {
            std::mem::swap(&mut self.values, &mut self.turned);
            turn_over(&self.values, self.size, &mut self.turned);
            self.lines(true);
        }
        &mut self.turned
    }

    /// The cube of the spectrum as it now is, times `size`^D.
    pub fn inverse(&mut self, cube: &mut [f32]) {
        let half = self.size / 2 + 1;
        self.lines(false);
        if D == 3 {
            turn_over(&self.turned, half * self.size, &mut self.values);
            std::mem::swap(&mut self.values, &mut self.turned);
            self.lines(false);
        }
        turn_over(&self.turned, self.turned.len() / half, &mut self.values);
        let real = &self.real_inverse;
        cube.par_chunks_mut(self.size).zip(self.values.par_chunks_mut(half)).for_each_init(
            || real.make_scratch_vec(),
            |scratch, (line, from)| {
                // Rounding leaves a trace where a real cube has none, which the transform refuses.
                from[0].im = 0.0;
                from[half - 1].im = 0.0;
                let _ = real.process_with_scratch(from, line, scratch);
            },
        );
    }

    fn lines(&mut self, is_forward: bool) {
        let fft = if is_forward { &self.forward } else { &self.inverse };
        self.turned.par_chunks_mut(self.size).for_each_init(
            || vec![Complex32::default(); fft.get_inplace_scratch_len()],
            |scratch, line| fft.process_with_scratch(line, scratch),
        );
    }
}

/// `from`, `[rows, columns]`, as `into`, `[columns, rows]`.
fn turn_over(from: &[Complex32], columns: usize, into: &mut [Complex32]) {
    let rows = from.len() / columns;
    into.par_chunks_mut(STRIP * rows).enumerate().for_each(|(strip, into)| {
        let count = into.len() / rows;
        for (row, line) in from.chunks_exact(columns).enumerate() {
            for (at, value) in line[strip * STRIP..strip * STRIP + count].iter().enumerate() {
                into[at * rows + row] = *value;
            }
        }
    });
}

/// The smallest even number from `least` on whose only prime factors are 2, 3 and 5: transforms of such lengths are fast.
#[must_use]
pub fn fast_size(least: usize) -> usize {
    let is_smooth = |mut number: usize| {
        for prime in [2, 3, 5] {
            while number.is_multiple_of(prime) {
                number /= prime;
            }
        }
        number == 1
    };
    (least.max(2)..).find(|&size| size.is_multiple_of(2) && is_smooth(size)).unwrap_or(least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::SplitMix64;

    fn check<const D: usize>(size: usize) {
        let mut seed = SplitMix64::new(1);
        let cube: Vec<f32> = (0..size.pow(D as u32)).map(|_| seed.next_normal()).collect();
        let mut spectrum = Spectrum::<D>::new(size);
        let found = spectrum.forward(&mut cube.clone()).to_vec();
        // Some values by the sum that defines them.
        for at in [0, 1, found.len() / 3, found.len() / 2 + 1, found.len() - 1] {
            let frequencies = spectrum.frequencies(at);
            let (mut re, mut im) = (0.0, 0.0);
            for (place, &value) in cube.iter().enumerate() {
                let turn: f64 = (0..D).map(|axis| (frequencies[axis] * (place / size.pow(axis as u32) % size)) as f64 / size as f64).sum();
                re += f64::from(value) * (std::f64::consts::TAU * turn).cos();
                im -= f64::from(value) * (std::f64::consts::TAU * turn).sin();
            }
            assert!(
                (re - f64::from(found[at].re)).abs() < 1e-2 && (im - f64::from(found[at].im)).abs() < 1e-2,
                "{at}: {re} {im}, {}",
                found[at]
            );
        }
        let mut back = vec![0.0; cube.len()];
        spectrum.inverse(&mut back);
        let scale = 1.0 / cube.len() as f32;
        assert!(cube.iter().zip(&back).all(|(should, is)| (should - is * scale).abs() < 1e-4));
    }

    #[test]
    fn spectra_are_the_sums_that_define_them_and_lead_back() {
        for size in [2, 6, 20, 30] {
            check::<2>(size);
            check::<3>(size);
        }
    }

    #[test]
    fn sizes_are_even_and_smooth() {
        assert_eq!([0, 1, 2, 7, 11, 13, 121, 127].map(fast_size), [2, 2, 2, 8, 12, 16, 128, 128]);
    }
}
