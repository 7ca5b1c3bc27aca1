//! What becomes of a splat's cells, beside plain loops in f64 and the CPU engine: smoothing, tones, and their sum.

use tagscape::render::splat::kernels::{self, CELLS_EACH, WORKGROUP};
use tagscape::render::splat::params::{OUTSIDE_CELLS, SplatKind, SplatParams, SplatPlan, UNIT};
use tagscape::render::splat::smooth::Smoother;
use tagscape::render::splat::tone::{self, BUCKETS, Histogram};
use tagscape::seed::SplitMix64;

use super::splat::{bits, run, same};

/// A grid to smooth, its counts, and plain loops over both axes: what rows give, and then columns.
fn smoothing(rows: usize, dims: usize) -> (SplatPlan, Vec<u32>, [Vec<f64>; 2]) {
    let plan = SplatPlan::smooth([(rows as u32 % 90) + 1, (rows as u32 / 20) + 1], rows, [1.0, 5.9][dims - 2]);
    let (width, height) = (plan.params.width as usize, plan.params.height() as usize);
    let counts: Vec<u32> = made_counts(width * height).into_iter().map(|count| count % 50).collect();
    let spread = |from: &[f64], along: [usize; 2]| -> Vec<f64> {
        let of = |x: i64, y: i64| {
            let is_inside = (0..width as i64).contains(&x) && (0..height as i64).contains(&y);
            if is_inside { from[y as usize * width + x as usize] } else { 0.0 }
        };
        let reach = plan.params.reach as i64;
        let share = |away: i64| f64::from(plan.weights[away.unsigned_abs() as usize]);
        let at = |cell: usize| ((cell % width) as i64, (cell / width) as i64);
        let [dx, dy] = along.map(|step| step as i64);
        let sum = |(x, y): (i64, i64)| (-reach..=reach).map(|away| share(away) * of(x + dx * away, y + dy * away)).sum();
        (0..width * height).map(|cell| sum(at(cell))).collect()
    };
    let in_rows = spread(&counts.iter().map(|&count| f64::from(count)).collect::<Vec<_>>(), [1, 0]);
    let in_both = spread(&in_rows, [0, 1]);
    (plan, counts, [in_rows, in_both])
}

pub fn smooth_rows(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let (mut plan, mut counts, [mut expected, _]) = smoothing(rows, dims);
    expected[0] += if mistake { 0.01 } else { 0.0 };
    // What is to be smoothed may lie behind other counts.
    plan.params.first = rows as u32 % 3;
    counts.splice(0..0, vec![77; rows % 3]);
    let data = [counts, bits(plan.weights.iter().copied()), bits(std::iter::repeat_n(f32::NAN, expected.len()))];
    let workgroups = expected.len().div_ceil(WORKGROUP);
    let found = run(&kernels::SMOOTH_ROWS, [&[], bytemuck::bytes_of(&plan.params)], &data, workgroups);
    let off = (0..expected.len()).find(|&cell| (f64::from(f32::from_bits(found[0][cell])) - expected[cell]).abs() > 1e-4);
    off.map_or(Ok(()), |cell| Err(format!("cell {cell}: {}, not {}", f32::from_bits(found[0][cell]), expected[cell])))
}

/// Within a step and rounding; the CPU's as well, which does rows and columns.
pub fn smooth_columns(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let (plan, counts, [in_rows, mut expected]) = smoothing(rows, dims);
    expected[0] += if mistake { 0.01 } else { 0.0 };
    let spread = bits(in_rows.iter().map(|&value| value as f32));
    let data = [spread, bits(plan.weights.iter().copied()), vec![7; expected.len()]];
    let workgroups = expected.len().div_ceil(WORKGROUP);
    let found = run(&kernels::SMOOTH_COLUMNS, [&[], bytemuck::bytes_of(&plan.params)], &data, workgroups);
    let mut cpu = Smoother::default();
    cpu.smooth(&plan, &counts);
    for (what, values) in [("value", &found[0]), ("the CPU's value", &cpu.values)] {
        for (cell, (&value, &expected)) in values.iter().zip(&expected).enumerate() {
            let wanted = expected * f64::from(UNIT);
            if (f64::from(value) - wanted).abs() > 1.0 + 1e-5 * wanted {
                return Err(format!("{what} of cell {cell}: {value}, not {wanted}"));
            }
        }
        same("cells", &[values.len()], &[expected.len()])?;
    }
    Ok(())
}

/// Counts of every size: each octave comes, and every third is none.
fn made_counts(len: usize) -> Vec<u32> {
    let mut seed = SplitMix64::new(len as u64);
    (0..len).map(|at| if at % 3 == 0 { 0 } else { (seed.next_u64() >> (32 + seed.next_below(31))) as u32 }).collect()
}

fn params_of(pixels: usize) -> SplatParams {
    SplatPlan::new([pixels as u32, 1], 1, SplatKind::Density).params
}

pub fn histogram(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    // Around a workgroup's 8,192 cells as well.
    for (cells, faint) in [(rows, 1), (rows, 70), (CELLS_EACH * (dims - 1) - 350 + rows, 1)] {
        let mut counts = made_counts(cells);
        let mut expected = [0; BUCKETS];
        let octave = |count: u32| (0..32).rfind(|bit| count >> bit & 1 == 1).unwrap();
        for &count in counts.iter().filter(|&&count| count >= faint) {
            let octave = octave(count);
            let below = (f64::from(count) / f64::from(1u32 << octave) - 1.0) * 16.0;
            expected[(octave * 16) as usize + below as usize] += 1;
        }
        expected[17] += u32::from(mistake);
        let on_cpu = Histogram::of(&counts, faint);
        // What lies behind the last cell is not counted.
        counts.extend([500; OUTSIDE_CELLS]);
        // The chosen rows' counts lie behind other ones.
        counts.splice(0..0, vec![500; rows % 3]);
        let params = SplatParams { faint, first: rows as u32 % 3, ..params_of(cells) };
        let data = [counts, vec![0; BUCKETS]];
        let found = run(&kernels::HISTOGRAM, [&[], bytemuck::bytes_of(&params)], &data, cells.div_ceil(CELLS_EACH));
        same("the histogram", &found[0], &expected)?;
        same("the CPU's histogram", &on_cpu.0, &expected)?;
    }
    Ok(())
}

pub fn curve(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let faint = if dims == 3 { 70 } else { 1 };
    let histogram = Histogram::of(&made_counts(rows), faint);
    let lit: f64 = histogram.0.iter().map(|&cells| f64::from(cells)).sum::<f64>().max(1.0);
    // 70 is 6 octaves and 1 sixteenth.
    let least = if dims == 3 { 97.0 } else { 0.0 };
    let highest = ((0..BUCKETS).rfind(|&bucket| histogram.0[bucket] > 0).unwrap_or(0) as f64).max(least);
    let on_cpu = tone::curve(&histogram, faint);
    let data = [histogram.0.to_vec(), bits(std::iter::repeat_n(f32::NAN, BUCKETS))];
    let params = SplatParams { faint, ..params_of(rows) };
    let found = run(&kernels::CURVE, [&[], bytemuck::bytes_of(&params)], &data, 1);
    let mut below = 0.0;
    for bucket in 0..BUCKETS {
        let own = f64::from(histogram.0[bucket]);
        let octaves = ((bucket as f64 + 16.0 - least) / (highest - least + 16.0)).clamp(0.0, 1.0);
        let expected = 0.5 * ((below + 0.5 * own) / lit + octaves);
        below += own;
        for (what, tone) in [("tone", f32::from_bits(found[0][bucket])), ("the CPU's tone", on_cpu[bucket])] {
            let expected = expected + if mistake && bucket == 300 { 1e-3 } else { 0.0 };
            if (f64::from(tone) - expected).abs() > 1e-6 {
                return Err(format!("{what} of bucket {bucket}: {tone}, not {expected}"));
            }
        }
    }
    Ok(())
}

pub fn total(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    for pixels in [rows, CELLS_EACH * (dims - 1) - 600 + rows] {
        let counts: Vec<u32> = made_counts(pixels + OUTSIDE_CELLS).into_iter().map(|count| count % 1000).collect();
        let expected = counts.iter().sum::<u32>() + u32::from(mistake);
        let data = [counts, vec![0]];
        let workgroups = (pixels + OUTSIDE_CELLS).div_ceil(CELLS_EACH);
        let found = run(&kernels::TOTAL, [&[], bytemuck::bytes_of(&params_of(pixels))], &data, workgroups);
        same("the total", &found[0], &[expected])?;
    }
    Ok(())
}
