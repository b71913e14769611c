#!/usr/bin/env bash
# trawl search as a service: queries from a pipe, answered one by one from the newest commit; fields, offsets, long queries.
. "$(dirname "$0")/lib.sh"
make_news indexed

# ask QUERY: write a line to the service, and read its line of answer into $answer.
ask() { printf '%s\n' "$1" >&"${service[1]}" && IFS= read -r -t 60 answer <&"${service[0]}"; }
start() { coproc service { exec "$TRAWL" search --json --no-snippet "$@" 2>.err; } 2>/dev/null; service_pid=$!; }
stop() { eval "exec ${service[1]}>&-"; wait "$service_pid"; status=$?; }
ids() { sed 's/.*"hits"://' <<<"$answer" | grep -o '"id":"[^"]*"' | cut -d'"' -f4 | sort | tr '\n' ' '; }

start --follow news.trawl
ask rain && [ "$(ids)" = "n1 n2 " ] && [ "${answer#\{\"query\":\"rain\",\"id\":\"n}" != "$answer" ]
claim "a_query_from_a_pipe_is_answered_before_the_next_one_comes"
ask '' && [ "$answer" = '{"query":"","hits":[]}' ] && ask '   ' && [ "$answer" = '{"query":"   ","hits":[]}' ]
claim "an_empty_line_is_answered"
ask zebra && [ "$answer" = '{"query":"zebra","hits":[]}' ]
claim "a_query_without_hits_is_answered"

# The index changes underneath
echo '{"id":"n6","text":"rain again"}' | "$TRAWL" index -q news.trawl -
ask rain && [ "$(ids)" = "n1 n2 n6 " ]
claim "the_next_query_sees_a_new_commit"
"$TRAWL" delete -q news.trawl n1
ask rain && [ "$(ids)" = "n2 n6 " ]
claim "and_a_deletion"
"$TRAWL" compact -q news.trawl
ask rain && [ "$(ids)" = "n2 n6 " ]
"$TRAWL" delete -q news.trawl n6
ask rain && [ "$(ids)" = "n2 " ]
claim "and_what_comes_after_a_compaction"
echo '{"id":"other","text":"rain of another index"}' | "$TRAWL" index -q other.trawl -
mv other.trawl news.trawl && rm -f other.trawl-lock
ask rain && [ "$(ids)" = "other " ]
claim "and_an_index_that_was_put_in_its_place"
mv news.trawl away.trawl
ask rain && [ "$(ids)" = "other " ] && ask another && [ "$(ids)" = "other " ]
claim "an_index_that_is_gone_answers_on"
echo 'this is no index' >news.trawl
ask rain && [ "$(ids)" = "other " ]
claim "so_does_one_that_became_something_else"
rm news.trawl && echo '{"id":"back","text":"rain is back"}' | "$TRAWL" index -q news.trawl -
ask rain && [ "$(ids)" = "back " ]
claim "and_it_is_followed_again_when_it_is_back"
stop
exits 0 && err_lines 1 && err_has "earlier commit"
claim "that_answers_are_old_is_told_once"

start news.trawl
ask rain && [ "$(ids)" = "back " ] && echo '{"id":"more","text":"rain"}' | "$TRAWL" index -q news.trawl - && ask rain && [ "$(ids)" = "back " ]
claim "without_following_all_answers_are_from_one_commit"
stop
rm -f news.trawl && make_news indexed

mkfifo in out
"$TRAWL" search --trec r news.trawl <in >out 2>.err &
exec 7>in 8<out
printf 'a\train\n' >&7 && IFS= read -r -t 60 first <&8 && IFS= read -r -t 60 second <&8 && printf '\n\nb\tspain\n' >&7 && IFS= read -r -t 60 third <&8 &&
	[ "${first% Q0*} ${second% Q0*} ${third% Q0*}" = "a a b" ]
claim "a_fifo_of_trec_queries_is_answered_line_by_line"
exec 7>&- 8<&-
wait

# One line a query
printf '\xef\xbb\xbfrain\r\n\r\nzebra\r\nplain' | "$TRAWL" search --json --count news.trawl >.out 2>.err
exits 0 && silent && out_lines 4 && [ "$(head -1 .out | cut -c1-21)" = '{"query":"rain","id":' ] && out_has '{"query":"","hits":[],"matches":0}' && out_has '],"matches":3}'
claim "marks_and_line_ends_of_windows_are_no_part_of_a_query"
{ head -c 1000000 /dev/zero | tr '\0' q; echo; echo rain; } | "$TRAWL" search --json news.trawl >.out 2>.err
status=$?
out_lines 2 && err_lines 1 && err_has "query line 1: " && head -1 .out | grep -q '"hits":\[\],"error":"' && tail -1 .out | grep -q '"id":"n1"'
claim "a_query_that_is_refused_is_answered_with_the_error"
{ seq 1023 | sed 's/^/w/' | tr '\n' ' '; echo rain spain; echo olives; } >long
trawl search --json news.trawl <long
exits 0 && out_lines 2 && err_lines 1 && err_matches 'query line 1: .*only its first [0-9]+ bytes count' && [ "$(head -1 .out | grep -o '"rank"' | wc -l)" = 2 ] && tail -1 .out | grep -q '"id":"n4"'
claim "the_beginning_of_a_query_that_is_too_long_counts"
trawl search --json --no-snippet news.trawl "$(head -1 long)"
exits 0 && err_lines 1 && err_has "only its first" && out_lines 2
claim "so_it_does_on_the_command_line"
{ for i in $(seq 4000); do printf '東京'; done; echo; } >long
trawl search --json --no-snippet news.trawl <long
exits 0 && err_lines 1 && err_has "only its first 819" && out_has '"id":"n 5"'
claim "text_without_spaces_is_cut_between_characters"
if have python3 "every_line_is_json"; then
	printf 'rain\n"\\\t\x01\xff\nplain spain\n\n' | "$TRAWL" search --json --count --fields all news.trawl >.out 2>.err
	python3 -c 'import json; lines = [json.loads(l) for l in open(".out")]; assert [len(l["hits"]) for l in lines] == [2, 0, 3, 0] and all(l["matches"] == len(l["hits"]) for l in lines)'
	claim "every_line_is_json"
fi
"$TRAWL" search --json news.trawl <&- >.out 2>.err
status=$?
exits 2 && err_has "standard input" && [ ! -s .out ]
claim "a_closed_standard_input_is_an_error"

# Fields
cat >fields.jsonl <<'END'
{"id":"f1","title":"T","text":"rain text","year":1.10,"big":12345678901234567890,"place":{"name":"Madrid","geo":{"lat":40.400,"lon":-3.7}},"authors":[{"name":"A","x":1},{"y":2},7,{"name":"B \"}"}],"a.b":"dotted","caf\u00e9":null}
{"id":"f2","text":"rain"}
END
trawl index -q fields.trawl fields.jsonl
fields() { trawl search --json --no-snippet --fields "$1" -n 1 fields.trawl text && [ "$(sed 's/.*"fields"://; s/}$//' .out)" = "$2" ]; }
while IFS='|' read -r names expected; do
	fields "$names" "$expected"
	claim "the_fields_$names"
done <<'END'
year|{"year":1.10}
big,year|{"year":1.10,"big":12345678901234567890}
place|{"place":{"name":"Madrid","geo":{"lat":40.400,"lon":-3.7}}}
place.name|{"place":{"name":"Madrid"}}
place.geo.lon,place.name|{"place":{"name":"Madrid","geo":{"lon":-3.7}}}
place,place.name|{"place":{"name":"Madrid","geo":{"lat":40.400,"lon":-3.7}}}
authors.name|{"authors":[{"name":"A"},{"name":"B \"}"}]}
a.b|{"a.b":"dotted"}
café|{"caf\u00e9":null}
nope,place.nope,year.x,authors.nope,place.|{}
text|{"text":"rain text"}
text,year|{"text":"rain text","year":1.10}
id|{}
END
trawl search --json --no-snippet --fields all fields.trawl text
exits 0 && [ "$(sed 's/.*"fields"://; s/}$//' .out)" = "{$(head -1 fields.jsonl | sed 's/.*"rain text",//')" ]
claim "all_fields_are_as_they_were_given"
trawl search --json --no-snippet --fields all fields.trawl rain
exits 0 && out_lines 2 && out_has '"id":"f2","title":"","fields":{}}'
claim "a_document_without_fields_has_an_empty_object"
for wrong in "--fields ,a" "--fields a,," "--fields $(seq -s, 65)"; do
	trawl search --json $wrong fields.trawl rain
	exits 2 && err_lines 1 && err_has "--fields"
	claim "wrong_names_are_told: ${wrong:0:16}"
done
trawl search --fields year fields.trawl rain
exits 2 && err_has "--json"
claim "fields_need_json"

# Offsets
seq 40 | sed 's/.*/{"id":"d&","text":"rain &"}/' | "$TRAWL" index -q many.trawl -
trawl search --json --no-snippet -n 40 many.trawl rain && cut -d, -f1,3 .out >whole
trawl search --json --no-snippet -n 5 --offset 7 many.trawl rain
exits 0 && cut -d, -f1,3 .out | cmp -s - <(sed -n 8,12p whole)
claim "an_offset_leaves_out_the_first_hits"
trawl search --json --no-snippet --offset 38 many.trawl rain
exits 0 && out_lines 2
claim "the_last_page_may_be_short"
trawl search --offset 40 many.trawl rain
exits 1 && [ ! -s .out ] && err_has "no hits after the first 40"
claim "beyond_the_last_hit_there_is_none"
trawl search --offset 40 --count many.trawl rain
exits 0 && [ "$(cat .out)" = "40 documents" ]
claim "the_count_is_of_all"
trawl search --json --no-snippet --offset 9990 many.trawl rain
exits 1
claim "the_largest_offset_is_taken"
for wrong in "--offset 9991" "--offset -1" "--offset x" "-n 10000 --offset 1"; do
	trawl search $wrong many.trawl rain
	exits 2 && err_lines 1 && err_has "--offset"
	claim "a_wrong_offset_is_told: $wrong"
done

# At a terminal
trawl --version
if ! out_has "by libedit"; then
	out_has "built without libedit"
	claim "the_version_tells_what_is_missing"
	skip "typed_queries_can_be_edited" "built without libedit"
elif have script "typed_queries_can_be_edited"; then
	typed() { { sleep 1; printf "$1"; sleep 1; printf '\004'; } | XDG_STATE_HOME=$PWD/state run script -qec "stty cols 80; '$TRAWL' search --color never --no-snippet many.trawl" /dev/null; }
	typed '25\0013 \r'
	exits 0 && out_matches '^1\. .*  ?d' && [ "$(sed -n 2p state/trawl/history)" = '3\04025\012' ]
	claim "typed_queries_can_be_edited"
	[ "$(stat -c '%a %n' state/trawl state/trawl/history | tr '\n' ' ')" = "700 state/trawl 600 state/trawl/history " ] && [ "$(ls state/trawl)" = history ]
	claim "the_history_is_its_owner_s_alone"
	typed '\020\r'
	exits 0 && out_has "> 3 25" && out_has "d25"
	claim "an_earlier_query_comes_back"
	typed '\r  \r'
	! out_has "no hits" && [ "$(wc -l <state/trawl/history)" = 2 ]
	claim "an_empty_line_typed_is_passed_over"
	XDG_STATE_HOME=$PWD/other "$TRAWL" search many.trawl <<<rain >/dev/null
	[ ! -e other ]
	claim "queries_from_a_file_are_in_no_history"
	{ sleep 1; printf 'rain\n\004'; } | TERM=dumb XDG_STATE_HOME=$PWD/other run script -qec "'$TRAWL' search --no-snippet many.trawl" /dev/null
	exits 0 && out_has "Ctrl-D ends" && out_has "d1" && [ ! -e other ]
	claim "a_dumb_terminal_has_plain_lines"
fi

# Ids from a file of Windows
printf '\xef\xbb\xbfn1\r\nn2\r\n' | "$TRAWL" delete -q news.trawl - >.out 2>.err
status=$?
exits 0 && silent && "$TRAWL" search --json --count -n 0 news.trawl rain | grep -q '"matches":0'
claim "marks_and_line_ends_of_windows_are_no_part_of_an_id"
finish
