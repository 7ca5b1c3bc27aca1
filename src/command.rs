//! What a person, a script or a test can ask of the program. One enum, so that every control is a value.

use glam::Vec2;

use crate::catalog::SpaceKey;
use crate::scene::{ColorBy, Combine, Dimensions, LabelKind, Theme, ViewKind};

pub use crate::project::Tuning;

/// The projection to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MethodKind {
    /// Two or three dimensions of the space as they are.
    Original,
    /// Principal components.
    #[default]
    Pca,
    /// Principal components of standardised columns.
    StdPca,
    /// t-SNE.
    Tsne,
    /// UMAP.
    Umap,
}

impl MethodKind {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Original, Self::Pca, Self::StdPca, Self::Tsne, Self::Umap];

    /// Whether it places rows step by step, by their neighbours.
    #[must_use]
    pub fn is_embedding(self) -> bool {
        matches!(self, Self::Tsne | Self::Umap)
    }

    /// The name on the command line and in events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Pca => "pca",
            Self::StdPca => "std-pca",
            Self::Tsne => "tsne",
            Self::Umap => "umap",
        }
    }

    /// The name on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Original => "Original",
            Self::Pca => "PCA",
            Self::StdPca => "STD-PCA",
            Self::Tsne => "t-SNE",
            Self::Umap => "UMAP",
        }
    }
}

/// When segments sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Listen {
    /// The one under the pointer sounds.
    #[default]
    OnHover,
    /// The one that is clicked on sounds; pointing merely shows.
    OnClick,
    /// The pointer lets nothing sound; the player's buttons and keys do.
    Off,
}

/// How far a segment that sounds goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Course {
    /// To its end.
    #[default]
    Segment,
    /// On along the track, from segment to segment.
    Onward,
    /// From its end to its start, again and again.
    Loop,
}

/// What dragging on the map does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tool {
    /// It moves or turns the map.
    #[default]
    Move,
    /// It draws an outline; the segments inside are chosen.
    Lasso,
    /// It draws a rectangle.
    Rectangle,
}

impl Tool {
    /// The name in events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Move => "move",
            Self::Lasso => "lasso",
            Self::Rectangle => "rectangle",
        }
    }
}

/// One wish.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Show another space.
    SetSpace(SpaceKey),
    /// Project in another way.
    SetMethod(MethodKind),
    /// Give up the layout that is being made; what is shown stays.
    StopProjecting,
    /// Hold the steps of an embedding, or let them go on.
    SetPaused(bool),
    /// Begin an embedding's schedule anew, from the layout as it is.
    Reheat,
    /// Other parameters for the embedding under way, and for those that follow.
    Tune(Tuning),
    /// Put another column (or component), from 0, on an axis, from 0.
    SetAxis {
        /// The axis: 0, 1 or 2.
        axis: usize,
        /// The space's column, or the component.
        column: usize,
    },
    /// Plane or space.
    SetDimensions(Dimensions),
    /// Logarithmic axes, or axes as they are.
    SetLog(bool),
    /// What the map is made of: segments, trajectories, averages or densities.
    SetView(ViewKind),
    /// What is named on the map.
    SetLabels(LabelKind),
    /// Colour rows by something else.
    SetColorBy(ColorBy),
    /// Give up the colours that are being made; those that are shown stay.
    StopColoring,
    /// Choose the rows of a class of the colours; once more: all rows again.
    ChooseClass {
        /// Its place in the legend, from 0.
        class: u32,
        /// What becomes of those chosen before.
        how: Combine,
    },
    /// Dark or light.
    SetTheme(Theme),
    /// Show how fast frames come, or do not.
    ShowFigures(bool),
    /// When segments sound.
    SetListen(Listen),
    /// How loud, 0..1.
    SetVolume(f32),
    /// How far what sounds goes on.
    SetCourse(Course),
    /// Silence, whatever the volume; or not.
    SetMuted(bool),
    /// Let the segment under the pointer sound.
    Play,
    /// Stop what sounds; where nothing does, let the segment under the pointer sound, or else the last one.
    PlayOrStop,
    /// Let another segment of the track that sounds, or sounded last, sound: so many further on.
    StepSegment(i32),
    /// Go on at this time of the track that sounds, or sounded last, in seconds.
    Seek(f64),
    /// Find out what sound outputs there are now.
    ListOutputs,
    /// Sound goes to the output of this id; `None`: to the system's default.
    SetOutput(Option<String>),
    /// The folder in which the collection's audio files are now.
    SetAudioRoot(String),
    /// Drag on the map to do something else.
    SetTool(Tool),
    /// Choose the segments inside of an outline, by the even-odd rule.
    ChooseInside {
        /// Its corners in UI points from the map's upper left corner.
        outline: Vec<Vec2>,
        /// What it was drawn with, for the event log.
        tool: Tool,
        /// What becomes of those chosen before.
        how: Combine,
    },
    /// Choose what a text says: tracks whose artist, album, genre, title or path contains it, or, as `tag:NAME>0.5`, segments.
    ChooseText {
        /// The text.
        text: String,
        /// What becomes of those chosen before.
        how: Combine,
    },
    /// Choose what is not chosen.
    InvertChosen,
    /// Choose nothing: all segments look as they are.
    ClearChosen,
    /// Show the whole layout.
    Fit,
    /// Move the picture by UI points.
    Pan(Vec2),
    /// Turn it by UI points of the pointer's way (3-D).
    Orbit(Vec2),
    /// Come nearer by a factor, at a place on the map in UI points.
    Zoom {
        /// Above 1: nearer.
        factor: f32,
        /// What stays where it is, from the map's upper left corner.
        at: Vec2,
    },
    /// The pointer is at this place on the map, in UI points from its upper left corner; `None`: not on the map.
    Point {
        /// Where on the map.
        at: Option<Vec2>,
        /// Where in the window, in pixels, for the event log.
        window_pixels: [f32; 2],
    },
}
