//! Bytes as a PyTorch checkpoint: the corpus begins with such files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tagscape_fuzz::readers::{quiet_foreign_panics, weights};

fuzz_target!(init: quiet_foreign_panics(), |bytes: &[u8]| weights(bytes));
