//! A share of the inputs, so that several machines extract one collection: `--shard I/N`.
//!
//! The files, in the order of their paths, are cut into N runs of about as many bytes each. The cuts depend on the paths and sizes of
//! all the files and on nothing else, above all not on what was extracted before: so every shard has to see the same files. If files are added between
//! two shards, a cut may move: then a track may be in two shards (merging takes it once) or in none (extracting into the merged collection adds
//! it).

use std::fmt;
use std::str::FromStr;

use super::inputs::Candidate;

/// The share number `number` of `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: u32,
    of: u32,
}

/// Most shards that a run can be cut into.
const MAX_SHARDS: u32 = 1_000_000;

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(number, of)| Some((number.trim().parse().ok()?, of.trim().parse().ok()?)));
        match parts {
            Some((number, of)) if (1..=of).contains(&number) && of <= MAX_SHARDS => Ok(Self { number, of }),
            _ => Err(format!("a shard is I/N, with I from 1 to N and N at most {MAX_SHARDS}, as in 2/8")),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl Shard {
    /// The shard's number, from 1.
    #[must_use]
    pub fn number(self) -> u32 {
        self.number
    }

    /// This shard's share of all candidates, which are in the order of their paths.
    pub(super) fn share(self, candidates: Vec<Candidate>) -> Vec<Candidate> {
        let weights: Vec<u64> = candidates.iter().map(|candidate| weight(candidate.stamp.size)).collect();
        let numbers = shard_numbers(&weights, self.of);
        candidates.into_iter().zip(numbers).filter(|(_, number)| *number == self.number).map(|(candidate, _)| candidate).collect()
    }
}

/// A file counts by its bytes; an empty one counts too, so that they do not all end in one shard.
fn weight(size: i64) -> u64 {
    size.max(0).unsigned_abs() + 1
}

/// Of each file the shard, from 1: the one in whose part of all bytes the file's middle lies.
fn shard_numbers(weights: &[u64], of: u32) -> Vec<u32> {
    let total: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
    let mut before = 0_u128;
    let number = |&weight: &u64| {
        let middle = 2 * before + u128::from(weight);
        before += u128::from(weight);
        // The middle lies before the end, so that the quotient is below `of`.
        u32::try_from(middle * u128::from(of) / (2 * total)).unwrap_or(0) + 1
    };
    weights.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::SplitMix64;

    #[test]
    fn a_shard_is_a_number_of_a_number() {
        assert_eq!("2/8".parse(), Ok(Shard { number: 2, of: 8 }));
        assert_eq!("1/1".parse::<Shard>().unwrap().to_string(), "1/1");
        for wrong in ["", "1", "0/3", "4/3", "1/0", "-1/3", "1/3/5", "a/b", "1/99999999999", "1/2000000"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn shards_are_runs_of_about_as_many_bytes_that_hold_every_file_once() {
        let mut seed = SplitMix64::new(3);
        for files in [0, 1, 2, 7, 500] {
            let weights: Vec<u64> = (0..files).map(|_| 1 + seed.next_below(1000)).collect();
            let (total, largest) = (weights.iter().sum::<u64>(), weights.iter().max().copied().unwrap_or(0));
            for of in [1, 2, 3, 8, 64] {
                let numbers = shard_numbers(&weights, of);
                assert!(numbers.is_sorted() && numbers.iter().all(|number| (1..=of).contains(number)));
                for shard in 1..=of {
                    let bytes: u64 = weights.iter().zip(&numbers).filter(|(_, number)| **number == shard).map(|(weight, _)| weight).sum();
                    assert!(bytes.abs_diff(total / u64::from(of)) <= largest + 1, "{files} files, shard {shard}/{of}: {bytes}");
                }
            }
        }
        assert_eq!(shard_numbers(&[1, 1, 1, 1], 2), [1, 1, 2, 2]);
        // Sizes at the end of what a file can have do not overflow.
        assert_eq!(shard_numbers(&[weight(i64::MAX), weight(i64::MAX), weight(-1)], MAX_SHARDS).len(), 3);
    }
}
