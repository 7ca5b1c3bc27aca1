"""`tagscape bench audio` on a PulseAudio null sink, as on a sound card nobody has to own.

    apt-get install pulseaudio pulseaudio-utils libasound2-plugins && cargo build --release
    python3 examples/bench_on_null_sink.py [PATH...] [--seconds N] [--runs N] [--binary target/release/tagscape]

Standard library only. A null sink to which nobody listens makes up to two seconds of sound at a time, and a stream that begins, or begins anew after a
drop-out, waits for the rest of them: a stall of 0.9 to 2 s that no sound card has. So its monitor is recorded (to nowhere, 5 ms at a time) from before
the bench begins. All runs share one folder of user data, which is new: the first one finds the buffer that the sink needs, and the later ones begin
with it. Prints one JSON object per run, as the bench does, with the load of the machine before it (`load`: tasks that wanted a core, over the last
minute).
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile
import time

from null_sink import CHANNELS, RATE_HZ, NullSink

PROJECT = pathlib.Path(__file__).resolve().parent.parent
# What a null sink may have made ahead before somebody listened is over after that.
SETTLING_S = 3.0


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("paths", nargs="*", metavar="PATH")
    arguments.add_argument("--seconds", type=int, default=60)
    arguments.add_argument("--runs", type=int, default=2)
    arguments.add_argument("--binary", type=pathlib.Path, default=PROJECT / "target/release/tagscape")
    given = arguments.parse_args()
    recording = ["--device=music.monitor", "--format=float32le", f"--channels={CHANNELS}", f"--rate={RATE_HZ}", "--raw", "--latency-msec=5"]
    with NullSink() as sink, tempfile.TemporaryDirectory() as user_data:
        environment = {**os.environ, **sink.environment, "TAGSCAPE_USER_DATA": user_data}
        listener = subprocess.Popen(["parec", *recording], env=environment, stdout=subprocess.DEVNULL)
        try:
            time.sleep(SETTLING_S)
            for _ in range(given.runs):
                load = os.getloadavg()[0]
                command = [given.binary, "bench", "audio", *given.paths, "--output", "default", "--seconds", str(given.seconds), "--json"]
                told = json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)
                print(json.dumps({"load": round(load, 2), **told}), flush=True)
        finally:
            listener.terminate()
            listener.wait()


if __name__ == "__main__":
    main()
