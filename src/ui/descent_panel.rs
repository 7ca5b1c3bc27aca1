//! Left, below the projection: an embedding under way, and what can be done about it.

use egui::{ProgressBar, RichText, Slider, Ui};

use super::status_bar::thousands;
use super::widgets::{Work, right_aligned, row_of_buttons};
use crate::command::{Command, MethodKind, Tuning};

/// Room for a slider's number, in UI points.
const NUMBER_WIDTH: f32 = 52.0;

/// What the panel shows.
#[derive(Clone, Debug, PartialEq)]
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
    /// The neighbours that are weighed anew for other parameters.
    pub calibrating: Option<Work>,
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
    if let Some(work) = &view.calibrating {
        ui.label(RichText::new(&work.line).small().strong());
    }
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
    if is_done {
        ui.add(egui::Label::new(RichText::new("Done. Another value sets it in motion again.").small().weak()).wrap());
    }
    if view.method == MethodKind::Tsne {
        commands.extend(perplexity_ui(ui, view, state).map(|perplexity| Command::Tune(Tuning { perplexity, ..tuning })));
        commands.extend(exaggeration_ui(ui, view).map(|exaggeration| Command::Tune(Tuning { exaggeration, ..tuning })));
    }
    if view.method == MethodKind::Umap {
        let mut min_dist = tuning.min_dist;
        let slider = Slider::new(&mut min_dist, 0.0..=1.0).max_decimals(2);
        if named(ui, "Smallest distance", "How near segments that belong together may lie: less makes denser clusters", slider) {
            commands.push(Command::Tune(Tuning { min_dist, ..tuning }));
        }
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
    ui.scope(|ui| {
        ui.spacing_mut().interact_size.x = NUMBER_WIDTH;
        ui.spacing_mut().slider_width = ui.available_width() - NUMBER_WIDTH - ui.spacing().item_spacing.x;
        ui.add(slider).labelled_by(label.id)
    })
    .inner
}

#[cfg(test)]
mod tests {
    use egui::{Event, Modifiers, PointerButton, Pos2, RawInput, Rect};

    use super::*;

    const VIEW: DescentView = DescentView {
        method: MethodKind::Tsne,
        rows: 1000,
        iteration: 10,
        planned: 750,
        divergence: Some(1.5),
        exaggeration: Some(12.0),
        is_paused: false,
        is_settled: false,
        tuning: Tuning { exaggeration: None, rate: 1.0, perplexity: 30.0, min_dist: 0.1 },
        calibrating: None,
    };

    /// What a click at a place comes to.
    fn clicked(view: &DescentView, at: Pos2) -> Vec<Command> {
        let (context, mut state, mut commands) = (egui::Context::default(), DescentPanelState::default(), Vec::new());
        let button = |pressed| Event::PointerButton { pos: at, button: PointerButton::Primary, pressed, modifiers: Modifiers::default() };
        for events in [Vec::new(), vec![Event::PointerMoved(at)], vec![button(true)], vec![button(false)], Vec::new()] {
            let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, egui::vec2(224.0, 320.0)));
            let _ = context.run_ui(RawInput { screen_rect, events, ..RawInput::default() }, |ui| {
                descent_panel_ui(ui, view, &mut state, &mut commands);
            });
        }
        commands
    }

    fn everywhere(view: &DescentView) -> Vec<Command> {
        let places = (0..60_u8).flat_map(|y| [30.0, 120.0].map(|x| egui::pos2(x, f32::from(y) * 5.0)));
        places.flat_map(|at| clicked(view, at)).collect()
    }

    #[test]
    fn every_wish_can_be_had_with_the_pointer_and_each_is_about_one_thing() {
        let commands = everywhere(&VIEW);
        assert!(commands.contains(&Command::SetPaused(true)) && commands.contains(&Command::Reheat));
        let tuned =
            |is_other: fn(&Tuning) -> bool| commands.iter().any(|command| matches!(command, Command::Tune(tuning) if is_other(tuning)));
        assert!(tuned(|tuning| tuning.perplexity != 30.0 && tuning.rate == 1.0 && tuning.exaggeration.is_none()));
        assert!(tuned(|tuning| tuning.rate != 1.0 && tuning.perplexity == 30.0 && tuning.exaggeration.is_none()));
        assert!(tuned(|tuning| tuning.exaggeration.is_some() && tuning.perplexity == 30.0 && tuning.rate == 1.0));
        let own = DescentView { tuning: Tuning { exaggeration: Some(4.0), ..VIEW.tuning }, ..VIEW };
        assert!(everywhere(&own).contains(&Command::Tune(VIEW.tuning)), "back to the plan");
    }

    #[test]
    fn umap_has_a_smallest_distance_and_nothing_of_tsne() {
        let commands = everywhere(&DescentView { method: MethodKind::Umap, divergence: None, exaggeration: None, ..VIEW });
        let tunings: Vec<&Tuning> =
            commands.iter().filter_map(|command| if let Command::Tune(tuning) = command { Some(tuning) } else { None }).collect();
        assert!(tunings.iter().any(|tuning| tuning.min_dist != 0.1 && tuning.rate == 1.0));
        assert!(tunings.iter().any(|tuning| tuning.rate != 1.0 && tuning.min_dist == 0.1));
        assert!(tunings.iter().all(|tuning| tuning.perplexity == 30.0 && tuning.exaggeration.is_none()));
    }

    #[test]
    fn what_is_held_can_be_let_go_and_what_is_done_only_reheated() {
        assert!(everywhere(&DescentView { is_paused: true, ..VIEW }).contains(&Command::SetPaused(false)));
        let done = everywhere(&DescentView { iteration: 750, is_settled: true, ..VIEW });
        assert!(done.contains(&Command::Reheat) && !done.iter().any(|command| matches!(command, Command::SetPaused(_))));
    }
}
