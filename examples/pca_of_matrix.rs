//! PCA of a matrix file on the CPU engine and in the compute shaders, without the program around it.
//!
//! ```text
//! cargo run --release --example pca_of_matrix -- matrix.npy
//! ```
//!
//! Prints each component's share of the variance, and how far the two are apart.

use std::path::Path;
use std::time::Instant;

use tagscape::gpu::{AdapterChoice, GpuContext};
use tagscape::matrix::RowSource as _;
use tagscape::project::pca::{Columns, Engine, Pca, cpu::CpuEngine, gpu::GpuEngine};
use tagscape::project::{NoObserver, ProjectError};
use tagscape::store::MatrixFile;

fn main() -> anyhow::Result<()> {
    let Some(path) = std::env::args_os().nth(1) else { anyhow::bail!("usage: pca_of_matrix MATRIX.npy") };
    let matrix = MatrixFile::open(Path::new(&path))?.to_matrix()?;
    println!("{} rows of {} dimensions", matrix.rows(), matrix.dims());

    let fit = |name: &str, engine: &mut dyn Engine| -> Result<Pca, ProjectError> {
        let start = Instant::now();
        let pca = Pca::fit(&matrix, Columns::Centred, engine, &NoObserver)?;
        let fitted = start.elapsed();
        pca.transform(&matrix, &[0, 1][..matrix.dims().min(2)], engine, &NoObserver)?;
        println!("{name}: fitted in {:.4} s, transformed in {:.4} s", fitted.as_secs_f64(), (start.elapsed() - fitted).as_secs_f64());
        Ok(pca)
    };
    let cpu = fit("CPU engine", &mut CpuEngine)?;
    let context = GpuContext::headless(AdapterChoice::Best)?;
    let gpu = fit(&format!("shaders on {}", context.caps.name), &mut GpuEngine::new(&context)?)?;

    for (at, ratio) in cpu.explained_variance_ratio().iter().enumerate() {
        let cosine: f64 = cpu.component(at).iter().zip(gpu.component(at)).map(|(a, b)| a * b).sum();
        println!("component {:>3}: {:8.4} %, cosine of the two {cosine:.9}", at + 1, 100.0 * ratio);
    }
    Ok(())
}
