#!/usr/bin/env bash
# What the tool is joined to: descriptors that do not block, an index that is overwritten while it answers, terminals that only
# take text.
. "$(dirname "$0")/lib.sh"
make_news indexed

# `dd` sets the flag for all that share the descriptor, and it stays.
not_blocking() { dd "$1"=nonblock count=0 2>/dev/null; }
late() { sleep 0.3; printf '%s\n' "$1"; sleep 0.3; printf '%s\n' "$2"; }

late wheat olives | { not_blocking iflag; trawl search --json --no-snippet news.trawl; exits 0 && silent && out_lines 2; }
claim "queries_are_waited_for_in_a_pipe_that_does_not_block"
late n2 nosuch | { not_blocking iflag; trawl delete news.trawl -; exits 0 && out_has "deleted 1 document"; }
claim "so_are_ids"
late '{"id":"n2","text":"rain"}' '{"id":"n6","text":"snow"}' | { not_blocking iflag; trawl index news.trawl -; exits 0 && out_has "2 added"; }
claim "and_documents"
echo 'q 0 n3 1' >qrels
late $'q\twheat' '' | { not_blocking iflag; trawl eval news.trawl - qrels; exits 0 && out_has "MAP       1.0000"; }
claim "and_queries_of_an_evaluation"
late rain rain | { not_blocking iflag; trawl bench news.trawl -; exits 0; }
claim "and_of_a_measurement"


# Files of an evaluation that are no lines.
printf 'q\twheat\n' >q.tsv
printf '[{"_id":"q","text":"wheat"}]' >q.json
iconv -t UTF-16 <q.tsv >q.utf16
printf 'BZh91AY&SY\0' >q.bz2
printf '\xfd7zXZ\0' >q.xz
for file in "json:a JSON array" "utf16:UTF-16" "bz2:bzcat" "xz:xzcat"; do
	trawl eval news.trawl "q.${file%%:*}" qrels
	exits 2 && err_lines 1 && err_has "cannot read q.${file%%:*}: " && err_has "${file#*:}"
	claim "what_is_no_lines_is_told: ${file#*:}"
done
printf '[wheat]\n' >words
trawl bench news.trawl words
exits 0
claim "a_query_may_begin_with_a_bracket"

seq 3000 | awk '{ printf "{\"id\":%d,\"text\":\"number %d of many lines that fill the pipe\"}\n", $1, $1 }' >many.jsonl
"$TRAWL" index -q many.trawl many.jsonl
{ not_blocking oflag >&1; "$TRAWL" export --order input many.trawl 2>.err; echo $? >code; } | { sleep 0.5; wc -l; } >.out
status=$(cat code)
exits 0 && silent && [ "$(cat .out)" -eq 3000 ]
claim "a_slow_reader_of_a_pipe_that_does_not_block_gets_all"
seq 3000 >words
{ not_blocking oflag >&1; "$TRAWL" search --json many.trawl <words 2>.err; echo $? >code; } | { sleep 0.5; wc -l; } >.out
status=$(cat code)
exits 0 && silent && [ "$(cat .out)" -eq 3000 ]
claim "all_answers_too"
{ not_blocking oflag >&1; trap '' PIPE; "$TRAWL" export many.trawl 2>.err; echo $? >code; } | head -n 1 >.out
status=$(cat code)
exits 2 && silent
claim "and_one_that_goes_away_is_not_waited_for"

trawl delete news.trawl - </
exits 2 && err_has "cannot read ids from standard input: Is a directory"
claim "why_ids_cannot_be_read_is_told"

# Overwritten in place: no engine can go on with pages that are no longer there, but it says so.
coproc service { exec "$TRAWL" search --json many.trawl 2>.err; } 2>/dev/null
service_pid=$!
echo lines >&"${service[1]}" && IFS= read -r -t 60 answer <&"${service[0]}"
echo 'this is no index' >many.trawl
echo many >&"${service[1]}"
wait "$service_pid"
status=$?
exits 2 && err_has "overwritten by another program"
claim "an_index_that_is_overwritten_while_it_answers_is_told"

# on_terminal COMMAND...: what it writes to a terminal of 80 columns.
on_terminal() { script -qec "stty cols 80; $*" /dev/null </dev/null >.out 2>.err; }
escapes() { grep -q $'\e' .out; }
if have script "a_terminal_gets_colours_and_progress"; then
	seq 20000 | awk '{ printf "{\"id\":%d,\"text\":\"number %d\"}\n", $1, $1 }' >many.jsonl
	on_terminal "'$TRAWL' search news.trawl wheat" && escapes
	claim "a_terminal_gets_colours_and_progress"
	TERM=dumb on_terminal "'$TRAWL' search news.trawl wheat; '$TRAWL' index dumb.trawl many.jsonl" && ! escapes && out_has wheat
	claim "a_dumb_one_gets_neither"
	on_terminal "unset TERM; '$TRAWL' search news.trawl wheat; '$TRAWL' index unset.trawl many.jsonl" && ! escapes && out_has wheat
	claim "nor_does_one_that_nobody_names"
fi

finish
