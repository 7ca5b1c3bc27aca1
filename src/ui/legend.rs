//! The legend: what the map's colours mean, at the foot of the right panel.

use egui::{Align2, Rect, RichText, ScrollArea, Sense, Ui, Vec2, pos2};

use super::lasso::combination;
use super::reading_order::as_seen;
use super::status_bar::{counted, thousands};
use super::theme::color;
use super::widgets::section;
use crate::command::Command;
use crate::scene::coloring::{Numbers, Values};
use crate::scene::row_colors::{color_of_place, unknown_color};
use crate::scene::ticks::short;
use crate::scene::{Combine, Composition, DensityScale, HeatMap, Scene, Srgb, Theme, ViewKind};

/// Classes listed before the rest is asked for.
const LISTED: usize = 8;
/// The most classes in sight.
const IN_SIGHT: usize = 14;
const ROW: f32 = 20.0;

/// What the legend remembers between frames.
#[derive(Clone, Debug, Default)]
pub struct LegendState {
    is_open: bool,
    search: String,
    heat: Option<(Theme, HeatMap)>,
}

/// How tall the legend is.
#[must_use]
pub fn legend_height(scene: &Scene, state: &LegendState) -> f32 {
    let classes = scene.coloring.classes().len();
    if scene.view == ViewKind::Density {
        return 92.0;
    }
    let mixed = if mixes(scene) { ROW + 4.0 } else { 0.0 };
    mixed
        + match &scene.coloring.values {
            Values::None => 0.0,
            Values::Classes(_) if state.is_open => 76.0 + ROW * classes.min(IN_SIGHT) as f32 + 26.0,
            Values::Classes(_) => 48.0 + ROW * classes.min(LISTED) as f32 + if classes > LISTED { 26.0 } else { 0.0 },
            Values::Numbers(numbers) if numbers.has_unknown => 118.0,
            Values::Numbers(_) => 92.0,
            Values::Places(_) => 126.0,
        }
}

/// Whether colours of a scene mix where rows meet, to grey.
fn mixes(scene: &Scene) -> bool {
    scene.coloring.classes().len() > 1
}

/// Draws it. `around`: the classes around the pointer; `density`: what the tones stand for where the map shows a density;
/// `how`: what becomes of the rows chosen before, unless Shift or Alt say otherwise.
pub fn legend_ui(
    ui: &mut Ui,
    (scene, around, density): (&Scene, Option<&Composition>, Option<&DensityScale>),
    how: Combine,
    state: &mut LegendState,
    commands: &mut Vec<Command>,
) {
    if scene.view == ViewKind::Density {
        // The rows' own colours are not on the map.
        section(ui, "DENSITY");
        let heat = state.heat.take().filter(|(theme, _)| *theme == scene.theme);
        let (_, heat) = state.heat.insert(heat.unwrap_or_else(|| (scene.theme, HeatMap::of(scene.theme))));
        density_ui(ui, scene.theme, heat, density);
        return;
    }
    section(ui, &scene.coloring.title.to_uppercase());
    match &scene.coloring.values {
        Values::None => {}
        Values::Classes(_) => {
            let around = around.filter(|around| around.is_of(scene) && around.total > 0);
            classes_ui(ui, (scene, around), how, state, commands);
            if mixes(scene) {
                ui.add_space(2.0);
                let grey = if scene.theme.is_dark() { Srgb([170; 3]) } else { Srgb([120; 3]) };
                let text = match around {
                    Some(around) if around.total == 1 => "mixed: grey · 1 at the pointer".to_owned(),
                    Some(around) => format!("mixed: grey · {} at the pointer", thousands(around.total)),
                    None => "mixed: grey".to_owned(),
                };
                row_of_dot(ui, grey, &text);
            }
        }
        Values::Numbers(numbers) => numbers_ui(ui, scene, numbers),
        Values::Places(_) => places_ui(ui, scene),
    }
}

fn classes_ui(
    ui: &mut Ui,
    (scene, around): (&Scene, Option<&Composition>),
    how: Combine,
    state: &mut LegendState,
    commands: &mut Vec<Command>,
) {
    let classes = scene.coloring.classes();
    ui.spacing_mut().item_spacing.y = 0.0;
    if classes.len() <= LISTED {
        state.is_open = false;
    }
    if !state.is_open {
        for class in 0..classes.len().min(LISTED) {
            class_ui(ui, (scene, around), how, class, commands);
        }
        if classes.len() > LISTED && ui.link(RichText::new(format!("and {} more", classes.len() - LISTED)).small()).clicked() {
            state.is_open = true;
        }
        return;
    }
    ui.add(egui::TextEdit::singleline(&mut state.search).hint_text("Search").desired_width(f32::INFINITY));
    ui.add_space(4.0);
    let wanted = state.search.to_lowercase();
    let found: Option<Vec<usize>> = (!wanted.is_empty()).then(|| {
        (0..classes.len()).filter(|&class| classes.get(class).is_some_and(|class| class.name.to_lowercase().contains(&wanted))).collect()
    });
    let count = found.as_ref().map_or(classes.len(), Vec::len);
    ScrollArea::vertical().max_height(ROW * IN_SIGHT as f32).auto_shrink([false, true]).show_rows(ui, ROW, count, |ui, rows| {
        for row in rows {
            class_ui(ui, (scene, around), how, found.as_ref().map_or(row, |found| found.get(row).copied().unwrap_or(row)), commands);
        }
    });
    if ui.link(RichText::new("fewer").small()).clicked() {
        state.is_open = false;
        state.search.clear();
    }
}

/// A class: dot, name and size, or its share around the pointer; a click chooses it.
fn class_ui(ui: &mut Ui, (scene, around): (&Scene, Option<&Composition>), how: Combine, class: usize, commands: &mut Vec<Command>) {
    let Some(about) = scene.coloring.classes().get(class) else { return };
    let theme = scene.theme;
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), ROW), Sense::click());
    let name = if about.name.is_empty() { "(without a name)" } else { &about.name };
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("{name}: {}", counted(about.rows, "segment"))));
    let is_chosen = scene.chosen_class == Some(class as u32);
    let is_back = scene.chosen_class.is_some() && !is_chosen;
    if response.hovered() || is_chosen {
        ui.painter().rect_filled(
            rect.expand2(Vec2::new(4.0, 0.0)),
            4.0,
            color(theme.panel().mix(theme.text(), if is_chosen { 0.12 } else { 0.06 })),
        );
    }
    let swatch = scene.colors.swatches.get(class % scene.colors.swatches.len().max(1)).copied().unwrap_or(unknown_color(theme));
    let swatch = if is_back { swatch.dimmed(theme.panel()) } else { swatch };
    let text = if is_back { theme.faint_text() } else { theme.text() };
    let painter = ui.painter();
    painter.circle_filled(pos2(rect.left() + 6.0, rect.center().y), 5.0, color(swatch));
    let font = egui::TextStyle::Body.resolve(ui.style());
    let small = egui::TextStyle::Small.resolve(ui.style());
    let share = around.map(|around| around.share(class as u32));
    let (number, number_color) = match share {
        Some(share) if share > 0.0 => (percent(share), theme.text()),
        Some(_) => ("–".to_owned(), theme.faint_text()),
        None => (thousands(about.rows), theme.faint_text()),
    };
    let size = painter.text(rect.right_center(), Align2::RIGHT_CENTER, number, small, color(number_color));
    if let Some(share) = share.filter(|&share| share > 0.0) {
        let line = Rect::from_min_max(pos2(rect.left() + 18.0, rect.bottom() - 2.0), pos2(rect.right(), rect.bottom() - 0.5));
        painter.rect_filled(line.with_max_x(line.left() + line.width() * share), 0.75, color(swatch));
    }
    let room = size.left() - 8.0 - (rect.left() + 18.0);
    let mut job = egui::text::LayoutJob::simple_singleline(as_seen(name).into_owned(), font, color(text));
    job.wrap = egui::text::TextWrapping::truncate_at_width(room.max(10.0));
    let galley = painter.layout_job(job);
    painter.galley(pos2(rect.left() + 18.0, rect.center().y - galley.size().y * 0.5), galley, color(text));
    let hint = match how {
        Combine::Replace if is_chosen => "All again",
        Combine::Replace => "Choose these; Shift adds, Alt takes away",
        Combine::Add => "Add these",
        Combine::Subtract => "Take these away",
    };
    if response.on_hover_text(format!("{} · {hint}", as_seen(name))).clicked() {
        commands.push(Command::ChooseClass { class: class as u32, how: combination(ui).unwrap_or(how) });
    }
}

/// A share in words.
fn percent(share: f32) -> String {
    if share < 0.01 { "< 1 %".to_owned() } else { format!("{:.0} %", share * 100.0) }
}

/// A bar of colours, the first at its left end and the last at its right one.
fn bar_ui(painter: &egui::Painter, bar: Rect, swatches: &[Srgb]) {
    // Two corners for each colour, and what lies between them blends.
    let mut mesh = egui::Mesh::default();
    let last = swatches.len().saturating_sub(1).max(1) as f32;
    for (place, &swatch) in (0u32..).zip(swatches.iter()) {
        let x = bar.left() + bar.width() * place as f32 / last;
        mesh.colored_vertex(pos2(x, bar.top()), color(swatch));
        mesh.colored_vertex(pos2(x, bar.bottom()), color(swatch));
        if let Some(before) = place.checked_sub(1) {
            mesh.add_triangle(2 * before, 2 * before + 1, 2 * place);
            mesh.add_triangle(2 * before + 1, 2 * place, 2 * place + 1);
        }
    }
    painter.add(egui::Shape::mesh(mesh));
}

/// Words below a bar, at their places along it, as many as there is room for.
fn ticks_ui(ui: &Ui, rect: Rect, bar: Rect, theme: Theme, ticks: impl IntoIterator<Item = (f32, String)>) {
    let painter = ui.painter();
    let font = egui::TextStyle::Small.resolve(ui.style());
    let mut free_from = rect.left();
    for (share, word) in ticks {
        let x = bar.left() + share.clamp(0.0, 1.0) * bar.width();
        painter.vline(x, bar.bottom() + 1.0..=bar.bottom() + 4.0, egui::Stroke::new(1.0, color(theme.faint_text())));
        let galley = painter.layout_no_wrap(word, font.clone(), color(theme.faint_text()));
        let half = galley.size().x * 0.5;
        let left = (x - half).clamp(rect.left(), (rect.right() - 2.0 * half).max(rect.left()));
        if left >= free_from {
            free_from = left + 2.0 * half + 6.0;
            painter.galley(pos2(left, bar.bottom() + 6.0), galley, color(theme.faint_text()));
        }
    }
}

/// Room for a bar with words below it, and the bar's place.
fn bar_place(ui: &mut Ui) -> (Rect, Rect) {
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 42.0), Sense::hover());
    (rect, Rect::from_min_max(rect.left_top() + Vec2::new(8.0, 0.0), pos2(rect.right() - 8.0, rect.top() + 12.0)))
}

/// What the tones of a density stand for.
fn density_ui(ui: &mut Ui, theme: Theme, heat: &HeatMap, density: Option<&DensityScale>) {
    ui.add_space(4.0);
    let (rect, bar) = bar_place(ui);
    bar_ui(ui.painter(), bar, &heat.colors);
    let Some(density) = density else { return };
    let ticks = density.ticks.iter().map(|&(place, value)| (place, short(f64::from(value))));
    ticks_ui(ui, rect, bar, theme, ticks);
    ui.label(RichText::new(density.title()).small().weak());
}

/// A bar from low to high, with round numbers below it.
fn numbers_ui(ui: &mut Ui, scene: &Scene, numbers: &Numbers) {
    let theme = scene.theme;
    ui.add_space(4.0);
    let (rect, bar) = bar_place(ui);
    let painter = ui.painter();
    let swatches = &scene.colors.swatches;
    bar_ui(painter, bar, swatches);
    // Where there are numbers beyond an end, the bar goes on.
    for (is_beyond, at, way, end) in
        [(numbers.beyond[0], bar.left(), -1.0, swatches.first()), (numbers.beyond[1], bar.right(), 1.0, swatches.last())]
    {
        if let (true, Some(&end)) = (is_beyond, end) {
            let tip = pos2(at + way * 7.0, bar.center().y);
            painter.add(egui::Shape::convex_polygon(
                vec![pos2(at, bar.top()), tip, pos2(at, bar.bottom())],
                color(end),
                egui::Stroke::NONE,
            ));
        }
    }
    ticks_ui(ui, rect, bar, theme, numbers.ticks());
    if numbers.has_unknown {
        row_of_dot(ui, unknown_color(theme), "unknown");
    }
}

/// A slice through the cube of colours, and what its edges are.
fn places_ui(ui: &mut Ui, scene: &Scene) {
    const CELLS: u8 = 16;
    let theme = scene.theme;
    ui.add_space(2.0);
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 80.0), Sense::hover());
    let square = Rect::from_min_size(rect.min, Vec2::splat(64.0));
    let cell = square.width() / f32::from(CELLS);
    for y in 0..CELLS {
        for x in 0..CELLS {
            let at = square.min + Vec2::new(f32::from(x), f32::from(CELLS - 1 - y)) * cell;
            if let Some(swatch) = color_of_place(theme, [x * 17, y * 17, 128, 255]) {
                ui.painter().rect_filled(Rect::from_min_size(at, Vec2::splat(cell + 0.3)), 0.0, color(swatch));
            }
        }
    }
    let font = egui::TextStyle::Small.resolve(ui.style());
    let lines = ["across: first axis", "up: second axis", "lightness: third axis", "alike: near each other"];
    for (line, text) in lines.into_iter().enumerate() {
        let at = pos2(square.right() + 12.0, square.top() + 16.0 * line as f32);
        ui.painter().text(at, Align2::LEFT_TOP, text, font.clone(), color(theme.faint_text()));
    }
}

fn row_of_dot(ui: &mut Ui, swatch: Srgb, text: &str) {
    ui.horizontal(|ui| {
        super::widgets::dot(ui, swatch);
        ui.label(RichText::new(text).small().weak());
    });
}
