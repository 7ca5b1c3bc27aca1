//! The kernel 1 / (1 + d²) in two parts: a smooth one for a grid, and a short one for pairs that are near.
//!
//! With s = d², 1 / (1 + s) is the integral of exp(-t (1 + s)) over all t > 0. Up to a limit T it is (1 - exp(-T (1 + s))) / (1 + s),
//! made of wide Gaussians, which nodes at a distance of h resolve if T h² is small enough; what remains is exp(-T (1 + s)) / (1 + s), which
//! is gone a few h away. So Ewald splits 1 / d ("Die Berechnung optischer und elektrostatischer Gitterpotentiale", 1921), and Essmann et
//! al. put the smooth part on a grid with B-splines ("A smooth particle mesh Ewald method", 1995).

/// A distance between nodes, in units of the layout, from which on downwards there is no near part.
pub const FINE_SPACING: f32 = 0.12;
/// T h²: more makes the near part shorter and leaves the grid more than its splines can follow.
const SHARPNESS: f64 = 0.15;
/// T d² where the near part is taken to be 0.
const CUT: f64 = 6.5;
/// A near part that is smaller than this everywhere, as a share of the whole kernel's largest, is left out.
const NEGLIGIBLE: f64 = 1e-3;
/// Places in the table of the Gaussian.
const PLACES: usize = 2048;

/// How many times as far as the nodes are apart the near part reaches.
#[must_use]
pub fn reach_in_nodes() -> f64 {
    (CUT / SHARPNESS).sqrt()
}

/// The two parts for one distance between nodes.
#[derive(Clone, Debug)]
pub struct Split {
    limit: f64,
    reach: f32,
    /// From a square to a place in the table.
    scale: f32,
    /// exp(-T (1 + d²)) for d² from 0 to the square of the reach, evenly. The quotient changes too fast for a table where nodes lie wide.
    table: Vec<f32>,
}

impl Split {
    /// For a grid whose nodes are `spacing` apart, in units of the layout.
    #[must_use]
    pub fn new(spacing: f32) -> Self {
        let limit = SHARPNESS / f64::from(spacing).powi(2);
        if (1.0 + limit) * (-limit).exp() < NEGLIGIBLE {
            return Self { limit, reach: 0.0, scale: 0.0, table: Vec::new() };
        }
        let largest = CUT / limit;
        let gaussian = |place: usize| (-limit * (1.0 + largest * place as f64 / PLACES as f64)).exp() as f32;
        let table = (0..=PLACES + 1).map(gaussian).collect();
        Self { limit, reach: largest.sqrt() as f32, scale: (PLACES as f64 / largest) as f32, table }
    }

    /// T, from which on Gaussians are in the near part.
    #[must_use]
    pub fn limit(&self) -> f64 {
        self.limit
    }

    /// The smooth part at a squared distance.
    #[must_use]
    pub fn far(&self, square: f64) -> f64 {
        let beyond = 1.0 + square;
        -(-self.limit * beyond).exp_m1() / beyond
    }

    /// From which distance on there is no near part; 0 where there is none at all.
    #[must_use]
    pub fn reach(&self) -> f32 {
        self.reach
    }

    /// The near part at a squared distance below the square of the reach, and minus its derivative by the square: the force over the way.
    ///
    /// # Panics
    /// If the square is larger: a caller's mistake.
    #[must_use]
    pub fn near(&self, square: f32) -> [f32; 2] {
        let along = square * self.scale;
        let place = along as usize;
        let (low, high, within) = (self.table[place], self.table[place + 1], along - place as f32);
        let inverse = 1.0 / (1.0 + square);
        let share = inverse * (low + within * (high - low));
        [share, share * (self.limit as f32 + inverse)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_sum_to_the_kernel_and_their_slopes_to_its_slope() {
        for spacing in [0.2, 0.33, 0.6, 1.0, 3.0, 20.0] {
            let split = Split::new(spacing);
            assert!(split.reach() > 3.0 * spacing && split.reach() < 8.0 * spacing);
            for step in 0..500_u16 {
                // Closer steps near 0, where the kernel changes.
                let square = (split.reach() * f32::from(step) / 500.0).powi(2);
                let (whole, exact) = (1.0 / (1.0 + f64::from(square)), f64::from(square));
                let [near, slope] = split.near(square).map(f64::from);
                assert!((near + split.far(exact) - whole).abs() < 1e-4, "{spacing}, {square}");
                let far_slope = (split.far(exact - 1e-5) - split.far(exact + 1e-5)) / 2e-5;
                assert!((slope + far_slope - whole * whole).abs() < 1e-3, "{spacing}, {square}");
            }
            // What is cut off is small beside what was there.
            let (first, last) = (split.near(0.0), split.near(split.reach().powi(2) * 0.9999));
            assert!(last[0] < 2e-3 * first[0] && last[1] < 2e-3 * first[1]);
        }
    }

    #[test]
    fn fine_grids_need_no_near_part() {
        let split = Split::new(FINE_SPACING);
        assert!(split.reach() == 0.0 && (split.far(0.0) - 1.0).abs() < 1e-3);
    }
}
