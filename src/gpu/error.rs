//! What can go wrong with a GPU.

use super::shader::ShaderError;

/// Why the GPU did not do what was asked of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// There is no driver at all.
    #[error(
        "there is no GPU driver; install one for Vulkan, Metal or Direct3D 12 (on Debian and Ubuntu the package mesa-vulkan-drivers, which has one in software as well)"
    )]
    NoDriver,
    /// No adapter fits. On Linux a software one comes with the package `mesa-vulkan-drivers`.
    #[error(
        "no {wanted} among the GPU adapters found ({found}); a driver for Vulkan, Metal or Direct3D 12 is needed (on Debian and Ubuntu, mesa-vulkan-drivers has one in software)"
    )]
    NoAdapter {
        /// What was looked for.
        wanted: String,
        /// The adapters that are there.
        found: String,
    },
    /// The adapter gives no device: its driver is broken or in use.
    #[error("the GPU adapter {adapter} gives no device")]
    NoDevice {
        /// The adapter's name.
        adapter: String,
        /// What the driver says.
        source: wgpu::RequestDeviceError,
    },
    /// A shader does not compile: a bug of the program, or of the driver.
    #[error(transparent)]
    Shader(#[from] ShaderError),
    /// More was asked for in one buffer than the device has room to bind. Smaller pieces, or another device.
    #[error("{what} needs {bytes} bytes in one buffer, and this device takes {limit}")]
    TooLarge {
        /// What the buffer is for.
        what: String,
        /// Bytes wanted.
        bytes: u64,
        /// Bytes that the device allows.
        limit: u64,
    },
    /// The device has no memory left. Close other programs that use it, or choose the CPU.
    #[error("out of GPU memory at {what}")]
    OutOfMemory {
        /// What was being done.
        what: String,
    },
    /// The device rejected a call: a bug of the program, or of the driver.
    #[error("the GPU rejected {what}: {message}")]
    Rejected {
        /// What was being done.
        what: String,
        /// wgpu's words.
        message: String,
    },
    /// The device is gone: a driver reset, an unplugged GPU, a computer that slept.
    #[error("the GPU stopped answering while {what}: {message}")]
    Lost {
        /// What was being done.
        what: String,
        /// wgpu's words.
        message: String,
    },
}

impl GpuError {
    /// Turns what an error scope caught into one of ours.
    pub(super) fn caught(what: &str, error: &wgpu::Error) -> Self {
        match error {
            wgpu::Error::OutOfMemory { .. } => Self::OutOfMemory { what: what.to_owned() },
            other => Self::Rejected { what: what.to_owned(), message: one_line(&other.to_string()) },
        }
    }
}

/// wgpu's messages run over many indented lines; a user gets one.
pub(super) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
