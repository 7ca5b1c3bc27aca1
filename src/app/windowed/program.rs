//! The window's life from the outside: how it is opened, who hears of the system's events, and how it ends, whoever ends it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use winit::application::ApplicationHandler;
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoopProxy};
use winit::window::WindowId;

use super::display::{Display, window_error};
use super::{Session, WindowConfig, Woken};
use crate::app::error::AppError;
use crate::app::event_log::{Event, EventLog};

/// How long winit may take to tell that the window is destroyed, once it panicked over it.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Opens the window and stays until it is closed.
///
/// # Errors
/// No adapter, a device that cannot be opened, a log or screenshot that cannot be written.
pub fn run(display: Display, config: WindowConfig) -> Result<(), AppError> {
    let Display { events, is_closing } = display;
    let log = EventLog::create(config.event_log.as_deref())?;
    let (proxy, config) = (events.create_proxy(), Some(config));
    let mut program = Program { proxy, is_closing, log, config, session: None, panicked_at: None, failure: None };
    let ran = catch_unwind(AssertUnwindSafe(|| events.run_app(&mut program)));
    // However it ended, the log is whole.
    program.log.write(&Event::Quit);
    drop(program.session.take());
    match ran {
        Err(panic) => resume_unwind(panic),
        Ok(Err(error)) => Err(window_error(&error)),
        Ok(Ok(())) => program.failure.map_or(Ok(()), Err),
    }
}

struct Program {
    proxy: EventLoopProxy<Woken>,
    log: EventLog,
    /// Whether the window is to close.
    is_closing: Arc<AtomicBool>,
    config: Option<WindowConfig>,
    session: Option<Session>,
    /// When the session panicked.
    panicked_at: Option<Instant>,
    failure: Option<AppError>,
}

impl ApplicationHandler<Woken> for Program {
    fn resumed(&mut self, events: &ActiveEventLoop) {
        let Some(config) = self.config.take() else { return };
        match Session::open(events, config, &self.proxy) {
            Ok((mut session, effects)) => {
                session.carry_out(effects, &mut self.log);
                session.ask_redraw();
                self.session = Some(session);
            }
            Err(error) => self.fail(events, error),
        }
    }

    fn window_event(&mut self, events: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        if matches!(event, WindowEvent::Destroyed) {
            // By another program: the same as a click on the frame, but that there is no window left to do anything with.
            self.session = None;
            self.panicked_at = None;
            events.exit();
            return;
        }
        self.attend(events, |session, log| session.window_event(events, &event, log));
    }

    fn user_event(&mut self, events: &ActiveEventLoop, _: Woken) {
        if self.is_closing.load(Ordering::Acquire) {
            events.exit();
            return;
        }
        self.attend(events, |session, log| {
            session.fetch(log);
            Ok(())
        });
    }

    fn about_to_wait(&mut self, events: &ActiveEventLoop) {
        if let Some(panicked_at) = self.panicked_at {
            if panicked_at.elapsed() >= LAST_WORD {
                self.fail(events, AppError::Mistake);
            }
            events.set_control_flow(ControlFlow::WaitUntil(panicked_at + LAST_WORD));
            return;
        }
        self.attend(events, |session, log| {
            let next = session.wake_up(Instant::now(), log);
            events.set_control_flow(next.map_or(ControlFlow::Wait, ControlFlow::WaitUntil));
            Ok(())
        });
    }
}

impl Program {
    /// Lets the session do something, if there is one. winit panics where the window was destroyed a moment ago, and tells it a moment later.
    fn attend(&mut self, events: &ActiveEventLoop, work: impl FnOnce(&mut Session, &mut EventLog) -> Result<(), AppError>) {
        let Some(session) = self.session.as_mut().filter(|_| self.panicked_at.is_none()) else { return };
        match catch_unwind(AssertUnwindSafe(|| work(session, &mut self.log))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.fail(events, error),
            Err(_) => self.panicked_at = Some(Instant::now()),
        }
    }

    fn fail(&mut self, events: &ActiveEventLoop, error: AppError) {
        self.failure.get_or_insert(error);
        events.exit();
    }
}
