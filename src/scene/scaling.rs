//! From an axis' values to places along it: as they are, or by a logarithm.

use rayon::prelude::*;

/// How the values of one axis became coordinates of the layout.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Scaling {
    /// A coordinate is the value.
    #[default]
    Linear,
    /// A coordinate is what the value has more than this: for values that float32 could not tell apart.
    Beyond(f64),
    /// A coordinate is the value's decimal logarithm: for axes without negative values.
    Log {
        /// The smallest positive value; zeros lie there.
        floor: f32,
        /// Whether there are zeros.
        has_zeros: bool,
    },
    /// Nearly linear within a threshold and logarithmic beyond it, on both sides of zero: `sign(x) log10(1 + |x| / threshold)` (Webber, "A
    /// bi-symmetric log transformation for wide-range data", Measurement Science and Technology 24, 2013).
    SymLog {
        /// Where linear ends: a power of ten.
        threshold: f32,
    },
}

/// Values looked at for a threshold.
const SAMPLED: usize = 20_000;
/// Rows that a thread takes at once.
const RUN: usize = 1 << 16;

impl Scaling {
    /// The logarithm for coordinate `axis` of values: plain where none is negative and some are positive, symmetric where some are negative, whose threshold
    /// is the power of ten at or below the median of absolute values that are not 0; none where all are 0. Values that are not finite do not count.
    #[must_use]
    pub fn logarithm_of(values: &[[f32; 3]], axis: usize) -> Self {
        let finite = |row: &[f32; 3]| row.get(axis).copied().filter(|value| value.is_finite());
        let (least, floor, has_zeros) = values
            .par_chunks(RUN)
            .map(|run| {
                run.iter().filter_map(finite).fold((f32::INFINITY, f32::INFINITY, false), |(least, floor, zeros), value| {
                    (least.min(value), if value > 0.0 { floor.min(value) } else { floor }, zeros || value == 0.0)
                })
            })
            .reduce(|| (f32::INFINITY, f32::INFINITY, false), |a, b| (a.0.min(b.0), a.1.min(b.1), a.2 || b.2));
        if least >= 0.0 {
            return if floor.is_finite() { Self::Log { floor, has_zeros } } else { Self::Linear };
        }
        let step = values.len().div_ceil(SAMPLED).max(1);
        let mut sizes: Vec<f32> = values.iter().step_by(step).filter_map(finite).map(f32::abs).filter(|&size| size > 0.0).collect();
        sizes.sort_unstable_by(f32::total_cmp);
        let median = sizes.get(sizes.len() / 2).copied().unwrap_or(-least);
        Self::SymLog { threshold: 10f64.powi(f64::from(median).log10().floor() as i32).max(f64::from(f32::MIN_POSITIVE)) as f32 }
    }

    /// Replaces the first `axes` values of each row by their logarithms, and says which were taken.
    #[must_use]
    pub fn take_logarithms(values: &mut [[f32; 3]], axes: usize) -> [Self; 3] {
        let mut scalings = [Self::Linear; 3];
        for (axis, scaling) in scalings.iter_mut().enumerate().take(axes) {
            *scaling = Self::logarithm_of(values, axis);
        }
        values.par_chunks_mut(RUN).for_each(|run| {
            for row in run {
                for (value, scaling) in row.iter_mut().zip(scalings) {
                    *value = scaling.coordinate(f64::from(*value)) as f32;
                }
            }
        });
        scalings
    }

    /// Whether a logarithm is taken.
    #[must_use]
    pub fn is_logarithmic(self) -> bool {
        matches!(self, Self::Log { .. } | Self::SymLog { .. })
    }

    /// Where a value lies.
    #[must_use]
    pub fn coordinate(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Beyond(offset) => value - offset,
            Self::Log { floor, .. } => {
                // Of NaN there is no logarithm either.
                let value = if value < f64::from(floor) { f64::from(floor) } else { value };
                value.log10()
            }
            Self::SymLog { threshold } => value.signum() * (value.abs() / f64::from(threshold)).ln_1p() / std::f64::consts::LN_10,
        }
    }

    /// The value that lies at a coordinate.
    #[must_use]
    pub fn value(self, coordinate: f64) -> f64 {
        match self {
            Self::Linear => coordinate,
            Self::Beyond(offset) => coordinate + offset,
            Self::Log { .. } => 10f64.powf(coordinate),
            Self::SymLog { threshold } => {
                coordinate.signum() * f64::from(threshold) * (coordinate.abs() * std::f64::consts::LN_10).exp_m1()
            }
        }
    }

    /// What the axis' title says of it.
    #[must_use]
    pub fn remark(self) -> Option<String> {
        match self {
            Self::Linear | Self::Beyond(_) => None,
            Self::Log { has_zeros: false, .. } => Some("log".into()),
            Self::Log { floor, .. } => Some(format!("log, 0 at {}", super::ticks::short(f64::from(floor)))),
            Self::SymLog { threshold } => Some(format!("log beyond ±{}", super::ticks::short(f64::from(threshold)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_choose_their_logarithm() {
        let axis = |values: &[f32]| Scaling::logarithm_of(&values.iter().map(|&v| [v, 0.0, 0.0]).collect::<Vec<_>>(), 0);
        assert_eq!(axis(&[0.5, 0.0, 0.001, f32::NAN]), Scaling::Log { floor: 0.001, has_zeros: true });
        assert_eq!(axis(&[0.5, 1.0]), Scaling::Log { floor: 0.5, has_zeros: false });
        assert_eq!(axis(&[-0.5, 3.0, 40.0, 0.0]), Scaling::SymLog { threshold: 1.0 });
        assert_eq!(axis(&[-0.5]), Scaling::SymLog { threshold: 0.1 });
        assert_eq!(axis(&[0.0, f32::INFINITY]), Scaling::Linear);
        assert_eq!(axis(&[]), Scaling::Linear);
    }

    #[test]
    fn coordinates_keep_the_order_of_values_and_lead_back_to_them() {
        for scaling in
            [Scaling::Linear, Scaling::Beyond(-7.0), Scaling::Log { floor: 1e-7, has_zeros: true }, Scaling::SymLog { threshold: 0.01 }]
        {
            let mut last = f64::NEG_INFINITY;
            for value in [-300.0, -1.0, -0.001, 0.0, 2e-7, 0.004, 0.5, 1.0, 2000.0] {
                let at = scaling.coordinate(value);
                assert!(at >= last, "{scaling:?} {value}");
                last = at;
                if value > 0.0 || !matches!(scaling, Scaling::Log { .. }) {
                    assert!((scaling.value(at) - value).abs() <= 1e-9 * value.abs() + 1e-14, "{scaling:?} {value} {}", scaling.value(at));
                }
            }
            assert!(scaling.coordinate(f64::NAN).is_nan());
        }
    }

    #[test]
    fn zeros_lie_at_the_smallest_positive_value_and_the_third_axis_of_a_plane_stays() {
        let mut values = vec![[0.0, -5.0, 0.0], [0.01, 5.0, 0.0], [1.0, 0.0, 0.0]];
        let scalings = Scaling::take_logarithms(&mut values, 2);
        assert_eq!(scalings, [Scaling::Log { floor: 0.01, has_zeros: true }, Scaling::SymLog { threshold: 1.0 }, Scaling::Linear]);
        assert_eq!(values.iter().map(|row| row[0]).collect::<Vec<_>>(), [-2.0, -2.0, 0.0]);
        assert!((values[1][1] - 6f32.log10()).abs() < 1e-6 && values[0][1] == -values[1][1] && values[2][1] == 0.0);
        assert_eq!(scalings[0].remark().as_deref(), Some("log, 0 at 0.01"));
        assert_eq!(scalings[1].remark().as_deref(), Some("log beyond ±1"));
        let mut many: Vec<[f32; 3]> = (0..200_000).map(|i| [i as f32 / 1e5, 0.5, 0.0]).collect();
        let mut few = many[..10].to_vec();
        let (all, part) = (Scaling::take_logarithms(&mut many, 2), Scaling::take_logarithms(&mut few, 2));
        assert!(all == part && many[..10] == few[..], "rows are taken one by one");
    }
}
