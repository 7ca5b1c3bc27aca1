// A step down the gradient with momentum, gains and a longest step; and each workgroup's sum and bounds. Twin: project::tsne::TsneRun::step.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(1) @binding(0) var<storage, read> gradient: array<vec4f>;
@group(1) @binding(1) var<storage, read_write> positions: array<vec4f>;
@group(1) @binding(2) var<storage, read_write> speeds: array<vec4f>;
@group(1) @binding(3) var<storage, read_write> gains: array<vec4f>;
@group(1) @binding(4) var<storage, read_write> partials: array<TsnePartial>;

const LANES = 64u;
const LONGEST_STEP = 5.0;
const SMALLEST_GAIN = 0.01;

var<workgroup> parts: array<TsnePartial, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(workgroup, workgroups);
    let row = number * LANES + lane;
    let is_there = row < params.rows;
    var at = vec4f(0.0);
    if is_there {
        let slope = gradient[row];
        var speed = speeds[row];
        let turns = (slope > vec4f(0.0)) == (speed > vec4f(0.0));
        let gain = select(gains[row] + 0.2, max(gains[row] * 0.8, vec4f(SMALLEST_GAIN)), turns);
        speed = params.momentum * speed - params.rate * gain * slope;
        let length = sqrt(dot(speed.xyz, speed.xyz));
        speed *= select(1.0, LONGEST_STEP / length, length > LONGEST_STEP);
        gains[row] = gain;
        speeds[row] = speed;
        at = positions[row] + speed;
        positions[row] = at;
    }
    parts[lane] = TsnePartial(at, at, at);
    workgroupBarrier();
    // Behind the last row there is nothing to add, and no bound; the first of a workgroup is always there.
    if !is_there {
        parts[lane].low = parts[0].low;
        parts[lane].high = parts[0].high;
    }
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            parts[lane].sum += parts[lane + half].sum;
            parts[lane].low = min(parts[lane].low, parts[lane + half].low);
            parts[lane].high = max(parts[lane].high, parts[lane + half].high);
        }
    }
    if lane == 0u && is_there {
        partials[number] = parts[0];
    }
}
