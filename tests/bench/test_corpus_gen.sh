#!/usr/bin/env bash
# `corpus_gen`: the same seed gives the same documents, which look like text; and queries that they answer.
. "$(dirname "$0")/../cli/lib.sh"

generate=${BUILD:-$(dirname "$TRAWL")}/corpus_gen
if [ ! -x "$generate" ]; then
	skip "corpus_gen_draws_documents" "corpus_gen is not built"
	finish
fi

run "$generate" --documents 2000
cp .out corpus.jsonl
exits 0 && silent && out_lines 2000 && out_matches '^\{"id":"d0","title":"[A-Z][a-z .]+","text":"[A-Z][A-Za-z ,.]+\."\}$'
claim "documents_are_lines_of_id_title_and_text"
run "$generate" --documents 2000 --seed 1
exits 0 && cmp -s .out corpus.jsonl
claim "the_same_seed_draws_the_same_documents"
run "$generate" --documents 300
exits 0 && head -300 corpus.jsonl | cmp -s - .out
claim "a_smaller_corpus_is_the_beginning_of_a_larger_one"
run "$generate" --documents 300 --seed 2
exits 0 && [ "$(cat .out corpus.jsonl | sed 's/.*"text"//' | sort | uniq -d | wc -l)" -lt 3 ]
claim "another_seed_draws_others"
run "$generate" --documents 300 --mean-length 20
exits 0 && words=$(wc -w <.out) && [ "$words" -gt $((300 * 15)) ] && [ "$words" -lt $((300 * 25)) ]
claim "the_mean_length_is_the_one_asked_for"

if have python3 "the_words_are_distributed_as_in_text"; then
	cat >check.py <<'END'
import collections, json, re
documents = [json.loads(line) for line in open("corpus.jsonl")]
assert [d["id"] for d in documents] == ["d%d" % i for i in range(2000)]
words = [re.findall("[a-z]+", (d["title"] + " " + d["text"]).lower()) for d in documents]
tokens = sum(map(len, words))
assert 120 < tokens / 2000 < 170, tokens
# Half of the words are the first few hundred ones, and new ones keep coming: ten times the text has about thrice the vocabulary.
counts = collections.Counter(word for document in words for word in document)
assert 0.05 < counts.most_common(1)[0][1] / tokens < 0.08
assert 0.6 < sum(n for _, n in counts.most_common(400)) / tokens < 0.75
growth = len(counts) / len({word for document in words[:200] for word in document})
assert 2.5 < growth < 4, growth
# Documents repeat themselves.
assert 0.5 < sum(len(set(document)) for document in words) / tokens < 0.65
# Pairs of rarer words recur in other documents; shuffled, hardly any would.
common = {word for word, _ in counts.most_common(100)}
pairs = collections.Counter(pair for document in words for pair in set(zip(document, document[1:])) if not common & set(pair))
assert sum(n for n in pairs.values() if n >= 5) / tokens > 0.02
END
	python3 check.py
	claim "the_words_are_distributed_as_in_text"
fi

run "$generate" --documents 2000 --queries 200
cp .out queries.jsonl
exits 0 && silent && [ "$(wc -l <.out)" -ge 195 ] && [ "$(wc -l <.out)" -le 220 ]
claim "queries_are_about_as_many_as_asked_for"
out_matches '^\{"query": "\+[a-z]+ \+[a-z]+", "tags": \["intersection", "intersection:num_tokens_2"\]\}$' &&
	out_matches '^\{"query": "\\"[a-z]+ [a-z]+ [a-z]+\\"", "tags": \["phrase", "phrase:num_tokens_3"\]\}$' &&
	out_matches '"tags": \["union", "verbose"\]\}$' && out_matches '"\+[a-z]+ -[a-z]+", "tags": \["negated"\]' &&
	out_matches '"\+[a-z]+ [a-z]+", "tags": \["intersection_union"\]' && out_matches '"[a-z]+", "tags": \["term"\]'
claim "queries_are_of_all_classes"
for language in english none; do
	trawl index -q --language $language $language.trawl corpus.jsonl
	sed -n 's/^{"query": "\(.*\)", "tags": \["\(term\|intersection\|phrase\|union\).*/\1/p' queries.jsonl | sed 's/\\"/"/g' >positive
	"$TRAWL" search --json -n 0 --count $language.trawl <positive >counts
	[ "$(wc -l <counts)" = "$(wc -l <positive)" ] && ! grep -q '"matches":0}' counts
	claim "every_query_has_matches_in_the_documents: $language"
done
terms() { "$TRAWL" stats --json $1.trawl | sed 's/.*"terms":\([0-9]*\).*/\1/'; }
[ "$(terms english)" = "$(terms none)" ] && [ "$(terms none)" -gt 10000 ]
claim "no_stemmer_takes_two_words_for_one"

for arguments in "" "--documents 0" "--documents x" "--documents 5 --seed -1" "--documents 5 more" "--documents" "--frob" \
	"--documents 5 --mean-length 3" "--documents 5 --queries 0"; do
	run "$generate" $arguments
	exits 2 && err_lines 1 && [ ! -s .out ]
	claim "wrong_usage_is_told: corpus_gen $arguments"
done
run "$generate" --help
exits 0 && silent && out_has "corpus_gen --documents 1000000"
claim "help_teaches_by_example"
if [ -e /dev/full ]; then
	"$generate" --documents 5 >/dev/full 2>.err
	status=$?
	exits 2 && err_has "standard output"
	claim "documents_that_could_not_be_written_are_an_error"
fi
finish
