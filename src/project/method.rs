//! The ways to project.

/// How to come from a row of features to a position, and which axes to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// Some dimensions of the space as they are: in a tag space, two or three tags' activations.
    Original {
        /// The columns, from 0, in the order of the layout's axes.
        axes: Vec<usize>,
    },
    /// Principal component analysis.
    Pca {
        /// The components, from 0 (the one with the largest variance), in the order of the layout's axes.
        components: Vec<usize>,
    },
}

impl Method {
    /// Its name on the command line and in reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Original { .. } => "original",
            Self::Pca { .. } => "pca",
        }
    }
}
