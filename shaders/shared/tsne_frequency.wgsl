// Which frequency a place of the transformed cube has along an axis: the transform leaves them in bit-reversed order.
fn frequency(at: u32, axis: u32) -> u32 {
    let place = (at >> (axis * params.log_size)) & ((1u << params.log_size) - 1u);
    return reverseBits(place) >> (32u - params.log_size);
}
