//! The integration tests: one binary, a module a subject.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod architecture;
mod audio;
mod audio_formats;
mod bench_audio;
mod choosing;
#[cfg(unix)]
mod collection_files;
mod coloring;
mod command_lines;
mod common;
#[cfg(target_os = "linux")]
mod exclusive;
mod extract;
mod frames;
mod fuzz_crate;
mod glance;
mod golden;
mod gpu_context;
mod gpu_twins;
mod guides;
mod hostile_bytes;
mod into;
mod kills;
mod labels;
mod legend;
mod listening;
mod live;
#[cfg(target_os = "linux")]
mod long_listening;
mod long_runs;
mod maps;
mod matrices;
mod mel;
mod mixtures;
mod models;
mod morphing;
mod nearby;
mod networks;
mod nn_parity;
mod odd_files;
mod odd_tags;
mod outputs;
mod pca;
mod playback_notes;
mod player;
mod player_callback;
mod player_streams;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod player_syscalls;
mod project_cli;
mod recovery;
mod render;
mod seeking;
mod shader_layout;
mod shader_validation;
mod shards;
mod splat;
mod store;
#[cfg(unix)]
mod strangers;
mod tensors;
mod terminal;
mod tiles;
mod tsne;
mod tsne_gpu;
mod umap;
mod vggish;
#[cfg(unix)]
mod whole_files;
