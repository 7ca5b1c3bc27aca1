//! A map as a picture of any size: drawn in tiles, handed on row by row, the same to the bit however it is divided.
//!
//! Marks and splats are drawn by the window's passes, each tile with its own part of the picture ([`crate::render::ViewTarget::as_tile`]); what is egui's is painted
//! over them by `app::raster`. A splat's tones depend on all of its cells: they are gathered tile by tile before the first one is coloured.

use super::error::AppError;
use super::frame::{FramePainter, LaidOut};
use super::headless::{FORMAT, pixels_per_point};
use super::raster::{Raster, Textures};
use super::state::AppState;
use crate::gpu::{GpuContext, readback};
use crate::render::splat::Tones;
use crate::render::{DrawOptions, ViewTarget};
use crate::ui::Chrome;

/// The largest picture's edge in pixels.
pub const LARGEST: u32 = 16_384;

/// How a picture is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiling {
    /// Width and height of a tile in pixels, but for the last ones.
    pub tile: [u32; 2],
}

impl Tiling {
    /// What every device has room for: a splat that counts classes has up to 84 bytes a pixel, a row of tiles of the largest picture 64 MiB.
    #[must_use]
    pub fn for_device(context: &GpuContext) -> Self {
        let limit = context.device.limits().max_texture_dimension_2d;
        Self { tile: [1024.min(limit), 1024.min(limit)] }
    }

    /// The rows of tiles of a picture: each tile's corner and size.
    fn rows(self, [width, height]: [u32; 2]) -> Vec<Vec<Tile>> {
        let [across, down] = self.tile.map(|edge| edge.max(1));
        let row = |y: u32| {
            let tile = |x: u32| Tile { origin: [x, y], size: [across.min(width - x), down.min(height - y)] };
            (0..width).step_by(across as usize).map(tile).collect()
        };
        (0..height).step_by(down as usize).map(row).collect()
    }
}

#[derive(Clone, Copy, Debug)]
struct Tile {
    origin: [u32; 2],
    size: [u32; 2],
}

/// Takes rows of opaque RGBA from top to bottom, and how much of the work is done, 0 to 1; the rows may be none. An error ends the drawing.
pub type Sink<'a> = dyn FnMut(&[u8], f64) -> Result<(), AppError> + 'a;

/// Draws a state's map and returns how many segments are on it.
///
/// # Errors
/// What the GPU or `sink` failed of; [`AppError::Stopped`] where `sink` says so.
pub fn draw(context: &GpuContext, state: &mut AppState, size: [u32; 2], tiling: Tiling, sink: &mut Sink<'_>) -> Result<usize, AppError> {
    let mut painter = FramePainter::new(context, FORMAT)?;
    let scale = pixels_per_point(size);
    let raster = lay_out(context, &mut painter, state, size, scale)?;
    let Some(shown) = &state.shown else {
        sink(&vec![0; 4 * size[0] as usize * size[1] as usize], 1.0)?;
        return Ok(0);
    };
    painter.upload_or_keep(context, shown)?;
    let rows = tiling.rows(size);
    let tiles = rows.iter().map(Vec::len).sum::<usize>();
    let is_gathered = tiles > 1 && painter.map.is_splat_of(context, &shown.scene);
    let turns = (tiles * if is_gathered { 2 } else { 1 }) as f64;
    let mut drawing = Drawing { context, painter: &mut painter, state, size, scale, target: None, drawn: 0 };
    let mut done = 0;
    if is_gathered {
        drawing.painter.map.set_tones(Tones::Gathered { is_first: true });
        for &tile in rows.iter().flatten() {
            drawing.encode(tile)?;
            done += 1;
            sink(&[], done as f64 / turns)?;
        }
        drawing.painter.map.set_tones(Tones::Kept);
    }
    let ground = state.choices.theme.background().0;
    let width = size[0] as usize;
    let (mut map, mut pixels) = (Vec::new(), Vec::new());
    for row in &rows {
        let Some(first) = row.first() else { continue };
        let bytes = 4 * width * first.size[1] as usize;
        map.resize(bytes, 0);
        pixels.resize(bytes, 0);
        for &tile in row {
            drawing.draw(tile, &mut map)?;
            done += 1;
            sink(&[], done as f64 / turns)?;
        }
        raster.paint(first.origin[1] as usize, width, ground, &map, &mut pixels);
        sink(&pixels, done as f64 / turns)?;
    }
    Ok(drawing.drawn)
}

/// What egui has to paint.
fn lay_out(context: &GpuContext, painter: &mut FramePainter, state: &mut AppState, size: [u32; 2], scale: f32) -> Result<Raster, AppError> {
    let mut textures = Textures::default();
    let mut shapes = Vec::new();
    // The first frame lays out, which tells the map's size; the second is laid out for it.
    for turn in 0..2 {
        let screen = egui::vec2(size[0] as f32 / scale, size[1] as f32 / scale);
        let mut raw = egui::RawInput {
            screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, screen)),
            time: Some(f64::from(turn)),
            max_texture_side: Some(context.device.limits().max_texture_dimension_2d as usize),
            ..Default::default()
        };
        raw.viewports.entry(egui::ViewportId::ROOT).or_default().native_pixels_per_point = Some(scale);
        let LaidOut { output, .. } = painter.lay_out(context, state, raw, Chrome::MapOnly)?;
        textures.take(&output.textures_delta);
        shapes = output.shapes;
    }
    Ok(Raster::new(painter.egui.tessellate(shapes, scale), textures, painter.picture, scale, size))
}

struct Drawing<'a> {
    context: &'a GpuContext,
    painter: &'a mut FramePainter,
    state: &'a AppState,
    size: [u32; 2],
    scale: f32,
    target: Option<ViewTarget>,
    drawn: usize,
}

impl Drawing<'_> {
    /// Sends a tile's passes off.
    fn encode(&mut self, tile: Tile) -> Result<(), AppError> {
        let Some(shown) = &self.state.shown else { return Ok(()) };
        let dimensions = shown.scene.camera.dimensions;
        let target = match self.target.take() {
            Some(target) if target.size == tile.size && target.dimensions == dimensions => target,
            _ => ViewTarget::new(self.context, tile.size, dimensions)?,
        };
        let target = self.target.insert(target.as_tile(tile.origin, self.size));
        let mut encoder = self.context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("tile") });
        let options = DrawOptions { pixels_per_point: self.scale };
        self.drawn = self.painter.map.encode(self.context, &mut encoder, &shown.scene, target, options)?;
        self.context.queue.submit([encoder.finish()]);
        Ok(())
    }

    /// Draws a tile into its place in a row of tiles.
    fn draw(&mut self, tile: Tile, row: &mut [u8]) -> Result<(), AppError> {
        self.encode(tile)?;
        let Some(target) = &self.target else { return Ok(()) };
        let pixels = readback::read_texture(self.context, &target.color)?;
        let (bytes, across) = (4 * tile.size[0] as usize, 4 * self.size[0] as usize);
        for (place, line) in row.chunks_exact_mut(across).zip(pixels.chunks_exact(bytes)) {
            let start = 4 * tile.origin[0] as usize;
            if let Some(place) = place.get_mut(start..start + bytes) {
                place.copy_from_slice(line);
            }
        }
        Ok(())
    }
}
