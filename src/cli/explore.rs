//! `tagscape explore`: the window.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::exit_code::Exit;
use super::extract::extract_with_progress;
use super::interrupt::Interrupt;
use super::printer;
use super::render::check_png;
use super::view::ViewArgs;
use crate::app::event_log::EventLog;
use crate::app::extract_job::{ExtractParams, NetworkDevice, Stop};
use crate::app::resources::user_data_dir;
use crate::app::windowed::{self, Display, WindowConfig};
use crate::gpu::find_driver;
use crate::nn::MusicnnLayer;
use crate::project::DeviceChoice;
use crate::store::Collection;
use crate::whole_file;

/// Opens the window on a collection.
#[derive(Clone, Debug, clap::Args)]
pub struct ExploreArgs {
    /// A collection, or a folder of music to make one of; without one, the demo collection
    path: Option<PathBuf>,
    /// Where the collection made of a folder of music goes (default: FOLDER.tagscape in the user's data folder)
    #[arg(long, value_name = "C.tagscape")]
    out: Option<PathBuf>,
    #[command(flatten)]
    view: ViewArgs,
    /// Write what happens to this file, a JSON object a line
    #[arg(long, value_name = "FILE")]
    event_log: Option<PathBuf>,
    /// Where the audio files are, if not where the collection says
    #[arg(long, value_name = "DIR")]
    audio_root: Option<PathBuf>,
    /// What projections run on: auto, cpu or gpu
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// Write a picture of the whole window once the map is there, and close
    #[arg(long, value_name = "FILE.png")]
    screenshot: Option<PathBuf>,
}

/// Runs `tagscape explore`.
///
/// # Errors
/// No display, no adapter, an unreadable collection.
pub fn run(args: ExploreArgs) -> anyhow::Result<Exit> {
    // Before music is extracted, which takes long.
    if let Some(log) = &args.event_log {
        EventLog::check(log, &args.view.inputs()).context("--event-log")?;
    }
    if let Some(picture) = &args.screenshot {
        check_png(picture)?;
        whole_file::check(picture, &args.view.inputs()).context("--screenshot")?;
    }
    let mut display = None;
    let path = match args.path {
        Some(path) if is_music(&path) => {
            // Hours of extraction are in vain where nothing can be shown afterwards.
            display = Some(Display::open()?);
            find_driver()?;
            Some(collection_of(path, args.out)?)
        }
        path => path,
    };
    let (collection, choices, axes) = args.view.resolve(path.as_ref())?;
    if let Some(root) = &args.audio_root {
        anyhow::ensure!(root.is_dir(), "--audio-root {}: no such folder", root.display());
    }
    let display = display.map_or_else(Display::open, Ok)?;
    let _interrupt = Interrupt::listen_and(display.closer());
    let config = WindowConfig {
        collection,
        choices,
        axes,
        audio_root: args.audio_root,
        device: args.device,
        event_log: args.event_log,
        screenshot: args.screenshot,
    };
    windowed::run(display, config)?;
    Ok(Exit::Done)
}

/// A folder that is no collection is taken for music.
fn is_music(path: &Path) -> bool {
    path.is_dir() && !path.join("collection.sqlite").exists() && path.extension().is_none_or(|ending| ending != "tagscape")
}

/// Extracts a folder of music, or what is new in it, and returns its collection.
fn collection_of(music: PathBuf, out: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let music = music.canonicalize().with_context(|| music.display().to_string())?;
    let out = match out {
        Some(out) => out,
        None => {
            let folder = user_data_dir().context("there is no home folder; name a collection with --out")?;
            std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
            let name = music.file_name().map_or_else(|| "music".into(), std::ffi::OsStr::to_os_string);
            folder.join(name).with_added_extension("tagscape")
        }
    };
    // Two folders may have one name; the second must not be mixed into the first one's collection.
    let mut models = Vec::new();
    if out.join("collection.sqlite").exists() {
        let collection = Collection::open(&out)?;
        let root = collection.audio_root();
        // It goes on with its own networks, also where one was added since.
        models.extend(collection.spaces().iter().map(|space| space.key.model));
        models.dedup();
        anyhow::ensure!(root == music, "{} is the collection of {}; name another with --out", out.display(), root.display());
    }
    printer::remark(&format!("{}: music; its collection is {}", music.display(), out.display()));
    let params = ExtractParams {
        inputs: vec![music],
        out: out.clone(),
        models,
        hop_secs: None,
        jobs: None,
        musicnn_layer: MusicnnLayer::Penultimate,
        retry: false,
        is_strict: false,
        shard: None,
        device: NetworkDevice::Auto,
        tell: printer::remark,
    };
    // Files that fail were named; what did not fail is shown.
    let summary = extract_with_progress(&params)?;
    anyhow::ensure!(!matches!(summary.stop, Some(Stop::Cancelled)), "stopped before the window opened");
    Ok(out)
}
