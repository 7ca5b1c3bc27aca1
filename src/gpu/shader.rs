//! Shader sources: plain concatenation of WGSL files, declared in Rust, and errors that name the file and line one can open.
//!
//! No directives, no macros in the WGSL, no build step: a [`ShaderSource`] is a list of files, and variants are made with
//! WGSL's `override` constants. naga_oil and WESL do more, but pin naga and add a step, which some
//! sixty small files do not need.

use std::fmt;

use super::context::GpuContext;
use super::error::GpuError;

/// One WGSL file, compiled into the program. Made by [`shader_part!`](crate::shader_part).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShaderPart {
    /// Path in the repository, such as `shaders/shared/rows.wgsl`.
    pub file: &'static str,
    /// What is in it.
    pub text: &'static str,
}

/// The part `shaders/NAME`: name and text cannot differ.
#[macro_export]
macro_rules! shader_part {
    ($name:literal) => {
        $crate::gpu::shader::ShaderPart {
            file: concat!("shaders/", $name),
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $name)),
        }
    };
}

/// A shader: parts put one after the other, those without entry points first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShaderSource {
    /// Name for labels and messages, such as `pca.mean`.
    pub name: &'static str,
    /// The files, in order.
    pub parts: &'static [ShaderPart],
}

/// Where and why a shader does not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ShaderError {
    /// The shader's name.
    pub shader: &'static str,
    /// File and line (from 1) of that file, where the compiler tells.
    pub place: Option<(&'static str, u32)>,
    /// What the compiler says, in one line.
    pub message: String,
}

impl fmt::Display for ShaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((file, line)) => write!(f, "{file}:{line}: shader {}: {}", self.shader, self.message),
            None => write!(f, "shader {}: {}", self.shader, self.message),
        }
    }
}

impl ShaderSource {
    /// The whole text that the compiler gets.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.parts.iter().map(|part| part.text.len() + 1).sum());
        for part in self.parts {
            text.push_str(part.text);
            if !part.text.ends_with('\n') {
                text.push('\n');
            }
        }
        text
    }

    /// File and line of line `line` (from 1) of [`ShaderSource::text`]; none past the end.
    #[must_use]
    pub fn place_of_line(&self, line: u32) -> Option<(&'static str, u32)> {
        let mut left = line.checked_sub(1)?;
        for part in self.parts {
            let lines = u32::try_from(part.text.lines().count()).ok()?;
            if left < lines {
                return Some((part.file, left + 1));
            }
            left -= lines;
        }
        // A file that ends too early is reported at the line after its last.
        let last = self.parts.last()?;
        (left == 0).then(|| (last.file, u32::try_from(last.text.lines().count()).unwrap_or(u32::MAX)))
    }

    /// Compiles for a device.
    ///
    /// # Errors
    /// [`GpuError::Shader`] with file and line.
    pub fn create_module(&self, context: &GpuContext) -> Result<wgpu::ShaderModule, GpuError> {
        let source = wgpu::ShaderSource::Wgsl(self.text().into());
        let descriptor = wgpu::ShaderModuleDescriptor { label: Some(self.name), source };
        let mut module = None;
        let made = context.scoped(self.name, || module = Some(context.device.create_shader_module(descriptor)));
        let told = module.as_ref().map(|module| pollster::block_on(module.get_compilation_info()).messages).unwrap_or_default();
        let worst = told.into_iter().find(|message| message.message_type == wgpu::CompilationMessageType::Error);
        match (module, worst, made) {
            (_, Some(message), _) => {
                let line = message.location.map(|location| location.line_number);
                Err(self.error_at(line, &message.message).into())
            }
            (_, None, Err(error)) => Err(error),
            (Some(module), None, Ok(())) => Ok(module),
            (None, None, Ok(())) => Err(self.error_at(None, "no module").into()),
        }
    }

    /// Parses and validates without a device, against the capabilities that every WebGPU device has.
    ///
    /// # Errors
    /// [`ShaderError`] with file and line.
    pub fn parse(&self) -> Result<wgpu::naga::Module, ShaderError> {
        use wgpu::naga::{front::wgsl, valid};
        let text = self.text();
        let module =
            wgsl::parse_str(&text).map_err(|error| self.error_at(error.location(&text).map(|place| place.line_number), error.message()))?;
        let mut validator = valid::Validator::new(valid::ValidationFlags::all(), valid::Capabilities::default());
        validator.validate(&module).map_err(|error| {
            let line = error.location(&text).map(|place| place.line_number);
            let mut causes = vec![error.as_inner().to_string()];
            let mut cause = std::error::Error::source(error.as_inner());
            while let Some(error) = cause {
                causes.push(error.to_string());
                cause = error.source();
            }
            self.error_at(line, &causes.join(": "))
        })?;
        Ok(module)
    }

    /// naga draws the source below its message, with line numbers of the concatenation; the first line that says `error` is what
    /// a reader needs beside the true place.
    fn error_at(&self, line: Option<u32>, message: &str) -> ShaderError {
        let said = message.lines().find_map(|line| line.split_once("error: ").map(|(_, said)| said.trim()));
        let message = said.map_or_else(|| super::error::one_line(message), str::to_owned);
        ShaderError { shader: self.name, place: line.and_then(|line| self.place_of_line(line)), message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: ShaderPart = ShaderPart { file: "shaders/first.wgsl", text: "const ONE = 1u;\nconst TWO = 2u;" };
    const SECOND: ShaderPart = ShaderPart { file: "shaders/second.wgsl", text: "// Header.\nfn broken() -> u32 { return nothing; }\n" };
    const INVALID: ShaderPart = ShaderPart { file: "shaders/invalid.wgsl", text: "\n\n@compute @workgroup_size(0)\nfn main() {}\n" };

    #[test]
    fn lines_of_the_whole_are_lines_of_their_files() {
        let source = ShaderSource { name: "two", parts: &[FIRST, SECOND] };
        let places: Vec<_> = (0..7).map(|line| source.place_of_line(line)).collect();
        let (first, second) = ("shaders/first.wgsl", "shaders/second.wgsl");
        assert_eq!(places[..5], [None, Some((first, 1)), Some((first, 2)), Some((second, 1)), Some((second, 2))]);
        assert_eq!((places[5], places[6]), (Some((second, 2)), None));
    }

    #[test]
    fn a_broken_shader_names_its_file_and_line() {
        let error = ShaderSource { name: "two", parts: &[FIRST, SECOND] }.parse().unwrap_err();
        assert_eq!(error.place, Some(("shaders/second.wgsl", 2)), "{error}");
        assert!(error.to_string().contains("nothing"), "{error}");
    }

    #[test]
    fn a_shader_that_parses_and_is_invalid_names_its_reason() {
        let error = ShaderSource { name: "invalid", parts: &[FIRST, INVALID] }.parse().unwrap_err();
        assert!(error.to_string().contains("Workgroup size"), "{error}");
    }
}
