//! The whole window in this process, for tests: made-up views go in, and what the user's hand comes to is collected.

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, PointerButton, Pos2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, Node};

use super::choose_panel::ChooseView;
use super::color_panel::{ColorOption, ColorView};
use super::controls_panel::ControlsView;
use super::descent_panel::DescentView;
use super::listen_panel::ListenView;
use super::output_list::OutputsView;
use super::player_bar::PlayerBarView;
use super::shell::{Chrome, ShellState, ShellView, shell_ui};
use super::status_bar::StatusView;
use super::widgets::Work;
use crate::catalog::{SpaceKey, TrackId, TrackRows};
use crate::command::{Command, Course, Listen, MethodKind, Tool};
use crate::scene::coloring::{Classes, Values};
use crate::scene::{AxisScale, ColorBy, Coloring, Dimensions, LabelKind, Scene, Theme, ViewKind};

/// A window that is tall enough for all of its panels.
pub(super) const SIZE: [f32; 2] = [1440.0, 1800.0];

/// What the window shows, and what was wished in it.
pub(super) struct Bed {
    pub(super) scene: Scene,
    pub(super) by: ColorBy,
    pub(super) options: Vec<ColorOption>,
    pub(super) columns: Vec<String>,
    pub(super) dimensions: Dimensions,
    pub(super) commands: Vec<Command>,
    pub(super) work: Option<Work>,
    pub(super) trouble: Option<String>,
    pub(super) instead: Option<ColorBy>,
    pub(super) descent: Option<DescentView>,
    pub(super) status: StatusView,
    space: SpaceKey,
    shell: ShellState,
}

impl Bed {
    fn new() -> Self {
        let track = |number: usize| TrackRows { track: TrackId(number as u32 + 1), first_row: 5 * number, row_count: 5 };
        let positions: Vec<[f32; 3]> = (0..10_u8).map(|row| [f32::from(row), f32::from(row % 3), 0.0]).collect();
        let rows = [track(0), track(1)];
        let axes = vec!["1".to_owned(), "2".to_owned()];
        let mut scene = Scene::new(positions.into(), rows.into(), axes, AxisScale::Uniform, Dimensions::Two, 1.0);
        let classes = Classes::tracks([("Alpha".to_owned(), 5), ("Beta".to_owned(), 5)]);
        scene.color_by(Coloring { title: "Track".to_owned(), values: Values::Classes(classes) }.into());
        let tags = ["rock", "ambient", "guitar"].map(|name| ColorBy::Tag(name.to_owned()));
        let by = [ColorBy::None, ColorBy::Track, ColorBy::Artist].into_iter().chain(tags);
        Self {
            scene,
            by: ColorBy::Track,
            options: by.map(|by| ColorOption { label: by.label(), is_enabled: by != ColorBy::Artist, by }).collect(),
            columns: (1..=40).map(|column| format!("component {column}")).collect(),
            dimensions: Dimensions::Three,
            commands: Vec::new(),
            work: None,
            trouble: None,
            instead: None,
            descent: None,
            status: StatusView::default(),
            space: "msd-musicnn-embeddings".parse().unwrap(),
            shell: ShellState::default(),
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui) {
        let spaces = [self.space];
        let controls = ControlsView {
            collection: "made up",
            spaces: &spaces,
            space: self.space,
            method: MethodKind::Pca,
            dimensions: self.dimensions,
            axes: [0, 1, 2],
            columns: &self.columns,
            explained: &[],
            descent: self.descent.clone(),
            work: self.work.clone(),
            trouble: self.trouble.as_deref(),
            log: false,
            has_valued_axes: true,
            view: ViewKind::Segments,
            choose: ChooseView { tool: Tool::Move, chosen: Some(3), total: 10, is_searching: false, trouble: self.trouble.as_deref() },
            labels: LabelKind::None,
            label_kinds: LabelKind::ALL.map(|kind| (kind, true)),
            color: ColorView {
                by: &self.by,
                options: &self.options,
                work: None,
                instead: self.instead.as_ref(),
                trouble: self.trouble.as_deref(),
            },
            listen: ListenView {
                listen: Listen::OnHover,
                course: Course::Segment,
                volume: 0.5,
                is_muted: false,
                outputs: OutputsView { is_open: true, devices: vec![("card", "Sound card")], ..OutputsView::default() },
                missing_in: Some("/music"),
                has_none: false,
                trouble: self.trouble.as_deref(),
            },
            theme: Theme::Dark,
            figures: false,
        };
        let view = ShellView {
            chrome: Chrome::Panels,
            scene: Some(&self.scene),
            around: None,
            density: None,
            picture: None,
            controls: Some(controls),
            tool: Tool::Move,
            track: None,
            player: PlayerBarView::nothing(Theme::Dark),
            waiting: None,
            sounding: None,
            is_muted: false,
            status: self.status.clone(),
            figures: None,
            theme: Theme::Dark,
        };
        self.commands.extend(shell_ui(ui, &view, &mut self.shell).commands);
    }
}

/// The window, and the user's hand in it. Each event has a pass of its own, as `input_batches` gives presses theirs.
pub(super) struct Window(pub(super) Harness<'static, Bed>);

impl Window {
    pub(super) fn open() -> Self {
        let window = Harness::builder().with_size(SIZE).build_ui_state(|ui, bed: &mut Bed| bed.ui(ui), Bed::new());
        Self(window)
    }

    /// Clicks on the widget of this name.
    pub(super) fn click(&mut self, label: &str) {
        self.0.get_by_label(label).click();
        self.0.run();
    }

    pub(super) fn click_at(&mut self, at: [f32; 2]) {
        let pos = Pos2::from(at);
        self.0.event(Event::PointerMoved(pos));
        for pressed in [true, false] {
            self.0.event(Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE });
        }
        self.0.run();
    }

    pub(super) fn press(&mut self, key: Key) {
        self.0.key_press(key);
        self.0.run();
    }

    /// Types letters as a keyboard does: a key, its text, and the key again.
    pub(super) fn type_letters(&mut self, letters: &str) {
        for letter in letters.chars() {
            let key = Key::from_name(&letter.to_uppercase().to_string());
            let event = |pressed| key.map(|key| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers: Modifiers::NONE });
            event(true).into_iter().for_each(|event| self.0.event(event));
            self.0.event(Event::Text(letter.to_string()));
            event(false).into_iter().for_each(|event| self.0.event(event));
        }
        self.0.run();
    }

    /// The field that has the keyboard.
    pub(super) fn focused_field(&self) -> Option<Node<'_>> {
        self.0.query_all_by_role(Role::TextInput).find(|node| node.accesskit_node().is_focused())
    }

    pub(super) fn has(&self, label: &str) -> bool {
        self.0.query_by_label(label).is_some()
    }

    /// What was wished since the last call.
    pub(super) fn take_commands(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.0.state_mut().commands)
    }
}
