//! Toom and Cook's fast convolution of short pieces, known from networks as Winograd's (Lavin and Gray, "Fast algorithms for
//! convolutional neural networks", CVPR 2016).
//!
//! `OUTPUTS` neighbouring outputs of a kernel of `TAPS` taps take `OUTPUTS * TAPS` multiplications; transformed they take one at each
//! of `OUTPUTS + TAPS - 1` points: `outputs = A ((G kernel) * (B inputs))`. `G kernel` is computed once, in f64; the sums over input
//! features and bands are taken between `B` and `A`, as matrix products.
//!
//! The points are 0, pairs of a number and its negative, and for an even count infinity. At a pair, sums over even and over odd
//! places are shared: one is their sum, the other their difference. The numbers were chosen by trying those with short binary
//! fractions for the least rounding error in f32 (largest error on random input, by the outputs' spread: 3e-6 for 4 outputs of 3 taps, 5e-6 for
//! 4 of 4, 1.3e-5 for 4 of 7, 2.9e-5 for 6 of 7, 2.7e-5 for 8 of 4, where plain sums in f32 have 2e-6).

use pulp::Simd;

use super::product::{ROWS, Sums, VECTORS};
use super::simd::{fma, load};

/// The matrices for `OUTPUTS` outputs of `TAPS` taps at `POINTS` points, which is one less than both together.
pub(super) struct ToomCook<const OUTPUTS: usize, const TAPS: usize, const POINTS: usize> {
    kernel: [[f64; TAPS]; POINTS],
    input: [[f32; POINTS]; POINTS],
    /// Of each pair's positive number: its powers.
    powers: [[f32; OUTPUTS]; POINTS],
}

/// The positive number of each pair.
const fn pairs(points: usize) -> &'static [f64] {
    match points {
        6 => &[1.0, 2.0],
        7 => &[1.0, 0.5, 2.0],
        10 => &[1.0, 0.375, 1.25, 2.0],
        11 | 12 => &[1.0, 0.375, 0.75, 1.5, 2.0],
        _ => &[],
    }
}

impl<const OUTPUTS: usize, const TAPS: usize, const POINTS: usize> ToomCook<OUTPUTS, TAPS, POINTS> {
    const PAIRS: usize = (POINTS - 1) / 2;
    const INFINITY: bool = POINTS.is_multiple_of(2);

    pub(super) fn new() -> Self {
        const { assert!(POINTS + 1 == OUTPUTS + TAPS && pairs(POINTS).len() == Self::PAIRS) };
        let mut finite = vec![0.0];
        finite.extend(pairs(POINTS).iter().flat_map(|&number| [number, -number]));
        let mut all = Self { kernel: [[0.0; TAPS]; POINTS], input: [[0.0; POINTS]; POINTS], powers: [[0.0; OUTPUTS]; POINTS] };
        for (point, &number) in finite.iter().enumerate() {
            let others: Vec<f64> = finite.iter().copied().filter(|&other| other != number).collect();
            all.set_point(point, &polynomial(&others), |tap| {
                number.powi(tap as i32) / others.iter().map(|other| number - other).product::<f64>()
            });
        }
        if Self::INFINITY {
            all.set_point(POINTS - 1, &polynomial(&finite), |tap| if tap == TAPS - 1 { 1.0 } else { 0.0 });
        }
        for (powers, &number) in all.powers.iter_mut().zip(pairs(POINTS)) {
            powers.iter_mut().enumerate().for_each(|(power, value)| *value = number.powi(power as i32) as f32);
        }
        all
    }

    /// Sets a point's rows, scaled by a power of two so that the largest weight of an input is about one.
    fn set_point(&mut self, point: usize, input: &[f64], kernel: impl Fn(usize) -> f64) {
        let largest = input.iter().fold(0.0_f64, |largest, weight| largest.max(weight.abs()));
        let scale = largest.log2().round().exp2();
        self.input[point].iter_mut().zip(input).for_each(|(value, weight)| *value = (weight / scale) as f32);
        self.kernel[point].iter_mut().enumerate().for_each(|(tap, value)| *value = kernel(tap) * scale);
    }

    /// The weight of a kernel's tap at a point.
    pub(super) fn tap(&self, point: usize, tap: usize) -> f64 {
        self.kernel[point][tap]
    }

    /// `B inputs` of one vector of columns of `x`, `[time, columns]`, the first input being that of a frame which may lie before the first
    /// one. Before the first and after the last lies silence.
    #[inline(always)]
    pub(super) fn input_at<S: Simd>(&self, simd: S, x: &[f32], columns: usize, frame: isize, column: usize) -> [S::f32s; POINTS] {
        let mut inputs = [simd.splat_f32s(0.0); POINTS];
        for (at, input) in inputs.iter_mut().enumerate() {
            if let Some(at) = frame.checked_add_unsigned(at).and_then(|at| usize::try_from(at).ok())
                && let Some(line) = x.get(at * columns..(at + 1) * columns)
            {
                *input = load(simd, &line[column..]);
            }
        }
        self.input(simd, &inputs)
    }

    /// `B inputs`.
    #[inline(always)]
    pub(super) fn input<S: Simd>(&self, simd: S, inputs: &[S::f32s; POINTS]) -> [S::f32s; POINTS] {
        let mut points = [simd.splat_f32s(0.0); POINTS];
        points[0] = self.half(simd, 0, 0, inputs);
        for pair in 0..Self::PAIRS {
            let (even, odd) = (self.half(simd, 1 + 2 * pair, 0, inputs), self.half(simd, 1 + 2 * pair, 1, inputs));
            points[1 + 2 * pair] = simd.add_f32s(even, odd);
            points[2 + 2 * pair] = simd.sub_f32s(even, odd);
        }
        if Self::INFINITY {
            points[POINTS - 1] = self.half(simd, POINTS - 1, 1, inputs);
        }
        points
    }

    /// The part of a point's sum that comes of the even or the odd places.
    #[inline(always)]
    fn half<S: Simd>(&self, simd: S, point: usize, odd: usize, inputs: &[S::f32s; POINTS]) -> S::f32s {
        let mut sum = simd.mul_f32s(simd.splat_f32s(self.input[point][odd]), inputs[odd]);
        let mut place = odd + 2;
        while place < POINTS {
            sum = fma(simd, simd.splat_f32s(self.input[point][place]), inputs[place], sum);
            place += 2;
        }
        sum
    }

    /// `A products`.
    #[inline(always)]
    pub(super) fn output<S: Simd>(&self, simd: S, products: &[S::f32s; POINTS]) -> [S::f32s; OUTPUTS] {
        let mut outputs = [simd.splat_f32s(0.0); OUTPUTS];
        for pair in 0..Self::PAIRS {
            let (plus, minus) = (products[1 + 2 * pair], products[2 + 2 * pair]);
            let halves = [simd.add_f32s(plus, minus), simd.sub_f32s(plus, minus)];
            for output in 0..OUTPUTS {
                let half = halves[output % 2];
                outputs[output] = if pair == 0 {
                    // The first number is 1.
                    half
                } else {
                    fma(simd, simd.splat_f32s(self.powers[pair][output]), half, outputs[output])
                };
            }
        }
        outputs[0] = simd.add_f32s(outputs[0], products[0]);
        if Self::INFINITY {
            outputs[OUTPUTS - 1] = simd.add_f32s(outputs[OUTPUTS - 1], products[POINTS - 1]);
        }
        outputs
    }

    /// `A products` of each row, where it is larger than what `largest` holds.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "the row is the second of the products' three places")]
    pub(super) fn take_larger<S: Simd>(&self, simd: S, products: &[Sums<S>; POINTS], largest: &mut [[S::f32s; VECTORS]; OUTPUTS]) {
        for row in 0..ROWS {
            for vector in 0..VECTORS {
                let mut column = [simd.splat_f32s(0.0); POINTS];
                for point in 0..POINTS {
                    column[point] = products[point][row][vector];
                }
                let outputs = self.output(simd, &column);
                for output in 0..OUTPUTS {
                    largest[output][vector] = simd.max_f32s(largest[output][vector], outputs[output]);
                }
            }
        }
    }
}

/// The coefficients, lowest first, of the polynomial with these roots.
fn polynomial(roots: &[f64]) -> Vec<f64> {
    roots.iter().fold(vec![1.0], |coefficients, root| {
        let mut longer = vec![0.0; coefficients.len() + 1];
        for (power, coefficient) in coefficients.iter().enumerate() {
            longer[power + 1] += coefficient;
            longer[power] -= root * coefficient;
        }
        longer
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `A ((G kernel) * (B inputs))` in f64, with the matrices as they are used.
    fn outputs<const OUTPUTS: usize, const TAPS: usize, const POINTS: usize>(
        transform: &ToomCook<OUTPUTS, TAPS, POINTS>,
        kernel: [f64; TAPS],
        inputs: [f64; POINTS],
    ) -> [f64; OUTPUTS] {
        let product = |point: usize| {
            let kernel: f64 = (0..TAPS).map(|tap| transform.tap(point, tap) * kernel[tap]).sum();
            kernel * (0..POINTS).map(|place| f64::from(transform.input[point][place]) * inputs[place]).sum::<f64>()
        };
        std::array::from_fn(|output| {
            let pair = |pair: usize| {
                let power = f64::from(transform.powers[pair][output]);
                power * (product(1 + 2 * pair) + if output % 2 == 0 { product(2 + 2 * pair) } else { -product(2 + 2 * pair) })
            };
            let zero = if output == 0 { product(0) } else { 0.0 };
            let infinity = if POINTS.is_multiple_of(2) && output == OUTPUTS - 1 { product(POINTS - 1) } else { 0.0 };
            zero + infinity + (0..(POINTS - 1) / 2).map(pair).sum::<f64>()
        })
    }

    /// The largest error over every pair of one tap and one input, which stand for all: everything is linear in both.
    fn largest_error<const OUTPUTS: usize, const TAPS: usize, const POINTS: usize>(transform: &ToomCook<OUTPUTS, TAPS, POINTS>) -> f64 {
        let mut largest = 0.0_f64;
        for (tap, place) in (0..TAPS).flat_map(|tap| (0..POINTS).map(move |place| (tap, place))) {
            let (mut kernel, mut inputs) = ([0.0; TAPS], [0.0; POINTS]);
            (kernel[tap], inputs[place]) = (1.0, 1.0);
            for (output, found) in outputs(transform, kernel, inputs).into_iter().enumerate() {
                let expected = if output + tap == place { 1.0 } else { 0.0 };
                largest = largest.max((found - expected).abs());
            }
        }
        largest
    }

    #[test]
    fn every_tap_reaches_the_outputs_that_it_should_and_no_others() {
        // The matrices' numbers are rounded to f32, or exact.
        for error in [
            largest_error(&ToomCook::<4, 3, 6>::new()),
            largest_error(&ToomCook::<4, 4, 7>::new()),
            largest_error(&ToomCook::<4, 7, 10>::new()),
            largest_error(&ToomCook::<6, 7, 12>::new()),
            largest_error(&ToomCook::<8, 4, 11>::new()),
        ] {
            assert!(error < 2e-6, "{error:e}");
        }
    }

    #[test]
    fn even_and_odd_places_make_up_the_two_points_of_a_pair() {
        fn check<const OUTPUTS: usize, const TAPS: usize, const POINTS: usize>(transform: &ToomCook<OUTPUTS, TAPS, POINTS>) {
            for (pair, place) in (0..(POINTS - 1) / 2).flat_map(|pair| (0..POINTS).map(move |place| (pair, place))) {
                let (plus, minus) = (transform.input[1 + 2 * pair][place], transform.input[2 + 2 * pair][place]);
                assert_eq!(minus, if place % 2 == 0 { plus } else { -plus });
            }
        }
        check(&ToomCook::<4, 3, 6>::new());
        check(&ToomCook::<8, 4, 11>::new());
    }

    #[test]
    fn a_weight_that_is_off_by_a_thousandth_is_noticed() {
        let mut transform = ToomCook::<6, 7, 12>::new();
        transform.input[3][4] *= 1.001;
        assert!(largest_error(&transform) > 1e-5);
    }
}
