#!/usr/bin/env python3
"""Runs the daemon for an hour on accelerated schedules against a faulty publisher, and measures it.

All feeds are due again every `--every` seconds, and each minute a round brings new entries, edits and noise. Some feeds
fail, hang, break off or send garbage, and the receiver refuses a third of the first attempts. Every ten seconds the
script measures resident memory, file descriptors, threads, the sizes of database and WAL, and how overdue the latest
feed is. At the end it prints a table, plots memory over time (SVG), and gives a verdict: after the warm-up, memory and
descriptors must stay within 10 %, the WAL must stay bounded, and no feed of a well-behaved host may be late.

  soak.py --revisor target/release/revisor --feedserver …/feedserver [--minutes 60] [--feeds 1000]
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time

from world import Publisher, Receiver, Revisor, configuration, fail, say

SETTINGS = """
[fetch]
every = "{every}s"
jitter = "10%"
longest_hint = "0s"
host_delay = "0s"
per_host = 8
timeout = "5s"
max_size = "2 MiB"
allow_private = ["127.0.0.0/8"]
[page]
fetch = "off"
[detect]
bulk_edit = 1000
[keep]
captures = "3"
"""
FAULTS = "slow stall hang reset short trunc empty 500 503 404 loop bomb huge ctype html binary lol enc".split()
WAL_BOUND = 64 << 20
LATE = 60


def process(pid):
    """Resident memory in bytes, open descriptors, threads."""
    with open(f"/proc/{pid}/status") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    memory = int(fields["VmRSS"].split()[0]) * 1024
    return memory, len(os.listdir(f"/proc/{pid}/fd")), int(fields["Threads"])


def size(path):
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def plot(path, points, title):
    """Plots memory over time as SVG; `points` are pairs of seconds and bytes."""
    width, height, left, top = 800, 320, 60, 30
    span = max(points[-1][0], 1)
    most = max(value for _, value in points) * 1.1
    where = [(left + (width - left - 20) * t / span, height - 30 - (height - 30 - top) * v / most) for t, v in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in where)
    grid = []
    for step in range(5):
        y = height - 30 - (height - 30 - top) * step / 4
        grid.append(f'<line x1="{left}" x2="{width - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        grid.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{most * step / 4 / 1e6:.0f} MB</text>')
        x = left + (width - left - 20) * step / 4
        grid.append(f'<text x="{x:.1f}" y="{height - 10}" text-anchor="middle">{span * step / 4 / 60:.0f} min</text>')
    with open(path, "w") as file:
        file.write(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
            f'font-size="11"><rect width="100%" height="100%" fill="white"/><text x="{left}" y="18">{title}</text>'
            f'{"".join(grid)}<polyline points="{line}" fill="none" stroke="#236" stroke-width="1.5"/></svg>\n'
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--revisor", required=True)
    parser.add_argument("--feedserver", required=True)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--warm-up", type=float, default=0.25, help="share of the time before the comparison begins")
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--faulty", type=float, default=0.1, help="share of the feeds that fail")
    parser.add_argument("--every", type=int, default=10, help="seconds between two polls of a feed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", default="soak.svg")
    options = parser.parse_args()
    hosts = 100
    folder = tempfile.mkdtemp(prefix="revisor-soak-")
    publisher = Publisher(options.feedserver, hosts=hosts, cache_mb=300)
    receiver = Receiver(options.seed, bad=0.33)
    # A divisor of the number of hosts, so that the feeds of a host are either all faulty or all well-behaved.
    steps = [step for step in range(2, hosts + 1) if hosts % step == 0]
    step = min(steps, key=lambda step: abs(1 / step - options.faulty)) if options.faulty else 0

    def path(number):
        if step and number % step == 1:
            return f"/fault/{FAULTS[number // step % len(FAULTS)]}/{number}.xml"
        return f"/sfeed/{number}.xml"

    targets = ["t0", "t1", "t2"]
    settings = SETTINGS.format(every=options.every)
    config = configuration(folder, publisher, options.feeds, targets, receiver, settings, path)
    revisor = Revisor(options.revisor, folder, config)
    publisher.round(0)
    daemon = revisor.start("run")
    began = time.time()
    rows = []
    round_number = 0
    status = 1
    try:
        say(f"{options.feeds} feeds every {options.every} s for {options.minutes} min, in {folder}")
        while (now := time.time() - began) < options.minutes * 60:
            if now // 60 > round_number:
                round_number += 1
                publisher.round(round_number, new=0.05, edit=0.05, edits_per_feed=1, noise=0.1, noise_per_feed=2)
            if daemon.poll() is not None:
                raise SystemExit(f"the daemon ended by itself with {daemon.returncode}")
            memory, files, threads = process(daemon.pid)
            late = revisor.query(
                # Faulty feeds have their own hosts, as a 503 makes all feeds of a host wait.
                "SELECT max(?1 - next_poll_at) FROM feeds WHERE active = 1 AND url LIKE '%/sfeed/%'",
                int(time.time() * 1000),
            )
            late = max(0, (late[0][0] or 0) / 1000) if late else 0
            row = (now, memory, files, threads, size(revisor.db), size(revisor.db + "-wal"), late)
            rows.append(row)
            if len(rows) % 6 == 1:
                seconds, memory, files, threads, database, wal, late = row
                say(
                    f"{seconds / 60:5.1f} min  {memory / 1e6:6.1f} MB  {files:4} fds  {threads:3} threads  "
                    f"database {database / 1e6:6.1f} MB  WAL {wal / 1e6:5.1f} MB  latest {late:5.1f} s  "
                    f"webhooks {len(receiver.log)}"
                )
            time.sleep(max(0, 10 - (time.time() - began - now)))
        status = verdict(rows, options)
    finally:
        daemon.terminate()
        stopping = time.time()
        code = daemon.wait(30)
        say(f"SIGTERM: ended with {code} in {time.time() - stopping:.1f} s")
        publisher.stop()
        if rows:
            plot(options.plot, [(row[0], row[1]) for row in rows], f"resident memory, {options.feeds} feeds")
    shutil.rmtree(folder)
    sys.exit(status)


def verdict(rows, options):
    start = options.minutes * 60 * options.warm_up
    rest = [row for row in rows if row[0] >= start]
    third = max(1, len(rest) // 3)
    wrong = 0
    for place, name, scale, unit in ((1, "memory", 1e6, "MB"), (2, "descriptors", 1, "")):
        first = statistics.median(row[place] for row in rest[:third])
        last = statistics.median(row[place] for row in rest[-third:])
        peak = max(row[place] for row in rest)
        say(
            f"{name}: median of the first third after the warm-up {first / scale:.1f} {unit}, of the last third "
            f"{last / scale:.1f} {unit} ({(last / first - 1) * 100:+.1f} %), peak {peak / scale:.1f} {unit}"
        )
        if last > first * 1.1:
            wrong += 1
            fail(name, "grows")
    wal = max(row[5] for row in rest)
    late = max(row[6] for row in rest)
    say(f"WAL at most {wal / 1e6:.1f} MB; the latest feed was {late:.1f} s late at most")
    if wal > WAL_BOUND:
        wrong += 1
        fail("the WAL grows")
    if late > LATE:
        wrong += 1
        fail("feeds are late")
    return 1 if wrong else 0


if __name__ == "__main__":
    main()
