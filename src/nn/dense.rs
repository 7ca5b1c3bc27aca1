//! A fully connected layer over several patches at once.
//!
//! VGGish's three have 270 MB of weights: a single row would wait for memory at every one of them. [`ROWS`] rows share one reading. There are
//! always that many: what is missing is zeros, so that a row's bits depend on it alone.

use burn::tensor::Tensor;

use super::error::NnError;
use super::weights::WeightFile;

/// Patches at once: more would gain little, since by then reading the weights takes less time than the sums.
pub(super) const ROWS: usize = 16;

/// burn-flex 0.22 computes a product on the calling thread when it has fewer multiplications than this (`PARALLEL_THRESHOLD` in its
/// `ops/matmul.rs`), and spreads it over rayon's threads otherwise.
const ONE_THREAD_PRODUCTS: usize = 192 * 192 * 192;

/// The layer's weights.
pub(super) struct Dense {
    /// `[inputs, features of the strip]`: the product with [`ROWS`] rows stays on one thread.
    strips: Vec<Tensor<2>>,
    /// `[1, features]`.
    bias: Tensor<2>,
}

impl Dense {
    /// Reads `NAME.kernel`, `[inputs, features]`, and `NAME.bias`.
    pub(super) fn load(file: &mut WeightFile<'_>, name: &str, [inputs, features]: [usize; 2]) -> Result<Self, NnError> {
        // Whole vectors of 16.
        let width = ((ONE_THREAD_PRODUCTS - 1) / (inputs * ROWS) / 16 * 16).clamp(16, features.max(16));
        let strips = file.strips(&format!("{name}.kernel"), [inputs, features], width)?;
        let bias = file.matrix(&format!("{name}.bias"), &[features], [1, features])?;
        Ok(Self { strips, bias })
    }

    /// Without an activation.
    ///
    /// # Shapes
    /// `[ROWS, inputs]` to `[ROWS, features]`.
    pub(super) fn forward(&self, x: &Tensor<2>) -> Tensor<2> {
        let strips = self.strips.iter().map(|strip| x.clone().matmul(strip.clone()));
        Tensor::cat(strips.collect(), 1).add(self.bias.clone())
    }
}
