//! Left, below the projection: an embedding under way, and what can be done about it.

use egui::{ProgressBar, RichText, Slider, Ui};

use super::status_bar::thousands;
use super::widgets::{right_aligned, row_of_buttons};
use crate::command::{Command, MethodKind, Tuning};

/// What the panel shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DescentView {
    /// The method.
    pub method: MethodKind,
    /// Rows of the layout.
    pub rows: usize,
    /// Steps done.
    pub iteration: usize,
    /// The step after which it is done.
    pub planned: usize,
    /// The divergence in nats.
    pub divergence: Option<f64>,
    /// What attraction is multiplied by now.
    pub exaggeration: Option<f32>,
    /// Whether the user holds it.
    pub is_paused: bool,
    /// Whether it stands still.
    pub is_settled: bool,
    /// Its parameters.
    pub tuning: Tuning,
}

/// What the panel remembers between frames: where a slider is that takes effect when it is let go.
#[derive(Clone, Debug, Default)]
pub struct DescentPanelState {
    perplexity: Option<f64>,
}

/// Draws the panel.
pub fn descent_panel_ui(ui: &mut Ui, view: &DescentView, state: &mut DescentPanelState, commands: &mut Vec<Command>) {
    ui.add_space(4.0);
    let is_done = view.iteration >= view.planned;
    let share = if view.planned > 0 { view.iteration as f32 / view.planned as f32 } else { 1.0 };
    ui.add(ProgressBar::new(share).desired_height(4.0).corner_radius(2.0));
    ui.horizontal(|ui| {
        let steps = format!("Iteration {} of {}", thousands(view.iteration), thousands(view.planned));
        ui.label(RichText::new(steps).small());
        if let Some(divergence) = view.divergence {
            right_aligned(ui, |ui| {
                let text = RichText::new(format!("KL {divergence:.3}")).small();
                ui.label(text).on_hover_text("Kullback-Leibler divergence of the layout from the neighbours' affinities, in nats");
            });
        }
    });
    let hold = if view.is_paused { "Resume" } else { "Pause" };
    let clicked =
        row_of_buttons(ui, &[(hold, !is_done, "Hold the points where they are"), ("Reheat", true, "Begin the steps anew from here")]);
    match clicked {
        Some(0) => commands.push(Command::SetPaused(!view.is_paused)),
        Some(_) => commands.push(Command::Reheat),
        None => {}
    }
    let tuning = view.tuning;
    if view.method == MethodKind::Tsne {
        commands.extend(perplexity_ui(ui, view, state).map(|perplexity| Command::Tune(Tuning { perplexity, ..tuning })));
        commands.extend(exaggeration_ui(ui, view).map(|exaggeration| Command::Tune(Tuning { exaggeration, ..tuning })));
    }
    let mut rate = tuning.rate;
    let slider = Slider::new(&mut rate, 0.1..=10.0).logarithmic(true).custom_formatter(|rate, _| format!("×{rate:.1}"));
    if named(ui, "Learning rate", "Beside the method's own, which follows the number of segments", slider) {
        commands.push(Command::Tune(Tuning { rate, ..tuning }));
    }
}

/// Takes effect when it is let go: the affinities are calculated anew for it.
fn perplexity_ui(ui: &mut Ui, view: &DescentView, state: &mut DescentPanelState) -> Option<f64> {
    // More than a third of the other rows cannot be had.
    let most = ((view.rows.saturating_sub(1)) as f64 / 3.0).clamp(2.0, 200.0);
    let mut perplexity = state.perplexity.unwrap_or(view.tuning.perplexity).min(most);
    let slider = Slider::new(&mut perplexity, 2.0..=most).logarithmic(true).integer();
    let response = labelled(ui, "Perplexity", "How many neighbours count, roughly", slider);
    if response.changed() {
        state.perplexity = Some(perplexity);
    }
    if response.dragged() { None } else { state.perplexity.take() }
}

/// `Some(None)`: as planned again.
fn exaggeration_ui(ui: &mut Ui, view: &DescentView) -> Option<Option<f32>> {
    let mut factor = view.tuning.exaggeration.or(view.exaggeration).unwrap_or(1.0);
    let slider = Slider::new(&mut factor, 1.0..=24.0).logarithmic(true).max_decimals(1);
    let hint = "What attraction is multiplied by: more draws clusters together. By plan 12 for 250 steps, then 1";
    if named(ui, "Exaggeration", hint, slider) {
        return Some(Some(factor));
    }
    let is_own = view.tuning.exaggeration.is_some();
    let clicked = is_own && row_of_buttons(ui, &[("Exaggeration as planned", true, hint)]).is_some();
    clicked.then_some(None)
}

/// A slider below its name; whether it was moved.
fn named(ui: &mut Ui, name: &str, hint: &str, slider: Slider<'_>) -> bool {
    labelled(ui, name, hint, slider).changed()
}

fn labelled(ui: &mut Ui, name: &str, hint: &str, slider: Slider<'_>) -> egui::Response {
    let label = ui.label(RichText::new(name).small().weak()).on_hover_text(hint);
    ui.spacing_mut().slider_width = ui.available_width() - 64.0;
    ui.add(slider).labelled_by(label.id)
}
