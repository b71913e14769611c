#!/usr/bin/env bash
# `trawl bench --protocol game`: a line in, a line out, at once.
. "$(dirname "$0")/corpus.sh"

game() { run "$TRAWL" bench --protocol game "$@"; }
# answer LINE [OPTIONS]: the answer to one line
answer()
{
	local line=$1
	shift
	printf '%b\n' "$line" | "$TRAWL" bench --protocol game "$@" fruit.trawl 2>.err
}

printf 'COUNT\tapple\nTOP_10\tapple\nTOP_10_COUNT\tapple cherry\nCOUNT\t+apple -plum\nCOUNT\t"apple plum"\nNO\tapple\n\nCOUNT\tnowhere\nCOUNT\t\nTOP_3_DOCS\tnowhere\nCOUNT\tfig' >lines
game fruit.trawl <lines
exits 0 && silent && [ "$(tr '\n' ' ' <.out)" = "3 1 5 1 2 UNSUPPORTED UNSUPPORTED 0 0  1 " ]
claim "each_line_is_answered_in_order"

# Three of five documents have apple: idf = ln(1 + 2.5 / 3.5) = 0.538996501.
# a: 3 / 3.9 * idf = 0.414612693; b: 2 / 2.9 * idf = 0.371721725; c: 1 / 1.9 * idf = 0.283682369.
close_to()
{
	awk -v got="$1" -v wanted="$2" 'BEGIN {
		n = split(got, g, " "); m = split(wanted, w, " ")
		if (n != m) exit 1
		for (i = 1; i <= n; i++) {
			split(g[i], gp, ":"); split(w[i], wp, ":")
			d = gp[2] - wp[2]
			if (gp[1] != wp[1] || d > 2e-7 || d < -2e-7) exit 1
		}
	}'
}
answer 'TOP_10_DOCS\tapple' >.out
close_to "$(cat .out)" "a:0.414612693 b:0.371721725 c:0.283682369"
claim "hits_have_the_scores_worked_out_by_hand"
answer 'TOP_2_DOCS\tapple' >.out
close_to "$(cat .out)" "a:0.414612693 b:0.371721725"
claim "no_more_hits_than_wanted"
# k1 = 0: tf / tf = 1, all scores are the idf, ties in order of the documents.
answer 'TOP_10_DOCS\tapple' --k1 0 --stable-ties >.out
close_to "$(cat .out)" "a:0.538996501 b:0.538996501 c:0.538996501"
claim "k1_and_ties_are_the_caller_s"

coproc GAME { exec "$TRAWL" bench --protocol game fruit.trawl; }
answered=true game_pid=$GAME_PID
for i in 1 2 3; do
	printf 'COUNT\tapple\n' >&"${GAME[1]}"
	read -r -t 20 line <&"${GAME[0]}" && [ "$line" = 3 ] || answered=false
done
to=${GAME[1]}
exec {to}>&-
wait "$game_pid"
status=$?
$answered && exits 0
claim "every_answer_is_there_before_the_next_question"

{
	printf 'COUNT\t'
	head -c 9000 /dev/zero | tr '\0' x
	printf '\nCOUNT\tapple\n'
	head -c 300000 /dev/zero | tr '\0' x
	printf '\nCOUNT\tapple\r\nCOUNT\t\0\377"+-\n'
	head -c 60000 "$TRAWL" | tr '\n' ' ' # any bytes
} >lines
game fruit.trawl <lines
exits 0 && out_lines 6 && [ "$(sed -n 2p .out)$(sed -n 4p .out)$(sed -n 5p .out)" = 330 ] && [ "$(grep -c '^ERROR ' .out)" -ge 2 ]
claim "a_line_that_fails_is_answered_and_the_next_one_too"

printf '{"id": "x y\\n%%z:1", "text": "melon"}\n' >ids.jsonl
"$TRAWL" index ids.trawl ids.jsonl >/dev/null
printf 'TOP_1_DOCS\tmelon\n' | game ids.trawl
exits 0 && out_lines 1 && out_matches '^x%20y%0A%z:1:[0-9.]+$'
claim "an_id_with_white_space_stays_one_word"

game fruit.trawl </dev/null
exits 0 && [ ! -s .out ]
claim "no_lines_have_no_answers"
game nowhere.trawl </dev/null
exits 2 && err_has "nowhere.trawl"
claim "a_missing_index_is_named"
game fruit.trawl queries </dev/null
exits 2
claim "the_protocol_takes_no_file_of_queries"
finish
