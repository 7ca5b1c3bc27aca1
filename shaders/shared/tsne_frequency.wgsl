// Which frequency a place of the transformed cube has along an axis: the transform leaves them in bit-reversed order.
fn frequency(at: u32, axis: u32) -> u32 {
    let place = (at >> (axis * params.log_size)) & ((1u << params.log_size) - 1u);
    return reverseBits(place) >> (32u - params.log_size);
}

// Its cosine. From a table: WGSL lets `cos` be off by 2^-11.
fn cosine(at: u32, axis: u32) -> f32 {
    let size = 1u << params.log_size;
    let nearest = min(frequency(at, axis), size - frequency(at, axis));
    return select(-1.0, turns[min(nearest, size / 2u - 1u)].x, nearest < size / 2u);
}
