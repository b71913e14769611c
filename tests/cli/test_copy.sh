#!/usr/bin/env bash
# trawl copy, and who may read an index; standard descriptors that are closed.
. "$(dirname "$0")/lib.sh"

documents() { seq 400 | awk -v r="$1" '{print "{\"id\":\""$1"\",\"text\":\"v"r" word"$1*r" mark"($1*7919*r)%5000" common\"}"}'; }
eventually() { for _ in $(seq 300); do "$@" && return 0; sleep 0.02; done; return 1; }

# ---- copies
documents 1 | trawl index -q x.trawl -
chmod 640 x.trawl
trawl copy x.trawl y.trawl
exits 0 && silent && out_has "copied x.trawl to y.trawl, " && [ "$(stat -c %a y.trawl)" = 640 ]
claim "a_copy_is_made_with_the_mode_of_the_index"
trawl check -q y.trawl
exits 0
claim "it_is_whole"
trawl export x.trawl >/dev/null && cp .out exported
trawl export y.trawl >/dev/null && cmp -s .out exported
claim "and_has_the_same_documents"
documents 2 | trawl index -q y.trawl -
exits 0
claim "it_can_be_written_to"
trawl copy x.trawl y.trawl
exits 2 && err_has "y.trawl exists already" && [ ! -e y.trawl-copy ]
claim "a_file_that_is_there_stays"
ln -s nowhere dangling
trawl copy x.trawl dangling
exits 2 && err_has "dangling exists already" && [ ! -e nowhere ]
claim "also_a_link_that_leads_nowhere"
trawl copy x.trawl none/y.trawl
exits 2 && err_has "none/y.trawl"
claim "a_folder_that_is_missing_is_named"
trawl copy x.trawl -
exits 2 && err_has "copy needs the name of a file"
claim "it_does_not_go_through_a_pipe"
trawl copy none.trawl z.trawl
exits 2 && err_has "no such index: none.trawl" && [ ! -e z.trawl ] && [ ! -e z.trawl-copy ]
claim "an_index_that_is_missing_is_told"
trawl copy --json x.trawl z.trawl
exits 0 && out_has '{"bytes":' && trawl check -q z.trawl
claim "json_tells_the_size"
cp x.trawl damaged.trawl && printf 'XXXX' | dd of=damaged.trawl bs=1 seek=$(($(stat -c %s x.trawl) / 2)) conv=notrunc 2>/dev/null
if ! "$TRAWL" check -q damaged.trawl >/dev/null 2>&1; then
	trawl copy damaged.trawl spread.trawl
	exits 2 && err_has "is damaged" && [ ! -e spread.trawl ] && [ ! -e spread.trawl-copy ]
	claim "damage_is_not_copied"
fi
echo old >left.trawl-copy
trawl copy x.trawl left.trawl
exits 0 && [ ! -e left.trawl-copy ] && trawl check -q left.trawl
claim "what_a_killed_copy_left_is_taken_over"
ln x.trawl kept && ln x.trawl again.trawl-copy
trawl copy x.trawl again.trawl
exits 0 && trawl check -q kept && trawl check -q again.trawl
claim "but_not_when_it_has_another_name"

# A copy of each moment of a writer that goes on is one commit: as many documents with the newest word as there are.
for r in 3 4 5 6 7 8; do documents $r | "$TRAWL" index -q --no-merge x.trawl - >/dev/null 2>&1; done &
writer=$!
whole=0 copies=0
while kill -0 $writer 2>/dev/null && [ $copies -lt 40 ]; do
	rm -f beside.trawl
	copies=$((copies + 1))
	"$TRAWL" copy -q x.trawl beside.trawl && "$TRAWL" check -q beside.trawl >/dev/null &&
		"$TRAWL" search --count -n 1 beside.trawl common | tail -1 | grep -q 'of 400 documents$' &&
		whole=$((whole + 1))
done
wait $writer
[ $whole -gt 0 ] && [ $whole -eq $copies ]
claim "copies_beside_a_writer_are_whole"

# ---- standard descriptors
trawl delete x.trawl nosuch 2>&-
trawl check -q x.trawl
exits 0
claim "closed_standard_error_harms_no_index"
for closed in 0 1 2 "0 1" "0 2" "1 2" "0 1 2"; do
	(
		for d in $closed; do eval "exec $d>&-"; done
		echo "{\"id\":\"new $closed\",\"text\":\"rain\"}" >"one $closed.jsonl"
		"$TRAWL" index -q x.trawl "one $closed.jsonl"
		"$TRAWL" merge -q x.trawl
		"$TRAWL" compact -q x.trawl
		"$TRAWL" search x.trawl rain
	)
done >/dev/null 2>&1
trawl check -q x.trawl
exits 0
claim "nor_does_any_of_the_three"
for d in 0 1 2 "0 1" "0 2" "1 2" "0 1 2"; do trawl show x.trawl "new $d" >/dev/null || break; done
exits 0
claim "and_all_was_written"
"$TRAWL" search x.trawl rain >&- 2>told
[ $? -eq 2 ] && grep -q "cannot write to standard output" told
claim "closed_standard_output_is_an_error"
"$TRAWL" index -q x.trawl d >&- 2>told || "$TRAWL" index -q x.trawl "one 0.jsonl" >&- 2>told
[ $? -eq 0 ]
claim "unless_there_is_nothing_to_print"
"$TRAWL" search x.trawl <&- 2>told
[ $? -eq 2 ] && grep -q "cannot read queries from standard input: it is closed" told
claim "closed_standard_input_has_no_queries"
"$TRAWL" delete x.trawl - <&- 2>told
[ $? -eq 2 ] && grep -q "cannot read ids from standard input: it is closed" told
claim "nor_ids"
"$TRAWL" index new.trawl - <&- 2>told
[ $? -eq 2 ] && grep -q "cannot read documents from standard input: it is closed" told && [ ! -e new.trawl ]
claim "nor_documents"

# ---- modes
(umask 077 && documents 1 | "$TRAWL" index -q u77.trawl - && "$TRAWL" compact -q u77.trawl) && [ "$(stat -c %a u77.trawl)" = 600 ]
claim "the_umask_gives_the_mode"
chmod 664 x.trawl
(umask 077 && "$TRAWL" compact -q x.trawl) && [ "$(stat -c %a x.trawl)" = 664 ]
claim "a_compaction_keeps_it"
chmod 640 x.trawl
"$TRAWL" salvage -q x.trawl rescued.trawl && [ "$(stat -c %a rescued.trawl)" = 640 ]
claim "what_is_rescued_is_no_more_readable_than_it_was"
rm rescued.trawl
chmod 664 x.trawl
[ -z "$(ls -d ./*-lock ./*-compact ./*-copy ./*-new 2>/dev/null)" ]
claim "nothing_is_left_beside"

# ---- other users
if [ "$(id -u)" != 0 ] || ! setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null; then
	skip "who_may_read_the_file_may_search_it" "only root can be other users"
	finish
fi
# In a folder that others may enter.
open=$(TMPDIR=/tmp mktemp -d) && chmod 755 "$open" || exit 1
trap 'rm -rf "$work" "$open"' EXIT
cp x.trawl one*.jsonl "$open" && cd "$open" || exit 1
cp "$TRAWL" ./trawl && chmod 755 trawl
other() { setpriv --reuid=65534 --regid=65534 --clear-groups ./trawl "$@"; }
chmod 644 x.trawl
other search -n 1 --no-snippet x.trawl common >told 2>&1 && grep -q '^1\. ' told
claim "who_may_read_the_file_may_search_it"
other index x.trawl "one 0.jsonl" >told 2>&1
[ $? -eq 2 ] && grep -q "x.trawl: no permission to write" told
claim "but_not_write_it"
chmod 600 x.trawl
other search x.trawl common >told 2>&1
[ $? -eq 2 ] && grep -q "x.trawl: no permission to read: its owner can give it" told
claim "who_may_not_is_told_what_to_do"
chmod 644 x.trawl
other compact x.trawl >told 2>&1
[ $? -eq 2 ] && grep -q "x.trawl: no permission to write" told
claim "nor_compact_it"
cp x.trawl given.trawl && chown 65534 given.trawl
other compact given.trawl >told 2>&1
[ $? -eq 2 ] && grep -q "given.trawl-compact cannot be made: no permission to write to its folder" told
claim "where_a_compaction_has_no_place_that_is_told"
other salvage x.trawl rescued.trawl >told 2>&1
[ $? -eq 2 ] && grep -q "rescued.trawl cannot be made: no permission to write to its folder" told && [ ! -e rescued.trawl ]
claim "nor_has_what_is_rescued"
mkdir -m 700 private && cp x.trawl private/
other search private/x.trawl common >told 2>&1
[ $? -eq 2 ] && grep -q "private/x.trawl: no permission to read: .* of its folders g+x" told
claim "a_folder_that_may_not_be_entered_is_told"
mkdir -m 777 theirs && echo "rain in spain" >theirs/a.txt
(cd theirs && setpriv --reuid=65534 --regid=65534 --clear-groups ../trawl index -q x.trawl a.txt && ../trawl stats x.trawl && ../trawl index -q x.trawl a.txt && ../trawl compact -q x.trawl) >told 2>&1
[ "$(stat -c %U:%a theirs/x.trawl)" = nobody:644 ] && other index -q theirs/x.trawl theirs/a.txt && other search theirs/x.trawl rain >/dev/null
claim "root_takes_no_index_from_its_owner"
mkdir shared && chgrp 65534 shared && chmod 2775 shared
(umask 002 && "$TRAWL" index -q shared/x.trawl theirs/a.txt && "$TRAWL" compact -q shared/x.trawl)
[ "$(stat -c %g:%a shared/x.trawl)" = 65534:664 ]
claim "a_marked_folder_gives_its_group"
setpriv --reuid=1234 --regid=65534 --clear-groups ./trawl index -q shared/x.trawl "one 0.jsonl" >told 2>&1
claim "whose_members_write_too"
setpriv --reuid=1234 --regid=65534 --clear-groups ./trawl compact -q shared/x.trawl >told 2>&1 && [ "$(stat -c %g:%a shared/x.trawl)" = 65534:664 ]
claim "and_a_compaction_of_theirs_keeps_group_and_mode"
mkdir -m 755 closed && cp x.trawl closed/x.trawl && chmod 666 closed/x.trawl
other index -q closed/x.trawl "one 0.jsonl" >told 2>&1 && [ "$(ls closed)" = x.trawl ]
claim "a_folder_that_may_not_be_written_is_no_hindrance"
touch shared/x.trawl-lock && chmod 600 shared/x.trawl-lock
setpriv --reuid=1234 --regid=65534 --clear-groups ./trawl index -q shared/x.trawl "one 1.jsonl" >told 2>&1 && [ ! -e shared/x.trawl-lock ]
claim "a_lock_file_of_another_user_is_no_hindrance"
mkdir -m 1777 sticky && cp x.trawl sticky/ && chmod 666 sticky/x.trawl && head -c 8192 /dev/zero >sticky/x.trawl-lock && chmod 600 sticky/x.trawl-lock
other index -q sticky/x.trawl "one 0.jsonl" >told 2>&1
claim "nor_one_that_may_not_be_removed"

# ---- containers
if ! unshare --pid --fork --mount-proc true 2>/dev/null; then
	skip "readers_of_two_containers_with_one_number_read" "no namespaces here"
	finish
fi
mkfifo pipe
unshare --pid --fork --mount-proc "$TRAWL" search --no-snippet -n 1 shared/x.trawl <pipe >first 2>&1 &
exec 7>pipe
echo rain >&7
eventually grep -q '^1\. ' first
unshare --pid --fork --mount-proc "$TRAWL" search shared/x.trawl rain >told 2>&1 && grep -q '^1\. ' told
claim "readers_of_two_containers_with_one_number_read"
for r in 1 2 3 4 5 6; do documents $r | unshare --pid --fork --mount-proc "$TRAWL" index -q shared/x.trawl - >>told 2>&1 || echo failed >>told; done
! grep -q failed told
claim "and_a_writer_of_a_third_writes"
echo spain >&7
exec 7>&-
wait
[ "$(grep -c '^1\. ' first)" = 2 ] && trawl check -q shared/x.trawl && exits 0
claim "while_the_first_reader_reads_on"
mkdir mounted && mount --bind shared mounted 2>/dev/null && mount -o remount,ro,bind mounted 2>/dev/null || {
	skip "an_index_on_a_read_only_mount_is_searched" "no mounting here"
	finish
}
"$TRAWL" search --no-snippet mounted/x.trawl rain >told 2>&1 && grep -q '^1\. ' told
claim "an_index_on_a_read_only_mount_is_searched"
mkfifo pipe2
"$TRAWL" search --no-snippet -n 1 mounted/x.trawl <pipe2 >first 2>&1 &
exec 7>pipe2
echo rain >&7
eventually grep -q '^1\. ' first
for r in 6 5 4 3 2 1; do documents $r | "$TRAWL" index -q shared/x.trawl -; done
echo spain >&7
exec 7>&-
wait
[ "$(grep -c '^1\. ' first)" = 2 ]
claim "also_beside_a_writer_through_another_mount"
"$TRAWL" index mounted/x.trawl "one 0.jsonl" >told 2>&1
[ $? -eq 2 ] && grep -q "its file system is read-only" told
claim "writing_through_it_is_refused"
umount mounted
finish
