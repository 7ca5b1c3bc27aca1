//! What the window is drawn to: a surface that the system may resize, hide, or take away.

use std::sync::Arc;
use std::time::Duration;

use winit::dpi::PhysicalSize;
use winit::window::Window;

use crate::app::error::AppError;
use crate::gpu::GpuContext;

/// Attempts in a row that come to nothing before the surface is made anew.
const PATIENCE: u32 = 3;
/// Attempts to configure it in a row, before a frame is left out.
const ATTEMPTS: u32 = 2;
/// Between two attempts from then on, so that a surface that never comes costs nothing.
const PAUSE: Duration = Duration::from_millis(250);

/// The surface of a window, and how it is configured.
pub(super) struct WindowSurface {
    window: Arc<Window>,
    /// None between a surface that was given back and the next one: a window has one at a time.
    surface: Option<wgpu::Surface<'static>>,
    config: wgpu::SurfaceConfiguration,
    /// Whether the surface is not, or not yet, as `config` says.
    is_stale: bool,
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
        let is_empty = size.width == 0 || size.height == 0;
        Ok((Self { window, surface: Some(surface), config, is_stale: true, is_empty, is_covered: false, failures: 0 }, context))
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
        self.surface = Some(surface);
        self.is_stale = true;
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

    /// Takes the window's new size, which the next texture has.
    pub(super) fn resize(&mut self, context: &GpuContext, size: PhysicalSize<u32>) {
        self.is_empty = size.width == 0 || size.height == 0;
        if !self.is_empty {
            set_size(&mut self.config, size, context);
            self.is_stale = true;
        }
    }

    /// Whether other windows, or the lack of a screen, hide it.
    pub(super) fn cover(&mut self, is_covered: bool) {
        self.is_covered = is_covered;
    }

    /// A texture to draw into, or when to ask again.
    pub(super) fn acquire(&mut self, context: &GpuContext) -> Acquired {
        use wgpu::CurrentSurfaceTexture as Current;
        if self.is_stale && !self.configure(context) {
            return Acquired::Later(if self.failures > PATIENCE { PAUSE } else { Duration::ZERO });
        }
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
        }
        self.is_stale = true;
        Acquired::Later(if self.failures > PATIENCE { PAUSE } else { Duration::ZERO })
    }

    /// Makes the surface as it is wanted, and says whether it is.
    ///
    /// wgpu waits for the device first, and gives up where another thread submits work meanwhile, as the
    /// steps of a projection do. It is asked again, and nothing is painted with a size that the surface
    /// does not have.
    fn configure(&mut self, context: &GpuContext) -> bool {
        let Some(surface) = &self.surface else { return true };
        for _ in 0..ATTEMPTS {
            match context.scoped("the window's surface", || surface.configure(&context.device, &self.config)) {
                Ok(()) => {
                    self.is_stale = false;
                    return true;
                }
                Err(error) => log::debug!("{error}"),
            }
        }
        self.failures += 1;
        false
    }

    /// Another surface for the same device. Where there is none to be had now, the next attempt asks again.
    fn remake(&mut self, context: &GpuContext) {
        self.surface = None;
        match context.instance.create_surface(self.window.clone()) {
            Ok(surface) => self.surface = Some(surface),
            Err(error) => log::warn!("the window's surface: {error}"),
        }
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
    let capabilities = surface.get_capabilities(&context.adapter);
    config.format = format_of(&capabilities.formats).unwrap_or(config.format);
    if capabilities.color_spaces(config.format).contains(wgpu::SurfaceColorSpaces::SRGB) {
        config.color_space = wgpu::SurfaceColorSpace::Srgb;
    }
    // Always there. A relaxed one tears where a frame is late, which each is in a window that draws when something happens.
    config.present_mode = wgpu::PresentMode::Fifo;
    config.desired_maximum_frame_latency = 1;
    Ok(config)
}

/// The format for a window: of 8 bits, and not converted by the hardware, since egui blends in sRGB numbers. Deeper formats
/// may stand for other colours.
fn format_of(formats: &[wgpu::TextureFormat]) -> Option<wgpu::TextureFormat> {
    use wgpu::TextureFormat as Format;
    let is_best = |format: &&Format| matches!(format, Format::Bgra8Unorm | Format::Rgba8Unorm);
    formats.iter().find(is_best).or_else(|| formats.iter().find(|format| !format.is_srgb())).copied()
}

fn set_size(config: &mut wgpu::SurfaceConfiguration, size: PhysicalSize<u32>, context: &GpuContext) {
    let limit = context.device.limits().max_texture_dimension_2d;
    config.width = size.width.clamp(1, limit);
    config.height = size.height.clamp(1, limit);
}

#[cfg(test)]
mod tests {
    use super::format_of;
    use wgpu::TextureFormat as Format;

    #[test]
    fn eight_bits_that_nothing_converts_come_before_what_a_driver_lists_first() {
        for (listed, best) in [
            (&[Format::Rgba16Float, Format::Bgra8UnormSrgb, Format::Bgra8Unorm][..], Some(Format::Bgra8Unorm)),
            (&[Format::Rgb10a2Unorm, Format::Rgba8Unorm, Format::Bgra8Unorm], Some(Format::Rgba8Unorm)),
            (&[Format::Bgra8UnormSrgb, Format::Rgb10a2Unorm], Some(Format::Rgb10a2Unorm)),
            (&[Format::Bgra8UnormSrgb], None),
            (&[], None),
        ] {
            assert_eq!(format_of(listed), best, "{listed:?}");
        }
    }
}
