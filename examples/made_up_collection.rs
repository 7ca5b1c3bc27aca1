//! Makes a collection of any size without any audio: clusters (genres) of artists, whose tracks wander through the space.
//!
//! ```text
//! cargo run --release --example made_up_collection -- OUT.tagscape --segments 4501763 --tracks 55525 --spaces msd-musicnn-embeddings
//! ```
//!
//! For trying and measuring what depends on the number of segments. The values are made up; the same numbers give the same files.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, bail, ensure};
use rayon::prelude::*;
use tagscape::catalog::{Layer, SpaceKey, TrackMetadata};
use tagscape::matrix::FeatureMatrix;
use tagscape::seed::SplitMix64;
use tagscape::store::{CollectionPlan, CollectionWriter, NewTrack, SpacePlan};

const GENRES: usize = 24;
const ARTISTS_OF_GENRE: usize = 40;
const SEGMENT_SECS: f64 = 2.992;
/// Tracks that are made at a time, on all cores.
const BATCH: usize = 256;

struct Wanted {
    out: PathBuf,
    segments: usize,
    tracks: usize,
    spaces: Vec<SpaceKey>,
}

fn wanted() -> anyhow::Result<Wanted> {
    let mut arguments = std::env::args().skip(1);
    let mut wanted =
        Wanted { out: PathBuf::new(), segments: 100_000, tracks: 0, spaces: vec![SpaceKey::from_str("msd-musicnn-embeddings")?] };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{argument} takes a value"));
        match argument.as_str() {
            "--segments" => wanted.segments = value()?.parse().context("--segments takes a number")?,
            "--tracks" => wanted.tracks = value()?.parse().context("--tracks takes a number")?,
            "--spaces" => wanted.spaces = value()?.split(',').map(SpaceKey::from_str).collect::<Result<_, _>>()?,
            _ if !argument.starts_with('-') => wanted.out = argument.into(),
            _ => bail!("usage: made_up_collection OUT.tagscape [--segments N] [--tracks N] [--spaces A,B]"),
        }
    }
    ensure!(!wanted.out.as_os_str().is_empty(), "name the collection to make");
    ensure!(!wanted.out.exists(), "{} is there already", wanted.out.display());
    if wanted.tracks == 0 {
        // The mean of MTG-Jamendo.
        wanted.tracks = (wanted.segments / 81).max(1);
    }
    ensure!(wanted.segments >= wanted.tracks, "a track has a segment at least");
    wanted.spaces.sort_by_key(|key| SpaceKey::all().position(|other| other == *key));
    Ok(wanted)
}

fn main() -> anyhow::Result<()> {
    let wanted = wanted()?;
    let spaces = wanted.spaces.iter().map(|&key| SpacePlan { key, segment_secs: SEGMENT_SECS, hop_secs: SEGMENT_SECS }).collect();
    let plan = CollectionPlan { audio_root: std::env::current_dir()?, musicnn_layer: "penultimate".into(), spaces };
    let mut writer = CollectionWriter::create_or_resume(&wanted.out, &plan)?;
    let lengths = lengths(wanted.tracks, wanted.segments);
    let centres: Vec<Vec<f32>> = wanted.spaces.iter().map(|key| centres(key.dims())).collect();
    for first in (0..wanted.tracks).step_by(BATCH) {
        let last = wanted.tracks.min(first + BATCH);
        let made: Vec<Vec<FeatureMatrix>> = (first..last)
            .into_par_iter()
            .map(|track| {
                let of_space = |(key, centres): (&SpaceKey, &Vec<f32>)| features(*key, centres, track, lengths[track]);
                wanted.spaces.iter().zip(&centres).map(of_space).collect()
            })
            .collect();
        for (track, features) in (first..last).zip(&made) {
            writer.append_track(&name(track, lengths[track]), features)?;
        }
        eprint!("\r{last} of {} tracks", wanted.tracks);
    }
    eprintln!("\r{}: {} tracks, {} segments", wanted.out.display(), wanted.tracks, writer.segment_count());
    Ok(())
}

/// Segments of each track: most are near the mean, some are several times as long; they sum to `segments`.
fn lengths(tracks: usize, segments: usize) -> Vec<usize> {
    let mut seed = SplitMix64::new(1);
    let weights: Vec<f64> = (0..tracks).map(|_| f64::from(0.5 * seed.next_normal()).exp()).collect();
    let total: f64 = weights.iter().sum();
    let spare = (segments - tracks) as f64;
    let (mut sum, mut given) = (0.0, 0);
    weights
        .iter()
        .map(|weight| {
            sum += weight;
            let up_to = (sum / total * spare).round() as usize;
            let length = 1 + up_to.min(segments - tracks) - given;
            given += length - 1;
            length
        })
        .collect()
}

/// Where the artists are, `[genres * artists, dims]`: directions of falling weight, as principal components of real features have.
fn centres(dims: usize) -> Vec<f32> {
    let mut seed = SplitMix64::new(2);
    let weight = |dim: usize| 3.0 / (1.0 + dim as f32).sqrt();
    let genres: Vec<f32> = (0..GENRES * dims).map(|at| weight(at % dims) * seed.next_normal()).collect();
    let artist = |at: usize| genres[at / dims / ARTISTS_OF_GENRE * dims + at % dims];
    (0..GENRES * ARTISTS_OF_GENRE * dims).map(|at| artist(at) + 0.3 * weight(at % dims) * seed.next_normal()).collect()
}

/// The artist of a track: who follows whom is the order of the paths.
fn artist(track: usize) -> usize {
    let mut seed = SplitMix64::new(3 + track as u64);
    seed.next_below((GENRES * ARTISTS_OF_GENRE) as u64) as usize
}

fn features(key: SpaceKey, centres: &[f32], track: usize, segments: usize) -> FeatureMatrix {
    let dims = key.dims();
    let mut seed = SplitMix64::new(0x5eed ^ ((track as u64) << 20));
    let artist = artist(track);
    let weight = |dim: usize| 3.0 / (1.0 + dim as f32).sqrt();
    let mut at: Vec<f32> = (0..dims).map(|dim| centres[artist * dims + dim] + 0.15 * weight(dim) * seed.next_normal()).collect();
    let mut values = Vec::with_capacity(segments * dims);
    for _ in 0..segments {
        for (dim, value) in at.iter_mut().enumerate() {
            *value += 0.05 * weight(dim) * seed.next_normal();
        }
        // Activations lie between 0 and 1, most of them near 0.
        values.extend(at.iter().map(|&value| if key.layer == Layer::Taggrams { 1.0 / (1.0 + (2.0 - value).exp()) } else { value }));
    }
    FeatureMatrix::new(segments, dims, values)
}

fn name(track: usize, segments: usize) -> NewTrack {
    let artist = artist(track);
    let metadata = TrackMetadata {
        title: Some(format!("Track {}", track + 1)),
        artist: Some(format!("Artist {}", artist + 1)),
        genre: Some(format!("Genre {}", artist / ARTISTS_OF_GENRE + 1)),
        ..TrackMetadata::default()
    };
    NewTrack { path: format!("{track:08}.ogg"), duration_secs: segments as f64 * SEGMENT_SECS, metadata }
}
