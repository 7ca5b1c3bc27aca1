//! Every shader of the program, in one list.

use tagscape::gpu::ShaderSource;
use tagscape::{nn, project, render};

/// All registered shaders.
pub fn all() -> impl Iterator<Item = ShaderSource> {
    project::shaders().chain(nn::shaders()).chain(render::SHADERS.iter().copied())
}
