//! A small collection with its files and tables changed, opened and read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tagscape_fuzz::damaged_collection::{Edit, damaged};
use tagscape_fuzz::readers::{collection, quiet_foreign_panics};

fuzz_target!(init: quiet_foreign_panics(), |edits: Vec<Edit<'_>>| collection(&damaged(&edits)));
