//! What the window is drawn to: a surface that the system may resize, hide, or take away.

use std::sync::Arc;
use std::time::Duration;

use winit::dpi::PhysicalSize;
use winit::window::Window;

use crate::app::error::AppError;
use crate::gpu::GpuContext;

/// Attempts in a row that come to nothing before the surface is made anew.
const PATIENCE: u32 = 3;
/// Between two attempts from then on, so that a surface that never comes costs nothing.
const PAUSE: Duration = Duration::from_millis(250);

/// The surface of a window, and how it is configured.
pub(super) struct WindowSurface {
    window: Arc<Window>,
    /// None between a surface that was given back and the next one: a window has one at a time.
    surface: Option<wgpu::Surface<'static>>,
    config: wgpu::SurfaceConfiguration,
    /// Without area: shrunk to nothing, or minimised where that is how it is told.
    is_empty: bool,
    is_covered: bool,
    failures: u32,
}

/// What came of asking for a texture to draw into.
pub(super) enum Acquired {
    /// Draw, then present it.
    Ready(wgpu::SurfaceTexture),
    /// Ask again after so long.
    Later(Duration),
    /// The system tells when the window is seen again.
    WhenSeen,
}

impl WindowSurface {
    /// The surface of a window and the best device that can draw to it.
    ///
    /// # Errors
    /// [`AppError::Window`], and what [`GpuContext::for_surface`] says.
    pub(super) fn open(window: Arc<Window>, instance: wgpu::Instance) -> Result<(Self, GpuContext), AppError> {
        let size = window.inner_size();
        let (surface, context) = surface_of(&window, instance)?;
        let mut config = config_of(&surface, &context)?;
        set_size(&mut config, size, &context);
        surface.configure(&context.device, &config);
        let is_empty = size.width == 0 || size.height == 0;
        Ok((Self { window, surface: Some(surface), config, is_empty, is_covered: false, failures: 0 }, context))
    }

    /// Gives the surface back and makes another one with another device, after this one was lost.
    ///
    /// # Errors
    /// As [`WindowSurface::open`]; it may be tried again.
    pub(super) fn reopen(&mut self, instance: wgpu::Instance) -> Result<GpuContext, AppError> {
        self.surface = None;
        let (surface, context) = surface_of(&self.window, instance)?;
        let size = PhysicalSize::new(self.config.width, self.config.height);
        self.config = config_of(&surface, &context)?;
        set_size(&mut self.config, size, &context);
        surface.configure(&context.device, &self.config);
        self.surface = Some(surface);
        self.failures = 0;
        Ok(context)
    }

    /// Of the pixels.
    pub(super) fn format(&self) -> wgpu::TextureFormat {
        self.config.format
    }

    /// Width and height in pixels.
    pub(super) fn size(&self) -> [u32; 2] {
        [self.config.width, self.config.height]
    }

    /// Whether nothing of it can be seen, so that nothing is to be drawn.
    pub(super) fn is_hidden(&self) -> bool {
        self.is_empty || self.is_covered
    }

    /// Takes the window's new size.
    pub(super) fn resize(&mut self, context: &GpuContext, size: PhysicalSize<u32>) {
        self.is_empty = size.width == 0 || size.height == 0;
        if !self.is_empty {
            set_size(&mut self.config, size, context);
            self.configure(context);
        }
    }

    /// Whether other windows, or the lack of a screen, hide it.
    pub(super) fn cover(&mut self, is_covered: bool) {
        self.is_covered = is_covered;
    }

    /// A texture to draw into, or when to ask again.
    pub(super) fn acquire(&mut self, context: &GpuContext) -> Acquired {
        use wgpu::CurrentSurfaceTexture as Current;
        let current = self.surface.as_ref().map_or(Current::Lost, wgpu::Surface::get_current_texture);
        let is_lost = match current {
            // One that is merely not the best is configured anew by the resize that is under way.
            Current::Success(texture) | Current::Suboptimal(texture) => {
                self.failures = 0;
                return Acquired::Ready(texture);
            }
            Current::Occluded => return Acquired::WhenSeen,
            Current::Timeout | Current::Outdated | Current::Validation => false,
            Current::Lost => true,
        };
        self.failures += 1;
        if is_lost || self.failures > PATIENCE {
            self.remake(context);
        } else {
            self.configure(context);
        }
        Acquired::Later(if self.failures > PATIENCE { PAUSE } else { Duration::ZERO })
    }

    fn configure(&self, context: &GpuContext) {
        if let Some(surface) = &self.surface {
            surface.configure(&context.device, &self.config);
        }
    }

    /// Another surface for the same device. Where there is none to be had now, the next attempt asks again.
    fn remake(&mut self, context: &GpuContext) {
        self.surface = None;
        match context.instance.create_surface(self.window.clone()) {
            Ok(surface) => self.surface = Some(surface),
            Err(error) => log::warn!("the window's surface: {error}"),
        }
        self.configure(context);
    }
}

fn surface_of(window: &Arc<Window>, instance: wgpu::Instance) -> Result<(wgpu::Surface<'static>, GpuContext), AppError> {
    let surface = instance.create_surface(window.clone()).map_err(|error| AppError::Window(error.to_string()))?;
    let context = GpuContext::for_surface(instance, &surface)?;
    Ok((surface, context))
}

fn config_of(surface: &wgpu::Surface<'_>, context: &GpuContext) -> Result<wgpu::SurfaceConfiguration, AppError> {
    let mut config = surface
        .get_default_config(&context.adapter, 1, 1)
        .ok_or_else(|| AppError::Window(format!("{} cannot draw to it", context.caps.name)))?;
    let formats = surface.get_capabilities(&context.adapter).formats;
    // egui blends in sRGB numbers; a format that converts would be blended otherwise.
    config.format = formats.iter().copied().find(|format| !format.is_srgb()).unwrap_or(config.format);
    config.present_mode = wgpu::PresentMode::AutoVsync;
    config.desired_maximum_frame_latency = 1;
    Ok(config)
}

fn set_size(config: &mut wgpu::SurfaceConfiguration, size: PhysicalSize<u32>, context: &GpuContext) {
    let limit = context.device.limits().max_texture_dimension_2d;
    config.width = size.width.clamp(1, limit);
    config.height = size.height.clamp(1, limit);
}
