"""Damage, differential testing, concurrency, a long life and fuzzing at full size: programs that stand for themselves, whose lines
become rows of the table of tests/reliability/run. Each function takes the harness and adds rows or skips to it."""
import os
import re
import subprocess
import sys

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
#          what is tried, a pattern of tests in test_damage, how much in full
DAMAGES = [("every bit of a tiny index", "every_bit*", 10 ** 9),
           ("flipped bits of a larger index", "flipped_bits_of_a_larger*", 100000),
           ("pages zeroed, swapped, torn, stale", "pages_of_a_larger*", 10000),
           ("a file cut short", "a_truncated*", 100000),
           ("writers on damaged files", "a_*writer*", 20000)]
COMMITS, QUERIES, GROWTH_SECONDS, FUZZ_SECONDS = 2000, 10 ** 6, 3600, 1800


def lines_of(command, **environment):
    """The lines that a program writes, passed on to stderr as it goes; then, where it failed, a line "exit status N"."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", cwd=TREE, env=dict(os.environ, **environment))
    for line in process.stdout:
        print(line, end="", file=sys.stderr, flush=True)
        yield line
    if process.wait():
        yield "exit status %d" % process.returncode


def failed(row, line):
    """A program that fails has found something, whatever its lines said."""
    if line.startswith("exit status"):
        row.found = max(row.found, 1)


def damage(harness):
    for name, pattern, most in DAMAGES:
        row = harness.row("damage: " + name)
        for line in lines_of([os.path.join(harness.options.build, "tests/test_damage")], TRAWL_TEST=pattern, TRAWL_DAMAGES=str(most),
                             TRAWL_DAMAGE_JOBS=str(harness.options.jobs), TRAWL_SEED=str(harness.options.seed)):
            told = re.match(r"  seed \d+, \d+ bytes: (\d+) the same, (\d+) refused, (\d+) bad", line)
            failed(row, line)
            if told:
                same, refused, bad = (int(number) for number in told.groups())
                row.runs += same + refused + bad
                row.inject(same + refused + bad)
                row.found += bad


def differential(harness):
    row = harness.row("random lives against the naive scorer")
    for line in lines_of([os.path.join(harness.options.build, "differential"), "--queries", QUERIES, "--seed", harness.options.seed,
                          "tests/differential/cases"]):
        told = re.match(r"seeds \d+ to \d+: (\d+) queries of (\d+) programs, (\d+) wrong", line)
        failed(row, line)
        if told:
            row.runs, row.found = int(told[2]), int(told[3])
            row.note = "%s queries of %s programs" % (told[1], told[2])


def concurrency(harness):
    row = harness.row("readers beside writers, stopped and killed")
    for line in lines_of([os.path.join(harness.options.build, "tests/test_concurrency")], TRAWL_CONCURRENT_COMMITS=str(COMMITS),
                         TRAWL_SEED=str(harness.options.seed)):
        row.runs += line.startswith("[       OK ]")
        failed(row, line)
    row.note = "%d commits a test" % COMMITS


def growth(harness):
    harness.program(os.path.join(harness.options.build, "tests/reliability/growth"), "seconds=%d" % GROWTH_SECONDS,
                    "folder=" + harness.folder, "seed=%d" % harness.options.seed)


def fuzz(harness):
    folder = os.path.join(harness.options.build, "fuzzing/fuzz")
    if not os.path.isdir(folder):
        harness.skips.append("fuzzing: the targets are not built (make fuzz-targets; it takes clang)")
        return
    for line in lines_of(["tests/fuzz/run", folder, FUZZ_SECONDS, "--jobs", harness.options.jobs]):
        told = re.match(r"(\w+) +(\d+) s +(\d+) executions,.*: (ok|BROKEN)", line)
        if told:
            row = harness.row("fuzzing: " + told[1])
            row.runs, row.found = int(told[3]), int(told[4] == "BROKEN")
            row.note = "%s s of processor time" % told[2]
        harness.broken |= line.startswith("exit status") and not line.endswith(" 1")
