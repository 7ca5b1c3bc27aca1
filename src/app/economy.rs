//! What drawing the map may take of a GPU's memory. Where something does not fit, it goes a step down and says so, and the window goes on.

use crate::gpu::GpuError;

/// A step. Each is tried when what the one before needs is not to be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Economy {
    /// All rows on the GPU, a picture of the map's own size.
    #[default]
    Full,
    /// Rows stay on the CPU, which counts them into the picture's pixels; the GPU has the picture alone.
    OnHost,
    /// And the picture has half the map's edges.
    Half,
    /// A quarter of them.
    Quarter,
    /// No picture: words, grid and panels alone.
    NoMap,
}

impl Economy {
    /// The next step down; none below the last.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Full => Some(Self::OnHost),
            Self::OnHost => Some(Self::Half),
            Self::Half => Some(Self::Quarter),
            Self::Quarter => Some(Self::NoMap),
            Self::NoMap => None,
        }
    }

    /// Whether rows stay on the CPU.
    #[must_use]
    pub fn is_on_host(self) -> bool {
        self >= Self::OnHost
    }

    /// The picture's edges over the map's.
    #[must_use]
    pub fn scale(self) -> f32 {
        match self {
            Self::Full | Self::OnHost => 1.0,
            Self::Half => 0.5,
            Self::Quarter | Self::NoMap => 0.25,
        }
    }

    /// What the user is told, `error` being why.
    #[must_use]
    pub fn notice(self, error: &GpuError) -> String {
        let now = match self {
            Self::Full => "drawing as before",
            Self::OnHost => "the map is drawn on the CPU, a mark a pixel",
            Self::Half => "the map is drawn at half its size",
            Self::Quarter => "the map is drawn at a quarter of its size",
            Self::NoMap => "the points are left out until another layout is shown",
        };
        format!("{error}; {now}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_takes_no_more_than_the_one_before_and_the_last_draws_no_map() {
        let steps: Vec<Economy> = std::iter::successors(Some(Economy::Full), |step| step.next()).collect();
        assert_eq!(steps.len(), 5);
        assert!(steps.windows(2).all(|pair| pair[1].scale() <= pair[0].scale() && pair[1] > pair[0]));
        assert!(!steps[0].is_on_host() && steps[1..].iter().all(|step| step.is_on_host()));
        assert_eq!(steps.last(), Some(&Economy::NoMap));
    }
}
