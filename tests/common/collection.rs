//! Collections made of numbers: clustered tracks that wander, without audio. For what concerns maps, not music.

use std::path::{Path, PathBuf};

use tagscape::catalog::{SpaceKey, TrackMetadata};
use tagscape::matrix::FeatureMatrix;
use tagscape::seed::SplitMix64;
use tagscape::store::{CollectionPlan, CollectionWriter, NewTrack, SpacePlan};

/// Writes `FOLDER/wander.tagscape` of `tracks * segments` rows in MSD-MusiCNN's two spaces.
pub fn wandering(folder: &Path, tracks: usize, segments: usize) -> PathBuf {
    wandering_in(folder, &[("msd-musicnn-taggrams", segments), ("msd-musicnn-embeddings", segments)], tracks)
}

/// Writes `FOLDER/wander.tagscape` of spaces in which every track has so many segments.
pub fn wandering_in(folder: &Path, spaces: &[(&str, usize)], tracks: usize) -> PathBuf {
    let keys: Vec<(SpaceKey, usize)> = spaces.iter().map(|&(name, segments)| (name.parse().unwrap(), segments)).collect();
    let path = folder.join("wander.tagscape");
    let spaces = keys.iter().map(|&(key, _)| SpacePlan { key, segment_secs: 2.992, hop_secs: 2.992 }).collect();
    let plan = CollectionPlan { audio_root: folder.to_owned(), musicnn_layer: "penultimate".into(), spaces };
    let mut writer = CollectionWriter::create_or_resume(&path, &plan).unwrap();
    let mut seed = SplitMix64::new(11);
    for track in 0..tracks {
        let features: Vec<FeatureMatrix> = keys
            .iter()
            .map(|&(key, segments)| {
                // A few strong directions, so that principal components mean something.
                let mut at: Vec<f32> = (0..key.dims()).map(|dim| seed.next_normal() * 3.0 / (1.0 + dim as f32)).collect();
                let mut values = Vec::with_capacity(segments * key.dims());
                for _ in 0..segments {
                    at.iter_mut().for_each(|value| *value += seed.next_normal() * 0.05);
                    values.extend(at.iter().map(|&value| if key.dims() == 50 { 1.0 / (1.0 + (-value).exp()) } else { value }));
                }
                FeatureMatrix::new(segments, key.dims(), values)
            })
            .collect();
        let name = NewTrack {
            path: format!("artist-{:02}/track-{track:05}.ogg", track % 17),
            duration_secs: keys[0].1 as f64 * 2.992,
            metadata: TrackMetadata { title: Some(format!("Track {track}")), ..TrackMetadata::default() },
        };
        writer.append_track(&name, &features).unwrap();
    }
    path
}

/// Makes a collection what a script of somebody else's would have written who has no audio: the public tables, and nothing about where files are.
pub fn made_elsewhere(path: &Path) {
    let database = rusqlite::Connection::open(path.join("collection.sqlite")).unwrap();
    let sql = "DROP TABLE private_failures; DROP TABLE track_numbers; DELETE FROM meta WHERE key <> 'format_version'";
    database.execute_batch(sql).unwrap();
}
