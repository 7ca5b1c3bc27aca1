//! The values of the inner layers, for comparing with the original layer by layer, and how long each took.

use std::time::{Duration, Instant};

use burn::tensor::Tensor;

/// What one layer gave for one patch.
#[derive(Clone, Debug)]
pub struct LayerValues {
    /// The layer's name, as its weights are called.
    pub name: &'static str,
    /// The values, row-major in the layer's own shape, which TensorFlow shares: `[time, features]`, `[time, bands, features]`.
    pub values: Vec<f32>,
    /// From the layer before to this one, without what noting them down took.
    pub elapsed: Duration,
}

/// Notes down layers as the forward pass goes by; off, it costs nothing.
#[derive(Debug)]
pub struct LayerTrace {
    noted: Option<Noted>,
}

#[derive(Debug)]
struct Noted {
    layers: Vec<LayerValues>,
    /// When the last one had been noted down.
    since: Instant,
}

impl LayerTrace {
    /// One that notes down nothing.
    #[must_use]
    pub fn off() -> Self {
        Self { noted: None }
    }

    /// One that notes down every layer.
    #[must_use]
    pub fn on() -> Self {
        Self { noted: Some(Noted { layers: Vec::new(), since: Instant::now() }) }
    }

    /// Notes a layer down.
    pub(super) fn note<const D: usize>(&mut self, name: &'static str, tensor: &Tensor<D>) {
        // What cannot be read back is noted as empty, which no comparison takes for right.
        self.note_as(name, || tensor.try_to_vec_as::<f32>().unwrap_or_default());
    }

    /// Notes a layer down that is not a tensor.
    pub(super) fn note_values(&mut self, name: &'static str, values: &[f32]) {
        self.note_as(name, || values.to_vec());
    }

    fn note_as(&mut self, name: &'static str, values: impl FnOnce() -> Vec<f32>) {
        if let Some(noted) = &mut self.noted {
            let elapsed = noted.since.elapsed();
            noted.layers.push(LayerValues { name, values: values(), elapsed });
            noted.since = Instant::now();
        }
    }

    /// What was noted down, in the order of the forward pass.
    #[must_use]
    pub fn into_layers(self) -> Vec<LayerValues> {
        self.noted.map_or_else(Vec::new, |noted| noted.layers)
    }
}
