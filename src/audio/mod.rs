//! Audio files in: decoding of wav, aiff, flac, alac, mp3, aac, vorbis and opus in their containers, and resampling.
//!
//! Owns: a file's samples, its metadata, and the time line that both share. Time 0 is the first sample that a player would
//! let you hear (an MP3 encoder's delay is cut off), and [`decode_file`], [`MonoStream`] and [`decode_span`] agree on it to
//! the sample, so that a segment sounds exactly where its features come from.
//! Must not: know of features or of the collection.
//!
//! A stream that is cut off, or that says another length than it has, is an error here: features of half a track
//! must never pass for a track's. The container's word and what was decoded are compared at the end of every whole decode.

mod aac;
mod adts;
mod codec;
mod decode;
mod error;
mod file_window;
mod index_bytes;
mod index_scan;
mod indexed_stream;
mod layout;
mod link;
mod loudness;
mod matroska;
mod metadata;
mod mono_stream;
mod mp4;
mod mpeg;
mod ogg_pages;
mod opus;
mod pcm;
mod polyphase;
mod resample;
mod seek_index;
mod skip;
mod sniff;
mod source;
mod stereo_stream;
mod stream;
mod vorbis;

pub use decode::{DecodedTrack, MonoTrack, decode_file, decode_mono_at, decode_span};
pub use error::{AudioError, AudioErrorKind};
pub use loudness::{Loudness, LoudnessMeter};
pub use mono_stream::MonoStream;
pub use pcm::Pcm;
pub use resample::{to_mono_at, to_stereo_at};
pub use seek_index::SeekIndex;
pub use sniff::is_audio_file;
pub use stereo_stream::StereoStream;
