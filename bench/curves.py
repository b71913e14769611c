#!/usr/bin/env python3
"""How trawl grows with the number of documents: time, memory, file and latency, as pictures, a table, and JSON.

    curves.py [--sizes 10k,100k,1M] [--out DIR]                        documents drawn by corpus_gen
    curves.py --corpus FILE.jsonl[.zst|.gz] --queries FILE.jsonl       the first so many lines of a corpus

For each size the documents go through a pipe into `trawl index`, and `trawl bench` times the queries: those that
corpus_gen makes of the same documents, or those given. Exit status: 0 done, 2 not.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "peers"))
import plot  # noqa: E402
import report  # noqa: E402

CLASSES = ["term", "intersection", "phrase", "union", "verbose", "intersection_union", "negated", "all"]
COLOURS = dict(zip(CLASSES, ["#2e6da4", "#4a9d5b", "#c0392b", "#e08e2b", "#8e6bb0", "#b08d3c", "#5b8f9d", "#333333"]))
INDEX_COLOURS = {"seconds": "#c0392b", "CPU seconds": "#2e6da4", "peak MiB": "#8e6bb0", "file MiB": "#c0392b",
                 "text MiB": "#999999"}
MIB = 1 << 20


def progress(text):
    print("%s  %s" % (time.strftime("%H:%M:%S"), text), file=sys.stderr, flush=True)


def parse_size(text):
    match = re.fullmatch(r"(\d+)([kM]?)", text)
    if not match or not int(match.group(1)):
        raise argparse.ArgumentTypeError("%s is no size such as 5000, 10k or 1M" % text)
    return int(match.group(1)) * {"": 1, "k": 1000, "M": 1000000}[match.group(2)]


def arguments():
    parser = argparse.ArgumentParser(description="How trawl grows with the number of documents.")
    parser.add_argument("--sizes", default="10k,100k,1M", help="numbers of documents (default: 10k,100k,1M)",
                        type=lambda text: sorted({parse_size(size) for size in text.split(",")}))
    parser.add_argument("--corpus", help="JSON Lines to cut at these sizes, instead of drawn documents; with --queries")
    parser.add_argument("--queries", help="tagged queries for --corpus")
    parser.add_argument("--query-count", type=int, default=1000, help="queries to draw (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn (default: 1)")
    parser.add_argument("--commands", default="TOP_10,COUNT", help="as of trawl bench (default: TOP_10,COUNT)")
    parser.add_argument("--rounds", type=int, default=5, help="of trawl bench (default: 5)")
    parser.add_argument("--index-options", default="", help="for trawl index, such as '--order similar'")
    parser.add_argument("--trawl", default="build/trawl", help="the tool (default: build/trawl)")
    parser.add_argument("--generator", default="build/corpus_gen", help="(default: build/corpus_gen)")
    parser.add_argument("--out", default="build/curves", help="folder for results (default: build/curves)")
    parser.add_argument("--keep", action="store_true", help="keep the indexes")
    options = parser.parse_args()
    options.commands = options.commands.split(",")
    if bool(options.corpus) != bool(options.queries):
        parser.error("--corpus and --queries go together")
    return options


# ---- one size

def producer(options, size):
    """A command line that writes `size` documents."""
    if not options.corpus:
        return [options.generator, "--documents", str(size), "--seed", str(options.seed)]
    reader = {".zst": "zstd -dcq", ".gz": "gzip -dcq"}.get(os.path.splitext(options.corpus)[1], "cat")
    return ["sh", "-c", "%s -- \"$1\" | head -n %d" % (reader, size), "sh", options.corpus]


def build_index(options, size, path):
    """Documents through a pipe into `trawl index`: what that process took."""
    if os.path.exists(path):
        os.remove(path)
    source = subprocess.Popen(producer(options, size), stdout=subprocess.PIPE)
    start = time.perf_counter()
    command = [options.trawl, "index", "-q", *options.index_options.split(), path, "-"]
    process = subprocess.Popen(command, stdin=source.stdout)
    source.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if source.wait() not in (0, -13) or process.returncode:  # -13: SIGPIPE
        raise report.Failure("indexing %d documents failed" % size)
    return {"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_bytes": usage.ru_maxrss * 1024,
            "load_average": os.getloadavg()[0]}


def output_of(command):
    done = subprocess.run(command, stdout=subprocess.PIPE)
    if done.returncode:
        raise report.Failure("%s failed" % " ".join(command[:2]))
    return done.stdout


def query_file(options, size):
    if options.queries:
        return options.queries
    path = os.path.join(options.out, "queries-%d.jsonl" % size)
    with open(path, "wb") as out:
        out.write(output_of([options.generator, "--documents", str(size), "--seed", str(options.seed),
                             "--queries", str(options.query_count)]))
    return path


def latencies(options, index, queries):
    """{command: {class: figures in microseconds}} and the hashes of the results."""
    found, hashes = {}, {}
    for command in options.commands:
        run = json.loads(output_of([options.trawl, "bench", "--json", "--command", command, "--rounds",
                                    str(options.rounds), index, queries]))
        groups = {group["tag"]: group for group in run["tags"] + [run["all"]]}
        found[command] = {name: dict(groups[name]["latency_us"], queries=groups[name]["queries"],
                                     postings=groups[name]["postings_per_query"])
                          for name in CLASSES if name in groups}
        hashes[command] = run["result_hash"]
    return found, hashes


def measure(options, size):
    path = os.path.join(options.out, "curve-%d.trawl" % size)
    progress("indexing %d documents" % size)
    figures = build_index(options, size, path)
    stats = json.loads(output_of([options.trawl, "stats", "--json", path]))
    progress("searching %d documents" % stats["documents"])
    queries = query_file(options, size)
    times, hashes = latencies(options, path, queries)
    figures.update({"documents": stats["documents"], "index": stats, "microseconds": times, "result_hashes": hashes})
    if not options.keep:
        for leftover in (path, path + "-lock"):
            if os.path.exists(leftover):
                os.remove(leftover)
    return figures


# ---- pictures

def axis_number(value):
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return "%g%s" % (value / unit, name)
    return "%g" % value


def curve(path, title, series, colours):
    """`series`: name -> [(documents, value)]. Both axes are logarithmic."""
    points = [point for line in series.values() for point in line if point[1] > 0]
    if not points:
        return
    picture = plot.Picture(title, list(series), colours)
    bottom, right = plot.HEIGHT - plot.BOTTOM, plot.WIDTH - plot.RIGHT
    x = plot.Scale(min(p[0] for p in points), max(p[0] for p in points), plot.LEFT, right)
    y = plot.Scale(min(p[1] for p in points), max(p[1] for p in points), bottom, plot.TOP)
    for value in x.decades():
        picture.line([(x(value), plot.TOP), (x(value), bottom)], "#ddd")
        picture.text(x(value), bottom + 18, axis_number(value), "middle")
    for value in y.decades():
        picture.line([(plot.LEFT, y(value)), (right, y(value))], "#ddd")
        picture.text(plot.LEFT - 6, y(value) + 4, axis_number(value), "end")
    picture.text((plot.LEFT + right) / 2, bottom + 38, "documents", "middle")
    for name, line in series.items():
        shown = [(x(documents), y(value)) for documents, value in line if value > 0]
        picture.line(shown, colours[name], 2)
        for (across, up), (documents, value) in zip(shown, line):
            picture.box(across - 2.5, up - 2.5, 5, 5, colours[name],
                        "%s: %d documents, %.4g" % (name, documents, value))
    picture.save(path)


def draw(result, out):
    sizes, source = result["sizes"], result["source"]

    def line(pick):
        return [(size["documents"], pick(size)) for size in sizes]

    def picture(name, title, series, colours):
        curve(os.path.join(out, name + ".svg"), "%s (%s)" % (title, source), series, colours)

    picture("time", "Indexing time, seconds", {"seconds": line(lambda s: s["seconds"]),
                                               "CPU seconds": line(lambda s: s["cpu_seconds"])}, INDEX_COLOURS)
    picture("memory", "Peak resident memory of indexing, MiB", {"peak MiB": line(lambda s: s["peak_bytes"] / MIB)},
            INDEX_COLOURS)
    picture("size", "Index file, MiB", {"file MiB": line(lambda s: s["index"]["file_bytes"] / MIB),
                                        "text MiB": line(lambda s: s["index"]["text_bytes"] / MIB)}, INDEX_COLOURS)
    for command in result["commands"]:
        present = [name for name in CLASSES if all(name in size["microseconds"][command] for size in sizes)]
        for figure in ("mean", "p99"):
            picture("latency-%s-%s" % (command, figure), "%s: %s latency, microseconds" % (command, figure),
                    {name: line(lambda s: s["microseconds"][command][name][figure]) for name in present}, COLOURS)


# ---- the page

def index_table(sizes):
    rows = []
    for size in sizes:
        index = size["index"]
        rows.append(("%d %.2f %.2f %.0f %.1f %.2f %.0f %d %d" % (
            size["documents"], size["seconds"], size["cpu_seconds"], size["peak_bytes"] / MIB,
            index["file_bytes"] / MIB, index["file_bytes"] / max(1, index["text_bytes"]),
            size["documents"] / size["seconds"], index["terms"],
            index["postings"])).split())
    return report.table(["documents", "seconds", "CPU seconds", "peak MiB", "file MiB", "file / text", "documents/s",
                         "terms", "postings"], rows, words=0)


def latency_table(sizes, command):
    names = [name for name in CLASSES if name in sizes[0]["microseconds"][command]]
    rows = [[str(size["documents"])] + [report.three(size["microseconds"][command].get(name)) for name in names]
            for size in sizes]
    return report.table(["documents"] + names, rows, words=0)


def page(result):
    machine = result["machine"]
    lines = ["# trawl by the number of documents", "", "Documents: %s. Queries: %s. %s. %s, %d cores." % (
        result["source"], result["queries"], result["version"], machine["processor"], machine["cores"]), ""]
    if result["synthetic"]:
        lines += ["**The documents and queries are synthetic**: drawn from a model of text, written by nobody.", ""]
    lines += ["## Index", "", "Documents come through a pipe; the peak counts resident pages of mapped files too.", ""]
    lines += index_table(result["sizes"])
    for command in result["commands"]:
        lines += ["", "## %s" % command, "", "Microseconds: mean / p50 / p99 over the queries of a class of each "
                  "query's median of %d rounds, on one thread, warm." % result["rounds"], ""]
        lines += latency_table(result["sizes"], command)
    pictures = ["time", "memory", "size"]
    pictures += ["latency-%s-%s" % (command, figure) for command in result["commands"] for figure in ("mean", "p99")]
    lines += [""] + ["![%s](%s.svg)" % (name, name) for name in pictures]
    return "\n".join(lines) + "\n"


def write(result, out):
    with open(os.path.join(out, "curves.json"), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    with open(os.path.join(out, "curves.md"), "w", encoding="utf-8") as file:
        file.write(page(result))
    draw(result, out)


def run(options):
    os.makedirs(options.out, exist_ok=True)
    synthetic = not options.corpus
    result = {"synthetic": synthetic, "commands": options.commands, "rounds": options.rounds,
              "machine": report.machine(), "version": output_of([options.trawl, "--version"]).decode().strip(),
              "index_options": options.index_options,
              "source": os.path.basename(options.corpus or "drawn by corpus_gen, seed %d" % options.seed),
              "queries": os.path.basename(options.queries or "drawn too, %d or so" % options.query_count),
              "sizes": []}
    for size in options.sizes:
        figures = measure(options, size)
        if result["sizes"] and figures["documents"] <= result["sizes"][-1]["documents"]:
            progress("there are no more documents than %d" % figures["documents"])
            break
        result["sizes"].append(figures)
        write(result, options.out)  # what is done is kept when a later size fails
    print(page(result))


if __name__ == "__main__":
    sys.exit(report.program("curves.py", arguments, run))
