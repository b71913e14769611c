# The sample corpus is what its generator writes.
. "$(dirname "$0")/claims.sh"
samples=$top/samples

names_are_plain()
{
	! ls "$samples/news" | grep -vE '^[a-z0-9-]+\.txt$'
}

claim "there are 200 sample articles or more" test "$(ls "$samples/news" | wc -l)" -ge 200
claim "the samples take less than a megabyte" test "$(cat "$samples/news"/* | wc -c)" -lt 1000000
claim "sample file names are plain" names_are_plain
claim "no slot of a story was left unfilled" bash -c "! grep -n '[{}<>]' '$samples/news'/*"
claim "no first line is empty" bash -c "! head -qn 1 '$samples/news'/* | grep -nx ' *'"
claim "the samples have both kinds of curly quotation marks" bash -c \
	"grep -q '“' '$samples/news'/* && grep -q '’s' '$samples/news'/* && grep -q '£' '$samples/news'/*"
if command -v python3 >/dev/null; then
	# Another hash seed, as an order that came from a set or a dictionary of strings would change with it.
	PYTHONHASHSEED=1 python3 "$samples/generate.py" "$tmp/news" >"$tmp/out" 2>&1
	claim "the generator writes the committed samples, to the byte" diff -r "$samples/news" "$tmp/news"
	claim "every sample query is a JSON object with a query and tags" python3 -c "
import json
rows = [json.loads(line) for line in open('$samples/queries.jsonl', encoding='utf-8')]
assert len(rows) >= 30 and all(row['query'] and row['tags'] for row in rows)
assert {row['tags'][0] for row in rows} == {'term', 'union', 'intersection', 'phrase', 'negated'}"
else
	skip "the generator writes the committed samples, to the byte" "no python3"
	skip "every sample query is a JSON object with a query and tags" "no python3"
fi
# A query that finds nothing tells nothing.
"$TRAWL" index "$tmp/s.trawl" "$samples/news" >"$tmp/out" 2>&1
while IFS= read -r line; do
	query=$(sed 's/^{"query": "\(.*\)", "tags".*/\1/; s/\\"/"/g' <<<"$line")
	claim "the samples answer $query" "$TRAWL" search "$tmp/s.trawl" -- "$query"
done <"$samples/queries.jsonl"
