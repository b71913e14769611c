#!/usr/bin/env bash
# trawl show and trawl stats.
. "$(dirname "$0")/lib.sh"
make_news indexed

trawl show news.trawl n1
exits 0 && silent && [ "$(head -3 .out)" = "Rain in Spain

The rain in Spain stays mainly in the plain. Farmers were pleased." ]
claim "show_prints_title_blank_line_and_text"
trawl show news.trawl n4
exits 0 && [ "$(cat .out)" = "A document without a title tells of olives." ]
claim "show_prints_no_blank_line_for_a_missing_title"
trawl show news.trawl n2
exits 0 && out_has '"year":1999' && out_has '"tags":["dry","hot"]'
claim "show_prints_further_fields"
trawl show --json news.trawl n2 'n 5'
exits 0 && out_lines 2 && out_has '{"id":"n2","title":"Drought","text":"No rain fell in the south. The plain was dry.","fields":{"year":1999,"tags":["dry","hot"]}}'
claim "show_json_is_an_object_a_line_with_the_fields_as_they_were"
trawl show news.trawl nowhere
exits 1 && [ ! -s .out ] && err_has "nowhere"
claim "show_of_an_unknown_id_exits_1"
trawl show news.trawl nowhere n3
exits 1 && out_has "Harvest"
claim "show_goes_on_after_an_unknown_id"
trawl show news.trawl ''
exits 1 || exits 2
claim "show_of_an_empty_id_is_no_crash"

printf '{"id":"-d","text":"a \\u001b[31m b"}\n' >dash.jsonl
trawl index -q dash.trawl dash.jsonl
trawl show dash.trawl -- -d
exits 0 && out_has $'a \x1b[31m b'
claim "show_gives_a_file_the_stored_bytes"
if have script "show_is_safe_on_a_terminal"; then
	run script -qec "'$TRAWL' show dash.trawl -- -d" /dev/null </dev/null
	exits 0 && ! out_has $'\x1b' && out_has $'\xef\xbf\xbd[31m'
	claim "show_is_safe_on_a_terminal"
fi

trawl stats news.trawl
exits 0 && silent && out_matches '^documents +5$' && out_matches '^analysis +english' && out_has "bits a posting" && out_has "bits a token" && out_has "bytes a term" && out_matches 'total +[0-9,]+ +100\.0%'
claim "stats_tells_documents_analysis_and_the_weight_of_parts"
trawl stats --json news.trawl
exits 0 && out_lines 1 && out_has '"documents":5,"deleted":0,' && out_has '"generation":1,' && out_has '"bytes":{"'
claim "stats_json_is_one_object"
if have python3 "stats_json_is_complete"; then
	python3 - <<'END'
import json, os
s = json.load(open(".out"))
want = ("documents deleted terms postings tokens text_bytes file_bytes free_bytes segments generation language bigram_lists "
        "bigram_postings stop_words fold_diacritics positions bigrams bytes bits segment_list").split()
assert list(s) == want, list(s)
documents = [json.loads(line) for line in open("news.jsonl")]
assert s["text_bytes"] == sum(len((d["title"] + d["text"]).encode()) for d in documents), s["text_bytes"]
assert s["file_bytes"] == os.path.getsize("news.trawl"), s["file_bytes"]
per = {"documents": "document", "hashes": "document", "ids": "document", "lengths": "document", "postings": "posting",
       "positions": "token", "dictionary": "term"}
assert {part: of["per"] for part, of in s["bits"].items()} == per, s["bits"]
for part, unit in per.items():
    assert abs(s["bits"][part]["bits"] - 8 * s["bytes"][part] / s[unit + "s"]) < 0.001, part
assert s["segment_list"] == [{"number": 1, "documents": 5, "deleted": 0, "text_bytes": s["text_bytes"],
                              "bytes": sum(s["bytes"].values())}], s["segment_list"]
assert sum(s["bytes"].values()) + s["free_bytes"] <= s["file_bytes"]
END
	claim "stats_json_is_complete_and_agrees_with_the_file"
fi
sed 's/olives/figs/' news.jsonl >changed.jsonl
trawl index -q news.trawl changed.jsonl
trawl stats --json news.trawl
exits 0 && out_has '"documents":5,' && out_has '"generation":2,'
claim "stats_counts_living_documents_and_commits"
trawl stats news.trawl
exits 0 && out_matches '^  1 +5 documents +1 deleted' && out_matches '^  2 +1 documents +0 deleted'
claim "stats_lists_segments"
trawl stats news.trawl extra
exits 2
claim "stats_takes_one_index"
finish
