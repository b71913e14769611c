#!/usr/bin/env bash
# trawl index --watch: the index follows its folders. Everything is waited for by looking again, up to a minute.
. "$(dirname "$0")/lib.sh"

found() { "$TRAWL" search --json --no-snippet x.trawl "$1" 2>.err | grep -qF "\"id\":\"$2\""; }
not_found() { ! "$TRAWL" search x.trawl "$1" >/dev/null 2>&1; }
generation() { "$TRAWL" stats --json x.trawl | grep -o '"generation":[0-9]*'; }
logged() { grep -qF -e "$1" "$2"; }
holds_lock() { grep -q " FLOCK .* $1 " /proc/locks; }

# put PATH WORDS...: a file appears whole, in one event.
put()
{
	local path=$1
	shift
	echo "$*" >.new && mv .new "$path"
}

start()
{
	env --default-signal=INT "$TRAWL" index --watch "$@" >log 2>errors &
	pid=$!
	eventually logged watching log
}

stop() # SIGNAL
{
	kill "-$1" $pid
	wait $pid
	status=$?
	cp log .out
	cp errors .err
}

mkdir -p notes/deep notes/.hidden other
put notes/old.txt an old thing
put notes/deep/below.txt something below
put notes/.hidden/secret.txt a hidden thing
start x.trawl notes
found old notes/old.txt && found below notes/deep/below.txt && logged "indexed 2 documents" log
claim "watching_begins_with_what_is_there"

put notes/new.txt a fresh thing
eventually found fresh notes/new.txt
claim "a_new_file_is_found"
put notes/new.txt a changed thing
eventually found changed notes/new.txt && not_found fresh
claim "a_changed_file_is_found_by_its_new_text_only"
echo appended >>notes/deep/below.txt
eventually found appended notes/deep/below.txt
claim "a_file_written_in_place_is_read_again"
rm notes/new.txt
eventually not_found changed
claim "a_deleted_file_is_no_longer_found"
mv notes/old.txt notes/renamed.txt
eventually found old notes/renamed.txt && ! found old notes/old.txt
claim "a_renamed_file_goes_by_its_new_name"
mv notes/renamed.txt other/
eventually not_found old
claim "a_file_moved_away_is_no_longer_found"
mv other/renamed.txt notes/back.txt
eventually found old notes/back.txt
claim "a_file_moved_in_is_found"

mkdir -p notes/a/b/c
put notes/a/b/c/leaf.txt a leaf
eventually found leaf notes/a/b/c/leaf.txt
claim "files_in_new_folders_are_found_at_any_depth"
put notes/a/b/c/later.txt a twig
eventually found twig notes/a/b/c/later.txt
claim "new_folders_are_watched_too"
mv notes/a notes/z
eventually found leaf notes/z/b/c/leaf.txt && ! found leaf notes/a/b/c/leaf.txt
claim "a_renamed_folder_takes_its_documents_along"
put notes/z/b/c/last.txt a bough
eventually found bough notes/z/b/c/last.txt
claim "a_renamed_folder_is_watched_by_its_new_name"
put notes/zb.txt a neighbour by name
mv notes/z other/z
eventually not_found leaf
claim "a_folder_moved_away_takes_its_documents_out"
eventually found neighbour notes/zb.txt
claim "and_none_whose_name_only_begins_alike"
put other/z/unseen.txt out of sight
put notes/mark1.txt first mark
eventually found mark notes/mark1.txt && not_found sight
claim "a_folder_moved_away_is_watched_no_longer"
mv other/z notes/z
eventually found sight notes/z/unseen.txt && found leaf notes/z/b/c/leaf.txt
claim "a_folder_moved_in_brings_its_documents"
rm -r notes/z
eventually not_found sight && eventually not_found leaf
claim "a_deleted_folder_takes_its_documents_out"
rm notes/zb.txt
mkdir notes/zb.txt
put notes/zb.txt/inner.txt inner thing
eventually found inner notes/zb.txt/inner.txt && not_found neighbour
claim "a_folder_in_the_place_of_a_file_takes_its_place"

put notes/.dot.txt unseen dot
head -c 2000 /dev/zero >.new && mv .new notes/zeros.bin
put notes/.hidden/more.txt unseen more
put notes/mark2.txt second mark
eventually found second notes/mark2.txt && not_found unseen && ! "$TRAWL" show x.trawl notes/zeros.bin >/dev/null 2>&1
claim "hidden_and_binary_files_are_left_alone"

# Another writer
mkfifo pipe
"$TRAWL" index -q --wait x.trawl - <pipe >/dev/null 2>&1 &
writer=$!
exec 9>pipe
echo '{"id":"piped","text":"another writer"}' >&9
eventually holds_lock $writer
put notes/patient.txt patience
eventually logged "is being written by process $writer" errors
claim "a_second_writer_is_waited_for_and_named"
exec 9>&-
wait $writer
eventually found patience notes/patient.txt && found another piped
claim "after_another_writer_the_index_is_brought_up_to_date"

stop TERM
exits 0 && out_has "committed: 1 added, 0 replaced, 0 deleted"
claim "the_end_signal_ends_watching_with_exit_0"
before=$(generation)
rm notes/patient.txt
put notes/asleep.txt while asleep
start x.trawl notes/
found asleep notes/asleep.txt && not_found patience && found another piped
claim "what_happened_meanwhile_is_caught_up_with_at_the_start"
[ "$before" != "$(generation)" ]
claim "and_is_a_commit"
kill -KILL $pid
wait $pid 2>/dev/null
before=$(generation)
start x.trawl notes
[ "$before" = "$(generation)" ] && logged "nothing changed" log
claim "a_killed_watcher_leaves_an_index_that_is_current"
stop INT
exits 0 && ! err_has "Sanitizer"
claim "an_interrupt_ends_watching_with_exit_0"

# The index and the output within the folder watched
mkdir within
put within/one.txt number one
cd within || exit 1
"$TRAWL" index --watch x.trawl . >log.txt 2>errors &
pid=$!
eventually logged watching log.txt && eventually found one one.txt
echo "number two" >../.two && mv ../.two two.txt
eventually found two two.txt
first=$(generation)
echo "number three" >../.three && mv ../.three three.txt
eventually found three three.txt
[ "${first#*:}" -eq $(($(generation | cut -d: -f2) - 1)) ]
claim "its_own_index_and_output_do_not_wake_it"
kill $pid
wait $pid
claim "watching_the_working_folder_ends_with_exit_0"
cd .. || exit 1

# More events than the kernel keeps
start x.trawl notes
if [ "$(cat /proc/sys/fs/inotify/max_queued_events)" -le 20000 ]; then
	kill -STOP $pid
	for _ in $(seq 6000); do
		echo even >>notes/even.txt
		echo odd >>notes/odd.txt
	done
	mkdir -p notes/lost/found
	put notes/lost/found/it.txt after the flood
	rm notes/asleep.txt
	kill -CONT $pid
	eventually found flood notes/lost/found/it.txt && eventually not_found asleep && eventually found odd notes/odd.txt
	claim "lost_events_make_it_look_at_everything"
	put notes/lost/found/more.txt later than that
	eventually found later notes/lost/found/more.txt
	claim "after_lost_events_it_goes_on"
else
	skip "lost_events_make_it_look_at_everything" "the kernel keeps too many events"
fi
rm x.trawl
put notes/anew.txt an index anew
eventually found anew notes/anew.txt && found odd notes/odd.txt
claim "an_index_that_was_removed_is_made_again_whole"
mv notes away
eventually logged "no longer there" errors
wait $pid
status=$?
exits 2 && found odd notes/odd.txt
claim "a_watched_folder_that_vanishes_is_an_error_and_its_documents_stay"

trawl index --watch x.trawl away away/odd.txt
exits 2 && err_has "--watch follows folders"
claim "only_folders_are_watched"
trawl index --watch x.trawl absent
exits 2 && err_has "absent"
claim "a_folder_that_is_not_there_is_not_watched"
finish
