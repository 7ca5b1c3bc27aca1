#!/bin/bash
# Runs examples/slurm on a real Slurm of one node: three shards of some demo tracks, merged, and compared with the collection of one run.
#
#   tests/slurm/one-node.sh [TAGSCAPE]
#
# Needs root, on Debian or Ubuntu: it installs slurmctld, slurmd, slurm-client and munge with apt-get where they are missing, and
# runs their daemons by hand from a temporary folder (no systemd, no cgroups, nothing in /etc). It takes about a minute and is no part of `make test`.
# TAGSCAPE is the program (default: built with `cargo build --release`).
set -euo pipefail

checkout=$(cd "$(dirname "$0")/../.." && pwd)
if [ $# -gt 0 ]; then
	program=$(realpath "$1")
else
	cargo build --release --locked --manifest-path "$checkout/Cargo.toml"
	target=$(cargo metadata --format-version 1 --no-deps --locked --manifest-path "$checkout/Cargo.toml" |
		sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
	program=$target/release/tagscape
fi
[ "$(id -u)" -eq 0 ] || { echo "$0: needs root, to install Slurm and to run its daemons" >&2; exit 2; }

missing=()
for package in slurmctld slurmd slurm-client munge; do
	dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

folder=$(mktemp -d)
daemons=()
finish() {
	status=$?
	if [ "$status" -ne 0 ]; then
		tail -n 20 "$folder"/*.log "$folder"/merged.tagscape.shards/*.log 2>/dev/null || true
	fi
	for daemon in "${daemons[@]}"; do
		kill "$daemon" 2>/dev/null || true
		wait "$daemon" 2>/dev/null || true
	done
	rm -rf "$folder"
	exit "$status"
}
trap finish EXIT

# The daemons, each on its own files and ports.
host=$(hostname -s)
port=$((20000 + $$ % 20000))
memory=$(awk '/^MemTotal:/ { print int($2 / 1024 * 0.9) }' /proc/meminfo)
mkdir -p "$folder/state" "$folder/spool" "$folder/munge"
chmod 700 "$folder/munge"
dd if=/dev/urandom of="$folder/munge/key" bs=1024 count=1 status=none
chmod 600 "$folder/munge/key"
chmod 711 "$folder"
export SLURM_CONF=$folder/slurm.conf
cat >"$SLURM_CONF" <<CONF
ClusterName=tagscape
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
munged --foreground --force --key-file="$folder/munge/key" --socket="$folder/munge.socket" --pid-file="$folder/munge/pid" \
	--log-file="$folder/munged.log" --seed-file="$folder/munge/seed" >"$folder/munged.out.log" 2>&1 &
daemons+=($!)
for _ in $(seq 50); do [ -S "$folder/munge.socket" ] && break; sleep 0.1; done
slurmctld -D -f "$SLURM_CONF" >"$folder/slurmctld.out.log" 2>&1 &
daemons+=($!)
slurmd -D -f "$SLURM_CONF" -N "$host" >"$folder/slurmd.out.log" 2>&1 &
daemons+=($!)
for _ in $(seq 100); do
	sinfo --noheader --format=%T 2>/dev/null | grep -qx idle && break
	sleep 0.2
done
sinfo --noheader --format='node %n: %T, %c cores, Slurm %v'

# Some tracks, and one file that gives none: it must not keep the others from being merged.
mkdir -p "$folder/music"
find "$checkout/assets/demo/audio" -type f \( -name '*.ogg' -o -name '*.mp3' -o -name '*.flac' -o -name '*.wav' \) | sort | head -7 |
	while read -r file; do cp "$file" "$folder/music/"; done
head -c 20000 "$folder/music/$(ls "$folder/music" | tail -1)" >"$folder/music/cut-off.ogg"

export TAGSCAPE=$program
export SBATCH_OPTIONS=--cpus-per-task=1
"$checkout/examples/slurm/submit.sh" "$folder/music" "$folder/merged.tagscape" 3 --models mtt-musicnn,mtt-vgg
for _ in $(seq 600); do
	[ -z "$(squeue --noheader 2>/dev/null)" ] && break
	sleep 0.5
done
scontrol --oneliner show jobs | sed -n 's/.*JobId=\([0-9]*\).*JobName=\([^ ]*\).*JobState=\([^ ]*\).*Dependency=\([^ ]*\).*/job \1 \2: \3 (dependency \4)/p'
cat "$folder"/merged.tagscape.shards/extract-*.log "$folder/merged.tagscape.shards/merge.log"

echo 'the same in one run:'
status=0
"$program" extract "$folder/music" --out "$folder/whole.tagscape" --models mtt-musicnn,mtt-vgg || status=$?
[ "$status" -eq 1 ] || { echo "one run ended with $status, not 1" >&2; exit 1; }
for shard in 1 2 3; do
	[ -s "$folder/merged.tagscape.shards/shard-$shard-of-3.tagscape/collection.sqlite" ] || { echo "no shard $shard" >&2; exit 1; }
done
diff -r "$folder/whole.tagscape/spaces" "$folder/merged.tagscape/spaces"
rows() {
	python3 - "$1/collection.sqlite" <<'PYTHON'
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
for table in ["tracks", "track_numbers", "spaces", "track_rows", "tags", "meta"]:
    for row in database.execute(f"SELECT * FROM {table}"):
        print(table, row)
PYTHON
}
rows "$folder/whole.tagscape" >"$folder/whole.rows"
rows "$folder/merged.tagscape" >"$folder/merged.rows"
diff "$folder/whole.rows" "$folder/merged.rows"
echo "the merged collection is that of one run: $(ls "$folder/whole.tagscape/spaces" | wc -l) matrices byte for byte, $(wc -l <"$folder/whole.rows") rows of the public tables"
