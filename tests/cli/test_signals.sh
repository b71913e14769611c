#!/usr/bin/env bash
# Signals end `trawl index` at once, whatever it waits for, and what was committed stays; what the parent ignores stays ignored.
. "$(dirname "$0")/lib.sh"
make_news

# begin COMMAND...: in the background as $pid, with the signals' own meaning, which a shell's background jobs do not have.
begin()
{
	env --default-signal=INT,TERM,HUP "$@" <&0 >.out 2>.err &
	pid=$!
}

# ends CODE: whether $pid ends with it, within seconds.
ends()
{
	for _ in $(seq 50); do
		kill -0 $pid 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL $pid 2>/dev/null && echo "    it had to be killed"
	wait $pid
	status=$?
	exits "$1"
}

mkfifo pipe
for signal in TERM:143 INT:130 HUP:129; do
	rm -f x.trawl*
	begin "$TRAWL" index -q --commit-every 1 x.trawl - <>pipe
	echo '{"id":1,"text":"one"}' >pipe
	eventually "$TRAWL" search x.trawl one >/dev/null 2>&1
	kill -"${signal%:*}" $pid
	ends "${signal#*:}" && err_has "the first 1 documents are in the index"
	claim "${signal%:*}_ends_it_while_standard_input_is_silent_and_what_was_committed_stays"
done
begin "$TRAWL" index y.trawl news.jsonl pipe
sleep 0.3
kill -TERM $pid
ends 143 && err_has "nothing was committed" && err_lines 1
claim "a_signal_ends_it_while_a_named_pipe_has_no_writer"
begin "$TRAWL" index y.trawl pipe
sleep 0.3
kill -TERM $pid
ends 143 && err_has "nothing was committed" && [ ! -e y.trawl ]
claim "a_signal_before_the_first_document_leaves_no_index"

begin "$TRAWL" index y.trawl pipe
sleep 0.3
kill -STOP $pid
kill -TERM $pid
kill -INT $pid
kill -CONT $pid
{ ends 143 || exits 130; } && silent
claim "the_second_signal_kills_at_once"

# ---- another writer
"$TRAWL" index -q busy.trawl - <>pipe &
writer=$!
cat news.jsonl >pipe
eventually [ -e busy.trawl ]
sleep 0.2
begin "$TRAWL" index --wait busy.trawl news.jsonl
sleep 0.3
kill -TERM $pid
ends 143 && err_has "stopped"
claim "a_signal_ends_it_while_it_waits_for_another_writer"
mkdir folder
echo text >folder/a.txt
begin "$TRAWL" index --watch --wait busy.trawl folder
sleep 0.3
kill -TERM $pid
ends 0
claim "a_signal_ends_watching_while_it_waits_for_another_writer"
kill -TERM $writer
wait $writer

# ---- ignored signals
echo hello >a.txt
for signal in INT TERM HUP; do
	rm -f x.trawl*
	(
		trap '' $signal
		exec "$TRAWL" index x.trawl a.txt - <>pipe >.out 2>.err
	) &
	pid=$!
	echo more >pipe
	sleep 0.3
	kill -$signal $pid
	sleep 0.2
	kill -0 $pid && [ ! -s .err ]
	claim "${signal}_that_was_ignored_stays_ignored"
	kill -KILL $pid
	wait $pid 2>/dev/null
done

# ---- commits by time do not wait for a document
rm -f x.trawl*
begin "$TRAWL" index -q --commit-every 1s x.trawl - <>pipe
echo '{"id":1,"text":"one"}' >pipe
eventually "$TRAWL" search x.trawl one >/dev/null 2>&1
claim "a_commit_that_is_due_by_time_is_made_while_standard_input_is_silent"
kill -TERM $pid
ends 143 && err_has "the first 1 documents are in the index"
claim "and_is_counted"
finish
