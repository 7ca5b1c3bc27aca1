//! Repulsion by a potential on a grid: work that grows with the rows and with the layout's size, not with the square of the rows.
//!
//! All points' kernels 1 / (1 + d²) sum to a potential, whose value at the points gives Z and whose slope the forces: the gradient of
//! 1 / (1 + d²) is -2 d / (1 + d²)². Points are put on the grid with cubic B-splines, the kernel is applied by Fourier transform (as in
//! Linderman et al., "Fast interpolation-based t-SNE for improved visualization of single-cell RNA-seq data", Nature Methods 2019, who
//! interpolate with polynomials and four charges), and the potential is read with the same splines and with their slopes. Splines blur;
//! the kernel's spectrum is divided by their symbol, once for putting and once for reading, so that on the nodes the sum is exact
//! (cardinal splines: Unser, Aldroubi and Eden, "B-spline signal processing", 1993). Nodes too far apart for the kernel get its smooth part
//! only, and the pairs that are near the rest (`split.rs`, `near.rs`).

use rayon::prelude::*;

use super::near;
use super::spectrum::{Spectrum, fast_size};
use super::split::{FINE_SPACING, Split};
use super::step_seconds::{Lap, StepSeconds};

/// Most nodes along an axis for each root of the rows (the square root in the plane, the cubic one in space), so that grid and near pairs
/// take about as long; at least and at most so many. Past them the nodes lie wider apart.
pub(super) const NODES_PER_ROOT: [f32; 2] = [2.2, 3.0];
pub(super) const FEWEST_NODES: [f32; 2] = [150.0, 48.0];
const MOST_NODES: [f32; 2] = [2000.0, 192.0];
/// A layout of fewer cells than this gets nodes half as far apart, up to so many times: near its start all points are in one cell, where
/// what the splines leave is as large as the forces.
const FEWEST_CELLS: [f32; 2] = [64.0, 32.0];
const MOST_HALVINGS: usize = 6;
/// Fewest nodes, so that where the transform comes round is far from the points.
const LEAST_NODES: usize = 32;
/// How much wider, a step.
const WIDEN: f32 = 1.1;
/// How much wider than necessary nodes may lie, and how much larger the transform may be, before a new one is made.
const SLACK: f32 = 1.3;
/// Parts in which points are put on the grid, each on one of its own: a fixed number, so that sums do not depend on threads.
const PARTS: usize = 4;
/// Nodes that a cubic spline touches along an axis.
const SUPPORT: usize = 4;

/// The grid, kept from step to step: as long as its size stays, so do the kernel's spectrum and all buffers.
#[derive(Default)]
pub struct Grid<const D: usize> {
    transform: Option<Transform<D>>,
}

pub(super) struct Transform<const D: usize> {
    pub(super) size: usize,
    spacing: f32,
    spectrum: Spectrum<D>,
    /// The kernel's spectrum over the splines' symbols and the transform's factor.
    kernel: Vec<f32>,
    pub(super) cube: Vec<f32>,
    pub(super) split: Split,
    /// What was taken off the kernel everywhere. It changes no force; near the start, where all distances are small, it is nearly all of
    /// the kernel, and the forces would drown in its rounding.
    pub(super) base: f64,
    /// What a point finds of itself, on average over its place in a cell: 1, but for what the splines leave.
    own: f64,
}

/// Where points lie on the grid.
#[derive(Clone, Copy)]
pub(super) struct Place<const D: usize> {
    origin: [f32; D],
    pub(super) spacing: f32,
    pub(super) nodes: usize,
}

impl<const D: usize> Grid<D> {
    /// As [`super::exact::repulsion`], to about a percent.
    ///
    /// # Panics
    /// If there are not as many forces as positions: a caller's mistake.
    pub fn repulsion(&mut self, positions: &[[f32; D]], forces: &mut [[f32; D]]) -> f64 {
        self.timed_repulsion(positions, forces, &mut StepSeconds::default())
    }

    /// The same, adding up where the time goes.
    ///
    /// # Panics
    /// As [`Grid::repulsion`].
    pub fn timed_repulsion(&mut self, positions: &[[f32; D]], forces: &mut [[f32; D]], seconds: &mut StepSeconds) -> f64 {
        assert_eq!(positions.len(), forces.len(), "a force for each position");
        let mut lap = Lap::begin();
        let place = Place::around(positions, self.transform.as_ref().map(|kept| kept.spacing));
        let transform = match &mut self.transform {
            Some(kept) if kept.serves(&place) => kept,
            other => other.insert(Transform::new(fast_size(2 * place.nodes), place.spacing)),
        };
        lap.end(&mut seconds.transform);
        place.put(positions, transform.size, &mut transform.cube);
        lap.end(&mut seconds.put);
        transform.apply();
        lap.end(&mut seconds.transform);
        let (potential, size) = (&transform.cube, transform.size);
        let values: Vec<f64> = positions.par_iter().zip(&mut *forces).map(|(at, force)| place.read(potential, size, at, force)).collect();
        lap.end(&mut seconds.read);
        let near = near::add(&transform.split, positions, forces);
        lap.end(&mut seconds.near);
        let rows = positions.len() as f64;
        // Each point is in the potential itself.
        let far = values.into_iter().sum::<f64>() + rows * ((rows - 1.0) * transform.base - transform.own);
        (far + near).max(f64::MIN_POSITIVE)
    }
}

impl<const D: usize> Transform<D> {
    pub(super) fn new(size: usize, spacing: f32) -> Self {
        let mut spectrum = Spectrum::<D>::new(size);
        let split = Split::new(spacing);
        let base = if spacing < FINE_SPACING { 1.0 } else { 0.0 };
        let distance = |node: usize| (node.min(size - node) as f64 * f64::from(spacing)).powi(2);
        let squares: Vec<f64> = (0..size).map(distance).collect();
        let mut cube: Vec<f32> = (0..size.pow(D as u32))
            .into_par_iter()
            .map(|at| {
                let square: f64 = (0..D).map(|axis| squares[at / size.pow(axis as u32) % size]).sum();
                (split.far(square) - base) as f32
            })
            .collect();
        let symbols: Vec<f64> =
            (0..size).map(|frequency| (2.0 + (std::f64::consts::TAU * frequency as f64 / size as f64).cos()) / 3.0).collect();
        let scale = 1.0 / (size as f64).powi(D as i32);
        let values = spectrum.forward(&mut cube).to_vec();
        let symbol = |at: usize| spectrum.frequencies(at).iter().map(|&frequency| symbols[frequency]).product::<f64>();
        let kernel: Vec<f32> =
            values.iter().enumerate().map(|(at, value)| (f64::from(value.re) * scale / symbol(at).powi(2)) as f32).collect();
        let mut made = Self { size, spacing, spectrum, kernel, cube, split, base, own: 1.0 };
        made.own = made.own_share();
        made
    }

    /// Whether it is large enough for a grid of that spacing, and not much larger than need be.
    fn serves(&self, place: &Place<D>) -> bool {
        self.spacing == place.spacing && self.size >= 2 * place.nodes && self.size as f32 <= SLACK * fast_size(2 * place.nodes) as f32
    }

    /// The mean over all places in a cell of the potential that a point finds of itself. What one axis' two splines give at a distance of m
    /// nodes is, on average, the spline of degree 7 at m.
    fn own_share(&mut self) -> f64 {
        const MEAN_PRODUCT: [f64; 7] = [1.0, 120.0, 1191.0, 2416.0, 1191.0, 120.0, 1.0];
        self.cube.fill(0.0);
        self.cube[0] = 1.0;
        self.apply();
        let reach = MEAN_PRODUCT.len();
        (0..reach.pow(D as u32))
            .map(|at| {
                let (mut place, mut weight) = (0, 1.0);
                for axis in 0..D {
                    let step = at / reach.pow(axis as u32) % reach;
                    place += (step + self.size - reach / 2) % self.size * self.size.pow(axis as u32);
                    weight *= MEAN_PRODUCT[step] / 5040.0;
                }
                weight * f64::from(self.cube[place])
            })
            .sum()
    }

    /// The density in `cube` becomes its potential.
    pub(super) fn apply(&mut self) {
        let spectrum = self.spectrum.forward(&mut self.cube);
        spectrum.par_iter_mut().zip(&self.kernel).for_each(|(value, kernel)| *value *= *kernel);
        self.spectrum.inverse(&mut self.cube);
    }
}

impl<const D: usize> Place<D> {
    /// On nodes as far apart as those that are kept, if that will do.
    fn around(positions: &[[f32; D]], kept: Option<f32>) -> Self {
        let (low, high) = bounds(positions);
        Self::between(low, high, positions.len(), kept)
    }

    /// For so many points between two corners.
    pub(super) fn between(low: [f32; D], high: [f32; D], rows: usize, kept: Option<f32>) -> Self {
        let range = low.iter().zip(&high).map(|(low, high)| high - low).fold(0.0, f32::max);
        let kind = usize::from(D == 3);
        let mut spacing = FINE_SPACING;
        for _ in 0..MOST_HALVINGS {
            if range / spacing < FEWEST_CELLS[kind] {
                spacing *= 0.5;
            }
        }
        let root = (rows as f32).powf(1.0 / D as f32);
        let most = (NODES_PER_ROOT[kind] * root).clamp(FEWEST_NODES[kind], MOST_NODES[kind]);
        while range / spacing + SUPPORT as f32 > most {
            spacing *= WIDEN;
        }
        let spacing = kept.filter(|kept| (spacing..SLACK * spacing).contains(kept)).unwrap_or(spacing);
        Self { origin: low, spacing, nodes: ((range / spacing) as usize + SUPPORT).max(LEAST_NODES) }
    }

    /// Whether a position lies on the grid.
    pub(super) fn holds(&self, position: &[f32; D]) -> bool {
        let most = (self.nodes - SUPPORT) as f32;
        (0..D).all(|axis| (0.0..=most).contains(&((position[axis] - self.origin[axis]) / self.spacing)))
    }

    /// The first node of the spline around a position along each axis, and the place between the inner two, 0..1.
    fn locate(&self, position: &[f32; D]) -> ([usize; D], [f32; D]) {
        let along: [f32; D] = std::array::from_fn(|axis| (position[axis] - self.origin[axis]) / self.spacing);
        // Rounding may put the last point on the node behind the last cell.
        let first = along.map(|along| (along as usize).min(self.nodes - SUPPORT));
        (first, std::array::from_fn(|axis| along[axis] - first[axis] as f32))
    }

    /// Puts the points on the corner of `cube`, `[size; D]`, the rest of which is 0, so that nothing comes round from the other side.
    pub(super) fn put(&self, positions: &[[f32; D]], size: usize, cube: &mut [f32]) {
        let nodes = self.nodes;
        let per_part = positions.len().div_ceil(PARTS).max(1);
        let parts: Vec<Vec<f32>> = positions
            .par_chunks(per_part)
            .map(|positions| {
                let mut density = vec![0.0; nodes.pow(D as u32)];
                for position in positions {
                    let (first, within) = self.locate(position);
                    let weights = within.map(spline);
                    for_lines(first, nodes, &weights, |at, weight| {
                        for (density, along) in density[at..at + SUPPORT].iter_mut().zip(weights[0]) {
                            *density += weight * along;
                        }
                    });
                }
                density
            })
            .collect();
        cube.par_chunks_mut(size).enumerate().for_each(|(line, into)| {
            into.fill(0.0);
            let (y, z) = (line % size, line / size);
            if y < nodes && z < nodes {
                let from = (z * nodes + y) * nodes;
                for part in &parts {
                    for (into, value) in into.iter_mut().zip(&part[from..from + nodes]) {
                        *into += value;
                    }
                }
            }
        });
    }

    /// The potential at a position; minus half its slope goes into `force`.
    pub(super) fn read(&self, potential: &[f32], size: usize, position: &[f32; D], force: &mut [f32; D]) -> f64 {
        let (first, within) = self.locate(position);
        let (weights, slopes) = (within.map(spline), within.map(spline_slope));
        let (mut value, mut slope) = (0.0, [0.0; D]);
        // Sums along x of the values, then over the other axes, with one axis' weights exchanged for their slopes.
        let mut line = 0;
        for_lines(first, size, &weights, |at, weight| {
            let (mut sum, mut sloped) = (0.0, 0.0);
            for (node, potential) in potential[at..at + SUPPORT].iter().enumerate() {
                sum += potential * weights[0][node];
                sloped += potential * slopes[0][node];
            }
            value += weight * sum;
            slope[0] += weight * sloped;
            let (y, z) = (line % SUPPORT, line / SUPPORT);
            if D == 2 {
                slope[1] += slopes[1][y] * sum;
            } else {
                slope[1] += slopes[1][y] * weights[D - 1][z] * sum;
                slope[D - 1] += weights[1][y] * slopes[D - 1][z] * sum;
            }
            line += 1;
        });
        *force = slope.map(|slope| -0.5 * slope / self.spacing);
        f64::from(value)
    }
}

/// The lowest and the highest coordinates.
pub(super) fn bounds<const D: usize>(positions: &[[f32; D]]) -> ([f32; D], [f32; D]) {
    let (mut low, mut high) = ([f32::INFINITY; D], [f32::NEG_INFINITY; D]);
    for position in positions {
        for axis in 0..D {
            low[axis] = low[axis].min(position[axis]);
            high[axis] = high[axis].max(position[axis]);
        }
    }
    (low, high)
}

/// Visits the lines along x of the nodes around a position: the place of the first node in a cube of `size`, and the weight of the other axes.
fn for_lines<const D: usize>(first: [usize; D], size: usize, weights: &[[f32; SUPPORT]; D], mut visit: impl FnMut(usize, f32)) {
    for z in 0..if D == 3 { SUPPORT } else { 1 } {
        for y in 0..SUPPORT {
            let (deep, depth) = if D == 3 { (weights[D - 1][z], (first[D - 1] + z) * size) } else { (1.0, 0) };
            visit((depth + first[1] + y) * size + first[0], weights[1][y] * deep);
        }
    }
}

/// The cubic B-spline's weights on four nodes, for a point at `within` (0..1) between the second and the third.
fn spline(within: f32) -> [f32; SUPPORT] {
    let (t, s) = (within, 1.0 - within);
    [s * s * s, (3.0 * t - 6.0) * t * t + 4.0, (3.0 * s - 6.0) * s * s + 4.0, t * t * t].map(|weight| weight / 6.0)
}

/// Their derivatives.
fn spline_slope(within: f32) -> [f32; SUPPORT] {
    let (t, s) = (within, 1.0 - within);
    [-0.5 * s * s, (1.5 * t - 2.0) * t, (2.0 - 1.5 * s) * s, 0.5 * t * t]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splines_share_out_all_of_a_point_and_their_slopes_none() {
        for step in 0..=20_u8 {
            let within = f32::from(step) / 20.0;
            assert!((spline(within).iter().sum::<f32>() - 1.0).abs() < 1e-6 && spline_slope(within).iter().sum::<f32>().abs() < 1e-6);
            let (low, high) = ((within - 1e-2).max(0.0), (within + 1e-2).min(1.0));
            for node in 0..SUPPORT {
                let slope = (spline(high)[node] - spline(low)[node]) / (high - low);
                assert!((slope - spline_slope(f32::midpoint(low, high))[node]).abs() < 1e-3);
            }
        }
    }
}
