//! What can go wrong with a network.

use crate::catalog::ModelKey;

/// Why a network cannot be had, or cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NnError {
    /// The program does not have the network's weights inside itself: VGGish's are too large. They are added from a file.
    #[error("the weights of {model} are not part of tagscape; `tagscape models add {model} FILE` adds them")]
    NoWeights {
        /// The network.
        model: ModelKey,
    },
    /// The weights could not be had from the place where they lie.
    #[error("{reason}")]
    WeightSource {
        /// The network.
        model: ModelKey,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The weights are not a safetensors file, or one that is cut off or damaged. Get the file again.
    #[error("the weights of {model} cannot be read: {source}")]
    Unreadable {
        /// The network.
        model: ModelKey,
        /// What is wrong with the file.
        source: safetensors::SafeTensorError,
    },
    /// The embedded weights are not those that were built in. The program is damaged: install it again.
    #[error("the weights of {model} are damaged: sha256 {found}, expected {expected}")]
    Checksum {
        /// The network.
        model: ModelKey,
        /// The sha256 of the weights that belong here.
        expected: &'static str,
        /// The sha256 of those that are here.
        found: String,
    },
    /// A tensor of the network is not in the file: it holds another network's weights, or another version's.
    #[error("the weights of {model} lack the tensor '{tensor}', {expected:?}")]
    MissingTensor {
        /// The network.
        model: ModelKey,
        /// The tensor.
        tensor: String,
        /// Its shape.
        expected: Vec<usize>,
    },
    /// A tensor has another shape than the network's.
    #[error("in the weights of {model}, the tensor '{tensor}' has the shape {found:?}, not {expected:?}")]
    TensorShape {
        /// The network.
        model: ModelKey,
        /// The tensor.
        tensor: String,
        /// The shape that the network has.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A tensor has another type than 32-bit floating point.
    #[error("in the weights of {model}, the tensor '{tensor}' has the type {found}, not F32")]
    TensorType {
        /// The network.
        model: ModelKey,
        /// The tensor.
        tensor: String,
        /// The type in the file.
        found: String,
    },
    /// A tensor holds NaN, infinity, or a variance below zero.
    #[error("in the weights of {model}, the tensor '{tensor}' holds {value} at position {position}")]
    TensorValue {
        /// The network.
        model: ModelKey,
        /// The tensor.
        tensor: String,
        /// The first such position, counted row-major from 0.
        position: usize,
        /// What is there.
        value: f32,
    },
    /// The file has tensors that are none of the network's.
    #[error("the weights of {model} hold the tensor '{tensor}', which is none of this network's")]
    UnknownTensor {
        /// The network.
        model: ModelKey,
        /// The first of them by name.
        tensor: String,
    },
    /// A patch has another size than the network's input.
    #[error("patch {segment} has {found} values, where {model} takes {expected}")]
    PatchSize {
        /// The network.
        model: ModelKey,
        /// The patch's position in the call, from 0.
        segment: usize,
        /// Values in a patch of this network.
        expected: usize,
        /// Values in this one.
        found: usize,
    },
    /// A patch holds NaN or infinity: the audio does.
    #[error("segment {} holds values that are not numbers; the audio is damaged there", .segment + 1)]
    PatchValue {
        /// The patch's position in the call, from 0.
        segment: usize,
    },
    /// A group of networks that is not there: a mistake of the program.
    #[error("there are {groups} groups of networks, and none has the number {group}")]
    NoGroup {
        /// The number that was asked for.
        group: usize,
        /// How many there are.
        groups: usize,
    },
    /// The device, or burn, gave no result.
    #[error("{model} could not be run: {reason}")]
    Compute {
        /// The network.
        model: ModelKey,
        /// What was said.
        reason: String,
    },
}
