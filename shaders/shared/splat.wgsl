// What the passes of a splat know of its grid. Twin: `render::splat::params::SplatParams`.
struct SplatParams {
    // Every stride-th run of RUN rows is splatted, from run number `phase` on. 1 and 0: all of them.
    stride: u32,
    phase: u32,
    // Cells across, and cells in all; behind them lie OUTSIDE_CELLS more.
    width: u32,
    cells: u32,
    // What a full colour channel adds to a sum.
    levels: u32,
    // 0: a heat map of the counts. 1: the rows' colours, brought back from the grey that mixing leads to. EXACT_COLORS: as they are.
    mode: u32,
    // Edge of a cell in pixels, and cells around the picture.
    cell: u32,
    margin: u32,
    // The least value that counts as lit; what is below fades out.
    faint: u32,
    // Cells that smoothing reaches to either side.
    reach: u32,
    // Steps of tone with a line between each two; 0: no lines.
    lines: u32,
    // What colours step back toward while a track stands out, packed sRGB; 0: they do not.
    veil: u32,
    // Where in the counts those of the chosen rows begin, which are what is toned then; 0: nothing is chosen.
    first: u32,
    // A count of so many octaves has the strongest grey of those that are not chosen.
    octaves: u32,
    // That grey, packed sRGB.
    grey: u32,
    // Classes that cells count, the last of which is of rows in none; 0: cells add up colours.
    classes: u32,
    // Where a space's far rows go, packed sRGB: cells count their haze behind the classes; 0: they do not.
    haze: u32,
    unused0: u32,
    unused1: u32,
    unused2: u32,
    // Where the first cell lies in the grid of the whole picture, and the target's first pixel in the picture: 0 but for tiles.
    corner: vec2u,
    origin: vec2u,
    // Left and top of the cells that are this grid's own, and right and bottom, past the last.
    own: vec4u,
}

@group(0) @binding(1) var<uniform> splat: SplatParams;

// Rows that fall outside of the picture are counted as well, over so many cells that no single one holds them all up.
const OUTSIDE_CELLS = 256u;
const EXACT_COLORS = 2u;
// What a row adds to a smoothed density, all cells together.
const UNIT = 4096.0;
// Rows that follow one another and are splatted together: a cache line of each column.
const RUN = 16u;
// Buckets of the counts' histogram: 32 octaves of 16.
const BUCKETS = 512u;

// Where in what was counted or smoothed the values to be toned begin.
fn first_value() -> u32 {
    return select(splat.first, 0u, splat.reach > 0u);
}

// A count's bucket: its octave, and the four bits below its highest.
fn bucket_of(count: u32) -> u32 {
    let octave = firstLeadingBit(max(count, 1u));
    var below = count << (4u - min(octave, 4u));
    if octave > 4u {
        below = count >> (octave - 4u);
    }
    return octave * 16u + (below & 15u);
}

// Values that a cell has beside its count.
fn sums_each() -> u32 {
    return select(splat.classes + select(0u, 1u, splat.haze != 0u), 3u, splat.classes == 0u);
}
