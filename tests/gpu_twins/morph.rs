//! Rows between two layouts: the shader beside `scene::morph`.

use tagscape::render::morph::{MIX, MorphParams, WORKGROUP};
use tagscape::scene::morph::mixed;
use tagscape::seed::SplitMix64;

use super::splat::run;
use super::splat::{bits, same};
use super::tsne::Check;

/// The mixing kernel.
pub const CHECKS: &[Check] = &[Check { kernel: &MIX, compare: mix }];

fn mix(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let mut seed = SplitMix64::new((rows * 3 + dims) as u64);
    let mut values = |odd: f32| -> Vec<f32> { (0..rows).map(|row| if row % 37 == 5 { odd } else { 1e3 * seed.next_normal() }).collect() };
    let (starts, ends) = (values(f32::NAN), values(4.0));
    for way in [0.0f32, 0.37, 1.0] {
        let params = MorphParams { rows: rows as u32, way };
        let data = [bits(starts.iter().copied()), bits(ends.iter().copied()), vec![f32::NAN.to_bits(); rows]];
        let found = run(&MIX, [bytemuck::bytes_of(&params), &[0; 16]], &data, rows.div_ceil(WORKGROUP));
        let found: Vec<f32> = found[0].iter().map(|&bits| f32::from_bits(bits)).collect();
        let mut expected: Vec<f64> = starts
            .iter()
            .zip(&ends)
            .map(|(&start, &end)| {
                if start.is_finite() { f64::from(start) * (1.0 - f64::from(way)) + f64::from(end) * f64::from(way) } else { f64::from(end) }
            })
            .collect();
        if let Some(first) = expected.first_mut() {
            *first += if mistake { 0.01 * first.abs() + 1.0 } else { 0.0 };
        }
        let cpu: Vec<f32> = starts.iter().zip(&ends).map(|(&start, &end)| mixed(start, end, way)).collect();
        for (what, values) in [("the shader", &found), ("the CPU", &cpu)] {
            let wrong = values.iter().zip(&expected).position(|(&found, expected)| {
                let is_near = (f64::from(found) - expected).abs() <= 1e-6 * (4e3 + expected.abs());
                !is_near
            });
            if let Some(row) = wrong {
                return Err(format!("{what}: {} in row {row}, not {} at {way}", values[row], expected[row]));
            }
        }
        if way == 1.0 {
            same("the end", &bits(found.iter().copied()), &data[1])?;
        }
    }
    Ok(())
}
