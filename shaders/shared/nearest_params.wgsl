// What the search for neighbours tells its kernels: project::nearest::gpu::NearestParams.
struct NearestParams {
    rows: u32,              // rows of the matrix
    dims: u32,              // its columns
    first: u32,             // the first query of the block; queries are rows too
    queries: u32,           // queries in the block
    wanted: u32,            // candidates kept of each query, fewer than rows
    slot: u32,              // where the block's first query has its candidates
    unused_a: u32,
    unused_b: u32,
}
