//! The networks of one run, in groups of one architecture: twins, trained on two datasets, that take the same patches.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use super::batch::accelerator::{self, Accelerator, BatchDevice};
use super::batch::service::BatchService;
use super::error::NnError;
use super::infer::{SegmentFeatures, Tagger};
use super::spec::{ModelSpec, MusicnnLayer, spec};
use super::trial;
use crate::catalog::ModelKey;

/// Networks that take the same patches.
pub struct NetworkGroup {
    /// What they take and give; `key` is the first one's.
    pub spec: ModelSpec,
    /// The networks, in the order in which [`Networks::infer`] answers.
    pub models: Vec<ModelKey>,
    /// How many patches they take at once: a call with fewer takes as long as one with so many, so that calls with a multiple are best.
    pub patches_at_once: usize,
    networks: Vec<Tagger>,
}

/// All networks of one run. They can be shared between threads.
pub struct Networks {
    groups: Vec<NetworkGroup>,
    layer: MusicnnLayer,
    gpu: Option<Gpu>,
}

/// Where a network's weights come from: safetensors bytes.
pub type WeightSource<'a> = &'a dyn Fn(ModelKey) -> Result<Cow<'static, [u8]>, NnError>;

/// A GPU that was compared with the CPU, and why it is not used any more if it is not.
struct Gpu {
    service: BatchService,
    name: String,
    failure: OnceLock<String>,
}

/// What became of the wish to use a GPU, and in words where the networks run and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GpuVerdict {
    /// The networks run on this adapter, whose answers were those of the CPU.
    Used {
        /// Its name.
        adapter: String,
    },
    /// There is no real GPU: the networks run on the CPU.
    NoGpu,
    /// The networks run on the CPU although there is a GPU.
    NotTrusted {
        /// Why.
        reason: String,
    },
}

impl fmt::Display for GpuVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Used { adapter } => write!(f, "the networks run on {adapter}"),
            Self::NoGpu => f.write_str("there is no GPU; the networks run on the CPU"),
            Self::NotTrusted { reason } => write!(f, "{reason}; the networks run on the CPU"),
        }
    }
}

/// What stands in for a real GPU in tests.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestDevice {
    /// The adapter that runs on the CPU (lavapipe): what `--device gpu` does, only slower.
    SoftwareAdapter,
    /// burn's CPU device, with the plain networks.
    Flex,
}

/// Patches in a batch on a GPU.
const GPU_BATCH: usize = 64;

/// Different patches of the comparison, repeated until the batch is full: every row of it is compared.
const TRIAL_PATCHES: usize = 4;

impl Networks {
    /// Loads `models`, one after the other, so that no more than one weight file is in memory beside them. `layer` is which of MusiCNN's layers
    /// is its embedding.
    ///
    /// # Errors
    /// Those of `weights` and of [`Tagger::load`].
    pub fn load(models: &[ModelKey], layer: MusicnnLayer, weights: WeightSource<'_>) -> Result<Self, NnError> {
        let mut groups: Vec<NetworkGroup> = Vec::new();
        for &model in models {
            let network = Tagger::load(model, &weights(model)?, layer)?;
            match groups.iter_mut().find(|group| group.spec.key.architecture == model.architecture) {
                Some(group) => {
                    group.models.push(model);
                    group.networks.push(network);
                }
                None => {
                    let patches_at_once = network.patches_at_once();
                    groups.push(NetworkGroup { spec: spec(model), models: vec![model], patches_at_once, networks: vec![network] });
                }
            }
        }
        Ok(Self { groups, layer, gpu: None })
    }

    /// The groups, in the order of their first networks in the call of [`Self::load`].
    #[must_use]
    pub fn groups(&self) -> &[NetworkGroup] {
        &self.groups
    }

    /// Runs a group over `patches`, each `[patch_frames * mel_bands]` row-major: one answer a network, in the order of the group's models.
    ///
    /// On the CPU it runs on the calling thread. On a GPU the patches of all callers are gathered into batches, and the caller waits; what a
    /// GPU cannot do, also because it has been lost, is done on the CPU. A row depends on its patch alone, bit for bit, whatever the call, the
    /// thread or the neighbour.
    ///
    /// # Errors
    /// If a patch has a wrong size, or holds NaN or infinity; [`NnError::NoGroup`].
    pub fn infer(&self, group: usize, patches: &[&[f32]]) -> Result<Vec<SegmentFeatures>, NnError> {
        let NetworkGroup { networks, .. } = self.groups.get(group).ok_or(NnError::NoGroup { group, groups: self.groups.len() })?;
        if let (Some(gpu), Some(first), false) = (&self.gpu, networks.first(), patches.is_empty())
            && gpu.failure.get().is_none()
        {
            first.check(patches)?;
            match gpu.service.infer(group, patches) {
                Ok(features) => return Ok(features),
                // The first reason is the one that counts.
                Err(reason) => drop(gpu.failure.set(reason)),
            }
        }
        self.infer_on_cpu(group, patches)
    }

    fn infer_on_cpu(&self, group: usize, patches: &[&[f32]]) -> Result<Vec<SegmentFeatures>, NnError> {
        self.groups[group].networks.iter().map(|network| network.infer(patches)).collect()
    }

    /// Lets the networks run on a GPU from now on, if there is a real one and if it gives the CPU's answers to a batch of made-up music.
    /// `weights` is asked again: the GPU has its own copy.
    ///
    /// A GPU whose answers differ by more than 1e-3 (tag activations absolutely, embeddings relative to the largest value) is not used.
    pub fn use_gpu(&mut self, weights: WeightSource<'_>) -> GpuVerdict {
        self.use_accelerator(accelerator::open_real(), GPU_BATCH, weights)
    }

    /// As [`Self::use_gpu`], on what stands in for a GPU in tests, `batch` patches at a time.
    #[doc(hidden)]
    pub fn use_gpu_for_test(&mut self, device: TestDevice, batch: usize, weights: WeightSource<'_>) -> GpuVerdict {
        let opened = match device {
            TestDevice::SoftwareAdapter => accelerator::open_software(),
            TestDevice::Flex => Ok(Some(accelerator::plain())),
        };
        self.use_accelerator(opened, batch, weights)
    }

    /// Makes the GPU fail as if it had been lost.
    #[doc(hidden)]
    pub fn lose_gpu_for_test(&self) {
        if let Some(gpu) = &self.gpu {
            gpu.service.lose_for_test();
        }
    }

    /// Why the GPU that was used first is not used any more: to be told to the user at the end of a run.
    #[must_use]
    pub fn gpu_failure(&self) -> Option<String> {
        let gpu = self.gpu.as_ref()?;
        let reason = gpu.failure.get()?;
        Some(format!("{} failed ({reason}); the networks went on on the CPU", gpu.name))
    }

    fn use_accelerator(&mut self, opened: Result<Option<Accelerator>, String>, batch: usize, weights: WeightSource<'_>) -> GpuVerdict {
        let Accelerator { device, name } = match opened {
            Ok(Some(accelerator)) => accelerator,
            Ok(None) => return GpuVerdict::NoGpu,
            Err(reason) => return GpuVerdict::NotTrusted { reason },
        };
        match self.tried(device, batch, weights) {
            Ok(service) => {
                self.gpu = Some(Gpu { service, name: name.clone(), failure: OnceLock::new() });
                // Several callers fill a batch, or one that has as much.
                self.groups.iter_mut().for_each(|group| group.patches_at_once = batch);
                GpuVerdict::Used { adapter: name }
            }
            Err(reason) => GpuVerdict::NotTrusted { reason: format!("{name} {reason}") },
        }
    }

    /// A service that has all networks and has passed the comparison; the error is what a sentence about the adapter ends with.
    fn tried(&self, device: BatchDevice, batch: usize, weights: WeightSource<'_>) -> Result<BatchService, String> {
        let failed = |reason: String| format!("failed ({reason})");
        let service = BatchService::start(device, batch).map_err(failed)?;
        for (number, group) in self.groups.iter().enumerate() {
            for &model in &group.models {
                let weights = weights(model).map_err(|error| failed(error.to_string()))?;
                service.load(number, model, weights, self.layer).map_err(failed)?;
            }
        }
        for (number, group) in self.groups.iter().enumerate() {
            let values = trial::patches(&group.spec, TRIAL_PATCHES);
            let patches: Vec<&[f32]> = values.chunks_exact(group.spec.patch_values()).collect();
            let expected = self.infer_on_cpu(number, &patches).map_err(|error| failed(error.to_string()))?;
            let filled: Vec<&[f32]> = patches.iter().copied().cycle().take(batch).collect();
            let found = service.infer(number, &filled).map_err(failed)?;
            for ((model, found), expected) in group.models.iter().zip(found).zip(expected) {
                for first in (0..batch).step_by(TRIAL_PATCHES) {
                    let rows = TRIAL_PATCHES.min(batch - first);
                    trial::compare(&found.rows(first..first + rows), &expected.rows(0..rows))
                        .map_err(|difference| format!("gives {difference} from the CPU's for {model}"))?;
                }
            }
        }
        Ok(service)
    }
}

#[cfg(test)]
mod tests {
    use super::super::weights;
    use super::*;

    fn embedded(model: ModelKey) -> Result<Cow<'static, [u8]>, NnError> {
        weights::embedded(model).map(Cow::Borrowed).ok_or(NnError::NoWeights { model })
    }

    #[test]
    fn twins_share_a_group_and_answer_in_its_order() {
        let key = |name: &str| name.parse::<ModelKey>().unwrap();
        let models = ["msd-vgg", "mtt-musicnn", "mtt-vgg"].map(key);
        let networks = Networks::load(&models, MusicnnLayer::default(), &embedded).unwrap();
        let groups: Vec<_> = networks.groups().iter().map(|group| group.models.clone()).collect();
        assert_eq!(groups, [vec![key("msd-vgg"), key("mtt-vgg")], vec![key("mtt-musicnn")]]);
        let patch: Vec<f32> = (0..187 * 96).map(|i| ((i * 31) % 97) as f32 / 40.0).collect();
        let both = networks.infer(0, &[&patch]).unwrap();
        for (features, model) in both.iter().zip(&networks.groups()[0].models) {
            let alone = Tagger::embedded(*model, MusicnnLayer::default()).unwrap().infer(&[&patch]).unwrap();
            assert_eq!(*features, alone, "{model}");
        }
        assert_ne!(both[0], both[1]);
        assert!(matches!(networks.infer(2, &[]), Err(NnError::NoGroup { group: 2, groups: 2 })));
    }

    #[test]
    fn a_network_without_weights_is_named() {
        let vggish = ModelKey::ALL[4];
        let error = Networks::load(&[vggish], MusicnnLayer::default(), &embedded).err().unwrap();
        assert!(matches!(error, NnError::NoWeights { model } if model == vggish));
    }
}
