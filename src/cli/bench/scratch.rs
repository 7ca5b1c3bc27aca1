//! A folder for what a measurement writes.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// A folder for what a measurement writes, removed at its end.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes it, in the system's temporary folder.
    pub(super) fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("tagscape-bench-{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed lies in the system's temporary folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
