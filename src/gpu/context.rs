//! Instance, adapter, device and queue: chosen once, shared by all that compute and draw.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::caps::DeviceCaps;
use super::error::{GpuError, one_line};

/// Which adapter to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdapterChoice {
    /// The fastest kind that there is: discrete, integrated, virtual, software.
    Best,
    /// The fastest kind of those that are no CPU.
    Hardware,
    /// One that runs on the CPU (lavapipe, WARP): what tests use, since every machine draws the same with it.
    Software,
    /// The best of those whose name contains this, without regard to case.
    Named(String),
}

/// An open device. Clones share it.
#[derive(Clone, Debug)]
pub struct GpuContext {
    /// The instance that the adapter comes from.
    pub instance: wgpu::Instance,
    /// The adapter.
    pub adapter: wgpu::Adapter,
    /// The device.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
    /// What it is and what it takes.
    pub caps: DeviceCaps,
    /// Errors that no scope caught.
    pub errors: ErrorLog,
    lost: Arc<AtomicBool>,
}

/// Errors of the device that no caller waited for, each message once. The window shows them, tests fail on them.
#[derive(Clone, Debug, Default)]
pub struct ErrorLog {
    messages: Arc<Mutex<BTreeSet<String>>>,
}

impl ErrorLog {
    /// The messages so far, which are forgotten here.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.messages.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }

    fn add(&self, message: String) {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).insert(message);
    }
}

/// An instance of the backends that tagscape is built with. A window hands its display in, where its platform has one.
///
/// `WGPU_BACKEND` and `WGPU_VALIDATION` are obeyed, for looking into driver trouble.
#[must_use]
pub fn new_instance(display: Option<Box<dyn wgpu::wgt::WgpuHasDisplayHandle>>) -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    // Software drivers do not all claim conformance; without this they are hidden. See `is_trusted`.
    descriptor.flags |= wgpu::InstanceFlags::ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER;
    descriptor.display = display;
    wgpu::Instance::new(descriptor)
}

/// The adapters that may be taken.
fn adapters_of(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
    let mut adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    let is_cpu = |adapter: &wgpu::Adapter| adapter.get_info().device_type == wgpu::DeviceType::Cpu;
    // wgpu does not say which drivers claim conformance, but hides the others where it is not told otherwise.
    if !adapters.iter().all(is_cpu) {
        let strict = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
        let strict = pollster::block_on(strict.enumerate_adapters(wgpu::Backends::all()));
        let conformant: Vec<_> = strict.iter().map(wgpu::Adapter::get_info).collect();
        adapters.retain(|adapter| is_trusted(&adapter.get_info(), &conformant));
    }
    adapters
}

/// Whether an adapter may be taken: its driver claims conformance, or it is a CPU, which can do no harm
/// but draw wrong and which tests check. Half-made drivers of real GPUs stay hidden.
fn is_trusted(info: &wgpu::AdapterInfo, conformant: &[wgpu::AdapterInfo]) -> bool {
    let identity = |info: &wgpu::AdapterInfo| (info.name.clone(), info.vendor, info.device, info.backend, info.driver.clone());
    info.device_type == wgpu::DeviceType::Cpu || conformant.iter().any(|other| identity(other) == identity(info))
}

/// Whether there is any adapter, a software one included: a look at the drivers, without opening a device.
///
/// # Errors
/// [`GpuError::NoDriver`].
pub fn find_driver() -> Result<(), GpuError> {
    let adapters = pollster::block_on(new_instance(None).enumerate_adapters(wgpu::Backends::all()));
    if adapters.is_empty() { Err(GpuError::NoDriver) } else { Ok(()) }
}

impl GpuContext {
    /// Opens a device that draws to no window.
    ///
    /// # Errors
    /// [`GpuError::NoDriver`]; [`GpuError::NoAdapter`] where none fits, naming those that are there; [`GpuError::NoDevice`].
    pub fn headless(choice: AdapterChoice) -> Result<Self, GpuError> {
        Self::open(new_instance(None), &choice, None, wgpu::Features::empty())
    }

    /// The same with time stamps, where the adapter has them, for [`super::PassTimer`].
    ///
    /// # Errors
    /// As [`GpuContext::headless`].
    pub fn headless_for_timing(choice: AdapterChoice) -> Result<Self, GpuError> {
        Self::open(new_instance(None), &choice, None, wgpu::Features::TIMESTAMP_QUERY)
    }

    /// Opens the best device that can draw to `surface`, with time stamps where the adapter has them.
    ///
    /// # Errors
    /// As [`GpuContext::headless`].
    pub fn for_surface(instance: wgpu::Instance, surface: &wgpu::Surface<'_>) -> Result<Self, GpuError> {
        Self::open(instance, &AdapterChoice::Best, Some(surface), wgpu::Features::TIMESTAMP_QUERY)
    }

    /// `extras` are features that are taken where they are offered.
    fn open(
        instance: wgpu::Instance,
        choice: &AdapterChoice,
        surface: Option<&wgpu::Surface<'_>>,
        extras: wgpu::Features,
    ) -> Result<Self, GpuError> {
        let adapters = adapters_of(&instance);
        let found = adapters.iter().map(|adapter| adapter.get_info().name).collect::<Vec<_>>().join(", ");
        let usable = |adapter: &wgpu::Adapter| {
            wgpu::Limits::defaults().check_limits(&adapter.limits())
                && adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS)
                && surface.is_none_or(|surface| adapter.is_surface_supported(surface))
        };
        let mut chosen: Vec<_> = adapters.into_iter().filter(|adapter| usable(adapter) && choice.accepts(&adapter.get_info())).collect();
        chosen.sort_by_key(|adapter| slowness(adapter.get_info().device_type));
        // One that is broken or was just lost may give no device while a slower one does.
        let mut refused = None;
        for adapter in chosen {
            match Self::of_adapter(instance.clone(), adapter, extras) {
                Ok(context) => return Ok(context),
                Err(error) => {
                    log::warn!("{error}");
                    refused.get_or_insert(error);
                }
            }
        }
        if found.is_empty() {
            return Err(GpuError::NoDriver);
        }
        Err(refused.unwrap_or(GpuError::NoAdapter { wanted: choice.to_string(), found }))
    }

    fn of_adapter(instance: wgpu::Instance, adapter: wgpu::Adapter, extras: wgpu::Features) -> Result<Self, GpuError> {
        let info = adapter.get_info();
        let offered = adapter.limits();
        let limits = wgpu::Limits {
            max_buffer_size: offered.max_buffer_size,
            max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
            ..wgpu::Limits::defaults()
        };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("tagscape"),
            required_features: adapter.features() & extras,
            required_limits: limits.clone(),
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|source| GpuError::NoDevice { adapter: info.name.clone(), source })?;
        let errors = ErrorLog::default();
        let log = errors.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let message = one_line(&error.to_string());
            log::error!("GPU: {message}");
            log.add(message);
        }));
        let log = errors.clone();
        let lost = Arc::new(AtomicBool::new(false));
        let is_lost = lost.clone();
        device.set_device_lost_callback(move |reason, message| {
            is_lost.store(true, Ordering::Release);
            // Dropping a device on purpose is no news.
            if reason != wgpu::DeviceLostReason::Destroyed {
                log.add(format!("the GPU stopped answering: {}", one_line(&message)));
            }
        });
        Ok(Self { instance, adapter, device, queue, caps: DeviceCaps::of(&info, limits), errors, lost })
    }

    /// Whether the device is gone: everything that was made on it is useless, and another context is to be opened.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        // wgpu calls back when it is asked how the device is; a device that is lost may have nothing else to answer.
        drop(self.device.poll(wgpu::PollType::Poll));
        self.lost.load(Ordering::Acquire)
    }

    /// Runs `make` and turns what the device objects to into an error; without this wgpu would call the uncaptured handler, and
    /// hand back an object that does nothing. `what` completes "the GPU rejected ...".
    ///
    /// # Errors
    /// [`GpuError::OutOfMemory`], [`GpuError::Rejected`].
    pub fn scoped<T>(&self, what: &str, make: impl FnOnce() -> T) -> Result<T, GpuError> {
        let scopes = [wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation]
            .map(|filter| self.device.push_error_scope(filter));
        let made = make();
        let caught: Vec<_> = scopes.into_iter().rev().filter_map(|scope| pollster::block_on(scope.pop())).collect();
        caught.first().map_or(Ok(made), |error| Err(GpuError::caught(what, error)))
    }

    /// Waits until everything that was submitted is done.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn wait(&self, what: &str) -> Result<(), GpuError> {
        let polled = self.device.poll(wgpu::PollType::wait_indefinitely());
        polled.map(drop).map_err(|error| GpuError::Lost { what: what.to_owned(), message: error.to_string() })
    }
}

impl AdapterChoice {
    fn accepts(&self, info: &wgpu::AdapterInfo) -> bool {
        match self {
            Self::Best => true,
            Self::Hardware => info.device_type != wgpu::DeviceType::Cpu,
            Self::Software => info.device_type == wgpu::DeviceType::Cpu,
            Self::Named(name) => info.name.to_lowercase().contains(&name.to_lowercase()),
        }
    }
}

impl std::fmt::Display for AdapterChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Best => f.write_str("usable one"),
            Self::Hardware => f.write_str("real one"),
            Self::Software => f.write_str("software one"),
            Self::Named(name) => write!(f, "usable one named '{name}'"),
        }
    }
}

fn slowness(kind: wgpu::DeviceType) -> u8 {
    match kind {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_whose_driver_claims_no_conformance_stays_hidden_and_a_cpu_does_not() {
        let info = |name: &str, kind| wgpu::AdapterInfo { name: name.to_owned(), ..wgpu::AdapterInfo::new(kind, wgpu::Backend::Vulkan) };
        let (gpu, half, cpu) = (
            info("Radeon", wgpu::DeviceType::DiscreteGpu),
            info("dzn", wgpu::DeviceType::DiscreteGpu),
            info("llvmpipe", wgpu::DeviceType::Cpu),
        );
        let conformant = [gpu.clone()];
        assert!(is_trusted(&gpu, &conformant) && is_trusted(&cpu, &conformant) && is_trusted(&cpu, &[]));
        assert!(!is_trusted(&half, &conformant) && !is_trusted(&gpu, &[]));
        // The same card by another driver is another adapter.
        assert!(!is_trusted(&wgpu::AdapterInfo { driver: "experimental".to_owned(), ..gpu }, &conformant));
    }
}
