"""What the runs against real services share: a feed with one article that is edited, and revisor with one target.

`Desk.row` is the target in `notify list`; `settle` sends what is pending as soon as it is due.
"""

import html
import http.server
import json
import os
import subprocess
import threading
import time

failures = []


def holds(what, good, found=""):
    """Prints a check and remembers a failure."""
    print(f"ok {what}" if good else f"FAILED {what}: {found}", flush=True)
    if not good:
        failures.append(what)


class Publisher(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        title, text = self.server.article
        item = "".join(f"<{name}>{html.escape(value)}</{name}>" for name, value in
                       [("guid", "a"), ("link", "https://news.example/a"), ("title", title), ("description", text)])
        body = f'<rss version="2.0"><channel><title>Courier</title><item>{item}</item></channel></rss>'.encode()
        self.send_response(200)
        self.send_header("content-type", "application/rss+xml; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Desk:
    """`keys` are those of the target but for its name; `environment` is added to that of the program."""

    def __init__(self, binary, folder, keys, **environment):
        self.binary, self.folder, self.environment = os.path.abspath(binary), folder, {**os.environ, **environment}
        os.makedirs(folder, exist_ok=True)
        self.publisher = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
        threading.Thread(target=self.publisher.serve_forever, daemon=True).start()
        self.feed = f"http://127.0.0.1:{self.publisher.server_address[1]}/a.xml"
        self.configure(keys)

    def secret(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(text)

    def configure(self, keys):
        with open(f"{self.folder}/config.toml", "w", encoding="utf-8") as file:
            file.write(f'[fetch]\nallow_private = ["127.0.0.0/8"]\nhost_delay = "0s"\n[page]\nfetch = "off"\n'
                       f'[[feed]]\nurl = "{self.feed}"\nname = "courier"\n'
                       f'[[target]]\nname = "desk"\nsignificance = "typographic"\nevents = ["entry.revised"]\n{keys}\n')

    def run(self, *arguments):
        command = [self.binary, "-c", f"{self.folder}/config.toml", "--db", f"{self.folder}/revisor.db", *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env=self.environment)
        return ran.returncode, ran.stdout + ran.stderr

    def publish(self, title, text="The text stays as it is."):
        self.publisher.article = (title, text)
        return self.run("check", "--force")

    def row(self):
        return json.loads(self.run("notify", "list", "--json")[1])[0]

    def error(self):
        return (self.row()["last_attempt"] or {}).get("error") or ""

    def settle(self, seconds=120, pause=0.2):
        until = time.monotonic() + seconds
        while self.row()["pending"] and time.monotonic() < until:
            self.run("check")
            time.sleep(pause)
        return self.row()["pending"]
