//! What to show, in plain CPU terms: camera, colours, axes, bounds and picking. No GPU type in here.

pub mod averages;
pub mod bounds;
pub mod camera;
pub mod chosen;
pub mod color;
pub mod curve;
pub mod densest;
pub mod guides;
pub mod heat;
pub mod labels;
pub mod map;
pub mod morph;
pub mod pick;
pub mod region;
pub mod scaling;
pub mod style;
pub mod ticks;
pub mod view_kind;
pub mod words;

pub use averages::Average;
pub use bounds::Bounds;
pub use camera::{Camera, Dimensions};
pub use chosen::{ChosenRows, Combine};
pub use color::Srgb;
pub use guides::{Guides, LineKind};
pub use heat::HeatMap;
pub use labels::LabelKind;
pub use map::{AxisScale, ClipFromLayout, MapSize, Scene, ndc_from_screen};
pub use morph::Morph;
pub use pick::{Aim, PickTree};
pub use region::Region;
pub use scaling::Scaling;
pub use style::{Style, Theme};
pub use view_kind::ViewKind;
