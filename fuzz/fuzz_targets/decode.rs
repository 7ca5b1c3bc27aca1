//! Bytes as an audio file; the first one chooses the name's ending, and whether it is resampled, which takes ten times as long.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tagscape_fuzz::readers::{audio, quiet_foreign_panics};

const ENDINGS: [&str; 12] = ["", ".wav", ".aiff", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".mka", ".webm", ".caf", ".aac"];

fuzz_target!(init: quiet_foreign_panics(), |bytes: &[u8]| {
    if let Some((&choice, bytes)) = bytes.split_first() {
        audio(bytes, ENDINGS[usize::from(choice & 0x7F) % ENDINGS.len()], choice & 0x80 != 0);
    }
});
