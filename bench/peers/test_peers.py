#!/usr/bin/env python3
"""Tests of the runner's own arithmetic: `python3 test_peers.py`. No engine is needed."""
import types
import unittest

import checks
import normalise
import report
import run


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

    def test_counts_that_depend_on_the_order_are_told(self):
        one = session({("a", "COUNT"): ["1", "2"], ("a", "TOP_10"): ["1", "1"]})
        two = session({("a", "COUNT"): ["1", "3"], ("a", "TOP_10"): ["1", "7"]})
        self.assertEqual(checks.order_problems([one], ["p", "q"]), [])
        self.assertEqual(checks.order_problems([one, one], ["p", "q"]), [])
        found = checks.order_problems([one, two], ["p", "q"])
        self.assertEqual(len(found), 1)
        self.assertIn("`q`: 2, and 3", found[0])

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
        means["trawl-pairs"] = {"best": {"mean": 1}}
        self.assertEqual(report.ratio(means), 1.5)
        self.assertEqual(report.ratio(means, "trawl-pairs"), 0.5)
        self.assertIsNone(report.ratio({"trawl": means["trawl"], "sqlite": None}))


class Indexes(unittest.TestCase):
    INDEX = {name: {"version": "1", "seconds": seconds, "cpu_seconds": 2 * seconds, "bytes": size << 20,
                    "stored_bytes": stored and stored << 20, "peak_bytes": 1 << 20}
             for name, seconds, size, stored in (("trawl", 2, 8, 5), ("trawl-pairs", 1, 9, 5), ("lucene", 4, 16, 4),
                                                 ("tantivy", 5, 16, 10), ("sqlite", 9, 40, None))}

    def test_what_is_stored_stands_apart(self):
        lines = report.index_table(self.INDEX)
        self.assertIn("| lucene | 1 | 4.0 | 8.0 | 16.0 | 4.0 | 12.0 | 1 |", lines)
        self.assertIn("| sqlite | 1 | 9.0 | 18.0 | 40.0 | - | - | 1 |", lines)

    def test_ratios_are_to_the_best_peer_of_each_column(self):
        self.assertEqual(report.index_table(self.INDEX)[-1],
                         "| trawl / best peer | | 0.50 | 0.50 | 0.50 | 1.25 | 0.50 | 1.00 |")

    def test_without_peers_there_are_no_ratios(self):
        self.assertNotIn("best peer", report.index_table({"trawl": self.INDEX["trawl"]})[-1])


class Orders(unittest.TestCase):
    @staticmethod
    def result(order, mean, size):
        cell = {"best": {"mean": mean, "p50": mean, "p99": mean}}
        return {"engines": ["trawl", "sqlite"], "queries": {"term": 3, "all": 3}, "problems": [], "passed": True,
                "microseconds": {"COUNT": {"term": {"trawl": cell, "sqlite": None}}},
                "index": {name: {"bytes": size, "cpu_seconds": 2.0, "seconds": 1.0, "peak_bytes": 1 << 20}
                          for name in ("trawl", "sqlite")},
                "null_microseconds": {"COUNT": {"trawl": 3.0, "sqlite": 3.0}, "echo": 2.0},
                "about": {"order": order, "reordering": {"seconds": 7.5, "cpu_seconds": 8.5, "peak_bytes": 3 << 20},
                          "corpus": "c", "queries": "q", "rounds": {"trawl": 1}, "k1": 0.9, "b": 0.4, "nice": 0,
                          "cores": [1, 0], "machine": {"processor": "x", "cores": 2}, "scores_compared": {},
                          "load_average": {"before": [0], "after": [0]}}}

    def test_change_is_a_ratio(self):
        cells = [{"best": {"mean": mean}} for mean in (20.0, 15.0)]
        self.assertEqual(report.change(*cells), "20.0 -> 15.0 (0.75)")
        self.assertEqual(report.change(cells[0], None), "-")

    def test_both_orders_stand_side_by_side(self):
        text = report.orders({"input": self.result("input", 20.0, 4 << 20),
                              "similar": self.result("similar", 15.0, 2 << 20)})
        self.assertIn("| trawl | 4.0 -> 2.0 (0.50) | 2.0 -> 2.0 |", text)
        self.assertIn("| term | 20.0 -> 15.0 (0.75) | - |", text)

    def test_the_page_tells_the_order_and_what_it_took(self):
        self.assertIn("Documents in input order.", report.markdown(self.result("input", 1.0, 1)))
        self.assertIn("took 7.5 s, 8.5 CPU s, peak 3 MiB", report.markdown(self.result("similar", 1.0, 1)))

    def test_files_of_the_input_order_have_the_plain_names(self):
        self.assertEqual(run.suffix("input"), "")
        self.assertEqual(run.suffix("similar"), "-similar")


if __name__ == "__main__":
    unittest.main()
