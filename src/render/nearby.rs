//! Rows that are drawn one by one although there are too many of them in all: those in view, once the eye is near enough that they are few,
//! and those that are chosen, over a splat of all.

use std::ops::Range;

use glam::Vec3;
use rayon::prelude::*;

use super::gpu_data::{FrameUniform, MapBuffers, NO_TRACK, chosen_of, colors_of};
use super::passes::Layouts;
use crate::catalog::SegmentId;
use crate::gpu::{GpuContext, GpuError, PositionBuffer, StorageBuffer};
use crate::scene::{ClipFromLayout, Scene};

/// Around the picture, in pixels: a disc whose middle is farther out is not seen.
const MARGIN: f32 = 16.0;
/// How much nearer the eye must be than where it sees all of a layout, before so many rows are looked at.
const NEAR: f32 = 2.0;
const ALWAYS_LOOKED_AT: usize = 500_000;
/// Marks give way to a splat at so many times the rows at which they came, so that they do not come and go.
const SLACK: usize = 2;

/// What is drawn one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    /// Nothing.
    Nothing,
    /// All that is in view, in the place of a splat.
    InView,
    /// The chosen rows in view, over the splat.
    Chosen,
}

/// All that the rows in view depend on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct View {
    clip: ClipFromLayout,
    viewport: [f32; 2],
    layout_revision: u64,
    has_lines: bool,
}

/// Which rows of a scene are in view, and the columns of those that are drawn one by one.
#[derive(Debug, Default)]
pub struct Nearby {
    view: Option<View>,
    /// Rows in view, in their order; for lines, also those whose line is.
    rows: Vec<u32>,
    in_view: Option<usize>,
    is_near: bool,
    columns: Option<Columns>,
}

/// Columns of some rows, with a row that is nowhere between two that do not follow one another.
#[derive(Debug)]
struct Columns {
    positions: PositionBuffer,
    colors: StorageBuffer<u32>,
    tracks: StorageBuffer<u32>,
    chosen: StorageBuffer<u32>,
    group: wgpu::BindGroup,
}

/// Rows that are ready to be drawn.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// Their columns.
    pub columns: wgpu::BindGroup,
    /// How many there are in these.
    pub rows: u32,
    /// How many of them are rows of the scene.
    pub marks: usize,
    /// Those of the track that stands out.
    pub focus: Option<Range<u32>>,
}

impl Nearby {
    /// Forgets the rows shown so far.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Segments in view, where they were counted.
    #[must_use]
    pub fn in_view(&self) -> Option<usize> {
        self.in_view
    }

    /// Looks at which rows are in view, and says what is drawn one by one. `most`: as many rows as can be; `is_splat`: whether the scene is
    /// drawn as a splat of colours.
    pub fn look(&mut self, scene: &Scene, buffers: &MapBuffers, frame: &FrameUniform, most: usize, is_splat: bool) -> Marked {
        let rows = scene.positions.len();
        // What moves is at none of these places, or not for long.
        let is_known = !buffers.is_written_elsewhere() && scene.morph.is_none() && rows == buffers.positions.len;
        let aspect = frame.viewport[0] / frame.viewport[1].max(1.0);
        let is_looked_at = is_known && (rows <= ALWAYS_LOOKED_AT || scene.nearness(aspect) >= NEAR);
        if is_looked_at {
            let view = View {
                clip: frame.clip_from_layout(),
                viewport: frame.viewport,
                layout_revision: scene.layout_revision,
                has_lines: scene.view.has_lines(),
            };
            if self.view != Some(view) {
                let (rows, inside) = view.rows(scene);
                (self.view, self.rows, self.in_view) = (Some(view), rows, Some(inside));
            }
        } else {
            (self.view, self.in_view) = (None, None);
            self.rows.clear();
        }
        let limit = if self.is_near { most * SLACK } else { most };
        self.is_near = is_splat && !buffers.is_on_host() && self.in_view.is_some() && self.rows.len() <= limit;
        if self.is_near {
            return Marked::InView;
        }
        let few_chosen = chosen_of(scene).filter(|_| is_known && is_splat).is_some_and(|chosen| chosen.count() <= most);
        if few_chosen { Marked::Chosen } else { Marked::Nothing }
    }

    /// Puts the rows that are drawn one by one in place, with all rows of the track `focus`.
    ///
    /// # Errors
    /// Out of memory.
    pub fn gather(
        &mut self,
        context: &GpuContext,
        layouts: &Layouts,
        scene: &Scene,
        marked: Marked,
        focus: u32,
    ) -> Result<Gathered, GpuError> {
        let own = scene.track_rows.get(focus as usize).map_or(0..0, |track| track.range());
        let chosen = chosen_of(scene);
        let rows: Vec<u32> = match (marked, chosen) {
            (Marked::Chosen, Some(chosen)) => chosen.iter().map(|row| row as u32).collect(),
            (Marked::InView, _) => {
                let before = self.rows.partition_point(|&row| (row as usize) < own.start);
                let behind = self.rows.partition_point(|&row| (row as usize) < own.end);
                let own = own.clone().map(|row| row as u32);
                self.rows[..before].iter().copied().chain(own).chain(self.rows[behind..].iter().copied()).collect()
            }
            _ => Vec::new(),
        };
        let of_rows = colors_of(scene);
        let spaces = if scene.view.has_lines() { rows.len() } else { 0 };
        let mut made = Made::with_capacity(rows.len() + spaces);
        let mut last: Option<(u32, u32)> = None;
        for &row in &rows {
            let track = scene.track_position(SegmentId(row)).map_or(NO_TRACK - 1, |track| track as u32);
            // Lines join rows that follow one another in the columns and are of one track.
            if scene.view.has_lines() && last.is_some_and(|(before, of)| before + 1 != row && of == track) {
                made.push([f32::NAN; 3], 0, NO_TRACK - 1);
            }
            last = Some((row, track));
            let at = row as usize;
            let Some((&position, &color)) = scene.positions.get(at).zip(of_rows.get(at)) else { continue };
            if own.contains(&at) {
                made.focus = Some(made.focus.map_or(made.positions.len()..0, |range| range).start..made.positions.len() + 1);
            }
            if chosen.is_some_and(|chosen| chosen.contains(at)) {
                made.choose();
            }
            made.push(position, color, track);
        }
        self.upload(context, layouts, &made, rows.len())
    }

    fn upload(&mut self, context: &GpuContext, layouts: &Layouts, made: &Made, marks: usize) -> Result<Gathered, GpuError> {
        let rows = made.positions.len();
        let columns = match self.columns.take().filter(|columns| columns.positions.len >= rows) {
            Some(columns) => columns,
            None => {
                let room = rows.next_power_of_two();
                let positions = PositionBuffer::from_positions(context, &vec![[f32::NAN; 3]; room])?;
                let colors = StorageBuffer::zeroed(context, "nearby.colors", room)?;
                let tracks = StorageBuffer::zeroed(context, "nearby.tracks", room)?;
                let chosen = StorageBuffer::zeroed(context, "nearby.chosen", room.div_ceil(32))?;
                let buffers = [&positions.x, &positions.y, &positions.z, colors.buffer(), tracks.buffer(), chosen.buffer()];
                let group = layouts.bind(context, "nearby", &layouts.columns, &buffers);
                Columns { positions, colors, tracks, chosen, group }
            }
        };
        let columns = self.columns.insert(columns);
        columns.positions.write(context, &made.positions)?;
        columns.colors.write(context, 0, &made.colors)?;
        columns.tracks.write(context, 0, &made.tracks)?;
        columns.chosen.write(context, 0, made.chosen.get(..rows.div_ceil(32)).unwrap_or_default())?;
        let focus = made.focus.as_ref().map(|rows| rows.start as u32..rows.end as u32);
        Ok(Gathered { columns: columns.group.clone(), rows: rows as u32, marks, focus })
    }
}

/// Columns on their way.
#[derive(Default)]
struct Made {
    positions: Vec<[f32; 3]>,
    colors: Vec<u32>,
    tracks: Vec<u32>,
    chosen: Vec<u32>,
    focus: Option<Range<usize>>,
}

impl Made {
    fn with_capacity(rows: usize) -> Self {
        Self {
            positions: Vec::with_capacity(rows),
            colors: Vec::with_capacity(rows),
            tracks: Vec::with_capacity(rows),
            chosen: vec![0; rows.div_ceil(32)],
            focus: None,
        }
    }

    /// The next row is chosen.
    fn choose(&mut self) {
        let at = self.positions.len();
        if let Some(word) = self.chosen.get_mut(at / 32) {
            *word |= 1 << (at % 32);
        }
    }

    fn push(&mut self, position: [f32; 3], color: u32, track: u32) {
        self.positions.push(position);
        self.colors.push(color);
        self.tracks.push(track);
    }
}

impl View {
    /// The rows that can be seen, for lines also those whose line to the next or from the one before can be, and how many are in view themselves.
    fn rows(&self, scene: &Scene) -> (Vec<u32>, usize) {
        const RUN: usize = 1 << 14;
        let positions = &scene.positions;
        let place = |row: usize| positions.get(row).and_then(|&position| self.place(position));
        let runs: Vec<(Vec<u32>, usize)> = (0..positions.len().div_ceil(RUN))
            .into_par_iter()
            .map(|run| {
                let range = run * RUN..((run + 1) * RUN).min(positions.len());
                let (mut found, mut inside) = (Vec::new(), 0);
                let mut before = range.start.checked_sub(1).filter(|_| self.has_lines).and_then(place);
                let mut here = place(range.start);
                for row in range {
                    let next = if self.has_lines || row + 1 < (run + 1) * RUN { place(row + 1) } else { None };
                    let is_inside = here.is_some_and(|here| self.is_seen(here, here));
                    inside += usize::from(is_inside);
                    // Whether the other end is of the same track is found out when it is drawn.
                    let crosses = |other: Option<[f32; 2]>| here.zip(other).is_some_and(|(here, other)| self.is_seen(here, other));
                    if is_inside || self.has_lines && (crosses(before) || crosses(next)) {
                        found.push(row as u32);
                    }
                    (before, here) = (here, next);
                }
                (found, inside)
            })
            .collect();
        let inside = runs.iter().map(|(_, inside)| inside).sum();
        (runs.into_iter().flat_map(|(rows, _)| rows).collect(), inside)
    }

    /// Where a position is in pixels; `None` behind the eye or where it is no number.
    #[inline]
    fn place(&self, position: [f32; 3]) -> Option<[f32; 2]> {
        let clip = self.clip.clip_of(Vec3::from(position));
        let [width, height] = self.viewport;
        let at = [(clip.x / clip.w * 0.5 + 0.5) * width, (0.5 - clip.y / clip.w * 0.5) * height];
        (clip.w > 1e-5 && clip.z >= 0.0 && clip.z <= clip.w && at.iter().all(|at| at.is_finite())).then_some(at)
    }

    /// Whether the box around two places touches the picture.
    #[inline]
    fn is_seen(&self, one: [f32; 2], other: [f32; 2]) -> bool {
        (0..2).all(|axis| one[axis].max(other[axis]) >= -MARGIN && one[axis].min(other[axis]) < self.viewport[axis] + MARGIN)
    }
}
