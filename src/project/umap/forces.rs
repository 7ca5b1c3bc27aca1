//! What a row is pulled and pushed by at a distance, looked up: a power for each of the thousands of millions of pairs of a run would be most of its time.

use super::curve::Curve;

/// Bits of a square's significand that choose the interval, in which both are taken for straight: within 1e-4 of the formula.
const DETAIL: u32 = 7;
/// Squares that the table reaches from and to, as powers of two. Those beyond count as these.
const EXPONENTS: [u32; 2] = [127 - 40, 127 + 40];
const INTERVALS: usize = ((EXPONENTS[1] - EXPONENTS[0]) << DETAIL) as usize;
/// Bits that are left of the significand.
const REST: u32 = 23 - DETAIL;
/// 2^-40, the smallest square that is told from smaller ones.
pub const SMALLEST_SQUARE: f32 = f32::from_bits(EXPONENTS[0] << 23);
/// What keeps pushes finite between rows that coincide, as in umap-learn.
const SOFTENING: f64 = 1e-3;

/// The gradient of the cross entropy (McInnes et al. 2018, appendix C) for one curve, by the square of the distance.
#[derive(Clone, Debug, PartialEq)]
pub struct Forces {
    /// Value at the interval's beginning, and how much more at its end.
    pull: Vec<[f32; 2]>,
    push: Vec<[f32; 2]>,
}

impl Forces {
    /// Tabulates both.
    #[must_use]
    pub fn new(curve: Curve) -> Self {
        let (a, b) = (f64::from(curve.a), f64::from(curve.b));
        Self {
            pull: tabulated(|square| -2.0 * a * b * square.powf(b - 1.0) / (1.0 + a * square.powf(b))),
            push: tabulated(|square| 2.0 * b / ((SOFTENING + square) * (1.0 + a * square.powf(b)))),
        }
    }

    /// What the way from another row is multiplied by along an edge; negative.
    #[must_use]
    pub fn pull(&self, square: f32) -> f32 {
        looked_up(&self.pull, square)
    }

    /// What the way from a row drawn at random is multiplied by.
    #[must_use]
    pub fn push(&self, square: f32) -> f32 {
        looked_up(&self.push, square)
    }
}

fn tabulated(of_square: impl Fn(f64) -> f64) -> Vec<[f32; 2]> {
    let at = |interval: usize| of_square(f64::from(f32::from_bits((EXPONENTS[0] << 23) + ((interval as u32) << REST))));
    (0..INTERVALS).map(|interval| [at(interval) as f32, (at(interval + 1) - at(interval)) as f32]).collect()
}

#[inline(always)]
fn looked_up(table: &[[f32; 2]], square: f32) -> f32 {
    let bits = square.max(SMALLEST_SQUARE).to_bits() - SMALLEST_SQUARE.to_bits();
    let [begin, more] = table[((bits >> REST) as usize).min(INTERVALS - 1)];
    let share = (bits & ((1 << REST) - 1)) as f32 / (1 << REST) as f32;
    begin + more * share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_follows_the_formula_over_all_squares() {
        for min_dist in [0.0, 0.1, 0.5, 1.0] {
            let curve = Curve::new(min_dist);
            let (forces, a, b) = (Forces::new(curve), f64::from(curve.a), f64::from(curve.b));
            for step in 0..20_000 {
                let square = 2.0_f32.powf(-39.9 + step as f32 * 79.8 / 20_000.0);
                let precise = f64::from(square);
                let pull = -2.0 * a * b * precise.powf(b - 1.0) / (1.0 + a * precise.powf(b));
                let push = 2.0 * b / ((1e-3 + precise) * (1.0 + a * precise.powf(b)));
                for (found, should) in [(forces.pull(square), pull), (forces.push(square), push)] {
                    assert!((f64::from(found) / should - 1.0).abs() < 1e-4, "{min_dist}, {square}: {found}, {should}");
                }
            }
        }
    }

    #[test]
    fn squares_that_no_table_reaches_give_finite_forces() {
        let forces = Forces::new(Curve::new(0.1));
        for square in [0.0, f32::MIN_POSITIVE / 8.0, 1e-30, 1e20, f32::MAX, f32::INFINITY, f32::NAN] {
            assert!(forces.pull(square).is_finite() && forces.push(square).is_finite(), "{square}");
        }
        assert_eq!(forces.push(0.0), forces.push(SMALLEST_SQUARE));
    }
}
