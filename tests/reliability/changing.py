"""Commands other than a plain `index` under faults: each call that changes a file killed around or failing, allocations failing,
no room on the disk; and rows of such faults, one in the recovery from another."""
import errno
import json
import os
import shutil
import signal

from failing import CALLS, check_failure, describe, each_fault, sample

STEP = 12  # documents from one commit to the next
UNREADABLE = (str(errno.EIO), str(errno.ENOSPC))  # who looks for damage takes what fails so for damaged


class Change:
    """A command that changes an index, from a saved one: which states it may leave, and which it leaves in the end."""

    def __init__(self, name, command, saved, states, after, made=None):
        self.name, self.command, self.saved = name, command, saved
        self.states, self.after = states, after
        self.made = made  # a file that comes of it besides, which is removed before it is tried again


class Changes:
    """The changes that are tried, on the bench's folder."""

    def __init__(self, bench):
        self.bench = bench
        self.rescued = os.path.join(bench.home, "rescued.trawl")
        self.broken = os.path.join(bench.folder, "broken.trawl")
        self.many = os.path.join(bench.folder, "many.trawl")
        self.all = [self.commits(), *self.of_many_segments(), self.copy(), self.salvage()]
        bench.reset()

    def ids(self, first, step):
        return ["d%d" % i for i in range(first, 60, step)]

    def commits(self):
        """index --commit-every: any number of its commits may have been made."""
        bench, states = self.bench, []
        with open(bench.inputs[1]) as lines:
            documents = lines.readlines()
        part = os.path.join(bench.home, "part.jsonl")
        for count in range(0, len(documents) + 1, STEP):
            bench.reset()
            with open(part, "w") as out:
                out.writelines(documents[:count])
            if count:
                bench.must(["index", "-q", bench.index, part])
            states.append(bench.answers())
        os.remove(part)
        command = ["index", "-q", "--commit-every", str(STEP), bench.index, bench.inputs[1]]
        return Change("index --commit-every", command, bench.saved, states, bench.new)

    def of_many_segments(self):
        """An index of several segments with dead documents, and what there is to do with it."""
        bench = self.bench
        bench.reset()
        bench.must(["index", "-q", "--no-merge", "--commit-every", "9", bench.index, bench.inputs[1]])
        bench.must(["delete", "-q", bench.index, *self.ids(5, 7)])
        shutil.copyfile(bench.index, self.many)
        same = bench.answers()
        bench.must(["delete", "-q", bench.index, *self.ids(2, 4)])
        fewer = bench.answers()
        yield Change("merge", ["merge", "-q", bench.index], self.many, [same], same)
        yield Change("compact", ["compact", "-q", bench.index], self.many, [same], same)
        yield Change("delete", ["delete", "-q", bench.index, *self.ids(2, 4)], self.many, [same, fewer], fewer)

    def copy(self):
        """Of an index with several segments: the index stays as it is, the copy is whole or not there."""
        bench = self.bench
        shutil.copyfile(self.many, bench.index)
        same = bench.answers()
        return Change("copy", ["copy", "-q", bench.index, self.rescued], self.many, [same], same, self.rescued)

    def salvage(self):
        """Of an index one of whose extents is damaged: it must stay as it is."""
        bench = self.bench
        with open(self.many, "rb") as source:
            damaged = bytearray(source.read())
        place = damaged.rfind(b"TRWX")
        damaged[place + 60] ^= 1
        with open(self.broken, "wb") as out:
            out.write(damaged)
        shutil.copyfile(self.broken, bench.index)
        same = bench.answers()
        return Change("salvage", ["salvage", "-q", bench.index, self.rescued], self.broken, [same], same, self.rescued)

    def prepare(self, change):
        self.bench.reset(True)
        shutil.copyfile(change.saved, self.bench.index)

    def rescued_state(self):
        """What the new index of a salvage answers; None where there is none, or one without a commit."""
        bench = self.bench
        if not os.path.exists(self.rescued):
            return None
        whole, bench.index = bench.index, self.rescued
        try:
            state = bench.answers()
        finally:
            bench.index = whole
        return None if all(isinstance(part, tuple) and part[0] == 2 for part in state) else state

    def remove_made(self, change):
        if change.made:
            self.bench.remove_index(change.made)

    def expected(self, change):
        """Exit status and answers of the new index, when nothing goes wrong."""
        if not hasattr(change, "good"):
            self.prepare(change)
            outcome = self.bench.run(change.command)
            change.good = outcome.code, self.rescued_state()
            self.remove_made(change)
        return change.good

    def left_behind(self, change):
        known = [os.path.basename(name) for name in ((change.made, change.made + "-lock") if change.made else ())]
        return [name for name in self.bench.strangers() if name not in known]

    def judge_partial(self, change):
        """After a salvage or a copy that could not read everything."""
        found = self.rescued_state()
        if found is not None and self.bench.run(["check", "-q", "--text", self.rescued]).code != 0:
            return "the new index is not whole"
        return None if self.bench.answers() == change.after else "the damaged index was changed"

    def judge(self, change, outcome, killed, unreadable):
        """What is wrong after a run that was struck, or None."""
        code, rescued = self.expected(change)
        if change.made and unreadable and outcome.code in (code, 1, 2) and (outcome.out or outcome.err):
            return self.judge_partial(change)
        failed = outcome.code != code
        if killed:
            if outcome.code != -signal.SIGKILL:
                return "was not killed: " + describe(outcome)
        elif failed:
            wrong = check_failure(outcome)
            if wrong:
                return wrong
        state = self.bench.answers()
        if not failed and not killed and state != change.after:
            return "reports success but has not done it"
        if state != change.after and state not in change.states:
            return "the index is neither as before nor as after (%s)" % describe(outcome)
        if change.made:
            found = self.rescued_state()
            if found != rescued and (found is not None or not (failed or killed)):
                return "the new index is not what could be rescued"
        return None

    def retry(self, change):
        code, rescued = self.expected(change)
        self.remove_made(change)
        outcome = self.bench.run(change.command)
        again = change.name == "delete" and outcome.code == 1  # there is nothing left to delete
        if outcome.code != code and not again:
            return "the retry fails: " + describe(outcome)
        if self.bench.answers() != change.after or (change.made and self.rescued_state() != rescued):
            return "after the retry it is not done"
        stranger = self.left_behind(change)
        return "left in the folder: " + " ".join(stranger) if stranger else None

    def try_one(self, change, faults, what, limit=None):
        self.expected(change)
        self.prepare(change)
        outcome = self.bench.run(change.command, faults, limit)
        killed = bool(faults and "FAULT_KILL" in faults)
        unreadable = bool(faults) and faults.get("FAULT_ERROR") in UNREADABLE
        wrong = self.judge(change, outcome, killed, unreadable) or self.retry(change)
        self.bench.tally.run(outcome.struck, wrong and "%s, %s: %s" % (change.name, what, wrong))
        return outcome

    def count(self, change, faults):
        self.prepare(change)
        self.bench.run(change.command, faults)
        return self.bench.counted


def step_of(change, step):
    """A salvage reads far more often than others."""
    return step * 4 if change.made and step > 1 else step


def killed(bench, draw, step):
    """kill -9 before and after each call that changes a file."""
    changes = Changes(bench)
    for change in changes.all:
        total = changes.count(change, {"FAULT_CALLS": "change"})
        for moment in ("before", "after"):
            for at in sample(draw, total, step):
                faults = {"FAULT_CALLS": "change", "FAULT_AT": str(at), "FAULT_KILL": moment}
                changes.try_one(change, faults, "killed %s call %d" % (moment, at))
        bench.tally.say("%s, killed around each of %d calls" % (change.name, total))


def failing_calls(bench, draw, step):
    changes = Changes(bench)
    for change in changes.all:
        total = changes.count(change, {"FAULT_CALLS": CALLS})
        for label, faults in each_fault():
            for at in sample(draw, total, step_of(change, step)):
                changes.try_one(change, dict(faults, FAULT_CALLS=CALLS, FAULT_AT=str(at)), "call %d: %s" % (at, label))
        bench.tally.say("%s under failing calls (%d of them)" % (change.name, total))
    checks_under_failing_calls(bench, changes, draw, step)


def failing_allocations(bench, draw, step):
    changes = Changes(bench)
    for change in changes.all:
        total = changes.count(change, {"FAULT_MALLOC": "0"})
        for more in ({}, {"FAULT_TIMES": "0"}):
            for at in sample(draw, total, step_of(change, step)):
                changes.try_one(change, dict(more, FAULT_MALLOC=str(at)),
                                "allocation %d%s" % (at, " and on" if more else ""))
        bench.tally.say("%s under failing allocations (%d of them)" % (change.name, total))
    for command, expected in check_commands(bench, changes):
        bench.run(command, {"FAULT_MALLOC": "0"})
        total = bench.counted
        for more in ({}, {"FAULT_TIMES": "0"}):
            for at in sample(draw, total, step):
                faults = dict(more, FAULT_MALLOC=str(at))
                check_once(bench, command, faults, "allocation %d%s" % (at, " and on" if more else ""), expected)
        bench.tally.say("check under failing allocations (%d of them)" % total)


def size_limits(bench, draw, steps):
    changes = Changes(bench)
    for change in changes.all:
        most = os.path.getsize(change.saved) * 2 + 65536
        for i in range(steps):
            limit = most * i // steps // 512 * 512
            outcome = changes.try_one(change, None, "file size limit of %d bytes" % limit, limit)
            bench.tally.inject(outcome.code != changes.expected(change)[0])
    bench.tally.say("file size limits of other commands")


# ---- check ----


def findings(out):
    """The output of check --json without what changes from run to run."""
    lines = []
    for line in out.splitlines():
        told = json.loads(line)
        for name in ("seconds", "bytes_read"):
            told.pop(name, None)
        lines.append(told)
    return lines


def check_commands(bench, changes):
    bench.reset(True)
    shutil.copyfile(changes.many, bench.index)
    for more in ([], ["--quick"], ["--text"]):
        command = ["check", "-q", "--json", *more, bench.index]
        yield command, findings(bench.must(command).out)


def check_once(bench, command, faults, what, expected):
    """An index that is whole must be found so, or not checked; what cannot be read may be a finding."""
    outcome = bench.run(command, faults)
    wrong = None
    if outcome.code == 1 and faults.get("FAULT_ERROR") in UNREADABLE and b'"damage":true' in outcome.out:
        pass
    elif outcome.code == 0:
        wrong = None if findings(outcome.out) == expected else "tells something else"
    else:
        wrong = check_failure(outcome)
    bench.tally.run(outcome.struck, wrong and "%s, %s: %s" % (" ".join(command[:-1]), what, wrong))


def checks_under_failing_calls(bench, changes, draw, step):
    for command, expected in check_commands(bench, changes):
        bench.run(command, {"FAULT_CALLS": CALLS})
        total = bench.counted
        for label, faults in each_fault():
            for at in sample(draw, total, step):
                check_once(bench, command, dict(faults, FAULT_CALLS=CALLS, FAULT_AT=str(at)),
                           "call %d: %s" % (at, label), expected)
    bench.tally.say("check under failing calls")


# ---- faults in the recovery from faults ----


def compound(bench, draw, rounds):
    """Rows of two to four commands, each struck somewhere, on an index whose answers none of them may change; then a good one of
    each."""
    changes = Changes(bench)
    merge, compact, delete = changes.all[1:4]
    totals = {change.name: changes.count(change, {"FAULT_CALLS": CALLS}) for change in (merge, compact, delete)}
    for number in range(rounds):
        struck, wrong, story = 0, None, []
        changes.prepare(merge)
        allowed = [merge.after]
        for _ in range(draw.randrange(2, 5)):
            change = draw.choice((merge, merge, compact, compact, delete))
            faults = {"FAULT_CALLS": CALLS, "FAULT_AT": str(1 + draw.randrange(totals[change.name] + 5))}
            if draw.random() < 0.5:
                faults["FAULT_KILL"] = draw.choice(["before", "after"])
            else:
                faults.update(draw.choice(list(each_fault()))[1])
            story.append((change.name, faults))
            outcome = bench.run(change.command, faults)
            struck += outcome.struck
            if outcome.code not in (-signal.SIGKILL, 1):
                wrong = wrong or check_failure(outcome)
            if change is delete:
                allowed = [delete.after] if outcome.code in (0, 1) else list({id(s): s for s in allowed + [delete.after]}.values())
            state = bench.answers()
            if not wrong and state not in allowed:
                wrong = "the index is not what any of the commands leaves"
            allowed = [state]
        for change in (delete, merge, compact):
            outcome = bench.run(change.command)
            if not wrong and outcome.code not in (0, 1 if change is delete else 0):
                wrong = "%s at last fails: %s" % (change.name, describe(outcome))
        if not wrong and bench.answers() != delete.after:
            wrong = "in the end the index is not as it should be"
        if not wrong and bench.strangers():
            wrong = "left in the folder: " + " ".join(bench.strangers())
        bench.tally.run(struck, wrong and "compound %d %s: %s" % (number, json.dumps(story), wrong))
        if number % 25 == 24:
            bench.tally.say("%d of %d rows of faults" % (number + 1, rounds))
