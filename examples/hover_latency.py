"""From the pointer's motion to the sound, the whole way: tagscape's window beside an HTML page with an `<audio>` element in Chromium.

    apt-get install chromium xvfb xdotool pulseaudio pulseaudio-utils && cargo build --release
    python3 examples/hover_latency.py [--hovers N] [--binary target/release/tagscape]

Standard library only. Both programs are shown, one after the other, on one Xvfb of 1440 x 900, and play to one PulseAudio null sink. The
pointer waits outside until nothing has sounded for a while, then jumps onto a segment, by xdotool's library (`libxdo`, without the start
of a process). The time is from just before that call to the first sample above -80 dB in the sink's monitor. Both play the same segments of the
demo collection, in the same order, in three rounds: `first_time`, each segment new to the program, after 0.8 s of silence; `again`, each played
before; `again_in_haste`, after 0.2 s, when a window drawn by software may still be busy with what the pointer's leaving changed.

The page does what music-explore's does when a point is hovered: `src` with `#t=begin,end`, `load()`, `play()`; its points are squares instead of a
plot's, the address of the music is known instead of asked for, and the files come from memory over the loopback: all in its favour. It may play
without a click first, and pauses when the pointer leaves. Chromium has its window here: a headless one has none for xdotool to point at.

Common to both, and in both figures: `block_ms`, what the monitor gives at a time, and `click_ms`, the same time for a click that a program
writes into a stream that is open, with a buffer of 10 ms: from the writing to the monitor. Prints one JSON object; times are milliseconds;
`audio_element_over_tagscape` is the median of the ratios segment by segment, `tagscape_is_first` in how many of them tagscape is.
"""

import argparse
import ctypes
import json
import os
import pathlib
import random
import statistics
import subprocess
import tempfile
import time

from chromium import Chromium, Pages
from null_sink import Clicker, Listener, NullSink

WIDTH, HEIGHT = 1440, 900
OUTSIDE = (WIDTH - 1, HEIGHT - 1)
PROJECT = pathlib.Path(__file__).resolve().parent.parent
# Between the pixels at which segments are looked for.
STEP = 14
# Rounds, and for how many seconds all is silent before a hover.
ROUNDS = {"first_time": 0.8, "again": 0.8, "again_in_haste": 0.2}
SQUARE, GAP, COLUMNS = 20, 50, 20

PAGE = """<!doctype html><body style="margin:0"><audio id="audio"></audio><script>
const audio = document.getElementById('audio');
SEGMENTS.forEach(([address, x, y]) => {
    const point = document.body.appendChild(document.createElement('div'));
    point.style = `position:absolute;width:SQUAREpx;height:SQUAREpx;left:${x}px;top:${y}px;background:teal`;
    point.onmouseenter = () => { audio.src = address; audio.load(); audio.play().catch(() => {}); };
    point.onmouseleave = () => audio.pause();
});
const shift = new Promise(told => addEventListener('mousemove', event => told([event.screenX - event.clientX, event.screenY - event.clientY])));
</script>"""


class Screen:
    """An Xvfb and its pointer."""

    def __init__(self):
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.display = f":{self.server.stdout.readline().decode().strip()}"
        self.library = ctypes.CDLL("libxdo.so.3")
        self.library.xdo_new.restype = ctypes.c_void_p
        self.xdo = ctypes.c_void_p(self.library.xdo_new(self.display.encode()))
        self.point(*OUTSIDE)

    def point(self, x, y):
        """What `xdotool mousemove` does."""
        self.library.xdo_move_mouse(self.xdo, int(x), int(y), 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.library.xdo_free(self.xdo)
        self.server.terminate()
        self.server.wait()


class Explore:
    """tagscape's window on the demo collection, and its event log."""

    def __init__(self, binary, screen, sink, folder):
        self.log = pathlib.Path(folder) / "events.jsonl"
        self.log.write_text("")
        environment = {**os.environ, **sink.environment, "DISPLAY": screen.display}
        environment.pop("WAYLAND_DISPLAY", None)
        command = [binary, "explore", PROJECT / "assets/demo/demo.tagscape", "--event-log", self.log]
        self.window = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 120.0
        while not (ready := self.events("ready")):
            if self.window.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the window does not get ready")
            time.sleep(0.05)
        self.map = ready[0]["map"]
        # The sound output opens beside the map.
        time.sleep(3.0)

    def events(self, kind):
        whole = self.log.read_text().rpartition("\n")[0]
        return [event for event in map(json.loads, whole.splitlines()) if event["event"] == kind]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.window.terminate()
        self.window.wait()


def find_segments(explore, screen, count):
    """Moves over the whole map; `count` of the segments that were touched, in random order, each with a pixel that touches it."""
    left, top, width, height = explore.map
    for y in range(top + STEP, top + height - STEP, STEP):
        for x in range(left + STEP, left + width - STEP, STEP):
            screen.point(x, y)
            time.sleep(0.004)
    screen.point(*OUTSIDE)
    time.sleep(2.0)
    touched = {event["segment"]: event for event in explore.events("hover")}
    if len(touched) < count:
        raise RuntimeError(f"only {len(touched)} segments were touched")
    return random.Random(0).sample(sorted(touched.values(), key=lambda event: event["segment"]), count)


def hover(screen, listener, places, silence_s):
    """The time to the sound at each place; none where nothing was heard."""
    times = []
    for place in places:
        screen.point(*OUTSIDE)
        time.sleep(0.1)
        listener.wait_for_silence(silence_s)
        times.append(listener.time_to_sound(screen.point, *place))
    screen.point(*OUTSIDE)
    listener.wait_for_silence()
    return times


def hover_window(binary, screen, sink, listener, folder, count):
    """The segments, the times of each round, and those that the window tells: from the hover to the hand-over to the sound output."""
    with Explore(binary, screen, sink, folder) as explore:
        segments = find_segments(explore, screen, count)
    listener.wait_for_silence()
    times, within = {}, {}
    # Started anew: nothing is decoded yet.
    with Explore(binary, screen, sink, folder) as explore:
        for name, silence_s in ROUNDS.items():
            told = len(explore.events("audition"))
            times[name] = hover(screen, listener, [(event["x"], event["y"]) for event in segments], silence_s)
            within[name] = [event["latency_ms"] for event in explore.events("audition")[told:]]
        pointed = [event["segment"] for event in explore.events("hover")]
    if pointed != [event["segment"] for event in segments] * len(ROUNDS):
        raise RuntimeError("the window was not pointed at what was asked for")
    return segments, times, within


def page_of(segments, duration_s):
    """The page, its music, and where its points are."""
    files = {f"/audio/{event['track']}" for event in segments}
    pages = {path: ("audio/ogg", (PROJECT / "assets/demo" / path.lstrip("/")).read_bytes()) for path in files}
    points = []
    for number, event in enumerate(segments):
        address = f"/audio/{event['track']}#t={event['start_s']},{event['start_s'] + duration_s}"
        points.append((address, GAP + number % COLUMNS * GAP, GAP + number // COLUMNS * GAP))
    pages["/"] = ("text/html", PAGE.replace("SEGMENTS", json.dumps(points)).replace("SQUARE", str(SQUARE)).encode())
    return pages, [(x + SQUARE // 2, y + SQUARE // 2) for _, x, y in points]


def hover_page(screen, sink, listener, segments):
    """The times of each round on the page, and the browser's version."""
    pages, places = page_of(segments, 2.992)
    flags = ["--window-position=0,0", f"--window-size={WIDTH},{HEIGHT}", "--autoplay-policy=no-user-gesture-required"]
    with Pages(pages) as server, Chromium(flags, {**sink.environment, "DISPLAY": screen.display}) as browser:
        browser.open(server.address + "/")
        time.sleep(2.0)
        screen.point(WIDTH // 2, HEIGHT - 100)
        time.sleep(0.5)
        screen.point(WIDTH // 2 + 1, HEIGHT - 100)
        left, top = browser.evaluate("shift")
        places = [(left + x, top + y) for x, y in places]
        # The first sound opens the browser's sound output, as tagscape's is open before it is pointed at.
        hover(screen, listener, places[-1:], 0.3)
        browser.evaluate("audio.removeAttribute('src')")
        return {name: hover(screen, listener, places, silence_s) for name, silence_s in ROUNDS.items()}, browser.version


def distribution(times):
    ordered = sorted(time for time in times if time is not None)
    if not ordered:
        return {"heard": 0}
    shares = {
        name: round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 1)
        for name, share in (("min", 0.0), ("p50", 0.5), ("p95", 0.95), ("max", 1.0))
    }
    return {"heard": len(ordered), **shares}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--hovers", type=int, default=100)
    arguments.add_argument("--binary", type=pathlib.Path, default=PROJECT / "target/release/tagscape")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, Screen() as screen, NullSink() as sink, Listener(sink) as listener:
        segments, ours, within = hover_window(given.binary, screen, sink, listener, folder, given.hovers)
        theirs, browser = hover_page(screen, sink, listener, segments)
        clicker = Clicker(sink)
        clicks = []
        for _ in range(30):
            listener.wait_for_silence()
            clicks.append(listener.time_to_sound(clicker))
        clicker.close()
        block_ms = statistics.median(listener.blocks_ms)
    told = {"hovers": given.hovers, "browser": browser, "block_ms": round(block_ms, 2), "click_ms": distribution(clicks)}
    for name in ROUNDS:
        pairs = [pair for pair in zip(ours[name], theirs[name], strict=True) if None not in pair]
        told[name] = {
            "tagscape": distribution(ours[name]),
            "tagscape_hover_to_output": distribution(within[name]),
            "audio_element": distribution(theirs[name]),
            "audio_element_over_tagscape": round(statistics.median(other / one for one, other in pairs), 2) if pairs else None,
            "tagscape_is_first": sum(one < other for one, other in pairs),
        }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
