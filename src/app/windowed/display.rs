//! The connection to a display. It is opened before any work that only a window would show.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use winit::error::EventLoopError;
use winit::event_loop::{ControlFlow, EventLoop};

use super::Woken;
use crate::app::error::AppError;

/// A display that a window can be opened on.
pub struct Display {
    pub(super) events: EventLoop<Woken>,
    /// Whether the window is to close.
    pub(super) is_closing: Arc<AtomicBool>,
}

impl Display {
    /// Connects to the display. A program can do so once.
    ///
    /// # Errors
    /// [`AppError::Window`] where there is none.
    pub fn open() -> Result<Self, AppError> {
        let events = EventLoop::<Woken>::with_user_event().build().map_err(|error| window_error(&error))?;
        events.set_control_flow(ControlFlow::Wait);
        Ok(Self { events, is_closing: Arc::default() })
    }

    /// Closes the window as a click on its frame does, whenever and on whichever thread it is called.
    #[must_use]
    pub fn closer(&self) -> Arc<dyn Fn() + Send + Sync> {
        let (proxy, is_closing) = (self.events.create_proxy(), Arc::clone(&self.is_closing));
        Arc::new(move || {
            is_closing.store(true, Ordering::Release);
            // An event loop that has ended needs no waking.
            let _ = proxy.send_event(Woken);
        })
    }
}

/// Why there is no window, without the place in winit's source that its message begins with.
pub(super) fn window_error(error: &EventLoopError) -> AppError {
    let text = error.to_string();
    let said = text.strip_prefix("os error at ").and_then(|rest| rest.split_once(": ")).map_or(text.as_str(), |(_, said)| said);
    AppError::Window(said.trim_end_matches('.').to_owned())
}
