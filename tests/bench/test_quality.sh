#!/usr/bin/env bash
# How good the results are on public test collections, against figures published for BM25 with k1 0.9 and b 0.4.
shared=$(realpath -m "${TRAWL_SHARED:-$(dirname "$0")/../../../shared}")/corpora
. "$(dirname "$0")/../cli/lib.sh"

# quality COLLECTION FIGURE LEAST: index it and compare.
quality()
{
	local name=$1 figure=$2 least=$3 value
	local text="${name}_has_a_${figure}_of_$least"
	if [ ! -r "$shared/$name/qrels" ]; then
		skip "$text" "the collection is not in $(basename "$(dirname "$shared")")/corpora"
		return
	fi
	trawl index -q "$name.trawl" "$shared/$name/corpus.jsonl"
	trawl eval "$name.trawl" "$shared/$name/queries.tsv" "$shared/$name/qrels"
	value=$(awk -v figure="$figure" '$1 == figure { print $2 }' .out)
	exits 0 && awk -v value="$value" -v least="$least" 'BEGIN { exit !(value >= least) }'
	claim "$text (is: $value)"
}

quality scifact nDCG@10 0.675   # published: 0.679
quality cacm MAP 0.305          # published: 0.312
quality cranfield MAP 0.255     # an unstemmed BM25
finish
