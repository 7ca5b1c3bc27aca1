//! Every shader of the program, in one list.

use tagscape::gpu::ShaderSource;
use tagscape::{project, render};

/// One line for each module that has shaders.
const MODULES: &[&[ShaderSource]] = &[project::SHADERS, render::SHADERS];

/// All registered shaders.
pub fn all() -> impl Iterator<Item = &'static ShaderSource> {
    MODULES.iter().flat_map(|module| module.iter())
}
