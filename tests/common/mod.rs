//! What the integration tests share.

pub mod collection;
pub mod compare;
pub mod counting_alloc;
pub mod gpu;
pub mod layouts;
pub mod made_up;
pub mod npy;
pub mod odd_audio;
pub mod program;
#[cfg(target_os = "linux")]
pub mod pulse;
pub mod rust_paths;
pub mod shaders;
pub mod streams;
pub mod values;
pub mod weight_files;
#[cfg(target_os = "linux")]
pub mod widgets;
