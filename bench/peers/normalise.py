#!/usr/bin/env python3
"""Normalise a corpus or a query file once, so that every engine sees the same words.

    normalise.py corpus FILE.jsonl[.zst|.gz] OUT.jsonl
    normalise.py queries FILE.jsonl OUT.jsonl

A word is a run of [a-z0-9]. Text is decomposed (Unicode NFKD), combining marks are dropped ("café" is "cafe"), and
letters are lower-cased; whatever is still not in [a-z0-9], other alphabets included, separates words. A word longer
than 64 bytes is cut to 64 (engines disagree about long words). Words are joined by one space: an engine that splits on
white space finds exactly these words.

Corpus: lines of {"id", "title", "text"}; a later line with an id already seen is dropped, since engines disagree on
whether it replaces the first; so is a line without a single word.

Queries: bare words are alternatives, +word is required, -word excluded, "..." is a phrase, with + or - in front too. A
bare word that normalises to several words ("x-ray") becomes a phrase of them; a clause left empty is dropped.
"""
import gzip
import json
import re
import subprocess
import sys
import unicodedata

LONGEST = 64
WORD = re.compile(r"[a-z0-9]+")
CLAUSE = re.compile(r'([+-]?)(?:"([^"]*)"?|(\S+))')


def words(text):
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return [word[:LONGEST] for word in WORD.findall(text.lower())]


def open_lines(path):
    """The lines of a plain, gzip or zstd file, as text."""
    if path.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8")
    if path.endswith(".zst"):
        return subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE, text=True, encoding="utf-8").stdout
    return open(path, encoding="utf-8")


def normalise_corpus(source, target):
    """Returns (documents, dropped, words)."""
    seen = set()
    dropped = total = 0
    with open_lines(source) as lines, open(target, "w", encoding="ascii") as out:
        for line in lines:
            document = json.loads(line)
            title = words(document.get("title") or "")
            text = words(document.get("text") or "")
            if document["id"] in seen or not title and not text:
                dropped += 1
                continue
            seen.add(document["id"])
            total += len(title) + len(text)
            out.write(json.dumps({"id": document["id"], "title": " ".join(title), "text": " ".join(text)}) + "\n")
    return len(seen), dropped, total


def normalise_query(query):
    clauses = []
    for sign, phrase, word in CLAUSE.findall(query):
        found = words(phrase or word)
        if found:
            clauses.append(sign + (found[0] if len(found) == 1 else '"%s"' % " ".join(found)))
    return " ".join(clauses)


def normalise_queries(source, target):
    with open_lines(source) as lines, open(target, "w", encoding="ascii") as out:
        for line in lines:
            record = json.loads(line)
            record["query"] = normalise_query(record["query"])
            out.write(json.dumps(record) + "\n")


def main(arguments):
    if len(arguments) != 3 or arguments[0] not in ("corpus", "queries"):
        sys.exit(__doc__)
    if arguments[0] == "corpus":
        print("%d documents, %d dropped, %d words" % normalise_corpus(*arguments[1:]))
    else:
        normalise_queries(*arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
