//! Where the window's widgets are, by their names: the same panels laid out in this process, and asked by way of their accessibility tree.

use egui::accesskit::Node;
use tagscape::app::frame::{FrameInput, FramePainter};
use tagscape::app::state::AppState;
use tagscape::ui::Chrome;

use super::gpu::gpu;

const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

/// The middle of each named widget of a window of this size whose left panel is scrolled to its end, in UI points.
pub fn at_the_panels_end(state: &mut AppState, size: [u32; 2], names: &[&str]) -> Vec<[f64; 2]> {
    places(state, size, names, 10)
}

/// The middle of each named widget of a window of this size as it opens, in UI points.
pub fn as_it_opens(state: &mut AppState, size: [u32; 2], names: &[&str]) -> Vec<[f64; 2]> {
    places(state, size, names, 0)
}

/// The same after so many turns of the wheel over the left panel.
fn places(state: &mut AppState, size: [u32; 2], names: &[&str], turns: u32) -> Vec<[f64; 2]> {
    let context = gpu();
    let mut painter = FramePainter::new(context, FORMAT).unwrap();
    painter.egui.enable_accesskit();
    let texture = context.device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size: wgpu::Extent3d { width: size[0], height: size[1], depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: FORMAT,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
        view_formats: &[],
    });
    let view = texture.create_view(&Default::default());
    let mut places = vec![None; names.len()];
    // The wheel first, over the panel; then time for it to glide there.
    for turn in 0..40_u32 {
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(size[0] as f32, size[1] as f32));
        let mut raw = egui::RawInput { screen_rect: Some(screen), time: Some(f64::from(turn) * 0.1), ..Default::default() };
        raw.events.push(egui::Event::PointerMoved(egui::pos2(100.0, 500.0)));
        if turn < turns {
            let delta = egui::vec2(0.0, -2_000.0);
            let (unit, phase, source) = (egui::MouseWheelUnit::Point, egui::TouchPhase::Move, egui::MouseWheelSource::Wheel);
            raw.events.push(egui::Event::MouseWheel { unit, delta, phase, source, modifiers: egui::Modifiers::NONE });
        }
        let output = painter.frame(context, state, FrameInput { raw, size_pixels: size, chrome: Chrome::Panels }, &view).unwrap();
        let Some(update) = output.platform.accesskit_update else { continue };
        let named = |node: &Node, name: &str| node.label() == Some(name) || node.value() == Some(name);
        for (place, name) in places.iter_mut().zip(names) {
            let bounds = update.nodes.iter().find(|(_, node)| named(node, name)).and_then(|(_, node)| node.bounds());
            *place = bounds.map(|bounds| [0.5 * (bounds.x0 + bounds.x1), 0.5 * (bounds.y0 + bounds.y1)]).or(*place);
        }
    }
    names.iter().zip(places).map(|(name, place)| place.unwrap_or_else(|| panic!("no widget is named '{name}'"))).collect()
}

/// All words of a window of this size that assistive technology is told, once it has come to rest.
pub fn words(state: &mut AppState, size: [u32; 2]) -> Vec<String> {
    let context = gpu();
    let mut painter = FramePainter::new(context, FORMAT).unwrap();
    painter.egui.enable_accesskit();
    let texture = context.device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size: wgpu::Extent3d { width: size[0], height: size[1], depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: FORMAT,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
        view_formats: &[],
    });
    let view = texture.create_view(&Default::default());
    let mut words = Vec::new();
    for turn in 0..6_u32 {
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(size[0] as f32, size[1] as f32));
        let raw = egui::RawInput { screen_rect: Some(screen), time: Some(f64::from(turn) * 0.5), ..Default::default() };
        let output = painter.frame(context, state, FrameInput { raw, size_pixels: size, chrome: Chrome::Panels }, &view).unwrap();
        let Some(update) = output.platform.accesskit_update else { continue };
        words = update.nodes.iter().flat_map(|(_, node)| [node.label(), node.value()]).flatten().map(str::to_owned).collect();
    }
    words
}
