"""The command-line tool under system calls and allocations that fail, on full disks, and under file size limits."""
import ctypes
import errno
import json
import os
import random
import re
import resource
import shutil
import signal
import struct
import subprocess

CALLS = "open,create,read,pread,mmap,write,pwrite,writev,pwritev,fsync,fdatasync,msync,ftruncate,rename,link,unlink"
FAULTS = [("ENOSPC", str(errno.ENOSPC)), ("EIO", str(errno.EIO)), ("EINTR", str(errno.EINTR)), ("short", "short")]
SECONDS = 300
QUERIES = ["rain", '"green harvest"', "+rain -stone", "river fresh"]
WORDS = "rain river stone green harvest fresh morning paper silver window".split()


def corpus(path, count, version, length=30):
    """JSON Lines that follow from the arguments; every third document is the same in each version."""
    with open(path, "w") as out:
        for i in range(count):
            draw = random.Random(i * 1000 + (version if i % 3 else 0))
            text = " ".join(draw.choice(WORDS) + (str(draw.randrange(500)) if draw.random() < 0.3 else "")
                            for _ in range(length))
            out.write(json.dumps({"id": "d%d" % i, "title": "title %d" % (version if i % 3 else 0), "text": text}) + "\n")


class Outcome:
    def __init__(self, code, out, err, struck):
        self.code, self.out, self.err, self.struck = code, out, err, struck

    def state(self):
        return self.code, self.out


class Bench:
    """A folder with inputs, an index of their first version, and what the tool answers about it."""

    def __init__(self, tool, interpose, folder, tally, spill=False):
        self.tool, self.interpose, self.folder, self.tally = tool, interpose, folder, tally
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(os.path.join(folder, "home"))
        self.home = os.path.join(folder, "home")
        self.index = os.path.join(self.home, "x.trawl")
        self.counters = os.path.join(folder, "counters")
        size = (2500, 120) if spill else (60, 30)
        self.inputs = [os.path.join(self.home, "v%d.jsonl" % v) for v in (1, 2)]
        for version, path in enumerate(self.inputs):
            corpus(path, size[0], version + 1, size[1])
        self.options = ["--memory", "1M"] if spill else []
        self.saved = os.path.join(folder, "saved.trawl")
        self.must(self.index_command(1))
        shutil.copyfile(self.index, self.saved)
        self.old = self.answers()
        self.must(self.index_command(2))
        self.new = self.answers()
        self.none = None

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def index_command(self, version, path=None):
        return ["index", "-q", *self.options, path or self.index, self.inputs[version - 1]]

    def run(self, command, faults=None, limit=None):
        environment = dict(os.environ, LC_ALL="C.UTF-8")
        if faults is not None:
            if os.path.exists(self.counters):
                os.remove(self.counters)
            environment.update(LD_PRELOAD=self.interpose, FAULT_FOLDER=self.home, FAULT_COUNTERS=self.counters, **faults)
        def child():
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            done = subprocess.run([self.tool, *command], env=environment, capture_output=True, timeout=SECONDS,
                                  stdin=subprocess.DEVNULL, preexec_fn=child if limit is not None else None)
        except subprocess.TimeoutExpired:
            return Outcome("hangs", b"", b"", 1)
        struck = 0
        if faults is not None:
            with open(self.counters, "rb") as counters:
                self.counted, struck = struct.unpack("QQ", counters.read()[-16:])
        return Outcome(done.returncode, done.stdout, done.stderr, struck)

    def must(self, command):
        outcome = self.run(command)
        if outcome.code != 0:
            raise SystemExit("%s: exit status %s: %s" % (" ".join(command), outcome.code, outcome.err.decode()))
        return outcome

    def readers(self):
        yield ["stats", "--json", self.index]
        yield ["show", self.index, "d1"]
        for query in QUERIES:
            yield ["search", "--json", "--stable-ties", "-n", "10", self.index, query]

    def answers(self):
        """What the index answers; the file's own figures depend on its history and are left out."""
        result = []
        for command in self.readers():
            outcome = self.run(command)
            if command[0] == "stats" and outcome.code == 0:
                stats = json.loads(outcome.out)
                result.append(tuple(stats.get(name) for name in ("documents", "tokens", "text_bytes")))
            elif command[0] == "search" and outcome.code == 0:
                result.append(sorted(timeless(line) for line in outcome.out.splitlines()))
            else:
                result.append(outcome.state())
        return result

    def reset(self, fresh=False):
        for name in os.listdir(self.home):
            if not name.endswith(".jsonl"):
                os.remove(os.path.join(self.home, name))
        if not fresh:
            shutil.copyfile(self.saved, self.index)

    def remove_index(self, path):
        self.remove_files([path, path + "-lock"])

    def remove_files(self, names):
        for name in names:  # those of other folders with their path
            if os.path.exists(os.path.join(self.home, name)):
                os.remove(os.path.join(self.home, name))

    def strangers(self):
        return [name for name in os.listdir(self.home)
                if name not in ("x.trawl", "x.trawl-lock", "v1.jsonl", "v2.jsonl")]


def timeless(line):
    """A line of search output without what changes from run to run or with the layout of segments."""
    try:
        hit = json.loads(line)
    except ValueError:
        return line.decode()
    if isinstance(hit, dict):
        for name in ("milliseconds", "seconds", "time", "rank", "document"):
            hit.pop(name, None)
    return json.dumps(hit, sort_keys=True)


def describe(outcome):
    if isinstance(outcome.code, int) and outcome.code < 0:
        return "ended by %s, says %r" % (signal.Signals(-outcome.code).name, outcome.err.decode(errors="replace")[:200])
    return "exit status %s, says %r" % (outcome.code, outcome.err.decode(errors="replace")[:200])


def check_failure(outcome):
    """What is wrong with the way in which a command failed or did not, or None."""
    if outcome.code == 1 and b"no documents found" in outcome.err and b": cannot read" in outcome.err:
        return None  # an input that cannot be read is skipped, and there was no other
    if outcome.code not in (0, 2):
        return describe(outcome)
    said = re.sub(rb"^trawl index: --memory [^\n]*\n", b"", outcome.err)  # a note, which every run with so little has
    if outcome.code == 2 and (not said.startswith(b"trawl: ") or not said.endswith(b"\n")):
        return "fails without a message: " + describe(outcome)
    return None


EXPECTED = {str(errno.ENOSPC): ("full", "No space", "Input/output error"), str(errno.EIO): ("nput/output error", "read"),
            str(errno.EINTR): ("nterrupted", "nput/output error")}


def index_under(bench, faults, fresh, what, limit=None):
    """`trawl index` with faults: it says what happened; the index is as before or as after; the next run succeeds."""
    bench.reset(fresh)
    outcome = bench.run(bench.index_command(2), faults, limit)
    wrong = check_failure(outcome)
    state = bench.answers()
    before = state[0] != bench.new[0] and all(s[0] == 2 for s in state) if fresh else state == bench.old
    if not wrong and outcome.code == 0 and state != bench.new:
        wrong = "reports success but the index is not the new one"
    if not wrong and not before and state != bench.new:
        wrong = "the index is neither the old nor the new one (%s)" % describe(outcome)
    retry = bench.run(bench.index_command(2))
    if not wrong and retry.code != 0:
        wrong = "the retry fails: " + describe(retry)
    if not wrong and bench.answers() != bench.new:
        wrong = "after the retry the index is not the new one"
    if not wrong and bench.strangers():
        wrong = "left in the folder: " + " ".join(bench.strangers())
    bench.tally.run(outcome.struck, wrong and "%s: %s" % (what, wrong))
    return outcome


def read_under(bench, command, faults, what, expected):
    outcome = bench.run(command, faults)
    wrong = check_failure(outcome)
    if not wrong and outcome.code == 0 and stable(command, outcome.out) != expected:
        wrong = "gives another answer"
    bench.tally.run(outcome.struck, wrong and "%s: %s" % (what, wrong))
    return outcome


def stable(command, out):
    return sorted(timeless(line) for line in out.splitlines()) if command[0] == "search" else out


def count(bench, command, faults):
    bench.run(command, faults)
    return bench.counted


def sample(draw, total, step):
    """Numbers of calls to strike: all, or every step-th from a drawn one, and the last."""
    if step <= 1:
        return list(range(1, total + 1))
    return sorted(set(range(1 + draw.randrange(step), total + 1, step)) | ({total} if total else set()))


def each_fault(kinds=FAULTS):
    for name, error in kinds:
        for sticky in (False, True):
            faults = {"FAULT_ERROR": error}
            if sticky:  # a signal that never stops to interrupt may be waited for for ever
                faults["FAULT_TIMES"] = "5" if name == "EINTR" else "0"
            yield name + (" five times" if sticky and name == "EINTR" else " from then on" if sticky else ""), faults


def failing_calls(bench, draw, step):
    for fresh in (False, True):
        bench.reset(fresh)
        total = count(bench, bench.index_command(2), {"FAULT_CALLS": CALLS})
        for label, faults in each_fault():
            for at in sample(draw, total, step):
                index_under(bench, dict(faults, FAULT_CALLS=CALLS, FAULT_AT=str(at)), fresh,
                            "index %s, call %d: %s" % ("anew" if fresh else "again", at, label))
            bench.tally.say("index %s under %s" % ("anew" if fresh else "again", label))
    bench.reset()
    for command in bench.readers():
        expected = stable(command, bench.must(command).out)
        total = count(bench, command, {"FAULT_CALLS": CALLS})
        for label, faults in each_fault():
            for at in sample(draw, total, min(step, 4)):
                read_under(bench, command, dict(faults, FAULT_CALLS=CALLS, FAULT_AT=str(at)),
                           "%s, call %d: %s" % (" ".join(command[:1] + command[-1:]), at, label), expected)
        bench.tally.say("%s under failing calls" % command[0])


def compound(bench, draw, rounds):
    """Faults while a fault is recovered from: a row of runs, each killed or failed somewhere, and then a good one."""
    bench.reset()
    totals = {}
    for fresh in (False, True):
        bench.reset(fresh)
        totals[fresh] = count(bench, bench.index_command(2), {"FAULT_CALLS": CALLS})
    for number in range(rounds):
        fresh = draw.random() < 0.4
        bench.reset(fresh)
        struck, wrong, story = 0, None, []
        for _ in range(draw.randrange(2, 5)):
            faults = {"FAULT_CALLS": CALLS, "FAULT_AT": str(1 + draw.randrange(totals[fresh] + 5))}
            if draw.random() < 0.5:
                faults["FAULT_KILL"] = draw.choice(["before", "after"])
            else:
                label, more = draw.choice(list(each_fault()))
                faults.update(more)
            story.append(faults)
            outcome = bench.run(bench.index_command(2), faults)
            struck += outcome.struck
            if outcome.code != -signal.SIGKILL:
                wrong = wrong or check_failure(outcome)
            if outcome.code == 0 and not wrong and bench.answers() != bench.new:
                wrong = "reports success but the index is not the new one"
        state = bench.answers()
        if not wrong and state != bench.new and not (state == bench.old if not fresh else all(s[0] == 2 for s in state)):
            wrong = "the index is neither the old nor the new one"
        retry = bench.run(bench.index_command(2))
        if not wrong and (retry.code != 0 or bench.answers() != bench.new):
            wrong = "the last run fails: " + describe(retry)
        if not wrong and bench.strangers():
            wrong = "left in the folder: " + " ".join(bench.strangers())
        bench.tally.run(struck, wrong and "compound %d %s: %s" % (number, json.dumps(story), wrong))
        if number % 25 == 24:
            bench.tally.say("%d of %d rows of faults" % (number + 1, rounds))


def size_limits(bench, draw, steps):
    """RLIMIT_FSIZE: a write past the limit fails with EFBIG, once the signal is ignored."""
    bench.reset()
    bench.must(bench.index_command(2))
    most = os.path.getsize(bench.index) + 65536 + 8192
    for fresh in (False, True):
        for i in range(steps):
            limit = most * i // steps // 512 * 512
            outcome = index_under(bench, None, fresh, "file size limit of %d bytes" % limit, limit)
            bench.tally.inject(outcome.code != 0)
        bench.tally.say("file size limits")


def full_disk(bench, folder, steps):
    """A real small file system. Returns why it could not be made, or None."""
    libc = ctypes.CDLL(None, use_errno=True)
    place = os.path.join(folder, "small")
    os.makedirs(place, exist_ok=True)
    bench.reset()
    bench.must(bench.index_command(2))
    most = os.path.getsize(bench.index) + 4 * 65536
    for i in range(1, steps + 1):
        size = max(4096, most * i // steps // 4096 * 4096)
        if libc.mount(b"tmpfs", place.encode(), b"tmpfs", 0, ("size=%d" % size).encode()) != 0:
            return os.strerror(ctypes.get_errno())
        try:
            wrong = fill(bench, os.path.join(place, "x.trawl"), size)
        finally:
            libc.umount2(place.encode(), 2)
        bench.tally.inject(bench.filled)
        bench.tally.run(0, wrong and "a disk of %d bytes: %s" % (size, wrong))
    bench.tally.say("full disks")
    return None


def fill(bench, path, size):
    """Index again and again on a small disk until it is full; the last good commit must go on answering."""
    last, bench.filled = None, False
    for round_number in range(12):
        outcome = bench.run(bench.index_command(1 + round_number % 2, path))
        wrong = check_failure(outcome)
        if wrong:
            return wrong
        if outcome.code == 2:
            bench.filled = True
            if b"full" not in outcome.err and b"No space" not in outcome.err:
                return "does not say that the disk is full: " + describe(outcome)
        state = bench.run(["search", "--json", path, "rain"])
        answer = (state.code, sorted(timeless(line) for line in state.out.splitlines()))
        if outcome.code == 0 and state.code != 0:
            return "a commit cannot be read: " + describe(state)
        if outcome.code == 2 and last and answer != last:
            return "the last commit answers otherwise after a full disk: " + describe(state)
        last = answer if outcome.code == 0 else last
    return None


def failing_allocations(bench, draw, step):
    """malloc, calloc and realloc of the libraries too: an error, and no crash."""
    for fresh in (False, True):
        bench.reset(fresh)
        total = count(bench, bench.index_command(2), {"FAULT_MALLOC": "0"})
        for sticky in ({}, {"FAULT_TIMES": "0"}):
            for at in sample(draw, total, step):
                index_under(bench, dict(sticky, FAULT_MALLOC=str(at)), fresh,
                            "index %s, allocation %d%s" % ("anew" if fresh else "again", at, " and on" if sticky else ""))
            bench.tally.say("index under failing allocations (%d of them)" % total)
    bench.reset()
    for command in bench.readers():
        expected = stable(command, bench.must(command).out)
        total = count(bench, command, {"FAULT_MALLOC": "0"})
        for sticky in ({}, {"FAULT_TIMES": "0"}):
            for at in sample(draw, total, step):
                read_under(bench, command, dict(sticky, FAULT_MALLOC=str(at)),
                           "%s, allocation %d%s" % (" ".join(command[:1] + command[-1:]), at, " and on" if sticky else ""),
                           expected)
        bench.tally.say("%s under failing allocations (%d of them)" % (command[0], total))
