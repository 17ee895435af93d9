//! A change as one file that somebody else can read and check.
//!
//! An HTML page without scripts or anything from elsewhere, for every browser. Below what is for reading stands the same
//! as data, in one line of JSON, and in the last line the sum over the whole file. `tests/verify_evidence.py` checks it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::changed;
use super::clean;
use super::names;
use crate::domain::chain::{Link, StoredCapture};
use crate::domain::diff::{BlockDiff, BlockOp, Segment};
use crate::domain::event::Event;
use crate::domain::ids::{CaptureId, RevisionNumber};
use crate::domain::state::{Channel, HeadlineSource};
use crate::time::Timestamp;

/// What the data say they are.
pub const FORMAT: &str = "revisor-evidence-1";

/// All that stands behind a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The change, as the targets and `log` have it.
    pub event: Event,
    /// The chain of its entry, from the first revision to the one after the change.
    pub links: Vec<Link>,
    /// The answers behind both revisions.
    pub captures: Vec<StoredCapture>,
    /// When the file is made.
    pub made: Timestamp,
    /// By which program.
    pub program: String,
}

#[derive(Serialize)]
struct Data<'a> {
    format: &'static str,
    made: Timestamp,
    program: &'a str,
    event: &'a Event,
    chain: Vec<LinkData<'a>>,
    captures: Vec<CaptureData<'a>>,
}

#[derive(Serialize)]
struct LinkData<'a> {
    revision: RevisionNumber,
    seen: Timestamp,
    /// Milliseconds since 1970, as they are hashed.
    seen_ms: i64,
    state_sha256: String,
    captures_hash: Option<String>,
    previous: String,
    hash: String,
    captures: &'a [CaptureId],
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
}

#[derive(Serialize)]
struct CaptureData<'a> {
    id: CaptureId,
    channel: Channel,
    url: &'a str,
    fetched: Timestamp,
    fetched_ms: i64,
    status: u16,
    request: Option<&'a [(String, String)]>,
    headers: &'a [(String, String)],
    body_sha256: String,
    /// Base64; null when retention has taken the body.
    body: Option<String>,
}

/// The file.
#[must_use]
pub fn document(evidence: &Evidence) -> String {
    let mut out = String::with_capacity(64 * 1024);
    head(&mut out, evidence);
    differences(&mut out, evidence);
    answers(&mut out, evidence);
    chain(&mut out, evidence);
    out.push_str(HOW);
    out.push_str("<script type=\"application/json\" id=\"evidence\">");
    // Nothing in it can end the element.
    out.push_str(&clean::json(&data(evidence)).replace('<', "\\u003c"));
    out.push_str("</script>\n</body>\n</html>\n");
    let sum = hex(Sha256::digest(&out));
    push(
        &mut out,
        format_args!("<!-- sha256 of all lines above: {sum} -->\n"),
    );
    out
}

const STYLE: &str = "body{font:16px/1.5 serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}\
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}table{border-collapse:collapse;width:100%}\
td,th{text-align:left;vertical-align:top;padding:.15rem .6rem .15rem 0;border-bottom:1px solid #ddd;overflow-wrap:anywhere}\
th{font-weight:normal;color:#555;width:11rem}code,pre{font:13px/1.4 monospace;overflow-wrap:anywhere;white-space:pre-wrap}\
del{background:#fdd;color:#900}ins{background:#dfd;color:#060;text-decoration:underline}\
.gone{border-left:4px solid #c66;padding-left:.6rem}.new{border-left:4px solid #6a6;padding-left:.6rem}\
.moved{border-left:4px solid #88c;padding-left:.6rem}small{color:#555}";

const HOW: &str = "<h2>How to check this file</h2>
<p>It needs no program of ours. <code>FILE</code> stands for its name; <code>jq</code> is in every distribution.</p>
<ol>
<li>Nothing in the file was altered: both commands give the same sum.
<pre>head -n -1 FILE | sha256sum
tail -n 1 FILE</pre></li>
<li>The data, in a form for reading:
<pre>sed -n 's/^&lt;script type=\"application\\/json\" id=\"evidence\"&gt;\\(.*\\)&lt;\\/script&gt;$/\\1/p' FILE | jq . &gt; evidence.json</pre></li>
<li>An answer of a server is what its sum says, here the first one: both commands give the same sum. The page itself is
what the first part writes.
<pre>jq -r '.captures[0].body' evidence.json | base64 -d | sha256sum
jq -r '.captures[0].body_sha256' evidence.json</pre></li>
<li>A text belongs to its revision: the SHA-256 of the string <code>state</code> is <code>state_sha256</code>.
<pre>jq -j '.chain[-1].state' evidence.json | sha256sum
jq -r '.chain[-1].state_sha256' evidence.json</pre></li>
<li>The revisions hang together: the <code>hash</code> of each is the SHA-256 of these bytes, one after the other:
<code>previous</code> (32 bytes; the <code>hash</code> of the revision before, zeros for the first),
<code>state_sha256</code> (32), <code>revision</code> (8, big endian), <code>seen_ms</code> (8, big endian),
<code>captures_hash</code> (32; left out where it is null).</li>
<li>The answers belong to their revision: <code>captures_hash</code> is the SHA-256 of the hashes of its answers, one after
the other. That of an answer is the SHA-256 of these texts in UTF-8, each after its length in bytes (8 bytes, big endian):
<code>channel</code>, <code>url</code>, <code>fetched_ms</code>, <code>status</code>, <code>body_sha256</code>, the number of
<code>headers</code>, then each name and value, the number of headers in <code>request</code> (<code>-</code> where it is
null), then each name and value.</li>
</ol>
<p><code>verify_evidence.py</code>, which comes with the source of revisor, does all of this with nothing but Python.</p>
<p>The sums show that the file is whole and that its parts belong together. Whoever makes such a file could make all of it
up; what ties it to the past is a sum that others have known since: the <code>hash</code> of the last revision in a backup or
a copy of the database, or <code>body_sha256</code> of both texts in the alert that was sent when the change was noticed.
Bodies are as they were after the transfer encoding and compression of HTTP were taken off; of the headers, cookies and
the values of credentials are not kept.</p>
";

fn head(out: &mut String, evidence: &Evidence) {
    let data = &evidence.event.data;
    let number = data.number.map_or_else(String::new, |n| format!(" #{n}"));
    let title = format!("Change{number}");
    push(
        out,
        format_args!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<table>\n"
        ),
    );
    if let Some(feed) = &data.feed {
        row(out, "Feed", feed.title.as_deref().unwrap_or(&feed.name));
        row(out, "Address of the feed", &feed.url);
    }
    if let Some(entry) = &data.entry {
        row(
            out,
            "Address of the article",
            entry.url.as_deref().unwrap_or("-"),
        );
        if let Some(published) = entry.published {
            row(out, "Dated", &published.to_string());
        }
        row(out, "First seen", &entry.first_seen.to_string());
    }
    if let Some(change) = &data.change {
        let window = change.window;
        row(
            out,
            "Last seen unchanged",
            &window.last_unchanged.to_string(),
        );
        row(out, "First seen changed", &window.first_changed.to_string());
        row(
            out,
            "Looks in between",
            &format!("{}, {} failed", window.checks, window.failed_checks),
        );
        let fields = change.fields.iter().map(|field| names::field(*field));
        row(out, "What moved", &names::and(fields));
        let labels = change.labels.iter().map(|label| names::label(*label));
        row(out, "Kinds of edit", &names::and(labels));
        let significance = names::significance(change.significance);
        row(
            out,
            "Weight",
            &format!("{significance}, score {}", change.score),
        );
    }
    for (name, side) in [("Before", &data.before), ("After", &data.after)] {
        if let Some(side) = side {
            row(
                out,
                name,
                &format!(
                    "revision {}, first seen {}, body_sha256 {}",
                    side.revision, side.seen, side.body_sha256
                ),
            );
        }
    }
    row(
        out,
        "This file",
        &format!("made {} by {}", evidence.made, evidence.program),
    );
    out.push_str("</table>\n");
}

fn differences(out: &mut String, evidence: &Evidence) {
    let Some(diff) = &evidence.event.data.diff else {
        return;
    };
    out.push_str("<h2>What was changed</h2>\n<p><del>Struck out</del> was taken away, <ins>underlined</ins> was added; times are in UTC.</p>\n");
    let mut line = |name: &str, segments: &[Segment]| {
        push(
            out,
            format_args!("<h3>{}</h3>\n<p>{}</p>\n", text(name), marked(segments)),
        );
    };
    if let Some(title) = &diff.title {
        let kicker = !changed::kicker(&evidence.event.data).is_empty();
        line(if kicker { "Kicker" } else { "Headline" }, title);
    }
    for other in &diff.headlines {
        match other.source {
            HeadlineSource::Kicker => line("Kicker", &other.segments),
            source => line(&format!("Headline ({})", source.as_str()), &other.segments),
        }
    }
    for (name, segments) in [("Standfirst", &diff.standfirst), ("By-line", &diff.byline)] {
        if let Some(segments) = segments {
            line(name, segments);
        }
    }
    for link in &diff.links {
        line(
            &format!("Link: {}", link.words),
            &[
                Segment::Delete(link.from.clone()),
                Segment::Equal(" ".into()),
                Segment::Insert(link.to.clone()),
            ],
        );
    }
    for (name, sides) in [("Address", &diff.address), ("Guid", &diff.guid)] {
        if let Some([old, new]) = sides {
            line(
                name,
                &[
                    Segment::Delete(old.clone()),
                    Segment::Equal(" ".into()),
                    Segment::Insert(new.clone()),
                ],
            );
        }
    }
    for (name, blocks) in [("Text", &diff.body), ("Description", &diff.summary)] {
        if let Some(info) = blocks {
            push(out, format_args!("<h3>{name}</h3>\n"));
            for block in &info.blocks {
                paragraph(out, block);
            }
        }
    }
}

fn paragraph(out: &mut String, block: &BlockDiff) {
    let (class, note) = match block.op {
        BlockOp::Equal | BlockOp::Edit => ("", String::new()),
        BlockOp::Insert => (" class=\"new\"", " <small>(added)</small>".to_owned()),
        BlockOp::Delete => (" class=\"gone\"", " <small>(removed)</small>".to_owned()),
        BlockOp::Move => {
            let place = |at: Option<u32>| at.map_or_else(|| "?".to_owned(), |at| at.to_string());
            let (from, to) = (place(block.from), place(block.to));
            (
                " class=\"moved\"",
                format!(" <small>(moved from paragraph {from} to {to})</small>"),
            )
        }
    };
    push(
        out,
        format_args!("<p{class}>{}{note}</p>\n", marked(&block.segments)),
    );
}

fn answers(out: &mut String, evidence: &Evidence) {
    out.push_str("<h2>The answers of the servers</h2>\n");
    if evidence.captures.is_empty() {
        out.push_str("<p>None is kept.</p>\n");
    }
    for kept in &evidence.captures {
        let capture = &kept.capture;
        let revisions = evidence
            .links
            .iter()
            .filter(|link| link.captures.contains(&kept.id))
            .map(|link| link.number.to_string());
        let revisions: Vec<String> = revisions.collect();
        let channel = match capture.channel {
            Channel::Feed => "Feed",
            Channel::Page => "Page",
        };
        push(
            out,
            format_args!(
                "<h3>{channel}, for revision {}</h3>\n<table>\n",
                text(&revisions.join(", "))
            ),
        );
        row(out, "Address", &capture.url);
        row(out, "Answered", &capture.fetched.to_string());
        row(out, "Status", &capture.status.to_string());
        row(out, "SHA-256 of the body", &hex(kept.body_sha256));
        let body = if kept.body_kept {
            format!(
                "{} bytes, in the data below as captures, id {}",
                capture.body.len(),
                kept.id
            )
        } else {
            "not kept any more".to_owned()
        };
        row(out, "Body", &body);
        for (name, value) in capture.request.iter().flatten() {
            row(out, &format!("> {name}"), value);
        }
        for (name, value) in &capture.headers {
            row(out, &format!("< {name}"), value);
        }
        out.push_str("</table>\n");
    }
    out.push_str("<p><small>&gt; headers of the request, &lt; headers of the answer</small></p>\n");
}

fn chain(out: &mut String, evidence: &Evidence) {
    out.push_str("<h2>The chain of revisions</h2>\n<table>\n");
    for link in &evidence.links {
        row(
            out,
            &format!("{}, {}", link.number, link.seen),
            &hex(link.hash),
        );
    }
    out.push_str("</table>\n");
}

fn data(evidence: &Evidence) -> String {
    let data = Data {
        format: FORMAT,
        made: evidence.made,
        program: &evidence.program,
        event: &evidence.event,
        chain: evidence
            .links
            .iter()
            .map(|link| LinkData {
                revision: link.number,
                seen: link.seen,
                seen_ms: link.seen.as_millis(),
                state_sha256: hex(link.state_sha256),
                captures_hash: link.captures_hash.as_ref().map(hex),
                previous: hex(link.previous),
                hash: hex(link.hash),
                captures: &link.captures,
                state: link.state.as_deref(),
            })
            .collect(),
        captures: evidence
            .captures
            .iter()
            .map(|kept| CaptureData {
                id: kept.id,
                channel: kept.capture.channel,
                url: &kept.capture.url,
                fetched: kept.capture.fetched,
                fetched_ms: kept.capture.fetched.as_millis(),
                status: kept.capture.status,
                request: kept.capture.request.as_deref(),
                headers: &kept.capture.headers,
                body_sha256: hex(kept.body_sha256),
                body: kept.body_kept.then(|| STANDARD.encode(&kept.capture.body)),
            })
            .collect(),
    };
    // Only maps with keys that are no text can fail, and there are none.
    serde_json::to_string(&data).unwrap_or_default()
}

fn row(out: &mut String, name: &str, value: &str) {
    push(
        out,
        format_args!("<tr><th>{}</th><td>{}</td></tr>\n", text(name), text(value)),
    );
}

fn marked(segments: &[Segment]) -> String {
    segments
        .iter()
        .map(|segment| {
            let inner = text(segment.text());
            match segment {
                Segment::Equal(_) => inner,
                Segment::Delete(_) => format!("<del>{inner}</del>"),
                Segment::Insert(_) => format!("<ins>{inner}</ins>"),
            }
        })
        .collect()
}

/// Text of strangers as text of HTML.
fn text(text: &str) -> String {
    clean::line(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // A String takes everything.
    let _ = std::fmt::Write::write_fmt(out, text);
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::Capture;
    use crate::report::sample::{at, delete, insert, revised};

    fn sample() -> Evidence {
        let capture = Capture {
            channel: Channel::Page,
            url: "https://news.example/a".into(),
            fetched: at("2026-11-23T09:04:12Z"),
            status: 200,
            headers: vec![("server".into(), "</table><script>".into())],
            request: None,
            body: b"<p>x</p>".to_vec(),
        };
        Evidence {
            event: revised(),
            links: vec![Link {
                number: RevisionNumber::FIRST,
                seen: at("2026-11-23T09:04:12Z"),
                state_sha256: [1; 32],
                captures_hash: None,
                previous: [0; 32],
                hash: [2; 32],
                captures: vec![CaptureId(1)],
                state: Some("</script><!-- x".into()),
            }],
            captures: vec![StoredCapture {
                id: CaptureId(1),
                body_sha256: Sha256::digest(&capture.body).into(),
                body_kept: true,
                capture,
            }],
            made: at("2026-11-24T09:00:00Z"),
            program: "revisor 1".into(),
        }
    }

    #[test]
    fn nothing_of_a_stranger_becomes_markup() {
        let mut evidence = sample();
        let data = &mut evidence.event.data;
        let nasty = "</script><script>alert(1)</script>\u{202e}\u{1b}[2J";
        data.feed.as_mut().unwrap().title = Some(nasty.into());
        data.entry.as_mut().unwrap().url = Some(nasty.into());
        data.diff.as_mut().unwrap().title = Some(vec![delete(nasty), insert("<img src=x>")]);
        let page = document(&evidence);
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("</script").count(), 1);
        assert!(!page.contains("<img"));
        let readable = page.split("<script").next().unwrap();
        assert!(!readable.contains(['\u{202e}', '\u{1b}']));
        assert!(readable.contains("&lt;/table&gt;&lt;script&gt;"));
    }

    #[test]
    fn the_last_line_is_the_sum_of_the_others() {
        let page = document(&sample());
        let (above, last) = page.trim_end().rsplit_once('\n').unwrap();
        let sum = hex(Sha256::digest(format!("{above}\n")));
        assert_eq!(last, format!("<!-- sha256 of all lines above: {sum} -->"));
    }
}
