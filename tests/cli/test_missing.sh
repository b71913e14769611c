#!/usr/bin/env bash
# trawl index --delete-missing: documents know their files, lines of files too; and what looks like a mistake deletes nothing.
. "$(dirname "$0")/lib.sh"

has() { "$TRAWL" show "$1" "$2" >/dev/null 2>&1; }
count() { "$TRAWL" stats --json "$1" | grep -o '"documents":[0-9]*' | head -1 | cut -d: -f2; }
lines() { seq "$1" "$2" | sed 's/.*/{"id":"n&","text":"word&","year":&}/'; }

# ---- lines of a file
lines 1 5 >dump.jsonl
trawl index -q x.trawl dump.jsonl
trawl show --json x.trawl n2
out_has '"fields":{"year":2}}' && trawl export x.trawl && ! out_has _trawl && trawl search --json --fields all x.trawl word2 && out_has '"fields":{"year":2}}'
claim "the_file_of_a_document_is_no_field_of_it"
trawl export --files x.trawl
out_has '{"id":"n2","title":"","text":"word2","year":2,"_trawl":{"file":"dump.jsonl"}}'
claim "export_tells_it_when_asked"
"$TRAWL" export --files x.trawl | "$TRAWL" index -q copied.trawl -
"$TRAWL" export --files copied.trawl >copied
trawl export --files x.trawl && cmp -s .out copied
claim "and_index_reads_it"
for index in x.trawl copied.trawl; do
	lines 1 4 >dump.jsonl
	trawl index --delete-missing $index ./dump.jsonl
	exits 0 && out_has "4 unchanged, 1 deleted" && ! has $index n5 && has $index n4
	claim "a_line_that_is_gone_loses_its_document: $index"
done
trawl index -q x.trawl - < <(echo '{"id":"piped","text":"from a pipe"}')
{ lines 1 2; echo '{"id":"n3","text":'; } >dump.jsonl
trawl index --delete-missing x.trawl dump.jsonl
has x.trawl n3 && has x.trawl n4 && has x.trawl piped
claim "a_file_with_a_bad_line_keeps_what_it_had"
lines 1 2 | gzip | head -c 40 >dump.jsonl
trawl index --delete-missing x.trawl dump.jsonl
exits 1 && has x.trawl n3
claim "and_so_does_one_that_is_cut_off"
{ lines 1 2 | gzip; lines 3 3 | gzip; } >dump.jsonl
trawl index --delete-missing x.trawl dump.jsonl
exits 0 && out_has "3 unchanged, 1 deleted" && has x.trawl n3 && ! has x.trawl n4 && has x.trawl piped
claim "compressed_and_concatenated_files_are_as_others"
: >dump.jsonl
trawl index --delete-missing x.trawl dump.jsonl
has x.trawl piped && ! has x.trawl n1
claim "an_emptied_file_of_lines_loses_all_its_documents"
lines 1 3 >dump.jsonl
trawl index -q x.trawl dump.jsonl
rm dump.jsonl
trawl index --delete-missing x.trawl dump.jsonl
exits 2 && err_has "dump.jsonl is not there" && err_has "--yes" && [ "$(count x.trawl)" = 4 ]
claim "a_file_that_is_not_there_deletes_nothing"
trawl index --delete-missing --yes x.trawl dump.jsonl
exits 0 && [ "$(count x.trawl)" = 1 ]
claim "unless_that_is_meant"

# ---- several files, folders
mkdir -p d/sub e
lines 1 9 >d/a.jsonl
lines 10 19 >d/sub/b.jsonl
lines 20 29 >e/c.jsonl
echo "a text" >d/t.txt
echo "{}" >d/odd.jsonl
trawl index -q f.trawl d e
cp f.trawl before.trawl
rm d/sub/b.jsonl
lines 1 8 >d/a.jsonl
trawl index --delete-missing f.trawl d
exits 0 && out_has "11 deleted" && [ "$(count f.trawl)" = 19 ] && has f.trawl n20
claim "documents_of_lines_go_with_their_file_and_others_stay"
trawl index --delete-missing f.trawl d/ ./d/sub e
exits 0 && out_has "nothing changed"
claim "folders_may_overlap"
mv d/a.jsonl d/z.jsonl
trawl index --delete-missing f.trawl d
exits 0 && out_has "nothing changed" && [ "$(count f.trawl)" = 19 ]
claim "a_file_of_lines_that_is_renamed_costs_nothing"
mv d/t.txt d/u.txt
trawl index --delete-missing f.trawl d
out_has "1 added, 0 replaced, 8 unchanged, 1 deleted" && has f.trawl d/u.txt && ! has f.trawl d/t.txt
claim "a_text_that_is_renamed_goes_by_its_new_name"
printf 'x\0y' >d/u.txt
trawl index --delete-missing f.trawl d
out_has "1 deleted" && ! has f.trawl d/u.txt
claim "a_file_that_became_binary_loses_its_document"
mkdir d/no
echo "kept" >d/no/k.txt
echo "kept" >d/no.txt
trawl index -q f.trawl d
trawl index --delete-missing --exclude 'no.*' f.trawl d
out_has "1 deleted" && ! has f.trawl d/no.txt && has f.trawl d/no/k.txt
claim "what_is_excluded_now_goes"
if [ "$(id -u)" -ne 0 ]; then
	chmod 0 d/no
	trawl index --delete-missing f.trawl d
	chmod 755 d/no
	has f.trawl d/no/k.txt
	claim "a_folder_that_cannot_be_read_keeps_its_documents"
else
	skip "a_folder_that_cannot_be_read_keeps_its_documents" "root reads everything"
fi
echo '{"id":"n1","text":"now of another file"}' >e/c.jsonl
trawl index -q --delete-missing f.trawl e
lines 2 3 >d/z.jsonl
trawl index -q --delete-missing f.trawl d
has f.trawl n1
claim "a_document_belongs_to_the_file_that_it_came_from_last"

# ---- the working folder: plain ids are no paths in it
mkdir w
cd w || exit 1
echo "a file" >a.txt
mkdir sub
echo "a file" >sub/b.txt
"$TRAWL" index -q ../w.trawl .
echo '{"id":"a","text":"x"}{"id":"cs/0112017","text":"x"}' | tr '}' '\n' | sed '/./s/$/}/' | "$TRAWL" index -q ../w.trawl -
rm sub/b.txt
trawl index --delete-missing ../w.trawl .
mv .out .err ..
cd ..
out_has "1 deleted" && has w.trawl a && has w.trawl cs/0112017 && has w.trawl a.txt
claim "ids_that_are_no_files_are_not_missing_from_the_working_folder"

# ---- an index of before: ids as its folders were spelled, and no files known
mkdir old
echo "one" >old/a.txt
for id in ./old/a.txt old//a.txt old/gone.txt old/a.txt; do echo "{\"id\":\"$id\",\"title\":\"one\",\"text\":\"\"}"; done >before.jsonl
trawl index -q old.trawl - <before.jsonl
trawl index --delete-missing old.trawl ./old
out_has "3 deleted" && [ "$(count old.trawl)" = 1 ] && has old.trawl old/a.txt
claim "documents_of_before_go_where_their_id_is_another_spelling_or_no_file"

# ---- what looks like a mistake
mkdir mnt
for i in $(seq 30); do echo "doc $i" >mnt/$i.txt; done
echo "other" >e/o.txt
trawl index -q m.trawl mnt e
rm mnt/*
echo "new" >e/new.txt
trawl index --delete-missing m.trawl mnt e
exits 2 && err_has "mnt has no files" && [ "$(count m.trawl)" = 33 ] && has m.trawl e/new.txt
claim "an_empty_folder_deletes_nothing_and_the_rest_is_indexed"
echo "lost" >mnt/README
rm e/o.txt
trawl index --delete-missing m.trawl mnt e
exits 2 && err_has "mnt has lost most of its files, and 30 of its 30 documents would go: nothing is deleted" && has m.trawl e/o.txt
claim "nor_does_one_that_lost_nearly_all"
for i in 1 2 3 4; do echo "doc $i" >mnt/$i.txt; done
trawl index --delete-missing m.trawl mnt e
exits 0 && out_has "27 deleted" && ! has m.trawl e/o.txt
claim "less_than_that_is_no_mistake"
rm -r mnt
trawl index --delete-missing m.trawl mnt e
exits 2 && err_has "mnt is not there" && [ "$(count m.trawl)" = 7 ]
claim "a_folder_that_is_not_there_is_an_error"
trawl index --delete-missing --yes m.trawl mnt e
exits 0 && out_has "5 deleted" && [ "$(count m.trawl)" = 2 ]
claim "yes_means_it"

# ---- many documents of other origins do not get in the way
lines 1 30000 >many.jsonl
trawl index -q many.trawl many.jsonl e
rm e/new.txt
sed -i 2d many.jsonl
trawl index --delete-missing many.trawl e
out_has "1 deleted" && [ "$(count many.trawl)" = 30000 ]
claim "other_files_are_left_alone"
trawl index --delete-missing many.trawl many.jsonl
exits 0 && out_has ", 1 deleted" && ! has many.trawl n2 && [ "$(count many.trawl)" = 29999 ]
claim "one_line_of_many_is_found_missing"

# ---- watching
start()
{
	"$TRAWL" index --watch "$@" >log 2>errors &
	pid=$!
	eventually grep -q watching log
}
gone() { ! has v.trawl "$1"; }
mkdir v
lines 1 5 >v/l.jsonl
lines 6 9 >v/m.jsonl
start v.trawl v
lines 1 4 >.new && mv .new v/l.jsonl
eventually gone n5 && has v.trawl n4
claim "watching_a_line_that_goes_takes_its_document"
rm v/m.jsonl
eventually gone n7 && has v.trawl n4
claim "and_so_does_a_file_of_lines"
: >v/l.jsonl
eventually gone n4 && gone n1
claim "and_one_that_is_emptied"
echo text >v/t.txt
eventually has v.trawl v/t.txt
: >v/t.txt
eventually gone v/t.txt
claim "an_emptied_text_loses_its_document"
echo backup >v/b.txt~
echo text >v/last.txt
eventually has v.trawl v/last.txt && gone 'v/b.txt~'
claim "backups_are_not_watched"
kill $pid
wait $pid
finish
