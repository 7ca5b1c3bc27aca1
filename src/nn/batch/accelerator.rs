//! Finding a real GPU and opening it.
//!
//! On a CPU adapter (lavapipe, WARP) the networks are many times slower than on the CPU itself, so
//! that none is opened unless a test asks.

use super::super::gpu::kernels::GpuDevice;
use crate::gpu::{AdapterChoice, GpuContext, GpuError};

/// Where batches run.
#[derive(Clone)]
pub(in super::super) enum BatchDevice {
    /// A GPU.
    Gpu(Box<GpuDevice>),
    /// burn's CPU device, which stands in for one in tests.
    Plain,
}

/// An opened device.
pub(in super::super) struct Accelerator {
    pub(in super::super) device: BatchDevice,
    /// The adapter's name, as its driver gives it.
    pub(in super::super) name: String,
}

/// The fastest real GPU that there is, if there is one.
///
/// # Errors
/// Why one that is there could not be opened.
pub(in super::super) fn open_real() -> Result<Option<Accelerator>, String> {
    open(AdapterChoice::Hardware)
}

/// The adapter that runs on the CPU, for tests.
///
/// # Errors
/// As [`open_real`].
pub(in super::super) fn open_software() -> Result<Option<Accelerator>, String> {
    open(AdapterChoice::Software)
}

/// The networks on burn's CPU device, for tests.
pub(in super::super) fn plain() -> Accelerator {
    Accelerator { device: BatchDevice::Plain, name: "flex".to_owned() }
}

fn open(choice: AdapterChoice) -> Result<Option<Accelerator>, String> {
    match GpuContext::headless(choice).and_then(GpuDevice::new) {
        Ok(device) => Ok(Some(Accelerator { name: device.name().to_owned(), device: BatchDevice::Gpu(Box::new(device)) })),
        Err(GpuError::NoAdapter { .. } | GpuError::NoDriver) => Ok(None),
        Err(error) => Err(format!("the GPU could not be opened ({error})")),
    }
}
