//! What is kept of the sound outputs from one start to the next, in the user's data folder: which was chosen, and how large a buffer each was seen to need.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::resources::user_data_dir;
use crate::player::output::LAST_BUFFER_FRAMES;
use crate::player::{BufferSizes, OutputChoice, OutputDevice};

/// Frames that are asked of an output which is not known yet: 5.3 ms at 48 kHz. The player asks for more when it drops out.
const SMALLEST_BUFFER_FRAMES: u32 = 256;
/// A line for each output: frames, a space, its name.
const BUFFERS: &str = "sound-buffers";
/// Two lines: the output's id and its name. No such file: the system's default.
const OUTPUT: &str = "sound-output";

/// What was read or written last, so that nothing is written that is there already.
static KEPT: Mutex<Option<BufferSizes>> = Mutex::new(None);

fn file(name: &str) -> Option<PathBuf> {
    user_data_dir().map(|folder| folder.join(name))
}

/// Frames to ask of each output: as many as it needed before, or the first that are tried.
#[must_use]
pub fn buffers() -> BufferSizes {
    let buffers = file(BUFFERS).map_or_else(no_buffers, |file| read_buffers(&file));
    *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = Some(buffers.clone());
    buffers
}

/// Whether it is kept already that an output is asked for so many frames. Cheap.
#[must_use]
pub fn is_kept(output: &str, frames: u32) -> bool {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|kept| kept.of(output) == frames)
}

/// Keeps how many frames an output is asked for; 0 is none. Where it cannot be written, it is found out again next time. Writes a file.
pub fn keep_buffer(output: &str, frames: u32) {
    if frames == 0 || is_kept(output, frames) {
        return;
    }
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let buffers = kept.get_or_insert_with(no_buffers);
    buffers.set(output, frames);
    let text = text_of(buffers);
    // Not held while a disk may be waited for.
    drop(kept);
    if let Some(file) = file(BUFFERS) {
        write(&file, &text);
    }
}

/// The output that was chosen.
#[must_use]
pub fn chosen() -> OutputChoice {
    file(OUTPUT).map_or(OutputChoice::Default, |file| read_chosen(&file))
}

/// Keeps which output is chosen. Where it cannot be written, it is chosen again next time. Writes a file.
pub fn keep_chosen(choice: &OutputChoice) {
    let Some(file) = file(OUTPUT) else { return };
    match choice {
        OutputChoice::Device(OutputDevice { id, name }) => write(&file, &format!("{}\n{}\n", one_line(id), one_line(name))),
        OutputChoice::Default => drop(std::fs::remove_file(&file)),
        OutputChoice::Null => {}
    }
}

fn write(file: &Path, text: &str) {
    if let Some(folder) = file.parent() {
        let _ = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(file, text));
    }
}

fn no_buffers() -> BufferSizes {
    BufferSizes::starting_at(SMALLEST_BUFFER_FRAMES)
}

/// A name as a line of its own.
fn one_line(name: &str) -> String {
    name.replace(char::is_control, " ")
}

fn text_of(buffers: &BufferSizes) -> String {
    buffers.known().map(|(output, frames)| format!("{frames} {}\n", one_line(output))).collect()
}

fn read_buffers(file: &Path) -> BufferSizes {
    let mut buffers = no_buffers();
    let is_one = |frames: &u32| frames.is_power_of_two() && (SMALLEST_BUFFER_FRAMES..=LAST_BUFFER_FRAMES).contains(frames);
    for line in std::fs::read_to_string(file).unwrap_or_default().lines() {
        if let Some((frames, output)) = line.split_once(' ')
            && let Some(frames) = frames.parse().ok().filter(is_one)
        {
            buffers.set(output, frames);
        }
    }
    buffers
}

fn read_chosen(file: &Path) -> OutputChoice {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let (id, name) = (lines.next(), lines.next());
    id.map_or(OutputChoice::Default, |id| OutputChoice::Device(OutputDevice { id: id.to_owned(), name: name.unwrap_or(id).to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_output_has_a_buffer_of_its_own_and_what_makes_no_sense_is_the_first_that_is_tried() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(BUFFERS);
        assert_eq!(read_buffers(&file), no_buffers());
        let mut buffers = no_buffers();
        buffers.set("HDA Intel PCH, ALC257 Analog", 1024);
        buffers.set("two\nlines", 512);
        write(&file, &text_of(&buffers));
        let read = read_buffers(&file);
        assert_eq!(["HDA Intel PCH, ALC257 Analog", "two lines", "lines", "other"].map(|name| read.of(name)), [1024, 512, 256, 256]);
        for text in ["1000 a", "-1 a", "65536 a", "512", "a", "\u{0}"] {
            write(&file, text);
            assert_eq!(read_buffers(&file), no_buffers(), "{text}");
        }
    }

    #[test]
    fn the_chosen_output_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(OUTPUT);
        assert_eq!(read_chosen(&file), OutputChoice::Default);
        let device = |id: &str, name: &str| OutputChoice::Device(OutputDevice { id: id.into(), name: name.into() });
        for (text, expected) in [
            ("alsa:plughw:CARD=PCH,DEV=0\nHDA Intel\n", device("alsa:plughw:CARD=PCH,DEV=0", "HDA Intel")),
            ("alsa:pulse", device("alsa:pulse", "alsa:pulse")),
            ("\n \n", OutputChoice::Default),
        ] {
            write(&file, text);
            assert_eq!(read_chosen(&file), expected, "{text}");
        }
    }
}
