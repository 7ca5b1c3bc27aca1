//! A panic, which is a mistake of the program: told in one line, and the end of the command but not of good manners.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use super::exit_code::Exit;
use super::printer;

/// Lets panics be told by the [`printer`], and without the folders of the machine that built the program.
pub(super) fn listen() {
    std::panic::set_hook(Box::new(|panic| {
        let is_window_lost = panic.location().is_some_and(|at| at.file().contains("winit-"))
            && panic.payload_as_str().is_some_and(|message| message.contains("X11Error"));
        // Another program destroyed the window: the mistake is not ours, and `app::windowed` ends the session.
        if is_window_lost {
            return;
        }
        printer::remark(&words(panic));
        // Only there where RUST_BACKTRACE asks for it.
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            trace.to_string().lines().for_each(printer::remark);
        }
    }));
}

/// Does the work; a panic in it, which has been told, ends it.
pub(super) fn guarded(work: impl FnOnce() -> anyhow::Result<Exit>) -> anyhow::Result<Exit> {
    // Nothing of the work is looked at afterwards.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Ok(Exit::NothingDone))
}

fn words(panic: &PanicHookInfo<'_>) -> String {
    let message = panic.payload_as_str().unwrap_or("it gives no reason").split_whitespace().collect::<Vec<_>>().join(" ");
    let place = panic.location().map_or_else(String::new, |at| format!(" ({}:{})", place_of(at.file()), at.line()));
    format!("a mistake in tagscape, please report it: {message}{place}")
}

/// A source file's path, of a dependency from its own folder on.
fn place_of(file: &str) -> &str {
    let own = |after: &str| file.rsplit_once(after).map(|(_, own)| own);
    // `registry/src/INDEX/CRATE-VERSION/src/x.rs`, and Rust's own `/rustc/HASH/library/core/src/x.rs`.
    let of_registry = own("registry/src/").or_else(|| own("registry\\src\\"));
    let of_registry = of_registry.and_then(|path| path.split_once(['/', '\\'])).map(|(_, path)| path);
    of_registry.or_else(|| own("/library/")).unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_no_folders_of_the_machine_that_built_the_program() {
        let cases = [
            ("/home/me/.cargo/registry/src/index.crates.io-19/winit-0.30.13/src/x.rs", "winit-0.30.13/src/x.rs"),
            ("C:\\u\\.cargo\\registry\\src\\index-1\\png-0.18\\src\\x.rs", "png-0.18\\src\\x.rs"),
            ("/rustc/0123abc/library/core/src/option.rs", "core/src/option.rs"),
            ("src/app/state.rs", "src/app/state.rs"),
        ];
        for (file, place) in cases {
            assert_eq!(place_of(file), place);
        }
    }

    #[test]
    fn a_panic_ends_the_work_with_an_exit_code_of_the_contract() {
        assert_eq!(guarded(|| panic!("planted")).unwrap(), Exit::NothingDone);
        assert_eq!(guarded(|| Ok(Exit::SomeFailed)).unwrap(), Exit::SomeFailed);
    }
}
