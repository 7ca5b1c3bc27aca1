//! The window's layout: controls left, map in the middle, the track right, player and status below. A picture file is the map alone.

use egui::{CentralPanel, Frame, Margin, Panel, Rect, ScrollArea, TextureId, Ui};

use super::controls_panel::{ControlsState, ControlsView, controls_panel_ui};
use super::figures::{FiguresView, figures_ui};
use super::lasso::LassoState;
use super::legend::{LegendState, legend_height, legend_ui};
use super::player_bar::{PLAYER_BAR_HEIGHT, PlayerBarState, PlayerBarView, player_bar_ui};
use super::shortcuts::{KeyboardState, Toggles, shortcuts};
use super::status_bar::{StatusView, status_bar_ui};
use super::theme::color;
use super::track_panel::{TrackView, track_panel_ui};
use super::viewport::{sounding_ui, viewport_ui};
use crate::catalog::SegmentId;
use crate::command::{Command, Tool};
use crate::scene::{Composition, DensityScale, Scene, Theme};

/// What is around the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chrome {
    /// All panels.
    Panels,
    /// Nothing: the map fills everything.
    MapOnly,
}

/// Everything that is shown in a frame.
#[derive(Debug)]
pub struct ShellView<'a> {
    /// What is around the map.
    pub chrome: Chrome,
    /// The map; `None` until the first layout is there.
    pub scene: Option<&'a Scene>,
    /// The classes around the pointer.
    pub around: Option<&'a Composition>,
    /// What the tones of a density stand for.
    pub density: Option<&'a DensityScale>,
    /// The map's rendered points.
    pub picture: Option<TextureId>,
    /// Left; `None` until a collection is open.
    pub controls: Option<ControlsView<'a>>,
    /// What dragging on the map does.
    pub tool: Tool,
    /// Right.
    pub track: Option<TrackView>,
    /// Below the map.
    pub player: PlayerBarView<'a>,
    /// What is worked on before the first layout is there, or why there is none.
    pub waiting: Option<String>,
    /// The segment that sounds.
    pub sounding: Option<SegmentId>,
    /// Whether it is muted.
    pub is_muted: bool,
    /// Below everything.
    pub status: StatusView,
    /// How fast frames come, if that is to be shown.
    pub figures: Option<FiguresView>,
    /// Dark or light.
    pub theme: Theme,
}

/// What the widgets remember between frames.
#[derive(Clone, Debug, Default)]
pub struct ShellState {
    controls: ControlsState,
    lasso: LassoState,
    legend: LegendState,
    player: PlayerBarState,
    keyboard: KeyboardState,
}

/// What came of a frame.
#[derive(Clone, Debug)]
pub struct ShellOutput {
    /// The user's wishes.
    pub commands: Vec<Command>,
    /// Where the map is, in UI points.
    pub map: Rect,
}

/// Lays out and draws the window.
pub fn shell_ui(ui: &mut Ui, view: &ShellView<'_>, state: &mut ShellState) -> ShellOutput {
    let mut commands = Vec::new();
    let toggles = Toggles { is_muted: view.is_muted, shows_figures: view.figures.is_some() };
    for wish in shortcuts(ui, state.keyboard, toggles) {
        // Escape gives up the outline that is being drawn, and what was chosen before stays.
        if wish != Command::ClearChosen || !state.lasso.give_up() {
            commands.push(wish);
        }
    }
    if view.chrome == Chrome::Panels {
        let fill = color(view.theme.panel());
        let frame = Frame::new().fill(fill).inner_margin(Margin::symmetric(12, 4));
        let status = Frame::new().fill(fill).inner_margin(Margin::symmetric(12, 2));
        Panel::bottom("status").frame(status).exact_size(28.0).show(ui, |ui| status_bar_ui(ui, &view.status));
        Panel::left("controls").frame(frame).resizable(false).exact_size(248.0).show(ui, |ui| {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                if let Some(controls) = &view.controls {
                    commands.extend(controls_panel_ui(ui, controls, &mut state.controls, &mut state.lasso.how));
                }
            });
        });
        Panel::right("track").frame(frame).resizable(false).exact_size(256.0).show(ui, |ui| {
            if let Some(scene) = view.scene {
                let height = legend_height(scene, &state.legend);
                if height > 0.0 {
                    let bottom = Panel::bottom("legend").frame(Frame::new().fill(fill)).resizable(false).exact_size(height);
                    bottom.show(ui, |ui| {
                        legend_ui(ui, (scene, view.around, view.density), state.lasso.how, &mut state.legend, &mut commands)
                    });
                }
            }
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| track_panel_ui(ui, view.theme, view.track.as_ref()));
        });
    }
    if view.chrome == Chrome::Panels {
        let frame = Frame::new().fill(color(view.theme.panel())).inner_margin(Margin::symmetric(12, 0));
        let bar = Panel::bottom("player").frame(frame).resizable(false).exact_size(PLAYER_BAR_HEIGHT);
        bar.show(ui, |ui| player_bar_ui(ui, &view.player, &mut state.player, &mut commands));
    }
    let map = CentralPanel::no_frame().show(ui, |ui| match view.scene {
        Some(scene) => {
            let place = viewport_ui(ui, scene, view.picture, (view.tool, &mut state.lasso), &mut commands);
            sounding_ui(ui, place, scene, view.sounding);
            place
        }
        None => {
            ui.centered_and_justified(|ui| ui.weak(view.waiting.as_deref().unwrap_or("Nothing to show yet")));
            ui.max_rect()
        }
    });
    if let Some(figures) = &view.figures {
        figures_ui(ui, map.inner, view.theme, figures);
    }
    state.keyboard.remember(ui);
    ShellOutput { commands, map: map.inner }
}
