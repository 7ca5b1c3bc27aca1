//! Small files in the user's data folder that are written whole: after a kill at any byte there is the former one or the new one.

use std::path::Path;

use crate::whole_file;

/// Writes `text` into a file at `path`. Makes the folder where there is none.
///
/// # Errors
/// The system's.
pub(super) fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(whole_file::write(path, text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/file");
        let names = || std::fs::read_dir(folder.path().join("new")).unwrap().count();
        for text in ["one", "", "three and more"] {
            write_whole(&path, text).unwrap();
            assert_eq!((std::fs::read_to_string(&path).unwrap().as_str(), names()), (text, 1));
        }
        std::fs::create_dir(folder.path().join("new/folder")).unwrap();
        std::fs::write(folder.path().join("new/folder/in it"), "").unwrap();
        assert!(write_whole(&folder.path().join("new/folder"), "x").is_err());
        assert_eq!(names(), 2, "what could not get its name is gone");
    }
}
