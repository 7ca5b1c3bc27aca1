//! `tagscape bench render`: frames of a made-up scene, measured one by one.

use clap::Args;
use serde_json::{Map, Value, json};

use super::percentile;
use crate::app::drawing_trial::{DrawingTimes, DrawingTrial};
use crate::catalog::counted;
use crate::cli::exit_code::Exit;
use crate::cli::printer;
use crate::cli::render::parse_size;
use crate::cli::view::ViewArg;
use crate::gpu::{AdapterChoice, GpuContext};
use crate::project::DeviceChoice;
use crate::render::SplatEngine;
use crate::scene::Dimensions;

/// Draws points of a unit normal distribution again and again, and prints how long a frame takes
///
/// Every measured frame has a new camera, draws all points and is waited for. Its time begins before anything is done for it and ends when the
/// GPU has finished.
#[derive(Debug, Args)]
pub struct BenchRenderArgs {
    /// How many points
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    points: u32,
    /// How they are drawn
    #[arg(long, value_enum, default_value = "segments")]
    view: ViewArg,
    /// Width and height in pixels
    #[arg(long, value_name = "WxH", default_value = "1920x1080", value_parser = parse_size)]
    size: [u32; 2],
    /// A space instead of a plane
    #[arg(long = "3d")]
    three_d: bool,
    /// How many frames to measure
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    frames: u16,
    /// The adapter, by a part of its name (default: the fastest kind)
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// Classes that the tracks are of, in turn (default: each track is one of its own)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    classes: Option<u16>,
    /// What splats are made on: auto, cpu or gpu
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// Print one JSON object to standard output and nothing else
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &BenchRenderArgs) -> anyhow::Result<Exit> {
    let choice = args.adapter.clone().map_or(AdapterChoice::Best, AdapterChoice::Named);
    let context = GpuContext::headless_for_timing(choice)?;
    let limit = context.device.limits().max_texture_dimension_2d;
    if args.size.iter().any(|&edge| edge > limit) {
        anyhow::bail!("--size {}x{}: {} draws at most {limit} pixels an edge", args.size[0], args.size[1], context.caps.name);
    }
    let trial = DrawingTrial {
        points: args.points as usize,
        view: args.view.kind(),
        dimensions: if args.three_d { Dimensions::Three } else { Dimensions::Two },
        size: args.size,
        frames: usize::from(args.frames),
        engine: match args.device {
            DeviceChoice::Auto => SplatEngine::Auto,
            DeviceChoice::Cpu => SplatEngine::Cpu,
            DeviceChoice::Gpu => SplatEngine::Gpu,
        },
        classes: args.classes.map(usize::from),
    };
    let times = trial.run(&context)?;
    let errors = context.errors.take();
    anyhow::ensure!(errors.is_empty(), "drawing: {}", errors.join("; "));
    let adapter = context.caps.name.clone();
    let kind = format!("{:?}", context.caps.device_type);
    if args.json {
        printer::json(&to_json(&trial, &times, &adapter, &kind));
    } else {
        printer::lines(&table(&trial, &times, &adapter));
    }
    Ok(Exit::Done)
}

/// To a thousandth: what is behind is noise.
fn rounded(ms: f64) -> Value {
    json!((ms * 1e3).round() / 1e3)
}

fn to_json(trial: &DrawingTrial, times: &DrawingTimes, adapter: &str, kind: &str) -> Value {
    let share = |share: f64| rounded(percentile(&times.frames_ms, share));
    let passes: Map<String, Value> = times.passes_ms.iter().map(|&(name, ms)| (name.to_owned(), rounded(ms))).collect();
    json!({
        "adapter": adapter,
        "device_type": kind,
        "points": trial.points,
        "points_drawn": times.points_drawn,
        "view": trial.view.name(),
        "classes": trial.classes,
        "size": trial.size,
        "frames": times.frames_ms.len(),
        "upload_ms": rounded(times.upload_ms),
        "frame_ms": {"p50": share(0.5), "p95": share(0.95), "p99": share(0.99), "max": share(1.0)},
        "passes_ms": passes,
    })
}

fn table(trial: &DrawingTrial, times: &DrawingTimes, adapter: &str) -> String {
    let share = |share: f64| percentile(&times.frames_ms, share);
    let mut text = format!("{adapter}: {}, {}, {}x{}\n", counted(trial.points, "point"), trial.view, trial.size[0], trial.size[1]);
    text +=
        &format!("points drawn {}, upload {:.1} ms, {}\n", times.points_drawn, times.upload_ms, counted(times.frames_ms.len(), "frame"));
    text += &format!("frame  p50 {:.2}  p95 {:.2}  p99 {:.2}  max {:.2} ms\n", share(0.5), share(0.95), share(0.99), share(1.0));
    for (name, ms) in &times.passes_ms {
        text += &format!("{name:>10} {ms:8.3} ms\n");
    }
    text
}
