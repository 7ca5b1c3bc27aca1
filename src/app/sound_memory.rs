//! How large a buffer the sound device was seen to need, from one start to the next: a file of one number in the user's data folder.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use super::resources::user_data_dir;
use crate::player::output::LAST_BUFFER_FRAMES;

/// Frames that are asked of a device which is not known yet: 5.3 ms at 48 kHz. The player asks for more when it drops out.
const SMALLEST_BUFFER_FRAMES: u32 = 256;
const FILE: &str = "sound-buffer-frames";

/// What was read or written last, so that nothing is written that is there already.
static KEPT: AtomicU32 = AtomicU32::new(0);

fn file() -> Option<PathBuf> {
    user_data_dir().map(|folder| folder.join(FILE))
}

/// Frames to ask of the device: as many as were needed before, or the first that are tried.
#[must_use]
pub fn buffer_frames() -> u32 {
    let frames = file().map_or(SMALLEST_BUFFER_FRAMES, |file| read(&file));
    KEPT.store(frames, Relaxed);
    frames
}

/// Keeps the number. Where it cannot be written, it is found out again next time.
pub fn keep(frames: u32) {
    if KEPT.swap(frames, Relaxed) != frames
        && let Some(file) = file()
        && let Some(folder) = file.parent()
    {
        let _ = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, frames.to_string()));
    }
}

fn read(file: &Path) -> u32 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let is_one = |frames: &u32| frames.is_power_of_two() && (SMALLEST_BUFFER_FRAMES..=LAST_BUFFER_FRAMES).contains(frames);
    text.trim().parse().ok().filter(is_one).unwrap_or(SMALLEST_BUFFER_FRAMES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_makes_no_sense_is_the_first_that_is_tried() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        assert_eq!(read(&file), SMALLEST_BUFFER_FRAMES);
        for (text, expected) in
            [("1024\n", 1024), ("1000", SMALLEST_BUFFER_FRAMES), ("-1", SMALLEST_BUFFER_FRAMES), ("65536", SMALLEST_BUFFER_FRAMES)]
        {
            std::fs::write(&file, text).unwrap();
            assert_eq!(read(&file), expected, "{text}");
        }
    }
}
