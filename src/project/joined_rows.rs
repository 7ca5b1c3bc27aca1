//! Rows that are joined where either has the other among its neighbours: what t-SNE's affinities and UMAP's fuzzy set have in common.

use rayon::prelude::*;

use crate::neighbors::NeighborTable;

/// Rows whose entries one task writes.
pub const BLOCK_ROWS: usize = 1024;

/// A symmetric matrix of which most is not there: compressed rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JoinedRows {
    /// `[rows + 1]`: where each row's entries begin.
    offsets: Vec<usize>,
    /// The other row of each entry, ascending within a row.
    columns: Vec<u32>,
    /// What joins them.
    values: Vec<f32>,
}

impl JoinedRows {
    /// Of `rows` rows with these neighbours, whose distances are not looked at, and what leads to each, `[rows, k]`. `join` makes a value of what
    /// leads there and what leads back (0 where nothing does), the same either way round; none: the rows are not joined.
    ///
    /// # Panics
    /// If there are not as many values as neighbours: a caller's mistake.
    #[must_use]
    pub fn new(rows: usize, table: &NeighborTable, directed: &[f32], join: impl Fn(f64, f64) -> Option<f32> + Sync) -> Self {
        assert_eq!(table.indices.len(), directed.len(), "a value for each neighbour");
        let k = table.k;
        if k == 0 {
            return Self { offsets: vec![0; rows + 1], ..Self::default() };
        }
        let incoming = Incoming::new(rows, table, directed);
        let outgoing = |row: usize, ours: &mut Vec<(u32, f32)>| {
            ours.clear();
            ours.extend(table.of(row).iter().copied().zip(directed[row * k..(row + 1) * k].iter().copied()));
            ours.sort_unstable_by_key(|&(other, _)| other);
        };
        let joined = |(other, there, back): (u32, f64, f64)| Some((other, join(there, back)?));
        // Twice over the rows, first counting: lists that grow would take as much memory again.
        let mut offsets = vec![0_usize; rows + 1];
        offsets[1..].par_iter_mut().enumerate().for_each_init(Vec::new, |ours, (row, count)| {
            outgoing(row, ours);
            *count = Both { ours, theirs: incoming.of(row) }.filter_map(joined).count();
        });
        for row in 0..rows {
            offsets[row + 1] += offsets[row];
        }
        let total = offsets[rows];
        let (mut columns, mut values) = (vec![0; total], vec![0.0; total]);
        let (mut columns_left, mut values_left) = (&mut columns[..], &mut values[..]);
        let mut blocks = Vec::with_capacity(rows.div_ceil(BLOCK_ROWS));
        for first in (0..rows).step_by(BLOCK_ROWS) {
            let end = rows.min(first + BLOCK_ROWS);
            let (columns, values);
            (columns, columns_left) = columns_left.split_at_mut(offsets[end] - offsets[first]);
            (values, values_left) = values_left.split_at_mut(offsets[end] - offsets[first]);
            blocks.push((first..end, columns, values));
        }
        blocks.into_par_iter().for_each_init(Vec::new, |ours, (rows, columns, values)| {
            let mut places = columns.iter_mut().zip(values);
            for row in rows {
                outgoing(row, ours);
                let both = Both { ours, theirs: incoming.of(row) };
                for (entry, (column, value)) in both.filter_map(joined).zip(&mut places) {
                    (*column, *value) = entry;
                }
            }
        });
        Self { offsets, columns, values }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Number of entries; a pair of rows has two.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.columns.len()
    }

    /// A row's entries: the other row, ascending, and what joins them.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn of(&self, row: usize) -> impl Iterator<Item = (u32, f32)> {
        let range = self.offsets[row]..self.offsets[row + 1];
        self.columns[range.clone()].iter().copied().zip(self.values[range].iter().copied())
    }

    /// As a GPU takes it: where each row's entries begin, `[rows + 1]`, the other row of each entry, and what joins them. None where there are more
    /// entries than 32 bits count.
    #[must_use]
    pub fn columns(&self) -> Option<(Vec<u32>, &[u32], &[f32])> {
        let offsets = self.offsets.iter().map(|&offset| u32::try_from(offset).ok()).collect::<Option<Vec<u32>>>()?;
        Some((offsets, &self.columns, &self.values))
    }
}

/// The transpose: who has a row among its neighbours, and what leads from there; ascending.
struct Incoming {
    /// `[rows + 1]`: where each row's entries begin.
    starts: Vec<usize>,
    /// The row whose neighbour it is, and what leads from it.
    entries: Vec<(u32, f32)>,
}

impl Incoming {
    /// Each task looks at all neighbours and takes those in its own range of rows, so that a row's entries come in the same order whatever
    /// the number of threads.
    fn new(rows: usize, table: &NeighborTable, directed: &[f32]) -> Self {
        let share = rows.div_ceil(rayon::current_num_threads()).max(1);
        let mut starts = vec![0_usize; rows + 1];
        starts[1..].par_chunks_mut(share).enumerate().for_each(|(task, counts)| {
            let first = task * share;
            for &to in &table.indices {
                if let Some(count) = (to as usize).checked_sub(first).and_then(|at| counts.get_mut(at)) {
                    *count += 1;
                }
            }
        });
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        let mut entries = vec![(0_u32, 0.0_f32); table.indices.len()];
        let mut left = &mut entries[..];
        let mut tasks = Vec::new();
        for first in (0..rows).step_by(share) {
            let end = rows.min(first + share);
            let own;
            (own, left) = left.split_at_mut(starts[end] - starts[first]);
            tasks.push((first, end, own));
        }
        tasks.into_par_iter().for_each(|(first, end, own)| {
            let mut next: Vec<usize> = starts[first..end].iter().map(|start| start - starts[first]).collect();
            for (row, (others, p)) in table.indices.chunks_exact(table.k).zip(directed.chunks_exact(table.k)).enumerate() {
                for (&to, &p) in others.iter().zip(p) {
                    if let Some(next) = (to as usize).checked_sub(first).and_then(|at| next.get_mut(at)) {
                        own[*next] = (row as u32, p);
                        *next += 1;
                    }
                }
            }
        });
        Self { starts, entries }
    }

    fn of(&self, row: usize) -> &[(u32, f32)] {
        &self.entries[self.starts[row]..self.starts[row + 1]]
    }
}

/// Two ascending lists as one: the other row, what leads there and what leads back.
struct Both<'a> {
    ours: &'a [(u32, f32)],
    theirs: &'a [(u32, f32)],
}

impl Iterator for Both<'_> {
    type Item = (u32, f64, f64);

    fn next(&mut self) -> Option<(u32, f64, f64)> {
        let next = self.ours.first().into_iter().chain(self.theirs.first()).map(|&(other, _)| other).min()?;
        let [there, back] = [&mut self.ours, &mut self.theirs].map(|list| match list.split_first() {
            Some((&(other, value), rest)) if other == next => {
                *list = rest;
                f64::from(value)
            }
            _ => 0.0,
        });
        Some((next, there, back))
    }
}
