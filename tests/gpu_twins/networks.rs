//! The twins of the networks' kernels: plain loops in `f64` over the same buffers. Whole networks
//! are compared in `tests/networks.rs`.

use tagscape::gpu::Kernel;
use tagscape::nn::gpu::kernels::{
    Activation, CONVOLVE, ConvolveParams, POOL, POOL_TIME, PoolParams, PoolTimeParams, convolve_workgroups, padded_weights,
    pool_time_workgroups, pool_workgroups,
};
use tagscape::seed::SplitMix64;

use super::dispatch::{Job, floats};
use super::tsne::Check;

/// One entry for each kernel of the networks; the first number is a case's.
pub const CHECKS: &[Check] = &[
    Check { kernel: &CONVOLVE, compare: convolve },
    Check { kernel: &POOL, compare: pool },
    Check { kernel: &POOL_TIME, compare: pool_time },
];

/// How many cases a kernel has.
pub fn cases(kernel: &Kernel) -> usize {
    match kernel.shader.name {
        "nn.convolve" => CONVOLUTIONS.len(),
        "nn.pool" => POOLINGS.len(),
        _ => TIMES.len(),
    }
}

/// Half a unit in the last place of 1, with a little to spare.
const EPSILON: f64 = 6.0e-8;

#[derive(Clone, Copy)]
struct Convolution {
    /// Images, height, width, input features.
    input: [usize; 4],
    kernel: [usize; 2],
    features: usize,
    is_padded_across: bool,
    activation: Activation,
    has_residual: bool,
    /// Values beside the input's features, and beside the output's: before, behind.
    beside: [usize; 3],
    /// The values' size.
    size: f32,
}

const PLAIN: Convolution = Convolution {
    input: [1, 1, 1, 1],
    kernel: [1, 1],
    features: 1,
    is_padded_across: false,
    activation: Activation::Linear,
    has_residual: false,
    beside: [0; 3],
    size: 1.0,
};

/// Places around 64, features around 4 and 64, depths around 16; even and odd kernels, padded and
/// not; all ends of a layer.
const CONVOLUTIONS: &[Convolution] = &[
    PLAIN,
    Convolution { input: [63, 1, 1, 15], features: 4, ..PLAIN },
    Convolution { input: [64, 1, 1, 16], features: 63, activation: Activation::Relu, ..PLAIN },
    Convolution { input: [65, 1, 1, 17], features: 64, activation: Activation::Sigmoid, ..PLAIN },
    Convolution { input: [129, 1, 1, 33], features: 65, beside: [0, 3, 2], ..PLAIN },
    Convolution { input: [1, 9, 7, 1], kernel: [3, 3], features: 5, is_padded_across: true, ..PLAIN },
    Convolution {
        input: [2, 8, 8, 4],
        kernel: [3, 3],
        features: 66,
        is_padded_across: true,
        activation: Activation::Relu,
        size: 1e9,
        ..PLAIN
    },
    Convolution { input: [3, 13, 5, 3], kernel: [7, 2], features: 51, size: 1e-12, ..PLAIN },
    Convolution { input: [2, 20, 6, 1], kernel: [16, 1], features: 51, beside: [0, 51, 1], activation: Activation::Relu, ..PLAIN },
    Convolution { input: [2, 11, 1, 21], kernel: [7, 1], features: 64, has_residual: true, beside: [4, 0, 0], ..PLAIN },
    Convolution { input: [1, 5, 40, 1], kernel: [7, 38], features: 2, ..PLAIN },
    Convolution { input: [1, 6, 5, 2], kernel: [4, 4], features: 3, is_padded_across: true, activation: Activation::Sigmoid, ..PLAIN },
    Convolution {
        input: [2, 5, 7, 70],
        kernel: [3, 3],
        features: 130,
        is_padded_across: true,
        activation: Activation::Relu,
        has_residual: true,
        ..PLAIN
    },
    // More than 65,535 tiles.
    Convolution { input: [65_535 * 64 + 1, 1, 1, 1], ..PLAIN },
];

/// What a convolution's buffers hold.
struct Filled {
    case: Convolution,
    values: Vec<f32>,
    weights: Vec<f32>,
    /// Bias, scale and shift.
    epilogue: [Vec<f32>; 3],
    residual: Vec<f32>,
}

impl Filled {
    fn new(case: Convolution, seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let mut draw = |count: usize, size: f32| -> Vec<f32> { (0..count).map(|_| size * random.next_normal()).collect() };
        let [images, height, width, inputs] = case.input;
        let depth = case.kernel[0] * case.kernel[1] * inputs;
        let values = draw(images * height * width * (inputs + case.beside[0]), case.size);
        let weights = draw(depth * case.features, 1.0 / (depth as f32).sqrt());
        let epilogue = [draw(case.features, case.size), draw(case.features, 1.0), draw(case.features, case.size)];
        let residual = if case.has_residual { draw(images * height * case.out_width() * case.features, case.size) } else { vec![0.0] };
        Self { case, values, weights, epilogue, residual }
    }

    /// What the shader gives, `[rows, out_pitch]`.
    fn run(&self) -> Vec<f32> {
        let case = &self.case;
        let ([_, height, width, inputs], [kernel_height, kernel_width]) = (case.input, case.kernel);
        let (rows, out_pitch) = (case.rows(), case.out_pitch());
        let number = |number: usize| number as u32;
        let params = ConvolveParams {
            rows: number(rows),
            features: number(case.features),
            depth: number(kernel_height * kernel_width * inputs),
            inputs: number(inputs),
            height: number(height),
            width: number(width),
            pitch: number(inputs + case.beside[0]),
            kernel_width: number(kernel_width),
            out_height: number(height),
            out_width: number(case.out_width()),
            pad_top: number((kernel_height - 1) / 2),
            pad_left: number(case.pad_left()),
            out_pitch: number(out_pitch),
            out_first: number(case.beside[1]),
            activation: case.activation as u32,
            has_residual: u32::from(case.has_residual),
        };
        let job = Job::new(&CONVOLVE, params)
            .input(&self.values)
            .input(&padded_weights(&self.weights, case.features))
            .input(&padded_weights(&self.epilogue.concat(), case.features))
            .input(&self.residual)
            .output(rows * out_pitch);
        floats(&job.run(convolve_workgroups(rows, case.features))[0])
    }

    /// A value from the definition, and how far rounding may lead from it; `depth` is how much of
    /// the sum is taken.
    fn expected(&self, row: usize, feature: usize, depth: usize) -> (f64, f64) {
        let case = &self.case;
        let [_, height, width, inputs] = case.input;
        let (out_width, pitch) = (case.out_width(), inputs + case.beside[0]);
        let (image, down, across) = (row / (height * out_width), row / out_width % height, row % out_width);
        let (mut sum, mut size) = (f64::from(self.epilogue[0][feature]), f64::from(self.epilogue[0][feature]).abs());
        for at in 0..depth {
            let (place, input) = (at / inputs, at % inputs);
            let y = (down + place / case.kernel[1]).checked_sub((case.kernel[0] - 1) / 2).filter(|&y| y < height);
            let x = (across + place % case.kernel[1]).checked_sub(case.pad_left()).filter(|&x| x < width);
            if let (Some(y), Some(x)) = (y, x) {
                let value = f64::from(self.values[((image * height + y) * width + x) * pitch + input]);
                let product = value * f64::from(self.weights[at * case.features + feature]);
                sum += product;
                size += product.abs();
            }
        }
        let mut off = EPSILON * (depth + 2) as f64 * size;
        let active = match case.activation {
            Activation::Linear => sum,
            Activation::Relu => sum.max(0.0),
            Activation::Sigmoid => {
                // WGSL allows the exponential 3 + 2 |x| units in the last place, and a division
                // 2.5.
                let sigmoid = 1.0 / (1.0 + (-sum).exp());
                off = off / 4.0 + sigmoid * 2.0 * EPSILON * (8.0 + 2.0 * sum.abs());
                sigmoid
            }
        };
        let [_, scale, shift] = [0, 1, 2].map(|part| f64::from(self.epilogue[part][feature]));
        let residual = if case.has_residual { f64::from(self.residual[row * case.features + feature]) } else { 0.0 };
        let whole = active * scale + shift + residual;
        (whole, off * scale.abs() + 4.0 * EPSILON * ((active * scale).abs() + shift.abs() + residual.abs()))
    }
}

impl Convolution {
    fn out_width(&self) -> usize {
        if self.is_padded_across { self.input[2] } else { self.input[2] + 1 - self.kernel[1] }
    }

    fn pad_left(&self) -> usize {
        if self.is_padded_across { (self.kernel[1] - 1) / 2 } else { 0 }
    }

    fn rows(&self) -> usize {
        self.input[0] * self.input[1] * self.out_width()
    }

    fn out_pitch(&self) -> usize {
        self.beside[1] + self.features + self.beside[2]
    }
}

/// With `mistake`, the last value of every sum is left out.
fn convolve(case: usize, _: usize, mistake: bool) -> Result<(), String> {
    let filled = Filled::new(CONVOLUTIONS[case], case as u64);
    let case = filled.case;
    let depth = case.kernel[0] * case.kernel[1] * case.input[3] - usize::from(mistake);
    for (row, found) in filled.run().chunks_exact(case.out_pitch()).enumerate() {
        for (column, &found) in found.iter().enumerate() {
            match column.checked_sub(case.beside[1]).filter(|&feature| feature < case.features) {
                Some(feature) => {
                    let (expected, off) = filled.expected(row, feature, depth);
                    near(row, column, found, expected, off)?;
                }
                None if found.is_nan() => {}
                None => return Err(format!("row {row}, column {column}: {found} was written")),
            }
        }
    }
    Ok(())
}

fn near(row: usize, column: usize, found: f32, expected: f64, off: f64) -> Result<(), String> {
    let is_near = (f64::from(found) - expected).abs() <= off;
    if is_near { Ok(()) } else { Err(format!("row {row}, column {column}: {found}, not {expected} to within {off:e}")) }
}

/// An image alone gives the very bits that it gives between others.
pub fn images_are_independent() {
    for case in CONVOLUTIONS.iter().filter(|case| (2..100).contains(&case.input[0])) {
        let together = Filled::new(*case, 77);
        let whole = together.run();
        let count = case.input[0];
        let part = |values: &[f32], image: usize| values[image * values.len() / count..(image + 1) * values.len() / count].to_vec();
        for image in 0..count {
            let [_, height, width, inputs] = case.input;
            let alone = Filled {
                case: Convolution { input: [1, height, width, inputs], ..*case },
                values: part(&together.values, image),
                weights: together.weights.clone(),
                epilogue: together.epilogue.clone(),
                residual: if case.has_residual { part(&together.residual, image) } else { vec![0.0] },
            };
            let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
            assert_eq!(bits(alone.run()), bits(part(&whole, image)), "image {image} of {count}");
        }
    }
}

#[derive(Clone, Copy)]
struct Pooling {
    /// Images, height, width, features.
    input: [usize; 4],
    window: [usize; 2],
    step: [usize; 2],
    /// Values beside the output's features: before, behind.
    beside: [usize; 2],
}

/// The networks' windows, with images that they do not divide; values around 256.
const POOLINGS: &[Pooling] = &[
    Pooling { input: [1, 1, 1, 1], window: [1, 1], step: [1, 1], beside: [0, 0] },
    Pooling { input: [1, 3, 5, 255], window: [3, 5], step: [3, 5], beside: [0, 0] },
    Pooling { input: [1, 2, 3, 128], window: [2, 2], step: [2, 2], beside: [0, 0] },
    Pooling { input: [3, 11, 9, 5], window: [4, 1], step: [2, 2], beside: [0, 0] },
    Pooling { input: [2, 7, 6, 257], window: [4, 4], step: [4, 4], beside: [0, 1] },
    Pooling { input: [3, 19, 30, 51], window: [1, 30], step: [1, 30], beside: [7, 2] },
    // More than 65,535 workgroups.
    Pooling { input: [65_535 * 256 + 1, 1, 1, 1], window: [1, 1], step: [1, 1], beside: [0, 0] },
];

/// With `mistake`, the largest of the first window is half as large, and a little more.
fn pool(case: usize, _: usize, mistake: bool) -> Result<(), String> {
    let Pooling { input: [images, height, width, features], window, step, beside } = POOLINGS[case];
    let mut random = SplitMix64::new(case as u64);
    let values: Vec<f32> = (0..images * height * width * features).map(|_| random.next_normal()).collect();
    let (out_height, out_width) = ((height - window[0]) / step[0] + 1, (width - window[1]) / step[1] + 1);
    let (rows, out_pitch) = (images * out_height * out_width, beside[0] + features + beside[1]);
    let number = |number: usize| number as u32;
    let params = PoolParams {
        rows: number(rows),
        features: number(features),
        height: number(height),
        width: number(width),
        out_height: number(out_height),
        out_width: number(out_width),
        window_height: number(window[0]),
        window_width: number(window[1]),
        step_down: number(step[0]),
        step_across: number(step[1]),
        out_pitch: number(out_pitch),
        out_first: number(beside[0]),
    };
    let found = floats(&Job::new(&POOL, params).input(&values).output(rows * out_pitch).run(pool_workgroups(rows, features))[0]);
    for (row, found) in found.chunks_exact(out_pitch).enumerate() {
        let (image, down, across) = (row / (out_height * out_width), row / out_width % out_height, row % out_width);
        for (column, &found) in found.iter().enumerate() {
            let Some(feature) = column.checked_sub(beside[0]).filter(|&feature| feature < features) else {
                if found.is_nan() {
                    continue;
                }
                return Err(format!("row {row}, column {column}: {found} was written"));
            };
            let mut expected = f64::NEG_INFINITY;
            for y in 0..window[0] {
                for x in 0..window[1] {
                    let at = ((image * height + down * step[0] + y) * width + across * step[1] + x) * features + feature;
                    expected = expected.max(f64::from(values[at]));
                }
            }
            if mistake && row == 0 {
                expected = 0.5 * expected + 0.01;
            }
            near(row, column, found, expected, 0.0)?;
        }
    }
    Ok(())
}

/// Images, frames, features, and values beside: before, behind.
const TIMES: &[([usize; 3], [usize; 2])] = &[
    ([1, 1, 1], [0, 0]),
    ([1, 187, 63], [0, 0]),
    ([2, 187, 32], [5, 0]),
    ([5, 12, 13], [2, 3]),
    ([3, 1, 561], [0, 384]),
    // More than 65,535 workgroups.
    ([65_535 * 64 + 1, 1, 1], [0, 0]),
];

/// With `mistake`, the mean is over one frame more.
fn pool_time(case: usize, _: usize, mistake: bool) -> Result<(), String> {
    let ([rows, frames, features], beside) = TIMES[case];
    let mut random = SplitMix64::new(case as u64);
    let mut draw = |count: usize| -> Vec<f32> { (0..count).map(|_| random.next_normal()).collect() };
    let out_pitch = beside[0] + 2 * features + beside[1];
    let (values, normalisation) = (draw(rows * frames * features), draw(2 * out_pitch));
    let params = PoolTimeParams {
        rows: rows as u32,
        frames: frames as u32,
        features: features as u32,
        out_pitch: out_pitch as u32,
        out_first: beside[0] as u32,
        ..PoolTimeParams::default()
    };
    let job = Job::new(&POOL_TIME, params).input(&values).input(&normalisation).output(rows * out_pitch);
    let found = floats(&job.run(pool_time_workgroups(rows, features))[0]);
    for (row, found) in found.chunks_exact(out_pitch).enumerate() {
        for (column, &found) in found.iter().enumerate() {
            let Some(inside) = column.checked_sub(beside[0]).filter(|&inside| inside < 2 * features) else {
                if found.is_nan() {
                    continue;
                }
                return Err(format!("row {row}, column {column}: {found} was written"));
            };
            let of_time = (0..frames).map(|frame| f64::from(values[(row * frames + frame) * features + inside / 2]));
            let size: f64 = of_time.clone().map(f64::abs).sum();
            let (value, off) = if inside % 2 == 0 {
                (of_time.fold(f64::NEG_INFINITY, f64::max), 0.0)
            } else {
                let count = frames as f64;
                (of_time.sum::<f64>() / (count + f64::from(u8::from(mistake))), EPSILON * (count + 5.0) * size / count)
            };
            let (scale, shift) = (f64::from(normalisation[column]), f64::from(normalisation[out_pitch + column]));
            let rounding = 3.0 * EPSILON * ((value * scale).abs() + shift.abs());
            near(row, column, found, value * scale + shift, off * scale.abs() + rounding)?;
        }
    }
    Ok(())
}
