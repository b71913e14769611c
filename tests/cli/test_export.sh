#!/usr/bin/env bash
# trawl export: what comes out goes in again.
. "$(dirname "$0")/lib.sh"
make_news indexed

# ids FILE: the ids of exported lines, in order.
ids() { sed 's/^{"id":"\([^"]*\)".*/\1/' "$1" | tr '\n' ' '; }

trawl export news.trawl
cp .out exported.jsonl
exits 0 && silent && out_lines 5 && [ "$(ids .out)" = "n1 n2 n3 n4 n 5 " ]
claim "export_writes_a_line_for_each_document_in_order"
out_has '{"id":"n2","title":"Drought","text":"No rain fell in the south. The plain was dry.","year":1999,"tags":["dry","hot"]}'
claim "export_puts_further_fields_beside_the_others"
trawl index -q again.trawl exported.jsonl
trawl export again.trawl
exits 0 && cmp -s .out exported.jsonl
claim "export_of_an_index_made_of_an_export_is_the_same"

# A corpus of three topics, mixed, so that --order similar moves documents; words repeat, so that scores do.
awk 'BEGIN { srand(7); for (i = 0; i < 600; i++) { topic = i % 3; text = "";
             for (w = 0; w < 12; w++) text = text " t" topic "w" int(rand() * rand() * 40);
             printf "{\"id\":\"d%d\",\"title\":\"number %d\",\"text\":\"%s\"}\n", i, i % 7, text } }' >mixed.jsonl
for i in $(seq 0 39); do echo "t$((i % 3))w$i t0w1 t1w2"; done >words
results() { "$TRAWL" search --stable-ties --json -n 20 "$1" <words; }
trawl index -q --order similar similar.trawl mixed.jsonl
trawl export similar.trawl
cp .out similar.jsonl
exits 0 && out_lines 600 && ! cmp -s <(ids similar.jsonl) <(ids mixed.jsonl) && cmp -s <(sort similar.jsonl) <(sort mixed.jsonl)
claim "export_of_a_reordered_index_is_the_reordered_corpus"
trawl index -q back.trawl similar.jsonl
results similar.trawl >expected
results back.trawl >found
[ "$(grep -o '"rank"' expected | wc -l)" -gt 400 ] && cmp -s expected found
claim "an_index_of_the_export_gives_the_same_results"
trawl export --order input similar.trawl
exits 0 && cmp -s .out mixed.jsonl
claim "order_input_is_the_order_of_addition"
trawl export back.trawl
exits 0 && cmp -s .out similar.jsonl
claim "the_docids_of_that_index_are_those_of_the_reordered_one"

# ---- deletions and several segments
sed -n '1~3s/number/changed/p' mixed.jsonl >changed.jsonl
trawl index -q --order similar similar.trawl changed.jsonl
trawl export --order input similar.trawl
exits 0 && out_lines 600 && [ "$(grep -c '"title":"changed' .out)" = 200 ] && [ "$(ids .out | tr ' ' '\n' | sort | uniq -d | grep -c .)" = 0 ]
claim "a_replaced_document_comes_once_and_as_it_is_now"
cp .out all.jsonl
trawl export similar.trawl
exits 0 && cmp -s <(sort .out) <(sort all.jsonl)
claim "both_orders_have_the_same_documents"

# ---- odd documents
printf '%s\n' '{"id":"\u0000\"\\","text":"tab\there \u0007 \u001b[31m \u202e \u2028 é 東 🎣","title":"\r\n","a" : { } , "b":"\\\"}" }' \
	'{"id":"plain","text":"x","e":[1.50,-0e0,null]}' '{"id":"bare","text":""}' >odd.jsonl
trawl index -q odd.trawl odd.jsonl
trawl export odd.trawl
cp .out odd1.jsonl
exits 0 && out_lines 3 && ! grep -q $'\x1b' .out && out_has '"e":[1.50,-0e0,null]}'
claim "odd_bytes_are_escaped_and_numbers_stay_as_written"
out_has '{"id":"bare","title":"","text":""}'
claim "a_document_without_further_fields_has_no_comma_at_the_end"
if have python3 "odd_documents_come_out_as_they_went_in"; then
	python3 - <<'END'
import json
before, after = ([json.loads(line) for line in open(name, encoding="utf-8")] for name in ("odd.jsonl", "odd1.jsonl"))
assert [dict({"title": ""}, **d) for d in before] == after
END
	claim "odd_documents_come_out_as_they_went_in"
fi
trawl index -q odd2.trawl odd1.jsonl
trawl export odd2.trawl
exits 0 && cmp -s .out odd1.jsonl
claim "odd_documents_make_the_round_trip"

printf '{"url":"u1","body":"words","id":7,"text":"no body"}\n' >pages.jsonl
trawl index -q --id url --text body pages.trawl pages.jsonl
trawl export --id url --text body pages.trawl
exits 0 && [ "$(cat .out)" = '{"url":"u1","title":"","body":"words","id":7,"text":"no body"}' ]
claim "the_fields_have_the_names_asked_for"

# ---- what is wrong is told
trawl export nowhere.trawl
exits 2 && err_has "nowhere.trawl" && [ ! -s .out ]
claim "export_names_a_missing_index"
for arguments in "news.trawl more" "--order similar news.trawl" "--id x --text x news.trawl" "--order"; do
	trawl export $arguments
	exits 2 && err_lines 1 && [ ! -s .out ]
	claim "wrong_usage_is_told: export $arguments"
done
if [ -e /dev/full ]; then
	"$TRAWL" export similar.trawl >/dev/full 2>.err
	status=$?
	exits 2 && err_has "standard output"
	claim "an_export_that_could_not_be_written_is_an_error"
fi
"$TRAWL" export similar.trawl | head -1 >one
[ "$(wc -l <one)" = 1 ]
claim "a_reader_may_stop_early"
finish
