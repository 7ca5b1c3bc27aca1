//! Every composed shader is valid, and asks no more than WebGPU's default limits give.

use std::collections::BTreeSet;
use std::path::Path;

use tagscape::gpu::{ShaderPart, ShaderSource};
use tagscape::render::{blend, passes};
use wgpu::naga::{
    AddressSpace, Barrier, Block, Expression, Function, GlobalVariable, Handle, Module, ShaderStage, Statement, proc::Layouter,
};

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

/// A walk over a shader in the order of its text, for what it reads of workgroup memory.
struct Walk<'m> {
    module: &'m Module,
    /// What was written, and what of it every lane can see since a barrier.
    written: BTreeSet<String>,
    seen: BTreeSet<String>,
    faults: Vec<String>,
}

impl<'m> Walk<'m> {
    /// The reads of workgroup memory that nothing was written to, and to which no barrier leads, before.
    fn faults(module: &'m Module) -> Vec<String> {
        let mut faults = Vec::new();
        for entry in &module.entry_points {
            let mut walk = Self { module, written: BTreeSet::new(), seen: BTreeSet::new(), faults: Vec::new() };
            walk.block(&entry.function, &entry.function.body);
            faults.append(&mut walk.faults);
        }
        faults
    }

    fn workgroup_memory(&self, function: &Function, mut pointer: Handle<Expression>) -> Option<String> {
        loop {
            match function.expressions[pointer] {
                Expression::Access { base, .. } | Expression::AccessIndex { base, .. } => pointer = base,
                Expression::GlobalVariable(global) => return self.name(global),
                _ => return None,
            }
        }
    }

    fn name(&self, global: Handle<GlobalVariable>) -> Option<String> {
        let global = &self.module.global_variables[global];
        (global.space == AddressSpace::WorkGroup).then(|| global.name.clone().unwrap())
    }

    fn read(&mut self, function: &Function, pointer: Handle<Expression>) {
        if let Some(name) = self.workgroup_memory(function, pointer).filter(|name| !self.seen.contains(name)) {
            self.faults.push(name);
        }
    }

    fn block(&mut self, function: &Function, block: &Block) {
        for statement in block {
            match statement {
                Statement::Emit(range) => {
                    for expression in range.clone() {
                        if let Expression::Load { pointer } = function.expressions[expression] {
                            self.read(function, pointer);
                        }
                    }
                }
                Statement::Store { pointer, .. } => self.written.extend(self.workgroup_memory(function, *pointer)),
                Statement::Atomic { pointer, .. } => self.read(function, *pointer),
                Statement::WorkGroupUniformLoad { pointer, .. } => {
                    self.seen = self.written.clone();
                    self.read(function, *pointer);
                }
                Statement::ControlBarrier(barrier) if barrier.contains(Barrier::WORK_GROUP) => self.seen = self.written.clone(),
                Statement::Block(inner) => self.block(function, inner),
                Statement::If { accept, reject, .. } => {
                    self.block(function, accept);
                    self.block(function, reject);
                }
                Statement::Switch { cases, .. } => cases.iter().for_each(|case| self.block(function, &case.body)),
                Statement::Loop { body, continuing, .. } => {
                    self.block(function, body);
                    self.block(function, continuing);
                }
                Statement::Call { function: called, arguments, .. } => {
                    // Where a pointer goes, this walk does not follow.
                    let passed: Vec<_> = arguments.iter().filter_map(|&argument| self.workgroup_memory(function, argument)).collect();
                    self.faults.extend(passed);
                    let called = &self.module.functions[*called];
                    self.block(called, &called.body);
                }
                _ => {}
            }
        }
    }
}

#[test]
fn no_shader_reads_workgroup_memory_that_it_did_not_write_before() {
    let mut with_memory = 0;
    for source in shaders::all() {
        let module = source.parse().unwrap();
        with_memory += usize::from(module.global_variables.iter().any(|(_, global)| global.space == AddressSpace::WorkGroup));
        assert_eq!(Walk::faults(&module), Vec::<String>::new(), "{} counts on zeros, or a barrier is missing", source.name);
    }
    assert!(with_memory > 20, "{with_memory} shaders with workgroup memory");
}

#[test]
fn a_shader_that_counts_on_zeros_or_on_its_neighbours_is_found() {
    let faults = |body: &str| {
        let text = format!(
            "var<workgroup> own: atomic<u32>;\nvar<workgroup> all: array<u32, 64>;\nfn helped(lane: u32) -> u32 {{ return all[lane]; }}\n\
             @compute @workgroup_size(64)\nfn main(@builtin(local_invocation_index) lane: u32) {{ {body} }}\n"
        );
        let parts = vec![ShaderPart { file: "shaders/made_up.wgsl", text: text.leak() }].leak();
        Walk::faults(&ShaderSource { name: "made up", parts }.parse().unwrap())
    };
    let fine = "if lane == 0u { atomicStore(&own, 0u); } workgroupBarrier(); atomicAdd(&own, 1u); all[lane] = 1u; workgroupBarrier(); _ = helped(lane);";
    assert_eq!(faults(fine), Vec::<String>::new());
    assert_eq!(faults("atomicAdd(&own, 1u);"), ["own"]);
    assert_eq!(faults("atomicStore(&own, 0u); atomicAdd(&own, 1u);"), ["own"]);
    assert_eq!(faults("all[lane] = 1u; let other = all[63u - lane]; workgroupBarrier(); all[lane] = other;"), ["all"]);
    assert_eq!(faults("_ = helped(lane); all[lane] = 1u;"), ["all"]);
    assert_eq!(faults("storageBarrier(); if lane == 0u { all[lane] += 1u; }"), ["all"]);
}

/// Branches of a shader that depend on uniforms and nothing else, by the functions that they are in.
fn uniform_branches(module: &Module) -> Vec<String> {
    /// Whether an expression has a uniform in it, and nothing that is known only later.
    fn is_of_uniforms(module: &Module, function: &Function, expression: Handle<Expression>) -> (bool, bool) {
        let of = |handles: &[Handle<Expression>]| {
            handles.iter().fold((false, true), |(any, all), &handle| {
                let (has, only) = is_of_uniforms(module, function, handle);
                (any | has, all & only)
            })
        };
        match &function.expressions[expression] {
            Expression::Literal(_) | Expression::Constant(_) | Expression::ZeroValue(_) | Expression::Override(_) => (false, true),
            Expression::Load { pointer } => of(&[*pointer]),
            Expression::GlobalVariable(global) => {
                let is_uniform = module.global_variables[*global].space == AddressSpace::Uniform;
                (is_uniform, is_uniform)
            }
            Expression::AccessIndex { base, .. } | Expression::Swizzle { vector: base, .. } | Expression::Splat { value: base, .. } => {
                of(&[*base])
            }
            Expression::Access { base, index } => of(&[*base, *index]),
            Expression::Unary { expr, .. } | Expression::As { expr, .. } => of(&[*expr]),
            Expression::Binary { left, right, .. } => of(&[*left, *right]),
            Expression::Select { condition, accept, reject } => of(&[*condition, *accept, *reject]),
            Expression::Relational { argument, .. } => of(&[*argument]),
            Expression::Compose { components, .. } => of(components),
            _ => (false, false),
        }
    }
    fn walk(module: &Module, function: &Function, block: &Block, found: &mut Vec<String>) {
        for statement in block {
            match statement {
                Statement::Block(inner) => walk(module, function, inner, found),
                Statement::If { condition, accept, reject } => {
                    if is_of_uniforms(module, function, *condition) == (true, true) {
                        found.extend(function.name.clone());
                    }
                    walk(module, function, accept, found);
                    walk(module, function, reject, found);
                }
                Statement::Switch { cases, .. } => cases.iter().for_each(|case| walk(module, function, &case.body, found)),
                Statement::Loop { body, continuing, .. } => {
                    walk(module, function, body, found);
                    walk(module, function, continuing, found);
                }
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    let entries = module.entry_points.iter().map(|entry| &entry.function);
    for function in module.functions.iter().map(|(_, function)| function).chain(entries) {
        walk(module, function, &function.body, &mut found);
    }
    found
}

/// Mesa's software driver puts the numbers that such branches depend on into the shader's code, anew for each frame, and keeps every one: a
/// third of a megabyte a frame (`update_inline_shader_state` in lavapipe, up to Mesa 23).
#[test]
fn no_branch_of_a_shader_that_draws_marks_depends_on_uniforms_alone() {
    for source in [passes::POINTS, passes::TRAJECTORIES, blend::RESOLVE] {
        let found = uniform_branches(&source.parse().unwrap());
        assert!(found.is_empty(), "{}: in {found:?}", source.name);
    }
}

#[test]
fn a_branch_that_depends_on_uniforms_alone_is_found() {
    let found = |condition: &str| {
        let text = format!(
            "struct Frame {{ is_on: u32, at: vec4f }}\n@group(0) @binding(0) var<uniform> frame: Frame;\n\
             @group(0) @binding(1) var<storage, read> rows: array<u32>;\n\
             @vertex\nfn vs(@builtin(vertex_index) row: u32) -> @builtin(position) vec4f {{\n\
             var at = vec4f(0.0);\nif {condition} {{ at = frame.at; }}\nreturn at;\n}}\n"
        );
        let parts = vec![ShaderPart { file: "shaders/made_up.wgsl", text: text.leak() }].leak();
        uniform_branches(&ShaderSource { name: "made up", parts }.parse().unwrap()).len()
    };
    assert_eq!(found("frame.is_on != 0u"), 1);
    assert_eq!(found("frame.at.x > 0.5"), 1);
    assert_eq!(found("frame.is_on != 0u && rows[row] == 1u"), 1);
    assert_eq!(found("(frame.is_on != 0u) & (rows[row] == 1u)"), 0);
    assert_eq!(found("rows[row] == frame.is_on"), 0);
    assert_eq!(found("row < frame.is_on"), 0);
}
