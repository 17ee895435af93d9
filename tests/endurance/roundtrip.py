#!/usr/bin/env python3
"""Checks that every export has every change in full, by comparing exports with the database after rounds of edits.

    pip install warcio feedparser
    roundtrip.py REVISOR FEEDSERVER [--feeds 4] [--rounds 3] [--folder DIR]

FEEDSERVER is the synthetic publisher from kits/feedserver, started here on a free port. After the rounds the changes are
exported as CSV, NDJSON, git, Atom, JSON Feed and WARC. Counts, change numbers, and removed and added words are compared
with each other and with the database; `git fsck` and `warcio check` must pass, and feedparser must find a unique id for
each change. Prints a table; exits with 1 if anything differs.
"""
import argparse, collections, csv, html, json, os, re, socket, sqlite3, subprocess, sys, tempfile, time, urllib.request

import feedparser
from warcio.archiveiterator import ArchiveIterator
import hashlib

csv.field_size_limit(1 << 26)
failures = []


def holds(what, found, wanted):
    good = found == wanted
    print(f"{what:<58} {found!s:>8} of {wanted!s:<8} {'ok' if good else 'DIFFERS'}", flush=True)
    if not good:
        failures.append(what)


def words(text):
    return set(re.findall(r"\w+", text))


def plain(markup):
    return html.unescape(re.sub(r"<[^>]*>", " ", markup))


def moved(diff):
    """The removed words and the added words in all text fields of a change."""
    fields = [diff.get(name) or [] for name in ["title", "standfirst", "byline"]]
    for name in ["summary", "body"]:
        fields += [block["segments"] for block in (diff.get(name) or {}).get("blocks", []) if block["op"] != "move"]
    side = lambda mark: words(" ".join(text for segments in fields for op, text in segments if op == mark))
    return side("-"), side("+")


class World:
    def __init__(self, options, folder):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        self.server = subprocess.Popen([options.feedserver, "--port", str(port), "--hosts", "8", "--threads", "1"],
                                       stdout=subprocess.DEVNULL)
        config = '[fetch]\nallow_private = ["127.0.0.0/8"]\nhost_delay = "0s"\n[page]\nrobots = false\nfetch = "always"\n'
        for feed in range(options.feeds):
            config += f'[[feed]]\nurl = "{self.base}/sfeed/{feed}.xml"\nname = "f{feed}"\n'
        self.folder, self.database = folder, os.path.join(folder, "revisor.db")
        path = os.path.join(folder, "config.toml")
        with open(path, "w", encoding="ascii") as file:
            file.write(config)
        self.command = [os.path.abspath(options.revisor), "--config", path, "--db", self.database]

    def post(self, path):
        for attempt in range(100):
            try:
                urllib.request.urlopen(urllib.request.Request(self.base + path, method="POST")).read()
                return
            except OSError:
                if attempt == 99:
                    raise
                time.sleep(0.1)

    def run(self, *arguments):
        ran = subprocess.run(self.command + list(arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if ran.returncode:
            sys.exit(f"{arguments}: {ran.returncode}: {ran.stderr.decode()}")
        return ran.stdout.decode()

    def path(self, name):
        return os.path.join(self.folder, name)


def stored(world):
    conn = sqlite3.connect(f"file:{world.database}?mode=ro", uri=True)
    one = lambda sql: [row[0] for row in conn.execute(sql)]
    bodies = collections.Counter(bytes(sha).hex() for sha in one("SELECT body_sha256 FROM captures WHERE body_id IS NOT NULL"))
    return one("SELECT number FROM changes ORDER BY number"), one("SELECT id FROM revisions ORDER BY id"), bodies


def check_text(what, changes, sides):
    """Checks an export: `sides` returns the texts of a change that must have the removed and the added words."""
    whole = 0
    for number, (went, came) in changes.items():
        before, after = sides(number)
        if went <= before and came <= after:
            whole += 1
        elif what not in failures:
            print(f"  {what}: #{number} lacks {sorted(went - before)[:8]} {sorted(came - after)[:8]}")
    holds(what, whole, len(changes))


def tables(world, numbers, changes):
    events = [json.loads(line) for line in world.run("export", "ndjson", "--revisions").splitlines()]
    found = [event["data"]["number"] for event in events if event.get("data", {}).get("number")]
    holds("ndjson: changes", len(found), len(numbers))
    holds("ndjson: the same numbers", sorted(found) == numbers, True)
    rows = list(csv.DictReader(world.run("export", "csv").splitlines(keepends=True)))
    by_number = {int(row["number"]): row for row in rows}
    holds("csv: changes", len(by_number), len(numbers))
    text = lambda row, end: words(" ".join(value for name, value in row.items() if value and name.endswith(end)))
    check_text("csv: texts", changes, lambda n: (text(by_number[n], ("before", "removed")), text(by_number[n], ("after", "added"))))
    return [event for event in events if event["type"] == "revision"]


def feeds(world, numbers, changes):
    atom = feedparser.parse(world.run("log", "--all", "-n", "1000000", "--format", "atom").encode())
    ids = {entry.id for entry in atom.entries}
    holds("atom: entries that feedparser sees", len(atom.entries), len(numbers))
    holds("atom: ids of their own", len(ids), len(numbers))
    holds("atom: well-formed", int(not atom.bozo), 1)
    content = lambda entry: words(plain(entry.content[0].value) + entry.title)
    by_number = {int(re.search(r"Change #(\d+)", entry.content[0].value).group(1)): content(entry) for entry in atom.entries}
    check_text("atom: texts", changes, lambda n: (by_number.get(n, set()),) * 2)
    items = json.loads(world.run("log", "--all", "-n", "1000000", "--format", "jsonfeed"))["items"]
    holds("json feed: ids of their own", len({item["id"] for item in items}), len(numbers))
    by_number = {item["_revisor"]["number"]: words(plain(item["content_html"]) + item["title"]) for item in items}
    check_text("json feed: texts", changes, lambda n: (by_number.get(n, set()),) * 2)


def repository(world, rows, changes, revisions):
    place = world.path("history")
    world.run("export", "git", "--into", place)
    git = lambda *arguments: subprocess.run(["git", "-C", place, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                            check=False)
    holds("git: fsck", git("fsck", "--full", "--strict").returncode, 0)
    log = git("log", "--reverse", "-p", "--unified=0", "--format=%x00%B%x01").stdout.decode().split("\0")[1:]
    holds("git: commits", len(log), len(rows))
    by_number = {}
    for commit in log:
        message, _, patch = commit.partition("\1")
        number = re.search(r"^Change: #(\d+)$", message, re.M)
        if number:
            lines = patch.splitlines()
            side = lambda mark: words(" ".join(line[1:] for line in lines if line.startswith(mark) and line[:3] != mark * 3))
            by_number[int(number.group(1))] = (side("-"), side("+"))
    holds("git: commits of changes", len(by_number), len(changes))
    check_text("git: texts", changes, lambda n: by_number.get(n, (set(), set())))
    files = git("ls-tree", "-r", "--name-only", "HEAD").stdout.decode().splitlines()
    holds("git: files", len(files), len({line["entry"] for line in revisions}))


def archive(world, bodies):
    path = world.path("all.warc.gz")
    world.run("export", "warc", "-o", path)
    checked = subprocess.run([sys.executable, "-m", "warcio.cli", "check", path], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, check=False)
    holds("warc: warcio check", checked.returncode, 0)
    found, whole = collections.Counter(), 0
    with open(path, "rb") as file:
        for record in ArchiveIterator(file):
            if record.rec_type in ("response", "revisit"):
                digest = record.rec_headers["WARC-Payload-Digest"].removeprefix("sha256:")
                found[digest] += 1
                if record.rec_type == "response":
                    whole += hashlib.sha256(record.raw_stream.read()).hexdigest() == digest
    holds("warc: responses and revisits", sum(found.values()), sum(bodies.values()))
    holds("warc: the same bodies as the database", found == bodies, True)
    holds("warc: bodies that are there as a whole", whole, len(bodies))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("revisor")
    parser.add_argument("feedserver")
    parser.add_argument("--feeds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder")
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp(prefix="revisor-roundtrip-")
    os.makedirs(folder, exist_ok=True)
    world = World(options, folder)
    try:
        world.post("/__round/0?new=0&edit=0&noise=0")
        world.run("check", "--force")
        for turn in range(1, options.rounds + 1):
            world.post(f"/__round/{turn}?new=0.2&edit=1&edits_per_feed=4&noise=0.6&noise_per_feed=3")
            world.run("check", "--force")
            print(f"round {turn} done", flush=True)
    finally:
        world.server.kill()
    numbers, rows, bodies = stored(world)
    logged = [json.loads(line) for line in world.run("log", "--all", "-n", "1000000", "--format", "ndjson").splitlines()]
    changes = {event["data"]["number"]: moved(event["data"].get("diff", {})) for event in logged if event["data"].get("number")}
    holds("database: changes that log shows", len(changes), len(numbers))
    revisions = tables(world, numbers, changes)
    holds("ndjson: revisions", len(revisions), len(rows))
    feeds(world, numbers, changes)
    repository(world, rows, changes, revisions)
    archive(world, bodies)
    if failures:
        sys.exit(f"{len(failures)} differ: {', '.join(failures)}")


if __name__ == "__main__":
    main()
