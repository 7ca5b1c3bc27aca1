#!/bin/sh
# Extracts a folder of music on a Slurm cluster: an array of SHARDS jobs, and one that joins what they made.
#
#   submit.sh MUSIC OUT.tagscape SHARDS [option of tagscape extract]...
#
# MUSIC and OUT lie on a disk that all nodes see under the same name. TAGSCAPE names the program (default: tagscape in the PATH); SBATCH_OPTIONS
# holds further options of sbatch, such as a partition.
set -eu

if [ $# -lt 3 ]; then
	echo "usage: $0 MUSIC OUT.tagscape SHARDS [option of tagscape extract]..." >&2
	exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
music=$(cd "$1" && pwd)
case $2 in
/*) out=$2 ;;
*) out=$(pwd)/$2 ;;
esac
shards=$3
shift 3
mkdir -p "$out.shards"

# shellcheck disable=SC2086 # options are words
extraction=$(sbatch --parsable ${SBATCH_OPTIONS-} --array="1-$shards" --output="$out.shards/extract-%a.log" \
	"$here/extract.sbatch" "$music" "$out" "$shards" "$@")
# shellcheck disable=SC2086
merging=$(sbatch --parsable ${SBATCH_OPTIONS-} --dependency="afterok:${extraction%%;*}" --kill-on-invalid-dep=yes \
	--output="$out.shards/merge.log" "$here/merge.sbatch" "$out" "$shards")
echo "extraction: job ${extraction%%;*}, tasks 1 to $shards; merging: job ${merging%%;*}"
echo "logs and shards: $out.shards; result: $out"
