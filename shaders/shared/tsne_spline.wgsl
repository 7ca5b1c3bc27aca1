// Cubic B-splines on the grid. Twin: project::tsne::grid.

// Nodes that a spline touches along an axis.
const SUPPORT = 4u;

// The weights on four nodes, for a point at t (0..1) between the second and the third.
fn spline(t: f32) -> vec4f {
    let s = 1.0 - t;
    return vec4f(s * s * s, (3.0 * t - 6.0) * t * t + 4.0, (3.0 * s - 6.0) * s * s + 4.0, t * t * t) / 6.0;
}

// Their derivatives.
fn spline_slope(t: f32) -> vec4f {
    let s = 1.0 - t;
    return vec4f(-0.5 * s * s, (1.5 * t - 2.0) * t, (2.0 - 1.5 * s) * s, 0.5 * t * t);
}

// Where a position is: the first of the four nodes along each axis, and the place between the inner two, 0..1.
struct Place {
    first: vec3u,
    within: vec3f,
}

fn place_of(position: vec3f) -> Place {
    let along = (position - plan.origin.xyz) / plan.spacing;
    // Rounding may put the last point on the node behind the last cell.
    let first = min(vec3u(max(along, vec3f(0.0))), vec3u(plan.nodes - SUPPORT));
    return Place(first, along - vec3f(first));
}
