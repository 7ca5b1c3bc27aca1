//! How fast files are decoded and resampled here, as multiples of real time, on one thread.
//!
//! usage: cargo run --release --example decode_speed -- FILE...

use std::path::Path;
use std::time::Instant;

use tagscape::audio::{decode_file, decode_mono_at};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut audio_secs, mut decode_secs, mut mono_secs) = (0.0, 0.0, 0.0);
    for file in std::env::args().skip(1) {
        let start = Instant::now();
        audio_secs += decode_file(Path::new(&file))?.pcm.duration_secs();
        decode_secs += start.elapsed().as_secs_f64();
        let start = Instant::now();
        decode_mono_at(Path::new(&file), 16_000)?;
        mono_secs += start.elapsed().as_secs_f64();
    }
    println!("decoded: {:.0} x real time; decoded to mono at 16 kHz: {:.0} x", audio_secs / decode_secs, audio_secs / mono_secs);
    Ok(())
}
