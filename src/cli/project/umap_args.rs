//! Options that only UMAP has, and those that it shares with t-SNE.

use anyhow::bail;

use super::ProjectArgs;
use crate::project::umap::UmapOptions;
use crate::project::{Embedding, Method};

/// What UMAP takes; neither goes with another method.
#[derive(Clone, Debug, clap::Args)]
pub struct UmapArgs {
    /// UMAP: how many rows a neighbourhood has, the row itself among them (default 15)
    #[arg(long, value_name = "N")]
    neighbors: Option<usize>,
    /// UMAP: how near rows that belong together may lie, 0 to 1 (default 0.1)
    #[arg(long, value_name = "D")]
    min_dist: Option<f32>,
}

impl UmapArgs {
    /// The method, with the defaults for what was not given.
    pub fn options(&self, args: &ProjectArgs) -> anyhow::Result<Method> {
        if args.axes.is_some() {
            bail!("--axes goes with original, pca and std-pca; UMAP takes --dims 2 or 3");
        }
        args.tsne.refuse_own()?;
        let (defaults, shared) = (UmapOptions::default(), &args.tsne);
        let options = UmapOptions {
            dims: args.dims.unwrap_or(defaults.dims),
            neighbors: self.neighbors.unwrap_or(defaults.neighbors),
            min_dist: self.min_dist.unwrap_or(defaults.min_dist),
            iterations: shared.iterations,
            pca_dims: shared.pca_dims.unwrap_or(defaults.pca_dims),
            metric: shared.metric.unwrap_or(defaults.metric),
            seed: shared.seed.unwrap_or(defaults.seed),
        };
        if !(2..=3).contains(&options.dims) {
            bail!("--dims takes 2 or 3 with UMAP, not {}", options.dims);
        }
        if options.neighbors < 2 {
            bail!("--neighbors takes a number from 2 on (the row itself is one of them), not {}", options.neighbors);
        }
        if !(0.0..=1.0).contains(&options.min_dist) {
            bail!("--min-dist takes a number from 0 to 1, not {}", options.min_dist);
        }
        Ok(Method::Embedding(Embedding::Umap(options)))
    }

    /// Refuses what was given with another method.
    pub fn refuse(&self) -> anyhow::Result<()> {
        let given = [("--neighbors", self.neighbors.is_some()), ("--min-dist", self.min_dist.is_some())];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((name, _)) => bail!("{name} goes with --method umap"),
            None => Ok(()),
        }
    }
}
