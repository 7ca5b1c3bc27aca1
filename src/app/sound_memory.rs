//! What is kept of the sound outputs from one start to the next, in the user's data folder: which was chosen, and how large a buffer each was seen to need.
//!
//! An output may have dropped out because the machine was busy that day. So half of a buffer that was found long ago is tried, and where it is too small,
//! that is found out anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::resources::user_data_dir;
use super::small_file::write_whole;
use crate::plain_file;
use crate::player::output::LAST_BUFFER_FRAMES;
use crate::player::{BufferSizes, OutputChoice, OutputDevice};

/// Frames that are asked of an output which is not known yet: 5.3 ms at 48 kHz. The player asks for more when it drops out.
const SMALLEST_BUFFER_FRAMES: u32 = 256;
/// Days after which less is tried.
const LASTS_DAYS: u64 = 7;
/// A line for each output: frames, the day that they were found on (since 1970), its name, with spaces between.
const BUFFERS: &str = "sound-buffers";
/// Two lines: the output's id and its name. No such file: the system's default.
const OUTPUT: &str = "sound-output";
/// The largest file of either that is read.
const MOST_BYTES: u64 = 1 << 20;

/// A buffer that an output was seen to need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    frames: u32,
    day: u64,
}

/// By the outputs' names.
type FoundBuffers = BTreeMap<String, Found>;

/// What was read or written last, so that nothing is written that is there already.
static KEPT: Mutex<FoundBuffers> = Mutex::new(BTreeMap::new());

fn file(name: &str) -> Option<PathBuf> {
    user_data_dir().map(|folder| folder.join(name))
}

/// Frames to ask of each output: as many as it needed before, or the first that are tried.
#[must_use]
pub fn buffers() -> BufferSizes {
    let Some(file) = file(BUFFERS) else { return BufferSizes::starting_at(SMALLEST_BUFFER_FRAMES) };
    let read = read_buffers(&file);
    let found = with_less(read.clone(), today());
    if found != read {
        write(&file, &text_of(&found));
    }
    let mut buffers = BufferSizes::starting_at(SMALLEST_BUFFER_FRAMES);
    found.iter().for_each(|(output, found)| buffers.set(output, found.frames));
    *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = found;
    buffers
}

/// Whether it is kept already that an output is asked for so many frames. Cheap.
#[must_use]
pub fn is_kept(output: &str, frames: u32) -> bool {
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.get(output).map_or(SMALLEST_BUFFER_FRAMES, |found| found.frames) == frames
}

/// Keeps how many frames an output is asked for; 0 is none. Where it cannot be written, it is found out again next time. Writes a file.
pub fn keep_buffer(output: &str, frames: u32) {
    if frames == 0 || is_kept(output, frames) {
        return;
    }
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.insert(output.to_owned(), Found { frames, day: today() });
    let text = text_of(&kept);
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

/// What cannot be written is found out, or chosen, again.
fn write(file: &Path, text: &str) {
    if let Err(error) = write_whole(file, text) {
        log::debug!("{}: {error}", file.display());
    }
}

fn today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400)
}

/// A name as a line of its own.
fn one_line(name: &str) -> String {
    name.replace(char::is_control, " ")
}

fn text_of(found: &FoundBuffers) -> String {
    found.iter().map(|(output, Found { frames, day })| format!("{frames} {day} {}\n", one_line(output))).collect()
}

fn read_buffers(file: &Path) -> FoundBuffers {
    let is_one = |frames: &u32| frames.is_power_of_two() && (SMALLEST_BUFFER_FRAMES..=LAST_BUFFER_FRAMES).contains(frames);
    let line = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let frames = words.next()?.parse().ok().filter(is_one)?;
        let day = words.next()?.parse().ok()?;
        Some((words.next()?.to_owned(), Found { frames, day }))
    };
    plain_file::read_text(file, MOST_BYTES).unwrap_or_default().lines().filter_map(line).collect()
}

/// Half of what was found long ago, or in the future of a clock that was wrong.
fn with_less(mut found: FoundBuffers, today: u64) -> FoundBuffers {
    for Found { frames, day } in found.values_mut() {
        if today.abs_diff(*day) >= LASTS_DAYS && *frames > SMALLEST_BUFFER_FRAMES {
            (*frames, *day) = ((*frames / 2).max(SMALLEST_BUFFER_FRAMES), today);
        }
    }
    found
}

fn read_chosen(file: &Path) -> OutputChoice {
    let text = plain_file::read_text(file, MOST_BYTES).unwrap_or_default();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let (id, name) = (lines.next(), lines.next());
    id.map_or(OutputChoice::Default, |id| OutputChoice::Device(OutputDevice { id: id.to_owned(), name: name.unwrap_or(id).to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(entries: &[(&str, u32, u64)]) -> FoundBuffers {
        entries.iter().map(|&(output, frames, day)| (output.to_owned(), Found { frames, day })).collect()
    }

    #[test]
    fn each_output_has_a_buffer_of_its_own_and_what_makes_no_sense_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(BUFFERS);
        assert_eq!(read_buffers(&file), FoundBuffers::new());
        write(&file, &text_of(&found(&[("HDA Intel PCH, ALC257 Analog", 1024, 20_000), ("two\nlines", 512, 3)])));
        assert_eq!(read_buffers(&file), found(&[("HDA Intel PCH, ALC257 Analog", 1024, 20_000), ("two lines", 512, 3)]));
        for text in ["1000 1 a", "-1 1 a", "65536 1 a", "512", "512 1", "512 a", "512 x a", "a", "\u{0}"] {
            write(&file, text);
            assert_eq!(read_buffers(&file), FoundBuffers::new(), "{text}");
        }
    }

    #[test]
    fn half_of_what_was_found_long_ago_is_tried_down_to_the_smallest() {
        let day = 20_000;
        let old = found(&[("a", 2048, day), ("b", 512, day + 1), ("c", 256, day), ("d", 512, day + 100)]);
        assert_eq!(with_less(old.clone(), day + 6), found(&[("a", 2048, day), ("b", 512, day + 1), ("c", 256, day), ("d", 256, day + 6)]));
        let less = with_less(old, day + 7);
        assert_eq!(less, found(&[("a", 1024, day + 7), ("b", 512, day + 1), ("c", 256, day), ("d", 256, day + 7)]));
        assert_eq!(with_less(less.clone(), day + 7), less, "once a week");
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
