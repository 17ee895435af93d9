#!/usr/bin/env python3
"""Alerts of `kind = "matrix"` at a real Matrix server: they arrive once, in order, as text and as HTML, cut where they have to be.

    python3 -m venv venv && venv/bin/pip install matrix-synapse
    synapse.py REVISOR venv/bin/python [--folder DIR]

Starts Synapse on loopback with its usual limits, publishes edits of one headline quickly enough to be rate-limited, and
reads the room back: order, both sides, a headline that tries to be markup and a mention, a change of 200 KB. Then every
alert is sent again under the same transaction, the service is stopped and started between two edits, and a wrong token
has to be named without being printed. Prints a line for each check; ends with 1 when one fails.
"""
import argparse, hashlib, hmac, html, json, os, re, subprocess, sys, tempfile, time, urllib.parse, urllib.request

from desk import Desk, failures, holds
from world import free_port

HOSTILE = 'Minister <script>alert(1)</script> @room <a href="https://matrix.to/#/@desk:localhost">@desk:localhost</a> **x** [y](z)'
LONG = "The council took the plan with 43 votes. 大臣が報告を認めた👩‍👩‍👧 "


class Synapse:
    def __init__(self, python, folder):
        self.python, self.folder, self.port = python, folder, free_port()
        self.base, self.file, self.process = f"http://127.0.0.1:{self.port}", f"{folder}/hs.yaml", None
        subprocess.run([python, "-m", "synapse.app.homeserver", "--server-name", "localhost", "--config-path", self.file,
                        "--generate-config", "--report-stats=no", "--data-directory", folder],
                       check=True, capture_output=True, cwd=folder)
        config = open(self.file, encoding="utf-8").read().replace("port: 8008", f"port: {self.port}").replace("    - ::1\n", "")
        self.secret = re.search(r'registration_shared_secret: "(.*)"', config)[1]
        # It is alone here: no other server is asked for anything.
        config = re.sub(r"trusted_key_servers:\n.*\n", "trusted_key_servers: []\n", config)
        open(self.file, "w", encoding="utf-8").write(config)

    def start(self):
        self.process = subprocess.Popen([self.python, "-m", "synapse.app.homeserver", "--config-path", self.file],
                                        cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(240):
            try:
                return urllib.request.urlopen(f"{self.base}/_matrix/client/versions", timeout=2).read()
            except OSError:
                time.sleep(0.25)
        sys.exit("Synapse does not start; see homeserver.log")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def ask(self, method, path, body=None, token=None):
        request = urllib.request.Request(self.base + path, method=method, data=None if body is None else json.dumps(body).encode())
        request.add_header("content-type", "application/json")
        if token:
            request.add_header("authorization", f"Bearer {token}")
        return json.load(urllib.request.urlopen(request, timeout=20))

    def register(self, name):
        path = "/_synapse/admin/v1/register"
        nonce = self.ask("GET", path)["nonce"]
        mac = hmac.new(self.secret.encode(), "\0".join([nonce, name, "a password", "notadmin"]).encode(), hashlib.sha1).hexdigest()
        return self.ask("POST", path, {"nonce": nonce, "username": name, "password": "a password", "admin": False, "mac": mac})["access_token"]

    def messages(self, room, token):
        path = f"/_matrix/client/v3/rooms/{urllib.parse.quote(room)}/messages?dir=f&limit=500"
        events = self.ask("GET", path, token=token)["chunk"]
        return [event for event in events if event["type"] == "m.room.message"]


def shown(event):
    content = event["content"]
    return html.unescape(re.sub("<[^>]*>", "", content["formatted_body"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revisor")
    parser.add_argument("python")
    parser.add_argument("--folder")
    options = parser.parse_args()
    folder = os.path.abspath(options.folder or tempfile.mkdtemp(prefix="synapse-"))
    synapse = Synapse(os.path.abspath(options.python), folder)
    synapse.start()
    try:
        token, reader = synapse.register("desk"), synapse.register("reader")
        room = synapse.ask("POST", "/_matrix/client/v3/createRoom", {"preset": "public_chat"}, token)["room_id"]
        synapse.ask("POST", f"/_matrix/client/v3/join/{urllib.parse.quote(room)}", {}, reader)
        keys = f'kind = "matrix"\nserver = "{synapse.base}"\nroom = "{room}"\ntoken_file = "token"'
        revisor = Desk(options.revisor, folder, keys)
        revisor.secret("token", token)
        judge(revisor, synapse, room, reader, token)
    finally:
        synapse.stop()
    sys.exit(1 if failures else 0)


def judge(revisor, synapse, room, reader, token):
    code, said = revisor.run("notify", "test", "desk")
    holds("a test arrives", code == 0, said)
    revisor.publish("Minister says 0 of it")
    limited = 0
    for number in range(1, 21):
        revisor.publish(f"Minister says {number} of it")
        limited += "429" in revisor.error()
    holds("the server asked for patience (M_LIMIT_EXCEEDED)", limited > 0, f"{limited} times")
    holds("all are delivered in the end", revisor.settle() == 0, revisor.row())
    edits = [event for event in synapse.messages(room, reader) if "test" not in shown(event)]
    numbers = [int(found[1]) for event in edits if (found := re.search(r"says \d+ ?(\d+) of it", shown(event)))]
    holds("20 edits arrived in order and once", numbers == list(range(1, 21)), numbers)

    revisor.publish(HOSTILE)
    revisor.publish("Minister is silent", LONG * 3000)
    revisor.settle()
    events = synapse.messages(room, reader)
    hostile = next((event for event in events if "@room" in event["content"]["body"]), None)
    content = hostile["content"] if hostile else {}
    live = [mark for mark in ["<script", "<a href=\"https://matrix.to"] if mark in content.get("formatted_body", "<script")]
    holds("a hostile headline is text and mentions nobody", not live and content.get("m.mentions") == {}, content)
    holds("the text shows it as well", HOSTILE.split("<")[0] in content.get("body", ""), content)
    last = events[-1]
    holds("a change of 200 KB is one event", "took the plan" in shown(last) and "…" in shown(last), shown(last)[-300:])
    torn = re.search("[\u200d\U0001f469\U0001f467]", shown(last).replace("👩‍👩‍👧", ""))
    holds("no grapheme of it is torn", torn is None, shown(last)[-300:])

    before = len(events)
    code, said = revisor.run("notify", "replay", "--since", "1d", "--target", "desk")
    holds("everything is sent again", "22" in said, said)
    holds("all of it is accepted", revisor.settle(300) == 0, revisor.row())
    after = synapse.messages(room, reader)
    holds("the same transactions make no second message", len(after) == before, f"{before} before, {len(after)} after")

    synapse.stop()
    revisor.publish("Minister speaks while nobody listens")
    holds("an alert waits while the server is down", revisor.row()["pending"] == 1, revisor.row())
    synapse.start()
    revisor.run("notify", "retry", "desk")
    revisor.settle()
    holds("and arrives when it is back", "nobody listens" in shown(synapse.messages(room, reader)[-1]), revisor.row())

    revisor.secret("token", "syt_WRONGTOKEN")
    revisor.publish("Minister leaves with a wrong token")
    error = revisor.error()
    holds("a wrong token is named and not printed", "401" in error and "WRONGTOKEN" not in str(revisor.row()), error)
    revisor.secret("token", token)
    revisor.run("notify", "retry", "desk")
    holds("and the alert arrives with the right one", "wrong token" in shown(synapse.messages(room, reader)[-1]), revisor.row())


main()
