//! An overlay in the map's corner: how fast frames come, and what they are made of. It is painted over the map and takes no pointer.

use egui::{Align2, FontId, Rect, Ui, Vec2};

use super::status_bar::thousands;
use super::theme::color;
use crate::scene::Theme;

/// What it shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FiguresView {
    /// Frames per second while frames follow one another.
    pub per_second: Option<f64>,
    /// The CPU's time of a frame in milliseconds: half of the frames, and 19 of 20, take no longer.
    pub frame_ms: [f64; 2],
    /// Time of each pass in milliseconds.
    pub passes_ms: Vec<(&'static str, f64)>,
    /// Segments drawn.
    pub drawn: usize,
    /// Segments that there are.
    pub total: usize,
    /// How long it took to find what is under the pointer, in milliseconds.
    pub pick_ms: Option<f64>,
    /// The GPU.
    pub adapter: String,
}

const LINE: f32 = 16.0;
const WIDTH: f32 = 272.0;
const MARGIN: f32 = 10.0;

impl FiguresView {
    /// Names and values, line by line.
    fn lines(&self) -> Vec<(String, String)> {
        let line = |name: &str, value: String| (name.to_owned(), value);
        let [p50, p95] = self.frame_ms;
        let mut lines = vec![
            line("Frames per second", self.per_second.map_or("–".to_owned(), |frames| format!("{frames:.1}"))),
            line("Frame p50, p95", format!("{p50:.1}, {p95:.1} ms")),
        ];
        lines.extend(self.passes_ms.iter().map(|&(name, ms)| line(&format!("   {name}"), format!("{ms:.3} ms"))));
        lines.push(line("Drawn", format!("{} of {}", thousands(self.drawn), thousands(self.total))));
        lines.push(line("Pick", self.pick_ms.map_or("–".to_owned(), |ms| format!("{ms:.3} ms"))));
        lines
    }
}

/// Paints it into the map's upper right corner.
pub fn figures_ui(ui: &Ui, map: Rect, theme: Theme, view: &FiguresView) {
    let painter = ui.painter_at(map);
    let lines = view.lines();
    let adapter = painter.layout(view.adapter.clone(), FontId::proportional(11.0), color(theme.faint_text()), WIDTH - 2.0 * MARGIN);
    let height = LINE * lines.len() as f32 + adapter.size().y + 2.0 * MARGIN + 4.0;
    let panel = Rect::from_min_size(map.right_top() + Vec2::new(-WIDTH - MARGIN, MARGIN), Vec2::new(WIDTH, height));
    painter.rect_filled(panel, 6.0, color(theme.panel()).gamma_multiply(0.9));
    let inner = panel.shrink(MARGIN);
    for (number, (name, value)) in lines.into_iter().enumerate() {
        let down = Vec2::new(0.0, LINE * number as f32);
        painter.text(inner.left_top() + down, Align2::LEFT_TOP, name, FontId::proportional(12.0), color(theme.faint_text()));
        painter.text(inner.right_top() + down, Align2::RIGHT_TOP, value, FontId::monospace(11.5), color(theme.text()));
    }
    painter.galley(inner.left_bottom() - Vec2::new(0.0, adapter.size().y), adapter, color(theme.faint_text()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_yet_is_a_dash() {
        let unknown = FiguresView::default().lines();
        assert_eq!((unknown[0].1.as_str(), unknown.last().map(|line| line.1.as_str())), ("–", Some("–")));
        let known = FiguresView { pick_ms: Some(0.0126), passes_ms: vec![("splat", 1.5)], drawn: 5000, total: 9000, ..Default::default() };
        let lines = known.lines();
        assert_eq!(lines.iter().map(|line| line.1.as_str()).collect::<Vec<_>>()[2..], ["1.500 ms", "5,000 of 9,000", "0.013 ms"]);
    }
}
