//! What the user chose: what is shown, how, and when it sounds.

use std::path::PathBuf;

use crate::catalog::SpaceKey;
use crate::command::{Listen, MethodKind};
use crate::scene::{ColorBy, Dimensions, LabelKind, Theme, ViewKind};

/// What the user chose.
#[derive(Clone, Debug, PartialEq)]
pub struct Choices {
    /// The space.
    pub space: SpaceKey,
    /// The projection.
    pub method: MethodKind,
    /// Plane or space.
    pub dimensions: Dimensions,
    /// Whether axes are logarithmic where they have values.
    pub log: bool,
    /// What the map is made of: segments, trajectories, averages or densities.
    pub view: ViewKind,
    /// What is named on the map.
    pub labels: LabelKind,
    /// What rows are coloured by.
    pub color_by: ColorBy,
    /// Dark or light.
    pub theme: Theme,
    /// When segments sound.
    pub listen: Listen,
    /// How loud, 0..1.
    pub volume: f32,
    /// A layout made before, shown instead of a projection until another is chosen.
    pub layout_file: Option<PathBuf>,
}

impl Choices {
    /// A space as it is shown to who chose nothing else.
    #[must_use]
    pub fn of(space: SpaceKey) -> Self {
        Self {
            space,
            method: MethodKind::Pca,
            dimensions: Dimensions::Two,
            log: false,
            view: ViewKind::Segments,
            labels: LabelKind::None,
            color_by: ColorBy::Track,
            theme: Theme::Dark,
            listen: Listen::OnHover,
            volume: 0.8,
            layout_file: None,
        }
    }
}
