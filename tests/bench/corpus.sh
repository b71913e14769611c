# corpus.sh - for the tests of `trawl bench` and `trawl eval`: five documents of four words each, so that every score
# can be worked out by hand: the length factor of BM25 is 1, and with k1 = 0.9 a term adds idf * tf / (tf + 0.9).
. "$(dirname "$0")/../cli/lib.sh"

cat >fruit.jsonl <<'END'
{"id": "a", "text": "apple apple apple pear"}
{"id": "b", "text": "apple apple plum pear"}
{"id": "c", "text": "apple plum plum pear"}
{"id": "d", "text": "cherry cherry cherry cherry"}
{"id": "e", "text": "cherry plum grape fig"}
END
trawl index fruit.trawl fruit.jsonl
exits 0
claim "the_corpus_of_the_tests_is_indexed"

# valid_json FILE: python's judgement.
valid_json() { python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$1"; }

# json FILE EXPRESSION: evaluate a Python expression in which `j` is the object.
json() { python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }
