#!/usr/bin/env python3
"""Parses mails as a mail client does, and prints the result as JSON. Needs only Python.

    read_mail.py MAIL...

For each mail: its size; its decoded headers, in order; the plain text and the HTML; and the defects that Python found.
The HTML is also written next to the mail, so that a browser can open it."""

import email
import email.policy
import json
import pathlib
import sys


def read(path):
    data = path.read_bytes()
    mail = email.message_from_bytes(data, policy=email.policy.default)
    parts = list(mail.walk())
    text, html = (mail.get_body(preferencelist=[kind]) for kind in ("plain", "html"))
    path.with_suffix(".html").write_bytes(html.get_payload(decode=True))
    wrong = [repr(defect) for part in parts for defect in part.defects]
    wrong += [f"{name}: {defect!r}" for name, value in mail.items() for defect in value.defects]
    return {
        "size": len(data),
        "longest_line": max(map(len, data.split(b"\r\n"))),
        "headers": [[name, str(value)] for name, value in mail.items()],
        "to": [address.addr_spec for address in mail["to"].addresses],
        "parts": [part.get_content_type() for part in parts],
        "charsets": [part.get_content_charset() for part in parts if not part.is_multipart()],
        "text": text.get_content(),
        "html": html.get_content(),
        "wrong": wrong,
    }


print(json.dumps([read(pathlib.Path(name)) for name in sys.argv[1:]]))
