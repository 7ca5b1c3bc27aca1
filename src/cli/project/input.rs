//! What is projected: a space of a collection, or a matrix file.

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::app::state::AppState;
use crate::catalog::{SpaceKey, TrackRows};
use crate::matrix::{FeatureMatrix, RowSource};
use crate::project::tsne::TsneOptions;
use crate::project::umap::UmapOptions;
use crate::project::{Embedding, Method, Metric};
use crate::store::{Collection, MatrixFile};

/// A matrix of at most so many bytes as float32 is read into memory at once; a larger one is read in pieces, three times.
const MEMORY_BYTES: usize = 1 << 30;

/// An opened input.
pub struct Input {
    matrix: MatrixFile,
    /// Tags of the columns, in a tag space.
    column_names: Vec<String>,
    /// Each track's rows, in a collection.
    tracks: Option<Vec<TrackRows>>,
}

/// The rows, in memory or on disk.
pub enum Loaded<'a> {
    Memory(FeatureMatrix),
    Disk(Box<dyn RowSource + 'a>),
}

impl Loaded<'_> {
    pub fn as_source(&self) -> &dyn RowSource {
        match self {
            Self::Memory(matrix) => matrix,
            Self::Disk(rows) => &**rows,
        }
    }
}

impl Input {
    /// Opens a collection's space, or a matrix file.
    pub fn open(path: &Path, space: Option<SpaceKey>) -> anyhow::Result<Self> {
        if path.is_dir() {
            return Self::of_collection(&Collection::open(path)?, space);
        }
        if !path.try_exists().with_context(|| format!("cannot read {}", path.display()))? {
            bail!("there is no {}; INPUT is a collection or a .npy matrix", path.display());
        }
        if space.is_some() {
            bail!("--space goes with a collection, and {} is a file", path.display());
        }
        Ok(Self { matrix: MatrixFile::open(path)?, column_names: Vec::new(), tracks: None })
    }

    fn of_collection(collection: &Collection, space: Option<SpaceKey>) -> anyhow::Result<Self> {
        // The same that the window begins with.
        let space = match space {
            Some(space) => space,
            None => AppState::first_space(collection, None)?,
        };
        Ok(Self {
            matrix: collection.matrix(space)?,
            column_names: collection.tags(space)?.map(|tags| tags.names().to_vec()).unwrap_or_default(),
            tracks: Some(collection.rows(space)?.to_vec()),
        })
    }

    /// Columns.
    pub fn dims(&self) -> usize {
        self.matrix.dims()
    }

    /// Tags of the columns; empty where they have none.
    pub fn column_names(&self) -> &[String] {
        &self.column_names
    }

    /// Reads the rows, if they are few enough, as the method takes them: what shows values or angles takes them as they are, and all else is the same
    /// whatever is subtracted from a column, so that nothing of a user's file need be lost to float32.
    pub fn load(&self, method: &Method) -> anyhow::Result<Loaded<'_>> {
        let rows: Box<dyn RowSource + '_> = match method {
            _ if self.tracks.is_some() => Box::new(&self.matrix),
            Method::Original { axes } => {
                self.matrix.check_float32(axes)?;
                Box::new(&self.matrix)
            }
            Method::Embedding(
                Embedding::Tsne(TsneOptions { metric: Metric::Cosine, .. }) | Embedding::Umap(UmapOptions { metric: Metric::Cosine, .. }),
            ) => {
                self.matrix.check_float32(&(0..self.matrix.dims()).collect::<Vec<_>>())?;
                Box::new(&self.matrix)
            }
            _ => Box::new(self.matrix.centred()?),
        };
        let bytes = rows.rows().saturating_mul(rows.dims()).saturating_mul(4);
        Ok(if bytes <= MEMORY_BYTES { Loaded::Memory(rows.to_matrix()?) } else { Loaded::Disk(rows) })
    }

    /// The rows that `--tracks` and `--every` leave; nothing where they leave all. A matrix file counts as one track.
    pub fn shown(&self, tracks: Option<u64>, every: Option<u64>) -> anyhow::Result<Option<Vec<usize>>> {
        let whole = [TrackRows { track: crate::catalog::TrackId(1), first_row: 0, row_count: self.matrix.rows() }];
        let all = match &self.tracks {
            Some(all) => all.as_slice(),
            None if tracks.is_some() => bail!("--tracks goes with a collection; a .npy matrix has no tracks"),
            None => &whole,
        };
        let rows = rows_of(all, tracks, every);
        Ok((rows.len() < self.matrix.rows()).then_some(rows))
    }
}

fn rows_of(all: &[TrackRows], tracks: Option<u64>, every: Option<u64>) -> Vec<usize> {
    let count = tracks.and_then(|tracks| usize::try_from(tracks).ok()).unwrap_or(usize::MAX);
    let step = every.and_then(|every| usize::try_from(every).ok()).unwrap_or(1).max(1);
    all.iter().take(count).flat_map(|track| track.range().step_by(step)).collect()
}

/// Columns, from 0, of what a user typed: tags by name, and anything by number from 1.
pub fn parse_axes(text: &str, count: usize, names: &[String]) -> anyhow::Result<Vec<usize>> {
    let column = |typed: &str| {
        let typed = typed.trim();
        let named = names.iter().position(|name| name == typed).or_else(|| names.iter().position(|name| name.eq_ignore_ascii_case(typed)));
        let numbered = || typed.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).filter(|&column| column < count);
        match named.or_else(numbered) {
            Some(column) => Ok(column),
            None if names.is_empty() => bail!("--axes has no '{typed}': axes are numbers from 1 to {count}"),
            None => bail!("--axes has no '{typed}': axes are numbers from 1 to {count}, or tags: {}", names.join(", ")),
        }
    };
    text.split(',').map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::TrackId;

    #[test]
    fn axes_are_tags_or_numbers_from_1() {
        let names = ["rock", "pop", "80s"].map(str::to_owned);
        assert_eq!(parse_axes("Pop, 1,80s", 3, &names).unwrap(), [1, 0, 2]);
        assert_eq!(parse_axes("3,1", 3, &[]).unwrap(), [2, 0]);
        for bad in ["0", "4", "", "polka", "1,,2", "-1"] {
            let said = parse_axes(bad, 3, &names).unwrap_err().to_string();
            assert!(said.contains("rock") && said.contains("1 to 3"), "{said}");
        }
    }

    #[test]
    fn every_kth_segment_counts_from_each_tracks_first() {
        let track = |id: u32, first_row: usize, row_count: usize| TrackRows { track: TrackId(id), first_row, row_count };
        let all = [track(1, 0, 5), track(2, 5, 2), track(3, 7, 4)];
        assert_eq!(rows_of(&all, None, Some(3)), [0, 3, 5, 7, 10]);
        assert_eq!(rows_of(&all, Some(2), None), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(rows_of(&all, Some(u64::MAX), Some(u64::MAX)), [0, 5, 7]);
    }
}
