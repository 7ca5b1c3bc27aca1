//! An overlay in the map's corner: how fast frames come and what they are made of, and how sound does. It is painted over the map and takes no pointer.

use egui::{Align2, FontId, Pos2, Rect, Ui, Vec2};

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
    /// What is known of the sound.
    pub sound: SoundFigures,
}

/// What it shows of the sound.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SoundFigures {
    /// From the pointer to the sound output in milliseconds: the last audition's, and what half of the last ones, and 19 of 20, did not exceed.
    pub latency_ms: Option<[f64; 3]>,
    /// Frames that the output takes at a time, and its frames a second; `None`: no output is open yet.
    pub buffer: Option<[u32; 2]>,
    /// Auditions that found their segment decoded.
    pub cache_hits: u64,
    /// Auditions that had to decode.
    pub cache_misses: u64,
    /// Segments that were decoded before anybody asked for them.
    pub prefetched: u64,
    /// Bytes of decoded audio held.
    pub cached_bytes: usize,
    /// Drop-outs that the output told.
    pub underruns: u64,
    /// Buffers in which a segment was silent because decoding was behind.
    pub starved: u64,
    /// The output's name.
    pub output: String,
}

const LINE: f32 = 16.0;
const WIDTH: f32 = 272.0;
const MARGIN: f32 = 10.0;
/// Between the two groups.
const GAP: f32 = 10.0;
const UNKNOWN: &str = "–";

/// A name and its value.
type Line = (String, String);

fn line(name: &str, value: String) -> Line {
    (name.to_owned(), value)
}

impl FiguresView {
    /// What drawing takes, line by line.
    fn lines(&self) -> Vec<Line> {
        let [p50, p95] = self.frame_ms;
        let mut lines = vec![
            line("Frames per second", self.per_second.map_or(UNKNOWN.to_owned(), |frames| format!("{frames:.1}"))),
            line("Frame p50, p95", format!("{p50:.1}, {p95:.1} ms")),
        ];
        lines.extend(self.passes_ms.iter().map(|&(name, ms)| line(&format!("   {name}"), format!("{ms:.3} ms"))));
        lines.push(line("Drawn", format!("{} of {}", thousands(self.drawn), thousands(self.total))));
        lines.push(line("Pick", self.pick_ms.map_or(UNKNOWN.to_owned(), |ms| format!("{ms:.3} ms"))));
        lines
    }
}

impl SoundFigures {
    /// How the sound comes, line by line.
    fn lines(&self) -> Vec<Line> {
        let latency = |value: &dyn Fn([f64; 3]) -> String| self.latency_ms.map_or(UNKNOWN.to_owned(), value);
        let buffer = self.buffer.filter(|&[_, rate]| rate > 0).map_or(UNKNOWN.to_owned(), |[frames, rate]| {
            format!("{} frames, {:.1} ms", thousands(frames as usize), f64::from(frames) * 1e3 / f64::from(rate))
        });
        let asked = self.cache_hits + self.cache_misses;
        let hits = if asked == 0 {
            UNKNOWN.to_owned()
        } else {
            let share = 100.0 * self.cache_hits as f64 / asked as f64;
            format!("{} of {}, {share:.0} %", thousands(self.cache_hits as usize), thousands(asked as usize))
        };
        vec![
            line("Latency", latency(&|[last, ..]| format!("{last:.1} ms"))),
            line("Latency p50, p95", latency(&|[_, p50, p95]| format!("{p50:.1}, {p95:.1} ms"))),
            line("Output buffer", buffer),
            line("Cache hits", hits),
            line("Decoded ahead", thousands(self.prefetched as usize)),
            line("Cache", format!("{:.1} MB", self.cached_bytes as f64 / 1e6)),
            line("Underruns", thousands(self.underruns as usize)),
            line("Decoding behind", thousands(self.starved as usize)),
        ]
    }
}

/// Paints it into the map's upper right corner.
pub fn figures_ui(ui: &Ui, map: Rect, theme: Theme, view: &FiguresView) {
    let painter = ui.painter_at(map);
    let note = |text: &str| painter.layout(text.to_owned(), FontId::proportional(11.0), color(theme.faint_text()), WIDTH - 2.0 * MARGIN);
    let groups = [("DRAWING", view.lines(), note(&view.adapter)), ("SOUND", view.sound.lines(), note(&view.sound.output))];
    let height_of = |lines: &[Line], note: &egui::Galley| LINE * (lines.len() + 1) as f32 + note.size().y + 2.0;
    let height = groups.iter().map(|(_, lines, note)| height_of(lines, note)).sum::<f32>() + GAP + 2.0 * MARGIN;
    let panel = Rect::from_min_size(map.right_top() + Vec2::new(-WIDTH - MARGIN, MARGIN), Vec2::new(WIDTH, height));
    painter.rect_filled(panel, 6.0, color(theme.panel()).gamma_multiply(0.9));
    let (left, right) = (panel.left() + MARGIN, panel.right() - MARGIN);
    let mut y = panel.top() + MARGIN;
    for (caption, lines, note) in groups {
        painter.text(Pos2::new(left, y), Align2::LEFT_TOP, caption, FontId::proportional(10.5), color(theme.faint_text()));
        for (name, value) in lines {
            y += LINE;
            let middle = y + 0.5 * LINE;
            painter.text(Pos2::new(left, middle), Align2::LEFT_CENTER, name, FontId::proportional(12.0), color(theme.faint_text()));
            painter.text(Pos2::new(right, middle), Align2::RIGHT_CENTER, value, FontId::monospace(11.5), color(theme.text()));
        }
        let below = note.size().y + 2.0 + GAP;
        painter.galley(Pos2::new(left, y + LINE + 2.0), note, color(theme.faint_text()));
        y += LINE + below;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(lines: Vec<Line>) -> Vec<String> {
        lines.into_iter().map(|(_, value)| value).collect()
    }

    #[test]
    fn what_is_not_known_yet_is_a_dash() {
        let unknown = FiguresView::default().lines();
        assert_eq!((unknown[0].1.as_str(), unknown.last().map(|line| line.1.as_str())), ("–", Some("–")));
        let known = FiguresView { pick_ms: Some(0.0126), passes_ms: vec![("splat", 1.5)], drawn: 5000, total: 9000, ..Default::default() };
        assert_eq!(values(known.lines())[2..], ["1.500 ms", "5,000 of 9,000", "0.013 ms"]);
        let silent = values(SoundFigures::default().lines());
        assert_eq!(silent, ["–", "–", "–", "–", "0", "0.0 MB", "0", "0"]);
    }

    #[test]
    fn sound_is_told_in_milliseconds_counts_and_shares() {
        let sound = SoundFigures {
            latency_ms: Some([0.44, 0.5, 12.06]),
            buffer: Some([256, 48_000]),
            cache_hits: 1500,
            cache_misses: 500,
            prefetched: 2345,
            cached_bytes: 41_250_000,
            underruns: 2,
            starved: 1000,
            output: "Sound card".into(),
        };
        let expected = ["0.4 ms", "0.5, 12.1 ms", "256 frames, 5.3 ms", "1,500 of 2,000, 75 %", "2,345", "41.2 MB", "2", "1,000"];
        assert_eq!(values(sound.lines()), expected);
        let never = SoundFigures { buffer: Some([256, 0]), cache_misses: 3, ..sound };
        assert_eq!(values(never.lines())[2], "–", "an output without a rate");
    }
}
