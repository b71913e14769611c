"""`trawl index --watch` that is killed, or whose calls fail, while it follows a folder."""
import os
import shutil
import signal
import struct
import subprocess
import time

from failing import FAULTS, check_failure, describe, Outcome, sample

PATIENCE = 600  # seconds, for what takes less than one


class Watched:
    """A folder of notes inside the bench's home, and an index that follows it."""

    def __init__(self, bench):
        self.bench = bench
        self.notes = os.path.join(bench.home, "notes")
        self.fresh = os.path.join(bench.folder, "fresh.trawl")
        self.said = os.path.join(bench.folder, "said")

    def put(self, name, text):
        path = os.path.join(self.bench.folder, "new")
        with open(path, "w") as out:
            out.write(text)
        os.rename(path, os.path.join(self.notes, name))

    def begin(self):
        shutil.rmtree(self.notes, ignore_errors=True)
        self.bench.remove_files(["x.trawl", "x.trawl-lock", "x.trawl-new", "x.trawl-run"])
        os.mkdir(self.notes)
        for i in range(6):
            self.put("n%d.txt" % i, "note %d rain river stone\n" % i)

    def edit(self):
        self.put("n0.txt", "changed rain\n")
        self.put("n9.txt", "appeared harvest\n")
        os.remove(os.path.join(self.notes, "n1.txt"))

    def found(self, query, name):
        outcome = self.bench.run(["search", "--json", "--no-snippet", self.bench.index, query])
        return outcome.code == 0 and name.encode() in outcome.out

    def wait(self, process, ready):
        """Until it is ready or the process has ended; False when neither comes."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            if process.poll() is not None or ready():
                return True
            time.sleep(0.02)
        return False

    def follow(self, faults):
        """Watch, edit, and end. The outcome, or what is wrong."""
        self.bench.remove_files([self.bench.counters])
        environment = dict(os.environ, LC_ALL="C.UTF-8", LD_PRELOAD=self.bench.interpose, FAULT_FOLDER=self.bench.home,
                           FAULT_COUNTERS=self.bench.counters, **faults)
        with open(self.said, "wb") as out, open(self.said + "-errors", "wb") as errors:
            process = subprocess.Popen([self.bench.tool, "index", "--watch", self.bench.index, self.notes], env=environment,
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=errors)
        came = self.wait(process, lambda: b"watching" in open(self.said, "rb").read())
        self.edit()
        came = came and self.wait(process, lambda: self.found("harvest", "n9.txt") and self.found("changed", "n0.txt"))
        if process.poll() is None:
            process.send_signal(signal.SIGTERM if came else signal.SIGKILL)
        process.wait()
        with open(self.bench.counters, "rb") as counters:
            self.bench.counted, struck = struct.unpack("QQ", counters.read()[-16:])
        outcome = Outcome(process.returncode if came else "hangs", b"", open(self.said + "-errors", "rb").read(), struck)
        return outcome

    def state(self, index):
        answers = []
        for query in ("rain", "harvest", "changed", "note"):
            outcome = self.bench.run(["search", "--json", "--no-snippet", "--stable-ties", index, query])
            answers.append((outcome.code, sorted(line.split(b'"id":')[1].split(b",")[0]
                                                 for line in outcome.out.splitlines() if b'"id":' in line)))
        return answers

    def judge(self, outcome, killed):
        if not (killed and outcome.code == -signal.SIGKILL):
            wrong = check_failure(outcome)
            if wrong:
                return wrong
        checked = self.bench.run(["check", "-q", self.bench.index])
        if checked.code == 1 or (checked.code != 0 and b"no commit" not in checked.err and b"no such" not in checked.err):
            return "the index is not whole: " + describe(checked)
        again = self.bench.run(["index", "-q", "--delete-missing", self.bench.index, self.notes])
        if again.code != 0:
            return "indexing afterwards fails: " + describe(again)
        self.bench.remove_index(self.fresh)
        self.bench.must(["index", "-q", self.fresh, self.notes])
        if self.state(self.bench.index) != self.state(self.fresh):
            return "the index does not catch up with its folder"
        strangers = [name for name in self.bench.strangers() if name != "notes"]
        return "left in the folder: " + " ".join(strangers) if strangers else None

    def try_one(self, faults, what):
        self.begin()
        outcome = self.follow(faults)
        wrong = self.judge(outcome, "FAULT_KILL" in faults)
        self.bench.tally.run(outcome.struck, wrong and "index --watch, %s: %s" % (what, wrong))


def watching(bench, draw, step):
    watched = Watched(bench)
    watched.begin()
    watched.follow({"FAULT_CALLS": "change"})
    total = bench.counted
    for moment in ("before", "after"):
        for at in sample(draw, total, step):
            watched.try_one({"FAULT_CALLS": "change", "FAULT_AT": str(at), "FAULT_KILL": moment},
                            "killed %s call %d" % (moment, at))
    bench.tally.say("index --watch, killed around each of %d calls" % total)
    for name, error in FAULTS:
        for at in sample(draw, total, step):
            watched.try_one({"FAULT_CALLS": "change", "FAULT_AT": str(at), "FAULT_ERROR": error}, "call %d: %s" % (at, name))
        bench.tally.say("index --watch under " + name)
