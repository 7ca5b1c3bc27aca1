//! egui's triangles on the CPU, for pictures: exact, so that a pixel is the same in whatever piece of the picture it is painted.
//!
//! A GPU interpolates from where a piece begins, and rounds by it; of two pieces, seams may differ in the last bit, and so may two adapters. Here each
//! pixel is a function of the triangle and of its place in the whole picture alone: corners are brought to 1/256 of a pixel, as GPUs do, and
//! what is inside follows from whole numbers (Pineda, "A parallel algorithm for polygon rasterization", 1988).

use std::collections::HashMap;

use egui::epaint::{ClippedPrimitive, ImageData, Mesh, Primitive, Vertex};
use egui::{Color32, ColorImage, TextureId, TexturesDelta};
use rayon::prelude::*;

/// Steps of a pixel that corners are brought to.
const STEPS: i64 = 256;
/// Corners farther out, in pixels, are brought in: no product of whole numbers may overflow.
const FARTHEST: f32 = 1_000_000.0;

/// What egui laid out for a picture, ready to be painted in pieces of any height.
pub(super) struct Raster {
    textures: Textures,
    layers: Vec<Layer>,
    /// The texture that stands for the map's own picture.
    map: TextureId,
}

/// egui's own textures: its letters.
#[derive(Default)]
pub(super) struct Textures(HashMap<TextureId, ColorImage>);

/// A mesh within its clipping rectangle.
struct Layer {
    texture: TextureId,
    /// Left, top, right and bottom in pixels.
    clip: [usize; 4],
    triangles: Vec<Triangle>,
}

struct Triangle {
    /// In steps of a pixel, counterclockwise.
    corners: [[i64; 2]; 3],
    uv: [[f32; 2]; 3],
    /// Premultiplied sRGB, 0 to 255.
    colors: [[f32; 4]; 3],
    rows: [usize; 2],
    is_flat: bool,
}

impl Textures {
    /// Takes what a frame changed.
    pub(super) fn take(&mut self, delta: &TexturesDelta) {
        for (id, changes) in &delta.set {
            for change in changes {
                let ImageData::Color(image) = &change.image;
                match change.pos {
                    None => drop(self.0.insert(*id, ColorImage::clone(image))),
                    Some(at) => {
                        if let Some(whole) = self.0.get_mut(id) {
                            patch(whole, image, at);
                        }
                    }
                }
            }
        }
    }
}

fn patch(whole: &mut ColorImage, part: &ColorImage, [left, top]: [usize; 2]) {
    let (width, across) = (part.size[0], whole.size[0]);
    for (y, row) in part.pixels.chunks_exact(width.max(1)).enumerate() {
        let start = (top + y) * across + left;
        if let Some(place) = whole.pixels.get_mut(start..start + width) {
            place.copy_from_slice(row);
        }
    }
}

impl Raster {
    /// Of tessellated shapes, for a picture of `size` pixels in which `map` stands for the map's picture.
    pub(super) fn new(shapes: Vec<ClippedPrimitive>, textures: Textures, map: TextureId, pixels_per_point: f32, size: [u32; 2]) -> Self {
        let layers = shapes.into_iter().filter_map(|shape| {
            let edge = |at: f32, most: u32| (at * pixels_per_point).round().clamp(0.0, most as f32) as usize;
            let rect = shape.clip_rect;
            let clip = [edge(rect.min.x, size[0]), edge(rect.min.y, size[1]), edge(rect.max.x, size[0]), edge(rect.max.y, size[1])];
            match shape.primitive {
                Primitive::Mesh(mesh) => {
                    Some(Layer { texture: mesh.texture_id, clip, triangles: triangles(&mesh, pixels_per_point, size) })
                }
                // tagscape's widgets have none.
                Primitive::Callback(_) => None,
            }
        });
        Self { layers: layers.collect(), textures, map }
    }

    /// Paints the rows from `top` on into `pixels`, over `ground`: opaque RGBA of a picture `width` pixels wide; `map` is premultiplied and lies
    /// under the same pixels.
    pub(super) fn paint(&self, top: usize, width: usize, ground: [u8; 3], map: &[u8], pixels: &mut [u8]) {
        let [r, g, b] = ground;
        let bytes = (4 * width).max(4);
        pixels.par_chunks_mut(bytes).zip(map.par_chunks(bytes)).enumerate().for_each(|(row, (pixels, map))| {
            pixels.chunks_exact_mut(4).for_each(|pixel| pixel.copy_from_slice(&[r, g, b, 255]));
            for layer in &self.layers {
                self.paint_row(layer, top + row, map, pixels);
            }
        });
    }

    fn paint_row(&self, layer: &Layer, y: usize, map: &[u8], pixels: &mut [u8]) {
        let [left, first, right, end] = layer.clip;
        if !(first..end).contains(&y) {
            return;
        }
        let image = self.textures.0.get(&layer.texture);
        for triangle in &layer.triangles {
            if !(triangle.rows[0]..triangle.rows[1]).contains(&y) {
                continue;
            }
            let Some(span) = triangle.span(y, left, right) else { continue };
            if layer.texture == self.map {
                let range = 4 * span.start..4 * span.end;
                let (Some(pixels), Some(map)) = (pixels.get_mut(range.clone()), map.get(range)) else { continue };
                for (pixel, color) in pixels.chunks_exact_mut(4).zip(map.chunks_exact(4)) {
                    if color[3] > 0 {
                        blend(pixel, [color[0], color[1], color[2], color[3]].map(f32::from));
                    }
                }
                continue;
            }
            let Some(image) = image else { continue };
            let start = span.start;
            let Some(pixels) = pixels.get_mut(4 * span.start..4 * span.end) else { continue };
            if triangle.is_flat {
                let color = times(triangle.colors[0], sample(image, triangle.uv[0]));
                pixels.chunks_exact_mut(4).for_each(|pixel| blend(pixel, color));
            } else {
                for (x, pixel) in (start..).zip(pixels.chunks_exact_mut(4)) {
                    let shares = triangle.shares(x, y);
                    let uv = std::array::from_fn(|at| mixed(shares, [0, 1, 2].map(|corner| triangle.uv[corner][at])));
                    let color = std::array::from_fn(|at| mixed(shares, [0, 1, 2].map(|corner| triangle.colors[corner][at])));
                    blend(pixel, times(color, sample(image, uv)));
                }
            }
        }
    }
}

fn triangles(mesh: &Mesh, pixels_per_point: f32, size: [u32; 2]) -> Vec<Triangle> {
    let corner = |index: &u32| mesh.vertices.get(*index as usize);
    let whole = mesh.indices.chunks_exact(3).filter_map(|three| match three {
        [a, b, c] => Some([corner(a)?, corner(b)?, corner(c)?]),
        _ => None,
    });
    whole.filter_map(|corners| Triangle::new(corners, pixels_per_point, size)).collect()
}

/// Twice the area of the triangle that two corners make with a point.
fn side([ax, ay]: [i64; 2], [bx, by]: [i64; 2], [x, y]: [i64; 2]) -> i64 {
    (bx - ax) * (y - ay) - (by - ay) * (x - ax)
}

impl Triangle {
    fn new(vertices: [&Vertex; 3], pixels_per_point: f32, size: [u32; 2]) -> Option<Self> {
        let step = |at: f32| ((at * pixels_per_point).clamp(-FARTHEST, FARTHEST) * STEPS as f32).round() as i64;
        let mut vertices = vertices;
        let place = |vertex: &Vertex| [step(vertex.pos.x), step(vertex.pos.y)];
        let area = side(place(vertices[0]), place(vertices[1]), place(vertices[2]));
        if area == 0 {
            return None;
        }
        if area < 0 {
            vertices.swap(1, 2);
        }
        let corners = vertices.map(place);
        let ys = corners.map(|[_, y]| y);
        let (low, high) = (ys[0].min(ys[1]).min(ys[2]), ys[0].max(ys[1]).max(ys[2]));
        let row = |y: i64| (y.div_euclid(STEPS)).clamp(0, i64::from(size[1])) as usize;
        let is_flat = vertices.iter().all(|vertex| vertex.color == vertices[0].color && vertex.uv == vertices[0].uv);
        Some(Self {
            corners,
            uv: vertices.map(|vertex| [vertex.uv.x, vertex.uv.y]),
            colors: vertices.map(|vertex| vertex.color.to_array().map(f32::from)),
            rows: [row(low), row(high + STEPS)],
            is_flat,
        })
    }

    /// Pixels of a row whose middles are inside; on an edge, those that are right of it or below it.
    fn span(&self, y: usize, left: usize, right: usize) -> Option<std::ops::Range<usize>> {
        let y = y as i64 * STEPS + STEPS / 2;
        let (mut from, mut to) = (left as i64, right as i64);
        for edge in 0..3 {
            let (a, b) = (self.corners[edge], self.corners[(edge + 1) % 3]);
            let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
            // Left edges go up, top ones to the right, seen with y down and the inside on the side that is positive.
            let is_own = dy < 0 || (dy == 0 && dx > 0);
            let least = i64::from(!is_own);
            // side = at_zero - dy * x for x in steps; inside where it is at least `least`.
            let at_zero = dx * (y - a[1]) + dy * a[0];
            let room = at_zero - least;
            let middle = STEPS / 2;
            match dy.signum() {
                0 if room < 0 => return None,
                0 => {}
                // x <= room / dy
                1 => to = to.min((room.div_euclid(dy) - middle).div_euclid(STEPS) + 1),
                // x >= room / dy, dy below 0
                _ => {
                    let bound = -(room.div_euclid(-dy));
                    from = from.max(-(-(bound - middle)).div_euclid(STEPS));
                }
            }
        }
        (from < to).then(|| from.max(0) as usize..to.max(0) as usize)
    }

    /// What of each corner there is in a pixel.
    fn shares(&self, x: usize, y: usize) -> [f32; 3] {
        let at = [x, y].map(|at| at as i64 * STEPS + STEPS / 2);
        let [a, b, c] = self.corners;
        let whole = side(a, b, c) as f64;
        [side(b, c, at), side(c, a, at), side(a, b, at)].map(|part| (part as f64 / whole) as f32)
    }
}

fn mixed(shares: [f32; 3], values: [f32; 3]) -> f32 {
    shares[0] * values[0] + shares[1] * values[1] + shares[2] * values[2]
}

fn times(color: [f32; 4], texel: [f32; 4]) -> [f32; 4] {
    std::array::from_fn(|at| color[at] * texel[at] * (1.0 / 255.0))
}

/// Between the four texels around a place, 0 to 255.
fn sample(image: &ColorImage, [u, v]: [f32; 2]) -> [f32; 4] {
    let [width, height] = image.size;
    let place = |at: f32, edge: usize| (at * edge as f32 - 0.5).clamp(0.0, (edge.max(1) - 1) as f32);
    let (x, y) = (place(u, width), place(v, height));
    let texel = |x: usize, y: usize| {
        let at = y.min(height.saturating_sub(1)) * width + x.min(width.saturating_sub(1));
        image.pixels.get(at).copied().unwrap_or(Color32::TRANSPARENT).to_array().map(f32::from)
    };
    let (left, top) = (x as usize, y as usize);
    let between = |a: [f32; 4], b: [f32; 4], part: f32| -> [f32; 4] { std::array::from_fn(|at| a[at] + (b[at] - a[at]) * part) };
    let above = between(texel(left, top), texel(left + 1, top), x.fract());
    let below = between(texel(left, top + 1), texel(left + 1, top + 1), x.fract());
    between(above, below, y.fract())
}

/// Lays a premultiplied colour, 0 to 255, over a pixel.
#[inline]
fn blend(pixel: &mut [u8], color: [f32; 4]) {
    let rest = 1.0 - color[3] * (1.0 / 255.0);
    for (own, over) in pixel.iter_mut().zip(color) {
        *own = (over + f32::from(*own) * rest + 0.5) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raster(mesh: Mesh, size: [u32; 2]) -> Raster {
        let clip_rect = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(size[0] as f32, size[1] as f32));
        let mut textures = Textures::default();
        textures.0.insert(TextureId::default(), ColorImage::filled([1, 1], Color32::WHITE));
        let shape = ClippedPrimitive { clip_rect, primitive: Primitive::Mesh(mesh) };
        Raster::new(vec![shape], textures, TextureId::User(9), 1.0, size)
    }

    fn painted(raster: &Raster, [width, height]: [usize; 2], rows: usize) -> Vec<u8> {
        let mut pixels = vec![7; width * height * 4];
        let map = vec![0; width * height * 4];
        for (piece, top) in pixels.chunks_mut(width * rows * 4).zip((0..height).step_by(rows)) {
            raster.paint(top, width, [0, 0, 0], &map[..piece.len()], piece);
        }
        pixels
    }

    #[test]
    fn triangles_that_share_edges_cover_each_pixel_once() {
        // A fan around a point that is on no pixel's middle, and another around one that is.
        for centre in [[7.3, 5.9], [7.5, 5.5]] {
            let mut mesh = Mesh::default();
            let around = [[0.0, 0.0], [16.0, 0.0], [16.0, 5.5], [16.0, 12.0], [4.5, 12.0], [0.0, 12.0]];
            let half = Color32::from_rgba_premultiplied(0, 0, 0, 128);
            for [x, y] in std::iter::once(centre).chain(around) {
                mesh.colored_vertex(egui::pos2(x, y), half);
            }
            for at in 0..6 {
                mesh.add_triangle(0, 1 + at, 1 + (at + 1) % 6);
            }
            let mut white = Mesh::default();
            white.add_colored_rect(egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(16.0, 12.0)), Color32::WHITE);
            white.append(mesh);
            let pixels = painted(&raster(white, [16, 12]), [16, 12], 12);
            assert!(pixels.chunks_exact(4).all(|pixel| pixel == [127, 127, 127, 255]), "{centre:?}: {pixels:?}");
        }
    }

    #[test]
    fn pieces_are_the_same_as_the_whole() {
        let mut mesh = Mesh::default();
        for (at, color) in [([-3.0, 1.2], Color32::RED), ([30.7, 3.1], Color32::GREEN), ([9.9, 25.0], Color32::from_black_alpha(40))] {
            mesh.colored_vertex(egui::pos2(at[0], at[1]), color);
        }
        mesh.add_triangle(0, 1, 2);
        let raster = raster(mesh, [24, 20]);
        let whole = painted(&raster, [24, 20], 20);
        assert!(whole.chunks_exact(4).filter(|pixel| pixel[..3] != [0, 0, 0]).count() > 150);
        for rows in [1, 3, 7] {
            assert!(painted(&raster, [24, 20], rows) == whole, "{rows} rows at a time");
        }
    }
}
