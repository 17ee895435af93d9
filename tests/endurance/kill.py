#!/usr/bin/env python3
"""Kills the daemon at random moments, and then checks that nothing was lost and nothing was sent twice.

A feedserver makes rounds of real edits. The daemon stores them and delivers them by webhook, mail, ntfy, Matrix,
Bluesky, Mastodon, a program, and as digests, to receivers that fail, reset connections and stall. It gets SIGKILL at
random moments, and so do the backups, prunes, re-extractions and checks that run alongside it. Then the database is
compared with the true edits of the server and with what the receivers got:

  * the database file is intact, at the end and after each kill that was checked;
  * a revision, its change, its event and its deliveries are all stored, or none of them is;
  * every real edit is stored as exactly one change, and there are no other changes;
  * every event reached every target, under one id, with one body, in order; nothing was sent that is not stored;
  * with digests, some of which are refused permanently, each event arrived in one digest or on its own, in order.

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

from kinds import KINDS, Kinds
from world import Publisher, Revisor, configuration, fail, say

HOOKS = ["t0", "t1"]
TARGETS = [*HOOKS, *KINDS]
# Only some events become public posts.
PUBLIC = ["sky", "toot"]
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
SETTLE = 120  # the seconds that a round may take when nothing is killed


class Run:
    def __init__(self, options, folder):
        self.options = options
        self.random = random.Random(options.seed)
        self.publisher = Publisher(options.feedserver, hosts=8)
        self.receiver = Kinds(options.seed, folder)
        config = configuration(folder, self.publisher, options.feeds, HOOKS, self.receiver, SETTINGS)
        with open(config, "a") as file:
            file.write("\n".join(self.receiver.tables()) + "\n")
        # The daemon keeps and compacts all responses; `db prune` also deletes some.
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
        """Runs the daemon and kills it at a random moment; sometimes kills another command as well."""
        # On a busy machine two kills in a row can hit the same document, which would then be skipped for a day.
        if os.path.exists(f"{self.revisor.db}.reading"):
            os.remove(f"{self.revisor.db}.reading")
        daemon = self.revisor.start("run")
        # Short runs hit the start and the migrations; longer ones hit ingest and delivery.
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
        """Checks a copy, so that recovering the real file is left to the program."""
        copy = f"{self.folder}/copy.db"
        for end in ("", "-wal"):
            if os.path.exists(self.revisor.db + end):
                shutil.copyfile(self.revisor.db + end, copy + end)
        if not os.path.exists(copy):
            return
        with self.receiver.lock:
            told = {uid for target, uid in self.receiver.bodies if target != "sky"}
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
        """Runs the daemon until it has seen the whole round, and retries pending deliveries."""
        daemon = self.revisor.start("run")
        began = time.time()
        moment = int(began * 1000)
        while time.time() - began < SETTLE:
            rows = self.revisor.query(
                "SELECT count(*) FROM feeds WHERE last_ok_at > ?1 AND last_error IS NULL AND baseline_at IS NOT NULL", moment
            )
            if rows and rows[0][0] == self.options.feeds:
                self.revisor.run("notify", "retry", "--all")
                break
            time.sleep(0.1)
        else:
            self.wrong("a round was not seen within", SETTLE, "s")
        daemon.kill()
        daemon.wait()

    def drain(self):
        """Makes the receivers work again, after which everything has to arrive."""
        self.receiver.recover()
        daemon = self.revisor.start("run")
        began = time.time()
        retried = 0
        while time.time() - began < self.options.drain:
            rows = self.revisor.query(
                "SELECT count(*) FROM deliveries WHERE done_at IS NULL"
                " OR (state = 'disabled' AND gathered_at IS NOT NULL AND digest_id IS NOT id)"
            )
            if rows == [(0,)] and self.revisor.heeds_signals(daemon):
                break
            if time.time() - retried > 5:
                retried = time.time()
                self.revisor.run("notify", "retry", "--all")
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
        """Checks that changes, revisions, events and deliveries are stored together, at any moment."""
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
            " WHERE c.quiet IS NULL AND (SELECT count(*) FROM deliveries AS d JOIN targets AS t ON t.id = d.target_id"
            f" WHERE d.event_id = e.id AND t.name NOT IN {tuple(PUBLIC)}) <> {len(TARGETS) - len(PUBLIC)}",
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
        # By now most feeds have something to compact.
        compacted = self.revisor.run("db", "prune")
        say(compacted.stdout.decode().strip())
        verified = self.revisor.run("db", "verify")
        if verified.returncode != 0:
            self.wrong("db verify:", verified.stdout.decode()[-500:], verified.stderr.decode()[-500:])
        self.against_truth(connection)
        self.against_receiver(connection)
        # The stored texts are the current ones of the publisher: another check finds no change.
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
        order, events = {}, []
        for number, uid, at in connection.execute("SELECT id, uid, created_at FROM events"):
            order[uid] = number
            events.append((uid, at))
        log = list(self.receiver.everything(events))
        queued, members = set(), collections.defaultdict(list)
        for target, uid, state, digest, kind in connection.execute(
            "SELECT t.name, e.uid, d.state, v.uid, e.type FROM deliveries AS d JOIN events AS e ON e.id = d.event_id"
            " JOIN targets AS t ON t.id = d.target_id LEFT JOIN deliveries AS w ON w.id = d.digest_id AND w.id <> d.id"
            " LEFT JOIN events AS v ON v.id = w.event_id ORDER BY d.id"
        ):
            queued.add((target, uid))
            if digest:
                members[digest].append(uid)
            # The events of an unpacked digest were sent one by one.
            if state != "delivered" and (kind, state) != ("digest.ready", "disabled"):
                self.wrong("still", state, target, uid)
        taken, arrived = set(), collections.defaultdict(list)
        bodies, attempts = collections.defaultdict(set), collections.Counter()
        for _, target, uid, body, status in log:
            attempts[target, status == 204] += 1
            if uid not in order:
                self.wrong("told, but not in the database:", target, uid)
                continue
            bodies[target, uid].add(body)
            if status == 204 and (target, uid) not in taken:
                taken.add((target, uid))
                # A digest lists its events; an event that was sent on its own is not in any digest that arrived.
                arrived[target].extend(members.get(uid, [uid]))
        for target in TARGETS:
            self.of_target(target, arrived[target], order, {uid for name, uid in queued if name == target and uid not in members})
        refused = sum(1 for digest in members if ("digest", digest) not in taken)
        unknown = [pair for pair in taken if pair not in queued]
        altered = [pair for pair, hashes in bodies.items() if len(hashes) > 1]
        numbers = collections.defaultdict(set)
        for (target, uid), body in self.receiver.bodies.items():
            if target in HOOKS and (number := json.loads(body)["data"].get("number")) is not None:
                numbers[number].add(uid)
        second = [number for number, uids in numbers.items() if len(uids) > 1]
        for what, items in (
            ("arrived without being queued", unknown),
            ("under a second id", second),
            ("with another body", altered),
        ):
            if items:
                self.wrong(what, len(items), items[:5])
        for target in TARGETS:
            fine, bad = attempts[target, True], attempts[target, False]
            messages = sum(1 for name, _ in taken if name == target)
            say(
                f"{target}: {len(arrived[target])} events in {messages} messages, {fine + bad} attempts "
                f"({bad} refused or reset, {fine - messages} taken again under the same id after a kill)"
            )
        say(f"{len(members)} digests, {refused} of them refused and unpacked")

    def of_target(self, target, arrived, order, wanted):
        """Checks that a target got every event, once and in order."""
        missing = wanted - set(arrived)
        twice = len(arrived) - len(set(arrived))
        places = [order[uid] for uid in arrived]
        disorder = sum(1 for before, after in zip(places, places[1:]) if after < before)
        for what, count in (("never arrived", len(missing)), ("twice", twice), ("out of order", disorder)):
            if count:
                self.wrong(target, what, count, sorted(missing)[:5])


def sides(diff):
    """The text before and the text after, from all that the diff shows."""
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
