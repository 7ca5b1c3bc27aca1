//! Options that t-SNE has; some of them UMAP has as well.

use anyhow::bail;

use super::ProjectArgs;
use crate::project::tsne::TsneOptions;
use crate::project::{Embedding, Method, Metric, NewcomerOptions};

/// What t-SNE takes. Of it, UMAP takes the steps, the components and the seed.
#[derive(Clone, Debug, clap::Args)]
pub struct TsneArgs {
    /// t-SNE: how many neighbours count, roughly (default 30; with --into 5; at most a third of the rows)
    #[arg(long, value_name = "P")]
    perplexity: Option<f64>,
    /// t-SNE, UMAP: steps in all (t-SNE: 750, the first 250 exaggerated, or 250 with --into; UMAP: 500 up to 10,000 rows, 200 above)
    #[arg(long, value_name = "N")]
    pub(super) iterations: Option<usize>,
    /// t-SNE: what attraction is multiplied by in the first 250 steps (default 12)
    #[arg(long, value_name = "X")]
    exaggeration: Option<f32>,
    /// t-SNE, UMAP: principal components that neighbours are sought in (default 50)
    #[arg(long, value_name = "N")]
    pub(super) pca_dims: Option<usize>,
    /// t-SNE, UMAP: by what neighbours are near, euclidean or cosine (default euclidean)
    #[arg(long, value_name = "METRIC")]
    pub(super) metric: Option<Metric>,
    /// t-SNE, UMAP: for what is left to chance, such as noise in the first positions (default 0)
    #[arg(long, value_name = "SEED")]
    pub(super) seed: Option<u64>,
}

impl TsneArgs {
    /// The method, with the defaults for what was not given.
    pub fn options(&self, args: &ProjectArgs) -> anyhow::Result<Method> {
        if args.axes.is_some() {
            bail!("--axes goes with original, pca and std-pca; t-SNE takes --dims 2 or 3");
        }
        let defaults = TsneOptions::default();
        let options = TsneOptions {
            dims: args.dims.unwrap_or(defaults.dims),
            perplexity: self.perplexity.unwrap_or(defaults.perplexity),
            iterations: self.iterations.unwrap_or(defaults.iterations),
            exaggeration: self.exaggeration.unwrap_or(defaults.exaggeration),
            pca_dims: self.pca_dims.unwrap_or(defaults.pca_dims),
            metric: self.metric.unwrap_or(defaults.metric),
            seed: self.seed.unwrap_or(defaults.seed),
        };
        if !(2..=3).contains(&options.dims) {
            bail!("--dims takes 2 or 3 with t-SNE, not {}", options.dims);
        }
        if !(options.perplexity >= 1.0 && options.perplexity.is_finite()) {
            bail!("--perplexity takes a number from 1 on, not {}", options.perplexity);
        }
        if !(options.exaggeration >= 1.0 && options.exaggeration <= 100.0) {
            bail!("--exaggeration takes a number from 1 to 100, not {}", options.exaggeration);
        }
        Ok(Method::Embedding(Embedding::Tsne(options)))
    }

    /// How new rows go into an earlier layout, with the defaults for what was not given.
    pub fn newcomers(&self) -> anyhow::Result<NewcomerOptions> {
        let given = [("--exaggeration", self.exaggeration.is_some()), ("--metric", self.metric.is_some()), ("--seed", self.seed.is_some())];
        for (name, is_given) in given {
            if is_given {
                bail!("{name} does not go with --into, which has no such choice; leave it out");
            }
        }
        let defaults = NewcomerOptions::default();
        Ok(NewcomerOptions {
            perplexity: self.perplexity.unwrap_or(defaults.perplexity),
            iterations: self.iterations.unwrap_or(defaults.iterations),
            pca_dims: self.pca_dims.unwrap_or(defaults.pca_dims),
        })
    }

    /// Refuses what was given with a method that places no rows by their neighbours.
    pub fn refuse(&self) -> anyhow::Result<()> {
        self.refuse_own()?;
        let given = [
            ("--iterations", self.iterations.is_some()),
            ("--pca-dims", self.pca_dims.is_some()),
            ("--metric", self.metric.is_some()),
            ("--seed", self.seed.is_some()),
        ];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((name, _)) => bail!("{name} goes with --method tsne and umap"),
            None => Ok(()),
        }
    }

    /// Refuses what goes with t-SNE alone.
    pub fn refuse_own(&self) -> anyhow::Result<()> {
        let given = [("--perplexity", self.perplexity.is_some()), ("--exaggeration", self.exaggeration.is_some())];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((name, _)) => bail!("{name} goes with --method tsne"),
            None => Ok(()),
        }
    }
}
