"""A PulseAudio server of its own with a null sink, and a listener that tells when it first sounds. Standard library only.

Used by `hover_latency.py`. Needs `apt-get install pulseaudio pulseaudio-utils libpulse0`.
"""

import array
import ctypes
import os
import pathlib
import socket
import subprocess
import tempfile
import threading
import time

RATE_HZ = 48_000
CHANNELS = 2
FRAME_BYTES = 4 * CHANNELS
# -80 dB of full scale: below the quietest music, above what a fade leaves.
AUDIBLE = 1e-4


class NullSink:
    """The server; `environment` makes the sink a program's default sound device, through PulseAudio or ALSA."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        at = pathlib.Path(self.folder.name)
        (at / "asound.conf").write_text("</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\nctl.!default { type pulse }\n")
        self.address = f"unix:{at / 'native'}"
        folders = dict.fromkeys(("HOME", "XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH"), str(at))
        modules = [
            f"module-native-protocol-unix socket={at / 'native'} auth-anonymous=1",
            f"module-null-sink sink_name=music rate={RATE_HZ} channels={CHANNELS} format=float32le",
        ]
        options = ["--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm=yes", "--log-level=error", "-n"]
        self.server = subprocess.Popen(
            ["pulseaudio", *options, *(part for module in modules for part in ("-L", module))],
            env={"PATH": os.environ["PATH"], **folders},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.environment = {"PULSE_SERVER": self.address, "ALSA_CONFIG_PATH": str(at / "asound.conf")}
        until = time.monotonic() + 20.0
        while socket.socket(socket.AF_UNIX).connect_ex(str(at / "native")):
            if time.monotonic() > until:
                raise RuntimeError("pulseaudio does not start")
            time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()
        self.folder.cleanup()


class Listener:
    """Records the sink's monitor. A sample's time is that at which the monitor gave the block that it is in."""

    def __init__(self, sink):
        options = [
            "--device=music.monitor",
            "--format=float32le",
            f"--channels={CHANNELS}",
            f"--rate={RATE_HZ}",
            "--raw",
            "--latency-msec=5",
        ]
        self.recorder = subprocess.Popen(
            ["parec", *options], env={**os.environ, **sink.environment}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.news = threading.Condition()
        self.last_sound = time.monotonic()
        self.awaited_since = None
        self.first_sound = None
        self.blocks_ms = []
        threading.Thread(target=self._listen, daemon=True).start()
        # Until somebody listens, a null sink makes two seconds at a time.
        self._wait_until(lambda: len(self.blocks_ms) > 200, "the sink's monitor gives nothing")

    def _listen(self):
        output, rest = self.recorder.stdout.fileno(), b""
        while received := os.read(output, 1 << 16):
            arrival = time.monotonic()
            received = rest + received
            whole = len(received) // FRAME_BYTES * FRAME_BYTES
            samples, rest = array.array("f", received[:whole]), received[whole:]
            self.blocks_ms.append(len(samples) / CHANNELS / RATE_HZ * 1e3)
            if not any(abs(sample) > AUDIBLE for sample in samples):
                continue
            with self.news:
                self.last_sound = arrival
                if self.awaited_since is not None and self.first_sound is None and arrival > self.awaited_since:
                    self.first_sound = arrival
                    self.news.notify_all()

    def wait_for_silence(self, seconds=0.3):
        """Returns when nothing has sounded for a while."""
        self._wait_until(lambda: time.monotonic() - self.last_sound > seconds, "it does not fall silent")

    @staticmethod
    def _wait_until(is_so, failure, limit=20.0):
        until = time.monotonic() + limit
        while not is_so():
            if time.monotonic() > until:
                raise RuntimeError(failure)
            time.sleep(0.02)

    def time_to_sound(self, act, *arguments, limit=3.0):
        """Milliseconds from just before `act` is called to the first sample that is not silent; none if there is none in time."""
        with self.news:
            self.first_sound = None
            self.awaited_since = begin = time.monotonic()
        act(*arguments)
        with self.news:
            self.news.wait_for(lambda: self.first_sound is not None, limit)
            self.awaited_since = None
            return None if self.first_sound is None else (self.first_sound - begin) * 1e3

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.recorder.terminate()
        self.recorder.wait()


class _SampleSpec(ctypes.Structure):
    _fields_ = [("format", ctypes.c_int), ("rate", ctypes.c_uint32), ("channels", ctypes.c_uint8)]


class _BufferAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("maxlength", "tlength", "prebuf", "minreq", "fragsize")]


class Clicker:
    """A stream with a buffer of 10 ms, open and empty: a buffer that is written to it sounds as soon as the sink can make it."""

    FLOAT32LE, PLAYBACK, BUFFER = 5, 1, RATE_HZ // 100 * FRAME_BYTES

    def __init__(self, sink):
        self.library = ctypes.CDLL("libpulse-simple.so.0")
        self.library.pa_simple_new.restype = ctypes.c_void_p
        format, buffer = (
            _SampleSpec(self.FLOAT32LE, RATE_HZ, CHANNELS),
            _BufferAttributes(2**32 - 1, self.BUFFER, self.BUFFER, 2**32 - 1, 2**32 - 1),
        )
        address, name = sink.address.encode(), b"click"
        stream = self.library.pa_simple_new(
            address, name, self.PLAYBACK, None, name, ctypes.byref(format), None, ctypes.byref(buffer), None
        )
        if not stream:
            raise RuntimeError("no stream to the null sink")
        self.stream = ctypes.c_void_p(stream)
        self.click = array.array("f", [0.5] * (self.BUFFER // 4)).tobytes()

    def __call__(self):
        self.library.pa_simple_write(self.stream, self.click, ctypes.c_size_t(len(self.click)), None)

    def close(self):
        self.library.pa_simple_free(self.stream)
