//! Documents that are not pages: plain text, PDFs that are generated for each request, scans, office files, and
//! malicious files.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Home, Page, Server, rss};

/// A PDF with a paragraph for each text; `stamp` is in all the places that change whenever the file is generated.
fn pdf(texts: &[&str], stamp: u32) -> Vec<u8> {
    let content: String = (0..)
        .zip(texts)
        .map(|(at, text)| {
            format!(
                "BT /F1 12 Tf 72 {} Td ({text}) Tj ET % {stamp}\n",
                700 - 40 * at
            )
        })
        .collect();
    with_content(content.as_bytes(), stamp)
}

fn with_content(content: &[u8], stamp: u32) -> Vec<u8> {
    let mut packer =
        flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(1 + stamp % 9));
    packer.write_all(content).unwrap();
    let packed = packer.finish().unwrap();
    let mut out = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n".to_vec();
    out.extend(
        format!(
            "1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n\
             3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>\nendobj\n\
             5 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>\nendobj\n6 0 obj\n<< /CreationDate (D:{stamp:014}) >>\nendobj\n\
             4 0 obj\n<< /Length {} /Filter /FlateDecode >>\nstream\n",
            packed.len()
        )
        .bytes(),
    );
    out.extend(packed);
    out.extend(
        format!("\nendstream\nendobj\ntrailer\n<< /Root 1 0 R /Info 6 0 R /ID [<{stamp:032x}>] >>\n%%EOF\n").bytes(),
    );
    out
}

/// A page that is only a picture.
fn scan(stamp: u32) -> Vec<u8> {
    with_content(
        format!("q 612 0 0 792 0 0 cm /Im{stamp} Do Q").as_bytes(),
        stamp,
    )
}

struct World {
    publisher: Server,
    home: Home,
}

impl World {
    fn new() -> Self {
        let publisher = Server::start();
        let home = Home::new(&format!(
            "[[feed]]\nurl = \"{}\"\nname = \"court\"\n",
            publisher.url("/feed.xml")
        ));
        let url = publisher.url("/notice");
        let items = [(
            "1",
            url.as_str(),
            "Notice of sale",
            "A notice of the court.",
        )];
        publisher.set("/feed.xml", Page::rss(rss(&items)));
        Self { publisher, home }
    }

    /// Serves a document, checks, and returns the new events.
    fn look(&self, content_type: &str, body: impl Into<Vec<u8>>) -> Vec<Value> {
        let before = self.home.events().len();
        self.publisher
            .set("/notice", Page::new(200, content_type, body));
        self.home.check();
        self.home.events().split_off(before)
    }

    #[track_caller]
    fn silent(&self, content_type: &str, body: impl Into<Vec<u8>>) {
        let events = self.look(content_type, body);
        assert!(events.is_empty(), "{events:?}");
    }

    #[track_caller]
    fn told(&self, content_type: &str, body: impl Into<Vec<u8>>) -> Value {
        let mut events = self.look(content_type, body);
        assert_eq!(events.len(), 1, "{events:?}");
        let event = events.remove(0);
        let raw = event.to_string();
        for binary in ["endobj", "stream", "\\u0000", "\u{fffd}", "%PDF"] {
            assert!(!raw.contains(binary), "{raw}");
        }
        event
    }

    fn verified(&self) {
        let verified = self.home.run(&["db", "verify"]);
        assert_eq!(
            verified.code,
            Some(0),
            "{}{}",
            verified.stdout,
            verified.stderr
        );
    }
}

/// Both sides of the blocks that an event shows.
fn edits(event: &Value) -> Vec<(String, String)> {
    let side = |segments: &Value, sign: &str| -> String {
        let segments = segments.as_array().into_iter().flatten();
        let kept = segments.filter(|segment| segment[0] == sign);
        kept.filter_map(|segment| segment[1].as_str()).collect()
    };
    let blocks = event["data"]["diff"]["body"]["blocks"].as_array();
    let changed = blocks
        .into_iter()
        .flatten()
        .filter(|block| block["op"] != "equal");
    changed
        .map(|block| (side(&block["segments"], "-"), side(&block["segments"], "+")))
        .collect()
}

const FACTS: [&str; 2] = [
    "Lot 12 is sold for 3.4 million pounds.",
    "The buyer was not named.",
];

#[test]
fn a_pdf_is_compared_by_its_words() {
    let world = World::new();
    // The declared type does not matter, and neither do the parts that change whenever the file is generated.
    for (stamp, content_type) in (1..).zip([
        "application/pdf",
        "application/octet-stream",
        "text/html",
        "text/plain",
    ]) {
        world.silent(content_type, pdf(&FACTS, stamp));
    }
    let event = world.told(
        "application/pdf",
        pdf(&["Lot 12 is sold for 4.3 million pounds.", FACTS[1]], 9),
    );
    assert_eq!(
        edits(&event),
        [("3.4".to_owned(), "4.3".to_owned())],
        "{event}"
    );
    assert_eq!(event["data"]["change"]["labels"][0], "number", "{event}");
    assert_eq!(
        event["data"]["after"]["document"]["media_type"],
        "application/pdf"
    );
    world.silent(
        "application/pdf",
        pdf(&["Lot 12 is sold for 4.3 million pounds.", FACTS[1]], 10),
    );
    world.verified();
}

#[test]
fn a_document_without_text_is_told_once_as_replaced() {
    let world = World::new();
    world.silent("application/pdf", scan(1));
    world.silent("application/pdf", scan(1));
    let event = world.told("application/pdf", scan(2));
    let change = &event["data"]["change"];
    assert_eq!(change["significance"], "minor", "{event}");
    assert_eq!(change["fields"], serde_json::json!(["body"]), "{event}");
    for side in ["before", "after"] {
        let document = &event["data"][side]["document"];
        assert!(document["bytes"].as_u64().unwrap() > 100, "{event}");
        let hash = document["sha256"].as_str().unwrap();
        assert!(
            hash.len() == 64 && event["data"]["diff"].to_string().contains(&hash[..8]),
            "{event}"
        );
    }
    // A different file at every check: counted, never reported, no revision.
    for stamp in 3..7 {
        world.silent("application/pdf", scan(stamp));
    }
    let status = world.home.ok(&["status"]);
    assert!(status.contains("1 document without text"), "{status}");
    assert!(
        status.contains("/notice (another file at each of the last 4 checks"),
        "{status}"
    );
    // The file stays the same for once, so it is reported.
    world.told("application/pdf", scan(6));
    world.silent("application/pdf", scan(6));
    world.told("application/pdf", scan(7));
    world.verified();
}

#[test]
fn office_files_pictures_and_archives_are_documents() {
    for (magic, media_type) in [
        (
            &b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"[..],
            "application/zip",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0",
            "application/x-ole-storage",
        ),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video/mp4"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
        (b"{\\rtf1\\ansi ", "application/rtf"),
    ] {
        let world = World::new();
        let file = |rest: &[u8]| [magic, rest].concat();
        world.silent("text/html; charset=utf-8", file(b"one"));
        world.silent("text/plain", file(b"one"));
        let event = world.told("text/html", file(&b"two, and more, ".repeat(9)));
        assert_eq!(
            event["data"]["after"]["document"]["media_type"], media_type,
            "{event}"
        );
        let shown = world.home.ok(&["show", "1"])
            + &world.home.ok(&["log"])
            + event["data"]["text"].as_str().unwrap();
        assert!(
            shown.contains(media_type) && !shown.contains("two, and more"),
            "{shown}"
        );
        world.verified();
    }
}

fn page(text: &str) -> String {
    let paragraph = format!(
        "<p>{text} {}</p>",
        "The council met on Monday and voted for the new bridge over the river. ".repeat(6)
    );
    format!(
        "<!DOCTYPE html><html><body><article><h1>The sale</h1><p class=byline>By Ann Example</p>{paragraph}{paragraph}</article></body></html>"
    )
}

#[test]
fn a_page_that_becomes_a_document_is_one_change() {
    let world = World::new();
    world.silent("text/html", page("Lot 12 is sold."));
    let event = world.told("application/pdf", pdf(&FACTS, 1));
    assert!(edits(&event).len() <= 2, "{event}");
    assert_eq!(
        event["data"]["change"]["significance"], "substantive",
        "{event}"
    );
    assert!(
        event["data"]["text"]
            .as_str()
            .unwrap()
            .contains("changed a document"),
        "{event}"
    );
    assert_eq!(
        event["data"]["change"]["fields"],
        serde_json::json!(["body"]),
        "{event}"
    );
    assert!(event["data"]["before"]["document"].is_null(), "{event}");
    world.silent("application/pdf", pdf(&FACTS, 2));
    // Back to a page: a wall might look like this, so a second check has to confirm it.
    world.silent("text/html", page("Lot 13 is sold."));
    world.told("text/html", page("Lot 13 is sold."));
    world.verified();
}

#[test]
fn plain_text_is_read_as_it_stands() {
    let world = World::new();
    let notes = |kind: &str, fixed: &str| {
        format!(
            "Release notes\n\nThe function parse(Vec<{kind}>) now returns a list,\nand <stdin> may be empty.\n\n\
             Product   Fixed\nServer    {fixed}\nClient    4.3\n\nIf a<b and c>d, the old order is kept.\n"
        )
    };
    world.silent("text/plain; charset=utf-8", notes("String", "4.2"));
    let event = world.told("text/plain; charset=utf-8", notes("Bytes", "4.2"));
    assert_eq!(
        edits(&event),
        [("String".to_owned(), "Bytes".to_owned())],
        "{event}"
    );
    let event = world.told("application/octet-stream", notes("Bytes", "4.4"));
    assert_eq!(
        edits(&event),
        [("4.2".to_owned(), "4.4".to_owned())],
        "{event}"
    );
    world.verified();
}

/// What `inspect article` reports about a file; `None` if a busy machine did not give the process enough time.
fn inspected(home: &Home, bytes: &[u8]) -> Option<Value> {
    let mut child = home
        .command(&["inspect", "article", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("was not read within"), "{said}");
        return None;
    }
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn a_hostile_pdf_harms_nothing() {
    let home = Home::new("");
    let bomb = with_content(
        &b"BT /F1 12 Tf (aaaaaaaaaaaaaaaaaaaaaaaaaaaa) Tj ET ".repeat(2_000_000),
        8,
    );
    let states = with_content(&b"q ".repeat(40_000_000), 8);
    let nested = [&b"%PDF-1.5\n1 0 obj\n"[..], &b"[".repeat(3_000_000)].concat();
    let form = b"%PDF-1.5\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R 2 0 R 2 0 R]/Count 3>>\nendobj\n\
        3 0 obj\n<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</XObject<</X 4 0 R>>>>>>\nendobj\n\
        4 0 obj\n<</Type/XObject/Subtype/Form/Resources<</XObject<</X 4 0 R>>>>/Length 15>>\nstream\n/X Do /X Do /X \nendstream\nendobj\ntrailer<</Root 1 0 R>>";
    let large = [pdf(&FACTS, 1), vec![b'%'; 10_000_000]].concat();
    let cases: [(&str, Vec<u8>); 6] = [
        ("a bomb", bomb),
        ("a bomb of states", states),
        ("nested", nested),
        ("itself", form.to_vec()),
        (
            "not a PDF",
            b"%PDF-1.7 and then nothing of the kind".to_vec(),
        ),
        ("large", large),
    ];
    for (name, bytes) in cases {
        assert!(bytes.len() <= 10 << 20, "{name} is {}", bytes.len());
        let Some(article) = inspected(&home, &bytes) else {
            continue;
        };
        assert_eq!(article["kind"], "document", "{name}: {article}");
        let has_text = !article["blocks"].as_array().unwrap().is_empty();
        assert_eq!(has_text, article["reason"].is_null(), "{name}: {article}");
    }
}
