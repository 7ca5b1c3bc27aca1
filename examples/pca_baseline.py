#!/usr/bin/env python3
"""PCA of a matrix by scikit-learn, beside a layout that tagscape made of it.

usage: pca_baseline.py MATRIX.npy COMPONENTS [LAYOUT.npy]

Prints one JSON object: seconds of fit_transform (svd_solver covariance_eigh, float32, without the reading of the file), and with LAYOUT.npy,
a tagscape layout of COMPONENTS columns, the largest principal angle in radians between the spaces that its columns and
scikit-learn's span. Needs: numpy, scikit-learn.
"""
import json
import sys
import time

import numpy as np
from sklearn.decomposition import PCA

matrix, components = np.load(sys.argv[1]).astype(np.float32), int(sys.argv[2])
start = time.perf_counter()
pca = PCA(components, svd_solver="covariance_eigh")
theirs = pca.fit_transform(matrix)
result = {"rows": len(matrix), "dims": matrix.shape[1], "components": components, "seconds": time.perf_counter() - start}
result["explained_variance_ratio"] = pca.explained_variance_ratio_.tolist()
if len(sys.argv) > 3:
    # The scores' directions in feature space: centred scores = centred matrix @ components, so least squares gives the components back.
    ours = np.load(sys.argv[3]).astype(np.float64)
    centred = matrix.astype(np.float64) - matrix.mean(0, dtype=np.float64)
    gram = centred.T @ centred
    directions = np.linalg.solve(gram, centred.T @ (ours - ours.mean(0)))
    a, _ = np.linalg.qr(directions)
    b, _ = np.linalg.qr(pca.components_.T.astype(np.float64))
    # The sine, from what is left outside: the cosine of a small angle has no digits for it.
    outside = a - b @ (b.T @ a)
    result["largest_angle_rad"] = float(np.arcsin(min(1.0, np.linalg.norm(outside, 2))))
print(json.dumps(result))
