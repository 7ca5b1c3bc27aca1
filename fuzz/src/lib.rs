//! The program's modules that read others' bytes, without the networks, the GPU and the window: so that a fuzz target is built in
//! minutes. `ARCHITECTURE.md`'s layers promise that they name nothing else.
#![allow(unsafe_code)]

#[path = "../../src/audio/mod.rs"]
pub mod audio;
#[path = "../../src/catalog/mod.rs"]
pub mod catalog;
#[path = "../../src/matrix.rs"]
pub mod matrix;
#[path = "../../src/plain_file.rs"]
pub mod plain_file;
#[path = "../../src/seed.rs"]
pub mod seed;
#[path = "../../src/store/mod.rs"]
pub mod store;
#[path = "../../src/tensors/mod.rs"]
pub mod tensors;
#[path = "../../src/whole_file/mod.rs"]
pub mod whole_file;

pub mod damaged_collection;
pub mod readers;
