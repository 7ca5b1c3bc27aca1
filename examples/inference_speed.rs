//! How fast the spectrogram and the four networks are here: loading, each layer on one thread, and the whole as multiples of real
//! time on 1, 2, ... threads.
//!
//! usage: cargo run --release --example inference_speed [-- SECONDS_OF_AUDIO]
//!
//! Every thread works on its own patches, as `tagscape extract` does. A figure is the best of five rounds, a layer's that of twenty.

use std::time::Instant;

use tagscape::catalog::{Architecture, ModelKey};
use tagscape::mel::log_mel;
use tagscape::nn::{MusicnnLayer, Tagger, spec};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secs: usize = std::env::args().nth(1).map_or(Ok(60), |arg| arg.parse())?;
    // A chord that glides, so that no two patches are alike.
    let audio: Vec<f32> = (0..secs * 16_000)
        .map(|n| n as f32 / 16_000.0)
        .map(|t| [220.0, 277.2, 329.6].iter().map(|hz| (std::f32::consts::TAU * hz * t * (1.0 + 0.01 * t)).sin()).sum::<f32>() / 4.0)
        .collect();
    let model = spec(ModelKey::ALL[0]);
    let mel_secs = best_of_five(|| drop(log_mel(&audio, model.mel)));
    println!("log-mel, 1 thread: {:.0} x real time", secs as f64 / mel_secs);
    let mel = log_mel(&audio, model.mel);
    let patches: Vec<&[f32]> = mel.patches(model.patch_frames, model.patch_frames).collect();
    let audio_secs = patches.len() as f64 * model.segment_secs;
    let threads = std::thread::available_parallelism()?.get();
    for key in ModelKey::ALL.into_iter().filter(|key| key.architecture != Architecture::Vggish) {
        let load_secs = best_of_five(|| drop(Tagger::embedded(key, MusicnnLayer::default())));
        let tagger = Tagger::embedded(key, MusicnnLayer::default())?;
        println!("{key}, loading: {:.1} ms", load_secs * 1e3);
        print_layers(&tagger, patches.first().ok_or("too short for a patch")?)?;
        for threads in 1..=threads {
            let share = patches.len().div_ceil(threads);
            let best = best_of_five(|| {
                std::thread::scope(|scope| {
                    for part in patches.chunks(share) {
                        let tagger = &tagger;
                        scope.spawn(move || tagger.infer(part).map(drop));
                    }
                });
            });
            let patch_millis = best * 1e3 * threads as f64 / patches.len() as f64;
            println!("{key}, {threads} threads: {:.0} x real time, {patch_millis:.1} ms a patch and thread", audio_secs / best);
        }
    }
    Ok(())
}

/// The shortest time of every layer over one patch.
fn print_layers(tagger: &Tagger, patch: &[f32]) -> Result<(), Box<dyn std::error::Error>> {
    let mut best = tagger.layers(patch)?;
    for _ in 1..20 {
        for (best, layer) in best.iter_mut().zip(tagger.layers(patch)?) {
            best.elapsed = best.elapsed.min(layer.elapsed);
        }
    }
    for layer in best {
        println!("  {:<24} {:>6.2} ms", layer.name, layer.elapsed.as_secs_f64() * 1e3);
    }
    Ok(())
}

fn best_of_five(mut run: impl FnMut()) -> f64 {
    let mut once = || {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    };
    (0..5).map(|_| once()).fold(f64::INFINITY, f64::min)
}
