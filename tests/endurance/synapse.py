#!/usr/bin/env python3
"""Alerts of `kind = "matrix"` at a real Matrix server: they arrive once, in order, as text and as HTML, cut where they have to be.

    python3 -m venv venv && venv/bin/pip install matrix-synapse
    synapse.py REVISOR venv/bin/python [--folder DIR]

Starts Synapse on loopback with its usual limits, publishes edits of one headline quickly enough to be rate-limited, and
reads the room back: order, both sides, a headline that tries to be markup and a mention, a change of 200 KB. Then every
alert is sent again under the same transaction, the service is stopped and started between two edits, and a wrong token
has to be named without being printed. Prints a line for each check; ends with 1 when one fails.
"""
import argparse, hashlib, hmac, html, http.server, json, os, re, socket, subprocess, sys, tempfile, threading, time
import urllib.error, urllib.parse, urllib.request

HOSTILE = 'Minister <script>alert(1)</script> @room <a href="https://matrix.to/#/@desk:localhost">@desk:localhost</a> **x** [y](z)'
LONG = "The council took the plan with 43 votes. 大臣が報告を認めた👩‍👩‍👧 "
failures = []


def holds(what, good, found=""):
    print(f"{what:<70} {'ok' if good else 'FAILS'} {'' if good else found}", flush=True)
    if not good:
        failures.append(what)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Synapse:
    def __init__(self, python, folder):
        self.python, self.folder, self.port = python, folder, free_port()
        self.base, self.file, self.process = f"http://127.0.0.1:{self.port}", f"{folder}/hs.yaml", None
        subprocess.run([python, "-m", "synapse.app.homeserver", "--server-name", "localhost", "--config-path", self.file,
                        "--generate-config", "--report-stats=no", "--data-directory", folder],
                       check=True, capture_output=True)
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


class Publisher(http.server.BaseHTTPRequestHandler):
    title, text = "", ""

    def do_GET(self):
        item = "".join(f"<{name}>{html.escape(value)}</{name}>" for name, value in
                       [("guid", "a"), ("link", "https://news.example/a"), ("title", self.title), ("description", self.text)])
        body = f'<rss version="2.0"><channel><title>Courier</title>{item.join(["<item>", "</item>"])}</channel></rss>'.encode()
        self.send_response(200)
        self.send_header("content-type", "application/rss+xml; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Revisor:
    def __init__(self, binary, folder, server, room, token):
        self.binary, self.folder = binary, folder
        publisher = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
        threading.Thread(target=publisher.serve_forever, daemon=True).start()
        self.feed = f"http://127.0.0.1:{publisher.server_address[1]}/a.xml"
        self.configure(server, room, token)

    def configure(self, server, room, token):
        with open(f"{self.folder}/token", "w", encoding="ascii") as file:
            file.write(token)
        os.chmod(f"{self.folder}/token", 0o600)
        with open(f"{self.folder}/config.toml", "w", encoding="utf-8") as file:
            file.write(f'[fetch]\nallow_private = ["127.0.0.0/8"]\nhost_delay = "0s"\n[page]\nfetch = "off"\n'
                       f'[[feed]]\nurl = "{self.feed}"\nname = "courier"\n[[target]]\nname = "room"\nkind = "matrix"\n'
                       f'server = "{server}"\nroom = "{room}"\ntoken_file = "token"\nsignificance = "typographic"\nevents = ["entry.revised"]\n')

    def run(self, *arguments):
        command = [self.binary, "-c", f"{self.folder}/config.toml", "--db", f"{self.folder}/revisor.db", *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        return ran.returncode, ran.stdout + ran.stderr

    def publish(self, title, text="The text stays as it is."):
        Publisher.title, Publisher.text = title, text
        return self.run("check", "--force")

    def row(self):
        return json.loads(self.run("notify", "list", "--json")[1])[0]

    def settle(self, seconds=120):
        """Sends what is pending, each time it is due."""
        until = time.monotonic() + seconds
        while self.row()["pending"] and time.monotonic() < until:
            self.run("check")
            time.sleep(1)
        return self.row()["pending"]


def shown(event):
    content = event["content"]
    return html.unescape(re.sub("<[^>]*>", "", content["formatted_body"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revisor")
    parser.add_argument("python")
    parser.add_argument("--folder")
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp(prefix="synapse-")
    synapse = Synapse(os.path.abspath(options.python), folder)
    synapse.start()
    try:
        token, reader = synapse.register("desk"), synapse.register("reader")
        room = synapse.ask("POST", "/_matrix/client/v3/createRoom", {"preset": "public_chat"}, token)["room_id"]
        synapse.ask("POST", f"/_matrix/client/v3/join/{urllib.parse.quote(room)}", {}, reader)
        judge(Revisor(os.path.abspath(options.revisor), folder, synapse.base, room, token), synapse, room, reader, token)
    finally:
        synapse.stop()
    sys.exit(1 if failures else 0)


def judge(revisor, synapse, room, reader, token):
    code, said = revisor.run("notify", "test", "room")
    holds("a test arrives", code == 0, said)
    revisor.publish("Minister says 0 of it")
    limited = 0
    for number in range(1, 21):
        revisor.publish(f"Minister says {number} of it")
        limited += "429" in str((revisor.row()["last_attempt"] or {}).get("error"))
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
    code, said = revisor.run("notify", "replay", "--since", "1d", "--target", "room")
    holds("everything is sent again", "22" in said, said)
    holds("all of it is accepted", revisor.settle(300) == 0, revisor.row())
    after = synapse.messages(room, reader)
    holds("the same transactions make no second message", len(after) == before, f"{before} before, {len(after)} after")

    synapse.stop()
    revisor.publish("Minister speaks while nobody listens")
    holds("an alert waits while the server is down", revisor.row()["pending"] == 1, revisor.row())
    synapse.start()
    revisor.run("notify", "retry", "room")
    revisor.settle()
    holds("and arrives when it is back", "nobody listens" in shown(synapse.messages(room, reader)[-1]), revisor.row())

    revisor.configure(synapse.base, room, "syt_WRONGTOKEN")
    revisor.publish("Minister leaves with a wrong token")
    error = revisor.row()["last_attempt"]["error"] or ""
    holds("a wrong token is named and not printed", "401" in error and "WRONGTOKEN" not in str(revisor.row()), error)
    revisor.configure(synapse.base, room, token)
    revisor.run("notify", "retry", "room")
    holds("and the alert arrives with the right one", "wrong token" in shown(synapse.messages(room, reader)[-1]), revisor.row())


main()
