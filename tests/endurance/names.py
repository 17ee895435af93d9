#!/usr/bin/env python3
"""Runs the daemon with a dead first nameserver, and measures whether its feeds are still polled on time.

In its own mount namespace (this needs root), `/etc/resolv.conf` lists two servers on loopback: the first never responds,
the second knows the hosts of 300 feeds. With `--silent N` the second does not respond for N of the hosts either, as if
the nameservers of a few sites were down; the other feeds must still be polled on time.

Every healthy feed must be read within two intervals, `/healthz` must respond within a second throughout, and the daemon
must exit within five seconds of SIGTERM.

  names.py --revisor target/release/revisor [--feeds 300] [--silent 40] [--every 30]
"""

import argparse
import asyncio
import os
import pathlib
import shutil
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

from world import Revisor, fail, free_port, say

DEAD, ALIVE = "127.53.0.1", "127.53.0.2"
STOP = 5.0
SETTINGS = """database = "{folder}/revisor.db"
[fetch]
every = "{every}s"
jitter = "0%"
longest_hint = "0s"
allow_private = ["127.0.0.0/8"]
[page]
fetch = "off"
[web]
listen = "127.0.0.1:{port}"
"""


def apart():
    """Restarts this script in its own mount namespace."""
    if os.environ.get("REVISOR_NAMES_APART"):
        return
    if os.geteuid() != 0:
        raise SystemExit("another resolv.conf needs a mount namespace, and that needs root")
    os.environ["REVISOR_NAMES_APART"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])


def use_nameservers(folder):
    path = pathlib.Path(folder, "resolv.conf")
    path.write_text(f"nameserver {DEAD}\nnameserver {ALIVE}\n")
    code = os.spawnlp(os.P_WAIT, "mount", "mount", "--bind", str(path), os.path.realpath("/etc/resolv.conf"))
    if code != 0:
        raise SystemExit("resolv.conf cannot be replaced here")


class Names(threading.Thread):
    """A nameserver that maps `hN.names.example` to loopback, and stays silent for the first `silent` hosts."""

    def __init__(self, silent):
        super().__init__(daemon=True)
        self.silent, self.asked = silent, 0
        self.dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.dead.bind((DEAD, 53))
        self.alive = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.alive.bind((ALIVE, 53))

    def run(self):
        while True:
            question, sender = self.alive.recvfrom(1500)
            self.asked += 1
            answer = self.answer(question)
            if answer:
                self.alive.sendto(answer, sender)

    def answer(self, question):
        at, labels = 12, []
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode())
            at += 1 + question[at]
        asked, (kind,) = question[12 : at + 5], struct.unpack(">H", question[at + 1 : at + 3])
        name = labels[0][1:]
        known = labels[1:] == ["names", "example"] and name.isdigit()
        if known and int(name) < self.silent:
            return None
        record = b""
        if known and kind == 1:
            host = socket.inet_aton(f"127.7.{int(name) // 250}.{1 + int(name) % 250}")
            record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + host
        flags = 0x8180 if known else 0x8183
        return question[:2] + struct.pack(">HHHHH", flags, 1, bool(record), 0, 0) + asked + record


class Site(threading.Thread):
    """A server on all loopback addresses; `first` says when each host was first polled, `polls` how often."""

    def __init__(self):
        super().__init__(daemon=True)
        self.port, self.first, self.polls = free_port(), {}, 0
        self.ready = threading.Event()

    def run(self):
        asyncio.run(self.serve())

    async def serve(self):
        server = await asyncio.start_server(self.respond, "0.0.0.0", self.port, backlog=1024)
        self.ready.set()
        await server.serve_forever()

    async def respond(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                host = head.split("\r\nhost: ")[1].split(":")[0]
                found = head.startswith("get /feed ")
                if found:
                    self.polls += 1
                    self.first.setdefault(host, time.monotonic())
                body = (f'<rss version="2.0"><channel><title>{host}</title><item><guid>1</guid>'
                        f"<title>One of {host}</title></item></channel></rss>").encode()
                status = "200 OK" if found else "404 Not Found"
                writer.write(f"HTTP/1.1 {status}\r\nContent-Type: application/rss+xml\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (OSError, IndexError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def health(port):
    began = time.monotonic()
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10).read()
    except (OSError, urllib.error.URLError):
        return 10.0
    return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--revisor", required=True)
    parser.add_argument("--feeds", type=int, default=300)
    parser.add_argument("--silent", type=int, default=40)
    parser.add_argument("--every", type=int, default=30)
    options = parser.parse_args()
    apart()
    folder = tempfile.mkdtemp(prefix="revisor-names-")
    use_nameservers(folder)
    names, site, web = Names(options.silent), Site(), free_port()
    names.start()
    site.start()
    site.ready.wait()
    lines = [SETTINGS.format(folder=folder, every=options.every, port=web)]
    for number in range(options.feeds + options.silent):
        lines += ["[[feed]]", f'url = "http://h{number}.names.example:{site.port}/feed"', f'name = "h{number}"']
    config = pathlib.Path(folder, "config.toml")
    config.write_text("\n".join(lines) + "\n")
    revisor = Revisor(options.revisor, folder, str(config))
    say(f"{options.feeds} feeds behind a dead first nameserver, and {options.silent} whose names nobody knows, in {folder}")
    daemon, began, slowest = revisor.start(), time.monotonic(), 0.0
    while not Revisor.heeds_signals(daemon) and daemon.poll() is None:
        time.sleep(0.1)
    while time.monotonic() - began < 2 * options.every and len(site.first) < options.feeds:
        time.sleep(1)
        slowest = max(slowest, health(web))
    took = max(site.first.values(), default=began) - began
    read = len(site.first)
    # Stop the daemon while lookups hang.
    time.sleep(max(0.0, 2 * options.every - (time.monotonic() - began)))
    daemon.send_signal(signal.SIGTERM)
    asked = time.monotonic()
    try:
        daemon.wait(60)
    except Exception:
        daemon.kill()
    stopped = time.monotonic() - asked
    say(f"{read} of {options.feeds} feeds read, the last after {took:.1f} s of {2 * options.every}; {site.polls} polls; "
        f"slowest /healthz {slowest:.2f} s; ended in {stopped:.1f} s; {names.asked} questions")
    wrong = []
    if read < options.feeds:
        wrong.append(f"{options.feeds - read} feeds were not read")
    if slowest > 1:
        wrong.append(f"/healthz took {slowest:.1f} s")
    if stopped > STOP:
        wrong.append(f"the daemon took {stopped:.1f} s to end")
    if wrong:
        print(pathlib.Path(folder, "daemon.log").read_text()[-2000:], file=sys.stderr)
        fail("; ".join(wrong))
        sys.exit(1)
    shutil.rmtree(folder)


main()
