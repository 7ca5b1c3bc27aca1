#!/usr/bin/env python3
"""Times `tagscape bench extract` and a reference pipeline over the same files, in turns, and prints seconds by stage.

usage: compare_extraction.py [--runs N] [--tagscape PROGRAM] --reference 'COMMAND...' FILE...

COMMAND gets the files as further arguments and prints {"audio_seconds", "seconds": {...}} as its last line, as
`tagscape extract --json` does. Taking turns makes a machine that gets slower or faster meanwhile hurt both alike. The figures
are medians; stages of tagscape are summed over its threads, so that they add up to more than its total.
"""
import argparse
import json
import shlex
import statistics
import subprocess


def last_object(command):
    """What a command prints as its last line of standard output, as JSON; a list of one is that one."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed with {done.returncode}: {done.stderr.strip()[-500:]}")
    value = json.loads(done.stdout.strip().splitlines()[-1])
    return value[0] if isinstance(value, list) else value


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tagscape", default="target/release/tagscape")
    parser.add_argument("--models", default="mtt-musicnn,msd-musicnn,mtt-vgg,msd-vgg")
    parser.add_argument("--reference", required=True)
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    commands = {
        "reference": shlex.split(args.reference) + args.files,
        "tagscape": [args.tagscape, "bench", "extract", "--runs", "1", "--models", args.models, "--json", *args.files],
    }
    found = {name: [] for name in commands}
    for _ in range(args.runs):
        for name, command in commands.items():
            found[name].append(last_object(command))
    audio = found["tagscape"][0]["audio_seconds"]
    print(f"{len(args.files)} files, {audio:.1f} s of audio, {args.runs} runs in turns, medians in seconds")
    print(f"{'':12}{'decode':>9}{'features':>10}{'inference':>11}{'write':>8}{'total':>9}{'x real time':>13}")
    for name, runs in found.items():
        middle = {stage: statistics.median(run["seconds"].get(stage, 0.0) for run in runs) for stage in ["decode", "features", "inference", "write", "total"]}
        print(f"{name:12}{middle['decode']:9.2f}{middle['features']:10.2f}{middle['inference']:11.2f}{middle['write']:8.2f}{middle['total']:9.2f}{audio / middle['total']:13.1f}")
    ratios = [reference["seconds"]["total"] / own["seconds"]["total"] for reference, own in zip(found["reference"], found["tagscape"])]
    print(f"the reference's total over tagscape's: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
