//! A trial of drawing: frames of a made-up scene, measured one by one.

use std::sync::Arc;
use std::time::Instant;

use glam::{DVec3, Vec3};

use super::error::AppError;
use crate::catalog::{TrackId, TrackRows};
use crate::gpu::{GpuContext, PositionBuffer};
use crate::render::{DrawOptions, MapBuffers, MapRenderer, SplatEngine, ViewTarget};
use crate::scene::coloring::{Classes, Values};
use crate::scene::{AxisScale, Bounds, Coloring, Dimensions, Scene, ViewKind};
use crate::seed::SplitMix64;

/// Half the edge of the box that is seen, in deviations of the points.
const REACH: f32 = 4.0;
/// Segments of a track, as many as a track of four minutes has.
const TRACK_ROWS: usize = 81;
/// Frames that are drawn first and not measured: pipelines are compiled in them, and memory is touched.
const WARM_UP: usize = 3;

/// What is drawn, and how often.
#[derive(Clone, Copy, Debug)]
pub struct DrawingTrial {
    /// Points.
    pub points: usize,
    /// How they are drawn.
    pub view: ViewKind,
    /// Plane or space.
    pub dimensions: Dimensions,
    /// Width and height of the picture in pixels.
    pub size: [u32; 2],
    /// Frames to measure.
    pub frames: usize,
    /// What splats are made on.
    pub engine: SplatEngine,
    /// Classes that the tracks are of, in turn; `None`: each track is one of its own.
    pub classes: Option<usize>,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct DrawingTimes {
    /// Points that are in the last frame, read back from it where it is a splat.
    pub points_drawn: usize,
    /// Time to bring the points to the GPU, in milliseconds.
    pub upload_ms: f64,
    /// Each frame's time in milliseconds, from the new camera to the GPU's completion.
    pub frames_ms: Vec<f64>,
    /// Each pass's mean time in milliseconds, by name, in order.
    pub passes_ms: Vec<(&'static str, f64)>,
}

/// Points of a unit normal distribution (seed 0), as tracks, seen from -4 to 4 along the shorter edge.
#[must_use]
pub fn normal_scene(points: usize, dimensions: Dimensions, view: ViewKind, aspect: f32) -> Scene {
    let mut seed = SplitMix64::new(0);
    let is_space = dimensions == Dimensions::Three;
    let positions: Arc<[[f32; 3]]> = (0..points)
        .map(|_| [seed.next_normal(), seed.next_normal(), if is_space { seed.next_normal() } else { 0.0 }])
        .collect::<Vec<_>>()
        .into();
    let tracks: Vec<TrackRows> = (1..)
        .zip((0..points).step_by(TRACK_ROWS))
        .map(|(track, first_row)| TrackRows { track: TrackId(track), first_row, row_count: TRACK_ROWS.min(points - first_row) })
        .collect();
    let mut scene = Scene::new(positions, tracks.into(), Vec::new(), AxisScale::Uniform, dimensions, aspect);
    scene.view = view;
    scene.bounds = Bounds { min: Vec3::splat(-REACH), max: Vec3::splat(REACH) };
    scene.fit(aspect);
    if dimensions == Dimensions::Two {
        // Without the margin that a window leaves.
        scene.camera.half_height = 1.0 / aspect.min(1.0);
    }
    scene
}

impl DrawingTrial {
    /// Draws and measures. Every frame has a new camera, clears, draws all points and is waited for.
    ///
    /// # Errors
    /// What the device failed of.
    pub fn run(&self, context: &GpuContext) -> Result<DrawingTimes, AppError> {
        let aspect = self.size[0] as f32 / self.size[1] as f32;
        let mut scene = normal_scene(self.points, self.dimensions, self.view, aspect);
        if let Some(classes) = self.classes {
            let of: Vec<i64> = (0..self.points).map(|row| (row / TRACK_ROWS % classes.max(1)) as i64).collect();
            scene.color_by(Arc::new(Coloring { title: "Class".to_owned(), values: Values::Classes(Classes::of_rows(&of)) }));
        }
        let fitted = scene.camera;
        let mut renderer = MapRenderer::new(context)?;
        renderer.set_engine(self.engine);
        renderer.measure(context)?;
        let target = ViewTarget::new(context, self.size, self.dimensions)?;
        let started = Instant::now();
        let positions = PositionBuffer::from_positions(context, &scene.positions)?;
        renderer.show(context, MapBuffers::new(context, &scene, positions)?);
        context.queue.submit([]);
        context.wait("uploading")?;
        let mut times = DrawingTimes { upload_ms: ms_since(started), ..DrawingTimes::default() };
        for frame in 0..WARM_UP + self.frames {
            let started = Instant::now();
            // A small circle around the middle, a full turn in a hundred frames.
            let angle = frame as f32 * 0.063;
            scene.camera = fitted;
            scene.camera.target += DVec3::new(f64::from(angle.sin()), f64::from(angle.cos()), 0.0) * 0.01;
            scene.camera.azimuth += angle;
            let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("trial") });
            times.points_drawn = renderer.encode(context, &mut encoder, &scene, &target, DrawOptions { pixels_per_point: 1.0 })?;
            context.queue.submit([encoder.finish()]);
            context.wait("drawing")?;
            if frame >= WARM_UP {
                times.frames_ms.push(ms_since(started));
                add(&mut times.passes_ms, &renderer.passes_ms(context)?, self.frames);
            }
        }
        times.points_drawn = renderer.splatted(context)?.unwrap_or(times.points_drawn);
        Ok(times)
    }
}

/// Adds a frame's passes to the means of all.
fn add(means: &mut Vec<(&'static str, f64)>, passes: &[(&'static str, f64)], frames: usize) {
    for &(name, ms) in passes {
        let share = ms / frames as f64;
        match means.iter_mut().find(|(known, _)| *known == name) {
            Some((_, mean)) => *mean += share,
            None => means.push((name, share)),
        }
    }
}

fn ms_since(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e3
}
