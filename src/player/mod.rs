//! Plays segments the moment they are touched.
//!
//! ```text
//!  window           Player ── newest hover wins ──▶ job slot ──▶ decode workers ──▶ cache (LRU, memory-limited)
//!                     │ cached: at once                              │ still the newest?
//!                     ▼                                              ▼
//!                   dispatcher ═══ rtrb ring of commands ═══════▶ Mixer::process   (the audio callback)
//!  poll() ◀ events ◀ supervisor ◀══ rtrb ring of reports, finished buffers ══╯
//! ```
//!
//! Owns: what sounds, and when. The real-time side is [`Mixer`] alone, and only it is called from the audio callback; the
//! supervisor thread owns the output (it opens, pauses and resumes the device), turns the mixer's reports into events and drops the buffers
//! that the mixer is done with. Must not know: collections, the map, the window.
//!
//! Rejected: waking the supervisor from the callback (a system call in real time; it polls every 4 ms while something plays, and
//! sleeps otherwise); a queue of auditions (a slot: what was hovered before is of no interest).

mod cache;
mod changeover;
#[cfg(test)]
mod changeover_tests;
mod config;
mod control;
mod crew;
mod dispatcher;
mod error;
mod event;
mod file_source;
mod jobs;
mod mixer;
mod notes;
pub mod output;
mod segment_audio;
mod shared;
mod source;
mod status;
mod supervisor;
mod voice;
mod worker;

pub use config::PlayerConfig;
pub use control::{Player, WakeFn};
pub use error::PlayerError;
pub use event::{AuditionRequest, PlayerEvent};
pub use file_source::FileSource;
pub use mixer::{Cue, Mixer, MixerCommand, MixerLink, MixerReport, mixer_link};
pub use notes::{KnownNote, TrackNotes};
pub use output::null::NullOutput;
pub use output::{BufferSizes, OutputChoice, OutputDevice};
pub use segment_audio::{SegmentAudio, SegmentWriter};
pub use source::{GoOn, SegmentSource, TellBegun};
pub use status::{MixerStatus, PlayerStatus};
