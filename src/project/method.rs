//! The ways to project.

use super::embedding::Embedding;

/// How to come from a row of features to a position, and which axes to keep.
#[derive(Clone, Debug, PartialEq)]
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
    /// The same of standardised columns, so that a column with large values weighs no more than another.
    StdPca {
        /// As with [`Method::Pca`].
        components: Vec<usize>,
    },
    /// t-SNE or UMAP, on the rows that are shown.
    Embedding(Embedding),
}

impl Method {
    /// Its name on the command line and in reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Original { .. } => "original",
            Self::Pca { .. } => "pca",
            Self::StdPca { .. } => "std-pca",
            Self::Embedding(embedding) => embedding.name(),
        }
    }

    /// The components that it shows; none where it has none.
    #[must_use]
    pub fn components(&self) -> Option<&[usize]> {
        match self {
            Self::Original { .. } | Self::Embedding(_) => None,
            Self::Pca { components } | Self::StdPca { components } => Some(components),
        }
    }
}
