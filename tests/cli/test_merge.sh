#!/usr/bin/env bash
# trawl merge, trawl compact: fewer segments and a smaller file; the answers stay.
. "$(dirname "$0")/lib.sh"
make_news

segments()
{
	"$TRAWL" stats --json "$1" | grep -o '"segments":[0-9]*' | cut -d: -f2
}

# Eight versions of the news, so that a merge has something to drop.
versions()
{
	rm -f "$1" "$1-lock"
	for i in 1 2 3 4 5 6 7 8; do
		sed "s/text\":\"/&version$i /" news.jsonl >version.jsonl
		trawl index -q --no-merge "$1" version.jsonl
		[ "$status" -eq 0 ] || return 1
		sed "s/\"id\":\"n/&$i/" news.jsonl >more.jsonl
		trawl index -q --no-merge "$1" more.jsonl
		[ "$status" -eq 0 ] || return 1
	done
}

versions news.trawl && [ "$(segments news.trawl)" -eq 9 ]
claim "no_merge_leaves_a_segment_a_run"
"$TRAWL" search --stable-ties --json -n 50 news.trawl 'rain plain "in the"' >before

cp news.trawl some.trawl
trawl merge --segments 4 some.trawl
exits 0 && silent && out_has "merged 9 segments into 4, " && [ "$(segments some.trawl)" -eq 4 ]
claim "merge_leaves_as_many_segments_as_are_asked_for"
trawl merge --json some.trawl
exits 0 && out_has '"segments_before":4,"segments":1,' && out_has '"deleted":0,"merges":1,'
claim "merge_without_a_number_leaves_one"
"$TRAWL" search --stable-ties --json -n 50 some.trawl 'rain plain "in the"' >after
cmp -s before after
claim "answers_are_the_same_after_a_merge"
trawl check -q --quick some.trawl
exits 0 && silent && trawl check -q some.trawl && exits 0
claim "a_merged_index_is_whole"
trawl merge some.trawl
exits 0 && out_has "merged 1 segment into 1, 0.000 MB written"
claim "merging_again_does_nothing"

cp news.trawl small.trawl
trawl compact small.trawl
exits 0 && silent && out_has "compacted small.trawl from " && [ "$(stat -c %s small.trawl)" -lt "$(stat -c %s news.trawl)" ]
claim "compact_makes_the_file_smaller"
"$TRAWL" search --stable-ties --json -n 50 small.trawl 'rain plain "in the"' >after
cmp -s before after && [ "$(segments small.trawl)" -eq 1 ]
claim "answers_are_the_same_after_a_compaction"
trawl check -q --quick small.trawl
exits 0 && silent && trawl check -q small.trawl && exits 0
claim "a_compacted_index_is_whole"
trawl compact -q small.trawl
exits 0 && silent && [ ! -s .out ]
claim "compact_can_be_quiet"
trawl compact --json small.trawl
exits 0 && out_matches '^\{"bytes_before":[0-9]+,"bytes_after":[0-9]+,"seconds":[0-9.]+\}$'
claim "compact_tells_its_sizes_as_json"
trawl index small.trawl news.jsonl
exits 0
claim "a_compacted_index_takes_documents"
trawl check -q small.trawl
exits 0 && silent
claim "and_is_whole_with_them"

for command in merge compact; do
	trawl "$command" none.trawl
	exits 2 && err_has "no such index" && [ ! -e none.trawl ] && [ ! -e none.trawl-lock ]
	claim "${command}_of_no_index_is_an_error_and_makes_none"
	trawl "$command" news.jsonl
	exits 2 && err_has "not a trawl index"
	claim "${command}_of_another_file_is_an_error"
	trawl "$command" some.trawl small.trawl
	exits 2 && err_has "one INDEX"
	claim "${command}_takes_one_index"
done
trawl merge --segments 0 some.trawl
exits 2 && err_has "--segments"
claim "no_segments_at_all_is_an_error"

rm -f auto.trawl
for i in $(seq 30); do
	printf '{"id":"%s","text":"rain number %s"}\n' "$i" "$i" | "$TRAWL" index --json auto.trawl - >>auto.log || break
done
[ "$(wc -l <auto.log)" -eq 30 ] && [ "$(segments auto.trawl)" -le 14 ] && grep -q '"merges":1' auto.log
claim "indexing_merges_by_itself"
trawl search --count -n 0 auto.trawl rain
exits 0 && out_has 30
claim "and_loses_nothing"

finish
