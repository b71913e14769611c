#!/usr/bin/env python3
"""Does `trawl index --memory` keep to its budget? Streams corpora of many shapes through a pipe into a new index and samples what the
process holds: a table of budget and peak resident set (VmHWM, which counts anonymous memory and mapped file pages alike).

    bench/memory.py --trawl build/trawl --generator build/corpus_gen --work DIR [--budgets 16M,64M] [--cases text,tiny] [--threads 2]

A peak within 10 % of the budget is "ok". Exit status: 0, or 1 when a budget was passed, or an index is not whole.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

MIB = 1 << 20

# name: (generator options at --scale 1, index options); "again" indexes a changed stream into the same file afterwards
CASES = {
    "text": (["--documents", 300_000], []),
    "bigrams": (["--documents", 100_000], ["--bigrams"]),
    "similar": (["--documents", 100_000], ["--order", "similar"]),
    "tiny": (["--documents", 2_000_000, "--kind", "tiny"], []),
    "empty": (["--documents", 2_000_000, "--kind", "empty"], []),
    "distinct": (["--documents", 100_000, "--kind", "distinct"], []),
    "long": (["--documents", 5_000, "--mean-length", 10_000], []),
    "huge": (["--documents", 20_000, "--huge", 2 << 30], []),
    "again": (["--documents", 200_000], []),
}


def parse_size(text):
    number, unit = re.fullmatch(r"(\d+)([KMG]?)", text).groups()
    return int(number) << {"": 0, "K": 10, "M": 20, "G": 30}[unit]


def status_of(pid):
    fields = {}
    try:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith(("VmHWM", "VmRSS", "RssAnon", "RssFile", "RssShmem")):
                    name, value, _ = line.split()
                    fields[name[:-1]] = int(value) * 1024
    except (OSError, ValueError):
        pass
    return fields


def index(arguments, generator, trawl, path, budget, options):
    """Run one pipe; what the indexer came to."""
    make = subprocess.Popen([generator] + [str(g) for g in arguments], stdout=subprocess.PIPE)
    command = [trawl, "index", "--quiet", "--json", "--memory", budget, *options, path, "-"]
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=make.stdout, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    make.stdout.close()
    peaks = {}
    while True:
        for name, value in status_of(process.pid).items():
            peaks[name] = max(peaks.get(name, 0), value)
        done, status, usage = os.wait4(process.pid, os.WNOHANG)
        if done:
            break
        time.sleep(0.005)
    said = process.stdout.read().decode()
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    make.wait()
    return {"code": process.returncode, "said": said, "seconds": time.monotonic() - start,
            "cpu": usage.ru_utime + usage.ru_stime, "peak": max(usage.ru_maxrss * 1024, peaks.get("VmHWM", 0)),
            "anonymous": peaks.get("RssAnon", 0), "mapped": peaks.get("RssFile", 0)}


def report(case, budget, threads, result):
    ratio = result["peak"] / parse_size(budget)
    verdict = "FAILED" if result["code"] not in (0, 1) else "ok" if ratio <= 1.1 else "OVER"
    print(f"{case:<10} {budget:>6} {threads:>2} {result['peak'] / MIB:>8.0f} {ratio * 100:>6.0f}% "
          f"{result['anonymous'] / MIB:>8.0f} {result['mapped'] / MIB:>8.0f} {result['seconds']:>8.1f} "
          f"{result['cpu']:>8.1f}  {verdict} {result['segments']}", flush=True)
    return verdict == "ok"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trawl", required=True)
    parser.add_argument("--generator", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--budgets", default="16M,32M,64M,256M,1G")
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--threads", default="2")
    parser.add_argument("--scale", type=float, default=1, help="times as many documents")
    parser.add_argument("--check", action="store_true", help="run trawl check on each index")
    arguments = parser.parse_args()
    os.makedirs(arguments.work, exist_ok=True)
    path = os.path.join(arguments.work, "memory.trawl")
    good = True
    print("case       budget  t peak MiB  share  anon MiB  map MiB  seconds      CPU")
    for case in arguments.cases.split(","):
        making, options = CASES[case]
        making = list(making)
        making[1] = max(1, int(making[1] * arguments.scale))
        for budget in arguments.budgets.split(","):
            for threads in arguments.threads.split(","):
                rounds = [making] if case != "again" else [making, making + ["--seed", 2], making + ["--seed", 3]]
                for number, round_making in enumerate(rounds):
                    result = index(round_making, arguments.generator, arguments.trawl, path, budget,
                                   options + ["--threads", threads])
                    stats = subprocess.run([arguments.trawl, "stats", "--json", path], capture_output=True)
                    result["segments"] = ""
                    if stats.returncode == 0:
                        told = json.loads(stats.stdout)
                        result["segments"] = f"{told['documents']} documents, {told['segments']} segments"
                    good &= report(case + (f" {number}" if number else ""), budget, threads, result)
                if arguments.check and subprocess.run([arguments.trawl, "check", path], capture_output=True).returncode:
                    print(f"{case} {budget}: trawl check finds damage")
                    good = False
                for name in os.listdir(arguments.work):
                    if name.startswith("memory.trawl"):
                        os.remove(os.path.join(arguments.work, name))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
