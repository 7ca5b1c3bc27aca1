// Fourier transforms of the lines along one axis of a cube of complex numbers, in place. Twin: project::tsne::spectrum.
//
// Forward by decimation in frequency, which leaves the frequencies in bit-reversed order; inverse by decimation in time, which takes them
// so: nothing is ever put in order (Gentleman and Sande, "Fast Fourier transforms - for fun and profit", 1966). Two stages are done
// at a time. Only the corner of the cube that has nodes is not zero, and only that corner is wanted back, so that lines without nodes are
// left out and values behind the nodes are taken as 0.

struct FftPass {
    axis: u32,
    mode: u32,              // 0 forward, 1 inverse, 2 forward, times the kernel's spectrum, inverse
    whole: u32,             // 1: all of the cube has values, and only a changed plan makes it worth it
    unused: u32,
}

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(0) @binding(1) var<uniform> plan: TsnePlan;
@group(0) @binding(2) var<uniform> fft: FftPass;
@group(1) @binding(0) var<storage, read> turns: array<vec2f>;            // [size / 2]: exp(-2 pi i n / size)
@group(1) @binding(1) var<storage, read> kernel: array<f32>;             // [size; dims]
@group(1) @binding(2) var<storage, read_write> field: array<vec2f>;      // [size; dims]

const LANES = 256u;
const ROOM = 2048u;
var<workgroup> values: array<vec2f, 2048>;

fn times(a: vec2f, b: vec2f) -> vec2f {
    return vec2f(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

fn times_conjugate(a: vec2f, b: vec2f) -> vec2f {
    return vec2f(a.x * b.x + a.y * b.y, a.y * b.x - a.x * b.y);
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    if fft.whole == 1u && plan.changed == 0u {
        return;
    }
    let size = 1u << params.log_size;
    let lines = ROOM >> params.log_size;
    let nodes = select(plan.nodes, size, fft.whole == 1u);
    // The lines' first value: along the first axis lines lie behind each other, along the others side by side.
    let along_first = fft.axis == 0u;
    let first_line = workgroup_number(workgroup, workgroups) * lines;
    let stride = 1u << (fft.axis * params.log_size);
    for (var at = lane; at < ROOM; at += LANES) {
        let line = select(at % lines, at >> params.log_size, along_first);
        let place = select(at / lines, at & (size - 1u), along_first);
        var value = vec2f(0.0);
        if is_wanted(first_line + line, nodes, size) && (place < nodes || fft.mode == 1u) {
            value = field[start_of(first_line + line, size) + place * stride];
        }
        values[line * size + place] = value;
    }
    workgroupBarrier();
    if fft.mode != 1u {
        forward(lane, size);
    }
    if fft.mode == 2u {
        for (var at = lane; at < ROOM; at += LANES) {
            let line = select(at % lines, at >> params.log_size, along_first);
            let place = select(at / lines, at & (size - 1u), along_first);
            if is_wanted(first_line + line, nodes, size) {
                values[line * size + place] *= kernel[start_of(first_line + line, size) + place * stride];
            }
        }
        workgroupBarrier();
    }
    if fft.mode != 0u {
        inverse(lane, size);
    }
    for (var at = lane; at < ROOM; at += LANES) {
        let line = select(at % lines, at >> params.log_size, along_first);
        let place = select(at / lines, at & (size - 1u), along_first);
        if is_wanted(first_line + line, nodes, size) && (place < nodes || fft.mode == 0u) {
            field[start_of(first_line + line, size) + place * stride] = values[line * size + place];
        }
    }
}

// Where a line begins. Along the first axis, line = (z, y); along the second, (z, x); along the third, (y, x); the last runs fastest.
fn start_of(line: u32, size: u32) -> u32 {
    switch fft.axis {
        case 0u: { return line * size; }
        case 1u: { return (line / size) * size * size + line % size; }
        default: { return line; }
    }
}

// Whether a line has anything in it, or anything that is wanted.
fn is_wanted(line: u32, nodes: u32, size: u32) -> bool {
    let slow = line / size;
    let depth = select(1u, nodes, params.dims == 3u);
    switch fft.axis {
        case 0u: { return line % size < nodes && slow < depth; }
        case 1u: { return slow < depth; }
        default: { return slow < size; }
    }
}

fn forward(lane: u32, size: u32) {
    var half = size / 2u;
    if params.log_size % 2u == 1u {
        for (var butterfly = lane; butterfly < ROOM / 2u; butterfly += LANES) {
            let place = butterfly % half;
            let at = butterfly / half * size + place;
            let a = values[at];
            let b = values[at + half];
            values[at] = a + b;
            values[at + half] = times(a - b, turns[place]);
        }
        workgroupBarrier();
        half /= 2u;
    }
    for (; half >= 2u; half /= 4u) {
        let quarter = half / 2u;
        let step = size / (2u * half);
        for (var butterfly = lane; butterfly < ROOM / 4u; butterfly += LANES) {
            let place = butterfly % quarter;
            let at = butterfly / quarter * (2u * half) + place;
            let a = values[at];
            let b = values[at + quarter];
            let c = values[at + half];
            let d = values[at + half + quarter];
            let turn = turns[2u * place * step];
            let e = times(a - c, turns[place * step]);
            let f = times(b - d, turns[(place + quarter) * step]);
            values[at] = a + c + (b + d);
            values[at + quarter] = times(a + c - (b + d), turn);
            values[at + half] = e + f;
            values[at + half + quarter] = times(e - f, turn);
        }
        workgroupBarrier();
    }
}

fn inverse(lane: u32, size: u32) {
    var half = 2u;
    for (; half <= size / 2u; half *= 4u) {
        let quarter = half / 2u;
        let step = size / (2u * half);
        for (var butterfly = lane; butterfly < ROOM / 4u; butterfly += LANES) {
            let place = butterfly % quarter;
            let at = butterfly / quarter * (2u * half) + place;
            let turn = turns[2u * place * step];
            let a = values[at];
            let b = times_conjugate(values[at + quarter], turn);
            let c = values[at + half];
            let d = times_conjugate(values[at + half + quarter], turn);
            let e = times_conjugate(c + d, turns[place * step]);
            let f = times_conjugate(c - d, turns[(place + quarter) * step]);
            values[at] = a + b + e;
            values[at + quarter] = a - b + f;
            values[at + half] = a + b - e;
            values[at + half + quarter] = a - b - f;
        }
        workgroupBarrier();
    }
    if params.log_size % 2u == 1u {
        half = size / 2u;
        for (var butterfly = lane; butterfly < ROOM / 2u; butterfly += LANES) {
            let place = butterfly % half;
            let at = butterfly / half * size + place;
            let a = values[at];
            let b = times_conjugate(values[at + half], turns[place]);
            values[at] = a + b;
            values[at + half] = a - b;
        }
        workgroupBarrier();
    }
}
