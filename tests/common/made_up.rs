//! VGGish's made-up weights: exact, and cheap to make, where the trained ones are too large to keep.
//!
//! Tensor `t` counts in the order of [`TENSORS`]. Element `i`, row-major in TensorFlow's layout, is
//! `u = (splitmix64((t << 40) + i) >> 40) / 2^24 * 2 - 1`, times `sqrt(6 / fan_in)` for a weight and `0.01` for a bias.

use tagscape::nn::vggish::TENSORS;

/// One step of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) from the state `z`.
fn splitmix64(z: u64) -> u64 {
    let z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The values of tensor `t` of [`TENSORS`], row-major.
pub fn values(t: usize) -> impl Iterator<Item = f32> {
    let (name, shape) = TENSORS[t];
    let (count, features) = (shape.iter().product::<usize>(), shape[shape.len() - 1]);
    let scale = if name.ends_with(".kernel") { (6.0 / (count / features) as f64).sqrt() } else { 0.01 };
    (0..count as u64).map(move |i| {
        let u = (splitmix64(((t as u64) << 40) + i) >> 40) as f64 / f64::from(1 << 24) * 2.0 - 1.0;
        (u * scale) as f32
    })
}

/// All of them as a safetensors file, 288 MB.
pub fn vggish_safetensors() -> Vec<u8> {
    let (mut header, mut end) = (Vec::new(), 0);
    for (name, shape) in TENSORS {
        let start = end;
        end += 4 * shape.iter().product::<usize>();
        header.push(format!("\"{name}\":{{\"dtype\":\"F32\",\"shape\":{shape:?},\"data_offsets\":[{start},{end}]}}"));
    }
    let mut header = format!("{{{}}}", header.join(","));
    while header.len() % 8 != 0 {
        header.push(' ');
    }
    let mut file = Vec::with_capacity(8 + header.len() + end);
    file.extend((header.len() as u64).to_le_bytes());
    file.extend(header.as_bytes());
    for t in 0..TENSORS.len() {
        file.extend(values(t).flat_map(f32::to_le_bytes));
    }
    file
}

#[test]
fn the_first_four_of_conv1_are_those_of_the_recipe() {
    let first: Vec<f32> = values(0).take(4).collect();
    assert_eq!(first, [0.625_943_9, 0.108_694_51, 0.148_912_13, -0.631_233_04]);
}
