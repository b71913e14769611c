#!/usr/bin/env python3
"""How long until the first answer: of a process that starts and opens the index, and of a handle that is open.

    startup.py --index INDEX [--query WORDS] [--peers DIR]

Runs `trawl search INDEX QUERY` again and again, and measures from before the process is made until its first line can
be read: with the index in the page cache (warm), and with that emptied before each run (cold). Beside it stands a
process that does nothing. With --peers, the output folder of peers/run.py, Tantivy's and Lucene's drivers answer the same
query from their indexes there, as trawl's own driver does. Then `trawl bench` times rare words within one process.

Exit status: 0 done, 2 not.
"""
import argparse
import collections
import json
import os
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "peers"))
import engines  # noqa: E402
import report  # noqa: E402

DROP = "/proc/sys/vm/drop_caches"
SLOW, SLOW_RUNS = 0.3, 20  # what takes longer than so many seconds is not run more often than that
RARE_AIM = 3.0  # microseconds that a rare word should take at most
RARE_MOST = 100  # documents with a rare word
RARE_SAMPLE = 20000  # documents that rare words are looked for in


def arguments():
    parser = argparse.ArgumentParser(description="How long until the first answer.")
    parser.add_argument("--index", required=True, help="a trawl index")
    parser.add_argument("--query", default="model of the structure", help="words (default: model of the structure)")
    parser.add_argument("--runs", type=int, default=200, help="warm ones (default: 200)")
    parser.add_argument("--cold-runs", type=int, default=10, help="(default: 10; 0: none)")
    parser.add_argument("--cold", choices=["auto", "drop", "advise"], default="auto",
                        help="drop: empty the machine's page cache, as root; advise: give up the pages of the index "
                        "alone (posix_fadvise); auto: the first that is permitted")
    parser.add_argument("--peers", help="the output folder of peers/run.py, with drivers and indexes")
    parser.add_argument("--rare", type=int, default=200, help="rare words to time in one process (default: 200)")
    parser.add_argument("--trawl", default="build/trawl", help="the tool (default: build/trawl)")
    parser.add_argument("--json", help="write the figures into this file too")
    options = parser.parse_args()
    options.trawl = os.path.abspath(options.trawl)
    if options.runs < 1 or options.cold_runs < 0:
        parser.error("--runs must be 1 or more, --cold-runs 0 or more")
    return options


# ---- one process

class Subject:
    """Something to start: `lines` go to its standard input, which stays open until the first line was read."""

    def __init__(self, name, command, lines=b"", index=None, answers=True):
        self.name, self.command, self.lines, self.index, self.answers = name, command, lines, index, answers
        self.most_runs = 1 << 30


def run_once(subject):
    """(seconds to the first line, seconds to the end)."""
    start = time.perf_counter()
    process = subprocess.Popen(subject.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, bufsize=0, close_fds=False)
    if subject.lines:
        process.stdin.write(subject.lines)
    line = process.stdout.readline()
    first = time.perf_counter() - start
    process.stdin.close()
    process.stdout.read()
    process.stdout.close()
    process.wait()
    end = time.perf_counter() - start
    if process.returncode or (subject.answers and not line) or line.startswith(b"ERROR"):
        raise report.Failure("%s gave no answer: %s" % (subject.name, " ".join(subject.command)))
    return (first if subject.answers else end), end


def files_of(path):
    if os.path.isfile(path):
        return [path]
    return [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]


def cool(method, subject):
    """Take the index out of the page cache."""
    os.sync()
    if method == "drop":
        with open(DROP, "w", encoding="ascii") as file:
            file.write("3\n")
        return
    for path in files_of(subject.index) if subject.index else []:
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def cold_method(wanted):
    if wanted != "auto":
        return wanted
    return "drop" if os.access(DROP, os.W_OK) else "advise"


def summary(seconds):
    ordered = sorted(seconds)
    return {"runs": len(ordered), "min": ordered[0] * 1e3, "median": statistics.median(ordered) * 1e3,
            "p99": report.percentile(ordered, 0.99) * 1e3}


def measure(subjects, runs, before):
    """{name: milliseconds to the first line}, the subjects taking turns."""
    firsts = {subject.name: [] for subject in subjects}
    for turn in range(runs):
        for subject in subjects:
            if turn < subject.most_runs:
                before(subject)
                firsts[subject.name].append(run_once(subject)[0])
    return {name: summary(times) for name, times in firsts.items()}


# ---- what is started

def peers_of(options, request):
    """Drivers that are built and have an index."""
    found = []
    for name in ("tantivy", "lucene"):
        engine = engines.make(name, options.peers, options.trawl)
        index = os.path.join(options.peers, "index", name)
        try:
            command = engine.serve(index, 0.9, 0.4)
        except engines.Missing:
            continue
        if os.path.exists(engine.program()) and os.path.exists(index):
            found.append(Subject(name + " driver", command, request, index))
        else:
            print("startup.py: no driver or no index of %s in %s" % (name, options.peers), file=sys.stderr)
    return found


def subjects_of(options):
    request = ("TOP_10\t%s\n" % options.query).encode()
    driver = engines.Trawl(options.peers or ".", options.trawl)
    subjects = [Subject("an empty process", ["true"], answers=False),
                Subject("trawl search", [options.trawl, "search", options.index, "--", options.query],
                        index=options.index),
                Subject("trawl driver", driver.serve(options.index, 0.9, 0.4), request, options.index)]
    return subjects + (peers_of(options, request) if options.peers else [])


# ---- rare words

def rare_words(options):
    """Words that at most RARE_MOST documents have, by their count in some documents and then by that of the index."""
    counts = collections.Counter()
    process = subprocess.Popen([options.trawl, "export", options.index], stdout=subprocess.PIPE)
    for number, line in enumerate(process.stdout):
        if number == RARE_SAMPLE:
            break
        counts.update(set(re.findall("[a-z]{3,20}", json.loads(line)["text"].lower())))
    process.stdout.close()
    process.wait()
    step = max(1, len(counts) // (4 * options.rare))
    candidates = [word for word, count in sorted(counts.items()) if count <= 3][::step]
    done = subprocess.run([options.trawl, "search", "--json", "-n", "0", "--count", options.index],
                          input="".join(word + "\n" for word in candidates), stdout=subprocess.PIPE, text=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [answer["query"] for answer in found if 1 <= answer["matches"] <= RARE_MOST][:options.rare]


def time_rare(options):
    words = rare_words(options)
    if not words:
        return None
    done = subprocess.run([options.trawl, "bench", "--json", "--rounds", "50", options.index, "-"],
                          input="".join(word + "\n" for word in words), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise report.Failure("trawl bench failed")
    figures = json.loads(done.stdout)["all"]
    return dict(figures["latency_us"], queries=len(words), postings=figures["postings_per_query"], aim=RARE_AIM)


# ---- telling

def table(figures):
    rows = [[name, str(f["runs"])] + ["%.2f" % f[key] for key in ("min", "median", "p99")] for name, f in figures.items()]
    return report.table(["", "runs", "min", "median", "p99"], rows)


def page(result):
    how = {"drop": "the machine's page cache was emptied before each run: programs were not in memory either",
           "advise": "the pages of the index were given up before each run (posix_fadvise); programs stayed in memory"}
    machine = result["machine"]
    lines = ["# Until the first answer", "", "%s, `%s`, query `%s`. %s, %d cores; load average %.1f." % (
        result["version"], os.path.basename(result["index"]), result["query"], machine["processor"], machine["cores"],
        result["load_average"]), "", "Milliseconds from before the process is made until its first line is read.", "",
        "## Warm", ""] + table(result["warm"])
    if result["cold"]:
        lines += ["", "## Cold", "", "Cold: %s." % how[result["cold_method"]], ""] + table(result["cold"])
    rare = result["rare"]
    if rare:
        lines += ["", "## Rare words, of a handle that is open", "",
                  "%d words with %.1f documents on average: mean %.2f, p50 %.2f, p99 %.2f microseconds, best rounds "
                  "%.2f (aim: under %g)." % (rare["queries"], rare["postings"], rare["mean"], rare["p50"], rare["p99"],
                                        rare["mean_of_best"], rare["aim"])]
    return "\n".join(lines) + "\n"


def run(options):
    subjects = subjects_of(options)
    for subject in subjects:
        if run_once(subject)[0] > SLOW:
            subject.most_runs = SLOW_RUNS
    method = cold_method(options.cold)
    version = subprocess.run([options.trawl, "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    result = {"version": version, "index": options.index, "query": options.query, "machine": report.machine(),
              "load_average": os.getloadavg()[0], "warm": measure(subjects, options.runs, lambda subject: None),
              "cold_method": method, "cold": None, "rare": None}
    if options.cold_runs:
        result["cold"] = measure(subjects, options.cold_runs, lambda subject: cool(method, subject))
    if options.rare:
        result["rare"] = time_rare(options)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump(result, out, indent=1)
            out.write("\n")
    print(page(result), end="")


if __name__ == "__main__":
    sys.exit(report.program("startup.py", arguments, run))
