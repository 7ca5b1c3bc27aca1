//! Rust and WGSL agree: members of parameter structs, workgroup sizes, bindings.

use std::mem::offset_of;

use tagscape::gpu::{Binding, BindingKind, Kernel, ShaderSource};
use tagscape::nn::gpu::kernels::{self as networks, ConvolveParams, PoolParams, PoolTimeParams};
use tagscape::project::nearest::gpu::NearestParams;
use tagscape::project::pca::gpu::PcaParams;
use tagscape::project::tsne::gpu::params::{FftPass, TsneParams, TsnePartial, TsnePlan};
use tagscape::project::umap::gpu::{Bounds, UmapParams};
use tagscape::project::{nearest, pca, tsne, umap};
use tagscape::render::{self, blend::BlendParams, pick::PickParams, select::kernels::SelectParams, splat::SplatParams};
use tagscape::{nn, project};
use wgpu::naga::{AddressSpace, Module, StorageAccess, TypeInner};

/// Name, offset and, last, the size of the whole, as Rust has them.
type Layout = (Vec<(&'static str, usize)>, usize);

/// The offsets of a Rust struct's members, and its size.
macro_rules! layout_of {
    ($ty:ty { $($member:ident),* $(,)? }) => {
        (vec![$((stringify!($member), offset_of!($ty, $member))),*], size_of::<$ty>())
    };
}

fn wgsl_layout(module: &Module, name: &str) -> (Vec<(String, usize)>, usize) {
    let found = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some(name));
    let Some((_, ty)) = found else { panic!("no struct {name}") };
    let TypeInner::Struct { members, span } = &ty.inner else { panic!("{name} is no struct") };
    let members = members.iter().map(|member| (member.name.clone().unwrap_or_default(), member.offset as usize)).collect();
    (members, *span as usize)
}

fn assert_layout(source: &ShaderSource, name: &str, rust: &Layout) {
    let (members, size) = wgsl_layout(&source.parse().unwrap(), name);
    let rust_members: Vec<_> = rust.0.iter().map(|&(name, offset)| (name.to_owned(), offset)).collect();
    assert_eq!((members, size), (rust_members, rust.1), "{name} in {}", source.name);
}

/// The bindings that a shader declares, sorted.
fn wgsl_bindings(module: &Module) -> Vec<Binding> {
    let mut bindings: Vec<_> = module
        .global_variables
        .iter()
        .filter_map(|(_, global)| {
            let kind = match global.space {
                AddressSpace::Uniform => BindingKind::Uniform,
                AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => BindingKind::Output,
                AddressSpace::Storage { .. } => BindingKind::Input,
                _ => return None,
            };
            global.binding.map(|at| Binding { group: at.group, binding: at.binding, kind })
        })
        .collect();
    bindings.sort_by_key(|binding| (binding.group, binding.binding));
    bindings
}

/// Where the table and the shader differ, in words.
fn disagreement(kernel: &Kernel) -> Option<String> {
    let module = kernel.shader.parse().unwrap();
    let entry = module.entry_points.iter().find(|entry| entry.name == "main")?;
    if entry.workgroup_size != kernel.workgroup_size {
        return Some(format!("workgroup size {:?}, not {:?}", entry.workgroup_size, kernel.workgroup_size));
    }
    let bindings = wgsl_bindings(&module);
    (bindings != kernel.bindings).then(|| format!("bindings {bindings:?}, not {:?}", kernel.bindings))
}

#[test]
fn the_parameters_of_pca_lie_where_the_shader_reads_them() {
    let rust = layout_of!(PcaParams { rows, dims, axes, slab_rows, scale, unscale, unused_a, unused_b });
    for kernel in pca::gpu::KERNELS {
        assert_layout(&kernel.shader, "PcaParams", &rust);
    }
}

#[test]
fn the_parameters_of_the_search_for_neighbours_lie_where_the_shaders_read_them() {
    let rust = layout_of!(NearestParams { rows, dims, first, queries, wanted, slot, unused_a, unused_b });
    for kernel in nearest::gpu::KERNELS {
        assert_layout(&kernel.shader, "NearestParams", &rust);
    }
}

#[test]
fn what_the_kernels_of_tsne_share_lies_where_the_shaders_read_it() {
    let params = layout_of!(TsneParams {
        rows,
        dims,
        log_size,
        most_cells,
        exaggeration,
        momentum,
        rate,
        neighbors,
        counted,
        entropy,
        unused_a,
        unused_b
    });
    let plan = layout_of!(TsnePlan {
        origin,
        high,
        mean,
        spacing,
        limit,
        reach,
        base,
        per_unit,
        z,
        own,
        changed,
        nodes,
        cells_x,
        cells_y,
        cells_z
    });
    let partial = layout_of!(TsnePartial { sum, low, high });
    let holds = |shader: &ShaderSource, name: &str| shader.parse().unwrap().types.iter().any(|(_, ty)| ty.name.as_deref() == Some(name));
    let mut seen = 0;
    for kernel in tsne::gpu::kernels::KERNELS {
        for (name, rust) in [("TsneParams", &params), ("TsnePlan", &plan), ("TsnePartial", &partial)] {
            if holds(&kernel.shader, name) {
                assert_layout(&kernel.shader, name, rust);
                seen += 1;
            }
        }
    }
    assert!(seen >= 2 * tsne::gpu::kernels::KERNELS.len(), "{seen}");
    assert_layout(&tsne::gpu::kernels::FFT.shader, "FftPass", &layout_of!(FftPass { axis, mode, whole, unused }));
}

#[test]
fn what_the_kernels_of_umap_share_lies_where_the_shaders_read_it() {
    let params = layout_of!(UmapParams { rows, iteration, seed, rate, a, b, unused0, unused1 });
    for kernel in umap::gpu::kernels::KERNELS {
        assert_layout(&kernel.shader, "UmapParams", &params);
        assert_layout(&kernel.shader, "Bounds", &layout_of!(Bounds { low, high }));
    }
}

#[test]
fn what_the_passes_of_the_splat_share_lies_where_the_shaders_read_it() {
    let params = layout_of!(SplatParams {
        stride,
        phase,
        width,
        cells,
        levels,
        mode,
        cell,
        margin,
        faint,
        reach,
        lines,
        veil,
        first,
        octaves,
        grey,
        classes,
        haze,
        unused0,
        unused1,
        unused2,
        corner,
        origin,
        own
    });
    let last = render::splat::kernels::RESOLVE;
    for shader in render::splat::kernels::KERNELS.iter().map(|kernel| &kernel.shader).chain([&last]) {
        assert_layout(shader, "SplatParams", &params);
    }
}

#[test]
fn what_the_pass_that_blends_marks_knows_lies_where_the_shader_reads_it() {
    let params = layout_of!(BlendParams { classes, is_exact, is_dimmed, unused, background, back, palette });
    assert_layout(&render::blend::RESOLVE, "BlendParams", &params);
}

#[test]
fn what_the_kernels_of_picking_share_lies_where_the_shaders_read_it() {
    let params =
        layout_of!(PickParams { across, down, depth, anchor, row_count, seen, radius2, disc, fitted, candidates, unused_a, unused_b });
    for kernel in render::pick::kernels::KERNELS {
        assert_layout(&kernel.shader, "PickParams", &params);
    }
}

#[test]
fn what_the_kernel_of_choosing_knows_lies_where_the_shader_reads_it() {
    let params = layout_of!(SelectParams { width, unused0, unused1, unused2 });
    assert_layout(&render::select::kernels::INSIDE.shader, "SelectParams", &params);
}

#[test]
fn what_a_morph_is_told_lies_where_the_shader_reads_it() {
    assert_layout(&render::morph::MIX.shader, "MorphParams", &layout_of!(render::morph::MorphParams { rows, way }));
}

#[test]
fn what_the_kernels_of_the_networks_are_told_lies_where_the_shaders_read_it() {
    let convolve = layout_of!(ConvolveParams {
        rows,
        features,
        depth,
        inputs,
        height,
        width,
        pitch,
        kernel_width,
        out_height,
        out_width,
        pad_top,
        pad_left,
        out_pitch,
        out_first,
        activation,
        has_residual
    });
    let pool = layout_of!(PoolParams {
        rows,
        features,
        height,
        width,
        out_height,
        out_width,
        window_height,
        window_width,
        step_down,
        step_across,
        out_pitch,
        out_first
    });
    let pool_time = layout_of!(PoolTimeParams { rows, frames, features, out_pitch, out_first, unused_a, unused_b, unused_c });
    assert_layout(&networks::CONVOLVE.shader, "ConvolveParams", &convolve);
    assert_layout(&networks::POOL.shader, "PoolParams", &pool);
    assert_layout(&networks::POOL_TIME.shader, "PoolTimeParams", &pool_time);
}

#[test]
fn kernel_tables_say_what_the_shaders_say() {
    for kernel in [project::KERNELS, nn::KERNELS, render::KERNELS].into_iter().flatten().copied().flatten() {
        assert_eq!(kernel.shader.parse().unwrap().entry_points.len(), 1, "{}", kernel.shader.name);
        assert_eq!(disagreement(kernel), None, "{}", kernel.shader.name);
    }
}

#[test]
fn a_table_that_is_off_is_noticed() {
    let right = *pca::gpu::KERNELS[0];
    assert!(disagreement(&Kernel { workgroup_size: [32, 1, 1], ..right }).unwrap().contains("workgroup size"));
    const BINDINGS: &[Binding] = &[Binding::PARAMS, Binding::output(0), Binding::output(1)];
    assert!(disagreement(&Kernel { bindings: BINDINGS, ..right }).unwrap().contains("bindings"));
}

#[test]
#[should_panic(expected = "PcaParams in pca.mean")]
fn a_struct_that_is_off_is_noticed() {
    let (mut members, size): Layout = layout_of!(PcaParams { rows, dims, axes, slab_rows, scale, unscale, unused_a, unused_b });
    members.swap(0, 1);
    assert_layout(&pca::gpu::MEAN.shader, "PcaParams", &(members, size));
}
