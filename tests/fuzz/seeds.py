#!/usr/bin/env python3
"""Writes seeds for the fuzz targets: seeds.py ROOT OUT. If REVISOR_CORPORA is set, the files in that folder are used as
well; they are other people's text, so they go to OUT (under target/) and never into the repository."""
import gzip
import json
import os
import pathlib
import random
import re
import sqlite3
import sys
import tarfile

MOST_BYTES = 64 * 1024
FEEDS = [
    '<rss version="2.0"><channel><title>Desk</title><link>/</link><ttl>60</ttl><skipHours><hour>3</hour></skipHours>'
    '<item><guid isPermaLink="false">1</guid><title>Bridge &amp; tunnel</title><link>/a/1</link>'
    "<pubDate>Mon, 23 Nov 2026 09:30:00 GMT</pubDate><description><![CDATA[<p>Open &eacute; <b>now</b>]]></description>"
    "</item></channel></rss>",
    '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://a.example/"><title type="html">&lt;b&gt;A</title>'
    '<entry><id>urn:1</id><link href="x"/><updated>2026-11-23T09:30:00+01:00</updated><content type="xhtml">'
    '<div xmlns="http://www.w3.org/1999/xhtml"><p>One</p></div></content></entry></feed>',
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
    '<channel rdf:about="x"><title>R</title></channel><item rdf:about="y"><title>T</title></item></rdf:RDF>',
    '{"version":"https://jsonfeed.org/version/1.1","title":"J","items":[{"id":1,"url":"/a","content_html":"<p>x",},]}',
]
LISTS = [
    '<opml version="2.0"><body><outline text="News"><outline type="rss" text="A" xmlUrl="https://a.example/f" '
    'category="/x/y,z"/></outline></body></opml>',
    'https://a.example/rss "news" "~Example"\n# no\nexec:~/bin/x\nhttp://b.example/\n',
]
PAGES = [
    '<!doctype html><html lang="en"><head><meta property="og:title" content="T"><script type="application/ld+json">'
    '{"@type":"NewsArticle","headline":"T","datePublished":"2026-11-23T09:30:00Z"}</script>'
    '<link rel="alternate" type="application/rss+xml" href="/f"></head><body><article><h1>T</h1><p>The bridge is open '
    "again, the town said on Monday.</p><table><tr><td>1<blockquote>x</table></article></body></html>",
]


def put(folder, number, data):
    if 0 < len(data) <= MOST_BYTES:
        (folder / f"{number:05}").write_bytes(data)


def database(articles, versions, out):
    """Writes a database of diffengine, with small pages, so that a few wrong bytes can hit any part of it."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "diffengine.db"
    path.unlink(missing_ok=True)
    conn = sqlite3.connect(path)
    conn.executescript(
        "PRAGMA page_size = 512; CREATE TABLE feed (url TEXT PRIMARY KEY, name TEXT, created TEXT);"
        "CREATE TABLE entry (id INTEGER PRIMARY KEY, url TEXT, created TEXT, checked TEXT);"
        "CREATE TABLE feedentry (id INTEGER PRIMARY KEY, feed_id TEXT, entry_id INTEGER, created TEXT);"
        "CREATE TABLE entryversion (id INTEGER PRIMARY KEY, title TEXT, url TEXT, summary TEXT, created TEXT,"
        " archive_url TEXT, entry_id INTEGER); CREATE INDEX entryversion_entry ON entryversion (entry_id);"
        "INSERT INTO feed VALUES ('https://a.example/f', 'A', '2017-01-01 00:00:00');")
    for article in range(articles):
        conn.execute("INSERT INTO entry VALUES (?, ?, '', '')", (article, f"https://a.example/{article}"))
        conn.execute("INSERT INTO feedentry VALUES (NULL, 'https://a.example/f', ?, '')", (article,))
        conn.executemany("INSERT INTO entryversion VALUES (NULL, 'The bridge', '', ?, ?, '', ?)", [
            (f"<p>{'It is open. ' * 20 * version}</p>", f"2017-01-0{version + 1} 00:00:00", article)
            for version in range(versions)])
    conn.commit()
    conn.close()
    body = path.read_bytes()
    path.unlink()
    return body


def members(path):
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and member.size <= MOST_BYTES:
                data = archive.extractfile(member).read()
                yield member.name, gzip.decompress(data) if member.name.endswith(".gz") else data


def main():
    root, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    rng = random.Random(1)
    seeds = {name: [] for name in ["feed", "article", "diff", "opml", "config", "query", "diffengine"]}
    seeds["feed"] = [b"\0" + text.encode() for text in FEEDS]
    seeds["opml"] = [text.encode() for text in LISTS]
    seeds["article"] = [text.encode() for text in PAGES]
    default = (root / "config/default.toml").read_text()
    sample = re.compile(r"# (\[\[|[a-z_.]+ = )")
    uncommented = "\n".join(line[2:] if sample.match(line) else line for line in default.splitlines())
    seeds["diffengine"] = [database(articles, versions, out) for articles, versions in [(0, 0), (1, 1), (3, 2), (20, 3)]]
    seeds["config"] = [uncommented.encode()] + [
        path.read_bytes() for path in (root / "config").glob("*.toml")]
    seeds["config"] += [b'[[feed]]\nurl = "https://a.example/"\npage.fetch = "off"\ncron = "*/15 6-23 * * 1-5"\n',
                        b'feed = [{url = "https://a.example/", detect = {ignore = ["^x"]}}]\ntimezone = "Asia/Tokyo"\n']
    for path in sorted((root / "tests/fixtures").rglob("*.txt")) + sorted((root / "tests/fixtures").rglob("*.tsv")):
        text = path.read_text(errors="replace")
        lines = text.splitlines()
        half = len(lines) // 2
        seeds["query"] += [f'"{line[:20]}" -{line[20:26]} {line[:4]}*\n{line}'.encode() for line in lines[:20]]
        seeds["diff"].append(("\n".join(lines[:half]) + "\0" + "\n".join(lines[half:])).encode())
        seeds["diff"] += [line.replace("\t", "\0", 1).encode() for line in lines if "\t" in line][:200]
    corpora = os.environ.get("REVISOR_CORPORA")
    if corpora:
        data = pathlib.Path(corpora).resolve() / "data"
        feeds = list(members(data / "feeds/files.tar.xz"))
        seeds["feed"] += [b"\0" + body for _, body in rng.sample(feeds, min(800, len(feeds)))]
        hostile = list(members(data / "hostile-files/files.tar.xz"))
        seeds["feed"] += [b"\0" + body for _, body in hostile[:300]]
        seeds["article"] += [body for _, body in hostile[:300]]
        pages = [body for _, body in members(data / "articles/html.tar")]
        seeds["article"] += pages[:60]
        seeds["opml"] += [path.read_bytes() for path in (data / "opml").iterdir() if path.suffix != ".txt"]
        pairs = json.loads((data / "sentence-edits/edits.train.json").read_text())
        for pair in list(pairs.values())[:300]:
            seeds["diff"].append(f'{pair["sentence-1"]}\0{pair["sentence-2"]}'.encode())
    for name, bodies in seeds.items():
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        for number, body in enumerate(bodies):
            put(folder, number, body)
        print(f"seeds: {name} {len(list(folder.iterdir()))}")


main()
