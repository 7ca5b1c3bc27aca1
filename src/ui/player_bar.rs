//! Below the map: what plays, as waveform and spectrogram with its playhead, and the buttons of a player.

use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{Align2, Color32, ColorImage, CursorIcon, FontId, Pos2, Rect, Sense, Shape, Stroke, TextureHandle, TextureOptions, Ui, vec2};

use super::reading_order::as_seen;
use super::theme::color;
use super::track_panel::time;
use crate::catalog::{SegmentSpan, TrackId, plain_text};
use crate::command::Command;
use crate::scene::{HeatMap, SoundPicture, Theme};

/// How high the bar is, in UI points.
pub const PLAYER_BAR_HEIGHT: f32 = 68.0;
const BUTTON: f32 = 28.0;
const WORDS: f32 = 196.0;
const GAP: f32 = 12.0;
/// Where the map is narrower, the picture of the sound makes way for the words.
const LEAST_PICTURE: f32 = 96.0;

/// What the bar shows. Times are seconds of the track.
#[derive(Clone, Debug, PartialEq)]
pub struct PlayerBarView<'a> {
    /// Title, or the file's name.
    pub title: &'a str,
    /// Artist, where known.
    pub artist: Option<&'a str>,
    /// The stretch that is as wide as the bar.
    pub shown: SegmentSpan,
    /// Where the playhead is.
    pub position_secs: f64,
    /// Whether it sounds, or is about to.
    pub is_on: bool,
    /// Whether anything sounded yet.
    pub is_known: bool,
    /// What it looks like.
    pub picture: Option<&'a SoundPicture>,
    /// Dark or light.
    pub theme: Theme,
}

impl PlayerBarView<'_> {
    /// Before anything sounded.
    #[must_use]
    pub fn nothing(theme: Theme) -> Self {
        let shown = SegmentSpan { start_secs: 0.0, duration_secs: 0.0 };
        Self { title: "", artist: None, shown, position_secs: 0.0, is_on: false, is_known: false, picture: None, theme }
    }

    fn end_secs(&self) -> f64 {
        self.shown.start_secs + self.shown.duration_secs
    }
}

/// What the bar remembers between frames: the spectrogram's texture.
#[derive(Clone, Default)]
pub struct PlayerBarState {
    spectrogram: Option<(Drawn, TextureHandle)>,
}

type Drawn = (TrackId, u64, u64, Theme);

impl std::fmt::Debug for PlayerBarState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("PlayerBarState").field("is_drawn", &self.spectrogram.is_some()).finish()
    }
}

/// Draws the bar.
pub fn player_bar_ui(ui: &mut Ui, view: &PlayerBarView<'_>, state: &mut PlayerBarState, commands: &mut Vec<Command>) {
    let room = ui.max_rect();
    let mut left = room.left();
    for (symbol, command, hint) in [
        (Symbol::Previous, Command::StepSegment(-1), "The segment before (Left)"),
        (if view.is_on { Symbol::Stop } else { Symbol::Play }, Command::PlayOrStop, "Play or stop (Space)"),
        (Symbol::Next, Command::StepSegment(1), "The next segment (Right)"),
    ] {
        let place = Rect::from_center_size(egui::pos2(left + 0.5 * BUTTON, room.center().y), vec2(BUTTON, BUTTON));
        if button(ui, place, symbol, view, hint) {
            commands.push(command);
        }
        left += BUTTON + 2.0;
    }
    left += GAP - 2.0;
    let width = WORDS.min(room.right() - left).max(0.0);
    words_ui(ui, Rect::from_min_max(egui::pos2(left, room.top()), egui::pos2(left + width, room.bottom())), view);
    left += width + GAP;
    let picture = Rect::from_min_max(egui::pos2(left, room.top() + 8.0), egui::pos2(room.right(), room.bottom() - 8.0));
    if picture.width() >= LEAST_PICTURE {
        picture_ui(ui, picture, view, state, commands);
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Symbol {
    Previous,
    Play,
    Stop,
    Next,
}

fn button(ui: &mut Ui, place: Rect, symbol: Symbol, view: &PlayerBarView<'_>, hint: &str) -> bool {
    let response = ui.interact(place, ui.scope_id().with(("player", hint)), Sense::click()).on_hover_text(hint);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, hint));
    let theme = view.theme;
    let visuals = ui.style().interact(&response);
    let painter = ui.painter();
    painter.rect_filled(place, visuals.corner_radius, visuals.weak_bg_fill);
    let ink = color(if view.is_known { theme.text() } else { theme.faint_text() });
    let middle = place.center();
    let triangle = |tip: f32, at: f32| {
        let corners = vec![middle + vec2(at - tip, -5.5), middle + vec2(at + tip, 0.0), middle + vec2(at - tip, 5.5)];
        Shape::convex_polygon(corners, ink, Stroke::NONE)
    };
    let bar = |at: f32| Shape::rect_filled(Rect::from_center_size(middle + vec2(at, 0.0), vec2(2.0, 11.0)), 0.5, ink);
    match symbol {
        Symbol::Play => drop(painter.add(triangle(5.0, 1.0))),
        Symbol::Stop => drop(painter.add(Shape::rect_filled(Rect::from_center_size(middle, vec2(10.0, 10.0)), 1.0, ink))),
        Symbol::Previous => {
            painter.add(bar(-4.5));
            painter.add(triangle(-4.0, 1.0));
        }
        Symbol::Next => {
            painter.add(triangle(4.0, -1.0));
            painter.add(bar(4.5));
        }
    }
    response.clicked()
}

/// Title, artist and time, line by line.
fn words_ui(ui: &Ui, place: Rect, view: &PlayerBarView<'_>) {
    let theme = view.theme;
    let painter = ui.painter_at(place);
    let line = |text: String, size: f32, ink: Color32| {
        let mut job = egui::text::LayoutJob::simple_singleline(text, FontId::proportional(size), ink);
        job.wrap = egui::text::TextWrapping::truncate_at_width(place.width());
        painter.layout_job(job)
    };
    if !view.is_known {
        let hint = line("Nothing has sounded yet".to_owned(), 13.0, color(theme.faint_text()));
        painter.galley(egui::pos2(place.left(), place.center().y - 0.5 * hint.size().y), hint, Color32::PLACEHOLDER);
        return;
    }
    let lines = [
        line(as_seen(&plain_text(view.title)).into_owned(), 14.0, color(theme.text())),
        line(as_seen(&plain_text(view.artist.unwrap_or_default())).into_owned(), 12.0, color(theme.faint_text())),
    ];
    let top = place.center().y - 27.0;
    let [title, artist] = lines;
    painter.galley(egui::pos2(place.left(), top), title, Color32::PLACEHOLDER);
    painter.galley(egui::pos2(place.left(), top + 19.0), artist, Color32::PLACEHOLDER);
    let times = format!("{} / {}", time(view.position_secs), time(view.end_secs()));
    painter.text(egui::pos2(place.left(), top + 37.0), Align2::LEFT_TOP, times, FontId::monospace(12.0), color(theme.faint_text()));
}

/// Waveform above, spectrogram below, the playhead through both; a click goes there.
fn picture_ui(ui: &mut Ui, place: Rect, view: &PlayerBarView<'_>, state: &mut PlayerBarState, commands: &mut Vec<Command>) {
    let theme = view.theme;
    let response = ui.interact(place, ui.scope_id().with("sound"), Sense::click_and_drag());
    let painter = ui.painter_at(place);
    painter.rect_filled(place, 4.0, color(theme.background()));
    if !view.is_known || view.shown.duration_secs <= 0.0 {
        return;
    }
    let x_of = |secs: f64| place.left() + place.width() * ((secs - view.shown.start_secs) / view.shown.duration_secs) as f32;
    let playhead = x_of(view.position_secs).clamp(place.left(), place.right());
    if let Some(picture) = view.picture {
        let (from, to) = (x_of(picture.span.start_secs), x_of(picture.span.start_secs + picture.span.duration_secs));
        let middle = place.center().y;
        let above = Rect::from_min_max(egui::pos2(from, place.top() + 2.0), egui::pos2(to, middle - 1.0));
        let below = Rect::from_min_max(egui::pos2(from, middle + 1.0), egui::pos2(to, place.bottom()));
        let inks = [theme.accent(), theme.panel().mix(theme.text(), 0.45)].map(color);
        painter.add(waveform(picture, above, place, playhead, inks));
        if let Some(texture) = spectrogram(ui, picture, theme, state) {
            let whole = Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
            painter.image(texture, below, whole, Color32::WHITE);
        }
    }
    painter.vline(playhead, place.y_range(), Stroke::new(3.0, color(theme.background()).gamma_multiply(0.8)));
    painter.vline(playhead, place.y_range(), Stroke::new(1.5, color(theme.text())));
    if response.hovered() {
        ui.ctx().set_cursor_icon(CursorIcon::PointingHand);
    }
    // A drag goes where it ends.
    if (response.clicked() || response.drag_stopped())
        && let Some(at) = response.interact_pointer_pos().or(ui.input(|input| input.pointer.latest_pos()))
    {
        let share = f64::from(((at.x - place.left()) / place.width()).clamp(0.0, 1.0));
        commands.push(Command::Seek(view.shown.start_secs + share * view.shown.duration_secs));
    }
}

/// A bar from the least to the largest sample of each pixel's width; what was played is in the first ink.
fn waveform(picture: &SoundPicture, place: Rect, seen: Rect, playhead: f32, inks: [Color32; 2]) -> Shape {
    let mut mesh = Mesh::default();
    let full = picture.peaks.iter().flatten().fold(0.05_f32, |full, peak| full.max(peak.abs()));
    let (middle, half) = (place.center().y, 0.5 * place.height());
    let parts = picture.peaks.len();
    let (first, last) = (place.left().max(seen.left()).floor(), place.right().min(seen.right()));
    let mut x = first;
    while x < last {
        let part = |at: f32| (((at - place.left()) / place.width().max(1.0)).clamp(0.0, 1.0) * parts as f32) as usize;
        let (from, to) = (part(x).min(parts.saturating_sub(1)), part(x + 1.0).min(parts));
        let peaks = picture.peaks.get(from..to.max(from + 1)).unwrap_or_default();
        let [least, largest] = peaks.iter().fold([0.0_f32; 2], |[least, largest], peak| [least.min(peak[0]), largest.max(peak[1])]);
        let (top, bottom) = (middle - half * largest / full - 0.5, middle - half * least / full + 0.5);
        let ink = inks[usize::from(x >= playhead)];
        add_rect(&mut mesh, Rect::from_min_max(egui::pos2(x, top), egui::pos2(x + 1.0, bottom)), ink);
        x += 1.0;
    }
    Shape::mesh(mesh)
}

fn add_rect(mesh: &mut Mesh, rect: Rect, ink: Color32) {
    let first = mesh.vertices.len() as u32;
    let corner = |pos: Pos2| Vertex { pos, uv: WHITE_UV, color: ink };
    mesh.vertices.extend([rect.left_top(), rect.right_top(), rect.right_bottom(), rect.left_bottom()].map(corner));
    mesh.indices.extend([0, 1, 2, 0, 2, 3].map(|corner| first + corner));
}

/// The spectrogram's texture, made anew where another picture is shown.
fn spectrogram(ui: &Ui, picture: &SoundPicture, theme: Theme, state: &mut PlayerBarState) -> Option<egui::TextureId> {
    let size = [picture.columns, picture.bands()];
    if size.contains(&0) || size[0] * size[1] != picture.tones.len() {
        return None;
    }
    let drawn: Drawn = (picture.track, picture.serial, picture.span.start_secs.to_bits(), theme);
    if let Some((known, texture)) = &state.spectrogram
        && *known == drawn
    {
        return Some(texture.id());
    }
    let inks: Vec<Color32> = HeatMap::of(theme).colors.into_iter().map(color).collect();
    let ground = color(theme.background());
    // The least tones go over into the ground, as on the map.
    let ink = |tone: &u8| inks.get(usize::from(*tone)).map_or(ground, |ink| ground.lerp_to_gamma(*ink, (f32::from(*tone) / 48.0).min(1.0)));
    let image = ColorImage::new(size, picture.tones.iter().map(ink).collect());
    let texture = ui.ctx().load_texture("spectrogram", image, TextureOptions::LINEAR);
    let id = texture.id();
    state.spectrogram = Some((drawn, texture));
    Some(id)
}
