#!/usr/bin/env python3
"""What a corpus is like: `statistics.py CORPUS.jsonl`, of words of ASCII letters and digits, in small letters.

For comparing what corpus_gen draws with a real corpus: docs/BENCHMARKING.md has the figures.
"""
import collections
import json
import math
import re
import sys

WORD = re.compile(r"[a-z0-9]+")
RANKS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000]
SHARES = [2, 8, 32, 128, 512, 2048]
BIGRAMS_OF = 12  # one document of so many: their pairs of words must fit into memory


def words_of(line):
    document = json.loads(line)
    return WORD.findall((document.get("title", "") + " " + document["text"]).lower())


class Statistics:
    def __init__(self):
        self.occurrences, self.documents_with = collections.Counter(), collections.Counter()
        self.bigrams = collections.Counter()
        self.lengths, self.growth, self.repeated = [], [], 0

    def add(self, words):
        distinct = set(words)
        self.lengths.append(len(words))
        self.occurrences.update(words)
        self.documents_with.update(distinct)
        if len(self.lengths) in (100, 1000, 10000, 100000, 1000000):
            self.growth.append((len(self.lengths), sum(self.lengths), len(self.occurrences)))
        if len(self.lengths) % BIGRAMS_OF == 0:
            pairs = list(zip(words, words[1:]))
            self.bigrams.update(pairs)
            self.repeated += len(pairs) - len(set(pairs))

    def show(self):
        documents, tokens = len(self.lengths), sum(self.lengths)
        postings = sum(self.documents_with.values())
        print("%d documents, %d words, %d distinct" % (documents, tokens, len(self.occurrences)))
        for some, words, distinct in self.growth:
            print("the first %d documents: %d words, %d distinct" % (some, words, distinct))
        logarithms = [math.log(length) for length in self.lengths if length]
        mean = sum(logarithms) / len(logarithms)
        deviation = math.sqrt(sum((x - mean) ** 2 for x in logarithms) / len(logarithms))
        print("length: mean %.1f, median %d; of its logarithm: mean %.2f, deviation %.2f" % (
            tokens / documents, sorted(self.lengths)[documents // 2], mean, deviation))
        print("postings a word: %.3f" % (postings / tokens))
        self.show_frequencies(documents, tokens, postings)
        self.show_bigrams()

    def show_frequencies(self, documents, tokens, postings):
        by_occurrences = sorted(self.occurrences.values(), reverse=True)
        by_documents = sorted(self.documents_with.values(), reverse=True)
        for rank in RANKS:
            if rank <= len(by_documents):
                print("rank %5d: %.6f of the words, in %.5f of the documents" % (
                    rank, by_occurrences[rank - 1] / tokens, by_documents[rank - 1] / documents))
        for share in SHARES:
            some = [count for count in by_documents if count * share >= documents]
            print("in 1/%d of the documents or more: %d words with %.3f of the postings" % (
                share, len(some), sum(some) / postings))
        print("distinct words in one document: %.3f, in up to ten: %.3f" % (
            by_documents.count(1) / len(by_documents), sum(n <= 10 for n in by_documents) / len(by_documents)))

    def show_bigrams(self):
        total = sum(self.bigrams.values())
        if total:
            often = sum(count for count in self.bigrams.values() if count >= 10)
            print("pairs of neighbours in one document of %d: %d, distinct %.3f, repeated within the document %.3f, "
                  "with ten occurrences or more %.3f" % (BIGRAMS_OF, total, len(self.bigrams) / total,
                                                         self.repeated / total, often / total))


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    statistics = Statistics()
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in lines:
            statistics.add(words_of(line))
    if statistics.lengths:
        statistics.show()
    return 0


if __name__ == "__main__":
    sys.exit(main())
