"""The engines: how each is built, indexes a corpus, and is started to answer queries."""
import glob
import json
import os
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


class Missing(Exception):
    """Something has to be installed or built first; the text names it."""


def need(program, remedy):
    if not shutil.which(program):
        raise Missing("%s not found: %s" % (program, remedy))


class Engine:
    """One engine. `out` is the folder for everything that is built."""

    name = ""
    family = ""  # where engines share one driver: its folder
    warmup = 1  # rounds over all queries and commands before timing
    most_rounds = 1 << 30  # fewer for engines that would take hours
    fixed = None  # (k1, b) where they cannot be chosen
    score_factor = None  # scores of this engine / textbook BM25 without (k1 + 1); None: not comparable
    answers = True  # False: only building the index is compared

    def __init__(self, out):
        self.build_folder = os.path.join(out, "build", self.family or self.name)

    def build(self, log):
        """Build if need be. Raises Missing or subprocess.CalledProcessError."""

    def program(self):
        """The file whose change makes an index stale."""
        raise NotImplementedError

    def index(self, index, corpus):
        raise NotImplementedError

    def serve(self, index, k1, b):
        raise NotImplementedError

    def stored_bytes(self, index):
        """What stored documents and their ids take of the index, or None where that cannot be told."""
        return None

    def version(self):
        return ""

    def parameters(self, k1, b):
        return self.fixed or (k1, b)


class Trawl(Engine):
    name = "trawl"
    score_factor = 1.0

    def __init__(self, out, path):
        super().__init__(out)
        self.path = os.path.abspath(path)

    def build(self, log):
        if not os.access(self.path, os.X_OK):
            raise Missing("%s not found: run make, or name the tool with --trawl" % self.path)

    def program(self):
        return self.path

    def index(self, index, corpus):
        return [self.path, "index", "--order", "input", "--language", "none", index, corpus]

    def serve(self, index, k1, b):
        return [self.path, "bench", "--protocol", "game", "--k1", str(k1), "--b", str(b), index]

    def stored_bytes(self, index):
        answer = subprocess.run([self.path, "stats", "--json", index], capture_output=True, text=True, check=True)
        parts = json.loads(answer.stdout)["bytes"]
        return parts["documents"] + parts["hashes"] + parts["ids"]

    def version(self):
        return subprocess.run([self.path, "--version"], capture_output=True, text=True).stdout.strip()


class TrawlPairs(Trawl):
    """trawl with lists of frequent bigrams: what they give to phrases, and what they cost in size."""

    name = "trawl-pairs"

    def index(self, index, corpus):
        return [self.path, "index", "--order", "input", "--bigrams", "--language", "none", index, corpus]


class Tantivy(Engine):
    name = family = "tantivy"
    compression = "lz4"
    fixed = (1.2, 0.75)
    score_factor = 1.2 + 1

    def build(self, log):
        need("cargo", "install Rust 1.88 or newer")
        environment = dict(os.environ, CARGO_TARGET_DIR=self.build_folder, RUSTFLAGS="-C target-cpu=native")
        subprocess.run(["cargo", "build", "--release"], cwd=os.path.join(HERE, "tantivy"), env=environment,
                       stdout=log, stderr=log, check=True)

    def program(self):
        return os.path.join(self.build_folder, "release", "tantivy-peer")

    def index(self, index, corpus):
        return [self.program(), "index", index, corpus, self.compression]

    def serve(self, index, k1, b):
        return [self.program(), "serve", index]

    def stored_bytes(self, index):
        return files_bytes(index, "*.store")

    def version(self):
        return pinned("tantivy/Cargo.toml", r'version = "=([^"]+)"')


class TantivyZstd(Tantivy):
    """Tantivy with its other compression of stored text."""

    name = "tantivy-zstd"
    compression = "zstd"
    answers = False


class Lucene(Engine):
    name = family = "lucene"
    compression = "lz4"
    warmup = 6  # times commands times queries: tens of thousands of requests, for the JIT compiler
    score_factor = 1.0

    def build(self, log):
        need("mvn", "install Maven")
        environment = dict(os.environ, JAVA_HOME=java_home())
        subprocess.run(["mvn", "-B", "-q", "-Doutput=" + self.build_folder, "package"],
                       cwd=os.path.join(HERE, "lucene"), env=environment, stdout=log, stderr=log, check=True)

    def program(self):
        return os.path.join(self.build_folder, "lucene-peer-0.1.0.jar")

    def java(self, *options):
        classes = self.program() + ":" + os.path.join(self.build_folder, "lib", "*")
        return [os.path.join(java_home(), "bin", "java"), "--add-modules", "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED", *options, "-cp", classes, "LucenePeer"]

    def index(self, index, corpus):
        return self.java("-Xmx4g") + ["index", index, corpus, self.compression]

    def serve(self, index, k1, b):
        return self.java("-Xms1g", "-Xmx1g") + ["serve", index, str(k1), str(b)]

    def stored_bytes(self, index):
        return files_bytes(index, "*.fd?")

    def version(self):
        return "%s, JDK %d" % (pinned("lucene/pom.xml", r"lucene-core</artifactId>\s*<version>([^<]+)"),
                               java_version(java_home()))


class LuceneDeflate(Lucene):
    """Lucene with its other compression of stored text."""

    name = "lucene-deflate"
    compression = "deflate"
    answers = False


class Cplusplus(Engine):
    """A peer in C++ over a library that Debian has. Slow ones: no warm-up, and few rounds."""

    most_rounds = 2
    warmup = 0
    library = package = ""

    def build(self, log):
        need("g++", "install g++")
        source = os.path.join(HERE, self.name, self.name + "_peer.cc")
        sources = [source, os.path.join(HERE, "common", "peer.hh")]
        if os.path.exists(self.program()) and os.path.getmtime(self.program()) > max(map(os.path.getmtime, sources)):
            return
        os.makedirs(self.build_folder, exist_ok=True)
        try:
            subprocess.run(["g++", "-std=c++17", "-O2", "-march=native", "-Wall", "-Wextra", "-o", self.program(),
                            source, self.library, "-lsimdjson"], stdout=log, stderr=log, check=True)
        except subprocess.CalledProcessError:
            raise Missing("%s does not compile: install %s and libsimdjson-dev" % (self.name, self.package))

    def program(self):
        return os.path.join(self.build_folder, self.name + "-peer")

    def index(self, index, corpus):
        return [self.program(), "index", index, corpus]

    def serve(self, index, k1, b):
        return [self.program(), "serve", index]

    def version(self):
        answer = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", self.package], capture_output=True, text=True)
        return answer.stdout.strip()


class Xapian(Cplusplus):
    name = "xapian"
    library, package = "-lxapian", "libxapian-dev"
    fixed = (0.9, 0.4)


class Sqlite(Cplusplus):
    name = "sqlite"
    library, package = "-lsqlite3", "libsqlite3-dev"
    most_rounds = 1
    fixed = (1.2, 0.75)


def files_bytes(folder, pattern):
    return sum(map(os.path.getsize, glob.glob(os.path.join(folder, pattern))))


def pinned(path, pattern):
    with open(os.path.join(HERE, path), encoding="utf-8") as lines:
        found = re.search(pattern, lines.read())
    return found.group(1) if found else "?"


def java_version(home):
    """The major version of the JDK in a folder, 0 if there is none."""
    try:
        with open(os.path.join(home, "release"), encoding="utf-8") as lines:
            return int(re.search(r'JAVA_VERSION="(\d+)', lines.read()).group(1))
    except (OSError, AttributeError):
        return 0


def java_home():
    homes = [os.environ.get("JAVA_HOME", "")] + glob.glob("/usr/lib/jvm/*")
    best = max(homes, key=java_version)
    if java_version(best) < 21:
        raise Missing("Lucene needs a JDK of version 21 or newer: install one, or set JAVA_HOME")
    return best


def make(name, out, trawl):
    peers = {peer.name: peer for peer in (Tantivy, TantivyZstd, Lucene, LuceneDeflate, Xapian, Sqlite)}
    for ours in (Trawl, TrawlPairs):
        if name == ours.name:
            return ours(out, trawl)
    if name not in peers:
        raise Missing("no engine %s: there are trawl, trawl-pairs, %s" % (name, ", ".join(peers)))
    return peers[name](out)


USUAL = ["trawl", "trawl-pairs", "tantivy", "tantivy-zstd", "lucene", "lucene-deflate"]
ALL = USUAL + ["xapian", "sqlite"]
