#!/usr/bin/env python3
"""Makes a larger feature matrix of a smaller one, for comparing projections at other sizes.

usage: more_frames.py FEATURES.npy ROWS OUT.npy

All rows of FEATURES as they are, then rows drawn at random with noise of a tenth of each column's deviation. Needs: numpy
"""
import sys

import numpy as np

features, rows, out = np.load(sys.argv[1]).astype(np.float32), int(sys.argv[2]), sys.argv[3]
if rows < len(features):
    sys.exit(f"{sys.argv[1]} has {len(features)} rows already")
random = np.random.RandomState(0)
drawn = np.concatenate([np.arange(len(features)), random.randint(0, len(features), rows - len(features))])
noise = random.randn(rows, features.shape[1]).astype(np.float32) * 0.1 * features.std(0)
noise[: len(features)] = 0
np.save(out, features[drawn] + noise)
