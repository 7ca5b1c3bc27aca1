// What the kernels of t-SNE share. The plan is made on the GPU from the positions (tsne_plan.wgsl); nothing of it is read back.

struct TsneParams {
    rows: u32,
    dims: u32,              // 2 or 3
    log_size: u32,          // the transform has 2^log_size values along an axis; 0: there is no grid
    most_cells: u32,        // cells along an axis that there is room for
    exaggeration: f32,
    momentum: f32,
    rate: f32,
    neighbors: u32,         // of each row, as the lists lie
    counted: u32,           // how many of them count; the weights of the others are 0
    entropy: f32,           // that a row's probabilities are to have, in nats: the perplexity's logarithm
    unused_a: u32,
    unused_b: u32,
}

struct TsnePlan {
    origin: vec4f,          // the lowest corner of the layout: the first node, and the first cell
    high: vec4f,            // the highest corner
    mean: vec4f,            // what is to be taken off the positions
    spacing: f32,           // between nodes, in units of the layout
    limit: f32,             // T of project::tsne::split
    reach: f32,             // of the near part; 0 where there is none
    base: f32,              // what was taken off the kernel everywhere
    per_unit: f32,          // cells per unit of the layout
    z: f32,                 // the sum over all ordered pairs of 1 / (1 + d²)
    own: f32,               // what a point finds of itself on the grid
    changed: u32,           // 1: the spacing is another than in the last step
    nodes: u32,             // along an axis
    cells_x: u32,
    cells_y: u32,
    cells_z: u32,
}

// What a workgroup of tsne_move.wgsl knows of its rows.
struct TsnePartial {
    sum: vec4f,
    low: vec4f,
    high: vec4f,
}
