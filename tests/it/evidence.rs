//! Evidence files of changes seen by the real program, verified by the script that needs none of our code.

use std::path::PathBuf;
use std::process::Command;

use crate::care::lived;
use crate::support::{Home, skip};

fn script(args: &[&str], code: &str) -> Option<(Option<i32>, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut command = Command::new("python3");
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    if code.is_empty() {
        command.arg(folder.join("verify_evidence.py"));
    } else {
        command.env("PYTHONPATH", folder).args(["-c", code]);
    }
    let Ok(output) = command.args(args).output() else {
        skip("there is no python3");
        return None;
    };
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Some((output.status.code(), text.into_owned()))
}

fn export(home: &Home, change: &str) -> String {
    let file = home.path().join(format!("change-{change}.html"));
    let name = file.to_str().unwrap().to_owned();
    home.ok(&["export", "evidence", change, "-o", &name]);
    name
}

/// Checks that the evidence of the newest changes of a database is valid on its own.
pub(crate) fn holds(home: &Home) {
    let numbers = home
        .events()
        .iter()
        .filter_map(|event| event["data"]["number"].as_u64())
        .take(3)
        .map(|number| export(home, &number.to_string()))
        .collect::<Vec<String>>();
    let names: Vec<&str> = numbers.iter().map(String::as_str).collect();
    if names.is_empty() {
        return;
    }
    if let Some((code, said)) = script(&names, "") {
        assert_eq!(code, Some(0), "{said}");
    }
    for name in names {
        std::fs::remove_file(name).unwrap();
    }
}

/// Changes one byte in many places, which must be detected. Then changes parts of the data, recomputes the
/// checksum of the file, and expects the chain to detect it.
const FLIPS: &str = r#"
import json, random, re, sys
from verify_evidence import DATA, Wrong, sha256, verify

name, seed = sys.argv[1], int(sys.argv[2])
file = open(name, "rb").read()
choose = random.Random(seed)

def found(bytes, seal=True):
    try:
        verify(bytes, seal)
    except (Wrong, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return True
    return False

assert not found(file), "the file as it was written"
ends = [*range(200), *range(len(file) - 200, len(file))]
for place in ends + [choose.randrange(len(file)) for _ in range(1500)]:
    flipped = bytearray(file)
    flipped[place] ^= 1 << choose.randrange(8)
    assert found(bytes(flipped)), f"byte {place}"
for cut in [choose.randrange(len(file)) for _ in range(50)]:
    assert found(file[:cut]), f"cut at {cut}"
    assert found(file[:cut] + b"x" + file[cut:]), f"a byte more at {cut}"

data = json.loads(DATA.findall(file)[0])
forged = 0
def forge(change):
    global forged
    copy = json.loads(json.dumps(data))
    change(copy)
    line = json.dumps(copy, ensure_ascii=False).replace("<", "\\u003c")
    line = b'<script type="application/json" id="evidence">' + line.encode() + b"</script>"
    start, end = re.search(rb'^<script type="application/json" id="evidence">.*</script>$', file, re.MULTILINE).span()
    above = file[:start] + line + file[end:]
    above = above[:above.rfind(b"<!-- sha256")]
    sealed = above + b"<!-- sha256 of all lines above: " + sha256(above).hex().encode() + b" -->\n"
    forged += 1
    return found(sealed)

assert not forge(lambda d: None), "written anew"
for n, link in enumerate(data["chain"]):
    for key in ("state_sha256", "captures_hash", "previous", "hash"):
        def alter(d): d["chain"][n][key] = sha256(b"x").hex()
        assert forge(alter), (n, key)
    def later(d): d["chain"][n]["seen_ms"] += 1
    assert forge(later), (n, "seen")
    if "state" in link:
        def other(d): d["chain"][n]["state"] = d["chain"][n]["state"].replace("council", "counsel")
        assert forge(other), (n, "state")
    if n + 1 < len(data["chain"]):
        def fewer(d): del d["chain"][n]
        assert forge(fewer), (n, "missing")
for n, capture in enumerate(data["captures"]):
    for key, value in [("url", "https://b.example/"), ("status", 203), ("fetched_ms", 5), ("channel", "x"),
                       ("body_sha256", "00"), ("body", "AAAA"), ("request", None), ("headers", [])]:
        def alter(d): d["captures"][n][key] = value
        assert forge(alter), (n, key)
    def twice(d): d["captures"].append(d["captures"][n])
    assert forge(twice), (n, "twice")
def diff(d): d["event"]["data"]["diff"]["title"][0][1] += "x"
if "title" in data["event"]["data"]["diff"]:
    assert forge(diff), "diff"
for side in ("before", "after"):
    def title(d): d["event"]["data"][side]["title"] = "x"
    assert forge(title), (side, "title")
def none(d): del d["event"]["data"]["diff"]
assert forge(none), "no diff"
parts = {
    "headlines": [{"source": "og:title", "segments": [["-", "x"], ["+", "y"]]}],
    "address": ["https://b.example/1", "https://b.example/2"],
    "guid": ["x", "y"],
}
for part, value in parts.items():
    def put(d):
        d["event"]["data"]["diff"][part] = value
        if part != "headlines":
            d["event"]["data"]["change"]["fields"].append(part)
    assert forge(put), part
    def drop(d): del d["event"]["data"]["diff"][part]
    if part in data["event"]["data"]["diff"]:
        assert forge(drop), part
print(len(file), "bytes,", forged, "forgeries")
"#;

#[test]
fn an_evidence_file_is_whole_by_itself_and_one_byte_that_is_flipped_is_found() {
    let (_publisher, home) = lived("");
    let changes = home.events().len();
    assert!(changes >= 3, "{changes}");
    let mut files = Vec::new();
    for change in 1..=changes {
        files.push(export(&home, &change.to_string()));
    }
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    let Some((code, said)) = script(&names, "") else {
        return;
    };
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches(": whole: change #").count(), changes, "{said}");
    assert!(said.contains("2 texts"), "{said}");
    // The seed is fixed, so a failure identifies the byte.
    let last = names[changes - 1];
    let (code, said) = script(&[last, "1"], FLIPS).unwrap();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("forgeries"), "{said}");

    let page = std::fs::read_to_string(last).unwrap();
    assert!(page.contains("<h2>How to check this file</h2>"));
    assert!(
        page.contains("&gt; user-agent</th><td>revisor/"),
        "the request"
    );
    assert!(
        page.contains("&lt; content-type</th><td>text/html"),
        "the answer"
    );
    let again = home.run(&["export", "evidence", "1", "-o", last]);
    assert_eq!(again.code, Some(2), "no file is replaced");
    assert_eq!(home.run(&["export", "evidence", "999"]).code, Some(2));
}

#[test]
fn without_the_bodies_the_chain_is_still_whole() {
    let (_publisher, home) = lived("captures = \"1\"");
    home.ok(&["db", "prune"]);
    let ran = home.run(&["export", "evidence", "1"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.stderr.contains("keep.captures"), "{}", ran.stderr);
    let file = home.path().join("one.html");
    std::fs::write(&file, ran.stdout).unwrap();
    let Some((code, said)) = script(&[file.to_str().unwrap()], "") else {
        return;
    };
    assert_eq!(code, Some(0), "{said}");
}
