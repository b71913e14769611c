# The progress line: on a terminal alone, within its columns, with a share that never falls and goes through writing too.
. "$(dirname "$0")/lib.sh"

awk 'BEGIN { srand(1); for (i = 0; i < 70000; i++) { printf "{\"id\":%d,\"text\":\"", i
	for (k = 0; k < 20; k++) printf "w%d ", int(rand() * rand() * 20000); print "\"}" } }' >many.jsonl
head -n 5000 many.jsonl >few.jsonl

# on_terminal COLUMNS COMMAND...: what is drawn, a line for each time, in .drawn.
on_terminal()
{
	local columns=$1
	shift
	run script -qec "stty cols $columns && $*" /dev/null
	tr '\r' '\n' <.out | sed 's/\x1b\[K//g' | grep -E '%|documents  |left|^ *[0-9]+ documents' >.drawn
}

# within COLUMNS: no line of what was drawn reaches the last column.
within() { awk -v most="$1" '/^(indexed|merged|compacted)/ { next } length($0) >= most { bad = 1; print > "/dev/stderr" } END { exit bad }' .drawn; }
never_falls() { sed -n 's/^ *\([0-9]*\)%.*left.*/\1/p' .drawn | awk '$1 < last { bad = 1 } { last = $1 } END { exit bad || NR < 3 }'; }

trawl index piped.trawl few.jsonl
exits 0 && silent
claim "no_progress_where_there_is_no_terminal"
if ! script -qec true /dev/null >/dev/null 2>&1; then
	skip "the_share_goes_through_reading_and_writing" "script(1) or a terminal is missing"
	finish
fi
on_terminal 80 "$TRAWL" index drawn.trawl many.jsonl
exits 0 && within 80 && never_falls
claim "the_share_never_falls"
grep -qE '^ *[0-9]+%  [0-9]+:[0-9]+ left  (ordering documents|writing terms)' .drawn
claim "writing_has_a_share_and_a_time_too"
on_terminal 40 "$TRAWL" index --memory 8M narrow.trawl many.jsonl
exits 0 && within 40 && never_falls
claim "a_narrow_terminal_gets_what_fits"
on_terminal 80 "$TRAWL" index -q quiet.trawl few.jsonl
exits 0 && [ ! -s .drawn ]
claim "no_progress_when_quiet"
run script -qec "stty cols 80 && $TRAWL index --json json.trawl few.jsonl 2>/dev/null" /dev/null
exits 0 && out_has '{"documents":5000,' && ! out_has ' left'
claim "json_is_as_it_is_without_a_terminal"
"$TRAWL" export piped.trawl | sed 's/"id":"/&x/' | "$TRAWL" index -q --no-merge drawn.trawl -
on_terminal 80 "$TRAWL" merge drawn.trawl
exits 0 && within 80 && grep -qE '^ *[0-9]+%  merging (documents|terms)' .drawn
claim "merging_shows_how_far_it_is"
on_terminal 30 "$TRAWL" check drawn.trawl
exits 0 && within 30
claim "checking_stays_within_the_columns"
finish
