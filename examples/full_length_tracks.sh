#!/bin/sh
# Tracks of full length for `tagscape bench audio`, made out of the demo's excerpts, which are joined until a track is four minutes and longer.
#
#   examples/full_length_tracks.sh FOLDER [TRACKS]
#
# TRACKS (3) of each format: MP3 at 192 kbit/s, the same with a variable rate, FLAC, Ogg Vorbis, Opus, and AAC in MP4. Needs ffmpeg.
set -eu
folder=${1:?where to}
tracks=${2:-3}
demo=$(cd "$(dirname "$0")/../assets/demo/audio" && pwd)
mkdir -p "$folder"
lists=$(mktemp -d)
trap 'rm -rf "$lists"' EXIT
excerpts=11
track=0
while [ "$track" -lt "$tracks" ]; do
    # Each track begins where the last one ended, so that no two are alike.
    find "$demo" -name '*.ogg' | sort | sed -n "$((track * excerpts + 1)),$((track * excerpts + excerpts))p" | sed "s/.*/file '&'/" >"$lists/list"
    ffmpeg -v error -y -f concat -safe 0 -i "$lists/list" -ar 44100 -ac 2 "$lists/all.wav"
    encode() { ffmpeg -v error -y -i "$lists/all.wav" "$@"; }
    encode -c:a libmp3lame -b:a 192k "$folder/$track-cbr.mp3"
    encode -c:a libmp3lame -q:a 2 "$folder/$track-vbr.mp3"
    encode -c:a flac "$folder/$track.flac"
    encode -c:a libvorbis -q:a 5 "$folder/$track.ogg"
    encode -c:a libopus -ar 48000 -b:a 128k "$folder/$track.opus"
    encode -c:a aac -b:a 160k "$folder/$track.m4a"
    track=$((track + 1))
done
