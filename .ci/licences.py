#!/usr/bin/env python3
"""Checks that every crate in the build has a licence that we accept.

Reads `cargo metadata`; exits with 1 and names the crates whose licence is not on the list.
"""
import json
import re
import subprocess
import sys

ACCEPTED = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
}


def accepted(expression: str) -> bool:
    """Whether the accepted licences satisfy an SPDX expression (`/` is an old spelling of OR)."""
    text = expression.replace("/", " OR ")
    text = re.sub(r"(\S+) WITH (\S+)", r"\1_WITH_\2", text)
    names = {name.replace(" ", "_"): name for name in ACCEPTED}
    tokens = re.findall(r"\(|\)|[^\s()]+", text)
    python = []
    for token in tokens:
        if token in ("(", ")"):
            python.append(token)
        elif token in ("AND", "OR"):
            python.append(token.lower())
        else:
            python.append(str(token in names))
    return bool(eval(" ".join(python), {"__builtins__": {}}))  # Only True, False, and, or, brackets.


def main() -> int:
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    data = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    wrong = []
    for package in data["packages"]:
        licence = package.get("license")
        if licence is None and package.get("license_file"):
            wrong.append((package["name"], package["version"], "a file: " + package["license_file"]))
        elif licence is None or not accepted(licence):
            wrong.append((package["name"], package["version"], licence))
    for name, version, licence in wrong:
        print(f"licence not accepted: {name} {version}: {licence}")
    print(f"licences: {len(data['packages'])} packages, {len(wrong)} not accepted")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
