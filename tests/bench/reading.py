#!/usr/bin/env python3
"""Measures the CPU time of web pages, reports, searches, and a conditional request for a feed of changes.

    cargo build --release
    python3 tests/bench/reading.py [--feeds 1000] [--revisor target/release/revisor] [--folder DIR]

The database comes from `revisor import diffengine`: 50 articles per feed, each with four versions from the last 30 days.
With --folder it is created once and reused. Finally 50 clients read at the same time for a while, to show the effect on
memory and on polls. Prints a table and asserts nothing. Linux only (/proc).
"""

import argparse
import datetime
import http.client
import json
import os
import random
import resource
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ARTICLES, VERSIONS, REQUESTS = 50, 4, 20
# Concurrent clients, for how many seconds, and the poll interval of a feed meanwhile.
CLIENTS, SECONDS, EVERY = 50, 20, 2
SCHEMA = """
CREATE TABLE feed (url TEXT PRIMARY KEY, name TEXT, created TEXT);
CREATE TABLE entry (id INTEGER PRIMARY KEY, url TEXT, created TEXT, checked TEXT);
CREATE TABLE feedentry (id INTEGER PRIMARY KEY, feed_id TEXT, entry_id INTEGER, created TEXT);
CREATE INDEX feedentry_entry ON feedentry (entry_id);
CREATE TABLE entryversion (id INTEGER PRIMARY KEY, title TEXT, url TEXT, summary TEXT, created TEXT,
    archive_url TEXT, entry_id INTEGER);
CREATE INDEX entryversion_entry ON entryversion (entry_id);
"""


def words(chance, count):
    """Words of a made-up language: as in real ones, a few are frequent and most are rare."""
    syllables = ["ba", "den", "ko", "ri", "sal", "tu", "mer", "no", "pil", "vas", "eg", "ul"]
    numbers = (min(int(chance.paretovariate(0.6)), 40000) for _ in range(count))
    return [
        "".join(syllables[number // 12**place % 12] for place in range(1 + len(str(number))))
        for number in numbers
    ]


def make_corpus(path, feeds):
    chance = random.Random(1)
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    conn = sqlite3.connect(path)
    conn.executescript(SCHEMA)
    entry = 0
    for feed in range(feeds):
        url = f"https://paper{feed}.example/feed.xml"
        conn.execute("INSERT INTO feed VALUES (?, ?, '')", (url, f"Paper {feed}"))
        for article in range(ARTICLES):
            entry += 1
            address = f"https://paper{feed}.example/{article}"
            conn.execute("INSERT INTO entry VALUES (?, ?, '', '')", (entry, address))
            conn.execute("INSERT INTO feedentry VALUES (NULL, ?, ?, '')", (url, entry))
            text = [words(chance, 45) for _ in range(8)]
            title = words(chance, 8)
            seen = now - datetime.timedelta(minutes=chance.randint(600, 30 * 24 * 60))
            for version in range(VERSIONS):
                if version:
                    place = chance.randrange(len(text))
                    text[place][chance.randrange(45)] = str(chance.randint(2, 999))
                    text[place][chance.randrange(45)] = words(chance, 1)[0]
                    if chance.random() < 0.2:
                        title[chance.randrange(8)] = words(chance, 1)[0]
                html = "".join(f"<p>{' '.join(line).capitalize()}.</p>" for line in text)
                row = (" ".join(title), html, str(seen + datetime.timedelta(minutes=90 * version)), entry)
                conn.execute(
                    "INSERT INTO entryversion (title, url, summary, created, entry_id) VALUES (?, '', ?, ?, ?)", row
                )
    conn.commit()


def processor_time(pid):
    """CPU seconds of all threads. The kernel counts ticks of 10 ms, too coarse to measure a single request."""
    fields = open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid):
    lines = open(f"/proc/{pid}/status", encoding="ascii").read().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS"))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def ask(port, path, headers):
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    conn.request("GET", path, headers=headers)
    answer = conn.getresponse()
    return answer, answer.read()


def line(what, cost, limit, note=""):
    print(f"{what:<44} {cost * 1000:9.1f} ms   {limit:>6} ms   {note}", flush=True)


def commands(revisor):
    for arguments, limit in [
        (["report", "--since", "7d"], 100),
        (["report", "--since", "7d", "--format", "html"], 100),
        (["search", "salba"], 20),
        (["search", "--removed", "997"], 20),
        (["search", '"denba denba"'], 20),
        (["search", "mer*"], 20),
        (["search", "--headline", "mer* -salba"], 20),
        (["log", "-n", "40"], 100),
    ]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ran = subprocess.run(revisor + arguments, stdout=subprocess.PIPE, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cost = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        line("revisor " + " ".join(arguments), cost, limit, f"{len(ran.stdout)} bytes")


def pages(pid, port, change):
    data = change["data"]
    entry, number = data["entry"]["id"], data["number"]
    feed = data["feed"]["name"]
    paths = ["/", "/?all=1", "/?label=number", "/headlines", f"/c/{number}", f"/e/{entry}", f"/e/{entry}/1..4",
             f"/e/{entry}/1..4?view=side", f"/e/{entry}/2", f"/f/{feed}", "/feeds", "/search?q=salba", "/stats",
             "/about", f"/c/{number}/evidence.html", "/changes.csv", "/changes.json", "/changes.atom"]
    cases = [(path, {}, 100) for path in paths]
    for path in ["/changes.atom", f"/f/{feed}/changes.atom"]:
        answer, _ = ask(port, path, {})
        cases.append((path, {"If-None-Match": answer.headers["etag"]}, 1))
    for path, headers, limit in cases:
        ask(port, path, headers)
        # Cheap requests are repeated more often, or their cost would vanish between two ticks.
        count = REQUESTS * (20 if headers else 1)
        before = processor_time(pid)
        for _ in range(count):
            answer, body = ask(port, path, headers)
        cost = (processor_time(pid) - before) / count
        line("GET " + path, cost, limit, f"{answer.status}, {len(body)} bytes")


class Polled(BaseHTTPRequestHandler):
    """A feed that records when it is polled."""

    times = []

    def do_GET(self):
        Polled.times.append(time.monotonic())
        body = b'<rss version="2.0"><channel><title>Polled</title></channel></rss>'
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def crowd(pid, port, change):
    """Requests all pages concurrently and repeatedly, while polls continue and /healthz is checked as by a watchdog."""
    idle, highest, slowest, answers = resident(pid), 0, 0.0, {}
    entry, number = change["data"]["entry"]["id"], change["data"]["number"]
    paths = ["/", "/?all=1", "/headlines", f"/c/{number}", f"/e/{entry}", f"/e/{entry}/1..4", "/feeds", "/search?q=mer*",
             "/stats", "/changes.csv", "/changes.json", "/changes.atom"]
    began, polls = time.monotonic(), len(Polled.times)
    end = began + SECONDS

    def client(place):
        while time.monotonic() < end:
            place += 1
            try:
                status = ask(port, paths[place % len(paths)], {})[0].status
            except OSError:
                status = "none"
            answers[status] = answers.get(status, 0) + 1
            if status != 200:
                time.sleep(0.2)

    clients = [threading.Thread(target=client, args=(place,)) for place in range(CLIENTS)]
    for one in clients:
        one.start()
    while time.monotonic() < end:
        asked = time.monotonic()
        ask(port, "/healthz", {})
        slowest = max(slowest, time.monotonic() - asked)
        highest = max(highest, resident(pid))
        time.sleep(0.1)
    for one in clients:
        one.join()
    times = [began] + Polled.times[polls:]
    gap = max((later - sooner for sooner, later in zip(times, times[1:])), default=float(SECONDS))
    print(f"{CLIENTS} clients for {SECONDS} s: {dict(sorted(answers.items(), key=str))} answers by status")
    print(f"  memory {idle} MiB before, at most {highest} MiB: {highest - idle} MiB more (at most 64)")
    print(f"  /healthz took at most {slowest * 1000:.0f} ms")
    print(f"  a feed due every {EVERY} s was polled {len(times) - 1} times, at most {gap:.1f} s apart")


def shares(path):
    conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        sizes = dict(conn.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
    except sqlite3.Error as error:
        print(f"shares of the database: not measured ({error})")
        return
    whole = os.path.getsize(path)
    found = sum(size for name, size in sizes.items() if name.startswith(("article_text", "change_text")))
    print(f"database {whole >> 20} MiB, index of the search {100 * found / whole:.1f} % (at most 25 %)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--revisor", default="target/release/revisor")
    parser.add_argument("--folder")
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp(prefix="revisor-reading-")
    os.makedirs(folder, exist_ok=True)
    config, database = os.path.join(folder, "config.toml"), os.path.join(folder, "revisor.db")
    port = free_port()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Polled)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(config, "w", encoding="ascii") as file:
        file.write(f'[web]\nlisten = "127.0.0.1:{port}"\n[fetch]\nallow_private = ["127.0.0.0/8"]\njitter = "0%"\n'
                   f'[[feed]]\nurl = "http://127.0.0.1:{server.server_port}/feed.xml"\nname = "polled"\n'
                   f'every = "{EVERY}s"\n')
        for feed in range(options.feeds):
            file.write(f'[[feed]]\nurl = "https://paper{feed}.example/feed.xml"\nname = "paper-{feed}"\n')
    revisor = [os.path.abspath(options.revisor), "--config", config, "--db", database]
    corpus = os.path.join(folder, "diffengine.db")
    if not os.path.exists(corpus):
        make_corpus(corpus, options.feeds)
    began = time.monotonic()
    subprocess.run(revisor + ["import", "diffengine", corpus], check=True)
    print(f"import: {time.monotonic() - began:.1f} s")
    # These hosts do not exist.
    names = [f"paper-{feed}" for feed in range(options.feeds)]
    subprocess.run(revisor + ["pause"] + names, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    print(f"{'what':<44} {'processor':>12}   {'at most':>9}")
    commands(revisor)
    log = subprocess.run(revisor + ["log", "-n", "1", "--format", "ndjson"], stdout=subprocess.PIPE, check=True)
    change = json.loads(log.stdout.splitlines()[0])
    daemon = subprocess.Popen(revisor + ["run"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                ask(port, "/healthz", {})
                break
            except OSError:
                time.sleep(0.1)
        time.sleep(2)
        print(f"memory at rest: {resident(daemon.pid)} MiB")
        pages(daemon.pid, port, change)
        print(f"memory after the pages: {resident(daemon.pid)} MiB")
        crowd(daemon.pid, port, change)
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(30)
    shares(database)


if __name__ == "__main__":
    main()
