//! The kernel that finds the rows of a region beside plain loops in f64 and the CPU engine.

use glam::{DVec3, Vec2, Vec3};
use tagscape::render::gpu_data::FrameUniform;
use tagscape::render::select::kernels::{INSIDE, SelectParams, WORKGROUP};
use tagscape::scene::{AxisScale, Dimensions, MapSize, Region, Scene};
use tagscape::seed::SplitMix64;

use super::splat::{bits, run, same};
use super::tsne::Check;

pub const CHECKS: &[Check] = &[Check { kernel: &INSIDE, compare: inside }];

const MAP: MapSize = MapSize { width: 37.25, height: 29.0 };

/// Whether a point is inside of a closed polygon: a ray to the right meets its edges an odd number of times.
fn is_inside(outline: &[Vec2], x: f64, y: f64) -> bool {
    let corner = |at: usize| outline[at % outline.len()].as_dvec2();
    let crosses = |at: &usize| {
        let (a, b) = (corner(*at), corner(at + 1));
        (a.y > y) != (b.y > y) && x < (b.x - a.x) * (y - a.y) / (b.y - a.y) + a.x
    };
    (0..outline.len()).filter(crosses).count() % 2 == 1
}

fn frame_of(scene: &Scene, region: &Region) -> FrameUniform {
    let clip = scene.clip_from_layout(region.map.aspect());
    FrameUniform {
        clip_from_anchor: clip.matrix.to_cols_array_2d(),
        anchor: clip.anchor.to_array(),
        viewport: region.extent,
        row_count: scene.positions.len() as u32,
        ..bytemuck::Zeroable::zeroed()
    }
}

fn on_gpu(scene: &Scene, region: &Region) -> Vec<u32> {
    let rows = scene.positions.len();
    let params = SelectParams { width: region.size[0], ..SelectParams::default() };
    let axis = |axis: usize| bits(scene.positions.iter().map(|position| position[axis]));
    // The kernel reads no colours, tracks or chosen rows; what it writes was something else before.
    let data = [axis(0), axis(1), axis(2), vec![0], vec![0], vec![0], region.words.clone(), vec![0xdead_beef; rows.div_ceil(32)]];
    let frame = frame_of(scene, region);
    run(&INSIDE, [bytemuck::bytes_of(&frame), bytemuck::bytes_of(&params)], &data, rows.div_ceil(WORKGROUP)).remove(0)
}

/// A cell in f64, where the row is seen; `None` too near to a cell's border for f32 to tell the side.
fn cell(scene: &Scene, region: &Region, position: [f32; 3]) -> Option<Option<[f64; 2]>> {
    let frame = frame_of(scene, region);
    let from_anchor = Vec3::from(position).as_dvec3() - DVec3::from(Vec3::from(frame.anchor));
    let clip: [f64; 4] = std::array::from_fn(|line| {
        let of = |column: usize| f64::from(frame.clip_from_anchor[column][line]);
        of(0) * from_anchor.x + of(1) * from_anchor.y + of(2) * from_anchor.z + of(3)
    });
    let [x, y, z, w] = clip;
    let at = [(x / w * 0.5 + 0.5) * f64::from(region.extent[0]), (y / w * -0.5 + 0.5) * f64::from(region.extent[1])];
    let is_clear = at.iter().all(|at| !at.is_finite() || (at - at.round()).abs() > 1e-3);
    let is_seen = w > 1e-5 && z >= 0.0 && z <= w;
    let is_on_map = (0..2).all(|axis| at[axis] >= 0.0 && at[axis] < f64::from(region.extent[axis]));
    is_clear.then_some((is_seen && is_on_map).then_some(at.map(f64::floor)))
}

/// The same bits from the shader, the CPU's threads, and a ray through the outline for each row.
fn inside(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let mut seed = SplitMix64::new((rows * 3 + dims) as u64);
    let dimensions = if dims == 3 { Dimensions::Three } else { Dimensions::Two };
    let corners = [[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]];
    let mut scene = Scene::new(corners.into(), [].into(), vec![], AxisScale::Uniform, dimensions, MAP.aspect());
    scene.camera.half_height *= 0.6;
    // Off the middle, where a made-up row lies on the border of cells.
    scene.camera.target = DVec3::new(0.11, -0.07, 0.03);
    // A lasso that crosses itself and leaves the map, and a rectangle.
    let lasso: Vec<Vec2> = (0..9).map(|_| Vec2::new(seed.next_f32() * 45.0 - 4.0, seed.next_f32() * 36.0 - 4.0)).collect();
    let rectangle = [Vec2::new(8.3, 6.1), Vec2::new(30.2, 6.1), Vec2::new(30.2, 20.9), Vec2::new(8.3, 20.9)].to_vec();
    for outline in [lasso, rectangle] {
        let region = Region::inside(&outline, MAP);
        let (mut positions, mut expected) = (Vec::new(), vec![0u32; rows.div_ceil(32)]);
        while positions.len() < rows {
            let z = if dims == 3 { seed.next_normal() } else { 0.0 };
            let mut position = [0.8 * seed.next_normal(), 0.8 * seed.next_normal(), z];
            match positions.len() % 50 {
                7 => position[0] = f32::NAN,
                11 => position[1] = f32::INFINITY,
                13 => position = [0.0, 0.0, if dims == 3 { 40.0 } else { 0.0 }],
                _ => {}
            }
            if let Some(cell) = cell(&scene, &region, position) {
                let row = positions.len();
                let is_in = cell.is_some_and(|[x, y]| is_inside(&outline, (x + 0.5) / 2.0, (y + 0.5) / 2.0));
                expected[row / 32] |= u32::from(is_in) << (row % 32);
                positions.push(position);
            }
        }
        if let Some(word) = expected.first_mut().filter(|_| mistake) {
            *word ^= 1;
        }
        scene.positions = positions.into();
        same("rows inside", &on_gpu(&scene, &region), &expected)?;
        same("the CPU's rows inside", region.rows(&scene).words(), &expected)?;
    }
    Ok(())
}

/// One row more than 65,535 workgroups take, the last one alone inside.
pub fn past_the_dispatch_limit() -> Result<(), String> {
    let rows = 65_535 * WORKGROUP + 1;
    let mut positions = vec![[0.9f32, 0.9, 0.0]; rows];
    positions[rows - 1] = [-0.9, -0.9, 0.0];
    let corners = [[-1.0, -1.0, 0.0], [1.0, 1.0, 0.0]];
    let mut scene = Scene::new(corners.into(), [].into(), vec![], AxisScale::Uniform, Dimensions::Two, MAP.aspect());
    scene.positions = positions.into();
    let half = [Vec2::new(0.0, 15.0), Vec2::new(37.25, 15.0), Vec2::new(37.25, 29.0), Vec2::new(0.0, 29.0)];
    let found = on_gpu(&scene, &Region::inside(&half, MAP));
    same("words", &[found.len()], &[rows.div_ceil(32)])?;
    let set: Vec<usize> = (0..rows).filter(|row| found[row / 32] >> (row % 32) & 1 == 1).collect();
    same("rows inside", &set, &[rows - 1])
}
