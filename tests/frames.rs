//! Frames as a window makes them, without a screen: what a slow frame holds is taken in order, and the widgets' scale changes at once.

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, PointerButton, Pos2};
use tagscape::app::frame::{FrameInput, FrameOutput, FramePainter};
use tagscape::app::headless::settle;
use tagscape::app::state::{AppState, Choices, Effect};
use tagscape::command::{Command, Listen, Tool};
use tagscape::project::Compute;
use tagscape::scene::{Combine, MapSize};
use tagscape::store::Collection;
use tagscape::ui::Chrome;

use crate::common::collection::wandering;
use crate::common::gpu::gpu;

const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
const SIZE: [u32; 2] = [1200, 1500];

/// A window without a screen.
struct Window {
    painter: FramePainter,
    state: AppState,
    view: wgpu::TextureView,
    time: f64,
    /// Where the text fields are, in UI points.
    fields: Vec<Pos2>,
    _folder: tempfile::TempDir,
}

impl Window {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let collection = Collection::open(&wandering(folder.path(), 12, 25)).unwrap();
        let choices = Choices { listen: Listen::Off, ..Choices::of("msd-musicnn-embeddings".parse().unwrap()) };
        let (mut state, effects) = AppState::open(collection, choices, None, Compute::Cpu).unwrap();
        settle(&mut state, effects).unwrap();
        let texture = gpu().device.create_texture(&wgpu::TextureDescriptor {
            label: None,
            size: wgpu::Extent3d { width: SIZE[0], height: SIZE[1], depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: FORMAT,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
            view_formats: &[],
        });
        let view = texture.create_view(&Default::default());
        let painter = FramePainter::new(gpu(), FORMAT).unwrap();
        painter.egui.enable_accesskit();
        let mut window = Self { painter, state, view, time: 0.0, fields: Vec::new(), _folder: folder };
        window.frame(Vec::new());
        window.frame(Vec::new());
        window
    }

    /// One frame that holds these events.
    fn frame(&mut self, events: Vec<Event>) -> FrameOutput {
        self.time += 0.5;
        // As the window measures itself: by the scale that the widgets had in the frame before.
        let zoom = self.painter.egui.zoom_factor();
        let screen = egui::Rect::from_min_size(Pos2::ZERO, egui::vec2(SIZE[0] as f32, SIZE[1] as f32) / zoom);
        let raw = egui::RawInput { screen_rect: Some(screen), time: Some(self.time), events, ..Default::default() };
        let input = FrameInput { raw, size_pixels: SIZE, chrome: Chrome::Panels };
        let output = self.painter.frame(gpu(), &mut self.state, input, &self.view).unwrap();
        if let Some(update) = &output.platform.accesskit_update {
            let fields = update.nodes.iter().filter(|(_, node)| node.role() == Role::TextInput);
            let middle =
                |bounds: egui::accesskit::Rect| egui::pos2(0.5 * (bounds.x0 + bounds.x1) as f32, 0.5 * (bounds.y0 + bounds.y1) as f32);
            self.fields = fields.filter_map(|(_, node)| node.bounds()).map(middle).collect();
        }
        output
    }

    /// Chooses some segments, so that something can be lost.
    fn choose_some(&mut self) -> usize {
        let effects = self.state.update(Command::ChooseText { text: "track-00003".into(), how: Combine::Replace });
        settle(&mut self.state, effects).unwrap();
        self.state.chosen_count().expect("a track is found")
    }
}

fn key(key: Key) -> [Event; 2] {
    [true, false].map(|pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers: Modifiers::NONE })
}

/// A letter as a keyboard types it.
fn letter(of: Key) -> Vec<Event> {
    let [down, up] = key(of);
    vec![down, Event::Text(of.name().to_lowercase()), up]
}

fn click(at: Pos2) -> Vec<Event> {
    let button = |pressed| Event::PointerButton { pos: at, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
    vec![Event::PointerMoved(at), button(true), button(false)]
}

fn texts(effects: &[Effect]) -> Vec<&str> {
    effects.iter().filter_map(|effect| if let Effect::Search(request) = effect { Some(request.text.as_str()) } else { None }).collect()
}

#[test]
fn a_slow_frame_that_holds_a_click_and_a_word_means_what_its_user_did_in_that_order() {
    let mut window = Window::open();
    let chosen = window.choose_some();
    let field = window.fields[0];
    // Into the field, a word, Enter, and then a key for the map: all in one frame.
    let mut events = click(field);
    [Key::V, Key::I, Key::L, Key::R].into_iter().for_each(|of| events.extend(letter(of)));
    events.extend(key(Key::Enter));
    events.extend(letter(Key::L));
    let output = window.frame(events);
    assert_eq!(texts(&output.effects), ["vilr"], "the word is the field's");
    assert_eq!((window.state.tool(), window.state.chosen_count()), (Tool::Lasso, Some(chosen)), "the last key is the map's");
    // A key for the map, and then into the field.
    let output = window.frame(letter(Key::R).into_iter().chain(click(field)).chain(letter(Key::V)).collect());
    assert_eq!((window.state.tool(), texts(&output.effects)), (Tool::Rectangle, vec![]));
    // What has the keyboard keeps its letters in a frame that ends with a click on the map.
    let map = output.map.center();
    window.frame(letter(Key::I).into_iter().chain(letter(Key::V)).chain(click(map)).collect());
    assert_eq!((window.state.tool(), window.state.chosen_count()), (Tool::Rectangle, Some(chosen)));
}

#[test]
fn escape_in_a_field_throws_nothing_away_however_slow_the_frame() {
    let mut window = Window::open();
    let chosen = window.choose_some();
    let field = window.fields[0];
    window.frame(click(field).into_iter().chain(letter(Key::Q)).chain(key(Key::Escape)).collect());
    assert_eq!(window.state.chosen_count(), Some(chosen));
    assert!(!window.state.listening.is_muted, "the letter is the field's");
    window.frame(key(Key::Escape).into());
    assert_eq!(window.state.chosen_count(), None, "outside of a field it is the map's");
}

#[test]
fn another_scale_of_the_widgets_fills_the_window_in_the_same_frame_and_the_pointer_stays_where_it_is() {
    let mut window = Window::open();
    let first = window.frame(vec![Event::PointerMoved(egui::pos2(600.0, 300.0))]).map;
    let command = |key| {
        let modifiers = Modifiers { ctrl: true, command: true, ..Modifiers::NONE };
        vec![Event::ModifiersChanged(modifiers), Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }]
    };
    for (press, zoom) in [(Key::Plus, 1.1), (Key::Plus, 1.2), (Key::Minus, 1.1), (Key::Num0, 1.0)] {
        let output = window.frame(command(press));
        assert!((window.painter.egui.zoom_factor() - zoom).abs() < 1e-6, "{press:?}");
        let size = [SIZE[0] as f32 / zoom, SIZE[1] as f32 / zoom];
        // What is around the map keeps its size in UI points.
        let expected = [size[0] - (SIZE[0] as f32 - first.width()), size[1] - (SIZE[1] as f32 - first.height())];
        let map = [output.map.width(), output.map.height()];
        assert!(map.iter().zip(expected).all(|(is, should)| (is - should).abs() < 1.5), "{press:?}: {map:?}, not {expected:?}");
        let at = window.painter.egui.input(|input| input.pointer.latest_pos()).unwrap() * zoom;
        assert!(at.distance(egui::pos2(600.0, 300.0)) < 0.5, "{press:?}: the pointer is at {at:?}");
    }
}

#[test]
fn how_the_map_lies_is_another_thing_after_whatever_moves_it_and_the_same_after_everything_else() {
    let mut window = Window::open();
    let mut ground = window.state.ground().expect("a map");
    let map = window.frame(Vec::new()).map.center();
    let (unit, phase, source) = (egui::MouseWheelUnit::Point, egui::TouchPhase::Move, egui::MouseWheelSource::Wheel);
    let scroll = Event::MouseWheel { unit, delta: egui::vec2(0.0, 60.0), phase, source, modifiers: Modifiers::NONE };
    let moves: [(&str, Vec<Event>); 3] = [
        ("scrolling", vec![Event::PointerMoved(map), scroll]),
        ("showing all", key(Key::Home).into()),
        (
            "another scale",
            vec![Event::Key { key: Key::Plus, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::COMMAND }],
        ),
    ];
    for (what, events) in moves {
        window.frame(events);
        let now = window.state.ground().unwrap();
        assert_ne!(now, ground, "{what}");
        ground = now;
    }
    window.state.set_map_size(MapSize { width: 333.0, height: 444.0 });
    let resized = window.state.ground().unwrap();
    assert_ne!(resized, ground, "resizing");
    window.choose_some();
    let effects = window.state.update(Command::SetTool(Tool::Lasso));
    assert!(effects.is_empty() && window.state.ground().unwrap() == resized, "what is chosen moves nothing");
}
