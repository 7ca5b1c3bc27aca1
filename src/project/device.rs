//! On what a projection is computed.

use std::fmt;
use std::str::FromStr;

use crate::catalog::UnknownName;
use crate::gpu::{AdapterChoice, GpuContext, GpuError};

/// What the user asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The GPU where there is a real one, else the CPU: compute shaders on a software adapter are slower than the CPU engines.
    #[default]
    Auto,
    /// The CPU engines.
    Cpu,
    /// The compute shaders, on whatever adapter there is.
    Gpu,
}

/// What a projection runs on.
// A handful of these ever exist; a box would only be in the way.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Compute {
    /// The CPU engines, on all cores.
    Cpu,
    /// The compute shaders, on this device.
    Gpu(GpuContext),
}

/// What ran, for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComputeDevice {
    /// The CPU engines.
    Cpu,
    /// The compute shaders.
    Gpu,
}

impl DeviceChoice {
    /// Opens what was asked for.
    ///
    /// # Errors
    /// [`GpuError`] where the GPU was asked for and there is none; `Auto` falls back to the CPU.
    pub fn open(self) -> Result<Compute, GpuError> {
        match self {
            Self::Cpu => Ok(Compute::Cpu),
            Self::Gpu => GpuContext::headless(AdapterChoice::Best).map(Compute::Gpu),
            Self::Auto => Ok(GpuContext::headless(AdapterChoice::Best).map_or(Compute::Cpu, Compute::automatic)),
        }
    }
}

impl Compute {
    /// What `Auto` means where a device is open already, as in the window.
    #[must_use]
    pub fn automatic(context: GpuContext) -> Self {
        if context.caps.is_cpu() { Self::Cpu } else { Self::Gpu(context) }
    }

    /// What runs, for reports.
    #[must_use]
    pub fn device(&self) -> ComputeDevice {
        match self {
            Self::Cpu => ComputeDevice::Cpu,
            Self::Gpu(_) => ComputeDevice::Gpu,
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        match name {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu),
            _ => Err(UnknownName { kind: "device", given: name.to_owned(), known: "auto, cpu, gpu".to_owned() }),
        }
    }
}

impl fmt::Display for ComputeDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        })
    }
}
