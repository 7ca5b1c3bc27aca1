#!/bin/sh
# Stands in for rustc while `make clippy` and `make doc` run (cargo's RUSTC_WORKSPACE_WRAPPER): it
# looks at the crates of this repository and compiles none. The dependencies are those of the real
# build, so that nothing is compiled or checked twice; `cargo clippy` and `cargo doc` would check
# all of them once more. TAGSCAPE_LINT says which: clippy or doc.
#
# cargo does not mind that files are missing afterwards: it leaves what was built before alone, and
# asks again next time.
set -eu
rustc=$1
shift

# What cargo asks before it builds.
case " $* " in
*' -vV '* | *' --crate-name ___ '*) exec "$rustc" "$@" ;;
esac

left=$#
name=
while [ "$left" -gt 0 ]; do
    argument=$1
    shift
    left=$((left - 1))
    case $argument in
    --emit=*) [ "$TAGSCAPE_LINT" = clippy ] || continue; argument=--emit=dep-info,metadata ;;
    # Of this repository's own crates there is only what clippy has read of them.
    tagscape=*.rlib) argument=${argument%.rlib}.rmeta ;;
    --error-format=* | --json=*) [ "$TAGSCAPE_LINT" = clippy ] || continue ;;
    esac
    [ "$name" != --out-dir ] || [ "$TAGSCAPE_LINT" = clippy ] || argument=target/doc
    name=$argument
    set -- "$@" "$argument"
done

case $TAGSCAPE_LINT in
clippy) exec clippy-driver "$rustc" "$@" -D warnings ;;
doc) exec rustdoc "$@" -D warnings --document-private-items ;;
esac
