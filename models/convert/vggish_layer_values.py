#!/usr/bin/env python3
"""What TensorFlow makes of one patch with VGGish and made-up weights, layer by layer: a fixture of the tests.

usage: vggish_layer_values.py MEL.npy EXPECTED.npy OUT.safetensors

MEL.npy is a log-mel spectrogram [frames, 64] of VGGish's recipe. Every whole patch of 96 frames goes through the network; the embeddings
must be those of EXPECTED.npy, [patches, 128], to 1e-4 of the largest. Of the first patch's layers OUT holds some values, in the form of
layer_values.py beside this file: `LAYER`, and `LAYER.every`, stride and full length.

The weights: tensor t counts weights and biases in the order of LAYERS, weight 2k, bias 2k + 1. Element i, row-major in TensorFlow's layout, is
u = (splitmix64((t << 40) + i) >> 40) / 2^24 * 2 - 1, times sqrt(6 / fan_in) for a weight and 0.01 for a bias.

Needs Python 3.9 to 3.11 and: pip install tensorflow-cpu==2.15.1 safetensors
"""
import math
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file

from layer_values import stride_of, tf1

LAYERS = [("conv1", (3, 3, 1, 64)), ("conv2", (3, 3, 64, 128)), ("conv3_1", (3, 3, 128, 256)), ("conv3_2", (3, 3, 256, 256)),
          ("conv4_1", (3, 3, 256, 512)), ("conv4_2", (3, 3, 512, 512)), ("fc1_1", (12288, 4096)), ("fc1_2", (4096, 4096)), ("fc2", (4096, 128))]
POOLED = {"conv1", "conv2", "conv3_2", "conv4_2"}


def splitmix64(z):
    """Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014."""
    z = z + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def made_up(t, shape, scale):
    z = np.uint64(t << 40) + np.arange(math.prod(shape), dtype=np.uint64)
    u = (splitmix64(z) >> np.uint64(40)).astype(np.float64) / 2**24 * 2 - 1
    return (u * scale).astype(np.float32).reshape(shape)


def main():
    mel, expected, out = sys.argv[1:4]
    mel, expected = np.load(mel).astype(np.float32), np.load(expected)
    patches = mel[:len(mel) // 96 * 96].reshape(-1, 96, 64)
    x, layers = tf.constant(patches[..., None]), {}
    for k, (name, shape) in enumerate(LAYERS):
        weight = made_up(2 * k, shape, math.sqrt(6 / math.prod(shape[:-1])))
        bias = made_up(2 * k + 1, shape[-1:], 0.01)
        if name == "conv1":
            print("LAYER the first four of conv1:", weight.reshape(-1)[:4])
        if name.startswith("conv"):
            x = tf.nn.relu(tf.nn.conv2d(x, weight, strides=1, padding="SAME") + bias)
            if name in POOLED:
                x = tf.nn.max_pool2d(x, 2, 2, "SAME")
        else:
            x = tf.reshape(x, [len(patches), -1]) @ weight + bias
            if name != "fc2":
                x = tf.nn.relu(x)
        layers[name] = x
    with tf1.Session() as session:
        layers = session.run(layers)
    apart = np.abs(layers["fc2"] - expected).max() / np.abs(expected).max()
    print(f"LAYER embeddings {x.shape}: {apart:.2e} of the largest value apart from the expected ones")
    assert apart < 1e-4
    kept = {}
    for name, values in layers.items():
        value = values[0]
        stride = stride_of(value.shape)
        kept[name] = np.ascontiguousarray(value.reshape(-1)[::stride], dtype="<f4")
        kept[name + ".every"] = np.array([stride, value.size], dtype="<i8")
        print(f"LAYER {name} {value.shape}: every {stride}th, {kept[name].size} values, largest {np.abs(value).max():.3f}")
    save_file(kept, out)


if __name__ == "__main__":
    main()
