//! Repulsion from points that are held still, upon whatever is put among them: since they do not move, their potential is made once.

use super::exact;
use super::grid::{Place, Transform, bounds};
use super::near::Cells;
use super::run::EXACT_ROWS;
use super::spectrum::fast_size;

/// How far the grid reaches beyond the points, as a share of their range; what is farther out is summed up exactly.
const MARGIN: f32 = 0.1;

/// Points that are held still.
pub struct Still<'a, const D: usize> {
    points: &'a [[f32; D]],
    /// Where there are many.
    grid: Option<StillGrid<D>>,
}

struct StillGrid<const D: usize> {
    place: Place<D>,
    /// With the points' potential.
    transform: Transform<D>,
    /// For the part of the kernel that is too sharp for the grid, where there is one.
    cells: Option<Cells<D>>,
}

impl<'a, const D: usize> Still<'a, D> {
    /// All of them one by one where they are few, else by their potential on a grid.
    #[must_use]
    pub fn new(points: &'a [[f32; D]]) -> Self {
        let grid = (points.len() > EXACT_ROWS[usize::from(D == 3)]).then(|| StillGrid::new(points));
        Self { points, grid }
    }

    /// The points.
    #[must_use]
    pub fn points(&self) -> &[[f32; D]] {
        self.points
    }

    /// The sums over all points y_j of (at - y_j) / (1 + |at - y_j|²)² and of 1 / (1 + |at - y_j|²); on the grid to about a percent.
    #[must_use]
    pub fn upon(&self, at: &[f32; D]) -> ([f32; D], f64) {
        match self.grid.as_ref().filter(|grid| grid.place.holds(at)) {
            Some(grid) => grid.upon(at, self.points.len()),
            None => exact::upon(at, self.points),
        }
    }
}

impl<const D: usize> StillGrid<D> {
    fn new(points: &[[f32; D]]) -> Self {
        let (low, high) = bounds(points);
        let range = low.iter().zip(&high).map(|(low, high)| high - low).fold(0.0, f32::max);
        let margin = MARGIN * range;
        let place = Place::between(low.map(|low| low - margin), high.map(|high| high + margin), points.len(), None);
        let mut transform = Transform::new(fast_size(2 * place.nodes), place.spacing);
        place.put(points, transform.size, &mut transform.cube);
        transform.apply();
        let reach = transform.split.reach();
        let cells = (reach > 0.0).then(|| Cells::new(points, reach));
        Self { place, transform, cells }
    }

    fn upon(&self, at: &[f32; D], count: usize) -> ([f32; D], f64) {
        let mut force = [0.0; D];
        let far = self.place.read(&self.transform.cube, self.transform.size, at, &mut force) + count as f64 * self.transform.base;
        let Some(cells) = &self.cells else { return (force, far.max(f64::MIN_POSITIVE)) };
        let (push, near) = cells.around(*at, &self.transform.split);
        (std::array::from_fn(|axis| force[axis] + push[axis]), (far + near).max(f64::MIN_POSITIVE))
    }
}
