#!/usr/bin/env bash
# An index that lives: odd ids, the same documents again, full disks, killed and waiting writers.
. "$(dirname "$0")/lib.sh"

# ---- ids
many() { head -c "$1" /dev/zero | tr '\0' x; }
{
	printf '{"id":"a\\u0000b","text":"one"}\n{"id":"a","text":"two"}\n{"id":"A","text":"three"}\n'
	printf '{"id":"a\\u0000","text":"four"}\n{"id":"a\\u0000B","text":"five"}\n{"id":"\\u0000","text":"six"}\n'
	printf '{"id":"%s","text":"seven"}\n' "$(many 4096)"
} >ids.jsonl
trawl index ids.trawl ids.jsonl
exits 0 && out_has "indexed 7 documents (7 added, 0 replaced"
claim "ids_that_differ_by_a_nul_or_by_case_or_have_4096_bytes_are_different_ids"
trawl index ids.trawl ids.jsonl
exits 0 && out_has "nothing changed: 7 documents as they were"
claim "and_are_found_again"
trawl delete ids.trawl a A && trawl export ids.trawl
out_lines 5 && out_has 'a\u0000b' && out_has 'a\u0000B' && out_has '"a\u0000"'
claim "deleting_an_id_leaves_those_that_begin_with_it"
trawl check -q ids.trawl
exits 0
claim "an_index_of_odd_ids_is_whole"
printf '{"id":"%s","text":"long"}\n{"id":"","text":"none"}\n{"id":"ok","text":"x"}\n' "$(many 4097)" >bad.jsonl
trawl index ids.trawl bad.jsonl
exits 0 && err_has 'bad.jsonl:1:7: field "id" is longer than 4096 bytes' && err_has 'bad.jsonl:2:7: field "id" is empty' &&
	out_has "skipped 2;"
claim "an_id_of_4097_bytes_and_an_empty_one_are_skipped_with_their_place"
trawl delete ids.trawl "" "$(many 4097)" "$(many 4096)"
exits 0 && out_has "deleted 1 document; 2 ids were not there"
claim "nobody_has_them_when_deleting"

# ---- the same again
seq 1 3000 | sed 's/.*/{"id":"d&","title":"number &","text":"words of document &"}/' >d.jsonl
trawl index -q d.trawl d.jsonl
cksum d.trawl >before
sort -R --random-source=d.jsonl d.jsonl >shuffled.jsonl
trawl index d.trawl shuffled.jsonl
exits 0 && out_has "nothing changed: 3,000 documents as they were" && cksum d.trawl | cmp -s - before
claim "documents_in_another_order_write_nothing"
touch -d 1990-01-01 d.jsonl d.trawl && sed -i 's/document 7"/document seven"/' d.jsonl && touch -d 1980-01-01 d.jsonl
trawl index --compare d.trawl d.jsonl
exits 0 && out_has "(0 added, 1 replaced, 2,999 unchanged)"
claim "what_has_changed_is_told_by_content_whatever_the_times_of_files"
trawl index --json d.trawl d.jsonl
exits 0 && out_has '"compactions":0,"compaction_bytes":0'
claim "the_summary_tells_what_was_written_again"

# ---- a writer at work (it waits: the second may be first for a moment)
mkfifo pipe
"$TRAWL" index -q --wait d.trawl - <pipe &
writer=$!
exec 3>pipe
printf '{"id":"slow","text":"slow"}\n' >&3
for _ in $(seq 600); do
	trawl index d.trawl d.jsonl
	exits 2 && break
	sleep 0.1
done
exits 2 && err_has "is being written by process $writer; wait for it (--wait) or try later"
claim "a_second_writer_is_told_who_is_first"
"$TRAWL" index -q --wait d.trawl ids.jsonl &
waiting=$!
kill -9 $writer
wait $writer 2>/dev/null
exec 3>&-
wait $waiting
status=$?
exits 0 && trawl check d.trawl && exits 0 && out_has "3,007 documents"
claim "a_writer_that_waits_goes_on_when_the_first_is_killed"

# ---- a full disk
mkdir small
if [ "$(id -u)" -ne 0 ] || ! mount -t tmpfs -o size=16m tmpfs small 2>/dev/null; then
	for name in merging compacting indexing; do skip "${name}_on_a_full_disk" "no tmpfs can be mounted"; done
	finish
fi
trap 'umount -l "$work/small" 2>/dev/null; rm -rf "$work"' EXIT
# 400 documents of 3 kilobytes that do not compress.
for i in $(seq 400); do
	printf '{"id":"r%d","text":"all number%d %s"}\n' "$i" "$i" "$(head -c 2200 /dev/urandom | base64 -w 200 | tr '\n' ' ')"
done >junk.jsonl
for part in 1 101 201 301; do
	tail -n +$part junk.jsonl | head -n 100 | "$TRAWL" index -q --no-merge small/r.trawl -
done
cp small/r.trawl r.copy
fill() { head -c 32000000 /dev/zero >small/filler 2>/dev/null; truncate -s -"$1" small/filler; }
whole()
{
	trawl check -q small/r.trawl
	exits 0 && trawl search -n 0 --count small/r.trawl all && out_has "$1"
}
fill 300000
trawl merge small/r.trawl
exits 2 && err_has "the disk is full; the last commit is intact; make room and try again" && whole 400
claim "merging_on_a_full_disk_loses_nothing_and_says_what_to_do"
fill 300000
trawl compact small/r.trawl
exits 2 && err_has "disk is full" && whole 400 && ! [ -e small/r.trawl-compact ]
claim "compacting_on_a_full_disk_loses_nothing"
rm small/filler
fill 100000
awk 'NR % 4' junk.jsonl | sed 's/all/all again/' >again.jsonl
trawl index small/r.trawl again.jsonl
exits 2 && err_has "disk is full" && whole 400
claim "indexing_on_a_full_disk_loses_nothing"
# With less room or more: not committed; committed, but not merged; merged.
outcomes=
for left in $(seq 1200000 200000 2600000); do
	rm -f small/*
	cp r.copy small/r.trawl
	fill "$left"
	trawl index small/r.trawl again.jsonl
	if exits 0 && out_has "too little room or memory to merge"; then
		trawl search -n 0 --count small/r.trawl again && out_has 300 && outcomes=$outcomes.committed
	elif exits 0; then
		outcomes=$outcomes.merged
	else
		err_has "disk is full" && err_has "nothing was committed" && outcomes=$outcomes.refused
		trawl search -n 0 --count small/r.trawl again && out_has 300 && outcomes=$outcomes.wrong
	fi
	whole 400 || outcomes=$outcomes.broken
done
echo "$outcomes" | grep -qE '^(\.refused)+(\.committed)+(\.merged)+$' || { echo "    $outcomes"; false; }
claim "documents_that_fit_are_committed_though_merging_has_no_room"
rm small/filler
trawl merge small/r.trawl
exits 0 && whole 400 && trawl compact small/r.trawl && exits 0 && whole 400
claim "with_room_again_the_next_run_goes_on"
finish
