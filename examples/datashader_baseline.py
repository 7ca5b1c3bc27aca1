"""datashader on the scene of `tagscape bench render`: points of a unit normal distribution, seen from -4 to 4.

    python3 -m venv venv && venv/bin/pip install datashader
    venv/bin/python3 examples/datashader_baseline.py [--points N ...] [--size WxH] [--frames N]

Each frame has another range, counts all points (`Canvas.points`, float32 columns) and colours them (`shade`, its default
histogram equalisation), as a program does that shows another view of the same points. Prints a JSON object for each number of points.
"""

import argparse
import json
import math
import time

import datashader
import datashader.transfer_functions as tf
import numpy
import pandas


def measure(points, size, frames):
    """Times of `frames` frames in milliseconds, after one that compiles."""
    random = numpy.random.default_rng(0)
    table = pandas.DataFrame({name: random.standard_normal(points, dtype=numpy.float32) for name in "xy"})
    width, height = size
    half_height = 4.0 * max(1.0, height / width)
    half_width = half_height * width / height
    whole, count, shade = [], [], []
    drawn = 0
    for frame in range(frames + 1):
        begin = time.perf_counter()
        x, y = (0.04 * turn(0.063 * frame) for turn in (math.sin, math.cos))
        canvas = datashader.Canvas(
            plot_width=width,
            plot_height=height,
            x_range=(x - half_width, x + half_width),
            y_range=(y - half_height, y + half_height),
        )
        counts = canvas.points(table, "x", "y", datashader.count())
        counted = time.perf_counter()
        tf.shade(counts)
        end = time.perf_counter()
        if frame > 0:
            whole.append((end - begin) * 1e3)
            count.append((counted - begin) * 1e3)
            shade.append((end - counted) * 1e3)
        drawn = int(counts.sum())

    def percentile(values, share):
        return round(sorted(values)[max(math.ceil(share * len(values)), 1) - 1], 3)

    return {
        "program": f"datashader {datashader.__version__}",
        "points": points,
        "points_in_picture": drawn,
        "frames": frames,
        "frame_ms": {name: percentile(whole, share) for name, share in [("p50", 0.5), ("p95", 0.95), ("max", 1.0)]},
        "passes_ms": {"points": percentile(count, 0.5), "shade": percentile(shade, 0.5)},
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--points", type=int, nargs="+", default=[1_000_000, 4_501_763, 14_089_712])
    arguments.add_argument("--size", default="1920x1080")
    arguments.add_argument("--frames", type=int, default=20)
    given = arguments.parse_args()
    size = tuple(int(edge) for edge in given.size.split("x"))
    for points in given.points:
        print(json.dumps(measure(points, size, given.frames)), flush=True)


if __name__ == "__main__":
    main()
