#!/usr/bin/python3
"""Alerts at a real mail server, a real MQTT broker and the real Apprise: what arrives is read back by their own means.

    apt-get install --no-install-recommends python3-aiosmtpd mosquitto mosquitto-clients apprise jq openssl
    servers.py REVISOR [mail|mqtt|apprise]... [--folder DIR]

Everything is on loopback, with a certificate that is made for the run. A server that is not installed is left out, which
is said; with REVISOR_TEST_REQUIRE=all it is a failure. Ends with 1 when a check fails. Takes less than a minute.
"""
import argparse, concurrent.futures, email, email.policy, html, http.server, json, logging, os, re, shutil, socket, ssl
import subprocess, sys, tempfile, threading, time, warnings

from desk import Desk, failures, holds
from world import free_port

try:
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult
except ImportError:
    Controller = None

# A handshake that revisor gives up is what a check wants.
logging.getLogger("mail.log").setLevel(logging.CRITICAL + 1)
os.environ["PATH"] += ":/usr/sbin"
RECIPES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/guide/alerts.md")
PASSWORD, WRONG = "right-PASSPHRASE", "wrong-PASSPHRASE"
HOSTILE = 'Minister: =?utf-8?q?x?= "$(touch pwned)"; `touch pwned` <script>alert(1)</script> --config x, الوزير 大臣 👩‍👩‍👧'
LONG = "The council took the plan with 43 votes. 大臣が報告を認めた👩‍👩‍👧 "


def eventually(what, seconds=10):
    """Asks until there is an answer, and returns the last one."""
    until = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def certificate(folder):
    """A certificate for localhost that vouches for itself."""
    with open(f"{folder}/openssl.cnf", "w", encoding="ascii") as file:
        file.write("[req]\ndistinguished_name=name\nx509_extensions=own\nprompt=no\n[name]\nCN=localhost\n"
                   "[own]\nsubjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\n")
    paths = f"{folder}/cert.pem", f"{folder}/key.pem"
    subprocess.run(["openssl", "req", "-x509", "-config", f"{folder}/openssl.cnf", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-out", paths[0], "-keyout", paths[1]],
                   check=True, capture_output=True)
    return paths


def sides(text, old, new):
    return old in text and new in text


# ---- mail


class Mailbox:
    """A mail server of aiosmtpd; `answers` has what a mail is told first instead of 250, by a word of its subject."""

    def __init__(self, **options):
        self.mails, self.tried, self.answers = [], [], {}
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port(), **options)
        self.controller.start()

    async def handle_DATA(self, _server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        message.envelope, message.secure, message.size = envelope, session.ssl is not None, len(envelope.content)
        message.login = session.authenticated
        self.tried.append(message)
        for word, answers in self.answers.items():
            if word in message["subject"] and answers:
                return answers.pop()
        self.mails.append(message)
        return "250 taken"

    def keys(self, tls, host="127.0.0.1"):
        return (f'kind = "email"\nserver = "{host}"\nport = {self.controller.port}\ntls = "{tls}"\n'
                'from = "revisor <bot@desk.example>"\nto = ["desk@desk.example"]')


def part(mail, kind):
    return mail.get_body([kind]).get_content()


def mail(revisor, folder):
    box = Mailbox()
    desk = Desk(revisor, f"{folder}/mail", box.keys("none"))
    code, said = desk.run("notify", "test", "desk")
    holds("mail: a test arrives", code == 0 and len(box.mails) == 1, said)
    box.mails.clear()
    for number in range(4):
        desk.publish(f"Minister says {number} of it")
    desk.publish(html.escape(HOSTILE))
    desk.publish("Minister is silent", LONG * 2200)
    holds("mail: five edits arrive, once", desk.settle(20) == 0 and len(box.mails) == 5, len(box.mails))
    read_mails(box.mails)
    refusals(desk, box)
    secure(revisor, folder)


def read_mails(mails):
    subjects = [each["subject"] for each in mails]
    in_order = all(f"says {number} of it" in subject for number, subject in enumerate(subjects[:3], 1))
    holds("mail: in order, with the headline as subject", in_order, subjects)
    texts = [part(each, "plain") for each in mails]
    holds("mail: the text part has both sides", all(sides(texts[at], str(at), str(at + 1)) for at in range(3)), texts[:3])
    holds("mail: the HTML part has them, too", all("line-through" in part(each, "html") for each in mails[:3]))
    threads = {each["references"] for each in mails} | {each["in-reply-to"] for each in mails}
    holds("mail: one thread for the article", len(threads) == 1 and None not in threads, threads)
    holds("mail: each has an id of its own", len({each["message-id"] for each in mails}) == len(mails))
    defects = [defect for each in mails for piece in each.walk() for defect in piece.defects]
    holds("mail: Python finds no defects", not defects, defects)
    hostile = mails[3]
    holds("mail: a hostile headline is a subject and nothing else", HOSTILE in hostile["subject"].replace("\u200b", ""), hostile["subject"])
    holds("mail: and text in both parts", HOSTILE.split("<")[0] in texts[3] and "<script" not in part(hostile, "html"), texts[3])
    recipients = [each.envelope.rcpt_tos for each in mails]
    holds("mail: only to the desk", recipients == [["desk@desk.example"]] * len(mails), recipients)
    long = mails[4]
    holds("mail: a change of 200 KB is less than 100 KB", long.size < 100_000 and "took the plan" in texts[4], long.size)
    torn = re.search("[\u200d\U0001f469\U0001f467\ufffd]", (texts[4] + part(long, "html")).replace("👩‍👩‍👧", ""))
    holds("mail: no grapheme of it is torn", torn is None, texts[4][-200:])


def refusals(desk, box):
    box.mails.clear()
    box.tried.clear()
    box.answers = {"says a": ["451 4.7.1 Greylisted"], "says b": ["550 5.7.1 Not wanted"] * 100}
    desk.publish("Minister says a of it")
    holds("mail: 451 is tried again later", desk.row()["pending"] == 1 and "451" in desk.error(), desk.row())
    desk.settle(15)
    ids = {each["message-id"] for each in box.tried}
    holds("mail: and arrives once, under the same id", (len(ids), len(box.tried), len(box.mails)) == (1, 2, 1), ids)
    desk.publish("Minister says b of it")
    desk.publish("Minister says c of it")
    holds("mail: 550 is named", "550" in desk.error() and "Not wanted" in desk.error(), desk.row())
    for _ in range(2):
        desk.run("notify", "retry", "desk")
    row = desk.row()
    holds("mail: it is set aside after a few attempts", row["set_aside"] == 1, row)
    subjects = [each["subject"] for each in box.mails]
    holds("mail: and the next one arrives", len(subjects) == 2 and "says c of it" in subjects[1], subjects)


def secure(revisor, folder):
    paths = certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*paths)

    def login(_server, _session, _envelope, _mechanism, data):
        good = (data.login, data.password) == (b"revisor", PASSWORD.encode())
        return AuthResult(success=good, handled=False, auth_data="revisor")

    logins = dict(authenticator=login, auth_required=True)
    box = Mailbox(tls_context=context, require_starttls=True, **logins)
    keys = box.keys("starttls", "localhost") + '\nuser = "revisor"\npassword_file = "password"'
    stranger = Desk(revisor, f"{folder}/stranger", keys)
    stranger.secret("password", PASSWORD)
    code, said = stranger.run("notify", "test", "desk")
    holds("mail: a certificate that nobody vouches for is refused", code != 0 and "certificate" in said and not box.tried, said)
    desk = Desk(revisor, f"{folder}/secure", keys, SSL_CERT_FILE=paths[0])
    desk.secret("password", WRONG)
    desk.publish("Minister says 0 of it")
    desk.publish("Minister says 1 of it")
    error = desk.error()
    shown = error + str(desk.row())
    holds("mail: a wrong login is named, its password not printed", "login" in error and "535" in error and WRONG not in shown, error)
    desk.secret("password", PASSWORD)
    desk.run("notify", "retry", "desk")
    good = [each.secure and each.login for each in box.mails]
    holds("mail: it arrives by STARTTLS with the right one", good == [True], f"{good} {desk.row()}")

    # Encrypted from the first byte, so that a login needs no STARTTLS; aiosmtpd does not know that and warns.
    warnings.simplefilter("ignore")
    box = Mailbox(ssl_context=context, auth_require_tls=False, **logins)
    desk.configure(box.keys("implicit", "localhost") + '\nuser = "revisor"\npassword_file = "password"')
    code, said = desk.run("notify", "test", "desk")
    holds("mail: and by TLS from the first byte", code == 0 and [each.login for each in box.mails] == [True], said)


# ---- MQTT


class Broker:
    """Mosquitto with a login, plain and with TLS; what it is sent is kept for a reader with a session."""

    def __init__(self, folder):
        os.makedirs(folder)
        self.folder, self.port, self.secure = folder, free_port(), free_port()
        self.process, self.reader, self.seen = None, None, 0
        cert, key = certificate(folder)
        subprocess.run(["mosquitto_passwd", "-b", "-c", f"{folder}/passwords", "revisor", PASSWORD], check=True, capture_output=True)
        with open(f"{folder}/mosquitto.conf", "w", encoding="ascii") as file:
            # As root it would become a user that cannot read the folder.
            file.write(f"user root\nallow_anonymous false\npassword_file {folder}/passwords\npersistence true\n"
                       f"persistence_location {folder}/\nlistener {self.port} 127.0.0.1\nlistener {self.secure} 127.0.0.1\n"
                       f"certfile {cert}\nkeyfile {key}\n")
        self.start()

    def start(self):
        with open(f"{self.folder}/mosquitto.log", "ab") as log:
            self.process = subprocess.Popen(["mosquitto", "-c", f"{self.folder}/mosquitto.conf"], stdout=log, stderr=log)
        if not eventually(self.listens):
            sys.exit(f"mosquitto does not start; see {self.folder}/mosquitto.log")
        if not self.reader:
            # Ends when the subscription is there; messages for it are kept from then on.
            self.subscriber("-E").wait()
            self.reader = self.subscriber("-F", "%q %t %p")

    def listens(self):
        try:
            return socket.create_connection(("127.0.0.1", self.secure), 1).close() is None
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def subscriber(self, *options):
        command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.port), "-u", "revisor", "-P", PASSWORD, "-i", "reader"]
        with open(f"{self.folder}/messages", "ab") as out, open(f"{self.folder}/reader.log", "ab") as log:
            return subprocess.Popen([*command, "-c", "-q", "1", "-t", "revisor/#", *options], stdout=out, stderr=log)

    def read(self, count, seconds=10):
        """The next messages: (quality of service, topic, event)."""
        def lines():
            with open(f"{self.folder}/messages", encoding="utf-8") as file:
                return file.read().splitlines(keepends=True)[self.seen:]

        eventually(lambda: len(lines()) >= count, seconds)
        found = [line.split(" ", 2) for line in lines()]
        self.seen += len(found)
        return [(int(quality), topic, json.loads(body)) for quality, topic, body in found]


def headlines(messages):
    return [re.search(r"says (.*) of it", event["data"]["after"]["title"])[1] for _, _, event in messages]


def mqtt(revisor, folder):
    broker = Broker(f"{folder}/broker")
    try:
        judge_broker(broker, revisor, folder)
    finally:
        broker.reader.terminate()
        broker.stop()


def judge_broker(broker, revisor, folder):
    more = '\nuser = "revisor"\npassword_file = "password"'
    keys = f'kind = "mqtt"\nserver = "mqtt://127.0.0.1:{broker.port}"{more}'
    desk = Desk(revisor, f"{folder}/mqtt", keys, SSL_CERT_FILE=f"{broker.folder}/cert.pem")
    desk.secret("password", PASSWORD)
    code, said = desk.run("notify", "test", "desk")
    found = broker.read(1)
    holds("mqtt: a test arrives", code == 0 and [event["type"] for _, _, event in found] == ["ping.test"], said)
    for number in range(6):
        desk.publish(f"Minister says {number} of it")
    found = broker.read(5)
    holds("mqtt: five edits arrive in order", headlines(found) == list("12345"), found)
    kinds = {(quality, topic) for quality, topic, _ in found}
    holds("mqtt: with quality of service 1, under feed and type", kinds == {(1, "revisor/courier/entry.revised")}, kinds)

    broker.stop()
    for word in "abc":
        desk.publish(f"Minister says {word} of it")
    holds("mqtt: alerts wait while the broker is down", desk.row()["pending"] == 3 and "cannot reach" in desk.error(), desk.row())
    broker.start()
    desk.run("notify", "retry", "desk")
    desk.settle(20)
    found = headlines(broker.read(3))
    holds("mqtt: and arrive in order when it is back", found == list("abc"), found)

    desk.publish("Minister says a long thing of it", LONG * 2200)
    event = broker.read(1)[0][2]
    size = len(json.dumps(event, ensure_ascii=False).encode())
    cut = event["data"]["diff"]["summary"]["truncated"]
    holds("mqtt: a change of 200 KB is JSON of at most 20 KiB that says it was cut", size <= 20 << 10 and cut, size)

    desk.secret("password", WRONG)
    desk.publish("Minister says d of it")
    error = desk.error()
    named = "password" in error or "authori" in error.lower()
    holds("mqtt: a wrong password is named and not printed", named and WRONG not in error + str(desk.row()), error)
    desk.secret("password", PASSWORD)
    desk.configure(f'kind = "mqtt"\nserver = "mqtts://localhost:{broker.secure}"{more}')
    desk.run("notify", "retry", "desk")
    found = headlines(broker.read(1))
    holds("mqtt: it arrives by TLS with the right one", found == ["d"], f"{found} {desk.row()}")
    # Quality of service 1 allows a repetition when a confirmation is lost; none was lost here.
    left = broker.read(1, seconds=1)
    holds("mqtt: nothing arrived twice", left == [], left)


# ---- Apprise


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes what Apprise posts for a `json://` address."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(503 if self.server.down else 200)
        self.end_headers()
        if not self.server.down:
            self.server.taken.append(json.loads(body))

    def log_message(self, *_):
        pass


def apprise(revisor, folder):
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    receiver.taken, receiver.down = [], False
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    with open(RECIPES, encoding="utf-8") as file:
        recipe = next(block for block in re.findall(r"```toml\n(.*?)```", file.read(), re.S) if "apprise --title" in block)
    keys = re.sub('.*name = .*\n', "", recipe.replace("[[target]]\n", "")).replace("/etc/revisor", f"{folder}/apprise")
    desk = Desk(revisor, f"{folder}/apprise", keys)
    desk.secret("apprise.conf", f"json://127.0.0.1:{receiver.server_address[1]}/desk\n")
    code, said = desk.run("notify", "test", "desk")
    holds("apprise: a test arrives by the guide's recipe", code == 0 and len(receiver.taken) == 1, said)
    receiver.taken.clear()
    for number in range(3):
        desk.publish(f"Minister says {number} of it")
    taken = receiver.taken
    good = len(taken) == 2 and all(sides(taken[at]["message"], str(at), str(at + 1)) for at in range(2))
    holds("apprise: edits arrive in order with both sides", good, taken)
    holds("apprise: the headline is the title", all(each["title"] for each in taken), taken)

    receiver.down = True
    desk.publish(html.escape(HOSTILE))
    desk.publish("Minister is silent", LONG * 2200)
    holds("apprise: a failure is noticed by its exit code", desk.row()["pending"] == 2 and "exit status" in desk.error(), desk.row())
    receiver.down = False
    desk.run("notify", "retry", "desk")
    desk.settle(20)
    texts = [each["message"] for each in taken[2:]]
    holds("apprise: what waited arrives in order, once", len(texts) == 2 and "silent" in texts[1], texts)
    holds("apprise: a hostile headline is text", texts and HOSTILE in texts[0], texts[:1])
    holds("apprise: and no command", not os.path.exists("pwned") and not os.path.exists(f"{folder}/apprise/pwned"))
    secret = desk.run("notify", "list")[1] + desk.run("config", "show")[1]
    holds("apprise: its addresses are not printed", "json://" not in secret, secret)


# ---- the run

NEEDS = {
    mail: [("aiosmtpd", lambda: Controller), ("openssl", lambda: shutil.which("openssl"))],
    mqtt: [(each, lambda each=each: shutil.which(each)) for each in ["mosquitto", "mosquitto_passwd", "mosquitto_sub", "openssl"]],
    apprise: [(each, lambda each=each: shutil.which(each)) for each in ["apprise", "jq"]],
}


def attempt(run, revisor, folder):
    missing = [name for name, there in NEEDS[run] if not there()]
    if not missing:
        run(revisor, folder)
    elif os.environ.get("REVISOR_TEST_REQUIRE") == "all":
        holds(f"{run.__name__}: installed", False, f"there is no {', '.join(missing)}")
    else:
        print(f"skipped {run.__name__}: there is no {', '.join(missing)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revisor")
    parser.add_argument("server", nargs="*", help="only these: mail, mqtt, apprise")
    parser.add_argument("--folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="servers-") as temporary, concurrent.futures.ThreadPoolExecutor() as threads:
        chosen = [run for run in NEEDS if not options.server or run.__name__ in options.server]
        for run in [threads.submit(attempt, run, options.revisor, os.path.abspath(options.folder or temporary)) for run in chosen]:
            run.result()
    sys.exit(1 if failures else 0)


main()
