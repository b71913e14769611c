#!/usr/bin/env bash
# trawl index: which files are read, and what they are called: the index's own files, spellings, links, globs, backups.
. "$(dirname "$0")/lib.sh"

has() { "$TRAWL" show "$1" "$2" >/dev/null 2>&1; }
documents() { "$TRAWL" stats --json "$1" | grep -o '"documents":[0-9]*' | head -1; }

# ---- the index within its folder, and named
mkdir d
echo "rain here" >d/a.txt
trawl index d/x.trawl d
exits 0 && out_has "indexed 1 document"
trawl index d/x.trawl d
exits 0 && silent && out_has "nothing changed: 1 document as it was; skipped 0, left out 1"
claim "an_index_in_its_folder_is_left_out_and_counted"
cd d || exit 1
trawl index --strict x.trawl .
exits 0 && out_has "indexed 1 document (1 added" && has x.trawl a.txt
claim "also_of_the_working_folder"
cd ..
rm -r d/x.trawl* && trawl index -q n.trawl d
ln -s ../n.trawl d/soft
ln n.trawl d/hard
echo "not of LMDB" >n.trawl-lock && ln n.trawl-lock d/hard-lock
echo "by hand" >d/n.trawl-lock
trawl index n.trawl d
exits 0 && silent && out_has "(1 added, 0 replaced, 1 unchanged)" && out_has "left out 3"
claim "by_whatever_name_but_not_what_is_only_called_so"
trawl index --strict n.trawl d/a.txt n.trawl n.trawl-lock d/hard
exits 0 && err_lines 3 && err_has "skipped n.trawl-lock: the index" && err_has "skipped d/hard: the index"
claim "named_by_a_glob_they_are_told_also_under_strict"
trawl index n.trawl n.trawl*
exits 1 && err_has "no documents found in n.trawl"
claim "nothing_but_the_index_is_nothing"

# A reader that came before the writer opens files goes on; the writer goes on after its readers.
mkfifo pipe queries
seq 400 | sed 's/.*/{"id":"n&","text":"word& mark"}/' >many.jsonl
trawl index -q d/m.trawl many.jsonl
"$TRAWL" index -q d/m.trawl d - <pipe >/dev/null 2>writer_told &
writer=$!
exec 8>pipe
"$TRAWL" search --json --no-snippet -n 1 d/m.trawl <queries >answers 2>&1 8>&- &
reader=$!
exec 9>queries
echo word17 >&9
eventually grep -q n17 answers
for i in 1 2 3; do seq 400 | sed "s/.*/{\"id\":\"n&\",\"text\":\"word& again other$i\"}/"; done >&8
exec 8>&-
wait $writer
claim "a_writer_ends_well_whose_folder_holds_its_index"
seq 40 >numbers
sed 's/^/word/' numbers >&9
exec 9>&-
wait $reader
[ "$(wc -l <answers)" = 41 ] && [ "$(sed 's/.*"query":"word\([0-9]*\)".*"rank":1,.*"id":"n\1".*/same/' answers | grep -c same)" = 41 ]
claim "a_reader_beside_it_has_the_right_answers"
trawl check -q d/m.trawl
exits 0
claim "and_the_index_is_whole"

# ---- spellings
mkdir -p s/deep
echo "hello one" >s/a.txt
echo "hello two" >s/deep/b.txt
for spelled in s ./s s/ s// s/. s/../s ./s/deep/..; do trawl index -q s.trawl "$spelled"; done
[ "$(documents s.trawl)" = '"documents":2' ] && has s.trawl s/a.txt
claim "a_folder_gives_the_same_documents_however_it_is_spelled"
(cd s && "$TRAWL" index -q ../here.trawl . && "$TRAWL" index -q ../here.trawl a.txt ./deep/b.txt)
[ "$(documents here.trawl)" = '"documents":2' ] && has here.trawl deep/b.txt
claim "and_the_working_folder_those_of_its_entries"

# ---- links, backups, globs
mkdir -p real l/build/out l/src
echo linked >real/r.txt
ln -s ../real l/dir
ln -s .. l/src/up
echo plain >l/p.txt
echo old >l/p.txt~
echo unsaved >'l/#p.txt#'
echo object >l/build/out/o.txt
echo source >l/src/o.txt
trawl index l.trawl l
exits 0 && err_has "skipped l/dir: a symbolic link to a folder; --follow reads these" && out_has "left out 2" &&
	[ "$(documents l.trawl)" = '"documents":3' ]
claim "links_to_folders_are_told_and_backups_left_out"
trawl index -q --follow --exclude up l.trawl l
exits 0 && silent && has l.trawl l/dir/r.txt
claim "follow_reads_links_to_folders"
(cd l && timeout 20 "$TRAWL" index -q --follow ../up.trawl .) && has up.trawl src/up/real/r.txt || has up.trawl dir/r.txt
claim "links_in_circles_come_to_an_end"
trawl index -q l2.trawl --exclude build/ --exclude '*.log' --exclude src/o.txt --exclude dir l
exits 0 && [ "$(documents l2.trawl)" = '"documents":1' ] && has l2.trawl l/p.txt
claim "exclude_leaves_out_names_folders_and_paths"
trawl index l3.trawl --exclude '*' l
exits 1 && [ ! -e l3.trawl ]
claim "what_excludes_all_finds_nothing"
trawl index --exclude
exits 2 && err_has "--exclude needs a value"
claim "exclude_needs_a_glob"
trawl index --watch --follow l3.trawl l
exits 2 && err_has "--follow"
claim "watching_and_following_do_not_go_together"

# ---- a new index is no more readable than its texts
mode() { stat -c %a "$1"; }
mkdir -p private open
echo "secret diary" >private/a.txt
echo "news" | tee open/b.txt >private/b.txt
umask 022
chmod 600 private/a.txt
trawl index private.trawl private
exits 0 && err_lines 1 && err_has "private.trawl is made for its owner only" && [ "$(mode private.trawl)" = 600 ]
claim "an_index_of_a_private_file_is_private"
trawl index open.trawl open
exits 0 && silent && [ "$(mode open.trawl)" = 644 ]
claim "an_index_of_open_files_is_as_the_umask_says"
chmod 640 private/a.txt
trawl index group.trawl private/b.txt private/a.txt
exits 0 && err_has "for its owner and group only" && [ "$(mode group.trawl)" = 640 ]
claim "an_index_of_a_file_for_the_group_is_for_the_group"
chmod 644 private/a.txt && chmod 700 private
trawl index closed.trawl private
exits 0 && [ "$(mode closed.trawl)" = 600 ]
claim "a_closed_folder_makes_its_files_private"
chmod 755 private && chmod 600 private/a.txt
trawl index open.trawl private
exits 0 && silent && [ "$(mode open.trawl)" = 644 ]
claim "an_index_that_is_there_keeps_its_mode"
(umask 077 && trawl index umask.trawl private && silent && [ "$(mode umask.trawl)" = 600 ])
claim "what_the_umask_does_is_not_told"
trawl index -q redirected.trawl - <private/a.txt
exits 0 && silent && [ "$(mode redirected.trawl)" = 600 ]
claim "a_private_file_on_standard_input_counts"
finish
