//! How far a projection or a drawing is, on a terminal.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::cli::printer;
use crate::project::Observer;

/// Quicker work than this shows nothing.
const QUIET: Duration = Duration::from_millis(500);
/// Between two lines.
const STEP: Duration = Duration::from_millis(200);

/// Writes over one line of standard error, where that is a terminal.
pub struct TerminalProgress {
    doing: &'static str,
    start: Instant,
    /// When the last line was shown; none where nothing is ever shown.
    shown: Option<Mutex<Instant>>,
}

impl TerminalProgress {
    /// What is being done; quiet: never shows anything.
    pub fn new(doing: &'static str, quiet: bool) -> Self {
        let start = Instant::now();
        let is_shown = !quiet && printer::shows_progress();
        Self { doing, start, shown: is_shown.then(|| Mutex::new(start)) }
    }

    /// Clears the line.
    pub fn finish(&self) {
        printer::clear_progress();
    }
}

impl Observer for TerminalProgress {
    fn progress(&self, fraction: f64) {
        let Some(Ok(mut shown)) = self.shown.as_ref().map(Mutex::lock) else { return };
        let elapsed = self.start.elapsed();
        if elapsed < QUIET || shown.elapsed() < STEP {
            return;
        }
        *shown = Instant::now();
        printer::progress(&line(self.doing, fraction, elapsed.as_secs_f64()));
    }

    fn cancelled(&self) -> bool {
        false
    }
}

fn line(doing: &str, fraction: f64, elapsed_secs: f64) -> String {
    if fraction <= 0.0 {
        return doing.to_owned();
    }
    let percent_a_second = 100.0 * fraction / elapsed_secs;
    let left = elapsed_secs * (1.0 - fraction) / fraction;
    format!("{doing}: {:.0} %, {percent_a_second:.1} % a second, {left:.0} s left", 100.0 * fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_rate_and_time_left() {
        assert_eq!(line("projecting", 0.25, 10.0), "projecting: 25 %, 2.5 % a second, 30 s left");
        assert_eq!(line("projecting", 0.0, 10.0), "projecting");
    }
}
