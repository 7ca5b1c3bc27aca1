//! Colours and spacing of the widgets, from the scene's theme.

use egui::{Color32, CornerRadius, Stroke, Vec2};

use crate::scene::{Srgb, Theme};

/// A scene colour as egui's.
#[must_use]
pub fn color(color: Srgb) -> Color32 {
    Color32::from_rgb(color.0[0], color.0[1], color.0[2])
}

/// Applies a theme to everything drawn from now on.
pub fn apply(context: &egui::Context, theme: Theme) {
    context.set_theme(if theme.is_dark() { egui::Theme::Dark } else { egui::Theme::Light });
    let mut visuals = if theme.is_dark() { egui::Visuals::dark() } else { egui::Visuals::light() };
    visuals.panel_fill = color(theme.panel());
    visuals.window_fill = color(theme.panel());
    visuals.extreme_bg_color = color(theme.background());
    visuals.faint_bg_color = color(theme.panel().mix(theme.text(), 0.04));
    visuals.hyperlink_color = color(theme.accent());
    visuals.selection.bg_fill = color(theme.panel().mix(theme.accent(), if theme.is_dark() { 0.38 } else { 0.22 }));
    visuals.selection.stroke = Stroke::new(1.0, color(theme.text()));
    let raised = |amount| color(theme.panel().mix(theme.text(), amount));
    let line = Stroke::new(1.0, raised(0.12));
    let widgets = &mut visuals.widgets;
    for (widget, fill) in [
        (&mut widgets.noninteractive, 0.0),
        (&mut widgets.inactive, 0.07),
        (&mut widgets.hovered, 0.13),
        (&mut widgets.active, 0.19),
        (&mut widgets.open, 0.10),
    ] {
        widget.bg_fill = raised(fill);
        widget.weak_bg_fill = raised(fill);
        widget.corner_radius = CornerRadius::same(5);
        widget.fg_stroke = Stroke::new(1.0, color(theme.text()));
        widget.expansion = 0.0;
        widget.bg_stroke = Stroke::NONE;
    }
    widgets.noninteractive.bg_stroke = line;
    widgets.hovered.bg_stroke = line;
    visuals.weak_text_color = Some(color(theme.faint_text()));
    context.set_visuals_of(if theme.is_dark() { egui::Theme::Dark } else { egui::Theme::Light }, visuals);
    context.all_styles_mut(|style| {
        style.spacing.item_spacing = Vec2::new(8.0, 6.0);
        style.spacing.button_padding = Vec2::new(9.0, 4.0);
        style.spacing.interact_size.y = 25.0;
        // The map draws the pointer's neighbourhood; nothing else should move by itself.
        style.animation_time = 0.08;
        style.interaction.selectable_labels = false;
    });
}
