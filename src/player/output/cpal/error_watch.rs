//! Tells a device that is gone from one that stumbles.
//!
//! After a drop-out, cpal prepares the stream again, and ALSA's pulse plug-in answers every poll with an I/O error until it is
//! connected: some 1300 errors within 9 ms. So an error counts only when a second has gone by with nothing but errors.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use cpal::ErrorKind;

use crate::player::output::OnTrouble;
use crate::player::status::MixerStatus;

/// So long nothing but errors, and the device is given up.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long cpal's thread is held at each error, so that a burst of them does not eat a core.
const ERROR_PAUSE: Duration = Duration::from_millis(1);

/// See the file's header. Lives in cpal's error callback.
pub(super) struct ErrorWatch {
    calls: Arc<AtomicU64>,
    status: Arc<MixerStatus>,
    on_trouble: OnTrouble,
    /// When the errors began, and how often the data callback had been called then.
    burst: Option<(Instant, u64)>,
    is_told: bool,
}

impl ErrorWatch {
    pub(super) fn new(calls: &Arc<AtomicU64>, status: &Arc<MixerStatus>, on_trouble: &OnTrouble) -> Self {
        Self { calls: Arc::clone(calls), status: Arc::clone(status), on_trouble: Arc::clone(on_trouble), burst: None, is_told: false }
    }

    pub(super) fn see(&mut self, error: &cpal::Error) {
        match error.kind() {
            ErrorKind::Xrun => self.status.count_underrun(),
            // The sound goes on, maybe on another device: nothing to tell.
            ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {}
            ErrorKind::DeviceNotAvailable | ErrorKind::StreamInvalidated | ErrorKind::HostUnavailable => self.tell(error),
            _ => {
                let calls = self.calls.load(Relaxed);
                match self.burst {
                    Some((since, calls_then)) if calls_then == calls => {
                        if since.elapsed() > PATIENCE {
                            self.tell(error);
                        }
                    }
                    _ => self.burst = Some((Instant::now(), calls)),
                }
                std::thread::sleep(ERROR_PAUSE);
            }
        }
    }

    fn tell(&mut self, error: &cpal::Error) {
        if !std::mem::replace(&mut self.is_told, true) {
            (self.on_trouble)(error.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_errors_is_no_end_and_a_second_of_nothing_else_is() {
        let told = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&told);
        let on_trouble: OnTrouble = Arc::new(move |_| {
            counted.fetch_add(1, Relaxed);
        });
        let calls = Arc::new(AtomicU64::new(0));
        let mut watch = ErrorWatch::new(&calls, &Arc::default(), &on_trouble);
        let error = cpal::Error::new(ErrorKind::BackendError);
        (0..20).for_each(|_| watch.see(&error));
        assert_eq!(told.load(Relaxed), 0);
        // It recovered, and stumbles again much later.
        calls.fetch_add(1, Relaxed);
        watch.burst = watch.burst.map(|(since, calls)| (since.checked_sub(2 * PATIENCE).unwrap(), calls));
        (0..20).for_each(|_| watch.see(&error));
        assert_eq!(told.load(Relaxed), 0);
        watch.burst = watch.burst.map(|(since, calls)| (since.checked_sub(2 * PATIENCE).unwrap(), calls));
        (0..20).for_each(|_| watch.see(&error));
        assert_eq!(told.load(Relaxed), 1, "and it is told once");
        watch.see(&cpal::Error::new(ErrorKind::Xrun));
        assert_eq!(watch.status.underruns(), 1);
    }
}
