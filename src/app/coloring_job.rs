//! From what a user names to what rows are coloured by: the work that reads matrices and files.

use std::sync::Arc;

use rayon::prelude::*;

use super::coloring::ColoringOutcome;
use super::error::AppError;
use super::near_names::near_names;
use super::worker::{Task, Wake, Worker};
use crate::catalog::{SpaceKey, Track, TrackMetadata, TrackRows, counted, plain_text};
use crate::matrix::{FeatureMatrix, RowSource};
use crate::project::{Compute, Observer, ProjectError, pca};
use crate::scene::coloring::{Classes, Column, Measure, Numbers, Values};
use crate::scene::crowding::crowding;
use crate::scene::{Bounds, ColorBy, Coloring, Dimensions};
use crate::store::{Collection, RowValues, read_row_values};

/// Rows between two looks at whether the colours are still wanted.
const BLOCK: usize = 1 << 18;
/// Rows that a thread reads at a time.
const CHUNK: usize = 1 << 12;

/// Colours that are wanted.
#[derive(Clone, Debug)]
pub struct ColoringRequest {
    /// The caller's number.
    pub serial: u64,
    /// Of what.
    pub collection: Arc<Collection>,
    /// Which space is shown.
    pub space: SpaceKey,
    /// By what.
    pub by: ColorBy,
    /// Where the rows are on the map.
    pub positions: Arc<[[f32; 3]]>,
    /// Plane or space.
    pub dimensions: Dimensions,
    /// What a second projection runs on.
    pub compute: Compute,
}

/// That thread's handle.
pub type ColoringWorker = Worker<ColoringRequest, ColoringOutcome>;

/// Starts the thread that makes colours.
///
/// # Errors
/// [`AppError::Worker`] where the system gives none.
pub fn start(wake: Wake) -> Result<ColoringWorker, AppError> {
    Worker::start("colours", wake, |request: ColoringRequest, task: &Task<'_, _, _>| task.tell((request.serial, request.run(task))))
}

impl ColoringRequest {
    /// Does all of the work.
    ///
    /// # Errors
    /// As [`check`]; [`AppError::Coloring`] where a file does not fit; what the store, the projection or the GPU say.
    pub fn run(&self, observer: &dyn Observer) -> Result<Coloring, AppError> {
        let Self { collection, space, by, .. } = self;
        check(collection, *space, by)?;
        let title = by.label();
        let rows = self.positions.len();
        let values = match by {
            ColorBy::Tag(name) => {
                let (key, column) = tag_column(collection, *space, name)?;
                numbers(column_of(&collection.matrix(key)?, column, observer)?, Measure::Plain)
            }
            ColorBy::Dim(column) => numbers(column_of(&collection.matrix(*space)?, *column, observer)?, Measure::Plain),
            ColorBy::Density => {
                let found = crowding(&self.positions, Bounds::of(&self.positions), self.dimensions);
                Values::Numbers(Numbers::whole(Column::Rows(found), Measure::LogCount))
            }
            ColorBy::Projection(other) => return self.places(other.unwrap_or(*space), title, observer),
            ColorBy::File(path) => {
                let read = read_row_values(path)?;
                if read.rows() != rows {
                    let numbers = counted(read.rows(), "row");
                    let text = format!("{}: it has numbers for {numbers}, and {space} has {rows}", path.display());
                    return Err(AppError::Coloring(text));
                }
                match read {
                    RowValues::Classes(classes) => Values::Classes(Classes::of_rows(&classes)),
                    RowValues::Numbers(read) => {
                        let numbers = Numbers::robust(Column::Rows(read.values), Measure::Plain);
                        Values::Numbers(Numbers { offset: read.offset, ..numbers })
                    }
                    RowValues::Places(places) => return Ok(Coloring::places(title, &places)),
                }
            }
            of_track => return Ok(of_tracks(of_track, collection, collection.rows(*space)?)),
        };
        Ok(Coloring { title, values })
    }

    fn places(&self, key: SpaceKey, title: String, observer: &dyn Observer) -> Result<Coloring, AppError> {
        let matrix = self.collection.matrix(key)?;
        let (rows, shown) = (matrix.rows(), self.positions.len());
        if rows != shown {
            return Err(AppError::Coloring(format!(
                "{key} has {}, and {} has {shown}; colours go with the same rows",
                counted(rows, "row"),
                self.space
            )));
        }
        let second: FeatureMatrix = pca::leading(&matrix, 3.min(matrix.dims()), &self.compute, observer)?;
        let place = |row: &[f32]| [0, 1, 2].map(|axis| row.get(axis).copied().unwrap_or(0.0));
        let places: Vec<[f32; 3]> = second.values().chunks_exact(second.dims()).map(place).collect();
        Ok(Coloring::places(title, &places))
    }
}

/// Whether a space can be coloured so, without doing it.
///
/// # Errors
/// [`AppError::Coloring`] for what is not there, with what is; files are only looked at when they are read.
pub fn check(collection: &Collection, space: SpaceKey, by: &ColorBy) -> Result<(), AppError> {
    match by {
        ColorBy::Tag(name) => tag_column(collection, space, name).map(|_| ()),
        ColorBy::Dim(column) if *column >= space.dims() => {
            Err(AppError::Coloring(format!("{space} has no dimension {}: its dimensions are 1 to {}", column + 1, space.dims())))
        }
        ColorBy::Projection(Some(other)) => {
            let [rows, shown] = [collection.space(*other)?.segments, collection.space(space)?.segments];
            let text = || format!("{other} has {}, and {space} has {shown}; colours go with the same rows", counted(rows, "row"));
            if rows == shown { Ok(()) } else { Err(AppError::Coloring(text())) }
        }
        _ if !says(collection, by) => {
            Err(AppError::Coloring(format!("no track of {} says its {by}; colour by track or tag:NAME", collection.path().display())))
        }
        _ => Ok(()),
    }
}

/// Whether any track's metadata says what rows are to be coloured by; what is not metadata is always known.
#[must_use]
pub fn says(collection: &Collection, by: &ColorBy) -> bool {
    let some = |says: fn(&TrackMetadata) -> bool| collection.tracks().iter().any(|track| says(&track.metadata));
    match by {
        ColorBy::Artist => some(|about| about.artist.is_some()),
        ColorBy::Album => some(|about| about.album.is_some()),
        ColorBy::Genre => some(|about| about.genre.is_some()),
        ColorBy::Year => some(|about| about.year.is_some()),
        _ => true,
    }
}

/// The tag space of a space's network, and the column of a tag in it.
fn tag_column(collection: &Collection, space: SpaceKey, name: &str) -> Result<(SpaceKey, usize), AppError> {
    let there = |key: &SpaceKey| collection.spaces().iter().any(|space| space.key == *key);
    let Some(key) = space.taggrams().filter(there) else {
        return Err(AppError::Coloring(format!("{space} comes with no tags; colour by track, artist, density or projection")));
    };
    let tags = collection.tags(key)?.ok_or_else(|| AppError::Coloring(format!("{key} has no names for its tags")))?;
    let column = tags.position(name).ok_or_else(|| {
        let near = near_names(name, tags.names());
        let hint =
            if near.is_empty() { format!("there are: {}", tags.names().join(", ")) } else { format!("near it: {}", near.join(", ")) };
        AppError::Coloring(format!("{key} has no tag '{name}'; {hint}"))
    })?;
    Ok((key, column))
}

/// What is known from the tracks alone.
#[must_use]
pub fn of_tracks(by: &ColorBy, collection: &Collection, track_rows: &[TrackRows]) -> Coloring {
    let tracks = collection.tracks();
    let track = |rows: &TrackRows| tracks.binary_search_by_key(&rows.track, |track| track.id).ok().and_then(|place| tracks.get(place));
    let known: Vec<(Option<&Track>, usize)> = track_rows.iter().map(|rows| (track(rows), rows.row_count)).collect();
    let classes = |name: fn(&Track) -> Option<&String>| {
        let plain =
            known.iter().map(|&(track, rows)| (track.and_then(name).filter(|name| !name.is_empty()).map(|name| plain_text(name)), rows));
        let names: Vec<_> = plain.collect();
        Values::Classes(Classes::of_tracks(names.iter().map(|(name, rows)| (name.as_deref(), *rows))))
    };
    let column = |number: fn(&Track) -> f32| Column::Tracks(known.iter().map(|(track, _)| track.map_or(f32::NAN, number)).collect());
    let values = match by {
        ColorBy::Artist => classes(|track| track.metadata.artist.as_ref()),
        ColorBy::Album => classes(|track| track.metadata.album.as_ref()),
        ColorBy::Genre => classes(|track| track.metadata.genre.as_ref()),
        ColorBy::Year => {
            Values::Numbers(Numbers::whole(column(|track| track.metadata.year.map_or(f32::NAN, |year| year as f32)), Measure::Year))
        }
        ColorBy::Duration => Values::Numbers(Numbers::robust(column(|track| track.duration_secs as f32), Measure::Seconds)),
        ColorBy::Track => {
            let name = |track: Option<&Track>| track.map_or(String::new(), |track| plain_text(track.display_title()).into_owned());
            Values::Classes(Classes::tracks(known.iter().map(|&(track, rows)| (name(track), rows))))
        }
        _ => Values::None,
    };
    Coloring { title: by.label(), values }
}

fn numbers(values: Vec<f32>, measure: Measure) -> Values {
    Values::Numbers(Numbers::robust(Column::Rows(values), measure))
}

/// One column of a matrix, `[rows]`.
fn column_of(matrix: &(dyn RowSource + Sync), column: usize, observer: &dyn Observer) -> Result<Vec<f32>, AppError> {
    let (rows, dims) = (matrix.rows(), matrix.dims());
    let mut values = vec![f32::NAN; rows];
    for (number, block) in values.chunks_mut(BLOCK).enumerate() {
        if observer.cancelled() {
            return Err(ProjectError::Cancelled.into());
        }
        observer.progress((number * BLOCK) as f64 / rows as f64);
        let read = block.par_chunks_mut(CHUNK).enumerate().try_for_each_init(
            || vec![0.0; CHUNK * dims],
            |buffer, (chunk, into)| {
                let first = number * BLOCK + chunk * CHUNK;
                let Some(buffer) = buffer.get_mut(..into.len() * dims) else { return Ok(()) };
                matrix.read_rows(first..first + into.len(), buffer)?;
                for (value, row) in into.iter_mut().zip(buffer.chunks_exact(dims)) {
                    *value = row.get(column).copied().unwrap_or(f32::NAN);
                }
                Ok(())
            },
        );
        read.map_err(ProjectError::Rows)?;
    }
    observer.progress(1.0);
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::NoObserver;

    #[test]
    fn a_column_is_read_whole_across_chunks() {
        let rows = CHUNK * 2 + 3;
        let matrix = FeatureMatrix::new(rows, 3, (0..rows * 3).map(|value| value as f32).collect());
        let column = column_of(&matrix, 1, &NoObserver).unwrap();
        assert!(column.iter().enumerate().all(|(row, &value)| value == (row * 3 + 1) as f32));
    }
}
