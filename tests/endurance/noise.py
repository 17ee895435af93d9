#!/usr/bin/env python3
"""Simulates two weeks of noise: synthetic sites whose pages change all the time, with a few real edits in between.

    noise.py REVISOR [--sites 200] [--articles 5] [--days 14] [--seed 1]

Each site has some of these: counters, a ticker, a consent box that comes and goes, alternating promotions, a stale
cache, rotating links, relative times. The clock is faked (Debian: faketime), and `check` runs every two hours. In the
end the alerts are compared with the edits. Prints the false alerts per 100 articles and week, the missed edits, and the
sizes of the rules and the ledger. Exits with 1 if that rate is above 1 or an edit was missed.
"""
import argparse, datetime, http.server, json, os, pathlib, random, shutil, sqlite3, subprocess, sys, tempfile, threading

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
START = datetime.datetime(2026, 11, 2, 6, 0, tzinfo=datetime.timezone.utc)
NOUNS = "bridge council harbour budget school river market hospital engine archive valley union museum forest".split()
VERBS = "approved delayed measured opened refused repaired reviewed sold visited described financed inspected".split()
PLACES = "Oldtown Westford Marble Norwick Eastham Lowell Hartsea Winfield Dunmore Ashby".split()
KINDS = ["counter", "people", "ticker", "consent", "promotion", "stale", "links", "passing"]
PROMOTIONS = ["Read all of the day in our app, wherever you happen to be",
              "Our podcast tells the story behind the story every morning",
              "Give a year of good reading to somebody you like"]


def sentence(rng):
    return (f"The {rng.choice(NOUNS)} of {rng.choice(PLACES)} was {rng.choice(VERBS)} after the {rng.choice(NOUNS)} "
            f"{rng.choice(VERBS)} {rng.randint(3, 900)} cases of the {rng.choice(NOUNS)} in {rng.choice(PLACES)}.")


class Article:
    """An article: its text, at most one edit, and the time of the edit."""

    def __init__(self, site, number, begin, days):
        rng = random.Random(f"{site}-{number}")
        self.title = f"{rng.choice(NOUNS).capitalize()} {site}.{number} {rng.choice(VERBS)} in {rng.choice(PLACES)}"
        self.old = [" ".join(sentence(rng) for _ in range(2)) for _ in range(6)]
        self.new, self.edit, self.mark = list(self.old), None, None
        self.published = begin - datetime.timedelta(hours=rng.randint(1, 200))
        if rng.random() < 0.4:
            self.edit = begin + datetime.timedelta(hours=rng.uniform(6, days * 24 - 48))
            at = rng.randrange(6)
            kind = rng.choice(["number", "word", "added", "removed"])
            self.mark = f"zz{site}x{number}"
            if kind == "number":
                self.new[at] = self.old[at].replace(" cases", f"{rng.randint(1, 9)} cases", 1)
                self.mark = self.new[at].split(" cases")[0].split()[-1]
            elif kind == "word":
                self.new[at] = self.old[at].replace("was", f"was {self.mark}", 1)
            elif kind == "added":
                self.new.insert(at, f"Nobody was hurt, said the {self.mark} on Monday.")
            else:
                self.mark = " ".join(self.old[at].split()[:4])
                del self.new[at]

    def text(self, now):
        return self.new if self.edit and now >= self.edit else self.old


class World:
    def __init__(self, sites, articles, days, seed):
        self.now, self.hits, self.days, self.partial = START, 0, days, 0
        self.rng = random.Random(seed)
        self.kinds = [random.Random(f"{seed}/{site}").sample(KINDS, 3) for site in range(sites)]
        self.articles = {(site, number): Article(site, number, START, days)
                         for site in range(sites) for number in range(articles)}
        self.per_site = articles
        self.lock = threading.Lock()

    def page(self, site, number):
        with self.lock:
            self.hits += 1
            hits, rng = self.hits, random.Random(self.rng.random())
        article, kinds = self.articles[site, number], self.kinds[site]
        now = self.now
        if "stale" in kinds and rng.random() < 0.03:
            now -= datetime.timedelta(hours=20)
        text = [f"<p>{line}</p>" for line in article.text(now)]
        passed = int((self.now - START).total_seconds() // 60)
        put = lambda at, line: text.insert(at, line)
        if "counter" in kinds: put(len(text), f"<p>Comments ({hits % 97 + passed // 90})</p>")
        if "people" in kinds: put(1, f"<p>So far {1000 + passed * 3 + number} people of the region have read this</p>")
        if "ticker" in kinds: put(0, f"<p>It is {self.now:%H:%M} in {PLACES[site % 10]} and {rng.randint(2, 31)} degrees at the harbour</p>")
        if "consent" in kinds and rng.random() < 0.5: put(2, "<p>We and our partners store and read information on your device, and you may agree or object to it</p>")
        if "promotion" in kinds: put(3, f"<p>{PROMOTIONS[(number + hits) % 3]}</p>")
        if "links" in kinds: put(len(text), f'<p>More about it in <a href="/go?sid={rng.getrandbits(128):x}">the file of the council</a>, which is kept open.</p>')
        if "passing" in kinds:
            hours = int((self.now - article.published).total_seconds() // 3600)
            ago = f"{hours} hours ago" if hours < 48 else f"{hours // 24} days ago"
            put(1, f"<p>The first report of it came {ago} from a reader, and others have followed since.</p>")
        return (f'<!doctype html><html lang="en"><head><title>{article.title}</title><meta property="og:type" content="article">'
                f'</head><body><nav><a href="/">Home</a></nav><main><article><h1>{article.title}</h1>{"".join(text)}'
                f'</article></main><footer><p>© The Courier {site}</p></footer></body></html>')

    def feed(self, site, host):
        items = "".join(
            f"<item><title>{a.title}</title><link>http://{host}/{n}</link><guid>{site}-{n}</guid>"
            f"<pubDate>{a.published:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
            for n in range(self.per_site) for a in [self.articles[site, n]])
        return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Courier {site}</title>{items}</channel></rss>'


def serve(world):
    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 512
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *_): pass
        def do_GET(self):
            host = self.headers["host"]
            octets = host.split(":")[0].split(".")
            site = int(octets[1]) * 256 + int(octets[2])
            name = self.path.strip("/").split("?")[0]
            status, kind = 200, "text/html; charset=utf-8"
            if name == "feed.xml": body, kind = world.feed(site, host), "application/rss+xml"
            elif name.isdigit(): body = world.page(site, int(name))
            else: status, body = 404, "not found"
            body = body.encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
    server = Server(("0.0.0.0", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("revisor")
    for name, value in [("sites", 200), ("articles", 5), ("days", 14), ("seed", 1)]:
        options.add_argument(f"--{name}", type=int, default=value)
    options = options.parse_args()
    world = World(options.sites, options.articles, options.days, options.seed)
    port = serve(world)
    home = pathlib.Path(tempfile.mkdtemp(prefix="revisor-noise-"))
    # The second octet avoids 127.0.0.x; the third identifies the site.
    urls = [f"http://127.{site // 256}.{site % 256}.9:{port}/feed.xml" for site in range(options.sites)]
    config = '[fetch]\nallow_private = ["127.0.0.0/8"]\nhost_delay = "0s"\nevery = "2h"\n[page]\nrobots = false\n'
    config += "".join(f'[[feed]]\nurl = "{url}"\nname = "site-{site}"\n' for site, url in enumerate(urls))
    (home / "config.toml").write_text(config)
    def run(*arguments):
        environment = dict(os.environ, LD_PRELOAD=FAKETIME, FAKETIME=world.now.strftime("@%Y-%m-%d %H:%M:%S"),
                           FAKETIME_DONT_FAKE_MONOTONIC="1", TZ="UTC", NO_COLOR="1")
        command = [options.revisor, "--config", home / "config.toml", "--db", home / "r.db", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        # Exit code 3: some pages or feeds failed and will be checked again, as happens on any busy machine.
        if done.returncode == 3: world.partial += 1
        elif done.returncode not in (0, 1): sys.exit(f"{arguments}: {done.returncode} {done.stderr[-2000:]}")
        return done.stdout
    for step in range(options.days * 12):
        run("check", "--json")
        world.now += datetime.timedelta(hours=2)
        if step % 12 == 11: print(f"day {step // 12 + 1}: {world.hits} pages read", file=sys.stderr, flush=True)
    score(world, home, run, options)
    shutil.rmtree(home)


def score(world, home, run, options):
    edits = {f"/{number}@{site}": article for (site, number), article in world.articles.items() if article.edit}
    found, false, bulk = set(), [], 0
    with sqlite3.connect(home / "r.db") as database:
        quiet = dict(database.execute("SELECT number, quiet FROM changes"))
        waits = sum(1 for why in quiet.values() if why == "waiting")
    for line in run("log", "--all", "--format", "ndjson", "--reverse", "-n", "1000000").splitlines():
        event = json.loads(line)
        if event["type"] == "feed.bulk_edit": bulk += 1
        if event["type"] not in ("entry.revised", "entry.flapping", "entry.removed", "entry.restored"): continue
        data = event["data"]
        site = data["feed"]["name"].removeprefix("site-")
        name = "/" + data["entry"]["url"].rsplit("/", 1)[1] + "@" + site
        why = quiet.get(data.get("number")) if event["type"] == "entry.revised" else None
        # Only removed or added text counts as reported, not its context.
        moved = " ".join(text for block in data.get("diff", {}).get("body", {}).get("blocks", [])
                         for op, text in block["segments"] if op != "=")
        article = edits.get(name)
        # An edit counts as found even if it was reported together with others.
        if article and article.mark in moved and name not in found and why in (None, "bulk_edit", "digest"): found.add(name)
        elif why is None: false.append((site, data.get("text", event["type"])))
    false += [("bulk", "")] * bulk
    weeks, hundreds = options.days / 7, len(world.articles) / 100
    rate = len(false) / weeks / hundreds
    missed = sorted(set(edits) - found)
    by_kind = {kind: sum(1 for site, _ in false if site != "bulk" and kind in world.kinds[int(site)]) for kind in KINDS}
    with sqlite3.connect(home / "r.db") as database:
        number = lambda sql: database.execute(sql).fetchone()[0]
        rules, moves = number("SELECT count(*) FROM rules"), number("SELECT count(*) FROM ignored_moves")
        ledger = number("SELECT coalesce(sum(length(body)), 0) FROM ignored_texts")
        learned = database.execute(
            "SELECT kind || ' ' || pattern, count(*) FROM rules GROUP BY 1 ORDER BY 2 DESC LIMIT 12").fetchall()
    print(f"{len(edits)} edits, {len(missed)} missed; {len(false)} alerts that are no edits ({bulk} of them bulk), "
          f"{rate:.2f} per 100 articles and week; {waits} changes still wait; {world.partial} checks had failures")
    print(f"by kind of site: {by_kind}")
    for pattern, count in learned:
        print(f"  {count} x {pattern[:90]}")
    print(f"{rules} rules, {moves} places in the ledger, {ledger / 1e6:.1f} MB of ignored text")
    for name in missed[:10]:
        article = edits[name]
        print("missed:", name, article.mark, article.edit)
    for site, text in false[:: max(1, len(false) // 12)]:
        print("no edit:", site, world.kinds[int(site)] if site != "bulk" else "", text.replace("\n", " | ")[:300])
    sys.exit(1 if missed or rate > 1 else 0)


main()
