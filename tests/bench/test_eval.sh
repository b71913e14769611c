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

printf '%s\tapple\n' "$(head -c 300 /dev/zero | tr '\0' i)" >long.tsv
printf '%s 0 b 1\n' "$(head -c 300 /dev/zero | tr '\0' i)" >long.qrels
trawl eval fruit.trawl long.tsv long.qrels --per-query
exits 0 && [ "$(LC_ALL=C.UTF-8 wc -L <.out)" -le 100 ] && out_matches '^i+…i+ +1 +3 +0.5000'
claim "a_long_id_loses_its_middle"

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

# ---- ties are trec_eval's, on the run that --trec writes
printf '{"id":"%s","text":"same words"}\n' a b C d1 d10 d2 >ties.jsonl
printf '{"id":"with space","text":"same words"}\n{"id":"with%%20space","text":"same words"}\n{"id":"with_space","text":"same words"}\n' >>ties.jsonl
trawl index -q ties.trawl ties.jsonl
printf 'q\twords\n' >ties.tsv
printf 'q 0 with_space 1\nq 0 C 1\n' >ties.qrels
trawl eval ties.trawl ties.tsv ties.qrels --per-query --trec run
exits 0 && [ "$(cut -d' ' -f3 run | tr '\n' ,)" = "with_space,with%2520space,with%20space,d2,d10,d1,b,a,C," ] && out_has "MAP       0.6111"
claim "equal_scores_are_in_the_order_of_falling_ids"
printf 'q 0 a 1\n' >one.qrels
trawl eval ties.trawl ties.tsv one.qrels
exits 0 && out_has "MAP       0.1250"
claim "the_figures_are_those_of_that_order"
trawl eval ties.trawl ties.tsv one.qrels --stable-ties --trec run
exits 0 && [ "$(cut -d' ' -f3 run | tr '\n' ,)" = "C,a,b,d1,d10,d2,with%20space,with%2520space,with_space," ] && out_has "MAP       0.5000" && out_has "trec_eval orders them"
claim "stable_ties_are_in_the_order_of_rising_ids"
trawl eval ties.trawl ties.tsv ties.qrels --trec run
"$TRAWL" search --trec trawl ties.trawl <ties.tsv >searched
[ "$(cut -d' ' -f1,3,5 run | sort)" = "$(cut -d' ' -f1,3,5 searched | sort)" ]
claim "search_and_eval_name_documents_alike"

# Judgements may name documents either way. What is another document's name is not taken for an id.
first_relevant() { trawl eval ties.trawl ties.tsv named.qrels --per-query && exits 0 && out_matches "^q +1 +9 .* $1\$"; }
printf 'q\twith space\t1\n' >named.qrels
first_relevant 0.3333
claim "judgements_may_have_the_id_itself_between_tabs"
printf 'q 0 with%%20space 1\n' >named.qrels
first_relevant 0.3333
claim "judgements_may_have_the_word_that_trec_writes"
printf 'q 0 with%%2520space 1\n' >named.qrels
first_relevant 0.5000
claim "a_percent_sign_is_written_so_that_it_is_no_other_id"
grep -v 'with space' ties.jsonl >fewer.jsonl
trawl index -q fewer.trawl fewer.jsonl
printf 'q 0 with%%20space 1\n' >named.qrels
trawl eval fewer.trawl ties.tsv named.qrels --per-query
exits 0 && out_matches '^q +1 +8 .* 0.5000$'
claim "an_id_with_a_percent_sign_matches_as_it_is_where_it_is_nobody_else_s_word"
printf 'q 1\twords\n' >spaced.tsv
printf 'q%%201 0 a 1\n' >spaced.qrels
trawl eval ties.trawl spaced.tsv spaced.qrels --trec run
exits 0 && out_has "MAP       0.1250" && grep -q '^q%201 Q0 ' run
claim "queries_are_named_in_the_same_way"

# Random collections, with ties and graded judgements, by another implementation of trec_eval's definitions.
if have python3 "figures_are_those_of_the_run_that_was_written"; then
	cat >check.py <<'END'
import json, math, random, struct, subprocess, sys, urllib.parse
trawl = sys.argv[1]

def evaluate(run, judged):
    order = sorted(run, key=lambda d: (run[d], d.encode()), reverse=True)
    gains = [max(judged.get(d, 0), 0) for d in order]
    relevant = sum(g > 0 for g in judged.values())
    found, precision, first = 0, 0, 0
    for rank, gain in enumerate(gains, 1):
        if gain:
            found += 1
            precision += found / rank
            first = first or 1 / rank
    dcg = lambda gains: sum(g / math.log2(i + 2) for i, g in enumerate(gains[:10]))
    best = sorted((g for g in judged.values() if g > 0), reverse=True)
    return [precision / relevant, dcg(gains) / dcg(best), sum(g > 0 for g in gains[:10]) / 10,
            sum(g > 0 for g in gains[:100]) / relevant, first]

for seed in range(4):
    random.seed(seed)
    words = ["w%dx" % i for i in range(30)]
    ids = ["%s%d%s" % (random.choice("DdÉx"), random.randrange(10 ** 5), random.choice(["", "", " b", "%20b", "%"])) for _ in range(300)]
    ids = list(dict.fromkeys(ids))
    with open("r.jsonl", "w") as out:
        for i in ids:
            out.write(json.dumps({"id": i, "text": " ".join(random.choice(words) for _ in range(random.choice([5, 5, 9])))}) + "\n")
    with open("r.tsv", "w") as queries, open("r.qrels", "w") as qrels:
        for q in range(30):
            queries.write("q%d\t%s\n" % (q, " ".join(random.sample(words, random.choice([1, 1, 2])))))
            for i in random.sample(ids, 20):
                qrels.write("q%d\t%s\t%d\n" % (q, i, random.choice([-1, 0, 1, 1, 2, 3])))
    index = "r%d.trawl" % seed
    subprocess.run([trawl, "index", "-q", index, "r.jsonl"], check=True)
    done = subprocess.run([trawl, "eval", index, "r.tsv", "r.qrels", "--json", "--per-query", "--trec", "r.run"],
                          check=True, stdout=subprocess.PIPE)
    run, word, judged = {}, {}, {}
    for line in open("r.run"):
        q, _, name, rank, score, _ = line.split()
        i = urllib.parse.unquote(name)
        assert i in ids and word.setdefault(i, name) == name and name not in run.setdefault(q, {}), name
        run[q][name] = struct.unpack("f", struct.pack("f", float(score)))[0]
    for line in open("r.qrels"):
        q, i, g = line.rstrip("\n").split("\t")
        judged.setdefault(q, {})[word.get(i, i)] = int(g)
    for figures in json.loads(done.stdout)["per_query"]:
        q = figures["query"]
        expected = evaluate(run.get(q, {}), judged[q])
        got = [figures[k] for k in ("map", "ndcg_10", "p_10", "r_100", "mrr")]
        assert all(abs(a - b) < 2e-6 for a, b in zip(expected, got)), (seed, q, expected, got)
END
	python3 check.py "$TRAWL"
	claim "figures_are_those_of_the_run_that_was_written"
fi

# ---- BEIR's files, and compressed ones
printf '{"_id": "1", "text": "apple", "metadata": {}}\n{"_id": "2", "text": "cherry grape"}\n' >queries.jsonl
printf 'query-id\tcorpus-id\tscore\n1\tb\t1\n2\td\t1\n' >beir.tsv
trawl eval fruit.trawl queries.jsonl beir.tsv
exits 0 && silent && out_has "MAP       0.5000" && out_matches '^ +2 queries averaged'
claim "beir_s_files_are_read_as_they_come"
gzip -k queries.jsonl beir.tsv
trawl eval fruit.trawl queries.jsonl.gz beir.tsv.gz
exits 0 && silent && out_has "MAP       0.5000"
claim "gzip_files_are_read"
if have zstd "zstd_files_are_read"; then
	zstd -q queries.jsonl beir.tsv
	trawl eval fruit.trawl queries.jsonl.zst beir.tsv.zst
	exits 0 && silent && out_has "MAP       0.5000"
	claim "zstd_files_are_read"
	head -c 20 beir.tsv.zst >cut.zst
	trawl eval fruit.trawl queries.jsonl cut.zst
	exits 2 && err_lines 1 && err_has "cut.zst"
	claim "a_zstd_file_that_was_cut_is_named"
fi
gzip -c beir.tsv >twice.gz && printf '3 a 1\n' | gzip -c >>twice.gz
trawl eval fruit.trawl queries.jsonl twice.gz
exits 0 && out_matches '^ +1 in the qrels without a text'
claim "gzip_files_of_several_members_are_read"
head -c 30 beir.tsv.gz >cut.gz
trawl eval fruit.trawl queries.jsonl cut.gz
exits 2 && err_lines 1 && err_has "cut.gz"
claim "a_gzip_file_that_was_cut_is_named"

# ---- what is wrong is told, with the line, and costs one line
bad_queries() { printf "$1" >bad.tsv && trawl eval fruit.trawl bad.tsv qrels; }
bad_qrels() { printf "$1" >bad.qrels && trawl eval fruit.trawl queries.tsv bad.qrels; }
bad_queries '1\tapple\nno tab\n2\tcherry\n'
exits 0 && err_lines 1 && err_has "bad.tsv:2: " && out_matches '^ +2 queries averaged' && out_has "1 bad lines passed over"
claim "a_query_without_a_tab_is_named_and_passed_over"
trawl eval fruit.trawl bad.tsv qrels --strict
exits 2 && err_lines 1 && err_has "bad.tsv:2: " && [ ! -s .out ]
claim "strict_makes_it_an_error"
bad_queries '1\tapple\n2\tx\n1\ty\n'
exits 0 && err_has "bad.tsv:3: " && err_has "line 1"
claim "a_query_id_given_twice_is_named"
bad_queries 'no tab\nnor here\n'
exits 2 && err_has "holds no query"
claim "queries_of_which_nothing_is_left_are_an_error"
bad_qrels '1 0 a 1\n1 0 b\n'
exits 0 && err_lines 1 && err_has "bad.qrels:2: " && out_has "MAP       1.0000"
claim "a_judgement_with_three_words_is_named"
bad_qrels '1 0 a yes\n'
exits 2 && err_has "bad.qrels:1: " && err_has "holds no judgement"
claim "a_relevance_that_is_no_number_is_named"
bad_qrels '1 0 a 1\n1 0 a 0\n'
exits 0 && err_has "bad.qrels:2: " && err_has "line 1" && out_has "MAP       1.0000"
claim "contradicting_judgements_are_named"
trawl eval fruit.trawl queries.tsv bad.qrels --strict
exits 2 && err_has "bad.qrels:2: "
claim "strict_refuses_them"
{ printf '1 0 a 1\n'; seq 100 | sed 's/.*/1 0 x&/'; } >bad.qrels
trawl eval fruit.trawl queries.tsv bad.qrels
exits 0 && err_lines 11 && err_has "90 more lines"
claim "of_many_bad_lines_the_first_are_told_and_the_rest_counted"
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
# ---- a query that is too long fails alone
{
	printf '1\tapple\n2\t'
	head -c 9000 /dev/zero | tr '\0' x
} >long.tsv
trawl eval fruit.trawl long.tsv qrels --per-query
exits 0 && err_lines 1 && err_matches '^trawl: long.tsv:2: .*8192' && out_matches '^1 +2 +3 +0.2500' && out_has "1 queries refused"
claim "a_query_of_one_endless_word_counts_as_without_hits"
{
	printf '1\tapple\n2\tcherry '
	seq 3000 | sed 's/^/w/' | tr '\n' ' '
} >long.tsv
trawl eval fruit.trawl long.tsv qrels --per-query
exits 0 && err_lines 1 && err_matches '^trawl: long.tsv:2: .*only its first [0-9]+ of [0-9]+ bytes count' && out_matches '^2 +1 +2 +1.0000' && out_has "1 queries too long"
claim "the_beginning_of_a_query_that_is_too_long_counts"
{
	printf '2\t'
	seq 1023 | sed 's/^/w/' | tr '\n' ' '
	printf 'cherry grape\n'
} >edge.tsv
trawl eval fruit.trawl edge.tsv qrels --trec run
exits 0 && err_lines 1 && grep -q ' d 1 ' run
[ "$(cut -d' ' -f3 run | sort | tr '\n' ,)" = "d,e," ]
claim "exactly_as_many_words_count_as_are_allowed"
for arguments in "" "fruit.trawl queries.tsv" "-n 0 fruit.trawl queries.tsv qrels" "--k1 -1 fruit.trawl queries.tsv qrels" \
	"--no-such fruit.trawl queries.tsv qrels" "--trec" "--strict"; do
	trawl eval $arguments
	exits 2 && err_lines 1 && [ ! -s .out ]
	claim "wrong_usage_is_told: eval $arguments"
done
trawl eval --help
exits 0 && out_has "trawl eval scifact.trawl queries.tsv qrels"
claim "help_teaches_by_example"
finish
