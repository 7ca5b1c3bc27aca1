// Cells for finding pairs that are near. Twin: project::tsne::near.

fn cell_counts() -> vec3u {
    return vec3u(plan.cells_x, plan.cells_y, plan.cells_z);
}

fn cell_of(position: vec3f) -> vec3u {
    return min(vec3u(max((position - plan.origin.xyz) * plan.per_unit, vec3f(0.0))), cell_counts() - 1u);
}

// The first axis runs fastest.
fn cell_number(cell: vec3u) -> u32 {
    return (cell.z * plan.cells_y + cell.y) * plan.cells_x + cell.x;
}
