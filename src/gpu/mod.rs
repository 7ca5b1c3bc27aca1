//! The GPU below everything that computes or draws: adapter and device, shader sources, compute kernels, buffers, reading back.
//!
//! It owns no shader of its own: `project` and `render` declare theirs as [`shader::ShaderSource`] constants and list them in
//! a table, which the tests put together. What is asked of a device is WebGPU's default limits, raised to the adapter's for buffer
//! sizes only, and no optional feature, so that what runs here runs on every WebGPU adapter. Time stamps are asked for where something is
//! measured, and nothing depends on them.

pub mod buffers;
pub mod caps;
pub mod context;
pub mod dispatch;
pub mod error;
pub mod kernel;
pub mod late_readback;
pub mod readback;
pub mod shader;
pub mod timing;

pub use buffers::{PositionBuffer, StorageBuffer, UniformBuffer};
pub use caps::DeviceCaps;
pub use context::{AdapterChoice, GpuContext, find_driver, new_instance};
pub use error::GpuError;
pub use kernel::{Binding, BindingKind, BoundKernel, Kernel, KernelPipeline};
pub use late_readback::LateReadback;
pub use shader::{ShaderError, ShaderPart, ShaderSource};
pub use timing::PassTimer;
