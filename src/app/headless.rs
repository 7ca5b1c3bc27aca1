//! Pictures without a window: the same frame, into a texture, into a PNG.

use std::path::Path;

use super::error::AppError;
use super::frame::{FrameInput, FramePainter};
use super::png_file::PngFile;
use super::state::{AppState, Effect};
use super::tiles::{self, Tiling};
use crate::gpu::{GpuContext, readback};
use crate::project::NoObserver;
use crate::ui::Chrome;

/// What egui and a picture file agree on: sRGB numbers, not converted.
pub(super) const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

/// A finished picture: opaque RGBA, 8 bits, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// `size[0] * size[1] * 4` bytes.
    pub rgba: Vec<u8>,
    /// Segments drawn.
    pub drawn: usize,
}

/// Does the projections and searches, finds the names and makes the colours that a state waits for, on this thread.
///
/// # Errors
/// What one of them failed of.
pub fn settle(state: &mut AppState, effects: Vec<Effect>) -> Result<(), AppError> {
    let mut waiting = effects;
    while let Some(effect) = waiting.pop() {
        match effect {
            Effect::Project(request) => {
                let layout = request.run(&NoObserver)?;
                waiting.extend(state.finish((request.serial, Ok(layout))));
            }
            Effect::Search(request) => waiting.extend(state.finish_search(request.run())),
            Effect::Label(request) => {
                let labels = request.run(&|| true)?;
                waiting.extend(state.finish_labels((request.serial, Ok(labels))));
            }
            Effect::Color(request) => {
                let coloring = request.run(&NoObserver)?;
                waiting.extend(state.finish_coloring((request.serial, Ok(coloring))));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Pixels in a UI point for a picture of this size: words keep their proportion to the map on a large one.
#[must_use]
pub fn pixels_per_point(size: [u32; 2]) -> f32 {
    (size[0].min(size[1]) as f32 / 800.0).clamp(1.0, 16.0)
}

/// Draws the state's map, in tiles where it is large, or the whole window, as a picture.
///
/// # Errors
/// What the GPU failed of, a size beyond its limit among it.
pub fn draw(context: &GpuContext, state: &mut AppState, size: [u32; 2], chrome: Chrome) -> Result<Picture, AppError> {
    if chrome == Chrome::MapOnly {
        let mut rgba = Vec::new();
        let drawn = tiles::draw(context, state, size, Tiling::for_device(context), &mut |rows, _| {
            rgba.extend_from_slice(rows);
            Ok(())
        })?;
        return Ok(Picture { size, rgba, drawn });
    }
    let mut painter = FramePainter::new(context, FORMAT)?;
    let texture = context.scoped("the picture", || {
        context.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("picture"),
            size: wgpu::Extent3d { width: size[0], height: size[1], depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: FORMAT,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        })
    })?;
    let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
    let scale = pixels_per_point(size);
    let mut drawn = 0;
    // The first frame lays out, which tells the map's size; the second is drawn for it.
    for turn in 0..2 {
        let mut raw = egui::RawInput {
            screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(size[0] as f32 / scale, size[1] as f32 / scale))),
            time: Some(f64::from(turn)),
            max_texture_side: Some(context.device.limits().max_texture_dimension_2d as usize),
            ..Default::default()
        };
        raw.viewports.entry(egui::ViewportId::ROOT).or_default().native_pixels_per_point = Some(scale);
        drawn = painter.frame(context, state, FrameInput { raw, size_pixels: size, chrome }, &view)?.drawn;
    }
    Ok(Picture { size, rgba: readback::read_texture(context, &texture)?, drawn })
}

impl Picture {
    /// Writes a PNG; a picture that cannot be written whole leaves nothing behind.
    ///
    /// # Errors
    /// [`AppError::Write`], [`AppError::Picture`].
    pub fn write_png(&self, path: &Path) -> Result<(), AppError> {
        let mut file = PngFile::create(path, self.size)?;
        file.write(&self.rgba)?;
        file.finish()
    }
}
