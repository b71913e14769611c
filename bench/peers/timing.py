"""Processes and clocks: an indexing run measured from outside, and query latencies over pipes."""
import gc
import os
import subprocess
import time

NULL = "NULL"  # a command no engine knows: its latency is that of the pipes


def cores():
    """(engine's core, runner's core): two different ones where there are two."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[-1], usable[0]


def measure(command, log):
    """Run to the end: {"seconds", "cpu_seconds", "peak_bytes"}. Not pinned: an engine may use all cores."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return {"seconds": time.perf_counter() - start, "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_bytes": usage.ru_maxrss * 1024}


def size_of(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)


class Server:
    """An engine that answers one line for each line, pinned to one core. It inherits the runner's priority."""

    def __init__(self, command, core, log):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, bufsize=0,
                                        preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        self.input = self.process.stdin.fileno()
        self.output = self.process.stdout.fileno()
        # The runner polls: it has its own core, and a sleeping one would have to be woken within the time measured.
        os.set_blocking(self.output, False)

    def ask(self, line):
        """(nanoseconds, answer without the line end). `line` ends in a line end."""
        answer = b""
        start = time.perf_counter_ns()
        os.write(self.input, line)
        while not answer.endswith(b"\n"):
            try:
                part = os.read(self.output, 65536)
            except BlockingIOError:
                continue
            if not part:
                raise EOFError("%s ended at %r" % (self.process.args[0], line))
            answer += part
        return time.perf_counter_ns() - start, answer[:-1].decode()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def request(command, query):
    return ("%s\t%s\n" % (command, query)).encode()


class Session:
    """Latencies and answers of some engines to the same queries; engines take turns, one request in flight."""

    def __init__(self, servers, queries, progress):
        self.servers = servers  # name -> Server
        self.queries = queries  # the texts
        self.progress = progress
        # By (engine, command); the null command timed beside COMMAND is "NULL COMMAND".
        self.times = {}  # a list a query of nanoseconds, one a round
        self.answers = {}  # a list of answers, one a query

    def warm_up(self, name, commands, rounds):
        for _ in range(rounds):
            for command in commands:
                for query in self.queries:
                    self.servers[name].ask(request(command, query))

    def time_command(self, command, names, rounds):
        """`rounds`: engine -> number of rounds. The order of the engines rotates from round to round. The null command
        is timed in the same rounds, since what a pipe costs changes with the load of the machine."""
        for turn in range(max(rounds[name] for name in names)):
            for name in names[turn % len(names):] + names[:turn % len(names)]:
                if turn < rounds[name]:
                    self.one_round(name, command, command)
                    self.one_round(name, NULL, "%s %s" % (NULL, command))
        self.progress("timed %s" % command)

    def one_round(self, name, command, key):
        ask = self.servers[name].ask
        lines = [request(command, query) for query in self.queries]
        times = self.times.setdefault((name, key), [[] for _ in lines])
        answers = []
        gc.disable()
        for at, line in enumerate(lines):
            elapsed, answer = ask(line)
            times[at].append(elapsed)
            answers.append(answer)
        gc.enable()
        if self.answers.setdefault((name, key), answers) != answers:
            raise ValueError("%s answers %s differently from one round to the next" % (name, command))
