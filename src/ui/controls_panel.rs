//! Left: which space, which projection, which view, and when it sounds.

use egui::{RichText, Ui};

use super::choose_panel::{ChoosePanelState, ChooseView, choose_panel_ui};
use super::color_panel::{ColorView, color_panel_ui};
use super::descent_panel::{DescentPanelState, DescentView, descent_panel_ui};
use super::listen_panel::{ListenPanelState, ListenView, listen_panel_ui};
use super::reading_order::as_seen;
use super::search_list::{ListEntry, SearchList, SearchListState, search_list_ui};
use super::widgets::{Work, bar_row, section, segmented, trouble_ui, work_ui};
use crate::catalog::{Architecture, Layer, ModelKey, SpaceKey, TrainingDataset};
use crate::command::{Command, MethodKind};
use crate::scene::{Combine, Dimensions, LabelKind, Theme, ViewKind};

/// What the panel shows.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlsView<'a> {
    /// The collection's name.
    pub collection: &'a str,
    /// The spaces that it has.
    pub spaces: &'a [SpaceKey],
    /// The space shown.
    pub space: SpaceKey,
    /// The projection shown.
    pub method: MethodKind,
    /// Plane or space.
    pub dimensions: Dimensions,
    /// The column or component on each axis.
    pub axes: [usize; 3],
    /// Names of the columns or components that an axis can have.
    pub columns: &'a [String],
    /// Share of the variance of each component; empty where the projection has none.
    pub explained: &'a [f32],
    /// The embedding under way, or at its end; none where the projection has no steps.
    pub descent: Option<DescentView>,
    /// The layout that is being made.
    pub work: Option<Work>,
    /// Why the layout that was asked for last is not shown, or is not made as it was asked for.
    pub trouble: Option<&'a str>,
    /// Whether axes are logarithmic.
    pub log: bool,
    /// Whether the axes have values to take logarithms of.
    pub has_valued_axes: bool,
    /// What the map is made of: segments, trajectories, averages or densities.
    pub view: ViewKind,
    /// What is chosen, and how.
    pub choose: ChooseView<'a>,
    /// What is named on the map.
    pub labels: LabelKind,
    /// What can be named, and whether the collection has it.
    pub label_kinds: [(LabelKind, bool); 4],
    /// What rows are coloured by.
    pub color: ColorView<'a>,
    /// When and how segments sound.
    pub listen: ListenView<'a>,
    /// Dark or light.
    pub theme: Theme,
    /// Whether the overlay of figures is shown.
    pub figures: bool,
}

/// What the panel remembers between frames.
#[derive(Clone, Debug, Default)]
pub struct ControlsState {
    axes: [SearchListState; 3],
    color: SearchListState,
    descent: DescentPanelState,
    choose: ChoosePanelState,
    listen: ListenPanelState,
    /// What was chosen of these where there was a choice: VGGish has none, and what comes after it is as it was before.
    dataset_and_layer: Option<(TrainingDataset, Layer)>,
}

/// Draws the panel. `how` is what becomes of what was chosen before.
pub fn controls_panel_ui(ui: &mut Ui, view: &ControlsView<'_>, state: &mut ControlsState, how: &mut Combine) -> Vec<Command> {
    let mut commands = Vec::new();
    ui.add_space(6.0);
    ui.label(RichText::new("tagscape").size(21.0).strong());
    ui.label(RichText::new(as_seen(view.collection)).weak());
    space_ui(ui, view, state, &mut commands);
    projection_ui(ui, view, state, &mut commands);

    section(ui, "VIEW");
    let kinds = [(ViewKind::Segments, "Segments", true), (ViewKind::Trajectories, "Trajectories", true)];
    commands.extend(segmented(ui, "View", view.view, &kinds).map(Command::SetView));
    let kinds = [(ViewKind::Averages, "Averages", true), (ViewKind::Density, "Density", true)];
    commands.extend(segmented(ui, "View", view.view, &kinds).map(Command::SetView));
    ui.label(RichText::new("Labels").weak());
    let names = view.label_kinds.map(|(kind, is_there)| (kind, kind.label(), is_there));
    commands.extend(segmented(ui, "Labels", view.labels, &names).map(Command::SetLabels));
    if ui.button("Show all").on_hover_text("Double-click on the map, or Home").clicked() {
        commands.push(Command::Fit);
    }

    choose_panel_ui(ui, &view.choose, &mut state.choose, how, &mut commands);
    color_panel_ui(ui, &view.color, &mut state.color, &mut commands);

    listen_panel_ui(ui, &view.listen, &mut state.listen, &mut commands);

    section(ui, "LOOK");
    let themes = [(Theme::Dark, "Dark", true), (Theme::Light, "Light", true)];
    commands.extend(segmented(ui, "Theme", view.theme, &themes).map(Command::SetTheme));
    let mut figures = view.figures;
    if ui.checkbox(&mut figures, "Figures").on_hover_text("How fast frames come, on the map (F3)").changed() {
        commands.push(Command::ShowFigures(figures));
    }
    commands
}

fn space_ui(ui: &mut Ui, view: &ControlsView<'_>, state: &mut ControlsState, commands: &mut Vec<Command>) {
    let SpaceKey { model: ModelKey { dataset, architecture }, layer } = view.space;
    let has = |architecture, dataset, layer| view.spaces.contains(&SpaceKey { model: ModelKey { dataset, architecture }, layer });
    let some = |test: &dyn Fn(&SpaceKey) -> bool| view.spaces.iter().any(test);
    section(ui, "SPACE");
    let architectures = [(Architecture::MusiCnn, "MusiCNN"), (Architecture::Vgg, "VGG"), (Architecture::Vggish, "VGGish")]
        .map(|(value, name)| (value, name, some(&|key| key.model.architecture == value)));
    let mut wish = None;
    wish = segmented(ui, "Architecture", architecture, &architectures)
        .and_then(|value| {
            // What is nearest to the space shown: the same dataset and layer where the architecture has them.
            let (dataset, layer) = state.dataset_and_layer.unwrap_or((dataset, layer));
            let rank = |key: &&SpaceKey| (key.model.dataset != dataset, key.layer != layer);
            view.spaces.iter().filter(|key| key.model.architecture == value).min_by_key(rank).copied()
        })
        .or(wish);
    if architecture != Architecture::Vggish {
        state.dataset_and_layer = Some((dataset, layer));
        let datasets = [(TrainingDataset::Mtt, "MTT"), (TrainingDataset::Msd, "MSD")]
            .map(|(value, name)| (value, name, has(architecture, value, layer)));
        wish = segmented(ui, "Trained on", dataset, &datasets)
            .map(|dataset| SpaceKey { model: ModelKey { dataset, architecture }, layer })
            .or(wish);
        let layers = [(Layer::Taggrams, "Tags"), (Layer::Embeddings, "Embeddings")]
            .map(|(value, name)| (value, name, has(architecture, dataset, value)));
        wish = segmented(ui, "Layer", layer, &layers).map(|layer| SpaceKey { model: ModelKey { dataset, architecture }, layer }).or(wish);
    }
    commands.extend(wish.map(Command::SetSpace));
}

fn projection_ui(ui: &mut Ui, view: &ControlsView<'_>, state: &mut ControlsState, commands: &mut Vec<Command>) {
    section(ui, "PROJECTION");
    // What is a view of the columns, and below it what is fitted to neighbours.
    let (linear, embeddings): (Vec<_>, Vec<_>) =
        MethodKind::ALL.map(|kind| (kind, kind.label(), true)).into_iter().partition(|&(kind, _, _)| !kind.is_embedding());
    commands.extend(segmented(ui, "Projection", view.method, &linear).map(Command::SetMethod));
    commands.extend(segmented(ui, "Projection", view.method, &embeddings).map(Command::SetMethod));
    let dimensions = [(Dimensions::Two, "2-D", true), (Dimensions::Three, "3-D", view.columns.len() >= 3 || view.method.is_embedding())];
    commands.extend(segmented(ui, "Dimensions", view.dimensions, &dimensions).map(Command::SetDimensions));
    if view.work.as_ref().is_some_and(|work| work_ui(ui, work, "Keep the layout that is shown")) {
        commands.push(Command::StopProjecting);
    }
    trouble_ui(ui, view.trouble);
    if let Some(descent) = &view.descent {
        descent_panel_ui(ui, descent, &mut state.descent, commands);
    }
    for axis in 0..view.dimensions.count().min(view.columns.len()) {
        if let Some(column) = axis_ui(ui, axis, view, &mut state.axes[axis]) {
            commands.push(Command::SetAxis { axis, column });
        }
    }
    log_axes_ui(ui, view, commands);
    if !view.explained.is_empty() {
        ui.add_space(4.0);
        ui.label(RichText::new("Explained variance").small().weak());
        let full = view.explained.iter().copied().fold(0.0, f32::max);
        for (component, &share) in view.explained.iter().enumerate().take(5) {
            bar_row(ui, view.theme, &format!("Component {}", component + 1), share, full, &format!("{:.1} %", share * 100.0));
        }
    }
}

fn log_axes_ui(ui: &mut Ui, view: &ControlsView<'_>, commands: &mut Vec<Command>) {
    let mut log = view.log && view.has_valued_axes;
    let response = ui
        .add_enabled(view.has_valued_axes, egui::Checkbox::new(&mut log, "Log axes"))
        .on_hover_text("Decades at equal distances. Axes with negative values are logarithmic on both sides of zero.")
        .on_disabled_hover_text("Directions of t-SNE and UMAP have no values to take logarithms of");
    if response.changed() {
        commands.push(Command::SetLog(log));
    }
}

/// Chooses an axis' column.
fn axis_ui(ui: &mut Ui, axis: usize, view: &ControlsView<'_>, list: &mut SearchListState) -> Option<usize> {
    let name = ["X", "Y", "Z"][axis];
    let chosen = ui.horizontal(|ui| {
        let label = ui.label(RichText::new(name).weak());
        let selected = view.columns.get(view.axes[axis]).map_or("", String::as_str);
        let (button, chosen) = search_list_ui(ui, SearchList { id: name, chosen: selected, hint: "Search" }, list, |text| {
            let letters = text.trim().to_lowercase();
            let found = view.columns.iter().enumerate().filter(|(_, name)| name.to_lowercase().contains(&letters));
            let entry = |(column, name): (usize, &'_ String)| ListEntry {
                value: column,
                label: name.clone().into(),
                is_chosen: column == view.axes[axis],
                not_there: None,
            };
            found.map(entry).collect()
        });
        button.labelled_by(label.id);
        chosen
    });
    chosen.inner.filter(|&column| column != view.axes[axis])
}
