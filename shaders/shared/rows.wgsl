// Runs longer than 65,535 workgroups are dispatched as a rectangle (gpu::kernel::grid_of); this puts it in line again. The rectangle
// may have a few workgroups too many: a kernel leaves when its number is past the end.
fn workgroup_number(workgroup: vec3u, workgroups: vec3u) -> u32 {
    return workgroup.y * workgroups.x + workgroup.x;
}
