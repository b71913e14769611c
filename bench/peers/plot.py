"""Pictures of a run as SVG, without a library: a bar chart of the means and a distribution, for each command."""
import math
import os
from xml.sax.saxutils import escape

import report

COLOURS = {"trawl": "#c0392b", "trawl-pairs": "#e59a8f", "tantivy": "#2e6da4", "lucene": "#4a9d5b", "xapian": "#8e6bb0", "sqlite": "#b08d3c"}
WIDTH, HEIGHT = 860, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 36, 60, 50


class Picture:
    def __init__(self, title, names, colours=None):
        self.parts = []
        self.text(LEFT, 22, title, size=15)
        across = LEFT
        for name in names:
            self.box(across, 34, 12, 12, (colours or COLOURS)[name])
            self.text(across + 17, 44, name)
            across += 38 + 6.5 * len(name)  # about the width of the letters

    def text(self, x, y, words, anchor="start", size=12):
        self.parts.append('<text x="%.1f" y="%.1f" font-size="%d" text-anchor="%s">%s</text>' % (
            x, y, size, anchor, escape(words)))

    def box(self, x, y, width, height, colour, hint=""):
        self.parts.append('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"><title>%s</title></rect>' % (
            x, y, width, height, colour, escape(hint)))

    def line(self, points, colour, width=1.0):
        self.parts.append('<polyline fill="none" stroke="%s" stroke-width="%.1f" points="%s"/>' % (
            colour, width, " ".join("%.1f,%.1f" % point for point in points)))

    def save(self, path):
        with open(path, "w", encoding="utf-8") as out:
            out.write('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif">\n'
                      '<rect width="%d" height="%d" fill="white"/>\n' % (WIDTH, HEIGHT, WIDTH, HEIGHT))
            out.write("\n".join(self.parts) + "\n</svg>\n")


class Scale:
    """A logarithmic axis from `low` to `high`, widened to whole decades, onto pixels."""

    def __init__(self, low, high, first, last):
        self.low, self.high = math.floor(math.log10(low)), math.ceil(math.log10(high))
        self.high = max(self.high, self.low + 1)
        self.first, self.last = first, last

    def __call__(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.first + share * (self.last - self.first)

    def decades(self):
        return [10.0 ** power for power in range(self.low, self.high + 1)]


def bars(result, command, path):
    names = result["engines"]
    cells = result["microseconds"][command]
    means = [found["best"]["mean"] for by_engine in cells.values() for found in by_engine.values() if found]
    picture = Picture("%s: mean of best latencies, microseconds, logarithmic (shorter is better)" % command, names)
    y = Scale(min(means), max(means), HEIGHT - BOTTOM, TOP)
    for value in y.decades():
        picture.line([(LEFT, y(value)), (WIDTH - RIGHT, y(value))], "#ddd")
        picture.text(LEFT - 6, y(value) + 4, "%g" % value, "end")
    step = (WIDTH - LEFT - RIGHT) / len(cells)
    width = step * 0.8 / len(names)
    for place, (kind, by_engine) in enumerate(cells.items()):
        start = LEFT + place * step + step * 0.1
        picture.text(LEFT + (place + 0.5) * step, HEIGHT - BOTTOM + 18, kind, "middle", 11)
        for at, name in enumerate(names):
            if not by_engine[name]:
                picture.text(start + (at + 0.5) * width, HEIGHT - BOTTOM - 4, "-", "middle")
                continue
            mean = by_engine[name]["best"]["mean"]
            picture.box(start + at * width, y(mean), width * 0.92, HEIGHT - BOTTOM - y(mean), COLOURS[name],
                        "%s %s: %s" % (name, kind, report.number(mean)))
    picture.save(path)


def distribution(result, session, command, path):
    """The share of all queries answered within a time."""
    names = result["engines"]
    net = {name: report.net_times(session, name, command)["best"] for name in names}
    net = {name: sorted(time / 1000 for time in times if time) for name, times in net.items() if any(times)}
    picture = Picture("%s: share of the queries answered within a time, microseconds" % command, list(net))
    x = Scale(min(times[0] for times in net.values()), max(times[-1] for times in net.values()), LEFT, WIDTH - RIGHT)
    for value in x.decades():
        picture.line([(x(value), TOP), (x(value), HEIGHT - BOTTOM)], "#ddd")
        picture.text(x(value), HEIGHT - BOTTOM + 18, "%g" % value, "middle")
    for percent in range(0, 101, 25):
        height = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * percent / 100
        picture.line([(LEFT, height), (WIDTH - RIGHT, height)], "#ddd")
        picture.text(LEFT - 6, height + 4, "%d %%" % percent, "end")
    for name, times in net.items():
        share = (HEIGHT - BOTTOM - TOP) / len(times)
        picture.line([(x(time), HEIGHT - BOTTOM - share * (at + 1)) for at, time in enumerate(times)], COLOURS[name], 2)
    picture.save(path)


def write(result, session, out, suffix=""):
    for command in result["microseconds"]:
        bars(result, command, os.path.join(out, "means-%s%s.svg" % (command, suffix)))
        distribution(result, session, command, os.path.join(out, "distribution-%s%s.svg" % (command, suffix)))
