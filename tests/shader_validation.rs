//! Every composed shader is valid, and asks no more than WebGPU's default limits give.

use std::collections::BTreeSet;
use std::path::Path;

use tagscape::gpu::{ShaderPart, ShaderSource};
use wgpu::naga::{AddressSpace, Module, ShaderStage, proc::Layouter};

use crate::common::gpu::gpu;
use crate::common::shaders;

/// What a shader asks past WebGPU's defaults, in words.
fn excesses(module: &Module) -> Vec<String> {
    let limits = wgpu::Limits::defaults();
    let mut layouter = Layouter::default();
    layouter.update(module.to_ctx()).unwrap();
    let mut excesses = Vec::new();
    let mut check = |what: &str, asked: u64, limit: u64| {
        if asked > limit {
            excesses.push(format!("{what}: {asked} of {limit}"));
        }
    };
    let of_space = |wanted: fn(&AddressSpace) -> bool| module.global_variables.iter().filter(move |(_, global)| wanted(&global.space));
    let storage = of_space(|space| matches!(space, AddressSpace::Storage { .. })).count();
    let shared: u32 = of_space(|space| *space == AddressSpace::WorkGroup).map(|(_, global)| layouter[global.ty].size).sum();
    let groups = module.global_variables.iter().filter_map(|(_, global)| global.binding).map(|binding| binding.group + 1).max();
    check("storage buffers", storage as u64, u64::from(limits.max_storage_buffers_per_shader_stage));
    check("workgroup memory", u64::from(shared), u64::from(limits.max_compute_workgroup_storage_size));
    check("bind groups", u64::from(groups.unwrap_or(0)), u64::from(limits.max_bind_groups));
    for entry in module.entry_points.iter().filter(|entry| entry.stage == ShaderStage::Compute) {
        let [x, y, z] = entry.workgroup_size;
        check("invocations", u64::from(x * y * z), u64::from(limits.max_compute_invocations_per_workgroup));
        check("invocations along x", u64::from(x), u64::from(limits.max_compute_workgroup_size_x));
        check("invocations along y", u64::from(y), u64::from(limits.max_compute_workgroup_size_y));
        check("invocations along z", u64::from(z), u64::from(limits.max_compute_workgroup_size_z));
    }
    excesses
}

#[test]
fn every_shader_is_valid_and_within_the_default_limits() {
    for source in shaders::all() {
        let module = source.parse().unwrap_or_else(|error| panic!("{error}"));
        assert!(!module.entry_points.is_empty(), "{} has no entry point", source.name);
        let excesses = excesses(&module);
        assert!(excesses.is_empty(), "{}: {excesses:?}", source.name);
    }
}

#[test]
fn every_shader_compiles_on_the_software_device() {
    for source in shaders::all() {
        source.create_module(gpu()).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn shader_names_are_unique_and_every_file_belongs_to_a_shader() {
    let names: BTreeSet<_> = shaders::all().map(|source| source.name).collect();
    assert_eq!(names.len(), shaders::all().count());
    let used: BTreeSet<_> = shaders::all().flat_map(|source| source.parts).map(|part| part.file.to_owned()).collect();
    let mut there = BTreeSet::new();
    for folder in ["shaders", "shaders/shared"] {
        for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".wgsl") {
                there.insert(format!("{folder}/{name}"));
            }
        }
    }
    assert_eq!(used, there);
}

#[test]
fn a_mistake_in_the_second_file_of_a_real_shader_is_placed_there() {
    let real = shaders::all().find(|source| source.name == "pca.mean").unwrap();
    let broken = real.parts[2].text.replace("var sum = 0.0;", "var sum = nought;");
    assert_ne!(broken, real.parts[2].text);
    let line = 1 + broken.lines().position(|line| line.contains("nought")).unwrap();
    let part = ShaderPart { file: real.parts[2].file, text: broken.leak() };
    let parts = vec![real.parts[0], real.parts[1], part].leak();
    let error = ShaderSource { name: "broken", parts }.parse().unwrap_err();
    assert_eq!(error.place, Some(("shaders/pca_mean.wgsl", line as u32)), "{error}");
}

#[test]
fn too_much_workgroup_memory_is_an_excess() {
    const GREEDY: ShaderPart = ShaderPart {
        file: "shaders/greedy.wgsl",
        text: "var<workgroup> much: array<f32, 5000>;\n@compute @workgroup_size(16, 32)\nfn main() { much[0] = 1.0; }\n",
    };
    let module = ShaderSource { name: "greedy", parts: &[GREEDY] }.parse().unwrap();
    assert_eq!(excesses(&module), ["workgroup memory: 20000 of 16384", "invocations: 512 of 256"]);
}
