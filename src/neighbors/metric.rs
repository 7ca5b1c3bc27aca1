//! How near two rows are.

use std::str::FromStr;

use crate::catalog::UnknownName;

/// A distance between rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metric {
    /// The length of the difference.
    #[default]
    Euclidean,
    /// 1 - cos of the angle between the rows, from the origin and not from their mean: 0 to 2, whatever their lengths. A row of zeros has no
    /// direction: it is at 0 from others of its kind, and at 1/2 from all else.
    Cosine,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Euclidean, Self::Cosine];

    /// Its name on the command line and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Euclidean => "euclidean",
            Self::Cosine => "cosine",
        }
    }

    /// The distance of two rows whose difference has the length `length`. For [`Metric::Cosine`] they are of length 1
    /// ([`UnitRows`](super::UnitRows)), so that |a - b|² = 2 - 2 cos, which loses no digits of small angles as 1 - cos would.
    #[must_use]
    pub fn of_length(self, length: f32) -> f32 {
        match self {
            Self::Euclidean => length,
            Self::Cosine => (0.5 * f64::from(length).powi(2)) as f32,
        }
    }
}

impl FromStr for Metric {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let known = || Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|metric| metric.name() == name);
        found.ok_or_else(|| UnknownName { kind: "metric", given: name.to_owned(), known: known() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_found_by_their_names() {
        assert!(Metric::ALL.into_iter().all(|metric| metric.name().parse::<Metric>().unwrap() == metric));
        assert!("manhattan".parse::<Metric>().unwrap_err().to_string().contains("euclidean, cosine"));
    }
}
