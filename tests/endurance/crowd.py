#!/usr/bin/env python3
"""Overloads the daemon with one huge feed or with thousands of feeds, and measures whether healthy feeds suffer.

  huge     one feed of 1,000 entries, each on its own host; each page is 10 MB (250 kB packed); in a cgroup of 512 MiB
  trickle  one feed of 2,000 entries, each on its own host; each page arrives at one byte a second
  many     10,000 feeds, or as many as `--feeds` says, with a soft limit of 1,024 descriptors

The first two scenes run alongside 50 healthy feeds: two polls of a healthy feed must be at most 1.5 intervals apart,
and the daemon must not crash or be killed (if it is, it is restarted). In the last scene every feed must be polled
without failures, and with up to 10,000 feeds the daemon must stay below 128 MB; with more, the figures are only printed.

  crowd.py SCENE --revisor target/release/revisor [--minutes 10] [--feeds 100000 --every 900]
"""

import argparse
import asyncio
import collections
import os
import pathlib
import random
import resource
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

from world import Revisor, fail, free_port, say

EVERY = 20
MANY = 10_000
GAP = 1.5
RSS = 128 << 20
CGROUP = pathlib.Path("/sys/fs/cgroup/memory")
LIMIT = 512 << 20
WORDS = "bridge council harbour budget school river market hospital engine archive valley union museum forest".split()
SETTINGS = """database = "{folder}/revisor.db"
[fetch]
every = "{every}s"
jitter = "0%"
longest_hint = "0s"
host_delay = "100ms"
allow_private = ["127.0.0.0/8"]
[page]
fetch = "{pages}"
recheck = [["1d", "1m"], ["30d", "1h"]]
"""


def address(block, number):
    return f"127.{block}.{number // 250}.{1 + number % 250}"


def prose(size, seed):
    """Text that compresses to a fortieth of its size."""
    rng = random.Random(seed)
    sentences = [" ".join(rng.choice(WORDS) for _ in range(12)).capitalize() + ".\n" for _ in range(400)]
    out, length = [], 0
    while length < size:
        out.append("<p>" + "".join(rng.choices(sentences, k=40)) + "</p>")
        length += len(out[-1])
    return "".join(out).encode()


class Pages:
    """Huge pages: the beginning of each page is unique; the rest is the same for all, and compressed only once."""

    def __init__(self, size):
        self.rest = prose(size, 1)
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        self.packed = packer.compress(self.rest) + packer.flush()

    def packed_page(self, number):
        head = f"<html><head><title>Story {number}</title></head><body><article><h1>Story {number}</h1>".encode()
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        begin = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
        check = zlib.crc32(self.rest, zlib.crc32(head))
        end = struct.pack("<II", check, (len(head) + len(self.rest)) & 0xFFFFFFFF)
        return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + begin + self.packed + end


class Site:
    """A server on all addresses of 127.0.0.0/8; `log` records when each feed was polled."""

    def __init__(self, scene, crowd, items=20):
        self.scene, self.crowd, self.items, self.port = scene, crowd, items, free_port()
        self.log, self.pages = collections.defaultdict(list), 0
        self.huge = Pages(10_000_000) if scene == "huge" else None
        self.text = prose(1500, 2).decode().replace("<p>", "").replace("</p>", "")
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.serve(ready)), daemon=True).start()
        ready.wait()

    async def serve(self, ready):
        server = await asyncio.start_server(self.answer, "0.0.0.0", self.port, backlog=4096)
        ready.set()
        await server.serve_forever()

    def url(self, host, path):
        return f"http://{host}:{self.port}{path}"

    async def answer(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                await self.respond(head.split(" ")[1], head.lower(), writer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def respond(self, path, head, writer):
        def send(status, body=b"", kind="text/html", more=""):
            writer.write(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode())
            writer.write(body)

        parts = path.strip("/").split("/")
        if parts[0] == "feed":
            self.log[parts[1]].append(time.monotonic())
            tag = f'"{parts[1]}"'
            if tag in head:
                return send("304 Not Modified", more=f"ETag: {tag}\r\n")
            send("200 OK", self.feed(parts[1]), "application/rss+xml", f"ETag: {tag}\r\n")
        elif parts[0] == "page" and self.scene == "huge":
            self.pages += 1
            send("200 OK", self.huge.packed_page(parts[1]), more="Content-Encoding: gzip\r\n")
        elif parts[0] == "page":
            self.pages += 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n<html>")
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(1)
        else:
            send("404 Not Found")

    def feed(self, name):
        crowd = name == "crowd"
        items = []
        for number in range(self.crowd if crowd else self.items):
            link = self.url(address(9, number), f"/page/{number}") if crowd else f"http://{name}.example/{number}"
            text = "" if crowd else f"{number} of {name}. {self.text}"
            items.append(f"<item><guid>{name}-{number}</guid><title>Story {number} of {name}</title><link>{link}</link>"
                         f"<pubDate>{time.strftime('%a, %d %b %Y %H:%M:%S GMT', time.gmtime())}</pubDate>"
                         f"<description>{text}</description></item>")
        head = f'<?xml version="1.0"?><rss version="2.0"><channel><title>{name}</title>'
        return (head + "".join(items) + "</channel></rss>").encode()


class Cage:
    """A cgroup with a memory limit, where this system lets us create one."""

    def __init__(self, wanted):
        self.path = CGROUP / f"revisor-{os.getpid()}"
        self.made = False
        if wanted:
            try:
                self.path.mkdir()
                (self.path / "memory.limit_in_bytes").write_text(str(LIMIT))
                self.made = True
            except OSError as error:
                say(f"no cgroup can be made here ({error}): only the peak of resident memory is measured")

    def enter(self):
        if self.made:
            (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def leave(self):
        if self.made:
            self.path.rmdir()

    def peak(self):
        return int((self.path / "memory.max_usage_in_bytes").read_text()) if self.made else 0


def process(pid):
    """Peak resident memory, and open descriptors."""
    try:
        with open(f"/proc/{pid}/status") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
        return int(fields["VmHWM"].split()[0]) * 1024, len(os.listdir(f"/proc/{pid}/fd"))
    except (OSError, KeyError):
        return 0, 0


def configure(folder, site, healthy, every):
    lines = [SETTINGS.format(folder=folder, every=every, pages="off" if site.scene == "many" else "always")]
    for number in range(healthy):
        lines += ["[[feed]]", f'url = "{site.url(address(2, number % 2500), f"/feed/h{number}")}"', f'name = "h{number}"',
                  'page.fetch = "off"']
    if site.crowd:
        lines += ["[[feed]]", f'url = "{site.url("127.8.0.1", "/feed/crowd")}"', 'name = "crowd"']
    path = f"{folder}/config.toml"
    pathlib.Path(path).write_text("\n".join(lines) + "\n")
    return path


def watch(revisor, cage, site, options):
    """Runs the daemon for a while; returns how often it was killed, its peak memory and most open descriptors."""
    def prepare():
        cage.enter()
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, hard), hard))

    def start():
        with open(f"{revisor.folder}/daemon.log", "ab") as log:
            return subprocess.Popen([revisor.binary, "run"], env=revisor.environment, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=log, preexec_fn=prepare)

    daemon, kills, peak, files, told = start(), 0, 0, 0, 0
    end = time.monotonic() + options.minutes * 60
    while time.monotonic() < end:
        time.sleep(0.5)
        memory, open_files = process(daemon.pid)
        peak, files = max(peak, memory), max(files, open_files)
        if daemon.poll() is not None:
            kills += 1
            say(f"the daemon ended with {daemon.returncode}")
            time.sleep(5)
            daemon = start()
        if time.monotonic() > told + 30:
            told = time.monotonic()
            say(f"peak {peak / 1e6:.0f} MB, {files} descriptors, {site.pages} pages asked for, {kills} kills")
    daemon.terminate()
    began = time.monotonic()
    daemon.wait(30)
    say(f"SIGTERM: ended with {daemon.returncode} in {time.monotonic() - began:.1f} s")
    return kills, peak, files


def gaps(site, minutes, began):
    """The longest time between two polls of each healthy feed, from the start of the run to its end."""
    end, longest = time.monotonic(), []
    for name, polls in site.log.items():
        if name == "crowd":
            continue
        polls = [began] + polls + [end]
        longest.append(max(after - before for before, after in zip(polls, polls[1:])))
    return sorted(longest)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scene", choices=["huge", "trickle", "many"])
    parser.add_argument("--revisor", required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--feeds", type=int, default=MANY, help="feeds of the scene `many`")
    parser.add_argument("--every", type=int, help="seconds between two polls of a feed")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    options = parser.parse_args()
    healthy, crowd = {"huge": (50, 1000), "trickle": (50, 2000), "many": (options.feeds, 0)}[options.scene]
    every = options.every or (60 if options.scene == "many" else EVERY)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    folder = tempfile.mkdtemp(prefix="revisor-crowd-")
    site = Site(options.scene, crowd, 20 if healthy <= MANY else 3)
    revisor = Revisor(options.revisor, folder, configure(folder, site, healthy, every))
    cage = Cage(options.scene == "huge")
    say(f"{options.scene}: {healthy} healthy feeds, a crowd of {crowd}, for {options.minutes} min, in {folder}")
    began = time.monotonic()
    kills, peak, files = watch(revisor, cage, site, options)
    longest = gaps(site, options.minutes, began)
    database = sqlite3.connect(f"file:{revisor.db}?mode=ro", uri=True)
    failed = database.execute("SELECT name, last_error FROM feeds WHERE last_error IS NOT NULL").fetchall()
    looks = database.execute("SELECT count(*) FROM entries WHERE page_ok_at IS NOT NULL").fetchone()[0]
    say(f"kills {kills}; peak of resident memory {peak / 1e6:.0f} MB, of the cgroup {cage.peak() / 1e6:.0f} MB; "
        f"most descriptors {files}; pages asked for {site.pages}, read {looks}; "
        f"longest gap {longest[-1]:.1f} s, median of the longest {longest[len(longest) // 2]:.1f} s; "
        f"feeds that failed {len(failed)}")
    if options.scene == "many":
        first = sorted(polls[0] - began for polls in site.log.values())
        log = pathlib.Path(folder, "daemon.log").read_text().count("\n")
        size = sum(file.stat().st_size for file in pathlib.Path(folder).glob("revisor.db*"))
        say(f"first polls: half after {first[len(first) // 2]:.0f} s, all after {first[-1]:.0f} s; "
            f"{sum(map(len, site.log.values()))} polls; {log} lines of log; files {size / 1e6:.0f} MB")
    cage.leave()
    wrong = []
    if kills:
        wrong.append(f"{kills} kills")
    if options.scene == "many":
        if failed:
            wrong.append(f"{len(failed)} feeds failed, such as {failed[0]}")
        if peak > RSS and healthy <= MANY:
            wrong.append(f"{peak / 1e6:.0f} MB")
        if len(site.log) < healthy:
            wrong.append(f"{healthy - len(site.log)} feeds were never asked")
    elif longest[-1] > GAP * every:
        wrong.append(f"a gap of {longest[-1]:.1f} s")
    if not options.keep:
        shutil.rmtree(folder)
    if wrong:
        fail("; ".join(wrong))
        sys.exit(1)


main()
