//! What goes wrong under a map that is shown: a device that is lost, memory that is not there, an embedding that fails on its way.

use tagscape::app::descent_job::{DescentFrame, Steering};
use tagscape::app::economy::Economy;
use tagscape::app::frame::{FrameInput, FramePainter};
use tagscape::app::headless;
use tagscape::app::state::{AppState, Choices, Effect};
use tagscape::command::{Command, Listen, MethodKind};
use tagscape::gpu::{AdapterChoice, GpuContext, GpuError, readback};
use tagscape::project::Compute;
use tagscape::scene::{Bounds, Dimensions, Theme, ViewKind};
use tagscape::store::Collection;
use tagscape::ui::Chrome;

use crate::common::collection::wandering;

const SIZE: [u32; 2] = [640, 480];
const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

fn choices(method: MethodKind, view: ViewKind, dimensions: Dimensions) -> Choices {
    Choices { method, dimensions, view, listen: Listen::Off, ..Choices::of("msd-musicnn-embeddings".parse().unwrap()) }
}

fn opened(method: MethodKind, view: ViewKind, dimensions: Dimensions, compute: Compute) -> (AppState, Vec<Effect>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let collection = Collection::open(&wandering(folder.path(), 20, 40)).unwrap();
    let (state, effects) = AppState::open(collection, choices(method, view, dimensions), None, compute).unwrap();
    (state, effects, folder)
}

fn device() -> GpuContext {
    GpuContext::headless(AdapterChoice::Software).unwrap()
}

/// A few frames as a window paints them, and the last one's pixels.
fn paint(context: &GpuContext, painter: &mut FramePainter, state: &mut AppState) -> Result<Vec<u8>, GpuError> {
    let texture = context.device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size: wgpu::Extent3d { width: SIZE[0], height: SIZE[1], depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: FORMAT,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let view = texture.create_view(&Default::default());
    for turn in 0..8 {
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(SIZE[0] as f32, SIZE[1] as f32));
        let raw = egui::RawInput { screen_rect: Some(screen), time: Some(f64::from(turn)), ..Default::default() };
        let output = painter.frame(context, state, FrameInput { raw, size_pixels: SIZE, chrome: Chrome::Panels }, &view)?;
        if turn > 1 && !output.changed {
            return readback::read_texture(context, &texture);
        }
    }
    panic!("the picture does not come to rest: {:?}", state.notices);
}

#[test]
fn a_device_that_is_lost_is_told_and_another_one_draws_the_same_picture() {
    for (view, dimensions) in [(ViewKind::Segments, Dimensions::Three), (ViewKind::Density, Dimensions::Two)] {
        let (mut state, effects, _folder) = opened(MethodKind::Pca, view, dimensions, Compute::Cpu);
        headless::settle(&mut state, effects).unwrap();
        let context = device();
        let mut painter = FramePainter::new(&context, FORMAT).unwrap();
        paint(&context, &mut painter, &mut state).unwrap();
        state.update(Command::Zoom { factor: 1.7, at: glam::vec2(100.0, 150.0) });
        let before = paint(&context, &mut painter, &mut state).unwrap();
        assert!(!context.is_lost());

        context.device.destroy();
        assert!(context.is_lost());
        // A frame on it comes to nothing, and to no panic.
        drop(paint(&context, &mut painter, &mut state));

        let next = device();
        let mut rebuilt = FramePainter::new(&next, FORMAT).unwrap();
        rebuilt.take_over(&painter);
        drop(painter);
        let effects = state.change_device(Compute::Cpu, &next.caps.name);
        assert!(matches!(effects[..], [Effect::Log(_)]), "nothing is computed again: {effects:?}");
        state.notices = tagscape::app::notices::Notices::default();
        let after = paint(&next, &mut rebuilt, &mut state).unwrap();
        assert!(before == after, "{view:?} {dimensions:?}: another picture than before");
        assert_eq!(next.errors.take(), Vec::<String>::new());
    }
}

#[test]
fn an_embedding_on_a_lost_device_begins_anew_and_a_finished_one_stays() {
    let context = device();
    let (mut state, effects, _folder) = opened(MethodKind::Tsne, ViewKind::Segments, Dimensions::Two, Compute::Gpu(context.clone()));
    let [Effect::Project(request)] = &effects[..] else { panic!("{effects:?}") };
    let begun = request.begin(true, &tagscape::project::NoObserver).unwrap();
    state.finish((request.serial, Ok(begun.ready)));
    assert!(state.is_moving() && state.shown.as_ref().unwrap().columns.is_some());
    context.device.destroy();
    assert!(context.is_lost());
    let effects = state.change_device(Compute::Cpu, "another");
    assert!(matches!(effects[..], [Effect::Log(_), Effect::Project(_)]), "{effects:?}");
    assert!(!state.is_moving() && state.is_busy() && state.shown.as_ref().unwrap().columns.is_none());
    // The old layout is there until the new one comes.
    assert_eq!(state.shown.as_ref().unwrap().scene.positions.len(), 800);

    state.update(Command::StopProjecting);
    let effects = state.change_device(Compute::Cpu, "a third");
    assert!(matches!(effects[..], [Effect::Log(_)]), "what stands still stays: {effects:?}");
}

#[test]
fn after_an_embedding_failed_nothing_moves_and_reheating_begins_anew() {
    let (mut state, effects, _folder) = opened(MethodKind::Tsne, ViewKind::Segments, Dimensions::Two, Compute::Cpu);
    let [Effect::Project(request)] = &effects[..] else { panic!("{effects:?}") };
    let begun = request.begin(true, &tagscape::project::NoObserver).unwrap();
    let serial = request.serial;
    state.finish((serial, Ok(begun.ready)));
    let bounds = state.shown.as_ref().unwrap().scene.bounds;
    // It was reheated while the failure was on its way.
    assert!(matches!(state.update(Command::Reheat)[..], [Effect::Steer(_)]));
    let failed = DescentFrame {
        serial,
        obeyed: Steering::default(),
        iteration: 5,
        planned: 5,
        divergence: None,
        exaggeration: None,
        bounds: Bounds::UNIT,
        positions: None,
        tree: None,
        is_settled: true,
        seconds: 1.0,
        trouble: Some("the GPU stopped answering".to_owned()),
        is_over: true,
    };
    let effects = state.follow(failed);
    assert!(matches!(effects[..], [Effect::Log(_)]), "{effects:?}");
    assert!(!state.is_moving() && state.notices.newest().is_some());
    assert_eq!(state.shown.as_ref().unwrap().scene.bounds, bounds, "the map does not jump");
    assert!(state.update(Command::SetPaused(true)).is_empty() && !state.is_moving());
    assert!(matches!(state.update(Command::Reheat)[..], [Effect::Project(_)]));
    assert!(state.is_busy());
}

#[test]
fn rows_that_do_not_fit_on_the_gpu_are_drawn_by_the_cpu_and_the_user_is_told() {
    for (view, dimensions) in
        [(ViewKind::Segments, Dimensions::Two), (ViewKind::Trajectories, Dimensions::Three), (ViewKind::Density, Dimensions::Two)]
    {
        let (mut state, effects, _folder) = opened(MethodKind::Pca, view, dimensions, Compute::Cpu);
        headless::settle(&mut state, effects).unwrap();
        let mut context = device();
        // 800 rows of 4 bytes.
        context.caps.limits.max_storage_buffer_binding_size = 3000;
        let mut painter = FramePainter::new(&context, FORMAT).unwrap();
        let picture = paint(&context, &mut painter, &mut state).unwrap();
        assert_eq!(painter.economy(), Economy::OnHost);
        let notice = state.notices.newest().unwrap_or_default().to_owned();
        assert!(notice.contains("3000") && notice.contains("CPU"), "{notice}");
        // In the map's own ground, away from panels and words.
        let ground = Theme::Dark.background().0;
        let lit = (100..380).flat_map(|y| (290..350).map(move |x| (y * 640 + x) * 4));
        let lit = lit.filter(|&at| picture[at..at + 3].iter().zip(ground).any(|(&a, b)| a.abs_diff(b) > 40)).count();
        assert!(lit > 100, "{view:?} {dimensions:?}: {lit} pixels");
        state.update(Command::Point { at: Some(glam::vec2(70.0, 200.0)), window_pixels: [0.0; 2] });
        state.update(Command::SetTheme(Theme::Light));
        paint(&context, &mut painter, &mut state).unwrap();
        assert_eq!(context.errors.take(), Vec::<String>::new());
    }
}
