#!/usr/bin/env python3
"""Compare trawl with its peers on one corpus and one set of queries: see README.md beside this file.

    run.py --corpus FILE.jsonl[.zst] --queries FILE.jsonl [--engines trawl,tantivy,lucene] [--out DIR]

Exit status: 0, or 1 when engines disagree about counts or scores, or 2 when the run could not be made.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time

import checks
import engines
import plot
import report
from timing import NULL, Server, Session, cores, measure, request, size_of

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES = ["term", "intersection", "phrase", "union", "verbose", "intersection_union", "negated"]
ORDERS = {"input": ["input"], "similar": ["similar"], "both": ["input", "similar"]}
COMMANDS = ["TOP_10", "TOP_100", "TOP_1000", "COUNT", "TOP_10_COUNT", "TOP_100_COUNT"]


def progress(text):
    print("%s  %s" % (time.strftime("%H:%M:%S"), text), file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description="Compare trawl with its peers.")
    parser.add_argument("--corpus", required=True, help="JSON Lines of id, title, text; may end in .zst or .gz")
    parser.add_argument("--queries", required=True, help="JSON Lines of query, tags")
    parser.add_argument("--engines", default="all" if os.environ.get("PEERS") == "all" else ",".join(engines.USUAL),
                        help="from %s, or all (default: %s)" % (",".join(engines.ALL), ",".join(engines.USUAL)))
    parser.add_argument("--index-only", action="store_true", help="compare building indexes, and no queries")
    parser.add_argument("--commands", default="TOP_10,TOP_1000,TOP_10_COUNT,COUNT", help="from " + ",".join(COMMANDS))
    parser.add_argument("--order", choices=ORDERS, default="input", help="of the documents, for every engine: as they "
                        "come, or as `trawl index --order similar` puts them (default: input)")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--warmup", type=int, help="rounds before timing, for every engine (default: 1; Lucene 6)")
    parser.add_argument("--k1", type=float, default=0.9, help="where an engine allows it")
    parser.add_argument("--b", type=float, default=0.4, help="where an engine allows it")
    parser.add_argument("--nice", type=int, default=0, help="priority while timing; below 0 on a busy machine, as root")
    parser.add_argument("--trawl", default="build/trawl", help="the trawl tool")
    parser.add_argument("--out", default=os.path.join(HERE, "build"), help="folder for builds, indexes and results")
    parser.add_argument("--reindex", action="store_true", help="build the indexes even if they are there")
    parser.add_argument("--plot", action="store_true", help="write SVG pictures too")
    options = parser.parse_args()
    options.engines = engines.ALL if options.engines == "all" else options.engines.split(",")
    options.commands = options.commands.split(",")
    options.trawl = os.path.abspath(options.trawl)
    unknown = set(options.commands) - set(COMMANDS)
    if unknown or options.rounds < 1:
        parser.error("unknown command %s" % unknown.pop() if unknown else "--rounds must be 1 or more")
    return options


def suffix(order):
    """Of the names of files."""
    return "" if order == "input" else "-" + order


def stamp(path):
    """What tells a file from a changed one."""
    status = os.stat(path)
    return [os.path.abspath(path), status.st_size, status.st_mtime_ns]


def load(path):
    try:
        with open(path, encoding="utf-8") as lines:
            return json.load(lines)
    except (OSError, ValueError):
        return {}


def save(path, value):
    with open(path, "w", encoding="utf-8") as out:
        json.dump(value, out, indent=1)
        out.write("\n")


def normalise(kind, source, out):
    """The normalised file's path. Another process does the work, so that the runner stays small (see measure)."""
    target = os.path.join(out, kind + ".jsonl")
    wanted = [stamp(source), stamp(os.path.join(HERE, "normalise.py"))]
    if load(target + ".stamp") != wanted or not os.path.exists(target):
        progress("normalising %s" % source)
        subprocess.run([sys.executable, os.path.join(HERE, "normalise.py"), kind, source, target], check=True)
        save(target + ".stamp", wanted)
    return target


def read_queries(path):
    """[(text, class)]: the class is the first tag, or "verbose" if that is a tag."""
    with open(path, encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    return [(r["query"], "verbose" if "verbose" in r["tags"] else r["tags"][0]) for r in records if r["query"]]


def reordered(options, corpus, log):
    """The same documents as neighbours of similar ones, for all engines; and what ordering them took."""
    target = os.path.join(options.out, "corpus-similar.jsonl")
    index_path = os.path.join(options.out, "index", "reordering")
    known = load(target + ".stamp")
    wanted = [stamp(corpus), stamp(options.trawl)]
    if known.get("stamp") != wanted or not os.path.exists(target):
        progress("reordering the documents")
        os.makedirs(os.path.dirname(index_path), exist_ok=True)
        if os.path.exists(index_path):
            os.remove(index_path)
        command = [options.trawl, "index", "-q", "--language", "none", "--order", "similar", index_path, corpus]
        known = measure(command, log)
        with open(target, "wb") as out:
            subprocess.run([options.trawl, "export", index_path], stdout=out, stderr=log, check=True)
        os.remove(index_path)
        save(target + ".stamp", dict(known, stamp=wanted))
    return target, {key: known[key] for key in ("seconds", "cpu_seconds", "peak_bytes")}


def index(engine, corpus, out, order, again, log):
    """The index's path and the figures of building it."""
    path = os.path.join(out, "index", engine.name + suffix(order))
    figures = load(path + ".json")
    wanted = [stamp(corpus), stamp(engine.program())]
    if again or figures.get("stamp") != wanted or not os.path.exists(path):
        shutil.rmtree(path, ignore_errors=True)
        if os.path.exists(path):
            os.remove(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        progress("indexing with %s" % engine.name)
        figures = measure(engine.index(path, corpus), log)
        figures["bytes"] = size_of(path)
        figures["stored_bytes"] = engine.stored_bytes(path)
        figures["version"] = engine.version()
        figures["load_average"] = os.getloadavg()[0]
        figures["stamp"] = wanted
        save(path + ".json", figures)
    return path, figures


def time_all(made, indexes, texts, options, log, engine_core):
    """(a finished Session, engine -> rounds). The echo child is `cat`: pipes and nothing else."""
    servers = {e.name: Server(e.serve(indexes[e.name], options.k1, options.b), engine_core, log) for e in made}
    servers["echo"] = Server(["cat"], engine_core, log)
    session = Session(servers, texts, progress)
    names = [engine.name for engine in made]
    for engine in made:
        warmup = engine.warmup if options.warmup is None else options.warmup
        session.warm_up(engine.name, options.commands + [NULL], warmup)
    progress("warmed up")
    rounds = {engine.name: min(options.rounds, engine.most_rounds) for engine in made}
    for command in options.commands:
        session.time_command(command, names, rounds)
    for _ in range(options.rounds):
        session.one_round("echo", NULL, NULL)
    for server in servers.values():
        server.close()
    return session, rounds


def best_lists(made, indexes, texts, options, log, engine_core):
    """{(k1, b): {engine: the TOP_10_DOCS answers}} for every pair that two or more comparable engines can use."""
    comparable = [engine for engine in made if engine.score_factor]
    lists = {}
    for pair in sorted({engine.parameters(options.k1, options.b) for engine in comparable}):
        able = [engine for engine in comparable if engine.fixed in (None, pair)]
        for engine in able if len(able) > 1 else []:
            server = Server(engine.serve(indexes[engine.name], *pair), engine_core, log)
            answers = [server.ask(request("TOP_10_DOCS", text))[1] for text in texts]
            server.close()
            lists.setdefault(pair, {})[engine.name] = checks.scores(answers, engine.score_factor)
    return lists


def write_results(timed, queries, options):
    """`timed`: order -> (result, session)."""
    pages = []
    for order, (result, session) in timed.items():
        save(os.path.join(options.out, "results%s.json" % suffix(order)), result)
        save(os.path.join(options.out, "latencies%s.json" % suffix(order)), report.latencies(session, queries))
        pages.append(report.markdown(result))
        if options.plot:
            plot.write(result, session, options.out, suffix(order))
    if len(timed) > 1:
        pages.append(report.orders({order: result for order, (result, _) in timed.items()}))
    with open(os.path.join(options.out, "results.md"), "w", encoding="utf-8") as out:
        out.write("\n".join(pages))
    print("\n".join(pages))


def time_order(order, reordering, made, indexes, index_figures, queries, options, log, engine_core, runner_core):
    """(figures of all engines over the documents in one order, the session)."""
    texts = [text for text, _ in queries]
    before = os.getloadavg()
    session, rounds = time_all(made, indexes, texts, options, log, engine_core)
    after = os.getloadavg()
    lists = best_lists(made, indexes, texts, options, log, engine_core)
    problems = (checks.error_problems(session, texts) + checks.count_problems(session, texts) +
                checks.score_problems(lists, texts))
    about = {"corpus": os.path.basename(options.corpus), "queries": os.path.basename(options.queries),
             "order": order, "reordering": reordering if order == "similar" else None,
             "rounds": rounds, "k1": options.k1, "b": options.b, "nice": os.getpriority(os.PRIO_PROCESS, 0),
             "cores": [engine_core, runner_core], "machine": report.machine(),
             "load_average": {"before": before, "after": after},
             "scores_compared": {"k1=%g b=%g" % pair: sorted(names) for pair, names in lists.items()}}
    present = sorted({name for _, name in queries}, key=lambda name: (CLASSES + [name]).index(name))
    return report.figures(about, [engine.name for engine in made], index_figures, session, queries, present,
                          options.commands, problems), session


def run(options, log):
    made = [engines.make(name, options.out, options.trawl) for name in options.engines]
    for engine in made:
        progress("building %s" % engine.name)
        engine.build(log)
    corpora = {"input": normalise("corpus", options.corpus, options.out)}
    queries = read_queries(normalise("queries", options.queries, options.out))
    orders, reordering = ORDERS[options.order], None
    if "similar" in orders:
        corpora["similar"], reordering = reordered(options, corpora["input"], log)
    indexes, index_figures = {order: {} for order in orders}, {order: {} for order in orders}
    for order in orders:
        for engine in made:
            indexes[order][engine.name], index_figures[order][engine.name] = index(
                engine, corpora[order], options.out, order, options.reindex, log)
    if options.index_only:
        for order in orders:
            print("\n".join(["# Documents in %s order" % order, ""] + report.index_table(index_figures[order]) + [""]))
        return 0
    made = [engine for engine in made if engine.answers]
    engine_core, runner_core = cores()
    os.sched_setaffinity(0, {runner_core})
    os.setpriority(os.PRIO_PROCESS, 0, options.nice or os.getpriority(os.PRIO_PROCESS, 0))
    timed = {}
    for order in orders:
        progress("documents in %s order" % order)
        timed[order] = time_order(order, reordering, made, indexes[order], index_figures[order], queries, options, log,
                                  engine_core, runner_core)
    problems = checks.order_problems([session for _, session in timed.values()], [text for text, _ in queries])
    for result, _ in timed.values():
        result["problems"] += problems
        result["passed"] = not result["problems"]
    write_results(timed, queries, options)
    return 0 if all(result["passed"] for result, _ in timed.values()) else 1


def main():
    options = arguments()
    os.makedirs(options.out, exist_ok=True)
    log_path = os.path.join(options.out, "run.log")
    with open(log_path, "w", encoding="utf-8") as log:
        try:
            return run(options, log)
        except (engines.Missing, OSError, EOFError, ValueError) as failure:
            print("run.py: %s" % failure, file=sys.stderr)
        except subprocess.CalledProcessError as failure:
            print("run.py: %s failed: see %s" % (failure.cmd[0], log_path), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
