//! Finding a real GPU and opening it.

use burn::tensor::Device;

/// An opened device.
#[derive(Clone)]
pub(in super::super) struct Accelerator {
    pub(in super::super) device: Device,
    /// The adapter's name, as its driver gives it.
    pub(in super::super) name: String,
    /// Whether it is a CPU in disguise.
    pub(in super::super) is_cpu: bool,
}

/// The fastest kind of real GPU that there is, if there is one.
pub(in super::super) fn open_real() -> Result<Option<Accelerator>, String> {
    Ok(None)
}

/// The adapter that runs on the CPU, for tests.
pub(in super::super) fn open_software() -> Result<Option<Accelerator>, String> {
    Ok(None)
}
