#!/usr/bin/env python3
"""Searches the record of ignored text for each missed edit.

    ledger.py REVISOR SCORE FOLDER [--pages N]

SCORE is `kits/score/score_mutations.py`; FOLDER is an unpacked corpus of real pages, in the layout that SCORE reads. The
script makes the same edits inside articles as SCORE does. Those that `diff --files` does not show are repeated with the
whole program: each page is the only entry of a feed on its own host, and is checked, edited, and checked again. The
edited words must then be in a change or in `log --ignored`. Prints where each edit was found; exits with 1 if any was
found in neither.
"""
import argparse, collections, html, http.server, importlib.util, json, os, pathlib, re, subprocess, sys, tempfile, threading


def missed(options):
    """Yields (page, kind of edit, old bytes, new bytes, edited words, encoding) for each edit that is not shown."""
    spec = importlib.util.spec_from_file_location("score", options.score)
    score = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(score)
    results = []

    class Recorder(score.ThreadPoolExecutor):
        def map(self, run, jobs):
            jobs = list(jobs)
            results.extend(zip((job for _, job in jobs), super().map(run, jobs)))
            return [result for _, result in results]

    score.ThreadPoolExecutor = Recorder
    sys.argv = ["score_mutations.py", options.revisor, options.folder, "--pages", str(options.pages)]
    score.main()
    for job, result in results:
        side, page, kind, _, old, new, show, _, encoding = job
        if side == "in" and result[4] != "told":
            both = [text.encode(encoding, "xmlcharrefreplace") for text in (old, new)]
            yield page, kind, *both, show, encoding


def serve(pages, state):
    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 512

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            host = self.headers["host"]
            octets = host.split(":")[0].split(".")
            page = pages[(int(octets[1]) - 1) * 250 + int(octets[2])]
            if self.path == "/feed.xml":
                title = re.search(rb"(?is)<title[^>]*>(.*?)</title>", page[2])
                title = html.unescape(title[1].decode(page[5], "replace")) if title else "An article"
                body = (f'<rss version="2.0"><channel><title>News</title><item><guid>1</guid>'
                        f"<link>http://{host}/article</link><title>{html.escape(title)}</title>"
                        f"</item></channel></rss>").encode()
                kind = "application/rss+xml; charset=utf-8"
            else:
                body, kind = page[3 if state["edited"] else 2], f"text/html; charset={page[5]}"
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = Server(("0.0.0.0", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def rows(text):
    """The objects in the output of `--format ndjson`."""
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("revisor"), options.add_argument("score"), options.add_argument("folder")
    options.add_argument("--pages", type=int, default=10**9)
    options = options.parse_args()
    pages, state = list(missed(options)), {"edited": False}
    port = serve(pages, state)
    home = pathlib.Path(tempfile.mkdtemp(prefix="revisor-ledger-"))
    config = '[fetch]\nallow_private = ["127.0.0.0/8"]\nhost_delay = "0s"\n[page]\nrobots = false\n'
    config += "".join(
        f'[[feed]]\nurl = "http://127.{1 + at // 250}.{at % 250}.9:{port}/feed.xml"\nname = "p{at}"\n'
        for at in range(len(pages)))
    (home / "config.toml").write_text(config)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "REVISOR_CONFIG": str(home / "config.toml")}

    def run(*arguments):
        arguments = [options.revisor, *arguments, "--db", str(home / "revisor.db")]
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=1800)
        if done.returncode not in (0, 1, 3):
            raise SystemExit(f"{' '.join(arguments)}\n{done.stderr}")
        return done.stdout

    # The first check reads the feeds, the second their pages.
    for _ in range(2):
        run("check", "--force")
    state["edited"] = True
    run("check", "--force")
    found = collections.Counter()
    records = {
        "in a change": run("log", "--format", "ndjson"),
        "in the record of ignored text": run("log", "--ignored", "--format", "ndjson"),
    }
    by_feed = {where: collections.defaultdict(str) for where in records}
    for where, text in records.items():
        for row in rows(text):
            feed = (row.get("data") or row).get("feed")
            by_feed[where][feed["name"] if isinstance(feed, dict) else feed] += json.dumps(row, ensure_ascii=False).lower()
    for at, (page, kind, _, _, show, _) in enumerate(pages):
        holds = lambda text: any(word.lower() in text for word in show)
        where = next((where for where in records if holds(by_feed[where][f"p{at}"])), "nowhere")
        found[where] += 1
        print(f"{page}\t{kind}\t{show[0]}\t{where}")
    print(", ".join(f"{where} {count}" for where, count in found.items()) or "no edit was missed")
    sys.exit(found["nowhere"] > 0)


if __name__ == "__main__":
    main()
