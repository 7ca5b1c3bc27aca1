//! VGGish's tensors as others call them and lay them out, turned into the program's own.
//!
//! | ours | TensorFlow (`vggish_slim.py`) | PyTorch (torchvggish's `vggish.py`) |
//! |---|---|---|
//! | `conv1.kernel`, HWIO | `vggish/conv1/weights`, HWIO | `features.0.weight`, OIHW |
//! | `conv3_1.bias` | `vggish/conv3/conv3_1/biases` | `features.6.bias` |
//! | `fc1_1.kernel`, `[inputs, features]` | `vggish/fc1/fc1_1/weights`, the same | `embeddings.0.weight`, `[features, inputs]` |
//!
//! torchvggish puts the features last before it flattens (two transpositions in its `forward`), as TensorFlow does, so that its first
//! dense layer counts its inputs as ours does: `[6, 4, 512]`.

use crate::nn::vggish::TENSORS;
use crate::tensors::{TensorError, TensorErrorKind, TensorFile, WeightFormat};

/// A layer's name as we, TensorFlow and PyTorch have it.
const LAYERS: [[&str; 3]; 9] = [
    ["conv1", "vggish/conv1", "features.0"],
    ["conv2", "vggish/conv2", "features.3"],
    ["conv3_1", "vggish/conv3/conv3_1", "features.6"],
    ["conv3_2", "vggish/conv3/conv3_2", "features.8"],
    ["conv4_1", "vggish/conv4/conv4_1", "features.11"],
    ["conv4_2", "vggish/conv4/conv4_2", "features.13"],
    ["fc1_1", "vggish/fc1/fc1_1", "embeddings.0"],
    ["fc1_2", "vggish/fc1/fc1_2", "embeddings.2"],
    ["fc2", "vggish/fc2", "embeddings.4"],
];

/// Whose names and layouts a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Ours,
    TensorFlow,
    PyTorch,
}

impl Dialect {
    /// A tensor of ours as this dialect calls it.
    fn name(self, ours: &str) -> String {
        let (layer, part) = ours.rsplit_once('.').unwrap_or((ours, ""));
        let (column, kernel, bias, separator) = match self {
            Self::Ours => (0, "kernel", "bias", '.'),
            Self::TensorFlow => (1, "weights", "biases", '/'),
            Self::PyTorch => (2, "weight", "bias", '.'),
        };
        let layer = LAYERS.iter().find(|names| names[0] == layer).map_or(layer, |names| names[column]);
        format!("{layer}{separator}{}", if part == "kernel" { kernel } else { bias })
    }

    /// A shape of ours as this dialect has it.
    fn shape(self, ours: &[usize]) -> Vec<usize> {
        match (self, ours) {
            (Self::PyTorch, &[height, width, inputs, features]) => vec![features, inputs, height, width],
            (Self::PyTorch, &[inputs, features]) => vec![features, inputs],
            _ => ours.to_vec(),
        }
    }
}

/// VGGish's tensors in a file of another's.
pub(super) struct VggishImport {
    file: TensorFile,
    dialect: Dialect,
}

impl VggishImport {
    /// Looks whether every tensor is there and has its shape, without reading any.
    pub(super) fn new(file: TensorFile) -> Result<Self, TensorError> {
        let dialect = match file.format() {
            WeightFormat::TensorFlow => Dialect::TensorFlow,
            WeightFormat::PyTorch => Dialect::PyTorch,
            WeightFormat::Safetensors => match file.find(&Dialect::PyTorch.name(TENSORS[0].0))? {
                Some(_) => Dialect::PyTorch,
                None => Dialect::Ours,
            },
        };
        for (name, shape) in TENSORS {
            let (name, expected) = (dialect.name(name), dialect.shape(shape));
            // Ours are called so and not otherwise: other networks of ours have a `conv1.kernel` in them.
            if dialect == Dialect::Ours && file.find(&name)?.is_none_or(|found| found.name != name) {
                let kind = TensorErrorKind::Missing { tensor: name, expected };
                return Err(TensorError { path: file.path().to_owned(), kind });
            }
            file.expect(&name, &expected)?;
        }
        Ok(Self { file, dialect })
    }

    /// A tensor of ours, which is of this shape, in our layout.
    pub(super) fn read(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, TensorError> {
        let values = self.file.read(&self.dialect.name(name), &self.dialect.shape(shape))?;
        Ok(match (self.dialect, shape) {
            (Dialect::PyTorch, &[height, width, inputs, features]) => hwio(&values, [height, width, inputs, features]),
            (Dialect::PyTorch, &[inputs, features]) => transposed(&values, features, inputs),
            _ => values,
        })
    }
}

/// `[features, inputs, height, width]` to `[height, width, inputs, features]`.
fn hwio(oihw: &[f32], [height, width, inputs, features]: [usize; 4]) -> Vec<f32> {
    let mut values = Vec::with_capacity(oihw.len());
    for place in 0..height * width {
        for input in 0..inputs {
            values.extend((0..features).map(|feature| oihw[(feature * inputs + input) * height * width + place]));
        }
    }
    values
}

/// `[rows, columns]` to `[columns, rows]`, in squares that stay in the cache.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const SIDE: usize = 32;
    let mut turned = vec![0.0; values.len()];
    for first_row in (0..rows).step_by(SIDE) {
        for first_column in (0..columns).step_by(SIDE) {
            for column in first_column..columns.min(first_column + SIDE) {
                for row in first_row..rows.min(first_row + SIDE) {
                    turned[column * rows + row] = values[row * columns + column];
                }
            }
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tensor_has_a_name_in_every_dialect() {
        let names = |dialect: Dialect| TENSORS.map(|(name, _)| dialect.name(name));
        assert_eq!(names(Dialect::Ours), TENSORS.map(|(name, _)| name.to_owned()));
        let tensorflow = names(Dialect::TensorFlow);
        assert_eq!((tensorflow[0].as_str(), tensorflow[5].as_str()), ("vggish/conv1/weights", "vggish/conv3/conv3_1/biases"));
        assert_eq!((tensorflow[12].as_str(), tensorflow[16].as_str()), ("vggish/fc1/fc1_1/weights", "vggish/fc2/weights"));
        let pytorch = names(Dialect::PyTorch);
        assert_eq!((pytorch[10].as_str(), pytorch[17].as_str()), ("features.13.weight", "embeddings.4.bias"));
        assert_eq!(Dialect::PyTorch.shape(&[3, 3, 64, 128]), [128, 64, 3, 3]);
    }

    #[test]
    fn layouts_are_turned_by_their_indices() {
        let [height, width, inputs, features] = [3, 2, 5, 4];
        let oihw: Vec<f32> = (0..120).map(|i| i as f32).collect();
        let turned = hwio(&oihw, [height, width, inputs, features]);
        let (y, x, input, feature) = (2, 1, 3, 2);
        assert_eq!(
            turned[((y * width + x) * inputs + input) * features + feature],
            oihw[((feature * inputs + input) * height + y) * width + x]
        );
        let (rows, columns) = (33, 70);
        let matrix: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
        let turned = transposed(&matrix, rows, columns);
        assert!((0..rows).all(|row| (0..columns).all(|column| turned[column * rows + row] == matrix[row * columns + column])));
    }
}
