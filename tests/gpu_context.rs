//! The GPU layer on a real (software) device: what it opens, how it fails, and that bytes come back as they went in.

use tagscape::gpu::{AdapterChoice, GpuContext, GpuError, PositionBuffer, ShaderPart, ShaderSource, StorageBuffer, readback};

use crate::common::gpu::gpu;

#[test]
fn the_software_adapter_is_a_cpu_and_has_the_default_limits() {
    let context = gpu();
    assert!(context.caps.is_cpu(), "{:?}", context.caps);
    assert!(wgpu::Limits::defaults().check_limits(&context.caps.limits), "{:?}", context.caps.limits);
    assert_eq!(context.caps.limits.max_compute_workgroup_storage_size, wgpu::Limits::defaults().max_compute_workgroup_storage_size);
}

#[test]
fn an_adapter_that_is_not_there_is_refused_by_name_and_those_that_are_are_listed() {
    let error = GpuContext::headless(AdapterChoice::Named("Voodoo 2".into())).unwrap_err();
    assert!(error.to_string().contains("Voodoo 2") && error.to_string().contains(&gpu().caps.name), "{error}");
}

#[test]
fn an_adapter_is_found_by_part_of_its_name() {
    let name = gpu().caps.name.to_uppercase();
    assert_eq!(GpuContext::headless(AdapterChoice::Named(name[..4].to_owned())).unwrap().caps.name, gpu().caps.name);
}

#[test]
fn a_real_gpu_is_no_cpu_and_where_there_is_none_that_is_said() {
    match GpuContext::headless(AdapterChoice::Hardware) {
        Ok(context) => assert!(!context.caps.is_cpu(), "{:?}", context.caps),
        Err(error) => {
            assert!(matches!(error, GpuError::NoAdapter { .. }), "{error}");
            assert!(error.to_string().starts_with("no real one among the GPU adapters found ("), "{error}");
        }
    }
}

#[test]
fn values_are_copied_to_where_they_are_wanted_and_not_past_the_end() {
    let (from, into) = ([1.5_f32, 2.5, 3.5, 4.5], [0.0_f32; 5]);
    let from = StorageBuffer::from_values(gpu(), "from", &from).unwrap();
    let into = StorageBuffer::from_values(gpu(), "into", &into).unwrap();
    into.copy_from(gpu(), 2, &from, 3).unwrap();
    assert_eq!(into.read(gpu()).unwrap(), [0.0, 0.0, 1.5, 2.5, 3.5]);
    assert!(matches!(into.copy_from(gpu(), 3, &from, 3), Err(GpuError::Rejected { .. })));
    assert!(matches!(from.copy_from(gpu(), 0, &into, 5), Err(GpuError::Rejected { .. })));
    assert_eq!(into.read(gpu()).unwrap(), [0.0, 0.0, 1.5, 2.5, 3.5]);
}

#[test]
fn values_come_back_as_they_went_in() {
    for len in [0, 1, 3, 1000] {
        let values: Vec<u32> = (0..len).map(|i| i * 2_654_435_761u32.wrapping_mul(i)).collect();
        let buffer = StorageBuffer::from_values(gpu(), "test", &values).unwrap();
        assert_eq!((buffer.len(), buffer.read(gpu()).unwrap()), (values.len(), values));
    }
}

#[test]
fn positions_come_back_as_they_went_in_and_can_be_replaced() {
    let positions = [[1.0, 2.0, 3.0], [-4.0, 5.0, -6.0]];
    let buffer = PositionBuffer::from_positions(gpu(), &positions).unwrap();
    assert_eq!(buffer.read(gpu()).unwrap(), positions);
    let moved = [[0.5, 0.0, 0.0], [0.0, 0.25, 0.0]];
    buffer.write(gpu(), &moved).unwrap();
    assert_eq!(buffer.read(gpu()).unwrap(), moved);
    let many = vec![[0.0; 3]; 3];
    assert!(matches!(buffer.write(gpu(), &many), Err(GpuError::TooLarge { .. })));
}

#[test]
fn a_buffer_past_the_binding_limit_is_refused_before_it_is_asked_for() {
    let limit = gpu().caps.storage_binding_bytes();
    let len = usize::try_from(limit / 4 + 1).unwrap();
    let error = StorageBuffer::<f32>::zeroed(gpu(), "everything", len).unwrap_err();
    assert!(matches!(error, GpuError::TooLarge { bytes, limit: said, .. } if bytes == limit + 4 && said == limit), "{error}");
}

#[test]
fn a_shader_that_the_device_rejects_names_its_own_file_and_line() {
    const GOOD: ShaderPart = ShaderPart { file: "shaders/good.wgsl", text: "const ONE = 1u;\n" };
    const BAD: ShaderPart = ShaderPart { file: "shaders/bad.wgsl", text: "// One.\n// Two.\nfn broken() -> u32 { return missing; }\n" };
    let error = ShaderSource { name: "broken", parts: &[GOOD, BAD] }.create_module(gpu()).unwrap_err();
    let said = error.to_string();
    assert!(said.starts_with("shaders/bad.wgsl:3: ") && said.contains("missing") && said.lines().count() == 1, "{said}");
    assert!(gpu().errors.take().is_empty(), "the error was caught in its scope");
}

#[test]
fn a_picture_comes_back_without_the_gaps_between_its_rows() {
    // 50 pixels are 200 bytes, and the device copies rows at multiples of 256.
    let (width, height) = (50, 7);
    let pixels: Vec<u8> = (0..width * height * 4).map(|i| (i * 31 % 251) as u8).collect();
    let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
    let texture = gpu().device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::COPY_SRC | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(width * 4), rows_per_image: None };
    gpu().queue.write_texture(texture.as_image_copy(), &pixels, layout, size);
    assert_eq!(readback::read_texture(gpu(), &texture).unwrap(), pixels);
}

#[test]
fn a_picture_of_another_format_is_refused() {
    let texture = gpu().device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size: wgpu::Extent3d { width: 4, height: 4, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::R32Float,
        usage: wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    assert!(matches!(readback::read_texture(gpu(), &texture), Err(GpuError::Rejected { .. })));
}
