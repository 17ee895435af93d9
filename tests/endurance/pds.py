#!/usr/bin/env python3
"""Posts of `kind = "bluesky"` at a real AT Protocol server: once, in threads, in order, with links and pictures that fit.

    npm install @atproto/pds@0.4.217      # the last one for Node 20
    pds.py REVISOR node_modules [--cards] [--folder DIR]

Starts the server on loopback with its usual limits and a directory of identities of its own, publishes edits of headlines,
and reads the posts back. Between the two stands a proxy that loses an answer, sends an expired token, or refuses pictures.
`--cards` says that REVISOR is built with pictures. Prints a line for each check; ends with 1 when one fails.
"""
import argparse, base64, hashlib, hmac, html, http.client, http.server, json, os, re, secrets, subprocess, sys, tempfile
import threading, time, urllib.error, urllib.parse, urllib.request

from world import free_port

HOSTILE = "Minister @everyone @desk.test #ad <script>alert(1)</script> **x** [y](https://evil.example)\r\n\nFROM: \u202edesk\u202c https://evil.example/?q=1"
FAMILY = "👩‍👩‍👧"
LONG = f"The council took the plan with 43 votes. 大臣が報告を認めた{FAMILY} "
SERVER = """const { PDS, envToCfg, envToSecrets, readEnv } = require('@atproto/pds');
(async () => { const env = readEnv(); const pds = await PDS.create(envToCfg(env), envToSecrets(env)); await pds.start();
process.on('SIGTERM', async () => { await pds.destroy(); process.exit(0) }) })()"""
failures = []


def holds(what, good, found=""):
    print(f"{what:<70} {'ok' if good else 'FAILS'} {'' if good else found}", flush=True)
    if not good:
        failures.append(what)


def serve(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


class Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def answer(self, status, body, kind="application/json", more=()):
        self.send_response(status)
        for name, value in [("content-type", kind), ("content-length", str(len(body))), *more]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Directory(Quiet):
    """Keeps the last operation of each identity and believes all of them."""
    known = {}

    def do_POST(self):
        self.known[urllib.parse.unquote(self.path[1:])] = json.loads(self.body())
        self.answer(200, b"{}")

    def do_GET(self):
        did, _, form = urllib.parse.unquote(self.path[1:]).partition("/")
        last = self.known.get(did)
        if last is None:
            return self.answer(404, b"{}")
        keys = [{"id": f"{did}#{name}", "type": "Multikey", "controller": did, "publicKeyMultibase": key.removeprefix("did:key:")}
                for name, key in last["verificationMethods"].items()]
        services = [{"id": f"#{name}", "type": one["type"], "serviceEndpoint": one["endpoint"]} for name, one in last["services"].items()]
        document = {"@context": ["https://www.w3.org/ns/did/v1"], "id": did, "alsoKnownAs": last["alsoKnownAs"],
                    "verificationMethod": keys, "service": services}
        self.answer(200, json.dumps({"": document, "data": {**last, "did": did}, "log/last": last}[form]).encode())


class Pds:
    def __init__(self, modules, folder):
        self.modules, self.port, self.process, self.log = modules, free_port(), None, open(f"{folder}/pds.log", "ab")
        self.base, self.jwt_secret = f"http://127.0.0.1:{self.port}", secrets.token_hex(16)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": folder, "NODE_PATH": modules, "LOG_ENABLED": "true", "LOG_LEVEL": "warn",
            "PDS_HOSTNAME": "localhost", "PDS_PORT": str(self.port), "PDS_DEV_MODE": "true", "PDS_INVITE_REQUIRED": "false",
            "PDS_RATE_LIMITS_ENABLED": "true", "PDS_DATA_DIRECTORY": folder, "PDS_BLOBSTORE_DISK_LOCATION": f"{folder}/blobs",
            "PDS_BLOBSTORE_DISK_TMP_LOCATION": f"{folder}/temporary", "PDS_DID_PLC_URL": serve(Directory),
            "PDS_JWT_SECRET": self.jwt_secret, "PDS_DPOP_SECRET": secrets.token_hex(32), "PDS_ADMIN_PASSWORD": secrets.token_hex(16),
            "PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX": secrets.token_hex(32)}

    def start(self):
        self.process = subprocess.Popen(["node", "-e", SERVER], cwd=os.path.dirname(self.modules), env=self.environment,
                                        stdout=self.log, stderr=self.log)
        for _ in range(240):
            try:
                return urllib.request.urlopen(f"{self.base}/xrpc/_health", timeout=2).read()
            except OSError:
                time.sleep(0.25)
        sys.exit("the server does not start; see pds.log")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def ask(self, method, body=None, token=None, **query):
        url = f"{self.base}/xrpc/{method}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        request = urllib.request.Request(url, data=None if body is None else json.dumps(body).encode())
        request.add_header("content-type", "application/json")
        if token:
            request.add_header("authorization", f"Bearer {token}")
        return json.load(urllib.request.urlopen(request, timeout=20))

    def account(self):
        """An account with its address, and an app password as people are told to use."""
        made = self.ask("com.atproto.server.createAccount", {"handle": "desk.test", "email": "desk@desk.test", "password": "a password"})
        app = self.ask("com.atproto.server.createAppPassword", {"name": "revisor"}, made["accessJwt"])
        return made["did"], app["password"]

    def posts(self, did):
        """All posts, oldest first."""
        found = self.ask("com.atproto.repo.listRecords", repo=did, collection="app.bsky.feed.post", limit=100, reverse="true")
        return found["records"]

    def expired(self, token):
        """The same token, but an hour too old, with a signature that is right."""
        head, claims, _ = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(claims + "=="))
        claims.update(iat=claims["iat"] - 10800, exp=int(time.time()) - 3600)
        signed = head + "." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        mac = hmac.new(self.jwt_secret.encode(), signed.encode(), hashlib.sha256).digest()
        return signed + "." + base64.urlsafe_b64encode(mac).decode().rstrip("=")


class Proxy(Quiet):
    """Passes on what is asked. `trouble` has what it does to the next requests of a method."""
    pds, seen, trouble = None, [], {}

    def do_POST(self):
        method, body = self.path.rpartition("/")[2], self.body()
        waiting = self.trouble.get(method)
        what = waiting.pop(0) if waiting else None
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        if what == "expire":
            token = next(value for name, value in headers.items() if name.lower() == "authorization").removeprefix("Bearer ")
            headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
            headers["authorization"] = "Bearer " + self.pds.expired(token)
        try:
            to = http.client.HTTPConnection("127.0.0.1", self.pds.port, timeout=20)
            to.request("POST", self.path, body, headers)
            answer = to.getresponse()
            said = answer.read()
        except OSError:
            self.close_connection = True
            return
        self.seen.append((method, answer.status))
        if what == "lose":
            self.close_connection = True
            return
        if what == "refuse":
            return self.answer(500, b"{}")
        more = [(name, value) for name, value in answer.getheaders() if name.lower().startswith(("ratelimit", "retry"))]
        self.answer(answer.status, said, answer.getheader("content-type", "application/json"), more)


class Publisher(Quiet):
    articles = {}

    def do_GET(self):
        items = "".join("<item>" + "".join(f"<{name}>{html.escape(value)}</{name}>" for name, value in [("guid", key), ("link", link), ("title", title), ("description", "The text stays.")])
                        + "</item>" for key, (title, link) in self.articles.items())
        self.answer(200, f'<rss version="2.0"><channel><title>Courier</title>{items}</channel></rss>'.encode(), "application/rss+xml; charset=utf-8")


class Revisor:
    def __init__(self, binary, folder):
        self.binary, self.folder, self.process = binary, folder, None
        self.feed, self.log = f"{serve(Publisher)}/a.xml", f"{folder}/daemon.log"

    def start(self, server, password, more='confirm = "off"'):
        """Starts the service, which keeps its session."""
        with open(f"{self.folder}/password", "w", encoding="ascii") as file:
            file.write(password)
        os.chmod(f"{self.folder}/password", 0o600)
        with open(f"{self.folder}/config.toml", "w", encoding="utf-8") as file:
            file.write(f'[fetch]\nallow_private = ["127.0.0.0/8"]\nhost_delay = "0s"\n[page]\nfetch = "off"\n'
                       f'[[feed]]\nurl = "{self.feed}"\nname = "courier"\n[[target]]\nname = "sky"\nkind = "bluesky"\nserver = "{server}"\n'
                       f'user = "desk.test"\npassword_file = "password"\nmin_score = 0\nmax_per_hour = 1000\nsignificance = "typographic"\n{more}\n')
        before = len(open(self.log, encoding="utf-8").read()) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command("run"), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(100):
            if "ready feeds" in open(self.log, encoding="utf-8").read()[before:]:
                return
            time.sleep(0.2)
        sys.exit("revisor does not start; see daemon.log")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def command(self, *arguments):
        return [self.binary, "-c", f"{self.folder}/config.toml", "--db", f"{self.folder}/revisor.db", *arguments]

    def run(self, *arguments):
        ran = subprocess.run(self.command(*arguments), capture_output=True, text=True, check=False)
        return ran.returncode, ran.stdout + ran.stderr

    def publish(self, settle=True, **titles):
        """Gives articles another headline and has the service look at once."""
        for key, title in titles.items():
            link = Publisher.articles.get(key, ("", f"https://news.example/{key}"))[1]
            Publisher.articles[key] = (title, link)
        said = self.run("check", "--force")
        if settle:
            self.settle()
        return said

    def row(self):
        return json.loads(self.run("notify", "list", "--json")[1])[0]

    def settle(self, seconds=60):
        until = time.monotonic() + seconds
        while self.row()["pending"] and time.monotonic() < until:
            time.sleep(0.3)
        return self.row()["pending"]

    def tried(self, seconds=30):
        """The last attempt, once there is a failed one."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            last = self.row()["last_attempt"] or {}
            if last.get("error"):
                return last["error"]
            time.sleep(0.3)
        return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revisor")
    parser.add_argument("modules")
    parser.add_argument("--cards", action="store_true")
    parser.add_argument("--folder")
    options = parser.parse_args()
    folder = os.path.abspath(options.folder or tempfile.mkdtemp(prefix="pds-"))
    pds = Proxy.pds = Pds(os.path.abspath(options.modules), folder)
    revisor = Revisor(os.path.abspath(options.revisor), folder)
    pds.start()
    try:
        did, password = pds.account()
        revisor.start(serve(Proxy), password)
        judge(revisor, pds, did, password, options.cards)
    finally:
        pds.stop()
        if revisor.process:
            revisor.stop()
    sys.exit(1 if failures else 0)


def words(post):
    return post["value"]["text"]


def calls(method):
    return [status for name, status in Proxy.seen if name.endswith(method)]


def links(post):
    """The addresses of the links of a post; `None` when one is not on a line that shows it, or its beginning."""
    text, found = words(post).encode(), []
    for facet in post["value"].get("facets", []):
        start, end, features = facet["index"]["byteStart"], facet["index"]["byteEnd"], facet["features"]
        line, address = text[start:end].decode(), features[0]["uri"]
        begun = line.endswith("…") and address.startswith(line[:-1])
        if [one["$type"] for one in features] != ["app.bsky.richtext.facet#link"] or not (begun or line == address):
            return None
        if line not in words(post).split("\n"):
            return None
        found.append(address)
    return found


def pictured(post):
    images = post["value"].get("embed", {}).get("images", [])
    return images[0] if len(images) == 1 else None


def judge(revisor, pds, did, password, cards):
    server = re.search('server = "(.*)"', open(f"{revisor.folder}/config.toml", encoding="utf-8").read())[1]

    def about(text):
        return [post for post in pds.posts(did)[1:] if text in words(post)]

    code, said = revisor.run("notify", "test", "sky")
    holds("a test arrives", code == 0 and len(pds.posts(did)) == 1, said)
    revisor.publish(a="Minister says 0 of it", b="Mayor says 0 of it")
    for number in range(1, 9):
        revisor.publish(a=f"Minister says {number} of it", b=f"Mayor says {number} of it")
    for who in ["Minister", "Mayor"]:
        posts = about(who)
        numbers = [int(number) for post in posts for number in re.findall(r"^\+ .* says (\d+) of it", words(post), re.M)]
        holds(f"8 edits of the {who.lower()} arrived in order and once", numbers == list(range(1, 9)), numbers)
        root = {"uri": posts[0]["uri"], "cid": posts[0]["cid"]}
        roots = [post["value"].get("reply") for post in posts]
        holds("they are a thread below the first", roots == [None] + [{"root": root, "parent": root}] * 7, roots)
    posts = pds.posts(did)[1:]
    holds("each links to its article", all(len(links(post) or {}) == 1 for post in posts), [links(post) for post in posts])
    holds("one login was enough for all of them", len(calls("createSession")) == 1, calls("createSession"))
    if cards:
        alts = [(pictured(post) or {"alt": ""})["alt"] for post in posts]
        holds("each shows its picture", all(pictured(post) for post in posts), alts)
        holds("and says what it shows", all(line in alt for post, alt in zip(posts, alts) for line in words(post).split("\n")[1:3]), alts)
        image = pictured(posts[0])["image"]
        url = f"{pds.base}/xrpc/com.atproto.sync.getBlob?" + urllib.parse.urlencode({"did": did, "cid": image["ref"]["$link"]})
        blob = urllib.request.urlopen(url, timeout=20).read()
        holds("the server has the picture", blob.startswith(b"\x89PNG") and len(blob) == image["size"], blob[:20])

    revisor.publish(c="Bishop says 0 of it")
    sent = len(calls("putRecord"))
    Proxy.trouble["com.atproto.repo.putRecord"] = ["lose"] * 3  # each attempt asks twice when a connection ends
    revisor.publish(settle=False, c="Bishop says 1 of it")
    holds("a lost answer is an error", revisor.tried() != "", revisor.row())
    revisor.run("notify", "retry", "sky")
    holds("the post is sent again", revisor.settle() == 0 and calls("putRecord")[sent:] == [200] * 4, calls("putRecord")[sent:])
    revisor.publish(c="Bishop says 2 of it")
    posts = about("Bishop")
    reply = posts[-1]["value"].get("reply", {}).get("root", {})
    holds("and is there once, with its thread", len(posts) == 2 and reply.get("cid") == posts[0]["cid"], posts)

    for what, trouble in [("a lost answer to a picture", ["lose"] * 2), ("a refused picture", ["refuse"])] if cards else []:
        Proxy.trouble["com.atproto.repo.uploadBlob"] = trouble
        revisor.publish(c=f"Bishop speaks in spite of {what}")
        posts = about(what)
        holds(f"{what} holds up nothing", len(posts) == 1 and not pictured(posts[0]), revisor.row())

    Proxy.trouble["com.atproto.repo.uploadBlob" if cards else "com.atproto.repo.putRecord"] = ["expire"]
    revisor.publish(c="Bishop speaks after hours")
    holds("an expired session is refreshed", len(about("after hours")) == 1 and calls("refreshSession") == [200], revisor.row())
    revisor.publish(c="Bishop speaks after a rest")
    once = len(calls("refreshSession")) == len(calls("createSession")) == 1
    holds("and the fresh one is kept", len(about("after a rest")) == 1 and once, Proxy.seen[-8:])

    strange(revisor, about, cards)

    before = pds.posts(did)
    code, said = revisor.run("notify", "replay", "--since", "1d", "--target", "sky")
    holds("everything is sent again", str(len(before) - 1) in said, said)
    holds("all of it is accepted", revisor.settle(120) == 0, revisor.row())
    after = pds.posts(did)
    holds("no post is there twice", [post["uri"] for post in after] == [post["uri"] for post in before], f"{len(before)} before, {len(after)} after")
    changed = [(old, new) for old, new in zip(before, after) if {**old["value"], "embed": 0} != {**new["value"], "embed": 0}]
    holds("and none has other words", not changed, changed[:1])

    pds.stop()
    revisor.publish(settle=False, a="Minister speaks while nobody listens")
    holds("a post waits while the server is down", revisor.tried() != "" and revisor.row()["pending"] == 1, revisor.row())
    pds.start()
    revisor.run("notify", "retry", "sky")
    revisor.settle()
    holds("and arrives when it is back", len(about("nobody listens")) == 1, revisor.row())

    revisor.stop()
    revisor.start(server, "wrng-pass-word-here")
    revisor.publish(settle=False, a="Minister leaves with a wrong password")
    error = revisor.tried()
    told = str(revisor.row()) + revisor.run("notify", "list")[1] + open(revisor.log, encoding="utf-8").read()
    holds("a wrong password is named and not printed", "401" in error and "password" in error and "wrng" not in told, error)
    revisor.stop()
    revisor.start(server, password)
    revisor.run("notify", "retry", "sky")
    revisor.settle()
    holds("and the post arrives with the right one", len(about("wrong password")) == 1, revisor.row())
    told = open(revisor.log, encoding="utf-8").read()
    holds("neither password nor token is in the log", password not in told and "eyJ" not in told)

    revisor.stop()
    revisor.start(server, password, more="")
    revisor.publish(settle=False, a="Minister asks before speaking")
    holds("without `confirm = \"off\"` a post waits for a person", revisor.row()["held"] == 1 and not about("before speaking"), revisor.row())
    revisor.run("notify", "release", "--all")
    revisor.settle()
    holds("who releases it", len(about("before speaking")) == 1, revisor.row())


def strange(revisor, about, cards):
    """Headlines and addresses that are hostile, long or rare."""
    revisor.publish(d="Chancellor is silent", e=LONG.replace("43", "42") * 8, f=FAMILY * 90)
    revisor.publish(d=HOSTILE)
    post = (about("@everyone") or [None])[0]
    holds("a hostile headline is text: one link, no mention, no tag", post and links(post) == ["https://news.example/d"], post)
    lines = words(post).split("\n") if post else []
    holds("and stays in its line", post and not any(line.startswith("FROM") for line in lines) and "\u202e" not in words(post), lines)
    revisor.publish(e=LONG * 8)
    posts = about("took the plan")
    holds("a long headline is one post, cut, with its link", len(posts) == 1 and links(posts[0]) and "…" in words(posts[0]), revisor.row())
    holds("no grapheme of it is torn", posts and not re.search("[\u200d\U0001f469\U0001f467]", words(posts[0]).replace(FAMILY, "")), posts)
    holds("both sides are in its picture's words", not cards or posts and re.search("42.*43", (pictured(posts[0]) or {"alt": ""})["alt"], re.S), posts)
    revisor.publish(f=FAMILY * 150 + "!")
    posts = about(FAMILY * 5)
    holds("letters of many bytes are one post, with its link", len(posts) == 1 and links(posts[0]), posts or revisor.row())
    strange_links = {"g": "https://news.example/" + "long-" * 60, "h": "https://news.example/über/大臣?x=[1]&y=a|b", "i": "https://news.example/" + "endless-" * 400}
    revisor.publish(**{key: f"Warden {key} is silent" for key in strange_links})
    for key, link in strange_links.items():
        Publisher.articles[key] = (Publisher.articles[key][0], link)
    revisor.publish(**{key: f"Warden {key} moves abroad" for key in strange_links})
    found = {key: links(post) for key in strange_links for post in about(f"Warden {key} moves")}
    holds("long and foreign addresses are links", all(found.get(key) == [strange_links[key]] for key in "gh"), found or revisor.row())
    holds("an endless one is none", found.get("i") == [], found.get("i"))


if __name__ == "__main__":
    main()
