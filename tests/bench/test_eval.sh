#!/usr/bin/env bash
# `trawl eval`: trec_eval's figures, worked out by hand.
. "$(dirname "$0")/corpus.sh"

# 1: ranked a b c; b and d are relevant: AP (1/2)/2, nDCG (1/log2 3)/(1 + 1/log2 3) = 0.3868528, P 1/10, R 1/2, RR 1/2.
# 2: as words, e (both of them) then d; d is relevant: AP 1/2, nDCG 1/log2 3 = 0.6309298, P 1/10, R 1, RR 1/2.
# 3: has a relevant document and no hits: 0 everywhere. 4: nothing relevant (-1 counts as 0). 5: not judged.
# 9: judged, and not asked.
# Means over 1, 2, 3: MAP 0.25, nDCG 0.3392609, P 0.0666667, R 0.5, MRR 0.3333333.
printf '1\tapple\n2\t-cherry +grape\n3\tnowhere\n4\tplum\n5\tfig\n' >queries.tsv
printf '1 0 a 0\n1 0 b 1\n1\t0\td  1\n2 0 d 1\n3 0 a 2\n4 0 b -1\n4 0 c 0\n9 0 a 1\n' >qrels

trawl eval fruit.trawl queries.tsv qrels
exits 0 && silent
claim "a_collection_is_evaluated"
for figure in "MAP       0.2500" "nDCG@10   0.3393" "P@10      0.0667" "R@100     0.5000" "MRR       0.3333"; do
	out_has "$figure"
	claim "the_figure_is_the_one_worked_out_by_hand: $figure"
done
out_matches '^ +3 queries averaged' && out_matches '^ +1 of them without hits' &&
	out_matches '^ +2 queries without a relevant' && out_matches '^ +1 in the qrels without a text'
claim "what_was_left_out_is_counted"

trawl eval fruit.trawl queries.tsv qrels --per-query
exits 0 && out_matches '^1 +2 +3 +0.2500 +0.3869 +0.1000 +0.5000 +0.5000$' &&
	out_matches '^2 +1 +2 +0.5000 +0.6309 +0.1000 +1.0000 +0.5000$' && out_matches '^3 +1 +0 +0.0000'
claim "each_query_has_its_own_figures"

# As operators, -cherry excludes the only document with grape.
trawl eval fruit.trawl queries.tsv qrels --syntax --per-query
exits 0 && out_matches '^2 +1 +0 +0.0000'
claim "signs_are_operators_only_on_request"
printf 'x\t"apple plum" -pear "\n' >quoted.tsv
printf 'x 0 a 1\n' >quoted.qrels
trawl eval fruit.trawl quoted.tsv quoted.qrels --per-query
exits 0 && out_matches '^x +1 +4 '
claim "quotes_are_no_phrases_in_a_user_s_text"

trawl eval fruit.trawl queries.tsv qrels -n 1 --per-query
exits 0 && out_matches '^1 +2 +1 +0.0000'
claim "the_depth_limits_the_hits"

trawl eval fruit.trawl queries.tsv qrels --trec run
exits 0 && [ "$(cut -d' ' -f1-4,6 run | head -3 | tr '\n' ',')" = "1 Q0 a 1 trawl,1 Q0 b 2 trawl,1 Q0 c 3 trawl," ] &&
	grep -q '^5 Q0 e 1 ' run && [ "$(cut -d' ' -f5 run | head -1 | cut -c1-6)" = 0.4146 ]
claim "the_run_has_the_hits_of_all_queries"

if have python3 "json_has_the_same_figures"; then
	trawl eval fruit.trawl queries.tsv qrels --json --per-query
	exits 0 && [ "$(json .out 'round(j["ndcg_10"], 4), j["map"], j["queries"], j["queries_without_hits"], j["queries_without_relevant"], j["judged_without_text"], len(j["per_query"])')" = "(0.3393, 0.25, 3, 1, 2, 1, 3)" ]
	claim "json_has_the_same_figures"
	printf 'a"b\\\377\tapple\n' >odd.tsv
	printf 'a"b\\\377 0 a 1\n' >odd.qrels
	trawl eval fruit.trawl odd.tsv odd.qrels --json --per-query
	exits 0 && valid_json .out
	claim "json_survives_odd_ids"
fi

printf '\xef\xbb\xbf1\tapple\r\n' >windows.tsv
printf '1 0 a 1\r\n' >windows.qrels
trawl eval fruit.trawl windows.tsv windows.qrels
exits 0 && out_has "MAP       1.0000"
claim "line_ends_and_marks_of_windows_are_no_part_of_an_id"

# ---- what is wrong is told, with the line
bad_queries() { printf "$1" >bad.tsv && trawl eval fruit.trawl bad.tsv qrels && exits 2; }
bad_qrels() { printf "$1" >bad.qrels && trawl eval fruit.trawl queries.tsv bad.qrels && exits 2; }
bad_queries '1\tapple\nno tab\n'
exits 2 && err_lines 1 && err_has "bad.tsv:2"
claim "a_query_without_a_tab_is_named"
bad_queries '1\tapple\n2\tx\n1\ty\n'
exits 2 && err_has "lines 1 and 3"
claim "a_query_id_given_twice_is_named"
bad_qrels '1 0 a 1\n1 0 b\n'
exits 2 && err_lines 1 && err_has "bad.qrels:2"
claim "a_judgement_with_three_words_is_named"
bad_qrels '1 0 a yes\n'
exits 2 && err_has "bad.qrels:1"
claim "a_relevance_that_is_no_number_is_named"
bad_qrels '1 0 a 1\n1 0 a 0\n'
exits 2 && err_has "lines 1 and 2"
claim "contradicting_judgements_are_named"
bad_qrels '77 0 a 1\n'
exits 2 && err_has "do their ids agree?"
claim "ids_that_never_meet_are_told"
bad_qrels ''
exits 2 && err_has "holds no judgement"
claim "empty_qrels_are_told"
trawl eval fruit.trawl queries.tsv nowhere
exits 2 && err_has "nowhere"
claim "missing_qrels_are_named"
trawl eval nowhere.trawl queries.tsv qrels
exits 2 && err_has "nowhere.trawl"
claim "a_missing_index_is_named"
trawl eval fruit.trawl queries.tsv qrels --trec nowhere/run
exits 2 && err_has "nowhere/run"
claim "a_run_that_cannot_be_written_is_told"
{
	printf '1\tapple\n2\t'
	head -c 9000 /dev/zero | tr '\0' x
} >long.tsv
trawl eval fruit.trawl long.tsv qrels
exits 2 && err_matches '^trawl: long.tsv:2: '
claim "a_query_that_fails_is_named"
for arguments in "" "fruit.trawl queries.tsv" "-n 0 fruit.trawl queries.tsv qrels" "--k1 -1 fruit.trawl queries.tsv qrels" \
	"--no-such fruit.trawl queries.tsv qrels" "--trec"; do
	trawl eval $arguments
	exits 2 && err_lines 1 && [ ! -s .out ]
	claim "wrong_usage_is_told: eval $arguments"
done
trawl eval --help
exits 0 && out_has "trawl eval scifact.trawl queries.tsv qrels"
claim "help_teaches_by_example"
finish
