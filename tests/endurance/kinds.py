"""Targets of seven kinds for the endurance runs, each with a receiver that misbehaves like `world.Receiver`.

Every message carries a name that is the same on each attempt and identifies the event: the webhook-id, the Message-ID
of a mail, the sequence of ntfy, the transaction of Matrix, the record key of Bluesky, the idempotency key of Mastodon,
the environment of a program. `log` lists them all in one form, under the id of the event.
"""

import email
import email.policy
import json
import os
import socketserver
import threading
import time
import urllib.parse

from world import Receiver

# The configuration of each kind; URL stands for the address of the receiver, PORT for the port of the mail server.
KINDS = {
    "mail": 'kind = "email"\nserver = "127.0.0.1"\nport = PORT\ntls = "none"\nfrom = "bot@desk.example"\nto = ["a@desk.example"]',
    "phone": 'kind = "ntfy"\nurl = "URL/phone"',
    "room": 'kind = "matrix"\nserver = "URL/room"\nroom = "!r:example"\ntoken = "secret"',
    "sky": 'kind = "bluesky"\nserver = "URL/sky"\nuser = "bot.example"\npassword = "secret"\nconfirm = "off"\nmin_score = 0\nmax_per_hour = 1000\nfields = ["title", "summary", "body"]',
    "toot": 'kind = "mastodon"\nserver = "URL/toot"\ntoken = "secret"\nconfirm = "off"\nmin_score = 0\nmax_per_hour = 1000\nfields = ["title", "summary", "body"]',
    "script": 'kind = "command"\ncommand = ["sh", "FOLDER/script.sh"]',
    "digest": 'kind = "webhook"\nurl = "URL/hook/digest"\ndigest = "1m"',
}
# Fails the first attempt of some events; `>>` writes each line in one go.
SCRIPT = """cat >/dev/null
case "$REVISOR_ID" in *[abc]) if [ ! -e {folder}/healthy ] && ! grep -q "$REVISOR_ID" {folder}/script.log
  then echo "$REVISOR_ID 503" >>{folder}/script.log; exit 1; fi;; esac
echo "$REVISOR_ID 204" >>{folder}/script.log
"""


class Kinds(Receiver):
    """The receivers of all kinds: an HTTP server, a mail server and a program."""

    def __init__(self, seed, folder):
        super().__init__(seed)
        self.folder = folder
        with open(f"{folder}/script.sh", "w") as file:
            file.write(SCRIPT.format(folder=folder))
        receiver = self

        class Mail(socketserver.StreamRequestHandler):
            def handle(self):
                receiver.mail(self)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads, request_queue_size = True, 64

            def handle_error(self, *_):
                pass  # the sender was killed

        self.mails = Server(("127.0.0.1", 0), Mail)
        threading.Thread(target=self.mails.serve_forever, daemon=True).start()

    def tables(self):
        """The targets, as TOML for the configuration."""
        url = self.url("")[: -len("/hook/")]
        for name, keys in KINDS.items():
            keys = keys.replace("URL", url).replace("PORT", str(self.mails.server_address[1])).replace("FOLDER", self.folder)
            secret = f'\nsecret_file = "{self.folder}/secret"' if 'kind = "webhook"' in keys else ""
            yield f'[[target]]\nname = "{name}"\n{keys}{secret}\nevents = ["entry.*", "feed.*"]\nsignificance = "typographic"'

    def recover(self):
        self.healthy = True
        open(f"{self.folder}/healthy", "w").close()

    # ---- the services

    def answer(self, handler, body):
        path = urllib.parse.unquote(handler.path)
        service = path.split("/")[1]
        if service == "hook":
            return super().answer(handler, body)
        if service == "room":
            return self.take(handler, "room", path.rsplit("/", 1)[-1], body, (200, b'{"event_id":"$1"}'))
        # Pictures, which only builds with `--features cards` send.
        if service == "toot" and "/media" in path:
            return self.reply(handler, 200, b'{"id":"1"}')
        if service == "sky" and "uploadBlob" in path:
            return self.reply(handler, 200, b'{"blob":{"$type":"blob"}}')
        if service == "toot":
            uid = handler.headers["idempotency-key"]
            return self.take(handler, "toot", uid, body, (200, json.dumps({"id": uid}).encode()))
        if service == "sky" and "createSession" in path:
            return self.reply(handler, 200, b'{"accessJwt":"A","refreshJwt":"R","did":"did:plc:a"}')
        said = json.loads(body)
        if service == "sky":
            return self.take(handler, "sky", said["rkey"], body, (200, json.dumps({"uri": f"at://{said['rkey']}", "cid": "c"}).encode()))
        # ntfy takes its messages at the root.
        return self.take(handler, "phone", said["sequence_id"], body, (200, b"{}"))

    def fate(self, target, uid, number, body):
        """Every second digest is refused permanently."""
        refused = target == "digest" and json.loads(body)["type"] == "digest.ready" and sum(uid.encode()) % 2 == 0
        return (400, 0) if refused else super().fate(target, uid, number, body)

    def mail(self, handler):
        def say(text):
            handler.wfile.write(text.encode() + b"\r\n")

        say("220 ready")
        while line := handler.rfile.readline().decode().strip().upper():
            if line == "DATA":
                say("354 go on")
                lines = []
                while (data := handler.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(data)
                if not data:
                    return  # the sender was killed during the transfer: only complete mails are accepted
                message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
                uid = message["message-id"].strip("<>").split(".")[0]
                number = self.count("mail", uid)
                status, wait = self.fate("mail", uid, number, b"")
                time.sleep(wait)
                self.note("mail", uid, b"".join(lines), status)
                if status == 0:
                    return
                say("250 taken" if status == 204 else "450 later")
            elif line == "QUIT":
                say("221 bye")
                return
            else:
                say("250 fine")

    # ---- what arrived

    def everything(self, events):
        """`log` and the runs of the program, by event id; `events` has the id and milliseconds of each event."""
        keys = {record_key(uid, at): uid for uid, at in events}
        for when, target, uid, body, status in self.log:
            yield when, target, keys.get(uid, uid) if target == "sky" else uid, body, status
        if os.path.exists(f"{self.folder}/script.log"):
            with open(f"{self.folder}/script.log") as file:
                for line in file:
                    uid, status = line.split()
                    yield 0, "script", uid, "", int(status)


def record_key(uid, millis):
    """The TID that `notify/kinds/bluesky.rs` derives from an event."""
    hashed = 0xCBF29CE484222325
    for byte in uid.encode():
        hashed = (hashed ^ byte) * 0x100000001B3 % 2**64
    number = (millis * 1000 + hashed % 1000) % 2**53 << 10 | hashed >> 20 & 1023
    return "".join("234567abcdefghijklmnopqrstuvwxyz"[number >> place * 5 & 31] for place in range(12, -1, -1))
