//! Where things are: the user's data folder; the demo collection, beside the checkout, beside the installed program, or where the program was built.
//!
//! The networks are inside the program itself ([`crate::nn`]).

use std::path::{Path, PathBuf};

use super::error::AppError;

/// Where it lies below `assets/`, `share/tagscape/` or whatever `TAGSCAPE_DATA` names.
const DEMO: &str = "demo/demo.tagscape";

/// The demo collection's folder.
///
/// # Errors
/// [`AppError::NoDemo`] with the folders that were looked into.
pub fn demo_collection() -> Result<PathBuf, AppError> {
    let executable = std::env::current_exe().and_then(|path| path.canonicalize()).ok();
    let named = std::env::var_os("TAGSCAPE_DATA").map(PathBuf::from);
    let roots = data_roots(named, executable.as_deref(), Path::new(env!("CARGO_MANIFEST_DIR")));
    let found = roots.iter().map(|root| root.join(DEMO)).find(|path| path.join("collection.sqlite").is_file());
    found.ok_or_else(|| AppError::NoDemo(roots.iter().map(|root| root.display().to_string()).collect::<Vec<_>>().join(", ")))
}

/// The folder of what the program keeps for the user: added networks, collections of folders of music. `TAGSCAPE_USER_DATA` names another.
///
/// `None` where the system knows no home of the user.
#[must_use]
pub fn user_data_dir() -> Option<PathBuf> {
    let named = std::env::var_os("TAGSCAPE_USER_DATA").filter(|named| !named.is_empty()).map(PathBuf::from);
    named.or_else(|| directories::ProjectDirs::from("", "", "tagscape").map(|folders| folders.data_dir().to_owned()))
}

/// The folders that may hold the program's data, best first.
fn data_roots(named: Option<PathBuf>, executable: Option<&Path>, built_in: &Path) -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = named.into_iter().collect();
    let folder = executable.and_then(Path::parent);
    if let Some(folder) = folder {
        // `PREFIX/bin/tagscape` with `PREFIX/share/tagscape`; an unpacked archive; `target/release/tagscape` in a checkout.
        roots.extend(folder.parent().map(|prefix| prefix.join("share/tagscape")));
        roots.push(folder.join("assets"));
        roots.extend(folder.ancestors().skip(1).take(3).map(|ancestor| ancestor.join("assets")));
    }
    roots.push(built_in.join("assets"));
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installed_program_looks_beside_itself_before_the_checkout() {
        let roots = data_roots(None, Some(Path::new("/opt/x/bin/tagscape")), Path::new("/src/tagscape"));
        assert_eq!(roots.first(), Some(&PathBuf::from("/opt/x/share/tagscape")));
        assert_eq!(roots.last(), Some(&PathBuf::from("/src/tagscape/assets")));
        let named = data_roots(Some("/data".into()), None, Path::new("/src"));
        assert_eq!(named, [PathBuf::from("/data"), PathBuf::from("/src/assets")]);
    }
}
