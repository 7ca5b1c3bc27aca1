//! Candidates of one query, by distances that rounding has touched.

/// Candidates to keep beyond those wanted, at least.
pub const MARGIN: usize = 8;
/// Candidates kept for each one wanted, at most: among very many equal rows, rounding alone would keep them all.
const MOST_KEPT: usize = 16;
/// Distances that are compared with the limit together.
const LANES: usize = 16;

/// The nearest candidates so far of one query: those wanted, and those that rounding may have put behind them; thinned out when full.
pub struct Kept {
    wanted: usize,
    candidates: Vec<(f32, u32)>,
    /// What a candidate must be below, |b|² - 2 a·b; the query's own |a|² is the same for all.
    limit: f32,
    /// So many candidates are thinned out.
    full: usize,
    /// The query's |a|².
    norm: f64,
    /// How far two rounded keys may be off together, of (|a| + |b|)².
    rounding: f64,
}

impl Kept {
    /// None yet, for a query with the squared norm `norm` of `dims` values.
    pub fn new(wanted: usize, norm: f32, dims: usize) -> Self {
        let rounding = 2.0 * (dims + 4) as f64 * f64::from(f32::EPSILON);
        let candidates = Vec::with_capacity(2 * wanted + LANES);
        Self { wanted, candidates, limit: f32::INFINITY, full: 2 * wanted, norm: f64::from(norm), rounding }
    }

    /// The key from which on candidates are surely behind all of those wanted, the last of which has the key `last`. A sum of n products in any
    /// order is off by about n u of the sum of their sizes (Higham, "Accuracy and stability of numerical algorithms", 2002, section 3.1),
    /// and who is nearer than d has |b| <= |a| + d.
    pub fn surely_behind(&self, last: f32) -> f32 {
        let own = self.norm.sqrt();
        let farthest = own + (f64::from(last) + self.norm).max(0.0).sqrt();
        (f64::from(last) + self.rounding * (own + farthest).powi(2)) as f32
    }

    /// Takes what is near enough of the rows from `first` on: their products with the query, and their squared norms; not the row `query` itself.
    pub fn look_through(&mut self, products: &[f32], norms: &[f32], first: usize, query: usize) {
        for (lane, (products, norms)) in products.chunks(LANES).zip(norms.chunks(LANES)).enumerate() {
            // Most stretches have none that is near enough; that is found out without a branch for each.
            let limit = self.limit;
            let some = products.iter().zip(norms).fold(false, |some, (product, norm)| some | (norm - 2.0 * product < limit));
            if !some {
                continue;
            }
            for (at, (product, norm)) in products.iter().zip(norms).enumerate() {
                let (key, other) = (norm - 2.0 * product, first + lane * LANES + at);
                if key < limit && other != query {
                    self.candidates.push((key, other as u32));
                }
            }
            if self.candidates.len() >= self.full {
                self.thin_out();
            }
        }
    }

    fn thin_out(&mut self) {
        if self.candidates.len() > self.wanted {
            let order = |a: &(f32, u32), b: &(f32, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
            let (_, last, _) = self.candidates.select_nth_unstable_by(self.wanted - 1, order);
            let last = last.0;
            let limit = self.surely_behind(last);
            self.limit = limit;
            let mut at = 0;
            self.candidates.retain(|&(key, _)| {
                at += 1;
                at <= self.wanted || key < limit
            });
            let most = MOST_KEPT * self.wanted;
            if self.candidates.len() > most {
                let (_, last, _) = self.candidates.select_nth_unstable_by(most - 1, order);
                self.limit = last.0;
                self.candidates.truncate(most);
            }
            self.full = 2 * self.candidates.len();
        }
    }

    /// The rows that may be among those wanted.
    pub fn into_candidates(mut self) -> impl Iterator<Item = u32> {
        self.thin_out();
        self.candidates.into_iter().map(|(_, other)| other)
    }
}
