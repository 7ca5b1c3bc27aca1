//! Options that `render` and `explore` share: which collection, which space, which projection.

use std::path::{Path, PathBuf};

use super::project::input::parse_axes;
use crate::app::coloring_job;
use crate::app::labelling::automatic_labels;
use crate::app::resources;
use crate::app::state::{AppState, Choices};
use crate::catalog::SpaceKey;
use crate::command::{Listen, MethodKind};
use crate::scene::{ColorBy, Dimensions, LabelKind, Theme, ViewKind};
use crate::store::Collection;

/// What to show, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct ViewArgs {
    /// The space to show (default: msd-musicnn-embeddings, or else the collection's first)
    #[arg(long, value_name = "SPACE")]
    pub space: Option<SpaceKey>,
    /// How to project it
    #[arg(long, value_enum, default_value = "pca")]
    pub method: MethodArg,
    /// Tags or numbers (from 1) on the axes, separated by commas
    #[arg(long, value_name = "A,B[,C]")]
    pub axes: Option<String>,
    /// Show a layout made by `tagscape project` instead of projecting
    #[arg(long, value_name = "FILE.npy", conflicts_with = "axes")]
    pub layout: Option<PathBuf>,
    /// Logarithmic axes: plain where no value is negative (zeros at the smallest other value), else on both sides of zero
    #[arg(long)]
    pub log: bool,
    /// What to draw
    #[arg(long, value_enum, default_value = "segments")]
    pub view: ViewArg,
    /// Names on the map
    #[arg(long, value_enum, default_value = "none")]
    pub labels: LabelArg,
    /// What to colour by: track, artist, album, genre, year, duration, density (on the map), tag:NAME, dim:N (from 1), file:PATH.npy (one number a row; whole
    /// numbers are classes, negative ones none; three numbers are a place), projection or projection:SPACE (a second map, PCA in 3-D), none
    #[arg(long, value_name = "WHAT", default_value = "track")]
    pub color_by: ColorBy,
    /// Dark or light
    #[arg(long, value_enum, default_value = "dark")]
    pub theme: ThemeArg,
    /// A space instead of a plane
    #[arg(long = "3d")]
    pub three_d: bool,
}

/// `--method`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum MethodArg {
    /// The space's own dimensions
    Original,
    /// Principal components
    Pca,
    /// Principal components of standardised columns
    StdPca,
    /// t-SNE, with the defaults of `tagscape project`
    Tsne,
    /// UMAP, likewise
    Umap,
}

/// `--view`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ViewArg {
    /// A disc for each segment
    Segments,
    /// A line for each track
    Trajectories,
    /// A disc for each track
    Averages,
    /// A heat map
    Density,
}

impl ViewArg {
    /// What it stands for.
    pub(super) fn kind(self) -> ViewKind {
        match self {
            Self::Segments => ViewKind::Segments,
            Self::Trajectories => ViewKind::Trajectories,
            Self::Averages => ViewKind::Averages,
            Self::Density => ViewKind::Density,
        }
    }
}

/// `--labels`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LabelArg {
    /// No names
    None,
    /// Each tag where the segments are whose strongest tag it is
    Tags,
    /// Artists where their segments are
    Artists,
    /// Tracks where their segments are
    Tracks,
    /// Tags; artists where tags are the axes or there are none; tracks where no two artists are known
    Auto,
}

impl LabelArg {
    /// What it stands for.
    ///
    /// # Errors
    /// Names that the collection does not have.
    fn kind(self, collection: &Collection, space: SpaceKey, method: MethodKind) -> anyhow::Result<LabelKind> {
        let kind = match self {
            Self::None => LabelKind::None,
            Self::Tags => LabelKind::Tags,
            Self::Artists => LabelKind::Artists,
            Self::Tracks => LabelKind::Tracks,
            Self::Auto => automatic_labels(collection, space, method),
        };
        let has_tags = space.taggrams().is_some_and(|key| collection.spaces().iter().any(|there| there.key == key));
        if kind == LabelKind::Tags && !has_tags {
            anyhow::bail!("the collection has no tags for {space}; give --labels artists or tracks");
        }
        if kind == LabelKind::Artists && !collection.tracks().iter().any(|track| track.metadata.artist.is_some()) {
            anyhow::bail!("the collection knows no artists; give --labels tracks");
        }
        Ok(kind)
    }
}

/// `--theme`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ThemeArg {
    /// For screens
    Dark,
    /// For paper
    Light,
}

impl ViewArgs {
    /// The files that are read besides the collection.
    #[must_use]
    pub fn inputs(&self) -> Vec<&Path> {
        let colors = if let ColorBy::File(path) = &self.color_by { Some(path.as_path()) } else { None };
        self.layout.as_deref().into_iter().chain(colors).collect()
    }

    /// The collection (the demo where none is named), the choices, and the columns on the axes.
    ///
    /// # Errors
    /// A collection that cannot be read, or has no such space or axis.
    pub fn resolve(&self, collection: Option<&PathBuf>) -> anyhow::Result<(Collection, Choices, Option<[usize; 3]>)> {
        let path = collection.cloned().map_or_else(resources::demo_collection, Ok)?;
        let collection = Collection::open(&path)?;
        let space = AppState::first_space(&collection, self.space)?;
        if self.log && self.layout.is_none() && matches!(self.method, MethodArg::Tsne | MethodArg::Umap) {
            anyhow::bail!(
                "directions of t-SNE and UMAP have no values to take logarithms of; --log is for --method original, pca and std-pca, and for --layout"
            );
        }
        let mut dimensions = if self.three_d { Dimensions::Three } else { Dimensions::Two };
        let axes = match &self.axes {
            None => None,
            Some(_) if matches!(self.method, MethodArg::Tsne | MethodArg::Umap) => {
                anyhow::bail!("t-SNE and UMAP have no --axes to choose; --3d gives them a third")
            }
            Some(text) => {
                let tags = collection.tags(space)?.map(|tags| tags.names().to_vec()).unwrap_or_default();
                let named = if self.method == MethodArg::Original { tags.as_slice() } else { &[] };
                let columns = parse_axes(text, space.dims(), named)?;
                let (Some(&first), Some(&second), true) = (columns.first(), columns.get(1), columns.len() <= 3) else {
                    anyhow::bail!("--axes takes two axes, or three with --3d, not {}", columns.len());
                };
                if columns.len() == 3 {
                    dimensions = Dimensions::Three;
                } else if self.three_d {
                    anyhow::bail!("--3d takes three --axes");
                }
                Some([first, second, columns.get(2).copied().unwrap_or(0)])
            }
        };
        let method = match self.method {
            MethodArg::Original => MethodKind::Original,
            MethodArg::Pca => MethodKind::Pca,
            MethodArg::StdPca => MethodKind::StdPca,
            MethodArg::Tsne => MethodKind::Tsne,
            MethodArg::Umap => MethodKind::Umap,
        };
        coloring_job::check(&collection, space, &self.color_by)?;
        let choices = Choices {
            space,
            method,
            labels: self.labels.kind(&collection, space, method)?,
            dimensions,
            log: self.log,
            view: self.view.kind(),
            color_by: self.color_by.clone(),
            theme: match self.theme {
                ThemeArg::Dark => Theme::Dark,
                ThemeArg::Light => Theme::Light,
            },
            listen: Listen::OnHover,
            volume: 0.8,
            layout_file: self.layout.clone(),
        };
        Ok((collection, choices, axes))
    }
}
