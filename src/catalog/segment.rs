//! A segment: the stretch of audio behind one patch, and one row of a space.

use super::TrackId;

/// A segment's row in the space that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentId(pub u32);

/// From where to where a segment lies in its track, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SegmentSpan {
    /// Start in seconds from the beginning of the track.
    pub start_secs: f64,
    /// Length in seconds (2.992 for MusiCNN and VGG).
    pub duration_secs: f64,
}

/// The rows of one track in one space: `first_row .. first_row + row_count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackRows {
    /// The track.
    pub track: TrackId,
    /// Its first row.
    pub first_row: usize,
    /// How many rows it has.
    pub row_count: usize,
}

impl TrackRows {
    /// The rows as a range.
    #[must_use]
    pub fn range(&self) -> std::ops::Range<usize> {
        self.first_row..self.first_row + self.row_count
    }
}

/// The position in `rows` (sorted by `first_row`, without overlap) of the track that owns `row`.
#[must_use]
pub fn position_of_row(rows: &[TrackRows], row: usize) -> Option<usize> {
    let after = rows.partition_point(|track| track.first_row <= row);
    let position = after.checked_sub(1)?;
    rows[position].range().contains(&row).then_some(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_finds_its_track_and_no_other_row_does() {
        let rows = [
            TrackRows { track: TrackId(1), first_row: 0, row_count: 3 },
            TrackRows { track: TrackId(2), first_row: 3, row_count: 1 },
            TrackRows { track: TrackId(5), first_row: 6, row_count: 2 },
        ];
        let found: Vec<_> = (0..9).map(|row| position_of_row(&rows, row)).collect();
        assert_eq!(found, [Some(0), Some(0), Some(0), Some(1), None, None, Some(2), Some(2), None]);
        assert_eq!(position_of_row(&[], 0), None);
    }
}
