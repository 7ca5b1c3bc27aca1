//! The state as the widgets see it: a view for each panel, made anew for each pass.

use super::notices::Topic;
use super::state::AppState;
use crate::ui::choose_panel::ChooseView;
use crate::ui::controls_panel::ControlsView;
use crate::ui::figures::{FiguresView, SoundFigures};
use crate::ui::status_bar::StatusView;
use crate::ui::{Chrome, ShellView};

/// The state as the widgets see it, `drawn` of its segments being in the picture. The picture itself is the painter's.
pub(super) fn shell_view<'a>(state: &'a AppState, adapter: &str, chrome: Chrome, drawn: usize) -> ShellView<'a> {
    let shown = state.shown.as_ref();
    let choices = &state.choices;
    let controls = shown.map(|shown| ControlsView {
        collection: state.collection_name(),
        spaces: state.space_keys(),
        space: choices.space,
        method: choices.method,
        dimensions: choices.dimensions,
        axes: shown.axes,
        columns: &shown.column_names,
        explained: &shown.explained,
        descent: state.descent_view(),
        work: state.projecting(),
        trouble: state.notices.about(Topic::Projection),
        log: choices.log,
        has_valued_axes: state.has_valued_axes(),
        view: choices.view,
        choose: ChooseView {
            tool: state.tool(),
            chosen: state.chosen_count(),
            total: shown.scene.positions.len(),
            is_searching: state.is_searching(),
            trouble: state.notices.about(Topic::Choice),
        },
        labels: choices.labels,
        label_kinds: state.label_kinds(),
        color: state.color_view(),
        listen: state.listen_view(),
        theme: choices.theme,
        figures: state.shows_figures,
    });
    let total = shown.map_or(0, |shown| shown.scene.positions.len());
    let status = StatusView {
        drawn: drawn.min(total),
        total,
        chosen: state.chosen_count(),
        in_view: state.in_view,
        tracks: shown.map_or(0, |shown| shown.scene.track_rows.len()),
        adapter: adapter.to_owned(),
        output: state.output.clone(),
        notice: state.notices.for_status_bar().map(str::to_owned),
    };
    let track = if chrome == Chrome::Panels { state.track_view() } else { None };
    let shares = state.stats.frame_ms();
    let figures = (state.shows_figures && chrome == Chrome::Panels).then(|| FiguresView {
        per_second: state.stats.per_second(),
        frame_ms: [shares.p50, shares.p95],
        passes_ms: state.stats.passes_ms.clone(),
        drawn: drawn.min(total),
        total,
        pick_ms: state.stats.pick_ms,
        adapter: adapter.to_owned(),
        sound: SoundFigures { output: state.output.clone(), ..state.sound.figures() },
    });
    ShellView {
        chrome,
        figures,
        scene: shown.map(|shown| &shown.scene),
        around: state.around.as_ref(),
        density: state.density.as_ref(),
        picture: None,
        controls,
        tool: state.tool(),
        track,
        player: state.player_bar_view(),
        waiting: state.projecting().map(|work| work.line).or_else(|| state.notices.about(Topic::Projection).map(str::to_owned)),
        sounding: state.sounding_segment(),
        is_muted: state.listening.is_muted,
        status,
        theme: choices.theme,
    }
}
