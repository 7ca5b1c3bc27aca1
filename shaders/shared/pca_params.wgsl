// What the steps of PCA share. Rust: project::pca::gpu::PcaParams.
struct PcaParams {
    rows: u32,       // rows in the chunk
    dims: u32,       // columns
    axes: u32,       // columns of the result of pca_transform
    slab_rows: u32,  // rows that one workgroup sums
    scale: f32,      // a power of two; values are centred as value * scale - center
    unscale: f32,    // 1 / scale
    unused_a: u32,
    unused_b: u32,
}
