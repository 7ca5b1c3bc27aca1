//! `tagscape render`: the window's map as a picture.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::Context as _;

use super::exit_code::Exit;
use super::interrupt::Interrupt;
use super::printer;
use super::project::progress::TerminalProgress;
use super::view::ViewArgs;
use crate::app::error::AppError;
use crate::app::headless;
use crate::app::notices::Topic;
use crate::app::png_file::PngFile;
use crate::app::state::AppState;
use crate::app::tiles::{self, LARGEST, Tiling};
use crate::catalog::counted;
use crate::command::Command;
use crate::gpu::{AdapterChoice, GpuContext};
use crate::project::{Compute, DeviceChoice, Observer as _};
use crate::scene::Combine;
use crate::whole_file;

/// Draws a map into a PNG file, without a window.
#[derive(Clone, Debug, clap::Args)]
pub struct RenderArgs {
    /// The collection; without one, the demo collection
    collection: Option<PathBuf>,
    #[command(flatten)]
    view: ViewArgs,
    /// Width and height in pixels, up to 16384x16384
    #[arg(long, value_name = "WxH", default_value = "1600x1000", value_parser = parse_size)]
    size: [u32; 2],
    /// Where the picture goes
    #[arg(long, value_name = "FILE.png")]
    out: PathBuf,
    /// Angle around the vertical axis (3-D)
    #[arg(long, value_name = "DEGREES", default_value = "35", requires = "three_d", allow_negative_numbers = true)]
    azimuth: f32,
    /// Angle above the horizon (3-D)
    #[arg(long, value_name = "DEGREES", default_value = "20", requires = "three_d", allow_negative_numbers = true)]
    elevation: f32,
    /// Choose what a text says, as the window does: tracks by artist, album, genre, title or path, or tag:NAME>0.5; the rest steps back
    #[arg(long, value_name = "TEXT")]
    highlight: Option<String>,
    /// What the projection runs on: auto, cpu or gpu
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
}

/// Runs `tagscape render`.
///
/// # Errors
/// No adapter, an unreadable collection, a size that the GPU does not take, a file that cannot be written.
pub fn run(args: &RenderArgs) -> anyhow::Result<Exit> {
    check_png(&args.out)?;
    if args.size.iter().any(|&edge| edge > LARGEST) {
        anyhow::bail!("--size {}x{}: pictures have at most {LARGEST} pixels an edge", args.size[0], args.size[1]);
    }
    whole_file::check(&args.out, &args.view.inputs()).context("--out")?;
    let (collection, choices, axes) = args.view.resolve(args.collection.as_ref())?;
    let context = GpuContext::headless(AdapterChoice::Best)?;
    let compute = match args.device {
        DeviceChoice::Auto => Compute::automatic(context.clone()),
        DeviceChoice::Cpu => Compute::Cpu,
        DeviceChoice::Gpu => Compute::Gpu(context.clone()),
    };
    let (mut state, effects) = AppState::open(collection, choices, axes, compute)?;
    headless::settle(&mut state, effects)?;
    // What is worth knowing of the layout is no reason to draw nothing.
    if let Some(remark) = state.notices.about(Topic::Projection) {
        printer::remark(remark);
    }
    let is_whole = state.is_every_row_placed();
    if let Some(text) = &args.highlight {
        let effects = state.update(Command::ChooseText { text: text.clone(), how: Combine::Replace });
        headless::settle(&mut state, effects)?;
        anyhow::ensure!(state.chosen_count().is_some(), "--highlight: {}", state.notices.about(Topic::Choice).unwrap_or("nothing matches"));
    }
    state.set_angles(args.azimuth.to_radians(), args.elevation.to_radians().clamp(-1.5, 1.5));
    let drawn = draw(&context, &mut state, args)?;
    if let Some(line) = state.notices.about(Topic::Letters) {
        printer::remark(line);
    }
    let drawn = counted(drawn, "segment");
    printer::line(&format!("{}: {drawn} of {} on {}", args.out.display(), state.choices.space, context.caps.name));
    Ok(if is_whole { Exit::Done } else { Exit::SomeFailed })
}

/// Refuses a name that would make another kind of picture expected.
pub(super) fn check_png(file: &Path) -> anyhow::Result<()> {
    let is_png = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
    anyhow::ensure!(is_png, "{}: pictures are PNG files; give a name that ends in .png", file.display());
    Ok(())
}

/// Draws tile by tile into the file; an end that is asked for leaves none.
fn draw(context: &GpuContext, state: &mut AppState, args: &RenderArgs) -> anyhow::Result<usize> {
    let mut file = PngFile::create(&args.out, args.size)?;
    let interrupt = Interrupt::listen_quietly();
    let progress = TerminalProgress::new("drawing", false);
    let drawn = tiles::draw(context, state, args.size, Tiling::for_device(context), &mut |rows, done| {
        progress.progress(done);
        if interrupt.flag().load(Ordering::Relaxed) {
            return Err(AppError::Stopped);
        }
        file.write(rows)
    });
    progress.finish();
    let drawn = drawn.context("drawing")?;
    let told = [Topic::Drawing, Topic::Program].into_iter().find_map(|topic| state.notices.about(topic)).map(str::to_owned);
    let trouble = told.or_else(|| context.errors.take().into_iter().next());
    if let Some(trouble) = trouble {
        anyhow::bail!("drawing: {trouble}");
    }
    file.finish()?;
    Ok(drawn)
}

pub(super) fn parse_size(text: &str) -> Result<[u32; 2], String> {
    let wrong = || "give width and height in pixels, as in 1600x1000".to_owned();
    let (width, height) = text.split_once(['x', 'X']).ok_or_else(wrong)?;
    let edge = |text: &str| text.parse::<u32>().ok().filter(|&edge| edge > 0).ok_or_else(wrong);
    Ok([edge(width)?, edge(height)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_two_numbers_above_zero() {
        assert_eq!(parse_size("1600x1000"), Ok([1600, 1000]));
        for bad in ["", "1600", "0x5", "-1x5", "axb", "99999999999x1"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
