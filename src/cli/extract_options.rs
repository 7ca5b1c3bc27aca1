//! The options that `extract` and `bench extract` share: which networks, how, and on what.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::printer;
use crate::app::extract_job::{ExtractParams, NetworkDevice};
use crate::catalog::ModelKey;
use crate::nn::MusicnnLayer;

/// How music is extracted.
#[derive(Debug, Args)]
pub(super) struct ExtractOptions {
    /// The networks: all, or some of mtt-musicnn, msd-musicnn, mtt-vgg, msd-vgg, audioset-vggish (vggish for short), separated by commas
    #[arg(long, value_name = "LIST", default_value = "all", value_parser = parse_models)]
    models: Models,
    /// Seconds from one segment's start to the next's, rounded to whole frames of 16 ms (default: no overlap)
    #[arg(long, value_name = "SECONDS", value_parser = parse_hop)]
    hop: Option<f64>,
    /// Where the networks run
    #[arg(long, value_enum, default_value_t = Device::Auto)]
    device: Device,
    /// Worker threads (default: one a core)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Which layer MusiCNN's embeddings are: after batch normalisation, or `dense/BiasAdd` as in Essentia's metadata
    #[arg(long, value_enum, default_value_t = Layer::Penultimate)]
    musicnn_layer: Layer,
}

/// Empty: all that are there.
#[derive(Clone, Debug)]
struct Models(Vec<ModelKey>);

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Device {
    /// A real GPU that gives the CPU's answers, else the CPU
    Auto,
    /// The CPU
    Cpu,
    /// As auto, and it says so where no GPU can be used
    Gpu,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Layer {
    Penultimate,
    Dense,
}

fn parse_models(list: &str) -> Result<Models, String> {
    if list == "all" {
        return Ok(Models(Vec::new()));
    }
    let models = list.split(',').map(|name| name.trim().parse::<ModelKey>().map_err(|error| error.to_string()));
    models.collect::<Result<_, _>>().map(Models)
}

fn parse_hop(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(secs) if secs > 0.0 && secs <= 600.0 => Ok(secs),
        _ => Err("a hop is more than 0 and at most 600 seconds".to_owned()),
    }
}

impl ExtractOptions {
    /// An extraction of these inputs into this collection, of the whole of them, with what failed before left alone.
    pub(super) fn params(&self, inputs: Vec<PathBuf>, out: PathBuf) -> ExtractParams {
        ExtractParams {
            inputs,
            out,
            models: self.models.0.clone(),
            hop_secs: self.hop,
            jobs: self.jobs.map(usize::from),
            musicnn_layer: match self.musicnn_layer {
                Layer::Penultimate => MusicnnLayer::Penultimate,
                Layer::Dense => MusicnnLayer::Dense,
            },
            retry: false,
            is_strict: false,
            shard: None,
            device: match self.device {
                Device::Auto => NetworkDevice::Auto,
                Device::Cpu => NetworkDevice::Cpu,
                Device::Gpu => NetworkDevice::Gpu,
            },
            tell: printer::remark,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_and_hops_are_checked_before_anything_is_done() {
        assert_eq!(parse_models("all").unwrap().0, []);
        assert_eq!(parse_models("msd-vgg, mtt-musicnn").unwrap().0.len(), 2);
        assert!(parse_models("resnet").unwrap_err().contains("mtt-musicnn"));
        for wrong in ["0", "-1", "nan", "inf", "1e9", "half"] {
            assert!(parse_hop(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_hop("0.5"), Ok(0.5));
    }
}
