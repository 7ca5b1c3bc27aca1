// What UMAP's kernels are told, and what they find. Twins: project::umap::gpu::{UmapParams, Bounds}.

struct UmapParams {
    rows: u32,
    iteration: u32,
    seed: u32,
    rate: f32,
    a: f32,
    b: f32,
    unused0: u32,
    unused1: u32,
}

struct Bounds {
    low: vec4f,
    high: vec4f,
}
