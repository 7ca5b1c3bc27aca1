//! What a device is and how much it takes.

/// What the program needs to know of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceCaps {
    /// The adapter's name, as its driver gives it.
    pub name: String,
    /// The driver and its version.
    pub driver: String,
    /// Vulkan, Metal or Direct3D 12.
    pub backend: wgpu::Backend,
    /// Discrete, integrated, virtual, or a CPU.
    pub device_type: wgpu::DeviceType,
    /// The limits that were granted: WebGPU's defaults, but buffers as large as the adapter allows.
    pub limits: wgpu::Limits,
}

impl DeviceCaps {
    /// Whether the "GPU" is a CPU in disguise, such as lavapipe or WARP: the CPU engines are faster there.
    #[must_use]
    pub fn is_cpu(&self) -> bool {
        self.device_type == wgpu::DeviceType::Cpu
    }

    /// Bytes that one storage binding may have.
    #[must_use]
    pub fn storage_binding_bytes(&self) -> u64 {
        self.limits.max_storage_buffer_binding_size.min(self.limits.max_buffer_size)
    }

    pub(super) fn of(info: &wgpu::AdapterInfo, limits: wgpu::Limits) -> Self {
        Self {
            name: info.name.clone(),
            driver: [info.driver.as_str(), info.driver_info.as_str()].join(" ").trim().to_owned(),
            backend: info.backend,
            device_type: info.device_type,
            limits,
        }
    }
}
