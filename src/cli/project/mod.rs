//! `tagscape project`: a space of a collection, or any matrix, to a layout file.

pub(super) mod input;
mod into;
mod output;
pub(super) mod progress;
mod row_numbers;
mod tsne_args;
mod umap_args;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::{Map, Value, json};

use super::exit_code::Exit;
use super::printer;
use crate::catalog::{SpaceKey, counted};
use crate::project::{Compute, DeviceChoice, Embedding, Layout, Method, Projection};

use input::Input;
use into::EarlierLayout;
use output::Output;
use progress::TerminalProgress;
use tsne_args::TsneArgs;
use umap_args::UmapArgs;

/// Projects a space to a layout: its own dimensions, principal components, t-SNE or UMAP
///
/// Writes float32 [rows, dims], readable by numpy.load. Where --tracks or --every leave rows out, LAYOUT.rows.npy beside it has the
/// numbers (from 0) of the rows that are there, and a PCA is fitted on all rows all the same.
#[derive(Debug, Args)]
pub struct ProjectArgs {
    /// A collection, or a .npy matrix [rows, dims]
    #[arg(value_name = "INPUT")]
    input: PathBuf,
    /// How to project
    #[arg(long, value_enum)]
    method: MethodName,
    /// The layout file to write
    #[arg(long, value_name = "LAYOUT.npy")]
    out: PathBuf,
    /// The collection's space (default: msd-musicnn-embeddings, or else its first)
    #[arg(long, value_name = "SPACE")]
    space: Option<SpaceKey>,
    /// Dimensions of the layout (default 2)
    #[arg(long, value_name = "N")]
    dims: Option<usize>,
    /// Which axes: tags, or numbers from 1 of dimensions or of components, separated by commas (default: the first)
    #[arg(long, value_name = "A,B[,C]")]
    axes: Option<String>,
    /// Only the collection's first N tracks
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    tracks: Option<u64>,
    /// Only segments 1, 1 + K, 1 + 2K... of each track
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,
    #[command(flatten)]
    tsne: TsneArgs,
    /// t-SNE: keep every row of this earlier layout where it is, and place INPUT's other rows among them (on the CPU). It has INPUT's first
    /// rows, or those of OLD.rows.npy beside it; --pca-dims as it was made with
    #[arg(long, value_name = "OLD.npy")]
    into: Option<PathBuf>,
    #[command(flatten)]
    umap: UmapArgs,
    /// What to compute on: auto, cpu or gpu
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// Print one JSON object, and nothing else, to standard output
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum MethodName {
    /// The space's own dimensions
    Original,
    /// Principal components
    Pca,
    /// Principal components of standardised columns
    StdPca,
    /// t-SNE of the rows that are shown
    Tsne,
    /// UMAP of the rows that are shown
    Umap,
}

/// Wall time in seconds.
struct Seconds {
    load: f64,
    projection: f64,
    write: f64,
    total: f64,
}

/// Runs the command.
///
/// # Errors
/// Where nothing could be done.
pub fn run(args: &ProjectArgs) -> anyhow::Result<Exit> {
    let told = project(args)?;
    if args.json {
        printer::json(&told.json);
    } else {
        told.words.iter().for_each(|line| printer::line(line));
    }
    Ok(Exit::Done)
}

/// What a projection came to.
pub(super) struct Told {
    /// For scripts.
    pub json: Value,
    /// For people, line by line.
    pub words: Vec<String>,
}

/// Does what the command does, up to the printing.
///
/// # Errors
/// As [`run`].
pub(super) fn project(args: &ProjectArgs) -> anyhow::Result<Told> {
    let start = Instant::now();
    let inputs = std::iter::once(args.input.clone());
    let inputs = inputs.chain(args.into.iter().flat_map(|earlier| [earlier.clone(), row_numbers::path_beside(earlier)]));
    let output = Output::check(&args.out, args.tracks.is_some() || args.every.is_some(), inputs.collect())?;
    let input = Input::open(&args.input, args.space)?;
    let method = method(args, &input)?;
    let earlier = match &args.into {
        Some(_) if !matches!(method, Method::Embedding(Embedding::Tsne(_))) => {
            bail!("--into goes with --method tsne, not {}", method.name())
        }
        Some(path) => Some(EarlierLayout::open(path, args.dims, args.device, args.tsne.newcomers()?)?),
        None => None,
    };
    let shown = input.shown(args.tracks, args.every)?;
    let matrix = input.load(&method)?;
    let load = start.elapsed().as_secs_f64();

    let progress = TerminalProgress::new("projecting", args.json);
    let layout = match &earlier {
        Some(earlier) => earlier.grow(matrix.as_source(), shown.as_deref(), &progress),
        None => {
            let (space, column_names) = (matrix.as_source(), input.column_names());
            let rows = shown.as_ref().map_or(space.rows(), Vec::len);
            let compute = open_device(args.device, &method, rows)?;
            let projection = Projection { space, fitted_on: None, shown: shown.as_deref(), column_names, method: method.clone() };
            projection.run(&compute, &progress).map_err(anyhow::Error::from)
        }
    };
    let layout = layout.with_context(|| format!("cannot project {}", args.input.display()))?;
    progress.finish();

    let before_write = Instant::now();
    output.write(&layout, shown.as_deref())?;
    let write = before_write.elapsed().as_secs_f64();
    let seconds = Seconds { load, projection: layout.seconds, write, total: start.elapsed().as_secs_f64() };
    Ok(Told { json: to_json(input.dims(), &method, &layout, &seconds), words: in_words(args, input.dims(), &method, &layout, &seconds) })
}

/// What was asked for; where that was left open, the CPU if the GPU does not take so many rows, and why on standard error.
fn open_device(choice: DeviceChoice, method: &Method, rows: usize) -> anyhow::Result<Compute> {
    let compute = choice.open().context("--device gpu")?;
    let (DeviceChoice::Auto, Method::Embedding(embedding)) = (choice, method) else { return Ok(compute) };
    let (compute, reason) = embedding.automatic(rows, compute);
    if let Some(reason) = reason {
        printer::remark(&format!("on the CPU: {reason}"));
    }
    Ok(compute)
}

/// The method with its axes, from 0, all of them there.
fn method(args: &ProjectArgs, input: &Input) -> anyhow::Result<Method> {
    if args.method == MethodName::Umap {
        return args.umap.options(args);
    }
    args.umap.refuse()?;
    if args.method == MethodName::Tsne {
        return args.tsne.options(args);
    }
    args.tsne.refuse()?;
    let count = input.dims();
    if let Some(dims) = args.dims
        && !(1..=count).contains(&dims)
    {
        bail!("--dims takes 1 to {count} here, the dimensions of the input, not {dims}");
    }
    let names = if args.method == MethodName::Original { input.column_names() } else { &[] };
    let axes = match &args.axes {
        Some(text) => input::parse_axes(text, count, names)?,
        None => (0..args.dims.unwrap_or(2).min(count)).collect(),
    };
    if let Some(dims) = args.dims.filter(|&dims| dims != axes.len()) {
        bail!("--dims {dims} and {} --axes contradict each other; leave one of them out", axes.len());
    }
    Ok(match args.method {
        MethodName::Original => Method::Original { axes },
        MethodName::Pca => Method::Pca { components: axes },
        MethodName::StdPca | MethodName::Tsne | MethodName::Umap => Method::StdPca { components: axes },
    })
}

fn to_json(dims_in: usize, method: &Method, layout: &Layout, seconds: &Seconds) -> Value {
    let mut times = Map::new();
    times.insert("load".to_owned(), json!(seconds.load));
    if method.components().is_some() {
        times.insert("pca".to_owned(), json!(seconds.projection));
    }
    if let Some(embedding) = &layout.embedding {
        let parts = &embedding.seconds;
        for (part, seconds) in [("pca", parts.pca), ("knn", parts.knn), ("affinities", parts.affinities), ("optimize", parts.optimize)] {
            times.insert(part.to_owned(), json!(seconds));
        }
    }
    times.insert("write".to_owned(), json!(seconds.write));
    times.insert("total".to_owned(), json!(seconds.total));
    let mut report = Map::new();
    report.insert("rows".to_owned(), json!(layout.rows()));
    report.insert("dims_in".to_owned(), json!(dims_in));
    report.insert("dims_out".to_owned(), json!(layout.axes.len()));
    report.insert("method".to_owned(), json!(method.name()));
    report.insert("device".to_owned(), json!(layout.device.to_string()));
    report.insert("seconds".to_owned(), Value::Object(times));
    if let Some(embedding) = &layout.embedding {
        report.insert("iterations".to_owned(), json!(embedding.iterations));
        if let Some(kl) = embedding.kl {
            report.insert("kl".to_owned(), json!(kl));
        }
        report.insert("knn_recall_measured".to_owned(), json!(embedding.knn_recall_measured));
    }
    if let Some(components) = method.components() {
        let ratio: Vec<f64> = components.iter().map(|&component| layout.explained_variance_ratio[component]).collect();
        report.insert("explained_variance_ratio".to_owned(), json!(ratio));
    }
    Value::Object(report)
}

fn in_words(args: &ProjectArgs, dims_in: usize, method: &Method, layout: &Layout, seconds: &Seconds) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {}, {} of {} ({}, {}) in {:.2} s",
        args.out.display(),
        counted(layout.rows(), "row"),
        layout.axes.len(),
        counted(dims_in, "dimension"),
        method.name(),
        layout.device,
        seconds.total,
    )];
    if let Some(embedding) = &layout.embedding {
        let mut text = format!("  {}", counted(embedding.iterations, "iteration"));
        if let Some(perplexity) = embedding.perplexity {
            text += &format!(" at perplexity {perplexity:.0}");
        }
        if let Some(kl) = embedding.kl {
            text += &format!(": KL divergence {kl:.3} nats");
        }
        lines.push(text + &format!("; {:.1} % of the true neighbours found", 100.0 * embedding.knn_recall_measured));
        return lines;
    }
    let width = layout.axes.iter().map(|axis| axis.name.len()).max().unwrap_or(0);
    for axis in &layout.axes {
        match axis.explained_variance_ratio {
            Some(ratio) => lines.push(format!("  {:<width$}  {:6.2} % of the variance", axis.name, 100.0 * ratio)),
            None => lines.push(format!("  {}", axis.name)),
        }
    }
    if layout.axes.len() > 1 && !layout.explained_variance_ratio.is_empty() {
        let sum: f32 = layout.axes.iter().filter_map(|axis| axis.explained_variance_ratio).sum();
        lines.push(format!("  {:<width$}  {:6.2} %", "together", 100.0 * sum));
    }
    lines
}
