#!/usr/bin/env python3
"""What TensorFlow makes of one patch, layer by layer, with the musicnn 0.1.0 package's own graphs: fixtures of the tests.

usage: layer_values.py WHEEL MEL.npy OUT_DIR

MEL.npy is a log-mel spectrogram [frames, 96]; its first 187 frames are the patch. Writes OUT_DIR/layers-{mtt,msd}-{musicnn,vgg}.safetensors.
In each, for every layer (named as its weights are, ../README.md) `LAYER` holds every stride-th value of its flattened output, from the
first on, and `LAYER.every` the stride and the full length. A stride shares no factor with a side of the layer, so that the kept values
come from all its features. Needs the same packages as musicnn_to_safetensors.py.
"""
import math
import os
import sys
import tempfile
import zipfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file

tf1 = tf.compat.v1
tf1.disable_eager_execution()
KEPT = 600  # values of a layer that are kept, about


def stride_of(shape):
    """The first stride that keeps about KEPT values and has no factor in common with any side of the layer."""
    stride = max(1, math.prod(shape) // KEPT)
    while any(math.gcd(stride, side) != 1 for side in shape):
        stride += 1
    return stride


def musicnn_layers(models, x):
    """The package's define_model, taken apart, so that every layer can be looked at."""
    front = models.frontend(x, False, 96, num_filt=1.6, type="7774timbraltemporal")
    mid = models.midend(tf.concat(front, 2), False, 64)
    logits, penultimate, mean, largest = models.backend(tf.concat(mid, 2), False, 50, 200, type="globalpool_dense")
    graph = tf1.get_default_graph()
    layers = {"input_norm": graph.get_tensor_by_name("batch_normalization/FusedBatchNormV3:0")}
    layers.update(zip(["frontend.timbral_7x38", "frontend.timbral_7x67", "frontend.temporal_128", "frontend.temporal_64",
                       "frontend.temporal_32"], front))
    layers.update(zip(["midend.conv1", "midend.conv2", "midend.conv3"], mid[1:]))
    layers.update({"backend.pool": tf.reshape(tf.concat([largest, mean], 2), [-1, 1506]),
                   "backend.dense": graph.get_tensor_by_name("dense/BiasAdd:0"),
                   "backend.dense.norm": penultimate, "backend.output": tf.nn.sigmoid(logits)})
    return layers


def vgg_layers(models, x):
    logits, *pools = models.vgg(x, False, 50, 128)
    layers = {"input_norm": tf1.get_default_graph().get_tensor_by_name("batch_normalization/FusedBatchNormV3:0")}
    layers.update({f"conv{i + 1}": pool for i, pool in enumerate(pools)})
    layers["output"] = tf.nn.sigmoid(logits)
    return layers


def main():
    wheel, mel, out = sys.argv[1:4]
    patch = np.load(mel)[:187].astype(np.float32)
    assert patch.shape == (187, 96), patch.shape
    os.makedirs(out, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(wheel).extractall(folder)
        sys.path.insert(0, folder)
        from musicnn import models
        for checkpoint in ["MTT_musicnn", "MSD_musicnn", "MTT_vgg", "MSD_vgg"]:
            tf1.reset_default_graph()
            x = tf1.placeholder(tf.float32, [None, 187, 96])
            layers = (vgg_layers if checkpoint.endswith("vgg") else musicnn_layers)(models, x)
            with tf1.Session() as session:
                tf1.train.Saver().restore(session, f"{folder}/musicnn/{checkpoint}/")
                values = session.run(layers, {x: patch[None]})
            kept = {}
            for name, value in values.items():
                value = np.squeeze(value[0])
                stride = stride_of(value.shape)
                kept[name] = np.ascontiguousarray(value.reshape(-1)[::stride], dtype="<f4")
                kept[name + ".every"] = np.array([stride, value.size], dtype="<i8")
                print(f"LAYER {checkpoint} {name} {value.shape}: every {stride}th, {kept[name].size} values")
            save_file(kept, os.path.join(out, f"layers-{checkpoint.lower().replace('_', '-')}.safetensors"))


if __name__ == "__main__":
    main()
