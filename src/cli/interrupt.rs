//! Ctrl-C and the system's wish to end, for commands that can stop at a good place: the first asks, the second ends at once.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};

use super::printer;
use crate::plain_file;

/// What the shell reports of a program that Ctrl-C ended.
const ENDED_AT_ONCE: i32 = 130;

static IS_HEARD: AtomicBool = AtomicBool::new(false);
static IS_QUIET: AtomicBool = AtomicBool::new(false);
/// What is done besides setting the flag.
static ACTION: Mutex<Option<Action>> = Mutex::new(None);
static IS_ASKED: AtomicBool = AtomicBool::new(false);

type Action = Arc<dyn Fn() + Send + Sync>;

/// While it lives, SIGINT, SIGTERM and SIGHUP (or Ctrl-C and closing the console on Windows) set a flag. Without one they end the program.
#[derive(Debug)]
pub(super) struct Interrupt(());

impl Interrupt {
    /// Begins to listen. Where the system refuses, or the program runs under `nohup`, the signals keep their meaning.
    pub(super) fn listen() -> Self {
        IS_QUIET.store(false, Ordering::Relaxed);
        Self::install()
    }

    /// The same without a word about it: for what stops at once.
    pub(super) fn listen_quietly() -> Self {
        IS_QUIET.store(true, Ordering::Relaxed);
        Self::install()
    }

    /// The same for what has to be woken up to stop: `action` is called, on another thread.
    pub(super) fn listen_and(action: Action) -> Self {
        *ACTION.lock().unwrap_or_else(PoisonError::into_inner) = Some(action);
        Self::listen_quietly()
    }

    fn install() -> Self {
        static INSTALL: Once = Once::new();
        IS_ASKED.store(false, Ordering::Relaxed);
        IS_HEARD.store(true, Ordering::Relaxed);
        INSTALL.call_once(|| {
            if !is_under_nohup()
                && let Err(error) = ctrlc::set_handler(on_signal)
            {
                log::warn!("Ctrl-C cannot be listened to: {error}");
            }
        });
        Self(())
    }

    /// Whether the end was asked for.
    pub(super) fn flag(&self) -> &'static AtomicBool {
        &IS_ASKED
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        IS_HEARD.store(false, Ordering::Relaxed);
        *ACTION.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn on_signal() {
    if !IS_HEARD.load(Ordering::Relaxed) || IS_ASKED.swap(true, Ordering::Relaxed) {
        std::process::exit(ENDED_AT_ONCE);
    }
    let action = ACTION.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(action) = action {
        action();
    }
    if IS_QUIET.load(Ordering::Relaxed) {
        return;
    }
    // On a thread of its own: where nobody takes the words (a terminal that was stopped, a full pipe), the next signal must be heard all the same.
    let tell = || printer::remark("stopping after the write that is under way; once more, and it ends at once");
    drop(std::thread::Builder::new().name("remark".to_owned()).spawn(tell));
}

/// Whether a hangup is ignored: listening to it would bring the run to an end at a logout that it was to survive.
fn is_under_nohup() -> bool {
    let status = plain_file::read_text(Path::new("/proc/self/status"), 1 << 16).unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // The lowest bit is signal 1, SIGHUP.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
