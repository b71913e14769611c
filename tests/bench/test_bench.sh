#!/usr/bin/env bash
# `trawl bench`: figures for every tag, and a hash that gives away a wrong answer.
. "$(dirname "$0")/corpus.sh"

cat >queries.jsonl <<'END'
{"query": "apple", "tags": ["term"]}
{"query": "apple cherry", "tags": ["union", "union:num_tokens_2"]}
{"query": "+apple +plum", "tags": ["intersection", "two words"], "note": "ignored"}
{"query": "\"plum pear\"", "tags": ["phrase"]}

{"query": "nowhere"}
grape
END
hash_of() { sed -n 's/^results   \([0-9a-f]\{16\}\),.*/\1/p' .out; }

trawl bench fruit.trawl queries.jsonl --rounds 4 --warmup 1
exits 0 && silent && out_has "queries.jsonl: 6, 6 tags; best 10 hits" && out_has "fruit.trawl: 5 documents"
claim "a_run_tells_what_was_measured"
out_matches '^term +1 ' && out_matches '^union:num_tokens_2 +1 ' && out_matches '^two words +1 ' && out_matches '^all +6 '
claim "every_tag_has_a_line_and_all_has_the_last"
[ "$(grep -nE '^(phrase|union:num)' .out | head -2 | cut -d: -f2 | awk '{ print $1 }' | tr '\n' ' ')" = "phrase union " ]
claim "tags_that_lead_a_query_come_before_the_others"
if out_has "branch misses"; then
	out_matches '^a query +cycles' && out_matches '^all +[1-9][0-9]* '
	claim "counters_are_told"
else
	[ "$(grep -c '^counters  not available: .' .out)" = 1 ]
	claim "missing_counters_are_told_once_with_the_reason"
fi
printf '{"query": "apple", "tags": ["%s", "とても長い日本語のタグの名前ですから短くします", "a\\u001bb"]}\n' "$(head -c 300 /dev/zero | tr '\0' t)" >"$(head -c 200 /dev/zero | tr '\0' q).jsonl"
run "$TRAWL" bench fruit.trawl q*q.jsonl --rounds 1 --k1 1.2 --b 0.75 --stable-ties --count --pin 0
[ "$(LC_ALL=C.UTF-8 wc -L <.out)" -le 100 ] && out_has "とても長…" && out_matches '^tttttttt.*…tttttttt' && out_has "qqqq…qqqq"
claim "a_report_is_a_hundred_columns_wide_whatever_the_names"
run "$TRAWL" bench fruit.trawl q*q.jsonl --rounds 1 --threads 2
[ "$(LC_ALL=C.UTF-8 wc -L <.out)" -le 100 ]
claim "so_is_one_of_threads"
rm q*q.jsonl
trawl bench fruit.trawl queries.jsonl --rounds 4 --warmup 1
out_has "the same in every round"
claim "results_are_the_same_in_every_round"

first=$(hash_of)
[ ${#first} -eq 16 ]
claim "the_hash_has_sixteen_digits"
trawl bench fruit.trawl queries.jsonl --rounds 1 --warmup 0
[ "$(hash_of)" = "$first" ]
claim "the_hash_depends_on_no_rounds"
TRAWL_KERNEL=scalar trawl bench fruit.trawl queries.jsonl --rounds 1
[ "$(hash_of)" = "$first" ]
claim "the_hash_is_the_same_for_the_scalar_kernel"
for options in "--top 1" "--count" "--k1 1.2" "--b 1 --k1 3"; do
	trawl bench fruit.trawl queries.jsonl --rounds 1 $options
	# b changes nothing where all documents are equally long, but k1 does.
	exits 0 && [ -n "$(hash_of)" ] && [ "$(hash_of)" != "$first" ]
	claim "the_hash_sees_$(tr -dc 'a-z0-9' <<<"$options")"
done
trawl bench fruit.trawl queries.jsonl --rounds 1 --command TOP_10_COUNT
with_command=$(hash_of)
trawl bench fruit.trawl queries.jsonl --rounds 1 --count --top 10
[ "$(hash_of)" = "$with_command" ]
claim "a_command_stands_for_top_and_count"

if have python3 "json_is_one_object_with_every_tag"; then
	trawl bench fruit.trawl queries.jsonl --json --command COUNT --rounds 3
	exits 0 && [ "$(json .out 'len(j["tags"]), j["all"]["queries"], j["options"]["top"], j["same_results"]')" = "(6, 6, 0, True)" ]
	claim "json_is_one_object_with_every_tag"
	# apple 3, apple cherry 5, +apple +plum 2, "plum pear" 2, nowhere 0, grape 1: 13 matches in 6 queries.
	[ "$(json .out 'round(j["all"]["matches_per_query"] * 6)')" = 13 ]
	claim "matches_are_a_mean_over_the_queries"
	[ "$(json .out '[t["postings_per_query"] for t in j["tags"] if t["tag"] == "union"]')" = "[5.0]" ]
	claim "postings_are_those_of_the_query_s_terms"
	[ "$(json .out 'all(t["latency_us"]["p50"] <= t["latency_us"]["p90"] <= t["latency_us"]["p99"] <= t["latency_us"]["max"] for t in j["tags"] + [j["all"]])')" = True ]
	claim "percentiles_ascend"
	[ "$(json .out 'j["counters_unavailable"] is None or j["all"]["counters"] is None')" = True ]
	claim "json_has_null_for_missing_counters"
	trawl bench fruit.trawl queries.jsonl --json --rounds 1
	[ "$(json .out 'j["all"]["matches_per_query"]')" = None ]
	claim "json_has_null_for_matches_that_were_not_counted"
fi

printf 'apple\n"plum pear\n' | trawl bench fruit.trawl - --rounds 1
exits 0 && out_has "-: 2, 0 tags"
claim "plain_queries_come_from_standard_input"
printf '{"query": "apple", "filter": "cherry"}\n{"query": "apple", "filter": "-cherry"}\n' >filtered.jsonl
printf 'apple\n' >unfiltered.txt
run "$TRAWL" bench fruit.trawl filtered.jsonl --rounds 1 --json
cp .out filtered.json
run "$TRAWL" bench fruit.trawl unfiltered.txt --rounds 1 --json
[ "$(json filtered.json '2 * j["all"]["hits_per_query"]')" = "$(json .out 'j["all"]["hits_per_query"]')" ]
claim "a_query_may_have_a_filter"
trawl bench fruit.trawl queries.jsonl --rounds 1 --pin 0
exits 0 && out_has "on processor 0"
claim "a_run_can_be_pinned"

# ---- threads
trawl bench fruit.trawl queries.jsonl --threads 4,2,4 --rounds 50
exits 0 && silent && [ "$(hash_of)" = "$first" ] && out_has "the same for every number of threads"
claim "threads_find_what_one_thread_finds"
[ "$(awk '/^threads/ { on = 1; next } /^$/ { on = 0 } on { print $1 }' .out | tr '\n' ' ')" = "1 2 4 " ] && out_matches '^ +1 +[0-9]+ +1\.00 '
claim "each_number_of_threads_has_a_line_and_one_thread_is_the_first"
if have python3 "json_has_the_figures_of_threads"; then
	trawl bench fruit.trawl queries.jsonl --threads 3 --rounds 7 --warmup 0 --json --count
	exits 0 && [ "$(json .out '[(t["threads"], t["searches"], t["same_results"]) for t in j["threads"]], j["same_results"], j["options"]["count"]')" = "([(1, 42, True), (3, 42, True)], True, True)" ]
	claim "json_has_the_figures_of_threads"
	[ "$(json .out 'j["threads"][0]["scaling"], all(t["queries_per_second"] > 0 and t["latency_us"]["p50"] <= t["latency_us"]["p99"] <= t["latency_us"]["max"] for t in j["threads"])')" = "(1.0, True)" ]
	claim "scaling_is_over_one_thread"
fi
printf 'apple\n' >long.jsonl
head -c 9000 /dev/zero | tr '\0' x >>long.jsonl
trawl bench fruit.trawl long.jsonl --threads 2
exits 0 && err_lines 1 && err_matches '^trawl: long.jsonl:2: ' && out_has ": 1, 0 tags"
claim "a_query_that_fails_is_named_with_threads_too"

# ---- pictures
trawl bench fruit.trawl queries.jsonl --rounds 1 --plot times.svg
exits 0 && grep -q '^<svg ' times.svg && grep -q '>phrase<' times.svg && ! grep -q '>two words<' times.svg
claim "the_picture_draws_the_leading_tags"
if have python3 "the_picture_is_well_formed"; then
	printf '{"query": "apple", "tags": ["<a&b>\\u0001\\"", "é"]}\n' >odd.jsonl
	trawl bench fruit.trawl odd.jsonl --rounds 1 --plot odd.svg
	exits 0 && python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("odd.svg"); xml.dom.minidom.parse("times.svg")'
	claim "the_picture_is_well_formed"
	! grep -q "$(printf '\001')" .out
	claim "a_tag_does_not_steer_the_terminal"
fi
if have rsvg-convert "a_picture_can_be_a_png"; then
	trawl bench fruit.trawl queries.jsonl --rounds 1 --plot times.png
	exits 0 && [ "$(head -c 4 times.png | tail -c 3)" = PNG ]
	claim "a_picture_can_be_a_png"
fi
run env PATH=/nowhere "$TRAWL" bench fruit.trawl queries.jsonl --plot x.png
exits 2 && err_has "librsvg2-bin" && [ ! -e x.png ]
claim "a_missing_converter_is_named_before_the_measurement"
trawl bench fruit.trawl queries.jsonl --plot nowhere/x.svg
exits 2 && err_has "nowhere/x.svg" && [ ! -s .out ]
claim "a_picture_that_cannot_be_written_is_told_before_the_measurement"

# ---- what is wrong is told
while IFS='|' read -r line message; do
	printf 'apple\n%s\n' "$line" >bad.jsonl
	trawl bench fruit.trawl bad.jsonl --rounds 1
	exits 0 && err_lines 1 && err_matches '^trawl: bad.jsonl:2: ' && err_has "$message" && out_has ": 1, 0 tags"
	claim "a_bad_line_is_named_and_passed_over: $line"
	trawl bench fruit.trawl bad.jsonl --rounds 1 --strict
	exits 2 && err_lines 1 && err_matches '^trawl: bad.jsonl:2: ' && [ ! -s .out ]
	claim "strict_makes_it_an_error: $line"
done <<'END'
{"query": "x"|not JSON
{"txt": "x"}|no member "query"
{"query": 3}|no member "query"
{"query": "x", "tags": "y"}|not an array
{"query": "x", "tags": [1]}|not an array
{"query": "x", "tags": [""]}|not an array
END
printf 'apple\n' >long.jsonl
head -c 9000 /dev/zero | tr '\0' x >>long.jsonl
trawl bench fruit.trawl long.jsonl
exits 0 && err_lines 1 && err_matches '^trawl: long.jsonl:2: ' && out_has ": 1, 0 tags"
claim "a_query_that_fails_is_named_and_left_out"
{ printf '{"query": "apple", "tags": ["short"]}\n{"query": "plum '; seq 3000 | sed 's/^/w/' | tr '\n' ' '; printf '", "tags": ["long"]}\n'; head -c 9000 /dev/zero | tr '\0' x; } >long.jsonl
trawl bench fruit.trawl long.jsonl
exits 0 && err_lines 2 && err_matches '^trawl: long.jsonl:2: .*only its first' && err_matches '^trawl: long.jsonl:3: ' && out_has ": 2, 2 tags"
claim "the_beginning_of_a_query_that_is_too_long_is_measured"
printf '{"query": "%s", "tags": ["gone"]}\n' "$(head -c 9000 /dev/zero | tr '\0' x)" >refused.jsonl
trawl bench fruit.trawl refused.jsonl
exits 2 && err_has "holds no query that can be searched"
claim "a_file_of_refused_queries_is_an_error"
{ cat refused.jsonl; printf '{"query": "apple", "tags": ["kept"]}\n'; } >mixed.jsonl
trawl bench fruit.trawl mixed.jsonl
exits 0 && out_has ": 1, 1 tag;" && out_has kept && ! out_has gone
claim "the_tags_of_refused_queries_are_gone"
printf '{"_id": "1", "text": "apple plum"}\r\n' | gzip >beir.jsonl.gz
trawl bench fruit.trawl beir.jsonl.gz --rounds 1
exits 0 && silent && out_has ": 1, 0 tags"
claim "compressed_files_and_beir_s_queries_are_read"
: >empty.jsonl
trawl bench fruit.trawl empty.jsonl
exits 2 && err_has "empty.jsonl holds no query"
claim "a_file_without_queries_is_an_error"
for i in $(seq 300); do printf '{"query": "x", "tags": ["t%d"]}\n' "$i"; done >tags.jsonl
trawl bench fruit.trawl tags.jsonl
exits 2 && err_matches '^trawl: tags.jsonl:257: '
claim "too_many_tags_are_refused"
trawl bench nowhere.trawl queries.jsonl
exits 2 && err_has "nowhere.trawl" && err_lines 1
claim "a_missing_index_is_named"
trawl bench fruit.trawl nowhere.jsonl
exits 2 && err_has "nowhere.jsonl" && err_lines 1
claim "a_missing_file_of_queries_is_named"
for arguments in "" "fruit.trawl" "fruit.trawl queries.jsonl more" "--rounds 0 fruit.trawl queries.jsonl" \
	"-n 10001 fruit.trawl queries.jsonl" "-n 0 fruit.trawl queries.jsonl" "--k1 x fruit.trawl queries.jsonl" \
	"--b 2 fruit.trawl queries.jsonl" "--command FOO fruit.trawl queries.jsonl" "--no-such fruit.trawl queries.jsonl" \
	"--command COUNT --top 3 fruit.trawl queries.jsonl" "--plot x.gif fruit.trawl queries.jsonl" \
	"--protocol tag fruit.trawl" "--rounds" "--threads 0 fruit.trawl queries.jsonl" "--threads 2, fruit.trawl queries.jsonl" \
	"--threads 2 --pin 0 fruit.trawl queries.jsonl" "--threads 2 --plot x.svg fruit.trawl queries.jsonl" "--pin 9999 fruit.trawl queries.jsonl"; do
	trawl bench $arguments
	exits 2 && err_lines 1 && [ ! -s .out ]
	claim "wrong_usage_is_told: bench $arguments"
done
if [ -e /dev/full ]; then
	"$TRAWL" bench fruit.trawl queries.jsonl --rounds 1 >/dev/full 2>.err
	status=$?
	exits 2 && err_has "standard output"
	claim "figures_that_could_not_be_written_are_an_error"
fi
trawl bench --help
exits 0 && out_has "trawl bench arxiv.trawl queries.jsonl"
claim "help_teaches_by_example"
finish
