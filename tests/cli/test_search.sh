#!/usr/bin/env bash
# trawl search: hits, their formats, batches of queries, and safety of the terminal.
. "$(dirname "$0")/lib.sh"
make_news indexed

trawl search news.trawl spain
exits 0 && silent && out_matches '^1\. [0-9]+\.[0-9]{3}  Rain in Spain  \(n1\)$' && out_has "   The rain in **Spain** stays"
claim "a_hit_shows_rank_score_title_id_and_a_marked_snippet"
trawl search news.trawl farmers harvest
exits 0 && head -1 .out | grep -q '^1\. .*(n3)$' && out_has "**Farmers** **harvested**"
claim "the_best_hit_is_first_and_stemmed_words_are_marked"
trawl search news.trawl zebra
exits 1 && [ ! -s .out ] && [ "$(cat .err)" = "trawl: no hits" ]
claim "no_hits_is_told_on_standard_error_with_exit_1"
trawl search news.trawl ''
exits 1 && err_has "no words to look for"
claim "a_query_without_words_gets_a_hint"
trawl search news.trawl '+++ -"" ...'
exits 1 && err_has "no words to look for"
claim "a_query_of_signs_gets_a_hint"

trawl search --json news.trawl '"the plain"'
exits 0 && out_lines 3
claim "a_phrase_is_found"
trawl search --json news.trawl '"spain in"'
exits 1
claim "a_phrase_in_another_order_is_not"
trawl search --json news.trawl -- plain -rain
exits 0 && out_lines 1 && out_has '"id":"n3"'
claim "a_word_after_two_dashes_can_be_excluded"
trawl search --json news.trawl +farmers rain
exits 0 && out_lines 2 && ! out_has '"id":"n2"'
claim "a_required_word_must_be_there"
for word in -rain -nothing -help-me; do
	trawl search news.trawl plain "$word"
	exits 2 && err_has "put -- before the query"
	claim "an_option_that_looks_like_the_excluded_word_${word}_gets_a_hint"
done
trawl search news.trawl plain -n 1 --json
exits 0 && out_lines 1
claim "options_may_follow_the_query"

trawl search --json --filter rain news.trawl plain farmers
exits 0 && ! out_has '"id":"n3"' && out_has '"id":"n1"'
claim "a_filter_restricts_the_hits"
trawl search --json --filter=-rain news.trawl plain farmers
exits 0 && out_lines 1 && out_has '"id":"n3"'
claim "a_filter_of_excluded_words_lets_the_others_pass"
trawl search --count -n 0 --filter '"no such words"' news.trawl plain
exits 1
claim "a_filter_that_nothing_passes_leaves_no_hits"

# Formats
trawl search --json news.trawl rain
exits 0 && out_matches '^\{"rank":1,"score":[0-9.]+,"id":"n[12]","title":"[^"]*","snippet":"[^"]*\*\*rain\*\*[^"]*"\}$'
claim "json_has_rank_score_id_title_and_snippet"
trawl search --json --no-snippet news.trawl rain
exits 0 && ! out_has snippet
claim "no_snippet_leaves_it_out_of_json"
trawl search --no-snippet news.trawl rain
exits 0 && out_lines 2
claim "no_snippet_gives_a_line_a_hit"
trawl search news.trawl rain
exits 0 && out_lines 5
claim "hits_are_separated_by_a_blank_line"
trawl search --count news.trawl -n 1 rain
exits 0 && [ "$(tail -1 .out)" = "1 of 2 documents" ]
claim "count_tells_how_many_match"
trawl search --count -n 0 news.trawl rain
exits 0 && [ "$(cat .out)" = "2 documents" ]
claim "count_alone_prints_only_the_number"
trawl search --count -n 0 news.trawl zebra
exits 1 && out_has "0 documents"
claim "count_of_nothing_exits_1"
trawl search --count --json news.trawl rain
exits 0 && [ "$(tail -1 .out)" = '{"hits":2,"matches":2}' ]
claim "count_in_json_is_a_last_object"
trawl search --trec my-run news.trawl '東京'
exits 0 && out_matches '^1 Q0 n%205 1 [0-9.]+ my-run$'
claim "trec_lines_have_six_columns"
if have python3 "json_scores_keep_their_bits"; then
	trawl search --json news.trawl rain plain farmers
	python3 - <<'END'
import json, struct, sys
for line in open(".out"):
    score = json.loads(line)["score"]
    single = struct.unpack("f", struct.pack("f", score))[0]
    if float("%.9g" % single) != score:
        sys.exit(1)
END
	claim "json_scores_keep_their_bits"
fi
trawl search --width 40 --json news.trawl spain
exits 0 && [ "$(sed 's/.*"snippet":"//; s/\*\*//g' .out | wc -c)" -lt 60 ]
claim "width_shortens_the_snippet"
trawl search --json --k1 0 news.trawl rain && cp .out flat
trawl search --json --k1 2 --b 1 news.trawl rain
exits 0 && ! cmp -s .out flat
claim "k1_and_b_change_the_scores"
trawl search --stable-ties --json news.trawl rain
exits 0 && out_lines 2
claim "stable_ties_is_accepted"

# Batches
printf 'rain\nzebra\n\nolives\n' >queries
trawl search --json news.trawl <queries
exits 0 && out_lines 4 && out_has '{"query":"rain","id":"n1","score":' && out_has ',"hits":[{"rank":1,' && out_has '{"query":"","hits":[]}' && out_has '{"query":"olives","id":"n4","score":'
claim "queries_from_standard_input_have_a_line_each_in_json"
trawl search news.trawl <queries
exits 0 && out_has "> rain" && out_has "> olives" && err_has "no hits"
claim "queries_from_standard_input_are_headed_for_people"
printf 'zebra\nunicorn\n' >none
trawl search --json news.trawl <none
exits 1
claim "a_batch_without_any_hit_exits_1"
printf 'q 1\train\r\nq2\tzebra\nolives\n' >queries.tsv
trawl search --trec r news.trawl <queries.tsv
exits 0 && out_lines 3 && out_matches '^q%201 Q0 n[12] 1 [0-9.]+ r$' && out_matches '^3 Q0 n4 1 [0-9.]+ r$'
claim "trec_queries_have_their_id_before_the_tab_or_the_line_number"
trawl search --json news.trawl </dev/null
exits 1 && silent
claim "an_empty_batch_exits_1"
{ head -c 20000 /dev/zero | tr '\0' 'a'; echo; echo rain; } >long
trawl search --json news.trawl <long
exits 2 && err_has "query line 1" && out_lines 2
claim "a_batch_goes_on_after_a_query_that_is_too_long"

# Wrong values
for n in -1 x 0 10001 1.5 ''; do
	trawl search -n "$n" news.trawl rain
	exits 2 && err_has "-n" && [ ! -s .out ]
	claim "hits_of_'$n'_are_refused"
done
for pair in "--k1 -1" "--k1 nan" "--k1 x" "--b 1.1" "--b inf" "--width 0" "--width 1e3" "--color blue"; do
	# shellcheck disable=SC2086
	trawl search $pair news.trawl rain
	exits 2 && err_has "${pair%% *}"
	claim "'$pair'_is_refused"
done
trawl search --json --trec r news.trawl rain
exits 2 && err_has "--trec"
claim "json_and_trec_together_are_refused"

# Colour
trawl search --color always news.trawl spain
exits 0 && out_has $'\x1b[1;31mSpain\x1b[0m' && ! out_has '**'
claim "colour_marks_words_instead_of_stars"
if have script "a_terminal_gets_colour"; then
	run script -qec "'$TRAWL' search news.trawl spain" /dev/null </dev/null
	exits 0 && out_has $'\x1b[1;31mSpain\x1b[0m'
	claim "a_terminal_gets_colour"
	NO_COLOR=1 run script -qec "'$TRAWL' search news.trawl spain" /dev/null </dev/null
	exits 0 && ! out_has $'\x1b['
	claim "NO_COLOR_is_respected"
	run script -qec "stty cols 30; '$TRAWL' search --color never news.trawl spain" /dev/null </dev/null
	exits 0 && out_lines 4 && [ "$(sed 's/\r//' .out | tail -n +2 | wc -L)" -le 34 ] && ! tail -n +2 .out | grep -v '^   '
	claim "a_narrow_terminal_gets_the_snippet_wrapped_and_indented"
	cat >wide.jsonl <<'END'
{"id":"/home/someone/a/very/long/folder/name/projects/2024/reports/final/annual-report-of-the-weather-service.txt","title":"A title that goes on and on about the rain in Spain, which stays mainly in the plain, and about farmers","text":"The rain in Spain stays mainly in the plain. Farmers were pleased with the rain, and said so in a long sentence."}
{"id":"日本語/とても長いフォルダ/ファイル名がとても長い場合の例/天気予報の報告書.txt","title":"雨の日の過ごし方について、とても長い題名を付けてみましたが、端末の幅を超えるでしょうか。","text":"rain 東京では雨が降っています。東京の雨は静かに降り続けています。傘を持って出かけましょう。"}
{"id":"/srv/archive/mails/2019/inbox/cur/1563548400.M123456P7890.host,S=12345,W=12678:2,S-and-even-longer","text":"rain https://example.org/a/very/long/url/that/does/not/end/anywhere/near/the/edge/of/a/terminal/of/eighty"}
END
	trawl index -q wide.trawl wide.jsonl
	for columns in 80 40 20; do
		run script -qec "stty cols $columns; '$TRAWL' search --color never wide.trawl rain 東京" /dev/null </dev/null
		tr -d '\r' <.out >lines
		exits 0 && [ "$(wc -L <lines)" -le $columns ] && [ "$(grep -c '…' lines)" -ge 3 ] && grep -q 'vice.txt)$' lines
		claim "nothing_is_wider_than_a_terminal_of_$columns"
	done
	run script -qec "stty cols 80; '$TRAWL' search --color never wide.trawl rain 東京" /dev/null </dev/null
	tr -d '\r' <.out >lines
	grep -q ' which stays$' lines && grep -q '^   mainly in the plain, ' lines && grep -qF '   (/home/someone/a/very/lon…' lines && ! grep -q '^ *[。、]' lines
	claim "titles_wrap_at_words_and_paths_lose_their_middle"
	run script -qec "stty cols 80; '$TRAWL' search --no-snippet news.trawl spain" /dev/null </dev/null
	out_matches 'Rain in Spain.*  \(n1\)'
	claim "what_fits_stays_in_one_line"
	TERM=dumb run script -qec "'$TRAWL' search news.trawl spain" /dev/null </dev/null
	exits 0 && ! out_has $'\x1b['
	claim "a_dumb_terminal_gets_no_colour"
fi

# What documents say does not steer the terminal
cat >evil.jsonl <<'END'
{"id":"e\u001b[2J1","title":"Evil \u001b]0;owned\u0007 \u202etitle \u009b31m","text":"evil \u001b[31m red \u0000 nul \u007f del \u2066iso\u2069 end"}
END
trawl index -q evil.trawl evil.jsonl
trawl search evil.trawl evil
exits 0 && ! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' .out && ! grep -qE $'\xe2\x80\xae|\xc2\x9b|\xe2\x81\xa6' .out && out_has $'\xef\xbf\xbd'
claim "control_characters_of_documents_are_replaced"
trawl search --json evil.trawl evil
exits 0 && out_has '\u001b[2J1' && ! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' .out
claim "control_characters_are_escaped_in_json"
printf 'plain words \xff\xfe\xc3( caf\xe9 end\n' >latin.txt
trawl index -q latin.trawl latin.txt
trawl search --json latin.trawl words
exits 0 && out_has 'café' && iconv -f utf-8 -t utf-8 .out >/dev/null 2>&1
claim "json_is_utf8_whatever_the_file_was"
trawl search news.trawl $'rain \x1b[31m\x01 spain'
exits 0 && out_has "(n1)"
claim "control_bytes_in_a_query_are_harmless"

# The query language (the grammar has tests of its own)
printf '{"id":"%s","text":"%s"}\n' a 'the river burst its banks' b 'banks burst its' c 'rain in spain' d 'rain in france' >lang.jsonl
trawl index -q lang.trawl lang.jsonl
ids()
{
	trawl search --json --no-snippet lang.trawl -- "$@" && jq -r .id .out | sort | paste -sd' ' >.ids
}
for marks in '"burst its banks"' '“burst its banks”' '«burst its banks»' '„burst its banks“'; do
	ids "$marks" && [ "$(cat .ids)" = a ] && silent
	claim "quotation_marks_of_many_kinds_make_phrases: $marks"
done
ids 'rain NOT spain' && [ "$(cat .ids)" = d ] && ids 'rain AND spain' && [ "$(cat .ids)" = c ] &&
	ids '(spain OR banks) AND (rain OR river)' && [ "$(cat .ids)" = 'a c' ] && ids 'ri*' && [ "$(cat .ids)" = a ] &&
	ids 'r?in NOT fr*' && [ "$(cat .ids)" = c ] && ids 'rian~' && [ "$(cat .ids)" = 'c d' ] &&
	ids '(rain spain france)~2' && [ "$(cat .ids)" = 'c d' ] && ids '*:* -rain' && [ "$(cat .ids)" = 'a b' ]
claim "operators_groups_and_patterns_find_what_they_say"
trawl search --no-snippet lang.trawl -- -rain
exits 0 && err_has "all other documents" && out_has a && out_has b && ! out_has '(c)'
claim "nothing_but_exclusions_finds_all_others_and_says_so"
trawl search --no-snippet lang.trawl 'author:x rain'
exits 0 && err_has "'author': no such field"
claim "what_is_read_as_plain_text_is_told"
trawl search --syntax strict lang.trawl 'rain AND (spain'
exits 2 && err_has "byte 10: a bracket that is not closed" && err_has '           ^'
claim "strict_syntax_points_at_what_it_refuses"
printf '{"id":"1","text":"raining"}\n{"id":"2","text":"rain"}\n' >forms.jsonl
trawl index -q --language none forms.trawl forms.jsonl
trawl search --json --no-snippet --syntax strict forms.trawl =rain
exits 0 && silent && [ "$(jq -r .id .out)" = 2 ]
claim "an_exact_word_is_one_in_an_index_without_stems"
trawl search --json --no-snippet lang.trawl =rain
exits 0 && err_has "'=rain': the index has stems only"
claim "elsewhere_it_is_told_to_be_read_as_the_word"
trawl search --json --no-snippet --min-match 2 lang.trawl rain spain
exits 0 && [ "$(jq -r .id .out)" = c ]
claim "min_match_asks_for_several_words"
printf 'rain (\n' | "$TRAWL" search --json --no-snippet lang.trawl 2>.err >.out
jq -e '.notes[0] | .start == 5 and (.text | length > 0)' .out >/dev/null
claim "notes_are_in_the_json_of_a_batch"

# Readers that go away
seq 3000 | sed 's/.*/{"id":"&","title":"t","text":"rain number &"}/' >many.jsonl
trawl index -q many.trawl many.jsonl
"$TRAWL" search -n 3000 many.trawl rain 2>.err | head -1 >.out
status=${PIPESTATUS[0]}
[ "$status" -ne 0 ] && silent && out_lines 1
claim "a_reader_that_goes_away_ends_the_tool_quietly"
( trap '' PIPE; "$TRAWL" search -n 3000 many.trawl rain 2>.err; echo $? >.status ) | head -1 >.out
status=$(cat .status)
exits 2 && silent
claim "so_does_it_where_the_pipe_signal_is_ignored"
if [ -e /dev/full ]; then
	timeout 60 "$TRAWL" search -n 3000 many.trawl rain >/dev/full 2>.err
	status=$?
	exits 2 && err_has "cannot write to standard output"
	claim "output_that_cannot_be_written_is_an_error"
fi
finish
