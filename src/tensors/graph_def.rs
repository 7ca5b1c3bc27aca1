//! TensorFlow's frozen graph: a serialised `GraphDef`, whose weights are nodes with the operation `Const`.
//!
//! Fields: `tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape,types}.proto`. Only those that lead to a constant
//! are looked at, where they lie in the file's bytes: no index is built, whose size a hostile file could choose.

use super::error::TensorErrorKind;
use super::protobuf::{Fields, Malformed, Value};
use super::{TensorInfo, names_match, values_of};

/// `DT_FLOAT` of `types.proto`.
const DT_FLOAT: u64 = 1;
/// More dimensions than this has no weight.
const MAX_RANK: usize = 8;

/// The bytes of a graph, whose list of nodes is known to be whole.
pub(super) struct GraphDef {
    bytes: Vec<u8>,
}

/// A `Const` node.
struct Constant<'a> {
    name: &'a str,
    /// `TensorProto`.
    tensor: &'a [u8],
}

/// What a `TensorProto` says.
#[derive(Default)]
struct TensorProto<'a> {
    data_type: u64,
    shape: Vec<usize>,
    /// All values, little-endian.
    content: &'a [u8],
    /// The first values; the last of them stands for all that follow.
    floats: Vec<f32>,
}

impl GraphDef {
    /// Whether a file that begins so may be one: its first field is a node.
    pub(super) fn begins_with(head: &[u8]) -> bool {
        head.first() == Some(&0x0A)
    }

    /// Takes the bytes of a graph and looks whether its list of nodes is whole.
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, TensorErrorKind> {
        let (mut nodes, mut constants) = (0_usize, 0_usize);
        for field in Fields::of(&bytes) {
            let Ok((number, value)) = field else {
                // Noise may look like a few fields before it does not any more.
                if constants == 0 {
                    return Err(TensorErrorKind::NotWeights("its first bytes are of another kind of file".to_owned()));
                }
                return Err(TensorErrorKind::Damaged(format!("the graph ends inside of its node {}", nodes + 1)));
            };
            if number == 1 {
                nodes += 1;
                constants += usize::from(constant_of(value.bytes()).is_ok_and(|constant| constant.is_some()));
            }
        }
        if constants == 0 {
            return Err(TensorErrorKind::NotWeights("it is no graph with frozen weights".to_owned()));
        }
        Ok(Self { bytes })
    }

    pub(super) fn find(&self, name: &str) -> Result<Option<TensorInfo>, TensorErrorKind> {
        let Some(constant) = self.constant(name)? else { return Ok(None) };
        let tensor = TensorProto::parse(constant.tensor, 0).map_err(|_| damaged(constant.name))?;
        Ok(Some(TensorInfo { name: constant.name.to_owned(), shape: tensor.shape }))
    }

    pub(super) fn read(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, TensorErrorKind> {
        let constant = self.constant(name)?.ok_or_else(|| TensorErrorKind::missing(name, expected))?;
        let count = expected.iter().product::<usize>();
        let tensor = TensorProto::parse(constant.tensor, count).map_err(|_| damaged(constant.name))?;
        if tensor.shape != expected {
            return Err(TensorErrorKind::shape(constant.name, expected, &tensor.shape));
        }
        if tensor.data_type != DT_FLOAT {
            let found = format!("number {} of TensorFlow's", tensor.data_type);
            return Err(TensorErrorKind::Type { tensor: constant.name.to_owned(), found });
        }
        if !tensor.content.is_empty() {
            if tensor.content.len() != count * size_of::<f32>() {
                let why = format!("'{}' has {} bytes of {}", constant.name, tensor.content.len(), count * size_of::<f32>());
                return Err(TensorErrorKind::Damaged(why));
            }
            return Ok(values_of(tensor.content));
        }
        let mut values = tensor.floats;
        // As TensorFlow reads it: without any value, all are 0.
        values.resize(count, values.last().copied().unwrap_or(0.0));
        Ok(values)
    }

    /// The constant of this name, or the only one whose name ends with it.
    fn constant(&self, wanted: &str) -> Result<Option<Constant<'_>>, TensorErrorKind> {
        let mut best: Option<Constant<'_>> = None;
        for field in Fields::of(&self.bytes) {
            // `parse` has seen that the list is whole.
            let Ok((1, Value::Bytes(node))) = field else { continue };
            let Ok(Some(constant)) = constant_of(node) else { continue };
            if constant.name == wanted {
                return Ok(Some(constant));
            }
            if !names_match(constant.name, wanted) {
                continue;
            }
            if let Some(other) = best.filter(|other| other.name != constant.name) {
                let (one, other) = (other.name.to_owned(), constant.name.to_owned());
                return Err(TensorErrorKind::Ambiguous { tensor: wanted.to_owned(), one, other });
            }
            best = Some(constant);
        }
        Ok(best)
    }
}

fn damaged(tensor: &str) -> TensorErrorKind {
    TensorErrorKind::Damaged(format!("inside of '{tensor}'"))
}

/// A `NodeDef` as a constant, if it is one and its name is text.
fn constant_of(node: &[u8]) -> Result<Option<Constant<'_>>, Malformed> {
    let (mut name, mut is_constant, mut tensor) = (None, false, None);
    for field in Fields::of(node) {
        match field? {
            (1, value) => name = std::str::from_utf8(value.bytes()).ok().filter(|name| !name.is_empty()),
            (2, value) => is_constant = value.bytes() == b"Const",
            (5, value) => tensor = tensor_of(value.bytes())?.or(tensor),
            _ => {}
        }
    }
    Ok(name.zip(tensor).filter(|_| is_constant).map(|(name, tensor)| Constant { name, tensor }))
}

/// The `TensorProto` of an attribute, a map's entry, if it is the one called `value`.
fn tensor_of(entry: &[u8]) -> Result<Option<&[u8]>, Malformed> {
    let (mut is_value, mut tensor) = (false, None);
    for field in Fields::of(entry) {
        match field? {
            (1, key) => is_value = key.bytes() == b"value",
            (2, attribute) => {
                for field in Fields::of(attribute.bytes()) {
                    if let (8, Value::Bytes(bytes)) = field? {
                        tensor = Some(bytes);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(tensor.filter(|_| is_value))
}

impl<'a> TensorProto<'a> {
    /// Reads at most `max_floats` single values.
    fn parse(message: &'a [u8], max_floats: usize) -> Result<Self, Malformed> {
        let mut tensor = Self::default();
        for field in Fields::of(message) {
            match field? {
                (1, Value::Varint(data_type)) => tensor.data_type = data_type,
                (2, Value::Bytes(shape)) => tensor.shape = shape_of(shape)?,
                (4, Value::Bytes(content)) => tensor.content = content,
                (5, Value::Fixed32(word)) if tensor.floats.len() < max_floats => tensor.floats.push(f32::from_le_bytes(word)),
                (5, Value::Bytes(packed)) => {
                    let room = (max_floats - tensor.floats.len()).saturating_mul(size_of::<f32>());
                    tensor.floats.extend(values_of(&packed[..packed.len().min(room)]));
                }
                _ => {}
            }
        }
        Ok(tensor)
    }
}

fn shape_of(message: &[u8]) -> Result<Vec<usize>, Malformed> {
    let mut shape = Vec::new();
    for field in Fields::of(message) {
        let (2, Value::Bytes(dimension)) = field? else { continue };
        let mut size = 0;
        for field in Fields::of(dimension) {
            if let (1, Value::Varint(number)) = field? {
                // A size that is not known is -1.
                size = i64::try_from(number).ok().and_then(|size| usize::try_from(size).ok()).ok_or(Malformed { left: dimension.len() })?;
            }
        }
        if shape.len() == MAX_RANK {
            return Err(Malformed { left: dimension.len() });
        }
        shape.push(size);
    }
    Ok(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field of bytes.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        assert!(bytes.len() < 128);
        [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
    }

    /// A node with a tensor of this shape; `values` is the rest of the tensor.
    fn node(name: &str, op: &str, shape: &[u8], values: &[u8]) -> Vec<u8> {
        let shape: Vec<u8> = shape.iter().flat_map(|&size| field(2, &[0x08, size])).collect();
        let tensor = [&[0x08, 1], &field(2, &shape)[..], values].concat();
        let value = [field(1, b"value"), field(2, &field(8, &tensor))].concat();
        let data_type = [field(1, b"dtype"), field(2, &[0x30, 1])].concat();
        field(1, &[field(1, name.as_bytes()), field(2, op.as_bytes()), field(5, &data_type), field(5, &value)].concat())
    }

    fn floats(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn values_are_read_from_content_from_a_list_and_from_one_for_all() {
        let single: Vec<u8> = [1.0_f32, 2.0].iter().flat_map(|value| [&[0x2D][..], &value.to_le_bytes()].concat()).collect();
        let bytes = [
            node("a", "Const", &[2, 2], &field(4, &floats(&[1.0, 2.0, 3.0, 4.0]))),
            node("b", "Const", &[3], &field(5, &floats(&[5.0, 6.0, 7.0]))),
            node("c", "Const", &[2], &single),
            node("x/d", "Const", &[3], &field(5, &floats(&[8.0]))),
            node("e", "Const", &[2], &[]),
            node("f", "Identity", &[2], &[]),
        ];
        let graph = GraphDef::parse(bytes.concat()).unwrap();
        assert_eq!(graph.read("a", &[2, 2]).unwrap(), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(graph.read("b", &[3]).unwrap(), [5.0, 6.0, 7.0]);
        assert_eq!(graph.read("c", &[2]).unwrap(), [1.0, 2.0]);
        assert_eq!(graph.read("d", &[3]).unwrap(), [8.0; 3]);
        assert_eq!(graph.read("e", &[2]).unwrap(), [0.0; 2]);
        assert_eq!(graph.find("d").unwrap(), Some(TensorInfo { name: "x/d".into(), shape: vec![3] }));
        assert!(matches!(graph.read("f", &[2]), Err(TensorErrorKind::Missing { .. })), "only constants count");
    }

    #[test]
    fn a_wrong_shape_or_length_is_told_with_both() {
        let graph = GraphDef::parse(node("a", "Const", &[2, 2], &field(4, &floats(&[1.0, 2.0, 3.0])))).unwrap();
        assert_eq!(graph.read("a", &[4]).unwrap_err().to_string(), "its tensor 'a' has the shape [2, 2], not [4]");
        let error = graph.read("a", &[2, 2]).unwrap_err().to_string();
        assert_eq!(error, "is cut off or damaged ('a' has 12 bytes of 16); get it again");
    }

    #[test]
    fn a_graph_that_is_cut_off_is_not_taken_for_another_kind_of_file() {
        let whole = [node("a", "Const", &[1], &field(5, &floats(&[5.0]))), node("b", "Const", &[1], &[])].concat();
        let error = GraphDef::parse(whole[..whole.len() - 1].to_vec()).err().unwrap();
        assert!(matches!(error, TensorErrorKind::Damaged(_)), "{error}");
        for length in 0..whole.len() {
            // At a node's border it is a shorter graph, and there the network's tensors will be missing.
            let _ = GraphDef::parse(whole[..length].to_vec());
        }
        assert!(matches!(GraphDef::parse(b"\nnoise".to_vec()), Err(TensorErrorKind::NotWeights(_))));
    }
}
