//! Audio files in: decoding of wav, aiff, flac, alac, mp3, aac, vorbis and opus in their containers, and resampling.
//!
//! Owns: a file's samples, its metadata, and the time line that both share. Time 0 is the first sample that a player would
//! let you hear (an MP3 encoder's delay is cut off), and [`decode_file`], [`MonoStream`] and [`decode_span`] agree on it to
//! the sample, so that a segment sounds exactly where its features come from.
//! Must not: know of features or of the collection.
//!
//! A stream that is cut off, or that declares another length than it has, is read as far as it is sound, with an [`AudioRemark`]: features of half a
//! track must never pass for a track's unnoticed. What the container declares and what was decoded are compared at the end of every whole decode.
//! Sizes that decoding does not need, and those of writers that could not seek back, declare nothing.

mod aac;
mod adts;
mod chunk_file;
mod codec;
mod decode;
mod error;
mod file_window;
mod flac_file;
mod index_bytes;
mod index_scan;
mod indexed_stream;
mod layout;
mod length_check;
mod link;
mod loudness;
mod matroska;
mod metadata;
mod mono_stream;
mod mp4;
mod mpeg;
mod mpeg_frames;
mod mpeg_reader;
mod ogg_layout;
mod ogg_pages;
mod opus;
mod pcm;
mod polyphase;
mod remark;
mod repair;
mod resample;
mod reshape;
mod seek_index;
mod skip;
mod sniff;
mod source;
mod stereo_stream;
mod stream;
mod tags_behind;
mod vorbis;

pub use decode::{DecodedTrack, MonoTrack, decode_file, decode_mono_at, decode_span};
pub use error::{AudioError, AudioErrorKind};
pub use loudness::{Loudness, LoudnessMeter};
pub use mono_stream::MonoStream;
pub use pcm::Pcm;
pub use remark::AudioRemark;
pub use resample::{to_mono_at, to_stereo_at};
pub use seek_index::SeekIndex;
pub use sniff::{is_audio_file, unread_kind};
pub use stereo_stream::StereoStream;
