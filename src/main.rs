//! The `tagscape` program: everything is in the library.

fn main() -> std::process::ExitCode {
    tagscape::cli::main(std::env::args_os())
}
