#!/usr/bin/env python3
"""Checks files written by `revisor export evidence`. Needs Python 3.9 or later, and nothing else.

    python3 verify_evidence.py FILE...

Prints one line for each file; exits with 1 if anything is wrong with any of them.
"""

import base64
import hashlib
import json
import re
import sys

LAST = re.compile(rb"<!-- sha256 of all lines above: ([0-9a-f]{64}) -->\n")
DATA = re.compile(rb'^<script type="application/json" id="evidence">(.*)</script>$', re.MULTILINE)


class Wrong(Exception):
    """Says what is wrong with the file."""


def sha256(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def need(true, what):
    if not true:
        raise Wrong(what)


def verify(file, seal=True):
    """Returns a line that says what the file shows, or raises `Wrong`. `seal=False` skips the checksum of the file."""
    end = file[:-1].rfind(b"\n") + 1
    last = LAST.fullmatch(file[end:])
    if seal:
        need(last, "the last line is not the sum over the file")
        need(sha256(file[:end]).hex().encode() == last[1], "the file is not the one that the sum was made of")
    found = DATA.findall(file)
    need(len(found) == 1, "it has no data, or more than once")
    data = json.loads(found[0])
    need(data["format"] == "revisor-evidence-1", "the data have another format")
    captures = check_captures(data["captures"])
    states = check_chain(data["chain"], captures)
    check_change(data["event"]["data"], data["chain"], states)
    bodies = sum(capture["body"] is not None for capture in data["captures"])
    return (
        f"change #{data['event']['data']['number']}: {len(data['chain'])} revisions in the chain, {len(states)} texts, "
        f"{bodies} of {len(captures)} answers with their bodies; last hash {data['chain'][-1]['hash']}"
    )


def check_captures(captures):
    """Checks the responses of publishers; returns the hash of each, by its number."""
    hashes = {}
    for capture in captures:
        name = f"answer {capture['id']}"
        if capture["body"] is not None:
            body = base64.b64decode(capture["body"], validate=True)
            need(base64.b64encode(body).decode() == capture["body"], f"{name}: its body is not in the one form")
            need(sha256(body).hex() == capture["body_sha256"], f"{name}: its body does not have its sum")
        fields = [capture["channel"], capture["url"], capture["fetched_ms"], capture["status"], capture["body_sha256"]]
        for headers in (capture["headers"], capture["request"]):
            fields.append("-" if headers is None else len(headers))
            for header in headers or []:
                fields.extend(header)
        fields = [str(field).encode() for field in fields]
        need(capture["id"] not in hashes, f"{name} is there twice")
        hashes[capture["id"]] = sha256(*(len(field).to_bytes(8, "big") + field for field in fields))
    return hashes


def check_chain(chain, captures):
    """Checks the chain of hashes; returns the states that are in the file, by revision number."""
    states, previous, unbound = {}, bytes(32), set(captures)
    for number, link in enumerate(chain, 1):
        name = f"revision {number}"
        need(link["revision"] == number, f"{name} is missing")
        need(link["previous"] == previous.hex(), f"{name} does not follow the one before it")
        parts = [previous, bytes.fromhex(link["state_sha256"])]
        parts += [number.to_bytes(8, "big"), link["seen_ms"].to_bytes(8, "big", signed=True)]
        if link["captures_hash"] is not None:
            parts.append(bytes.fromhex(link["captures_hash"]))
            if all(capture in captures for capture in link["captures"]):
                of_captures = sha256(*(captures[capture] for capture in link["captures"]))
                need(of_captures.hex() == link["captures_hash"], f"{name}: the answers are not those behind it")
        unbound.difference_update(link["captures"])
        previous = sha256(*parts)
        need(previous.hex() == link["hash"], f"{name} does not have its hash")
        if "state" in link:
            need(sha256(link["state"].encode()).hex() == link["state_sha256"], f"{name}: its text does not have its sum")
            states[number] = json.loads(link["state"])
    need(not unbound, "an answer belongs to no revision")
    return states


def check_change(change, chain, states):
    """Checks that the change leads from one text in the file to the other."""
    before, after = change["before"]["revision"], change["after"]["revision"]
    need(before < after == len(chain), "the change is another one than the end of the chain")
    for side in ("before", "after"):
        state = states.get(change[side]["revision"])
        if state is not None:
            text = "\n\n".join(block["text"] for block in body(state))
            need(sha256(text.encode()).hex() == change[side]["body_sha256"], f"the text {side} is not that of the change")
            need(change[side].get("title") in titles(state), f"the title {side} is not that of the change")
    diff, named = change.get("diff", {}), change["change"]["fields"]
    for field in ("title", "summary", "body", "byline", "address", "guid"):
        need((field in diff) == (field in named), f"the change names or shows the {field}, and not both")
    if before not in states or after not in states:
        return
    old, new = states[before], states[after]
    lines = {
        "title": [("feed", "title"), ("page", "h1"), ("page", "og_title"), ("page", "ld_headline")],
        "byline": [("page", "byline"), ("feed", "byline")],
    }
    for field, places in lines.items():
        if field in diff:
            sides = rebuilt(diff[field])
            fits = any(sides == (line(old, place), line(new, place)) for place in places)
            need(fits, f"the {field} of the change does not lead from the one text to the other")
    for field, places in {"summary": [("feed", "summary")], "body": [("page", "body"), ("feed", "body")]}.items():
        if field in diff:
            blocks, left_out = diff[field]["blocks"], diff[field].get("left_out", {})
            fits = any(
                same(texts(old, place), paragraphs(blocks, 0), left_out.get("before", []), [])
                and same(texts(new, place), paragraphs(blocks, 1), left_out.get("after", []), left_out.get("as_before", []))
                for place in places
            )
            need(fits, f"the {field} of the change does not lead from the one text to the other")


    for headline in diff.get("headlines", []):
        fits = rebuilt(headline["segments"]) in headlines(old, new, headline["source"])
        need(fits, f"the headline of {headline['source']} does not lead from the one text to the other")
    alone = [headline["source"] for headline in diff.get("headlines", [])]
    for source in change["change"].get("headlines", []):
        as_title = "title" in diff and rebuilt(diff["title"]) in headlines(old, new, source)
        need(source in alone or as_title, f"the change does not show how the headline of {source} moved")
    if "address" in diff:
        address = tuple(diff["address"])
        # A page that has moved permanently may have had no canonical address before; the requested one then counts.
        was = line(old, ("page", "canonical")) or address[0]
        fits = address in (step(old, new, ("feed", "address")), (was, line(new, ("page", "canonical"))))
        need(fits, "the address of the change does not lead from the one text to the other")
    if "guid" in diff:
        fits = tuple(diff["guid"]) == step(old, new, ("feed", "guid"))
        need(fits, "the guid of the change does not lead from the one text to the other")


def titles(state):
    """The possible titles of a text: that of the feed, or else those of the page."""
    feed, page = state.get("feed") or {}, state.get("page") or {}
    if "title" in feed:
        return [feed["title"]]
    return [page.get("h1"), page.get("ld_headline"), page.get("og_title"), None]


def step(old, new, place):
    return line(old, place), line(new, place)


def headlines(old, new, source):
    """The changes of one headline that may be reported. The headline that a page shows first counts as its `h1`."""
    places = {"feed": [("feed", "title")], "og:title": [("page", "og_title")], "json-ld": [("page", "ld_headline")]}
    found = [step(old, new, place) for place in places.get(source, [("page", "h1")])]
    if source == "h1":
        shown = [[line(state, ("page", key)) for key in ("h1", "ld_headline", "og_title")] for state in (old, new)]
        found += [("", line) for line in shown[1]] + [(line, "") for line in shown[0]]
    return found


def body(state):
    feed, page = state.get("feed") or {}, state.get("page") or {}
    return page.get("body") or feed.get("body") or feed.get("summary") or []


def line(state, place):
    return (state.get(place[0]) or {}).get(place[1]) or ""


def texts(state, place):
    return [block["text"] for block in (state.get(place[0]) or {}).get(place[1]) or []]


def rebuilt(segments):
    old = "".join(text for sign, text in segments if sign != "+")
    new = "".join(text for sign, text in segments if sign != "-")
    return old, new


def paragraphs(blocks, side):
    """The paragraphs of one side, in order."""
    numbered = {}
    for block in blocks:
        number = block.get(("from", "to")[side])
        if number is not None:
            need(number not in numbered, "a paragraph of the change is there twice")
            numbered[number] = rebuilt(block["segments"])[side]
    need(sorted(numbered) == list(range(1, len(numbered) + 1)), "a paragraph of the change is missing")
    return [numbered[number] for number in sorted(numbered)]


def same(texts, rebuilt, left_out, as_before):
    """Whether a text equals the rebuilt one, except for paragraphs that were not compared."""
    kept = [(number, text) for number, text in enumerate(texts, 1) if number not in left_out]
    return len(kept) == len(rebuilt) and all(
        text == other or number in as_before for (number, text), other in zip(kept, rebuilt)
    )


def main(names):
    if not names:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    code = 0
    for name in names:
        try:
            with open(name, "rb") as file:
                print(f"{name}: whole: {verify(file.read())}")
        except (Wrong, OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            print(f"{name}: WRONG: {error}")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
