# Fuzz targets without libFuzzer: their seeds, every input that once broke a promise, and mutations of them that are the same each
# time.
. "$(dirname "$0")/claims.sh"

# The targets commit thousands of times: where files need no disk, that takes no time.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm

# holds TARGET MUTATIONS
holds()
{
	local kept=$top/tests/fuzz/regressions/$1
	[ -d "$kept" ] || kept=
	claim "fuzz target $1 keeps its promises on seeds, kept inputs and $2 mutations" \
		"$build/fuzz/replay_$1" --mutate "$2" $kept
}

holds bitpack 4000
holds check 300
holds documents 1500
holds index 1500
holds json 4000
holds manifest 1000
holds objects 4000
holds postings 1500
holds queries 3000
holds query 1500
holds snippet 2000
holds source 600
holds stream 1000
holds terms 1500
holds tokenizer 3000
holds tree 1500
claim "every target is among these" \
	test "$(ls "$top"/tests/fuzz/fuzz_*.c | grep -cv store)" -eq "$(grep -c '^holds ' "$top/tests/house/test_fuzz.sh")"
