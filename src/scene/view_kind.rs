//! How a space's rows are drawn.

use std::fmt;

/// What the map is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ViewKind {
    /// A disc for each segment.
    #[default]
    Segments,
    /// The line through each track's segments in order, with small discs on it.
    Trajectories,
    /// A disc for each track, at the mean of its segments.
    Averages,
    /// A heat map of how many segments there are where.
    Density,
}

impl ViewKind {
    /// All kinds, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Segments, Self::Trajectories, Self::Averages, Self::Density];

    /// The name in commands and events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Segments => "segments",
            Self::Trajectories => "trajectories",
            Self::Averages => "averages",
            Self::Density => "density",
        }
    }

    /// Whether tracks are drawn as lines.
    #[must_use]
    pub fn has_lines(self) -> bool {
        self == Self::Trajectories
    }
}

impl fmt::Display for ViewKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
