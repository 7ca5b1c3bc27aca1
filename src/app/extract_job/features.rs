//! The networks of a run, and a track's rows as they come out of them.

use std::collections::BTreeMap;

use super::NetworkDevice;
use super::error::ExtractError;
use super::reader::Patches;
use crate::catalog::{ModelKey, SpaceKey};
use crate::matrix::RowSource as _;
use crate::nn::{GpuVerdict, ModelSpec, MusicnnLayer, NetworkGroup, Networks, NnError, SegmentFeatures, WeightSource};
use crate::store::HalfRows;

/// Patches that one thread infers at a time, at least: few enough that a track's last ones keep all cores busy.
const PATCHES_AT_ONCE: usize = 4;

/// Why a track gave nothing.
#[derive(Debug)]
pub(super) struct TrackFailure {
    pub reason: String,
    /// Whether the file itself is at fault, so that it will fail again as long as it is the same.
    pub is_lasting: bool,
}

impl TrackFailure {
    /// Of a panic, which is a bug.
    pub(super) fn of_panic() -> Self {
        Self { reason: "made tagscape fail; please report this file".to_owned(), is_lasting: true }
    }
}

/// The networks, and how segments follow each other.
pub(super) struct Extractor {
    networks: Networks,
    hop_secs: Option<f64>,
}

/// Frames from one patch to the next: without a wish, a patch's own length.
pub(super) fn hop_frames(spec: &ModelSpec, hop_secs: Option<f64>) -> usize {
    hop_secs.map_or(spec.patch_frames, |hop_secs| spec.hop_frames(hop_secs))
}

impl Extractor {
    pub(super) fn load(
        models: &[ModelKey],
        hop_secs: Option<f64>,
        layer: MusicnnLayer,
        weights: WeightSource<'_>,
    ) -> Result<Self, ExtractError> {
        Ok(Self { networks: Networks::load(models, layer, weights)?, hop_secs })
    }

    /// Lets the networks run where the user wants them, and tells what became of it where that is another place.
    pub(super) fn use_device(&mut self, device: NetworkDevice, weights: WeightSource<'_>, tell: fn(&str)) {
        if device == NetworkDevice::Cpu {
            return;
        }
        let verdict = self.networks.use_gpu(weights);
        match &verdict {
            GpuVerdict::Used { .. } => {}
            // Nobody asked for one.
            GpuVerdict::NoGpu if device == NetworkDevice::Auto => {}
            GpuVerdict::NoGpu | GpuVerdict::NotTrusted { .. } => tell(&verdict.to_string()),
        }
    }

    /// What became of the GPU, if it failed in the middle.
    pub(super) fn gpu_failure(&self) -> Option<String> {
        self.networks.gpu_failure()
    }

    /// The networks in groups that take the same patches.
    pub(super) fn groups(&self) -> &[NetworkGroup] {
        self.networks.groups()
    }

    /// Sample rate of the audio that they take.
    pub(super) fn rate_hz(&self) -> u32 {
        self.groups().first().map_or(16_000, |group| group.spec.mel.sample_rate_hz)
    }

    /// Frames from one patch of a group to the next.
    pub(super) fn hop_frames(&self, group: usize) -> usize {
        hop_frames(&self.groups()[group].spec, self.hop_secs)
    }

    /// How many patches of a group are inferred together: as many as its networks take at once, or a multiple.
    pub(super) fn patches_at_once(&self, group: usize) -> usize {
        PATCHES_AT_ONCE.next_multiple_of(self.groups()[group].patches_at_once.max(1))
    }

    /// What each network of the group makes of the patches.
    pub(super) fn infer(&self, patches: &Patches) -> Result<Vec<SegmentFeatures>, TrackFailure> {
        let found = self.networks.infer(patches.group, &patches.slices());
        found.map_err(|error| {
            let error = match error {
                NnError::PatchValue { segment } => NnError::PatchValue { segment: patches.first + segment },
                other => other,
            };
            TrackFailure { reason: error.to_string(), is_lasting: true }
        })
    }
}

/// A track's rows in the spaces of one group, put in order whichever patches are ready first.
struct GroupRows {
    /// Of each network of the group.
    spaces: Vec<(SpaceKey, HalfRows)>,
    /// Patches whose rows are in place.
    placed: usize,
    /// What came before its turn, by its first patch.
    early: BTreeMap<usize, Vec<SegmentFeatures>>,
}

/// A track's rows in all spaces.
pub(super) struct TrackRows {
    groups: Vec<GroupRows>,
}

impl TrackRows {
    pub(super) fn new(groups: &[NetworkGroup]) -> Self {
        let of_group = |group: &NetworkGroup| {
            let keys = group.models.iter().flat_map(|&model| model.layers().iter().map(move |&layer| model.space(layer)));
            GroupRows { spaces: keys.map(|key| (key, HalfRows::new(key.dims()))).collect(), placed: 0, early: BTreeMap::new() }
        };
        Self { groups: groups.iter().map(of_group).collect() }
    }

    /// Takes what a group's networks made of the patches from `first` on.
    pub(super) fn place(&mut self, group: usize, first: usize, features: Vec<SegmentFeatures>) {
        let group = &mut self.groups[group];
        group.early.insert(first, features);
        while let Some(features) = group.early.remove(&group.placed) {
            // A network's spaces stand in the order of its layers, tags first.
            let matrices = features.iter().flat_map(|of_model| of_model.taggrams.iter().chain([&of_model.embeddings]));
            for ((_, rows), matrix) in group.spaces.iter_mut().zip(matrices) {
                rows.append(matrix);
            }
            let count = features.first().map_or(0, |of_model| of_model.embeddings.rows());
            if count == 0 {
                break;
            }
            group.placed += count;
        }
    }

    /// The rows of each space, in the order of [`SpaceKey::all`].
    pub(super) fn into_spaces(self) -> Vec<HalfRows> {
        let mut spaces: Vec<_> = self.groups.into_iter().flat_map(|group| group.spaces).collect();
        spaces.sort_by_key(|(key, _)| SpaceKey::all().position(|known| known == *key));
        spaces.into_iter().map(|(_, rows)| rows).collect()
    }
}
