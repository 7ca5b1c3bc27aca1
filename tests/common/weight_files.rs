//! VGGish's made-up weights as TensorFlow's frozen graph and as PyTorch's checkpoints, written piece by piece: 288 MB each.
//!
//! Formats: Protocol Buffers with `tensorflow/core/framework/*.proto`; `torch/serialization.py` with Python's pickle, protocol 2.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use tagscape::nn::vggish::TENSORS;

use super::made_up::values;

/// A layer's name as ours, in `vggish_slim.py` and in torchvggish.
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

/// What TensorFlow calls a tensor of ours.
pub fn tensorflow_name(ours: &str) -> String {
    let (layer, part) = ours.split_once('.').unwrap();
    let names = LAYERS.iter().find(|names| names[0] == layer).unwrap();
    format!("{}/{}", names[1], if part == "kernel" { "weights" } else { "biases" })
}

/// What PyTorch calls a tensor of ours.
pub fn pytorch_name(ours: &str) -> String {
    let (layer, part) = ours.split_once('.').unwrap();
    let names = LAYERS.iter().find(|names| names[0] == layer).unwrap();
    format!("{}.{}", names[2], if part == "kernel" { "weight" } else { "bias" })
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// The key and the length of a field of so many bytes.
fn opened(number: u8, length: usize) -> Vec<u8> {
    [vec![number << 3 | 2], varint(length)].concat()
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&opened(number, bytes.len()), bytes].concat()
}

/// A node of a graph without a tensor.
pub fn plain_node(name: &str, operation: &str) -> Vec<u8> {
    field(1, &[field(1, name.as_bytes()), field(2, operation.as_bytes())].concat())
}

/// A `Const` node up to the bytes of its values, which are field `number` of its tensor.
pub fn const_node(name: &str, shape: &[usize], number: u8, value_bytes: usize) -> Vec<u8> {
    let dims: Vec<u8> = shape.iter().flat_map(|&size| field(2, &[vec![0x08], varint(size)].concat())).collect();
    let mut head = [vec![0x08, 1], field(2, &dims), opened(number, value_bytes)].concat();
    let around = |before: Vec<u8>, key: u8, head: Vec<u8>| [before, opened(key, head.len() + value_bytes), head].concat();
    head = around(Vec::new(), 8, head);
    head = around(field(1, b"value"), 2, head);
    let data_type = field(5, &[field(1, b"dtype"), field(2, &[0x30, 1])].concat());
    head = around([field(1, name.as_bytes()), field(2, b"Const"), data_type].concat(), 5, head);
    around(Vec::new(), 1, head)
}

/// A frozen graph like Essentia's, whose nodes are below `prefix`.
pub fn write_graph(path: &Path, prefix: &str) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(&plain_node(&format!("{prefix}Placeholder"), "Placeholder")).unwrap();
    for (t, (name, shape)) in TENSORS.into_iter().enumerate() {
        let name = format!("{prefix}{}", tensorflow_name(name));
        file.write_all(&const_node(&name, shape, 4, 4 * shape.iter().product::<usize>())).unwrap();
        values(t).for_each(|value| file.write_all(&value.to_le_bytes()).unwrap());
        file.write_all(&plain_node(&format!("{name}/read"), "Identity")).unwrap();
    }
    file.flush().unwrap();
}

/// A graph of a few kilobytes: every tensor has one value for all its elements, changed or left out by `change`.
pub fn small_graph(change: impl Fn(&str, &[usize], f32) -> Option<(Vec<usize>, f32)>) -> Vec<u8> {
    let mut graph = plain_node("Placeholder", "Placeholder");
    for (name, shape) in TENSORS {
        if let Some((shape, value)) = change(name, shape, 1e-3) {
            graph.extend(const_node(&tensorflow_name(name), &shape, 5, 4));
            graph.extend(value.to_le_bytes());
        }
    }
    graph
}

/// A tensor's shape in PyTorch, and the strides of the view that has our layout's values there.
fn pytorch_view(shape: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let stride = |dimension: usize| shape[dimension + 1..].iter().product::<usize>();
    let order: &[usize] = match shape.len() {
        4 => &[3, 2, 0, 1],
        2 => &[1, 0],
        _ => &[0],
    };
    (order.iter().map(|&dimension| shape[dimension]).collect(), order.iter().map(|&dimension| stride(dimension)).collect())
}

fn text(text: &str) -> Vec<u8> {
    [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

fn tuple(numbers: &[usize]) -> Vec<u8> {
    let numbers = numbers.iter().flat_map(|&number| [&b"J"[..], &(number as i32).to_le_bytes()].concat());
    [b"(".to_vec(), numbers.collect(), b"t".to_vec()].concat()
}

/// The state dictionary's pickle; a tensor is a transposed view of our layout, as in torchvggish's own file.
fn state_dict(is_legacy: bool) -> Vec<u8> {
    let mut pickle = b"\x80\x02ccollections\nOrderedDict\n)R(".to_vec();
    for (key, (name, shape)) in TENSORS.into_iter().enumerate() {
        let (view, strides) = pytorch_view(shape);
        pickle.extend(text(&pytorch_name(name)));
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        pickle.extend([text("storage"), b"ctorch\nFloatStorage\n".to_vec(), text(&key.to_string()), text("cpu")].concat());
        pickle.extend([&b"J"[..], &(shape.iter().product::<usize>() as i32).to_le_bytes()].concat());
        pickle.extend(if is_legacy { &b"Nt"[..] } else { b"t" });
        pickle.extend([&b"QK\0"[..], &tuple(&view), &tuple(&strides), b"\x89ccollections\nOrderedDict\n)RtR"].concat());
    }
    pickle.extend(b"u.");
    pickle
}

/// As `torch.save` before 1.6: pickles, then every tensor's count and bytes.
pub fn write_legacy_checkpoint(path: &Path) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.").unwrap();
    let system = [&b"\x80\x02}("[..], &text("protocol_version"), b"M\xe9\x03", &text("little_endian"), b"\x88u."].concat();
    file.write_all(&system).unwrap();
    file.write_all(&state_dict(true)).unwrap();
    let keys: Vec<u8> = (0..TENSORS.len()).flat_map(|key| text(&key.to_string())).collect();
    file.write_all(&[b"\x80\x02](".to_vec(), keys, b"e.".to_vec()].concat()).unwrap();
    for (t, (_, shape)) in TENSORS.into_iter().enumerate() {
        file.write_all(&(shape.iter().product::<usize>() as u64).to_le_bytes()).unwrap();
        values(t).for_each(|value| file.write_all(&value.to_le_bytes()).unwrap());
    }
    file.flush().unwrap();
}

/// As `torch.save` since 1.6: a zip archive of stored entries, without checksums.
pub fn write_zip_checkpoint(path: &Path) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    let (mut offset, mut directory) = (0_usize, Vec::new());
    let pickle = state_dict(false);
    let entries = [("data.pkl".to_owned(), pickle.len()), ("version".to_owned(), 2)];
    let tensors = TENSORS.iter().enumerate().map(|(t, (_, shape))| (format!("data/{t}"), 4 * shape.iter().product::<usize>()));
    for (number, (name, length)) in entries.into_iter().chain(tensors).enumerate() {
        let name = format!("archive/{name}");
        let length32 = (length as u32).to_le_bytes();
        // Version needed, flags, method, time, date, sum, two lengths, and the lengths of name and extra field.
        let about =
            [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &length32, &length32, &(name.len() as u16).to_le_bytes(), &[0, 0]].concat();
        let local = [b"PK\x03\x04", &about[..], name.as_bytes()].concat();
        directory.extend([b"PK\x01\x02\x14\0", &about[..], &[0; 10], &(offset as u32).to_le_bytes(), name.as_bytes()].concat());
        file.write_all(&local).unwrap();
        match number {
            0 => file.write_all(&pickle).unwrap(),
            1 => file.write_all(b"3\n").unwrap(),
            _ => values(number - 2).for_each(|value| file.write_all(&value.to_le_bytes()).unwrap()),
        }
        offset += local.len() + length;
    }
    let count = ((TENSORS.len() + 2) as u16).to_le_bytes();
    file.write_all(&directory).unwrap();
    let end =
        [&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &(directory.len() as u32).to_le_bytes(), &(offset as u32).to_le_bytes(), &[0, 0]];
    file.write_all(&end.concat()).unwrap();
    file.flush().unwrap();
}
