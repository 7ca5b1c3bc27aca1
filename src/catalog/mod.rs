//! What the program talks about: tracks, segments, tags and spaces. Plain values, no I/O.

mod path_names;
mod plain_text;
pub mod segment;
pub mod space;
pub mod tags;
pub mod track;
mod track_path;

pub use plain_text::{counted, is_steering, plain_text};
pub use segment::{SegmentId, SegmentSpan, TrackRows};
pub use space::{Architecture, Layer, ModelKey, SpaceKey, TrainingDataset, UnknownName};
pub use tags::TagVocabulary;
pub use track::{Track, TrackId, TrackMetadata};
pub use track_path::{path_from_text, path_to_text};
