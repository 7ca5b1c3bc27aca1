#!/bin/sh
# Names the system packages that are missing, and installs them where the system has apt.
#
#   tests/setup/system-packages.sh run     what building and running need
#   tests/setup/system-packages.sh test    that, and what the tests need
#
# Without apt (macOS, other Linux systems) it says what is needed and leaves the rest to the user.
set -eu

# The compilers and linker (libopus is C, built by CMake), and cpal's link to ALSA.
build='gcc g++ cmake make libc6-dev pkg-config libasound2-dev'
# Vulkan with its software driver, and the X11 libraries that winit loads at run time.
run='libvulkan1 mesa-vulkan-drivers libx11-6 libx11-xcb1 libxcb1 libxcursor1 libxi6 libxrandr2 libxkbcommon0 libxkbcommon-x11-0'
# A display and a sound device without hardware, a pointer to move, numpy to read matrices, setpriv to be another user, and ffmpeg to make audio files.
test='ffmpeg xvfb xdotool pulseaudio pulseaudio-utils libasound2-plugins python3-numpy util-linux'

case "${1:-}" in
run) wanted="$build $run" ;;
test) wanted="$build $run $test" ;;
*)
    echo "usage: $0 run|test" >&2
    exit 2
    ;;
esac

if ! command -v cargo >/dev/null 2>&1; then
    echo 'system packages: Rust is missing; https://rustup.rs says how to install it' >&2
    exit 1
fi

if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null 2>&1; then
    case "$(uname -s)" in
    Linux) echo "system packages: no apt here; you need what Debian calls $wanted" ;;
    *) echo 'system packages: nothing to install on this system' ;;
    esac
    exit 0
fi

missing=
for package in $wanted; do
    state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    # A package of several architectures answers once for each.
    case "$state" in
    *not-installed*) missing="$missing $package" ;;
    installed*) ;;
    *) missing="$missing $package" ;;
    esac
done
if [ -z "$missing" ]; then
    echo 'system packages: all there'
    exit 0
fi
echo "system packages: installing$missing"

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "system packages: neither root nor sudo; as root, run: apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    as_root='sudo'
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086 # words on purpose
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
