//! The chosen few: tracks with chosen rows, drawn as curves where there are not many of them.

use std::ops::Range;

use super::gpu_data::chosen_of;
use crate::scene::Scene;

/// Most tracks that are drawn as curves: each is a call of its own.
const MOST: usize = 64;

/// Rows of the tracks that have chosen rows, found once for each choice.
#[derive(Debug, Default)]
pub struct ChosenCurves {
    revision: Option<u64>,
    rows: Vec<Range<u32>>,
}

impl ChosenCurves {
    /// Those of a scene; none where more than [`MOST`] tracks have chosen rows.
    pub fn of(&mut self, scene: &Scene) -> &[Range<u32>] {
        if self.revision != Some(scene.chosen_revision) {
            self.revision = Some(scene.chosen_revision);
            self.rows.clear();
            if let Some(chosen) = chosen_of(scene) {
                let with_chosen = scene.track_rows.iter().filter(|track| track.range().any(|row| chosen.contains(row)));
                let rows =
                    with_chosen.map(|track| track.first_row as u32..(track.first_row + track.row_count).min(scene.positions.len()) as u32);
                self.rows.extend(rows.take(MOST + 1));
            }
            if self.rows.len() > MOST {
                self.rows.clear();
            }
        }
        &self.rows
    }
}
