#!/usr/bin/env bash
# trawl index --delete-missing and --commit-every: an index that is kept current.
. "$(dirname "$0")/lib.sh"

has() { "$TRAWL" show "$1" "$2" >/dev/null 2>&1; }

mkdir -p a/deep ab
echo "one rain" >a/x
echo "two rain" >a/deep/y
echo "three rain" >ab/x
trawl index -q x.trawl a ab
rm a/x ab/x
trawl index --delete-missing x.trawl a
exits 0 && out_has "1 deleted" && ! has x.trawl a/x && has x.trawl a/deep/y
claim "documents_of_files_that_are_gone_are_deleted"
has x.trawl ab/x
claim "a_folder_does_not_own_what_its_name_only_begins"
trawl stats --json x.trawl
out_has '"generation":2'
claim "additions_and_deletions_are_one_commit"
trawl index --delete-missing x.trawl a
exits 0 && [ "$(cat .out)" = "nothing changed: 1 document as it was; skipped 0" ]
claim "nothing_missing_changes_nothing"
trawl index --delete-missing x.trawl ab
exits 2 && err_has "ab has no files (is its disk mounted?), and 1 of its 1 document would go" && has x.trawl ab/x
claim "a_folder_without_files_keeps_its_documents"
trawl index --delete-missing --yes x.trawl ab
exits 0 && out_has "1 deleted" && ! has x.trawl ab/x
claim "unless_that_is_meant"
trawl index --delete-missing x.trawl ab
exits 1
claim "a_folder_without_files_and_documents_is_exit_1"
trawl index --delete-missing new.trawl ab
exits 1 && [ ! -e new.trawl ]
claim "a_folder_without_files_makes_no_index"

for spelled in ./a a/ a//. ../"${PWD##*/}"/a; do
	echo "one rain" >a/x
	trawl index -q x.trawl a
	rm a/x
	trawl index --delete-missing x.trawl "$spelled"
	[ "$spelled" = "${spelled#..}" ] || break # above the folder it is another path
	exits 0 && out_has "1 deleted" && ! has x.trawl a/x
	claim "a_folder_spelled_as_${spelled}_owns_the_same_documents"
done
has x.trawl a/x
claim "but_not_by_a_path_from_elsewhere"
trawl index -q --delete-missing x.trawl a

echo "kept rain" >a/kept
echo "spill" >a/file
trawl index -q x.trawl a
: >a/kept
rm a/file && mkdir a/file
trawl index --delete-missing x.trawl a
exits 0 && ! has x.trawl a/kept && ! has x.trawl a/file
claim "an_emptied_file_loses_its_document_and_one_that_became_a_folder"

cat >a/paths.jsonl <<'END'
{"id":"a/listed","text":"an id that looks like a path"}
{"id":"a/other","text":"another one"}
{"id":"elsewhere","text":"none"}
END
trawl index --delete-missing x.trawl a
exits 0 && has x.trawl a/listed && trawl index --delete-missing x.trawl a && has x.trawl a/listed && has x.trawl elsewhere
claim "what_a_json_line_has_just_told_is_not_missing"
sed -i 1d a/paths.jsonl
trawl index --delete-missing x.trawl a
exits 0 && ! has x.trawl a/listed && has x.trawl a/other && has x.trawl elsewhere
claim "what_no_json_line_tells_any_more_is_if_it_looks_like_a_path"

trawl index --delete-missing x.trawl - </dev/null
exits 2 && err_has "needs a file or folder"
claim "deleting_needs_a_file_or_folder"
cp x.trawl before
trawl index --delete-missing x.trawl absent
exits 2 && cmp -s x.trawl before
claim "a_folder_that_is_not_there_deletes_nothing"
ln -s nowhere a/dangling
trawl index --delete-missing --strict x.trawl a
exits 2 && has x.trawl a/other
rm a/dangling
claim "strict_deletes_nothing_when_a_file_cannot_be_read"

# Commits along the way
visible() { [ "$("$TRAWL" search -n 0 --count early.trawl common 2>/dev/null)" = "$1 documents" ]; }
mkfifo pipe
env --default-signal=INT "$TRAWL" index --commit-every 4 early.trawl - <pipe >.out 2>.err &
pid=$!
exec 9>pipe
seq 10 | sed 's/.*/{"id":"&","text":"common word"}/' >&9
eventually visible 8
claim "commit_every_n_makes_whole_batches_visible_early"
kill -INT $pid
echo '{"id":"11","text":"common word"}' >&9
exec 9>&-
wait $pid
status=$?
exits 130 && err_has "the first 8 documents are in the index" && visible 8
claim "a_stop_keeps_the_commits_and_says_which"
rm early.trawl
"$TRAWL" index --commit-every 1s early.trawl - <pipe >.out 2>.err &
pid=$!
exec 9>pipe
more_is_visible()
{
	echo "{\"id\":\"$RANDOM\",\"text\":\"common word\"}" >&9
	"$TRAWL" search early.trawl common >/dev/null 2>&1
}
eventually more_is_visible
claim "commit_every_second_makes_documents_visible_early"
exec 9>&-
wait $pid
claim "and_ends_well"
seq 10 | sed 's/.*/{"id":"&","text":"common word"}/' >ten.jsonl
trawl index --json --commit-every 3 four.trawl ten.jsonl
exits 0 && out_has '"added":10' && trawl stats --json four.trawl && out_has '"generation":4'
claim "the_last_commit_takes_the_rest"
for every in 0 1h s "" -3 5x 99999999999; do
	trawl index --commit-every "$every" x.trawl ten.jsonl
	exits 2 && err_has "--commit-every"
	claim "commit_every_'$every'_is_refused"
done
finish
