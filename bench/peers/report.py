"""From latencies to figures, and from figures to a page of Markdown."""
import os
import platform
import statistics
import sys

from checks import answered
from timing import NULL

FLOOR = 100  # nanoseconds: what is left of a latency after subtracting the pipe's is never taken as less
ALL = "all"
PICK = {"best": min, "median": statistics.median}  # of the rounds of a query


def machine():
    model = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"processor": model, "cores": os.cpu_count(), "kernel": platform.release(),
            "python": platform.python_version()}


def percentile(ordered, share):
    """Nearest rank: the smallest value that `share` of the values do not exceed."""
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


def summary(nanoseconds):
    ordered = sorted(nanoseconds)
    return {"mean": statistics.fmean(ordered) / 1000, "p50": percentile(ordered, 0.5) / 1000,
            "p99": percentile(ordered, 0.99) / 1000}


def null_cost(session, engine, command):
    """What the pipes cost an engine while COMMAND was timed, in nanoseconds: the mean over the same queries."""
    times = session.times[engine, "%s %s" % (NULL, command)]
    return {way: statistics.fmean(map(pick, times)) for way, pick in PICK.items()}


def net_times(session, engine, command):
    """{"best": [nanoseconds a query], "median": [...]} without the pipe's; None for what the engine cannot do."""
    null = null_cost(session, engine, command)
    known = list(map(answered, session.answers[engine, command]))
    return {way: [max(pick(rounds) - null[way], FLOOR) if able else None
                  for rounds, able in zip(session.times[engine, command], known)] for way, pick in PICK.items()}


def cell(net, chosen):
    """An engine's figures over the chosen queries, or None if it cannot do all of them: means would not compare."""
    figures = {}
    for way, times in net.items():
        picked = [times[at] for at in chosen]
        if None in picked:
            return None
        figures[way] = summary(picked)
    return figures


def figures(about, names, index, session, queries, classes, commands, problems):
    """`names`: the engines that answered; `index` has more where some only built an index."""
    net = {(name, command): net_times(session, name, command) for name in names for command in commands}
    chosen = {name: [at for at, (_, kind) in enumerate(queries) if kind == name] for name in classes}
    chosen[ALL] = list(range(len(queries)))
    cells = {command: {kind: {name: cell(net[name, command], rows) for name in names} for kind, rows in chosen.items()}
             for command in commands}
    return {"about": about, "engines": names, "queries": {kind: len(rows) for kind, rows in chosen.items()},
            "null_microseconds": nulls(session, names, commands),
            "index": {name: {key: entry[key] for key in entry if key != "stamp"} for name, entry in index.items()},
            "microseconds": cells, "problems": problems, "passed": not problems}


def nulls(session, names, commands):
    """{command: {engine: microseconds}}, of best rounds; and what `cat` takes for the same lines, as "echo"."""
    found = {command: {name: null_cost(session, name, command)["best"] / 1000 for name in names}
             for command in commands}
    found["echo"] = statistics.fmean(map(min, session.times["echo", NULL])) / 1000
    return found


def latencies(session, queries):
    """Every query's best and median round trip in nanoseconds, the pipe's cost included."""
    return [{"query": text, "class": kind,
             "nanoseconds": {"%s %s" % key: [min(times[at]), statistics.median(times[at])]
                             for key, times in session.times.items()}}
            for at, (text, kind) in enumerate(queries)]


def ours(name):
    return name.startswith("trawl")


def ratio(by_engine, name="trawl", key="mean", way="best"):
    """A figure of trawl's over the least of the peers', or None."""
    peers = [found[way][key] for peer, found in by_engine.items() if not ours(peer) and found]
    if not by_engine.get(name) or not peers:
        return None
    return by_engine[name][way][key] / min(peers)


def number(value):
    return "%.1f" % value if value < 99.95 else "%.0f" % value


class Failure(Exception):
    """What ends a program with a message."""


def program(name, arguments, run):
    """The exit status of one: 0, or 2 and what went wrong."""
    options = arguments()
    try:
        run(options)
        return 0
    except (Failure, OSError, ValueError) as failure:
        print("%s: %s" % (name, failure), file=sys.stderr)
        return 2


def table(header, rows, words=1):
    """Lines of a table, of cells that are text: the first `words` columns at the left, figures at the right."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * words + "---:|" * (len(header) - words)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def three(cell):
    """Mean, p50 and p99, or a dash where there are none."""
    return " / ".join(number(cell[key]) for key in ("mean", "p50", "p99")) if cell else "-"


def command_table(result, command):
    names = result["engines"]
    compared = [name for name in names if ours(name)] if not all(map(ours, names)) else []
    header = ["class", "queries"] + names + ["%s / best peer" % name for name in compared]
    rows = []
    for kind, by_engine in result["microseconds"][command].items():
        row = [kind, str(result["queries"][kind])]
        for name in names:
            row.append(three(by_engine[name] and by_engine[name]["best"]))
        for name in compared:
            found = [ratio(by_engine, name, key) for key in ("mean", "p99")]
            row.append("%.2f (p99 %.2f)" % tuple(found) if found[0] else "-")
        rows.append(row)
    return table(header, rows)


def pipe_costs(result):
    null = result["null_microseconds"]
    told = []
    for name in result["engines"]:
        costs = sorted(null[command][name] for command in result["microseconds"])
        told.append("%s %.1f to %.1f" % (name, costs[0], costs[-1]))
    return "The pipe's cost, timed beside every command with one nobody knows: %s; of a mere echo: %.1f." % (
        ", ".join(told), null["echo"])


def index_table(index):
    """`index`: engine -> figures. Stored: documents and ids, where an engine's files tell them apart from the rest."""
    lines = ["| engine | version | seconds | CPU seconds | index MiB | of these stored | the rest | peak MiB |",
             "|---|---|---:|---:|---:|---:|---:|---:|"]
    for name, entry in index.items():
        stored = entry.get("stored_bytes")
        rest = [number(size / 1048576) for size in (stored, entry["bytes"] - stored)] if stored else ["-", "-"]
        lines.append("| %s | %s | %.1f | %.1f | %.1f | %s | %s | %.0f |" % (
            name, entry.get("version") or "-", entry["seconds"], entry["cpu_seconds"], entry["bytes"] / 1048576,
            *rest, entry["peak_bytes"] / 1048576))
    ratios = [index_ratio(index, key) for key in ("seconds", "cpu_seconds", "bytes", "stored_bytes", "rest", "peak_bytes")]
    if any(ratios):
        lines.append("| trawl / best peer | | " + " | ".join("%.2f" % each if each else "-" for each in ratios) + " |")
    return lines


def index_ratio(index, key):
    """A figure of trawl's over the least of the peers', or None."""
    known = {}
    for name, entry in index.items():
        stored = entry.get("stored_bytes")
        known[name] = (stored and entry["bytes"] - stored) if key == "rest" else entry.get(key)
    peers = [value for name, value in known.items() if not ours(name) and value]
    return known["trawl"] / min(peers) if peers and known.get("trawl") else None


def order_of(about):
    """A sentence on the order of the documents."""
    if about.get("order") != "similar":
        return "Documents in input order."
    took = about["reordering"]
    return ("Documents in trawl's similar order, for every engine: `trawl index --order similar` took %.1f s, "
            "%.1f CPU s, peak %.0f MiB; each engine then indexed what `trawl export` gave." % (
                took["seconds"], took["cpu_seconds"], took["peak_bytes"] / 1048576))


def change(first, second):
    """"20.0 -> 15.0 (0.75)", or a dash where one is missing."""
    if not first or not second:
        return "-"
    before, after = first["best"]["mean"], second["best"]["mean"]
    return "%s -> %s (%.2f)" % (number(before), number(after), after / before)


def orders(results):
    """What the order of the documents changes: `results` is order -> result, in two orders."""
    (first, one), (second, two) = results.items()
    names = one["engines"]
    lines = ["# From %s order to %s order" % (first, second), "",
             "Means in microseconds, as above, and the ratio: below 1 the second order is faster.", "",
             "| engine | index MiB | CPU seconds |", "|---|---|---|"]
    for name in names:
        before, after = one["index"][name], two["index"][name]
        lines.append("| %s | %.1f -> %.1f (%.2f) | %.1f -> %.1f |" % (
            name, before["bytes"] / 1048576, after["bytes"] / 1048576, after["bytes"] / before["bytes"],
            before["cpu_seconds"], after["cpu_seconds"]))
    for command, cells in one["microseconds"].items():
        lines += ["", "## %s" % command, "", "| class | " + " | ".join(names) + " |", "|" + "---|" * (len(names) + 1)]
        for kind, by_engine in cells.items():
            after = two["microseconds"][command][kind]
            lines.append("| %s | " % kind + " | ".join(change(by_engine[name], after[name]) for name in names) + " |")
    return "\n".join(lines) + "\n"


def markdown(result):
    about = result["about"]
    rounds = ", ".join("%s %d" % pair for pair in about["rounds"].items())
    load = about["load_average"]
    lines = [
        "# trawl and its peers", "",
        "Corpus %s, queries %s (%d)." % (about["corpus"], about["queries"], result["queries"][ALL]),
        "%s, %d cores; engines on core %d, runner on core %d, nice %d; load average %.1f before, %.1f after." % (
            about["machine"]["processor"], about["machine"]["cores"], *about["cores"], about["nice"],
            load["before"][0], load["after"][0]),
        order_of(about),
        "Rounds: %s. BM25 k1 %g, b %g where an engine allows it." % (rounds, about["k1"], about["b"]), "",
        "Figures are microseconds: mean / p50 / p99 over the queries of a class of each query's best round, less the "
        "pipe's cost. " + pipe_costs(result),
        "A dash: the engine cannot do (all of) it.", "", "## Index", ""]
    lines += index_table(result["index"])
    for command in result["microseconds"]:
        lines += ["", "## " + command, ""] + command_table(result, command)
    pairs = ["%s: %s" % (pair, ", ".join(names)) for pair, names in about["scores_compared"].items()]
    compared = "; ".join(pairs) or "no parameters in common"
    lines += ["", "## Checks", "",
              "Counts compared over all engines; top-10 scores at " + compared + ".", ""]
    if result["passed"]:
        lines.append("All agree.")
    else:
        lines.append("**FAILED**: %d disagreements." % len(result["problems"]))
        lines += ["- " + problem for problem in result["problems"][:20]]
        if len(result["problems"]) > 20:
            lines.append("- ... (all of them in results.json)")
    return "\n".join(lines) + "\n"
