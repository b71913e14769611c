# Random lives of an index give the naive scorer's answers, as does everything that once did not.
. "$(dirname "$0")/claims.sh"

[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
queries=${TRAWL_DIFFERENTIAL_QUERIES:-6000}
claim "kept cases give the naive scorer's answers" "$build/differential" "$top/tests/differential/cases"
claim "$queries queries of random programs give the naive scorer's answers" \
	"$build/differential" --seed 1 --queries "$queries"
