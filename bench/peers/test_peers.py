#!/usr/bin/env python3
"""Tests of the runner's own arithmetic: `python3 test_peers.py`. No engine is needed."""
import types
import unittest

import checks
import normalise
import report


def session(answers, times=None):
    return types.SimpleNamespace(answers=answers, times=times or {})


class Normalise(unittest.TestCase):
    def test_words_are_ascii_letters_and_digits(self):
        self.assertEqual(normalise.words("Café $O(\\hbar)$ of 87Rb, x-ray\u00a0\u0416"),
                         ["cafe", "o", "hbar", "of", "87rb", "x", "ray"])

    def test_long_words_are_cut(self):
        self.assertEqual(normalise.words("a" * 100), ["a" * 64])

    def test_query_operators_survive(self):
        query = '+Alpha -beta gamma "Delta  Epsilon" -"zeta eta"'
        self.assertEqual(normalise.normalise_query(query), '+alpha -beta gamma "delta epsilon" -"zeta eta"')

    def test_word_of_several_words_becomes_a_phrase(self):
        self.assertEqual(normalise.normalise_query("+x-ray ??? laser"), '+"x ray" laser')


class Checks(unittest.TestCase):
    def test_different_counts_are_told(self):
        found = checks.count_problems(session({("a", "COUNT"): ["1", "2"], ("b", "COUNT"): ["1", "3"]}), ["p", "q"])
        self.assertEqual(len(found), 1)
        self.assertIn("`q`", found[0])

    def test_unsupported_is_no_count(self):
        answers = {("a", "COUNT"): ["1"], ("b", "COUNT"): ["UNSUPPORTED"]}
        self.assertEqual(checks.count_problems(session(answers), ["p"]), [])

    def test_errors_are_told(self):
        answers = {("a", "TOP_10"): ["ERROR broken"], ("a", "NULL"): ["ERROR unknown"]}
        self.assertEqual(len(checks.error_problems(session(answers), ["p"])), 1)

    def test_scores_agree_to_four_digits(self):
        lists = {(0.9, 0.4): {"a": [[2.0, 1.0]], "b": [[2.0001, 1.0]]}}
        self.assertEqual(checks.score_problems(lists, ["p"]), [])
        lists[0.9, 0.4]["b"] = [[2.001, 1.0]]
        self.assertEqual(len(checks.score_problems(lists, ["p"])), 1)
        lists[0.9, 0.4]["b"] = [[2.0]]
        self.assertEqual(len(checks.score_problems(lists, ["p"])), 1)

    def test_scores_are_divided_by_the_factor(self):
        self.assertEqual(checks.scores(["x:y:4.4 z:2.2", "", "UNSUPPORTED"], 2.2), [[2.0, 1.0], [], None])


class Report(unittest.TestCase):
    def test_percentile_is_the_nearest_rank(self):
        ordered = list(range(1, 301))
        self.assertEqual(report.percentile(ordered, 0.5), 150)
        self.assertEqual(report.percentile(ordered, 0.99), 297)
        self.assertEqual(report.percentile([7], 0.99), 7)

    def test_missing_answers_make_a_missing_cell(self):
        times = {("a", "COUNT"): [[900, 800], [5, 6]], ("a", "NULL COUNT"): [[300, 400], [300, 400]]}
        net = report.net_times(session({("a", "COUNT"): ["1", "UNSUPPORTED"]}, times), "a", "COUNT")
        self.assertEqual(net, {"best": [500, None], "median": [500, None]})
        self.assertIsNone(report.cell(net, [0, 1]))
        self.assertEqual(report.cell(net, [0])["best"]["mean"], 0.5)

    def test_ratio_is_to_the_fastest_peer(self):
        means = {name: {"best": {"mean": mean}} for name, mean in (("trawl", 3), ("lucene", 2), ("tantivy", 4))}
        self.assertEqual(report.ratio(means), 1.5)
        self.assertIsNone(report.ratio({"trawl": means["trawl"], "sqlite": None}))


if __name__ == "__main__":
    unittest.main()
