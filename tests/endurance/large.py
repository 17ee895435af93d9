#!/usr/bin/env python3
"""Measures commands with very many feeds: in one TOML file, in a feed list, and in a folder of files.

  large.py --revisor target/release/revisor [--feeds 100000]

A start of the daemon puts the feeds in the database, but none is ever read: their addresses are refused. Prints a table
of wall-clock and CPU seconds; CPU time hardly depends on what else the machine does. `doctor` and `status` must each
take at most one CPU second.
"""

import argparse
import os
import pathlib
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from world import fail, say

FORMS = ["toml", "feeds_file", "conf.d"]
WANTED = {"doctor": 1.0, "status": 1.0}
PER_FILE = 1000
# A loopback address is refused before any request is sent.
SETTINGS = 'database = "{folder}/revisor.db"\n[fetch]\nevery = "1d"\n'


def address(number, feeds):
    return f"http://127.{1 + number % 250}.{number // 250 % 250}.1/feed/{number}.xml"


def sections(numbers, feeds):
    return "".join(f'\n[[feed]]\nurl = "{address(number, feeds)}"\nname = "feed-{number}"\ntags = ["t{number % 7}"]\n'
                   for number in numbers)


def configure(form, feeds):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="revisor-large-"))
    settings = SETTINGS.format(folder=folder)
    if form == "toml":
        settings += sections(range(feeds), feeds)
    elif form == "feeds_file":
        settings = 'feeds_file = "feeds.txt"\n' + settings
        lines = (f"{address(number, feeds)} ~feed-{number} t{number % 7}\n" for number in range(feeds))
        (folder / "feeds.txt").write_text("".join(lines))
    else:
        (folder / "conf.d").mkdir()
        for first in range(0, feeds, PER_FILE):
            numbers = range(first, min(first + PER_FILE, feeds))
            (folder / "conf.d" / f"{first // PER_FILE:04}.toml").write_text(sections(numbers, feeds))
    (folder / "config.toml").write_text(settings)
    return folder


def spent():
    """CPU seconds used by all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Commands:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.environment = {**os.environ, "NO_COLOR": "1", "XDG_CONFIG_HOME": str(folder), "XDG_STATE_HOME": str(folder)}

    def start(self):
        return subprocess.Popen([self.binary, "-c", f"{self.folder}/config.toml", "run"], env=self.environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def first_start(self, feeds):
        """Seconds until all feeds are in the database, peak memory, and seconds from SIGTERM to the end."""
        began, daemon = time.monotonic(), self.start()
        while self.stored() < feeds:
            if daemon.poll() is not None:
                fail(f"the daemon ended with {daemon.returncode}: {daemon.stderr.read().decode()[:500]}")
                sys.exit(1)
            time.sleep(0.02)
        took = time.monotonic() - began
        with open(f"/proc/{daemon.pid}/status") as file:
            peak = next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM"))
        ending = time.monotonic()
        daemon.send_signal(signal.SIGTERM)
        daemon.stderr.close()
        daemon.wait(60)
        return took, peak, time.monotonic() - ending

    def stored(self):
        try:
            database = sqlite3.connect(f"file:{self.folder}/revisor.db?mode=ro", uri=True)
            return database.execute("SELECT count(*) FROM feeds").fetchone()[0]
        except sqlite3.Error:
            return 0

    def timed(self, arguments):
        began, before = time.monotonic(), spent()
        ran = subprocess.run([self.binary, "-c", f"{self.folder}/config.toml", *arguments], env=self.environment,
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=600)
        took = time.monotonic() - began, spent() - before
        if b"panicked" in ran.stderr or ran.returncode not in (0, 1, 3):
            fail(f"{' '.join(arguments)}: {ran.returncode}: {ran.stderr.decode()[:300]}")
        return took


def measure(binary, form, feeds):
    folder = configure(form, feeds)
    commands = Commands(binary, folder)
    try:
        start, peak, stop = commands.first_start(feeds)
        table = {"start": start, "stop": stop, "peak MB": peak}
        for name, arguments in [
            ("config check", ["config", "check"]),
            ("doctor", ["doctor"]),
            ("status", ["status"]),
            ("feeds", ["feeds", "--json"]),
            ("log", ["log"]),
            ("add", ["add", "--watch-page", "http://127.0.0.1/terms"]),
            ("pause", ["pause", "feed-7"]),
            ("rm", ["rm", f"feed-{feeds // 2}"]),
        ]:
            table[name] = commands.timed(arguments)
        return table
    finally:
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--revisor", required=True)
    parser.add_argument("--feeds", type=int, default=100_000)
    options = parser.parse_args()
    tables = {}
    for form in FORMS:
        say(f"{options.feeds} feeds, {form}")
        tables[form] = measure(options.revisor, form, options.feeds)
    def cell(value):
        return f"{value[0]:.2f} ({value[1]:.2f})" if isinstance(value, tuple) else f"{value:.2f}"

    print(f"{'seconds (CPU)':14}" + "".join(f"{form:>16}" for form in FORMS))
    for name in tables[FORMS[0]]:
        print(f"{name:14}" + "".join(f"{cell(tables[form][name]):>16}" for form in FORMS))
    slow = [f"{name} with {form}: {tables[form][name][1]:.2f} s"
            for name, most in WANTED.items() for form in FORMS if tables[form][name][1] > most]
    if slow:
        fail("; ".join(slow))
        sys.exit(1)


main()
