"""Shared by the endurance runs: a publisher that knows its edits, a receiver that misbehaves, and the program itself.

Needs only Python's standard library, a built revisor, and the `feedserver` of the kits. It serves feeds on loopback;
each response depends only on (feed, entry, round), and `/__truth/N` lists the edits that round N really made.
"""

import hashlib
import http.server
import json
import os
import random
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time
import urllib.request


def fetch(url, post=False, timeout=60):
    request = urllib.request.Request(url, data=b"" if post else None)
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return answer.read()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Publisher:
    """A running feedserver."""

    def __init__(self, binary, hosts, cache_mb=300):
        self.port = free_port()
        self.hosts = hosts
        arguments = ["--port", str(self.port), "--hosts", str(hosts), "--threads", "1", "--cache-mb", str(cache_mb)]
        self.process = subprocess.Popen([binary, *arguments], stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                fetch(self.address("/__stats"), timeout=1)
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("the feedserver does not answer")

    def address(self, path, host=None):
        ip = "127.0.0.1" if host is None else f"127.1.{host // 250}.{1 + host % 250}"
        return f"http://{ip}:{self.port}{path}"

    def round(self, number, **profile):
        """Starts a round; the arguments are the shares of feeds that get new entries, edits and noise."""
        query = "&".join(f"{key}={value}" for key, value in profile.items())
        fetch(self.address(f"/__round/{number}?{query}"), post=True)

    def set(self, **settings):
        fetch(self.address("/__set?" + "&".join(f"{key}={value}" for key, value in settings.items())))

    def truth(self, number, feeds):
        return json.loads(fetch(self.address(f"/__truth/{number}?n={feeds}")))["feeds"]

    def stop(self):
        self.process.kill()
        self.process.wait()


class Receiver:
    """Accepts webhooks at /hook/TARGET; whether the first attempts at each fail depends on the seed.

    `log` has each request in the order of the responses: (time, target, webhook-id, hash of the body, status), with
    status 0 if the connection was reset after the body. `healthy` ends the misbehaviour.
    """

    def __init__(self, seed, bad=0.35):
        self.seed, self.bad, self.healthy = seed, bad, False
        self.log, self.bodies, self.attempts = [], {}, {}
        self.lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver.answer(self, self.rfile.read(int(self.headers.get("content-length") or 0)))

            do_PUT = do_POST

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # the sender was killed

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, target):
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook/{target}"

    def answer(self, handler, body):
        self.take(handler, handler.path.rsplit("/", 1)[-1], handler.headers.get("webhook-id"), body)

    def count(self, target, uid):
        """The number of this attempt, which is counted here."""
        with self.lock:
            number = self.attempts[target, uid] = self.attempts.get((target, uid), 0) + 1
            return number

    def fate(self, target, uid, number, body):
        """The status of a response, and the seconds to wait before it."""
        fate = random.Random(f"{self.seed}/{target}/{uid}/{number}").random()
        if self.healthy or number > 3 or fate >= self.bad:
            return 204, 0
        if fate < self.bad * 0.2 and number == 1:
            return 0, 0
        return (503, 0) if fate < self.bad * 0.75 else (204, 0.2)

    def note(self, target, uid, body, status):
        with self.lock:
            self.log.append((time.time(), target, uid, hashlib.sha256(body).hexdigest(), status))
            self.bodies.setdefault((target, uid), body)

    def take(self, handler, target, uid, body, success=(204, b"")):
        status, wait = self.fate(target, uid, self.count(target, uid), body)
        time.sleep(wait)
        self.note(target, uid, body, status)
        if status == 0:
            linger = struct.pack("ii", 1, 0)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            handler.close_connection = True
        elif status == 204:
            self.reply(handler, *success)
        else:
            self.reply(handler, status, b"")

    @staticmethod
    def reply(handler, status, body):
        handler.send_response(status)
        if status == 503:
            handler.send_header("Retry-After", "1")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


SECRET = "whsec_ZW5kdXJhbmNlLCBlbmR1cmFuY2UsIGVuZHVyYW5jZSE="


def configuration(folder, publisher, feeds, targets, receiver, more="", feed_path=None, feed_more=None):
    """Writes FOLDER/config.toml with `feeds` feeds on the hosts of the publisher, and `targets` at the receiver."""
    lines = [
        f'database = "{folder}/revisor.db"',
        more,
    ]
    for number in range(feeds):
        path = feed_path(number) if feed_path else f"/feed/{number}.xml"
        lines += [
            "[[feed]]",
            f'url = "{publisher.address(path, number % publisher.hosts)}"',
            f'name = "f{number}"',
            feed_more(number) if feed_more else "",
        ]
    for target in targets:
        lines += ["[[target]]", f'name = "{target}"', 'kind = "webhook"', f'url = "{receiver.url(target)}"']
        lines += [f'secret_file = "{folder}/secret"', 'events = ["entry.*", "feed.*"]', 'significance = "typographic"']
    with open(f"{folder}/secret", "w") as file:
        file.write(SECRET + "\n")
    path = f"{folder}/config.toml"
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    return path


class Revisor:
    """The program and its configuration; the daemon logs to FOLDER/daemon.log."""

    def __init__(self, binary, folder, config):
        self.binary, self.folder, self.config = binary, folder, config
        self.db = f"{folder}/revisor.db"
        self.environment = {"PATH": os.environ["PATH"], "HOME": folder, "REVISOR_CONFIG": config}

    def start(self, *arguments):
        log = open(f"{self.folder}/daemon.log", "ab")
        with log:
            return subprocess.Popen(
                [self.binary, *(arguments or ["run"])],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    @staticmethod
    def heeds_signals(daemon):
        """Whether a daemon that has just started already handles SIGTERM."""
        try:
            with open(f"/proc/{daemon.pid}/status") as file:
                caught = next(line for line in file if line.startswith("SigCgt:"))
        except (OSError, StopIteration):
            return False
        return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)

    def run(self, *arguments, timeout=600):
        return subprocess.run(
            [self.binary, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
        )

    def query(self, sql, *values):
        """Queries the database while the daemon may be running; `None` while it cannot be read."""
        try:
            connection = sqlite3.connect(f"file:{self.db}?mode=ro", uri=True, timeout=10)
            try:
                return connection.execute(sql, values).fetchall()
            finally:
                connection.close()
        except sqlite3.OperationalError:
            return None


def say(*words):
    print(time.strftime("%H:%M:%S"), *words, flush=True)


def fail(*words):
    print("FAILED:", *words, file=sys.stderr, flush=True)
