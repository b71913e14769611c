#!/usr/bin/env bash
# bench/curves.py: figures for each size, as a page, JSON, and pictures. bench/startup.py: the time until the first answer. And the
# tests of the peers' runner.
. "$(dirname "$0")/../cli/lib.sh"

top=${TRAWL_TOP:-}
generate=${BUILD:-$(dirname "$TRAWL")}/corpus_gen
if [ -z "$top" ] || [ ! -x "$generate" ] || ! have python3 "curves_measure_every_size"; then
	[ -x "$generate" ] || skip "curves_measure_every_size" "corpus_gen is not built"
	finish
fi
curves() { run "$top/bench/curves.py" --trawl "$TRAWL" --generator "$generate" --rounds 1 "$@"; }

curves --sizes 100,1k --query-count 40 --out drawn
exits 0 && out_has "The documents and queries are synthetic" && out_matches '^\| 100 \| ' && out_matches '^\| 1000 \| ' && cmp -s .out <(cat drawn/curves.md; echo)
claim "curves_measure_every_size_and_tell_what_is_synthetic"
python3 - <<'END'
import json, xml.dom.minidom
run = json.load(open("drawn/curves.json"))
assert run["synthetic"] and [size["documents"] for size in run["sizes"]] == [100, 1000]
for size in run["sizes"]:
    assert size["seconds"] > 0 and size["cpu_seconds"] > 0 and size["peak_bytes"] > 1 << 20 and size["index"]["file_bytes"] > 0
    assert set(size["microseconds"]) == {"TOP_10", "COUNT"}
    for cells in size["microseconds"].values():
        assert set(cells) == {"term", "intersection", "phrase", "union", "verbose", "intersection_union", "negated", "all"}
        assert all(0 < cell["p50"] <= cell["p99"] for cell in cells.values())
for name in "time memory size latency-TOP_10-mean latency-TOP_10-p99 latency-COUNT-mean latency-COUNT-p99".split():
    picture = xml.dom.minidom.parse("drawn/%s.svg" % name)
    assert len(picture.getElementsByTagName("polyline")) > 4, name
END
claim "json_and_pictures_have_all_sizes"
[ -z "$(ls drawn | grep '\.trawl')" ]
claim "no_index_is_left"

"$generate" --documents 250 | gzip >corpus.jsonl.gz
printf '{"query": "bab", "tags": ["term"]}\n' >queries.jsonl
curves --corpus corpus.jsonl.gz --queries queries.jsonl --sizes 100,200,1k,2k --out cut --commands TOP_10 --keep
exits 0 && ! out_has "synthetic" && out_has "corpus.jsonl.gz" && [ "$(grep -cE '^\| (100|200|250) \| ' .out)" = 6 ] && [ -e cut/curve-1000.trawl ]
claim "a_corpus_is_cut_at_the_sizes_as_far_as_it_goes"

for arguments in "--sizes 0" "--sizes 5x" "--corpus corpus.jsonl.gz" "--frob"; do
	curves --out wrong $arguments
	exits 2 && [ ! -s .out ] && [ ! -e wrong ]
	claim "wrong_usage_is_told: curves.py $arguments"
done
curves --sizes 10 --out wrong --index-options=--no-such-option
exits 2 && err_has "indexing 10 documents failed"
claim "a_failed_step_is_told"

# ---- bench/startup.py
"$generate" --documents 3000 >corpus.jsonl
trawl index -q drawn.trawl corpus.jsonl
run "$top/bench/startup.py" --trawl "$TRAWL" --index drawn.trawl --query bab --runs 3 --cold-runs 2 --cold advise --rare 20 --json startup.json
exits 0 && [ "$(grep -cE '^\| trawl search \| [32] \| ' .out)" = 2 ] && out_has "posix_fadvise" && out_matches '^20 words with [0-9.]+ documents'
claim "startup_is_told_warm_cold_and_of_an_open_handle"
python3 - <<'END'
import json
run = json.load(open("startup.json"))
for figures in (run["warm"], run["cold"]):
    assert set(figures) == {"an empty process", "trawl search", "trawl driver"}
    assert all(0 < f["min"] <= f["median"] <= f["p99"] for f in figures.values())
assert run["rare"]["queries"] == 20 and 1 <= run["rare"]["postings"] <= 100
END
claim "startup_json_has_all_figures"
run "$top/bench/startup.py" --trawl "$TRAWL" --index nowhere.trawl --runs 1
exits 2 && err_has "trawl search gave no answer"
claim "a_search_without_an_answer_is_told"

run python3 "$top/bench/peers/test_peers.py"
exits 0 && err_matches '^OK$'
claim "the_runner_of_the_peers_passes_its_own_tests"
finish
