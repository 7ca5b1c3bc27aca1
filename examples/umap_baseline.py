#!/usr/bin/env python3
"""UMAP of a matrix by umap-learn, for comparing with tagscape's.

usage: umap_baseline.py MATRIX.npy LAYOUT.npy [DIMS]

Fits twice with the same parameters (15 neighbours, min_dist 0.1, no random_state, so that it uses all threads): the first fit compiles, the second
is what counts. Writes the second layout and prints one JSON object. NUMBA_NUM_THREADS says how many threads. Needs: numpy, umap-learn.
"""
import json
import sys
import time

import numpy as np
import umap

matrix, dims = np.load(sys.argv[1]).astype(np.float32), int(sys.argv[3]) if len(sys.argv) > 3 else 2
seconds = []
for _ in range(2):
    start = time.perf_counter()
    layout = umap.UMAP(n_neighbors=15, min_dist=0.1, n_components=dims).fit_transform(matrix)
    seconds.append(time.perf_counter() - start)
np.save(sys.argv[2], layout.astype(np.float32))
print(json.dumps({"rows": len(matrix), "dims": dims, "first_fit_s": seconds[0], "second_fit_s": seconds[1]}))
