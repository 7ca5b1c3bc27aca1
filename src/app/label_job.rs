//! Names for the map: who or what lies where, found in the background for a layout that stands still.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::error::AppError;
use super::worker::{Task, Wake, Worker};
use crate::catalog::{SpaceKey, Track, TrackRows, plain_text};
use crate::matrix::RowSource;
use crate::project::ProjectError;
use crate::scene::Dimensions;
use crate::scene::densest::{NO_GROUP, densest_places};
use crate::scene::labels::{self, Label, LabelKind};
use crate::store::Collection;

/// Rows of tag activations that are read at once.
const RUN: usize = 2048;

/// What is to be named, and on which layout.
#[derive(Clone, Debug)]
pub struct LabelRequest {
    /// The caller's number; a newer one makes an older one stale.
    pub serial: u64,
    /// Of what.
    pub collection: Arc<Collection>,
    /// The space shown.
    pub space: SpaceKey,
    /// What is named.
    pub kind: LabelKind,
    /// Where each row is, `[rows]`.
    pub positions: Arc<[[f32; 3]]>,
    /// Plane or space.
    pub dimensions: Dimensions,
    /// Which rows are whose.
    pub track_rows: Arc<[TrackRows]>,
}

/// What came of a request: its number, and the labels, sorted as they are to be placed, or what went wrong.
pub type LabelOutcome = (u64, Result<Vec<Label>, AppError>);

impl LabelRequest {
    /// Finds each name's place: where its segments are densest. `is_wanted` is asked now and then; once it says no, the outcome is of no use.
    ///
    /// # Errors
    /// Tag activations that cannot be read.
    pub fn run(&self, is_wanted: &(dyn Fn() -> bool + Sync)) -> Result<Vec<Label>, AppError> {
        let (names, groups) = match self.kind {
            LabelKind::None => return Ok(Vec::new()),
            LabelKind::Tags => self.strongest_tags(is_wanted)?,
            LabelKind::Artists => self.by_track(|track| track.metadata.artist.clone().filter(|artist| !artist.trim().is_empty()), true),
            LabelKind::Tracks => self.by_track(|track| Some(track.display_title().to_owned()), false),
        };
        if !is_wanted() {
            return Ok(Vec::new());
        }
        let places = densest_places(&self.positions, &groups, self.dimensions);
        let mut found: Vec<Label> = places
            .into_iter()
            .filter_map(|place| {
                Some(Label { at: place.at, text: plain_text(names.get(place.group as usize)?).into_owned(), weight: place.rows })
            })
            .collect();
        labels::sort(&mut found);
        Ok(found)
    }

    /// The tags, and each row's strongest one; of equal ones the first. Nothing where the space's network has no tags.
    fn strongest_tags(&self, is_wanted: &(dyn Fn() -> bool + Sync)) -> Result<(Vec<String>, Vec<u32>), AppError> {
        let mut groups = vec![NO_GROUP; self.positions.len()];
        let key = self.space.taggrams().filter(|&key| self.collection.spaces().iter().any(|there| there.key == key));
        let Some(key) = key else { return Ok((Vec::new(), groups)) };
        let Some(tags) = self.collection.tags(key)? else { return Ok((Vec::new(), groups)) };
        let taggrams = self.collection.matrix(key)?;
        let (rows, dims) = (taggrams.rows(), taggrams.dims());
        let read = groups.par_chunks_mut(RUN).enumerate().try_for_each_init(
            || vec![0.0; RUN * dims],
            |values, (run, groups)| {
                let first = run * RUN;
                let count = groups.len().min(rows.saturating_sub(first));
                let Some(values) = values.get_mut(..count * dims).filter(|_| count > 0 && is_wanted()) else { return Ok(()) };
                taggrams.read_rows(first..first + count, values)?;
                for (group, row) in groups.iter_mut().zip(values.chunks_exact(dims)) {
                    let strongest = row.iter().enumerate().filter(|(_, value)| value.is_finite());
                    // `max_by` would take the last of equal ones.
                    let strongest = strongest.reduce(|best, next| if next.1 > best.1 { next } else { best });
                    *group = strongest.map_or(NO_GROUP, |(column, _)| column as u32);
                }
                Ok(())
            },
        );
        read.map_err(ProjectError::Rows)?;
        Ok((tags.names().to_vec(), groups))
    }

    /// Names of tracks, and each row's; equal names are one group where `joins`.
    fn by_track(&self, name_of: impl Fn(&Track) -> Option<String>, joins: bool) -> (Vec<String>, Vec<u32>) {
        let tracks: HashMap<_, _> = self.collection.tracks().iter().map(|track| (track.id, track)).collect();
        let (mut names, mut numbers) = (Vec::new(), HashMap::new());
        let mut groups = vec![NO_GROUP; self.positions.len()];
        for rows in self.track_rows.iter() {
            let Some(name) = tracks.get(&rows.track).and_then(|track| name_of(track)) else { continue };
            let mut add = |name: String| {
                names.push(name);
                names.len() as u32 - 1
            };
            let group = if joins { *numbers.entry(name.clone()).or_insert_with(|| add(name)) } else { add(name) };
            if let Some(groups) = groups.get_mut(rows.range()) {
                groups.fill(group);
            }
        }
        (names, groups)
    }
}

/// That thread's handle.
pub type LabelWorker = Worker<LabelRequest, LabelOutcome>;

/// Starts the thread that finds names.
///
/// # Errors
/// [`AppError::Worker`] where the system gives no thread.
pub fn start(wake: Wake) -> Result<LabelWorker, AppError> {
    Worker::start("labels", wake, |request: LabelRequest, task: &Task<'_, _, _>| {
        task.tell((request.serial, request.run(&|| task.is_wanted())))
    })
}
