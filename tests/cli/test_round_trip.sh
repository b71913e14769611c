#!/usr/bin/env bash
# trawl export | trawl index gives the same index, whatever bytes ids, texts and fields have; and what is printed as an id can be given.
. "$(dirname "$0")/lib.sh"

# ---- fields whose names are taken
printf '{"url":"u1","id":7,"text":"one body"}\n{"url":"u2","id":7,"text":"two body","title":"t","n":[1, 2]}\n' >p.jsonl
trawl index -q --id url x.trawl p.jsonl
trawl export x.trawl
cp .out first
exits 0 && [ "$(head -1 first)" = '{"id":"u1","title":"","text":"one body","_trawl":{"fields":{"id":7}}}' ]
claim "fields_of_a_taken_name_are_exported_in_an_object_of_their_own"
trawl index y.trawl - <first
exits 0 && out_has "(2 added" && trawl export y.trawl && cmp -s .out first
claim "and_read_back"
trawl show --json y.trawl u2
out_has '"fields":{"id":7,"n":[1, 2]}'
claim "as_the_fields_that_they_were"
trawl export --id url x.trawl
exits 0 && [ "$(head -1 .out)" = '{"url":"u1","title":"","text":"one body","id":7}' ]
claim "under_other_names_they_are_beside_the_others"
trawl export --id _trawl x.trawl
exits 2 && err_has _trawl
claim "the_reserved_name_is_no_name_for_another"

# ---- names that are not UTF-8
mkdir d
echo alpha >d/$'caf\xe9.txt'
echo alpha beta >d/$'caf\xe8.txt'
echo alpha gamma >'d/caf%E9.txt'
echo alpha delta >d/$'line\nend.txt'
printf '{"id":"d/latin","_trawl":{"title":"title %%FF","text":"alpha text %%FE"}}\n' >d/latin.jsonl
trawl index -q n.trawl d
trawl search --json --no-snippet n.trawl alpha
exits 0 && out_lines 5 && out_has '"id":"bytes:d/caf%E9.txt"' && out_has '"id":"d/caf%E9.txt"'
claim "an_id_that_is_not_text_is_printed_as_bytes"
if have python3 "each_id_printed_as_json_can_be_shown"; then
	python3 - "$TRAWL" .out <<'END'
import json, subprocess, sys
hits = [json.loads(line) for line in open(sys.argv[2])]
assert len({hit["id"] for hit in hits}) == 5
for hit in hits:
    shown = subprocess.run([sys.argv[1], "show", "--json", "n.trawl", hit["id"]], capture_output=True, check=True).stdout
    shown = json.loads(shown)
    assert shown["id"] == hit["id"] and shown["title"] == hit["title"], (shown, hit)
END
	claim "each_id_printed_as_json_can_be_shown"
fi
trawl search n.trawl beta
out_has '(bytes:d/caf%E8.txt)'
claim "and_for_people_it_is_printed_that_way_too"
trawl show n.trawl $'d/caf\xe9.txt'
exits 0 && out_has alpha
claim "the_bytes_themselves_are_an_id_too"
trawl export n.trawl
cp .out first
trawl index n2.trawl - <first
exits 0 && out_has "(5 added" && trawl export n2.trawl && cmp -s .out first && trawl show n2.trawl d/latin &&
	LC_ALL=C grep -q "^title $(printf '\xff')\$" .out
claim "export_keeps_names_and_texts_that_are_not_utf8"
trawl delete --dry-run n.trawl --query alpha
cp .out ids
exits 0 && out_lines 5 && grep -qxF 'bytes:d/line%0Aend.txt' ids && trawl delete n.trawl - <ids
out_has "deleted 5 documents"
claim "ids_of_a_dry_run_can_be_given_back_line_by_line"

printf '%s\n' '{"id":"bytes:a%41","text":"b"}' '{"id":"-","text":"dash"}' '{"id":"aA","text":"a"}' '{"id":"z\u0000y","text":"nul"}' \
	'{"id":"./s//x","text":"spelled"}' '{"id":"s/y","text":"spelled"}' >odd.jsonl
trawl index -q odd.trawl odd.jsonl
trawl show --json odd.trawl 'bytes:bytes:a%2541' bytes:aA bytes:- bytes:z%00y ./s//x ./s//y
exits 0 && out_lines 6 && [ "$(sed -n 's/.*"text":"\([a-z]*\)".*/\1/p' .out | tr '\n' ' ')" = "b a dash nul spelled spelled " ]
claim "any_id_can_be_escaped_and_a_path_spelled_in_any_way"
trawl show odd.trawl 'bytes:a%41' && out_has a && trawl delete odd.trawl bytes:- ./s/./y && out_has "deleted 2"
claim "delete_understands_the_same"
printf '{"id":"\357\273\277mark","text":"x"}\n{"id":"end\\r","text":"x"}\n' >marks.jsonl
trawl index -q marks.trawl marks.jsonl
"$TRAWL" delete --dry-run marks.trawl --query x >ids
trawl delete marks.trawl - <ids
exits 0 && out_has "deleted 2 documents"
claim "lines_lose_nothing_that_belongs_to_an_id"
printf '\357\273\277s/x\r\nu\r\n' | "$TRAWL" delete odd.trawl - >.out 2>.err
status=$?
err_has "no document with the id u" && ! err_has $'\r'
claim "lines_lose_marks_and_carriage_returns"

# ---- a line that is not as export writes it
printf '%s\n' '{"id":"a","text":"x","_trawl":{"id":"%4"}}' '{"id":"b","text":"x","_trawl":{"more":"1"}}' \
	'{"id":"c","text":"x","_trawl":{"text":7}}' '{"id":"d","text":"x","_trawl":"mine"}' '{"id":"e","text":"x","_trawl":{"id":""}}' >bad.jsonl
trawl index bad.trawl bad.jsonl
exits 0 && err_lines 4 && err_has 'bad.jsonl:1: the field "_trawl" is not as trawl export writes it' && out_has "indexed 1 document"
claim "a_reserved_field_that_says_something_else_costs_its_line"
trawl show --json bad.trawl d
out_has '"fields":{"_trawl":"mine"}' && "$TRAWL" export bad.trawl | "$TRAWL" index -q bad2.trawl - && trawl show --json bad2.trawl d && out_has '{"_trawl":"mine"}'
claim "one_that_is_no_object_is_a_field_like_others"

# ---- anything
if have python3 "random_documents_make_the_round_trip"; then
	cat >random_documents.py <<'END'
import json, os, random, subprocess, sys
tool, seed = sys.argv[1], int(os.environ.get("TRAWL_SEED", random.randrange(1 << 30)))
print("# seed of the documents:", seed, "(set TRAWL_SEED to repeat)")
rng = random.Random(seed)

def escape(data):
    return "".join(chr(c) if 32 <= c < 127 and c not in b'%"\\' else "%%%02X" % c for c in data)

def unescape(text):
    out, at = bytearray(), 0
    while at < len(text):
        if text[at] == "%":
            out.append(int(text[at + 1:at + 3], 16))
            at += 3
        else:
            out += text[at].encode()
            at += 1
    return bytes(out)

PIECES = [b"a", b"b", b"word", b" ", b"\n", b"\r", b"\0", b"%41", b"%", b"bytes:", b"-", b"/", b"./", b'"', b"\\", b"\xc3\xa9", b"\xe9", b"\xff",
          b"\xef\xbf\xbd", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xe2\x80\xae", b"\xf0\x9f\x8e\xa3", b"\xed\xa0\x80", b"\t", b"\x7f", b"{", b"}"]

def some_bytes(most):
    return b"".join(rng.choice(PIECES) for _ in range(rng.randrange(most)))

def some_value(depth=0):
    kind = rng.randrange(7 if depth < 3 else 5)
    if kind == 0: return rng.choice(["1.50", "-0e0", "12345678901234567890123", "true", "null", "0"])
    if kind < 5: return json.dumps(some_bytes(6).decode("utf-8", "replace"), ensure_ascii=rng.random() < 0.5)
    if kind == 5: return "[" + rng.choice([",", " , "]).join(some_value(depth + 1) for _ in range(rng.randrange(3))) + "]"
    return some_object(depth + 1)

def some_object(depth=0):
    names = ["id", "title", "text", "_id", "", "_trawl", "file", "a", "a b", "\u00e9", "i\\u0064", "\\u0000"]
    members = ['"%s"%s%s' % (rng.choice(names), rng.choice([":", " : "]), some_value(depth)) for _ in range(rng.randrange(4))]
    return "{" + rng.choice([",", ", "] if depth else [",", ",", ",", " ,"]).join(members) + "}"

def some_fields():
    kind = rng.randrange(5)
    return b"" if kind == 0 else some_bytes(9) if kind == 1 else some_object().encode()

documents = {}
for i in range(400):
    id = some_bytes(8) + b"%d" % i if rng.random() < 0.9 else bytes(rng.randrange(256) for _ in range(4092)) + b"%d" % i
    documents[id[:4096]] = (some_bytes(5), some_bytes(20), some_fields())
with open("random.jsonl", "w") as out:
    for id, (title, text, fields) in documents.items():
        out.write(json.dumps({"id": "?", "_trawl": {"id": escape(id), "title": escape(title), "text": escape(text),
                                                    **({"fields": escape(fields)} if fields else {})}}) + "\n")

def no_name_twice(pairs):
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), names
    return dict(pairs)

def exact(text):
    return text.encode("utf-8")

def index_and_export(index, lines):
    subprocess.run([tool, "index", "-q", "--format", "jsonl", index, "-"], input=lines, check=True)
    return subprocess.run([tool, "export", "--order", "input", index], capture_output=True, check=True).stdout

first = index_and_export("r1.trawl", open("random.jsonl", "rb").read())
second = index_and_export("r2.trawl", first)
assert first == second
lines = first.decode("utf-8").splitlines() if b"\xe2\x80\xa8" not in first else first.decode("utf-8").split("\n")[:-1]
assert len(lines) == len(documents), (len(lines), len(documents))
for line, (id, (title, text, fields)) in zip(lines, documents.items()):
    line = json.loads(line, object_pairs_hook=no_name_twice)
    more = line.pop("_trawl", {})
    got = [unescape(more[name]) if name in more else exact(line[name]) for name in ("id", "title", "text")]
    for name in ("id", "title", "text"):
        del line[name]
    assert got == [id, title, text], (got, id, title, text)
    stored = more.get("fields", line or "")
    if isinstance(stored, str):
        assert unescape(stored) == fields, (stored, fields)
    else:
        assert stored == json.loads(fields), (stored, fields)

# Each id as search prints it
for id in rng.sample(list(documents), 40):
    fetched = subprocess.run([tool, "show", "--json", "r1.trawl", "bytes:" + escape(id)], capture_output=True, check=True).stdout
    printed = json.loads(fetched)["id"]
    again = subprocess.run([tool, "show", "--json", "r1.trawl", "--", printed], capture_output=True, check=True).stdout
    assert again == fetched, (id, printed)
END
	run python3 random_documents.py "$TRAWL"
	grep -h '^#' .out
	exits 0
	claim "random_documents_make_the_round_trip"
fi
finish
