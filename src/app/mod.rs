//! The program itself: its state, its work in the background, and the frame that a window and a picture file share.

mod choosing;
pub mod descent_job;
mod device_change;
pub mod drawing_trial;
pub mod economy;
pub mod error;
pub mod event_log;
pub mod extract_job;
pub mod frame;
pub mod frame_stats;
pub mod headless;
pub mod jobs;
pub mod label_job;
pub mod labelling;
pub mod listening_trial;
mod log_axes;
pub mod models;
pub mod morphing;
mod percentile;
pub mod picking_trial;
pub mod playback_notes;
pub mod png_file;
pub mod pointing;
pub mod projection_job;
mod raster;
pub mod resources;
pub mod search;
pub mod sound_memory;
pub mod state;
pub mod steering;
pub mod tiles;
pub mod windowed;

pub use error::AppError;
pub use percentile::percentile;
