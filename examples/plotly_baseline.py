"""Plotly's `scattergl` in headless Chromium beside tagscape: the first picture, and a frame while panning. Both in turns, in one run.

    apt-get install chromium xvfb && npm pack plotly.js-dist-min@2.3.0 && tar xzf plotly.js-dist-min-2.3.0.tgz
    cargo build --release --bin tagscape --example made_up_collection
    python3 examples/plotly_baseline.py --plotly package/plotly.min.js [--points N ...] [--runs N] [--frames N]

Standard library only; no network but the loopback. 2.3.0 is the version that music-explore's pages load; the `plotly` package of PyPI
has the newest in `plotly/package_data/plotly.min.js`. Rendering is by software on both sides: SwiftShader's WebGL, and lavapipe's Vulkan
with tagscape's own CPU engine.

The scene: N points of a unit normal distribution (seed 0), -4 to 4 from bottom to top of 1920 x 1080 pixels. Plotly by default draws four pixels
for each of the screen's (`plotGlPixelRatio: 2`); here it draws one, as tagscape does, unless `--pixel-ratio 2` asks for what its users have.

First picture, milliseconds. Plotly: `new_plot` from the call of `Plotly.newPlot`, the points in place as typed arrays, to the picture
(the promise, two animation frames, and a pixel read back, which waits for the GL); `navigation` from the start of the page load, in a browser
that runs already, to the same picture: the page, Plotly and the points come from memory over the loopback. tagscape: `window` from the start of
the process to the `ready` event of `explore` under Xvfb (the GPU and the collection opened, the layout read, all points drawn, and the panels
around the map: 1920 x 1200 pixels in all, its 1440 x 900 at a scale of 4/3; the map is 1248 pixels wide and 1163 high); `png` the whole process
`render --size 1920x1080`, the encoding of the file included. The same points, as `--layout` on a collection of N segments.

A frame while panning, milliseconds. Plotly: real mouse moves of a drag, from the move's arrival in the page until a pixel is read back after
Plotly has handled it (nothing composited); `painted` until the second animation frame after it. tagscape: `bench render`, from
before anything is done for a frame until the GPU has finished. Prints a JSON object for each number of points.
"""

import argparse
import array
import json
import os
import pathlib
import random
import statistics
import subprocess
import tempfile
import time

from chromium import Chromium, Pages

WIDTH, HEIGHT = 1920, 1080
PROJECT = pathlib.Path(__file__).resolve().parent.parent

PAGE = """<!doctype html><body style="margin:0"><div id="plot" style="width:WIDTHpx;height:HEIGHTpx"></div>
<script src="/plotly.js"></script><script>
const plot = document.getElementById('plot');
const contexts = () => [...plot.querySelectorAll('.gl-canvas-context, .gl-canvas-focus')]
    .map(canvas => canvas.getContext('webgl') || canvas.getContext('webgl2')).filter(gl => gl);
const finish = () => contexts().forEach(gl => gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4)));
const animationFrame = () => new Promise(requestAnimationFrame);
const painted = async () => { await animationFrame(); await animationFrame(); finish(); return performance.now(); };
const sums = () => contexts().map(gl => {
    const pixels = new Uint8Array(4 * gl.drawingBufferWidth * gl.drawingBufferHeight);
    gl.readPixels(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    return pixels.reduce((sum, value, at) => (sum * 31 + value) >>> 0, 7);
}).join();
const first = (async () => {
    const points = new Float32Array(await (await fetch('/points')).arrayBuffer());
    const [x, y] = [points.subarray(0, points.length / 2), points.subarray(points.length / 2)];
    const range = half => ({range: [-half, half], zeroline: false});
    const begin = performance.now();
    await Plotly.newPlot(plot, [{type: 'scattergl', mode: 'markers', x, y}],
        {width: WIDTH, height: HEIGHT, margin: {l: 0, r: 0, t: 0, b: 0}, dragmode: 'pan', xaxis: range(4 * WIDTH / HEIGHT), yaxis: range(4)},
        {plotGlPixelRatio: PIXEL_RATIO});
    const end = await painted();
    const gl = contexts()[0], names = gl.getExtension('WEBGL_debug_renderer_info');
    return {
        new_plot: end - begin, navigation: end, plotly: Plotly.version,
        pixels: `${gl.drawingBufferWidth}x${gl.drawingBufferHeight}`, renderer: gl.getParameter(names.UNMASKED_RENDERER_WEBGL),
    };
})();
const moves = [];
addEventListener('mousemove', () => {
    const begin = performance.now();
    // A task of its own, after all that Plotly does for this event.
    const {port1, port2} = new MessageChannel();
    port1.onmessage = async () => {
        finish();
        const frame = performance.now() - begin;
        moves.push({frame, painted: await painted() - begin});
    };
    port2.postMessage(0);
}, true);
const moved = async count => { while (moves.length < count) await animationFrame(); };
</script>"""


def percentiles(values):
    ordered = sorted(values)
    return {
        name: round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 1)
        for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))
    }


def plotly(library, points, frames, pixel_ratio):
    """One visit: the first picture, then a drag in `frames` moves."""
    page = PAGE
    for name, value in (("WIDTH", WIDTH), ("HEIGHT", HEIGHT), ("PIXEL_RATIO", pixel_ratio)):
        page = page.replace(name, str(value))
    pages = {
        "/": ("text/html", page.encode()),
        "/plotly.js": ("text/javascript", library),
        "/points": ("application/octet-stream", points.tobytes()),
    }
    flags = [
        "--headless=new",
        f"--window-size={WIDTH},{HEIGHT}",
        "--hide-scrollbars",
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
    ]
    with Pages(pages) as server, Chromium(flags) as browser:
        browser.call("Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT, deviceScaleFactor=1, mobile=False)
        browser.open(server.address + "/")
        first = browser.evaluate("first")

        def mouse(kind, x, y):
            browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

        # The first move makes what a drag needs, and shows that a frame is what it claims: nothing is drawn later, and it is another picture.
        before = browser.evaluate("sums()")
        mouse("mousePressed", WIDTH // 2, HEIGHT // 2)
        mouse("mouseMoved", WIDTH // 2 + 10, HEIGHT // 2)
        seen = browser.evaluate("moved(1).then(sums)")
        later = browser.evaluate("new Promise(done => setTimeout(done, 1000)).then(sums)")
        if seen == before or later != seen:
            raise RuntimeError("the drag's frame is not drawn when it is timed")
        browser.evaluate("moves.length = 0")
        for frame in range(1, frames + 1):
            mouse("mouseMoved", WIDTH // 2 + 10 + 6 * frame, HEIGHT // 2 + 3 * frame)
            browser.evaluate(f"moved({frame})")
        moves = browser.evaluate("moves")
        return {**first, "moves": moves, "browser": browser.version}


def window(binary, collection, layout, folder):
    """From the start of `explore` to the whole map on screen, in milliseconds, and the map's size."""
    log = folder / "events.jsonl"
    log.write_text("")
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1920x1200x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    environment = {**os.environ, "DISPLAY": f":{screen.stdout.readline().decode().strip()}", "WINIT_X11_SCALE_FACTOR": str(4 / 3)}
    environment.pop("WAYLAND_DISPLAY", None)
    begin = time.perf_counter()
    explore = subprocess.Popen(
        [binary, "explore", collection, "--layout", layout, "--event-log", log],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while '"ready"' not in log.read_text().rpartition("\n")[0]:
            if explore.poll() is not None or time.perf_counter() - begin > 120:
                raise RuntimeError("the window did not get ready")
            time.sleep(0.002)
        shown = (time.perf_counter() - begin) * 1e3
        ready = next(event for event in map(json.loads, log.read_text().splitlines()) if event["event"] == "ready")
        return shown, ready["map"][2:]
    finally:
        for process in (explore, screen):
            process.terminate()
            process.wait()


def tagscape(binary, collection, layout, folder, points, frames):
    """The same of tagscape: the window, a PNG file, and the frames of `bench render`."""
    shown, map_size = window(binary, collection, layout, folder)
    begin = time.perf_counter()
    picture = ["render", collection, "--layout", layout, "--size", f"{WIDTH}x{HEIGHT}", "--out", folder / "map.png"]
    subprocess.run([binary, *picture], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    png = (time.perf_counter() - begin) * 1e3
    bench = [
        "bench",
        "render",
        "--points",
        str(points),
        "--view",
        "segments",
        "--size",
        f"{WIDTH}x{HEIGHT}",
        "--frames",
        str(frames),
        "--json",
    ]
    told = subprocess.run([binary, *bench], check=True, capture_output=True, text=True).stdout
    return {"window": shown, "map": map_size, "png": png, **json.loads(told)}


def write_layout(path, points):
    """The points as a `.npy` matrix of single precision, `[N, 2]`."""
    count = len(points) // 2
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, 2), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    rows = array.array("f", bytes(8 * count))
    rows[0::2], rows[1::2] = points[:count], points[count:]
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + rows.tobytes())


def measure(given, folder, count):
    chance = random.Random(0)
    points = array.array("f", (chance.gauss(0.0, 1.0) for _ in range(2 * count)))
    layout, collection = folder / f"{count}.npy", folder / f"{count}.tagscape"
    write_layout(layout, points)
    maker = given.binary.parent / "examples" / "made_up_collection"
    subprocess.run([maker, collection, "--segments", str(count), "--spaces", "mtt-musicnn-taggrams"], check=True, capture_output=True)
    library = given.plotly.read_bytes()
    theirs, ours = [], []
    for _ in range(given.runs):
        theirs.append(plotly(library, points, given.frames, given.pixel_ratio))
        ours.append(tagscape(given.binary, collection, layout, folder, count, given.frames))

    def middle(runs, name):
        return round(statistics.median(run[name] for run in runs), 1)

    def every(name):
        return percentiles([move[name] for run in theirs for move in run["moves"]])

    first = {
        "plotly": {name: middle(theirs, name) for name in ("new_plot", "navigation")},
        "tagscape": {name: middle(ours, name) for name in ("window", "png")},
    }
    frame = {
        "plotly": every("frame"),
        "plotly_painted": every("painted"),
        "tagscape": {name: round(statistics.median(run["frame_ms"][name] for run in ours), 1) for name in ("p50", "p95", "max")},
    }
    return {
        "points": count,
        "runs": given.runs,
        "frames": given.frames,
        "programs": {
            "plotly": "Plotly {plotly}, WebGL of {pixels}, {browser}, {renderer}".format(**theirs[0]),
            "tagscape": "{adapter}, map of {map[0]}x{map[1]} in the window".format(**ours[0]),
        },
        "first_picture_ms": first,
        "pan_frame_ms": frame,
        "plotly_over_tagscape": {
            **{
                f"{their}_over_{our}": round(first["plotly"][their] / first["tagscape"][our], 2)
                for their in ("navigation", "new_plot")
                for our in ("window", "png")
            },
            "pan_frame": round(frame["plotly"]["p50"] / frame["tagscape"]["p50"], 2),
        },
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--plotly", type=pathlib.Path, required=True, help="plotly.min.js")
    arguments.add_argument("--binary", type=pathlib.Path, default=PROJECT / "target/release/tagscape")
    arguments.add_argument("--points", type=int, nargs="+", default=[100_000, 1_000_000])
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--frames", type=int, default=30)
    arguments.add_argument("--pixel-ratio", type=int, default=1, help="Plotly's plotGlPixelRatio; users have its default, 2")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for count in given.points:
            print(json.dumps(measure(given, pathlib.Path(folder), count)), flush=True)


if __name__ == "__main__":
    main()
