#!/usr/bin/env python3
"""Fills fuzz/corpus with small valid files: the beginnings of the tests' fixtures, and a few that are made here."""

import json
import pathlib
import shutil
import struct
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "tests" / "fixtures"
# The order of fuzz_targets/decode.rs: the first byte of an input chooses the ending.
ENDINGS = ["", ".wav", ".aiff", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".mka", ".webm", ".caf", ".aac"]
AUDIO_BYTES = 8_000


def put(target, name, content):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def safetensors(header, data):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def wav():
    samples = bytes(range(256)) * 8
    head = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    return b"RIFF" + struct.pack("<I", 36 + len(samples)) + b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", len(samples)) + samples


(HERE / "corpus").mkdir(exist_ok=True)
for file in sorted(FIXTURES.glob("audio/*")):
    if file.is_file() and file.suffix != ".md":
        ending = ENDINGS.index(file.suffix) if file.suffix in ENDINGS else 0
        put("decode", file.name, bytes([ending]) + file.read_bytes()[:AUDIO_BYTES])
put("decode", "made.wav", b"\x01" + wav())
# Whatever else ffmpeg can make, where it is installed.
for name, codec in [
    ("aac.m4a", "aac"), ("alac.m4a", "alac"), ("opus.mka", "libopus"), ("opus.opus", "libopus"), ("vorbis.webm", "libvorbis"), ("alac.caf", "alac"),
    ("pcm.caf", "pcm_s16le"), ("adts.aac", "aac"), ("flac.mka", "flac"), ("ima.wav", "adpcm_ima_wav"), ("mp3.mp3", "libmp3lame"), ("five.ogg", "libvorbis"),
]:
    path = HERE / "corpus" / name
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=0.2", "-metadata", "title=t", "-metadata", "track=3", "-ac", "6" if "five" in name else "2"]
    if shutil.which("ffmpeg") and not subprocess.run(["ffmpeg", "-v", "quiet", "-y", *tone, "-c:a", codec, str(path)]).returncode:
        put("decode", name, bytes([ENDINGS.index(path.suffix)]) + path.read_bytes()[:AUDIO_BYTES])
    path.unlink(missing_ok=True)
for file in sorted(FIXTURES.glob("weights/*")):
    if file.suffix in (".pb", ".pth"):
        put({".pb": "graph_def", ".pth": "checkpoint"}[file.suffix], file.name, file.read_bytes())
pair = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
put("safetensors", "one", safetensors({"a": pair}, bytes(8)))
put("safetensors", "notes", safetensors({"__metadata__": {"k": "v"}, "x.a": pair, "b": {"dtype": "F16", "shape": [], "data_offsets": [8, 10]}}, bytes(10)))
for file in sorted(FIXTURES.glob("fuzz/*")):
    target = file.name.split("-")[0]
    if file.suffix != ".md":
        put(target, file.name, (bytes([0]) if target == "decode" else b"") + file.read_bytes())
(HERE / "corpus" / "collection").mkdir(parents=True, exist_ok=True)
