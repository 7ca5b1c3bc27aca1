//! Finding a real GPU and opening it in burn.
//!
//! burn opens an adapter by its kind. Only the kinds of real GPUs are asked for: on a CPU adapter (lavapipe, WARP) the networks are five to fifty
//! times slower than on the CPU itself. cubecl decides by the adapter's features which kernels it may use, so that the device is its own and
//! not the one that draws.

use std::panic::catch_unwind;
use std::sync::{Mutex, PoisonError};

use burn::tensor::wgpu::WgpuInitError;
use burn::tensor::wgpu::wgpu::DeviceType;
use burn::tensor::{Device, DeviceKind};

/// An opened device.
#[derive(Clone)]
pub(in super::super) struct Accelerator {
    pub(in super::super) device: Device,
    /// The adapter's name, as its driver gives it.
    pub(in super::super) name: String,
    /// Whether it is a CPU in disguise.
    pub(in super::super) is_cpu: bool,
}

/// Those that were opened: burn opens each once in a process.
static OPENED: Mutex<Vec<(DeviceKind, Accelerator)>> = Mutex::new(Vec::new());

/// The fastest kind of real GPU that there is, if there is one.
///
/// # Errors
/// Why one that is there could not be opened.
pub(in super::super) fn open_real() -> Result<Option<Accelerator>, String> {
    let mut failure = None;
    for kind in [DeviceKind::DiscreteGpu(0), DeviceKind::IntegratedGpu(0), DeviceKind::VirtualGpu(0)] {
        match open(kind) {
            Ok(Some(accelerator)) if !accelerator.is_cpu => return Ok(Some(accelerator)),
            Ok(_) => {}
            Err(reason) => failure = failure.or(Some(reason)),
        }
    }
    failure.map_or(Ok(None), Err)
}

/// The adapter that runs on the CPU, for tests.
///
/// # Errors
/// As [`open_real`].
pub(in super::super) fn open_software() -> Result<Option<Accelerator>, String> {
    open(DeviceKind::Cpu)
}

/// The first adapter of a kind.
fn open(kind: DeviceKind) -> Result<Option<Accelerator>, String> {
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, accelerator)) = opened.iter().find(|(known, _)| *known == kind) {
        return Ok(Some(accelerator.clone()));
    }
    let options = Device::wgpu_options().device_kind(kind.clone());
    let (device, setup) = match catch_unwind(|| options.init_with_setup()) {
        Ok(Ok(done)) => done,
        Ok(Err(WgpuInitError::AdapterUnavailable { .. })) => return Ok(None),
        Ok(Err(error)) => return Err(format!("the GPU could not be opened ({error})")),
        Err(_) => return Err("the GPU could not be opened (its driver failed)".to_owned()),
    };
    let about = setup.adapter.get_info();
    let accelerator = Accelerator { device, name: about.name, is_cpu: about.device_type == DeviceType::Cpu };
    opened.push((kind, accelerator.clone()));
    Ok(Some(accelerator))
}
