#!/usr/bin/env python3
"""Converts the four checkpoints of the musicnn 0.1.0 package (PyPI, ISC) to safetensors.

usage: musicnn_to_safetensors.py WHEEL OUT_DIR

WHEEL is musicnn-0.1.0-py3-none-any.whl (pip download --no-deps musicnn==0.1.0). Writes
OUT_DIR/{mtt,msd}-{musicnn,vgg}.safetensors and prints each file's sha256. Running it twice gives the same bytes.

Needs Python 3.9 to 3.11 and: pip install tensorflow-cpu==2.15.1 safetensors

Only the variables of the network itself are kept (the checkpoints also hold Adam's moments), in float32 and in TensorFlow's
layout: convolutions [height (time), width (frequency), in, out], dense layers [in, out]. The names are given in ../README.md.
"""
import hashlib
import os
import sys
import tempfile
import zipfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from safetensors.numpy import save

NORM = {"gamma": "gamma", "beta": "beta", "moving_mean": "mean", "moving_variance": "variance"}
LAYER = {"kernel": "kernel", "bias": "bias"}


def musicnn_names():
    """TensorFlow scope -> our name, in the order in which musicnn/models.py makes the layers."""
    blocks = ["frontend.timbral_7x38", "frontend.timbral_7x67", "frontend.temporal_128", "frontend.temporal_64",
              "frontend.temporal_32", "midend.conv1", "midend.conv2", "midend.conv3"]
    names = {"batch_normalization": "input_norm"}
    for i, block in enumerate(blocks):
        names["conv2d" + (f"_{i}" if i else "")] = block
        names[f"batch_normalization_{i + 1}"] = block + ".norm"
    names.update({"batch_normalization_9": "backend.pool_norm", "dense": "backend.dense",
                  "batch_normalization_10": "backend.dense.norm", "dense_1": "backend.output"})
    return names


def vgg_names():
    names = {"batch_normalization": "input_norm", "dense": "output"}
    for i in range(1, 6):
        names[f"{i}CNN"] = f"conv{i}"
        names[f"batch_normalization_{i}"] = f"conv{i}.norm"
    return names


def convert(prefix, scopes):
    reader = tf.compat.v1.train.NewCheckpointReader(prefix)
    tensors, left = {}, []
    for variable in sorted(reader.get_variable_to_shape_map()):
        scope, _, leaf = variable.rpartition("/")
        part = {**NORM, **LAYER}.get(leaf)
        if scope in scopes and part:
            tensors[f"{scopes[scope]}.{part}"] = np.ascontiguousarray(reader.get_tensor(variable), dtype="<f4")
        elif "Adam" not in variable and not variable.endswith("_power"):
            left.append(variable)
    assert not left, f"variables without a name: {left}"
    return tensors


def main():
    wheel, out = sys.argv[1:3]
    os.makedirs(out, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(wheel).extractall(folder)
        for checkpoint in ["MTT_musicnn", "MSD_musicnn", "MTT_vgg", "MSD_vgg"]:
            scopes = vgg_names() if checkpoint.endswith("vgg") else musicnn_names()
            data = save(convert(f"{folder}/musicnn/{checkpoint}/", scopes))
            path = os.path.join(out, checkpoint.lower().replace("_", "-") + ".safetensors")
            with open(path, "wb") as file:
                file.write(data)
            print(f"{hashlib.sha256(data).hexdigest()}  {os.path.basename(path)}  {len(data)} bytes")


if __name__ == "__main__":
    main()
