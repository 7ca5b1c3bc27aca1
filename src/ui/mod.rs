//! The window's widgets: what is to be shown goes in, what the user wishes comes out. No GPU, network or sound type in here.

pub mod choose_panel;
pub mod color_panel;
pub mod controls_panel;
pub mod descent_panel;
pub mod figures;
pub mod input_batches;
pub mod labels;
pub mod lasso;
pub mod legend;
pub mod listen_panel;
pub mod output_list;
pub mod player_bar;
pub mod reading_order;
pub mod search_list;
pub mod shell;
pub mod shortcuts;
pub mod status_bar;
pub mod theme;
pub mod track_panel;
pub mod viewport;
pub mod widgets;

pub use shell::{Chrome, ShellOutput, ShellState, ShellView, shell_ui};
pub use track_panel::TrackView;

#[cfg(test)]
mod keyboard_tests;
#[cfg(test)]
mod list_tests;
#[cfg(test)]
mod message_tests;
#[cfg(test)]
mod test_bed;
