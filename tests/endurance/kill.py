#!/usr/bin/env python3
"""Kills the daemon at random moments and then checks, by its own means, that nothing was lost and nothing told twice.

Rounds of true edits come from a feedserver; the daemon ingests and delivers them to a receiver that fails, resets and
dawdles; at random moments it gets SIGKILL, as do backups, prunings, re-extractions and checks beside it. Then the
database is held against the truth of the server and against what the receiver got:

  * the file is whole, and was after each kill that was looked at;
  * revision, change, event and deliveries are there together or not at all;
  * every true edit is one change, none is lost, none is there twice, none was made up;
  * every event came to every target, under one id, with one body, in order; nothing was told that is not in the database.

  kill.py --revisor target/release/revisor --feedserver …/feedserver [--kills 300] [--seed N]
"""

import argparse
import collections
import json
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time

from world import Publisher, Receiver, Revisor, configuration, fail, say

TARGETS = [f"t{number}" for number in range(6)]
PROFILE = {"new": 0.3, "edit": 0.5, "edits_per_feed": 2, "noise": 0.3, "noise_per_feed": 2}
SETTINGS = """
[fetch]
every = "1s"
jitter = "0%"
longest_hint = "0s"
host_delay = "0s"
per_host = 8
allow_private = ["127.0.0.0/8"]
[page]
fetch = "off"
[detect]
bulk_edit = 1000
[keep]
captures = "all"
"""
SETTLE = 120  # seconds that a round may take without kills


class Run:
    def __init__(self, options, folder):
        self.options = options
        self.random = random.Random(options.seed)
        self.publisher = Publisher(options.feedserver, hosts=8)
        self.receiver = Receiver(options.seed)
        config = configuration(folder, self.publisher, options.feeds, TARGETS, self.receiver, SETTINGS)
        # The daemon keeps and compacts all answers; `db prune` beside it also drops some.
        self.pruning = f"{folder}/pruning.toml"
        with open(config) as known, open(self.pruning, "w") as file:
            file.write(known.read().replace('captures = "all"', 'captures = "20"'))
        self.revisor = Revisor(options.revisor, folder, config)
        self.folder = folder
        self.kills = collections.Counter()
        self.began = {}
        self.failures = 0

    def wrong(self, *words):
        self.failures += 1
        if self.failures <= 40:
            fail(*words)

    # ---- the run

    def go(self):
        per_round = max(1, -(-self.options.kills // self.options.rounds))
        number = 0
        while self.kills["daemon"] < self.options.kills:
            self.publisher.round(number, **(PROFILE if number else {}))
            self.began[number] = time.time()
            for _ in range(min(per_round, self.options.kills - self.kills["daemon"])):
                self.spell()
            self.settle()
            say(f"round {number}: {dict(self.kills)}, received {len(self.receiver.log)}")
            number += 1
        self.end = time.time()
        self.rounds = number

    def spell(self):
        """One life of the daemon, ended at a random moment; now and then another command dies beside it."""
        daemon = self.revisor.start("run")
        # Short lives for the start and the migrations, longer ones for ingest and delivery.
        life = self.random.choice([self.random.uniform(0, 0.15), self.random.uniform(0.1, 1.5), self.random.uniform(0.1, 3)])
        if self.random.random() < 0.2:
            time.sleep(life)
            beside = self.random.choice(["backup", "prune", "reextract", "check"])
            copy = f"{self.folder}/backup-{self.kills['daemon']}.db"
            words = {
                "backup": ["db", "backup", copy],
                "prune": ["--config", self.pruning, "db", "prune"],
                "reextract": ["reextract"],
                "check": ["check", "--force"],
            }[beside]
            other = self.revisor.start(*words)
            time.sleep(self.random.uniform(0, 0.6))
            other.kill()
            other.wait()
            self.kills[beside] += 1
            if os.path.exists(copy):
                self.whole(copy, "a backup under its own name")
                os.remove(copy)
        else:
            time.sleep(life)
        if daemon.poll() is not None:
            self.wrong("the daemon ended by itself with", daemon.returncode)
        daemon.kill()
        daemon.wait()
        self.kills["daemon"] += 1
        if self.random.random() < 0.3:
            self.after_a_kill()

    def after_a_kill(self):
        """Looks at a copy, so that the program itself has to recover the file."""
        copy = f"{self.folder}/copy.db"
        for end in ("", "-wal"):
            if os.path.exists(self.revisor.db + end):
                shutil.copyfile(self.revisor.db + end, copy + end)
        if not os.path.exists(copy):
            return
        with self.receiver.lock:
            told = set(self.receiver.bodies)
        connection = self.whole(copy, "after a kill")
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        if "events" in tables:
            known = {row[0] for row in connection.execute("SELECT uid FROM events")}
            for uid in told - known:
                self.wrong("told, but not in the database:", uid)
            self.together(connection)
        connection.close()
        for end in ("", "-wal", "-shm"):
            if os.path.exists(copy + end):
                os.remove(copy + end)
        self.kills["looked at"] += 1

    def settle(self):
        """Lets the daemon live until it has seen all of the round."""
        daemon = self.revisor.start("run")
        began = time.time()
        moment = int(began * 1000)
        while time.time() - began < SETTLE:
            rows = self.revisor.query(
                "SELECT count(*) FROM feeds WHERE last_ok_at > ?1 AND last_error IS NULL AND baseline_at IS NOT NULL", moment
            )
            if rows and rows[0][0] == self.options.feeds:
                break
            time.sleep(0.1)
        else:
            self.wrong("a round was not seen within", SETTLE, "s")
        daemon.kill()
        daemon.wait()

    def drain(self):
        """The receiver is well again: everything has to arrive."""
        self.receiver.healthy = True
        daemon = self.revisor.start("run")
        began = time.time()
        retried = 0
        while time.time() - began < self.options.drain:
            rows = self.revisor.query("SELECT count(*) FROM deliveries WHERE done_at IS NULL")
            if rows == [(0,)] and self.revisor.heeds_signals(daemon):
                break
            if time.time() - retried > 5:
                retried = time.time()
                for target in TARGETS:
                    self.revisor.run("notify", "retry", target)
            time.sleep(0.5)
        else:
            self.wrong("deliveries are still open:", rows)
        daemon.terminate()
        if daemon.wait(10) != 0:
            self.wrong("SIGTERM ended the daemon with", daemon.returncode)
        say(f"drained in {time.time() - began:.0f} s")

    # ---- the checks

    def whole(self, path, what):
        connection = sqlite3.connect(path)
        for check in ("integrity_check", "foreign_key_check"):
            found = connection.execute(f"PRAGMA {check}").fetchall()
            if found not in ([("ok",)], []):
                self.wrong(what, check, found[:3])
        return connection

    def together(self, connection):
        """Promise 1, at any moment."""
        for what, sql in {
            "a change without its event": "SELECT number FROM changes WHERE event_id NOT IN (SELECT id FROM events)",
            "a change without its revisions": "SELECT number FROM changes AS c WHERE (SELECT count(*) FROM revisions AS r"
            " WHERE r.entry_id = c.entry_id AND r.number IN (c.before_revision, c.after_revision)) <> 2",
            "a revision without its change": "SELECT r.id FROM revisions AS r WHERE r.number > 1 AND NOT EXISTS"
            " (SELECT 1 FROM changes AS c WHERE c.entry_id = r.entry_id AND c.after_revision = r.number)",
            "two changes to one revision": "SELECT max(number) FROM changes GROUP BY entry_id, after_revision"
            " HAVING count(*) > 1",
            "a revision like the one before": "SELECT b.id FROM revisions AS a JOIN revisions AS b"
            " ON b.entry_id = a.entry_id AND b.number = a.number + 1 WHERE a.state_id = b.state_id",
            "a gap between revisions": "SELECT id FROM revisions AS r WHERE number > 1 AND NOT EXISTS"
            " (SELECT 1 FROM revisions AS p WHERE p.entry_id = r.entry_id AND p.number = r.number - 1"
            " AND p.hash = r.previous_hash)",
            "an event that a target was not given": "SELECT e.id FROM changes AS c JOIN events AS e ON e.id = c.event_id"
            f" WHERE c.quiet IS NULL AND (SELECT count(*) FROM deliveries AS d WHERE d.event_id = e.id) <> {len(TARGETS)}",
            "an event twice": "SELECT max(id) FROM events WHERE change_number IS NOT NULL GROUP BY change_number"
            " HAVING count(*) > 1",
            "an entry before its newest revision": "SELECT e.id FROM entries AS e WHERE e.revision <>"
            " (SELECT max(number) FROM revisions AS r WHERE r.entry_id = e.id)",
        }.items():
            rows = connection.execute(sql).fetchall()
            if rows:
                self.wrong(what, len(rows), "times:", [row[0] for row in rows[:5]])

    def check(self):
        connection = self.whole(self.revisor.db, "at the end")
        self.together(connection)
        # By now there is something to compact in most feeds.
        compacted = self.revisor.run("db", "prune")
        say(compacted.stdout.decode().strip())
        verified = self.revisor.run("db", "verify")
        if verified.returncode != 0:
            self.wrong("db verify:", verified.stdout.decode()[-500:], verified.stderr.decode()[-500:])
        self.against_truth(connection)
        self.against_receiver(connection)
        # What was stored is what the publisher shows: another look finds nothing.
        again = json.loads(self.revisor.run("check", "--force", "--json").stdout)
        if again["changes"] or any(feed["new"] for feed in again["feeds"]):
            self.wrong("the same observation was taken for news:", again["changes"][:10])

    def against_truth(self, connection):
        names = {name: number for number, name in connection.execute("SELECT id, name FROM feeds")}
        starts = sorted(self.began.items(), key=lambda item: item[1])
        told = collections.Counter()
        events = {}
        for line in self.revisor.run("log", "--format", "ndjson", "--all", "--reverse").stdout.splitlines():
            data = json.loads(line)["data"]
            if "number" not in data:
                continue
            seen = data["change"]["window"]["first_changed"]
            moment = connection.execute("SELECT first_changed_at FROM changes WHERE number = ?", [data["number"]]).fetchone()
            round_number = max((number for number, start in starts if start * 1000 <= moment[0]), default=None)
            key = (round_number, data["feed"]["name"], data["entry"].get("guid"))
            told[key] += 1
            events[key] = (data, seen)
        true, new = {}, 0
        for number in range(1, self.rounds):
            for feed, what in self.publisher.truth(number, self.options.feeds).items():
                new += len(what["new"])
                for edit in what["edits"]:
                    true[number, f"f{feed}", edit["guid"]] = edit
        lost = [key for key in true if not told[key]]
        twice = [key for key in told if told[key] > 1]
        invented = [key for key in told if key not in true]
        for what, keys in (("lost", lost), ("stored twice", twice), ("made up", invented)):
            if keys:
                self.wrong(what, len(keys), keys[:5])
        for key, edit in true.items():
            if key not in events:
                continue
            before, after = sides(events[key][0]["diff"])
            if not same(edit["old"], before) or not same(edit["new"], after):
                self.wrong("another edit than the true one:", key, edit["old"][:80], "->", edit["new"][:80])
        entries = connection.execute("SELECT count(*) FROM entries").fetchone()[0]
        expected = 30 * self.options.feeds + new
        if entries != expected:
            self.wrong("entries", entries, "and not", expected)
        say(
            f"{self.rounds} rounds, {len(names)} feeds: {len(true)} true edits, {sum(told.values())} changes, "
            f"lost {len(lost)}, twice {len(twice)}, made up {len(invented)}; {new} new entries of {expected}"
        )

    def against_receiver(self, connection):
        order = {uid: number for number, uid in connection.execute("SELECT id, uid FROM events")}
        wanted = set(
            connection.execute("SELECT t.name, e.uid FROM deliveries AS d JOIN events AS e ON e.id = d.event_id"
                               " JOIN targets AS t ON t.id = d.target_id")
        )
        taken, bodies, numbers = {}, collections.defaultdict(set), collections.defaultdict(set)
        last = collections.defaultdict(int)
        disorder = 0
        for _, target, uid, body, status in self.receiver.log:
            if uid not in order:
                self.wrong("told, but not in the database:", uid)
                continue
            bodies[uid].add(body)
            if status == 204 and (target, uid) not in taken:
                taken[target, uid] = True
                if order[uid] < last[target]:
                    disorder += 1
                last[target] = max(last[target], order[uid])
        for uid, body in self.receiver.bodies.items():
            number = json.loads(body)["data"].get("number")
            if number is not None:
                numbers[number].add(uid)
        missing = [pair for pair in wanted if pair not in taken]
        unknown = [pair for pair in taken if pair not in wanted]
        second = [number for number, uids in numbers.items() if len(uids) > 1]
        altered = [uid for uid, hashes in bodies.items() if len(hashes) > 1]
        for what, items in (
            ("never arrived", missing),
            ("arrived without being queued", unknown),
            ("under a second id", second),
            ("with another body", altered),
        ):
            if items:
                self.wrong(what, len(items), items[:5])
        if disorder:
            self.wrong("out of order", disorder)
        again = sum(1 for *_, status in self.receiver.log if status == 204) - len(taken)
        refused = sum(1 for *_, status in self.receiver.log if status != 204)
        say(
            f"{len(wanted)} deliveries, {len(self.receiver.log)} attempts ({refused} refused or reset, {again} taken again "
            f"after a kill), missing {len(missing)}, second ids {len(second)}, out of order {disorder}"
        )


def sides(diff):
    """All text before and after, of everything that the diff shows."""
    before, after = [], []
    for field, value in diff.items():
        blocks = [value] if field in ("title", "byline") else [block["segments"] for block in value["blocks"]]
        for segments in blocks:
            before.append("".join(text for sign, text in segments if sign != "+"))
            after.append("".join(text for sign, text in segments if sign != "-"))
    return "\n".join(before), "\n".join(after)


def same(sentence, text):
    return " ".join(sentence.split()) in " ".join(text.split())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--revisor", required=True)
    parser.add_argument("--feedserver", required=True)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--feeds", type=int, default=40)
    parser.add_argument("--drain", type=int, default=900, help="seconds that the last deliveries may take")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--keep", action="store_true", help="leave the folder")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="revisor-kill-")
    say(f"seed {options.seed}, {options.kills} kills, {options.feeds} feeds, in {folder}")
    run = Run(options, folder)
    try:
        run.go()
        run.drain()
        run.check()
    finally:
        run.publisher.stop()
        if options.keep or run.failures:
            say("left for a look:", folder)
        else:
            shutil.rmtree(folder)
    say(f"{dict(run.kills)}: " + ("all of it holds" if not run.failures else f"{run.failures} failures"))
    sys.exit(1 if run.failures else 0)


if __name__ == "__main__":
    main()
