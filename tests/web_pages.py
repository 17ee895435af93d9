#!/usr/bin/env python3
"""Opens web pages in Chromium and reports what is wrong with them. Needs only Python and Chromium.

    web_pages.py BASE [--axe axe.min.js] [--shots FOLDER] [--mails] PATH...

Each page is opened in light mode, in dark mode, 320 pixels wide, and as printed with scripts disabled. Findings are
console errors, violations of the Content-Security-Policy, failed requests, sideways scrolling, and with --axe what
axe-core finds against WCAG 2.0 to 2.2 A and AA. With --mails, the pages are the HTML of mails, opened at the widths of
a phone and of a window; they must load nothing and consist of text only. Prints one line per finding, and exits with 1
if there are any."""

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

MODES = {
    "light": {"width": 1200, "media": "screen", "scheme": "light"},
    "dark": {"width": 1200, "media": "screen", "scheme": "dark"},
    "narrow": {"width": 320, "media": "screen", "scheme": "light"},
    "paper": {"width": 800, "media": "print", "scheme": "light"},
}
MAIL_MODES = {
    "telephone": {"width": 360, "media": "screen", "scheme": "light"},
    "window": {"width": 800, "media": "screen", "scheme": "light"},
}
# Elements of a mail that are more than text, and links to anything but the web.
MORE_THAN_TEXT = """[...document.querySelectorAll('*')].map(e => e.localName + ' ' + e.getAttributeNames().join(' '))
    .concat([...document.links].map(a => 'to ' + a.protocol))
    .filter(e => !/^(html lang|head|meta (charset|name content)|body style|(p|span|a)( dir| style| href)*|to https?:) ?$/.test(e))"""
AXE = """axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
    .then(r => JSON.stringify(r.violations.map(v => v.id + ": " + v.nodes.map(n => n.target.join(" ")).slice(0, 3).join(", "))))"""


class Browser:
    """Chromium, driven over two pipes."""

    def __init__(self, program, profile):
        down_read, self.down = os.pipe()
        self.up, up_write = os.pipe()
        # The browser reads from descriptor 3 and writes to 4.
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{down_read} 4>&{up_write}', "sh", program, "--headless", "--no-sandbox", "--disable-gpu",
             "--hide-scrollbars", "--disable-dev-shm-usage", "--no-first-run", f"--user-data-dir={profile}",
             "--remote-debugging-pipe", "about:blank"],
            pass_fds=(down_read, up_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(down_read)
        os.close(up_write)
        self.number, self.buffer, self.events = 0, b"", []

    def read(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.up, 1 << 20)
            if not piece:
                sys.exit("the browser has ended")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def send(self, method, params=None, session=None):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        os.write(self.down, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait(self, method):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            for place, event in enumerate(self.events):
                if event.get("method") == method:
                    return self.events.pop(place)
            self.events.append(self.read())
        sys.exit(f"the browser never said {method}")


def complaints(events):
    for event in events:
        method, params = event.get("method"), event.get("params", {})
        if method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            yield f"log: {params['entry']['text']} {params['entry'].get('url', '')}"
        elif method == "Runtime.exceptionThrown":
            yield f"exception: {params['exceptionDetails'].get('text')}"
        elif method == "Network.loadingFailed":
            yield f"not loaded: {params.get('errorText')} {params.get('blockedReason', '')}"
        elif method == "Audits.issueAdded" and params["issue"]["code"] == "ContentSecurityPolicyIssue":
            yield f"policy: {json.dumps(params['issue']['details'])[:300]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--axe")
    parser.add_argument("--shots")
    parser.add_argument("--mails", action="store_true")
    wanted = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        sys.exit("there is no chromium")
    axe = open(wanted.axe, encoding="utf-8").read() if wanted.axe else None
    findings = 0
    # Processes of the browser may still be writing to the folder while it is removed.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        target = browser.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = browser.send("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        ask = lambda method, params=None: browser.send(method, params, session)
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            ask(f"{domain}.enable")
        for path in wanted.paths:
            for mode, how in (MAIL_MODES if wanted.mails else MODES).items():
                ask("Emulation.setDeviceMetricsOverride", {"width": how["width"], "height": 900, "deviceScaleFactor": 1, "mobile": False})
                ask("Emulation.setEmulatedMedia", {"media": how["media"], "features": [{"name": "prefers-color-scheme", "value": how["scheme"]}]})
                ask("Emulation.setScriptExecutionDisabled", {"value": mode == "paper"})
                browser.events.clear()
                ask("Page.navigate", {"url": wanted.base + path})
                browser.wait("Page.loadEventFired")
                value = lambda code: ask("Runtime.evaluate", {"expression": code, "returnByValue": True, "awaitPromise": True})["result"].get("value")
                found = []
                widths = value("[document.documentElement.scrollWidth, innerWidth, document.querySelectorAll('h1').length, document.scripts.length]")
                if widths[0] > widths[1]:
                    found.append(f"scrolls sideways: {widths[0]} > {widths[1]}")
                if wanted.mails:
                    found.extend(f"more than text: {what}" for what in value(MORE_THAN_TEXT))
                    requests = [event for event in browser.events if event.get("method") == "Network.requestWillBeSent"]
                    found.extend(f"loads {event['params']['request']['url']}" for event in requests[1:])
                elif widths[2] != 1 or widths[3]:
                    found.append(f"{widths[2]} headings of the first level, {widths[3]} scripts")
                if axe and mode != "paper":
                    value(axe + "; 0")
                    found.extend(f"axe: {violation}" for violation in json.loads(value(AXE)))
                found.extend(complaints(browser.events))
                if wanted.shots:
                    picture = ask("Page.captureScreenshot", {"captureBeyondViewport": mode in ("narrow", "telephone")})["data"]
                    name = path.strip("/").replace("/", "_").replace("?", "_") or "home"
                    with open(os.path.join(wanted.shots, f"{name}-{mode}.png"), "wb") as file:
                        file.write(base64.b64decode(picture))
                for finding in found:
                    print(f"{path} ({mode}): {finding}")
                findings += len(found)
        browser.process.terminate()
        browser.process.wait()
    print(f"{len(wanted.paths)} pages, {findings} findings")
    sys.exit(1 if findings else 0)


main()
