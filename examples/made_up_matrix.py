#!/usr/bin/env python3
"""Makes a float32 matrix of any size whose principal components are clear, for comparing PCA.

usage: made_up_matrix.py ROWS DIMS OUT.npy

Normal values, mixed by a random rotation; the deviation along the n-th component is 10 * 0.8^n + 0.1. Seed 0. Needs: numpy
"""
import sys

import numpy as np

rows, dims, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
random = np.random.default_rng(0)
rotation, _ = np.linalg.qr(random.standard_normal((dims, dims)))
mixing = ((10 * 0.8 ** np.arange(dims) + 0.1)[:, None] * rotation.T).astype(np.float32)
matrix = np.lib.format.open_memmap(out, mode="w+", dtype=np.float32, shape=(rows, dims))
for first in range(0, rows, 100_000):
    count = min(100_000, rows - first)
    matrix[first : first + count] = random.standard_normal((count, dims), dtype=np.float32) @ mixing + np.float32(3)
matrix.flush()
