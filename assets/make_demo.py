#!/usr/bin/env python3
"""Makes the demo collection: assets/demo/audio, CREDITS.md, SHA256SUMS and demo.tagscape.

Everything is cut from Debian packages by the list in assets/demo/excerpts.tsv, one excerpt a line.
It needs apt-get, dpkg-deb and ffmpeg (with libvorbis), Python's standard library, and about 6 GB of
free space in the temporary folder (0 A.D. keeps its music in one large archive). The packages are
those of Debian 12; where the list's version has gone from the mirror, that is said, and nothing is cut.

    assets/make_demo.py                 everything
    assets/make_demo.py --debs DIR      keep the downloaded packages in DIR, and use those already there
    assets/make_demo.py --check         only check the audio and credits that are there
    assets/make_demo.py --credits       only rewrite CREDITS.md and SHA256SUMS
    assets/make_demo.py --collection    only extract the audio that is there

With the same ffmpeg and libvorbis the same bytes come out; another build of either may encode differently.
"""

import argparse
import csv
import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ASSETS = Path(__file__).resolve().parent
DEMO = ASSETS / "demo"
AUDIO = DEMO / "audio"
FADE_S = 0.02
QUALITY = "3"  # libvorbis, about 110 kbit/s
MAX_BYTES = 22 * 1024 * 1024  # of audio; with the collection's features assets/demo stays under 30 MB
LICENCES = {
    "CC0-1.0": ("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "CC-BY-3.0": ("CC BY 3.0", "https://creativecommons.org/licenses/by/3.0/"),
    "CC-BY-4.0": ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
    "CC-BY-SA-3.0": ("CC BY-SA 3.0", "https://creativecommons.org/licenses/by-sa/3.0/"),
    "CC-BY-SA-4.0": ("CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
}


def excerpts():
    """The rows of excerpts.tsv, each with its place under audio/."""
    with open(DEMO / "excerpts.tsv", encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    for row in rows:
        if row["licence"] not in LICENCES:
            sys.exit(f"excerpts.tsv: {row['name']}: licence {row['licence']} is not one that the demo takes")
        if not re.fullmatch(r"[a-z0-9-]+", row["kind"]) or not re.fullmatch(r"[a-z0-9-]+", row["name"]):
            sys.exit(f"excerpts.tsv: {row['kind']}/{row['name']}: plain lower-case names only")
        row["path"] = f"{row['kind']}/{row['name']}.ogg"
    if len({row["path"] for row in rows}) != len(rows):
        sys.exit("excerpts.tsv: two rows make the same file")
    return rows


def fetch(rows, debs):
    """Downloads each package at the list's version; gives {package: .deb}."""
    debs.mkdir(parents=True, exist_ok=True)
    found = {}
    for package, version in sorted({(row["package"], row["version"]) for row in rows}):
        pattern = f"{package}_{version.replace(':', '%3a')}_*.deb"  # as apt-get names the file
        if not list(debs.glob(pattern)):
            print(f"downloading {package} {version}", flush=True)
            done = subprocess.run(["apt-get", "download", "-q", f"{package}={version}"], cwd=debs)
            if done.returncode != 0 or not list(debs.glob(pattern)):
                sys.exit(f"{package} {version} cannot be had from this machine's Debian mirrors (Debian 12 has it)")
        found[package] = next(debs.glob(pattern))
    return found


def unpack(rows, found, folder):
    """Takes the listed files out of the packages; gives {(package, file): path}."""
    files = {}
    for package, deb in found.items():
        wanted = sorted({part for row in rows if row["package"] == package for part in parts(row)})
        members = sorted({file.split("!")[0] for file in wanted})
        print(f"unpacking {len(wanted)} of {package}", flush=True)
        out = folder / package
        out.mkdir(parents=True)
        tar = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE)
        subprocess.run(
            ["tar", "-x", "-C", str(out), "--no-wildcards", *[f"./{member}" for member in members]],
            stdin=tar.stdout,
            check=True,
        )
        tar.stdout.close()
        tar.wait()
        for file in wanted:
            member, _, inner = file.partition("!")
            if inner:  # a file in a zip archive of the package
                with zipfile.ZipFile(out / member) as archive:
                    files[package, file] = Path(archive.extract(inner, out / "zip"))
            else:
                files[package, file] = out / member
    return files


def parts(row):
    """The files that an excerpt is mixed from: one, or the stems of a song, joined by ' + '."""
    return row["file"].split(" + ")


def encode(row, files, out):
    """Cuts, mixes the stems of, fades and encodes one excerpt."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y"]
    for part in parts(row):
        source = files[row["package"], part]
        command += (["-f", "g722"] if source.suffix == ".g722" else []) + ["-i", str(source)]
    start, length = float(row["start_s"]), float(row["length_s"])
    stems = len(parts(row))
    mix = "".join(f"[{i}:a:0]" for i in range(stems))
    mix += f"amix=inputs={stems}:normalize=0," if stems > 1 else ""
    # Trimmed after decoding, so that a start is exact in any format.
    chain = (
        f"{mix}aresample=44100,aformat=sample_fmts=fltp:channel_layouts=stereo,"
        f"atrim=start={start}:duration={length},asetpts=PTS-STARTPTS,volume={row['gain_db']}dB,"
        f"afade=t=in:d={FADE_S},afade=t=out:st={length - FADE_S}:d={FADE_S}[out]"
    )
    tags = {
        "TITLE": row["title"],
        "ARTIST": row["author"],
        "ALBUM": row["album"],
        "GENRE": row["kind"].replace("-", " "),
        "LICENSE": f"{LICENCES[row['licence']][0]} {LICENCES[row['licence']][1]}",
    }
    command += ["-filter_complex", chain, "-map", "[out]", "-map_metadata", "-1", "-fflags", "+bitexact"]
    command += ["-flags:a", "+bitexact", "-c:a", "libvorbis", "-q:a", QUALITY]
    for key, value in tags.items():
        command += ["-metadata", f"{key}={value}"]
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([*command, str(out)], check=True)


def table_cell(text):
    return text.replace("|", "\\|")


def write_credits(rows):
    lines = [
        "# Credits of the demo collection's music",
        "",
        "Every file under `audio/` is an excerpt of a freely licensed piece of music, taken from the Debian package named.",
        "`../make_demo.py` makes this table from `excerpts.tsv`, and the audio from the packages.",
        "",
        "**Changes made to each:** an excerpt was cut out (at the place the table names), brought to 44.1 kHz stereo, faded",
        f"in and out over {FADE_S * 1000:.0f} ms, changed in level where a gain is named, and encoded again as Ogg Vorbis. The pieces by",
        "Muldjord were mixed from their two published stems.",
        "",
        "**Licences:** each excerpt is under the licence of its source: those of CC BY-SA pieces are under the same version of",
        "CC BY-SA. None of these authors endorses this project. The features in `demo.tagscape` are numbers computed from the",
        "excerpts.",
        "",
        "| file here | title | author | licence | source: Debian package, version, file in it | excerpt | licence stated in |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in sorted(rows, key=lambda row: row["path"]):
        name, url = LICENCES[row["licence"]]
        gain = "" if float(row["gain_db"]) == 0 else f", {float(row['gain_db']):+g} dB"
        cells = [
            f"`audio/{row['path']}`",
            row["title"],
            row["author"],
            f"[{name}]({url})",
            f"{row['album']}: `{row['package']}` {row['version']}, "
            + " + ".join(f"`{part.replace('!', ' > ')}`" for part in parts(row)),
            f"{float(row['start_s']):g} s, {float(row['length_s']):g} s long{gain}",
            row["evidence"],
        ]
        lines.append("| " + " | ".join(table_cell(cell) for cell in cells) + " |")
    lines += [
        "",
        f"{len(rows)} excerpts. The music of 0 A.D. is by [Wildfire Games](https://www.wildfiregames.com/): composed by Omri Lahav,",
        "Allan Brown, Sam Gossner, Boris Hansen and others.",
        "",
    ]
    (DEMO / "CREDITS.md").write_text("\n".join(lines), encoding="utf-8")


def write_sums(rows):
    lines = [f"{hashlib.sha256((AUDIO / r['path']).read_bytes()).hexdigest()}  audio/{r['path']}\n" for r in rows]
    (DEMO / "SHA256SUMS").write_text("".join(sorted(lines, key=lambda line: line[66:])), encoding="ascii")


def check(rows):
    """Decodes every excerpt and says what is wrong: length, layout, level, strays, total size."""
    wrong = []
    there = {str(path.relative_to(AUDIO)) for path in AUDIO.rglob("*") if path.is_file()}
    listed = {row["path"] for row in rows}
    wrong += [f"{path}: not in excerpts.tsv" for path in sorted(there - listed)]
    wrong += [f"{path}: missing" for path in sorted(listed - there)]
    for row in rows:
        if row["path"] not in there:
            continue
        path = AUDIO / row["path"]
        probe = subprocess.run(
            ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(path)],
            capture_output=True, text=True, check=True,
        )
        stream = json.loads(probe.stdout)["streams"][0]
        if (stream["codec_name"], stream["sample_rate"], stream["channels"]) != ("vorbis", "44100", 2):
            wrong.append(f"{row['path']}: {stream['codec_name']} {stream['sample_rate']} {stream['channels']}")
        tags = {key.upper() for key in stream.get("tags", {})}
        if not {"TITLE", "ARTIST", "ALBUM", "GENRE", "LICENSE"} <= tags:
            wrong.append(f"{row['path']}: tags {sorted(tags)}")
        heard = subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "info", "-xerror", "-i", str(path),
             "-af", "silencedetect=n=-50dB:d=1.5,volumedetect", "-f", "null", "-"],
            capture_output=True, text=True,
        )
        if heard.returncode != 0:
            wrong.append(f"{row['path']}: does not decode")
            continue
        mean = float(re.search(r"mean_volume: (\S+) dB", heard.stderr).group(1))
        frames = int(re.search(r"n_samples: (\d+)", heard.stderr).group(1)) / 2 / 44100
        if abs(frames - float(row["length_s"])) > 0.05 or not 20 <= frames <= 30:
            wrong.append(f"{row['path']}: {frames:.2f} s long")
        if mean < -35:
            wrong.append(f"{row['path']}: mean level {mean} dB")
        if "silence_start" in heard.stderr:
            wrong.append(f"{row['path']}: has a silence")
    size = sum((AUDIO / path).stat().st_size for path in there)
    if size > MAX_BYTES:
        wrong.append(f"the audio takes {size / 1e6:.1f} MB")
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{len(there)} excerpts, {size / 1e6:.1f} MB, {len(wrong)} faults")
    return not wrong


def extract_collection():
    """Runs tagscape over the excerpts. The collection names its audio relative to itself: it works in any checkout.

    The times of the files mean nothing in another checkout: playback.sqlite knows them by their contents alone. Seek indexes are left out: they
    are half a megabyte, most of it Vorbis headers, and made in two milliseconds when a track is touched first.
    """
    collection = DEMO / "demo.tagscape"
    made = DEMO / "new.tagscape"
    shutil.rmtree(made, ignore_errors=True)
    subprocess.run(
        ["cargo", "run", "--release", "--locked", "--quiet", "--", "extract", str(AUDIO), "--out", str(made), "--models", "all", "--hop", "0.5"],
        cwd=ASSETS.parent, check=True,
    )
    database = sqlite3.connect(made / "collection.sqlite")
    with database:
        database.execute("UPDATE meta SET value = '../audio' WHERE key = 'audio_root'")
    database.execute("VACUUM")
    database.close()
    notes = sqlite3.connect(made / "playback.sqlite")
    with notes:
        notes.execute("UPDATE notes SET written_ns = 0, seek_index = NULL")
    # Into a new file: the old one counts the run's transactions, which differ from run to run.
    notes.execute("VACUUM INTO ?", (str(made / "vacuumed.sqlite"),))
    notes.close()
    (made / "vacuumed.sqlite").replace(made / "playback.sqlite")
    (made / "collection.lock").unlink(missing_ok=True)
    shutil.rmtree(collection, ignore_errors=True)
    made.rename(collection)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--debs", type=Path, help="folder of the downloaded packages (default: a temporary one)")
    arguments.add_argument("--check", action="store_true", help="only check what is there")
    arguments.add_argument("--credits", action="store_true", help="only rewrite CREDITS.md and SHA256SUMS")
    arguments.add_argument("--collection", action="store_true", help="only extract the audio that is there")
    chosen = arguments.parse_args()
    if chosen.collection:
        return extract_collection()
    rows = excerpts()
    if chosen.check:
        sys.exit(0 if check(rows) else 1)
    if not chosen.credits:
        with tempfile.TemporaryDirectory(prefix="tagscape-demo-") as temporary:
            found = fetch(rows, (chosen.debs or Path(temporary) / "debs").resolve())
            files = unpack(rows, found, Path(temporary) / "files")
            shutil.rmtree(AUDIO, ignore_errors=True)
            for row in rows:
                encode(row, files, AUDIO / row["path"])
    write_credits(rows)
    write_sums(rows)
    if not check(rows):
        sys.exit(1)
    if not chosen.credits:
        extract_collection()


if __name__ == "__main__":
    main()
