//! How strongly rows of a layout belong together by their distance: 1 / (1 + a d^(2b)).

/// Distances at which the curve is fitted, from 0 to 3.
const PLACES: usize = 300;
/// Steps of the fit; it is done in about ten.
const STEPS: usize = 200;

/// The curve for one `min_dist`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    /// a.
    pub a: f32,
    /// b.
    pub b: f32,
}

impl Curve {
    /// The curve nearest, by least squares, to 1 up to `min_dist` and exp(min_dist - d) from there on (McInnes et al. 2018, section 4.2, with a spread
    /// of 1), found by Levenberg's and Marquardt's method.
    #[must_use]
    pub fn new(min_dist: f32) -> Self {
        let min_dist = f64::from(min_dist);
        let places: Vec<(f64, f64)> = (0..PLACES)
            .map(|place| {
                let d = 3.0 * place as f64 / (PLACES - 1) as f64;
                (d, if d < min_dist { 1.0 } else { (min_dist - d).exp() })
            })
            .collect();
        let error = |a: f64, b: f64| places.iter().map(|&(d, y)| (value(a, b, d) - y).powi(2)).sum::<f64>();
        let (mut a, mut b, mut damping) = (1.0, 1.0, 1e-3);
        for _ in 0..STEPS {
            let (mut aa, mut ab, mut bb, mut ga, mut gb) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for &(d, y) in places.iter().filter(|(d, _)| *d > 0.0) {
                let (power, is) = (d.powf(2.0 * b), value(a, b, d));
                let (by_a, by_b) = (-is * is * power, -is * is * a * power * 2.0 * d.ln());
                (aa, ab, bb) = (aa + by_a * by_a, ab + by_a * by_b, bb + by_b * by_b);
                (ga, gb) = (ga + by_a * (y - is), gb + by_b * (y - is));
            }
            let (da, db) = (aa * (1.0 + damping), bb * (1.0 + damping));
            let determinant = da * db - ab * ab;
            let (next_a, next_b) = (a + (db * ga - ab * gb) / determinant, b + (da * gb - ab * ga) / determinant);
            if next_a > 0.0 && next_b > 0.0 && error(next_a, next_b) <= error(a, b) {
                let is_done = (next_a - a).abs() + (next_b - b).abs() < 1e-12;
                (a, b, damping) = (next_a, next_b, damping * 0.3);
                if is_done {
                    break;
                }
            } else {
                damping *= 10.0;
            }
        }
        Self { a: a as f32, b: b as f32 }
    }
}

fn value(a: f64, b: f64, d: f64) -> f64 {
    1.0 / (1.0 + a * d.powf(2.0 * b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_the_one_that_others_fit() {
        // Found with scipy's curve_fit, as umap-learn does.
        for (min_dist, a, b) in [(0.1, 1.576_943, 0.895_061), (0.5, 0.583_030, 1.334_167), (0.001, 1.929_075, 0.791_503)] {
            let curve = Curve::new(min_dist);
            assert!((curve.a - a).abs() < 2e-3 && (curve.b - b).abs() < 2e-3, "{min_dist}: {curve:?}");
        }
    }

    #[test]
    fn every_distance_gives_a_curve() {
        for step in 0..=100_u8 {
            let curve = Curve::new(f32::from(step) / 100.0);
            assert!(curve.a > 0.0 && curve.a.is_finite() && curve.b > 0.5 && curve.b < 5.0, "{step}: {curve:?}");
        }
    }
}
