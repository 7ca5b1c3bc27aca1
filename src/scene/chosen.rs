//! Which rows are chosen: a bit for each row, so that 4.5 million rows are half a megabyte.

use std::ops::Range;

use rayon::prelude::*;

/// Rows in a word of the mask.
const WORD_ROWS: usize = 32;
/// Words that are made in one go.
const BAND_WORDS: usize = 1 << 10;

/// How newly chosen rows come to those chosen before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Combine {
    /// They take their place.
    #[default]
    Replace,
    /// They are added to them.
    Add,
    /// They are taken from them.
    Subtract,
}

/// A set of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenRows {
    words: Vec<u32>,
    rows: usize,
    count: usize,
}

impl ChosenRows {
    /// From a mask: bit `row % 32` of word `row / 32`. Words that are missing are 0, and what lies past the last row is left out.
    #[must_use]
    pub fn from_words(mut words: Vec<u32>, rows: usize) -> Self {
        words.resize(rows.div_ceil(WORD_ROWS), 0);
        if let Some(last) = words.last_mut().filter(|_| !rows.is_multiple_of(WORD_ROWS)) {
            *last &= (1 << (rows % WORD_ROWS)) - 1;
        }
        let count = words.iter().map(|word| word.count_ones() as usize).sum();
        Self { words, rows, count }
    }

    /// The rows that `is_chosen` says; it is asked on all threads.
    #[must_use]
    pub fn of(rows: usize, is_chosen: impl Fn(usize) -> bool + Sync) -> Self {
        let mut words = vec![0u32; rows.div_ceil(WORD_ROWS)];
        words.par_chunks_mut(BAND_WORDS).enumerate().for_each(|(band, words)| {
            for (word, first) in words.iter_mut().zip((band * BAND_WORDS * WORD_ROWS..).step_by(WORD_ROWS)) {
                let bits = (first..rows.min(first + WORD_ROWS)).enumerate();
                *word = bits.fold(0, |word, (bit, row)| word | (u32::from(is_chosen(row)) << bit));
            }
        });
        Self::from_words(words, rows)
    }

    /// The rows of some ranges; what lies past the last row is left out.
    #[must_use]
    pub fn of_ranges(rows: usize, ranges: impl Iterator<Item = Range<usize>>) -> Self {
        let mut words = vec![0u32; rows.div_ceil(WORD_ROWS)];
        for row in ranges.flat_map(|range| range.start..range.end.min(rows)) {
            if let Some(word) = words.get_mut(row / WORD_ROWS) {
                *word |= 1 << (row % WORD_ROWS);
            }
        }
        Self::from_words(words, rows)
    }

    /// All but those; all rows where none were chosen.
    #[must_use]
    pub fn inverted(before: Option<&Self>, rows: usize) -> Self {
        let words = before.map_or(&[][..], Self::words);
        let word = |at: usize| !words.get(at).copied().unwrap_or(0);
        Self::from_words((0..rows.div_ceil(WORD_ROWS)).map(word).collect(), rows)
    }

    /// These rows, combined with those chosen before; `None` where nothing is left.
    #[must_use]
    pub fn after(self, before: Option<&Self>, how: Combine) -> Option<Self> {
        let words = before.map_or(&[][..], Self::words);
        let old = |at: usize| words.get(at).copied().unwrap_or(0);
        let new = self.words.iter().enumerate();
        let combined = match how {
            Combine::Replace => self,
            Combine::Add => Self::from_words(new.map(|(at, word)| old(at) | word).collect(), self.rows),
            Combine::Subtract => Self::from_words(new.map(|(at, word)| old(at) & !word).collect(), self.rows),
        };
        (combined.count > 0).then_some(combined)
    }

    /// Whether a row is chosen.
    #[inline]
    #[must_use]
    pub fn contains(&self, row: usize) -> bool {
        has_bit(&self.words, row)
    }

    /// The mask: bit `row % 32` of word `row / 32`. `[rows / 32, rounded up]`
    #[must_use]
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// How many rows are chosen.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The chosen rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.rows).filter(|&row| self.contains(row))
    }
}

/// Bit `at` of a mask; past its end nothing is set.
#[inline]
#[must_use]
pub fn has_bit(words: &[u32], at: usize) -> bool {
    words.get(at / WORD_ROWS).is_some_and(|word| word >> (at % WORD_ROWS) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(rows: usize, is_chosen: fn(usize) -> bool) -> ChosenRows {
        let made = ChosenRows::of(rows, is_chosen);
        let plain: Vec<usize> = (0..rows).filter(|&row| is_chosen(row)).collect();
        assert_eq!((made.iter().collect::<Vec<_>>(), made.count(), made.rows()), (plain.clone(), plain.len(), rows));
        assert_eq!(made, ChosenRows::of_ranges(rows, plain.into_iter().map(|row| row..row + 1)));
        made
    }

    #[test]
    fn sets_are_combined_as_sets_are_at_every_border_of_a_word() {
        for rows in [0, 1, 31, 32, 33, 64, 65, 1000, 32 * BAND_WORDS + 1] {
            let (even, third) = (chosen(rows, |row| row % 2 == 0), chosen(rows, |row| row % 3 == 0));
            let expected = |test: fn(usize) -> bool| Some(chosen(rows, test)).filter(|set| set.count() > 0);
            assert_eq!(third.clone().after(Some(&even), Combine::Add), expected(|row| row % 2 == 0 || row % 3 == 0), "{rows}");
            assert_eq!(third.clone().after(Some(&even), Combine::Subtract), expected(|row| row % 2 == 0 && row % 3 != 0), "{rows}");
            assert_eq!(third.clone().after(Some(&even), Combine::Replace), expected(|row| row % 3 == 0), "{rows}");
            assert_eq!(third.clone().after(None, Combine::Add), expected(|row| row % 3 == 0), "{rows}");
            assert_eq!(third.after(None, Combine::Subtract), None);
            assert_eq!(ChosenRows::inverted(Some(&even), rows), chosen(rows, |row| row % 2 == 1), "{rows}");
            assert_eq!(ChosenRows::inverted(None, rows), chosen(rows, |_| true), "{rows}");
        }
    }

    #[test]
    fn what_lies_past_the_last_row_is_not_chosen() {
        let all = ChosenRows::from_words(vec![u32::MAX; 9], 70);
        assert_eq!((all.count(), all.words().len(), all.contains(69), all.contains(70)), (70, 3, true, false));
        assert_eq!(ChosenRows::of_ranges(10, std::iter::once(5..100)).iter().collect::<Vec<_>>(), [5, 6, 7, 8, 9]);
    }
}
