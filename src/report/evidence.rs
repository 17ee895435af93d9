//! A change as one file that other people can read and verify.
//!
//! An HTML page without scripts or external resources, for every browser. Below the readable part, the same facts
//! follow as data in one line of JSON; the last line is the checksum of the whole file. `tests/verify_evidence.py`
//! verifies it.

use data_encoding::HEXLOWER;
use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, PreEscaped, html};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::clean;
use super::html;
use super::names;
use crate::domain::chain::{ChainLink, StoredCapture};
use crate::domain::event::Event;
use crate::domain::ids::{CaptureId, RevisionNumber};
use crate::domain::state::Channel;
use crate::time::Timestamp;

/// The format that the data declare.
pub(crate) const FORMAT: &str = "revisor-evidence-1";

/// Everything behind a change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EvidenceReport {
    /// The change, as targets and `log` get it.
    pub event: Event,
    /// The chain of its entry, from the first revision to the one after the change.
    pub links: Vec<ChainLink>,
    /// The responses behind both revisions.
    pub captures: Vec<StoredCapture>,
    /// When the file was created.
    pub made: Timestamp,
    /// The program that created it.
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
    /// Milliseconds since 1970, as hashed.
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
    /// Base64; null if retention has deleted the body.
    body: Option<String>,
}

/// The file. The data are on a line of their own, and so is the checksum, for tools that work by lines.
#[must_use]
pub(crate) fn document(evidence: &EvidenceReport) -> String {
    let number = evidence.event.data.number;
    let title = number.map_or_else(|| "Change".to_owned(), |number| format!("Change #{number}"));
    let body = html! {
        h1 { (title) }
        (facts(evidence))
        @if let Some(diff) = &evidence.event.data.diff {
            h2 { "What was changed" }
            p { del { "Struck out" } " was removed, " ins { "underlined" } " was added. Times are in UTC." }
            (html::differences(&evidence.event.data, diff, html::Look::Styled))
        }
        (responses(evidence))
        (chain(evidence))
        (PreEscaped(HOW))
    };
    let page = html::file(&title, &body);
    // Nothing inside can end the element.
    let data = clean::json(&data(evidence)).replace('<', "\\u003c");
    let script = format!("\n<script type=\"application/json\" id=\"evidence\">{data}</script>\n");
    let page = match page.strip_suffix("</body></html>") {
        Some(above) => format!("{above}{script}</body></html>\n"),
        None => format!("{page}{script}"),
    };
    let sum = HEXLOWER.encode(&Sha256::digest(&page));
    format!("{page}<!-- sha256 of all lines above: {sum} -->\n")
}

const HOW: &str = "<h2>How to check this file</h2>
<p>You need no software from us. <code>FILE</code> is the name of this file; <code>jq</code> is in every distribution.</p>
<ol>
<li>Nothing in the file was altered: both commands print the same hash.
<pre>head -n -1 FILE | sha256sum
tail -n 1 FILE</pre></li>
<li>The data, in readable form:
<pre>sed -n 's/^&lt;script type=\"application\\/json\" id=\"evidence\"&gt;\\(.*\\)&lt;\\/script&gt;$/\\1/p' FILE | jq . &gt; evidence.json</pre></li>
<li>A response of a server matches its hash, shown here for the first one: both commands print the same hash. The page itself is
what the first part writes.
<pre>jq -r '.captures[0].body' evidence.json | base64 -d | sha256sum
jq -r '.captures[0].body_sha256' evidence.json</pre></li>
<li>A text belongs to its revision: the SHA-256 of the string <code>state</code> is <code>state_sha256</code>.
<pre>jq -j '.chain[-1].state' evidence.json | sha256sum
jq -r '.chain[-1].state_sha256' evidence.json</pre></li>
<li>The revisions form a chain: the <code>hash</code> of each is the SHA-256 of these bytes, one after the other:
<code>previous</code> (32 bytes; the <code>hash</code> of the revision before, zeros for the first),
<code>state_sha256</code> (32), <code>revision</code> (8, big endian), <code>seen_ms</code> (8, big endian),
<code>captures_hash</code> (32; left out where it is null).</li>
<li>The responses belong to their revision: <code>captures_hash</code> is the SHA-256 of the hashes of its responses, one after
the other. The hash of a response is the SHA-256 of these texts in UTF-8, each after its length in bytes (8 bytes, big endian):
<code>channel</code>, <code>url</code>, <code>fetched_ms</code>, <code>status</code>, <code>body_sha256</code>, the number of
<code>headers</code>, then each name and value, the number of headers in <code>request</code> (<code>-</code> where it is
null), then each name and value.</li>
</ol>
<p><code>verify_evidence.py</code>, which comes with the source of revisor, does all of this and needs only Python.</p>
<p>The hashes show that the file is complete and that its parts belong together. Anyone could make up a whole file like
this; what ties it to the past is a hash that others have had since then: the <code>hash</code> of the last revision in a backup or
a copy of the database, or <code>body_sha256</code> of both texts in the alert that was sent when the change was detected.
Bodies are stored without the transfer encoding and compression of HTTP; cookies and the values of
credentials are not stored.</p>
";

/// A table of names and values.
fn table<'a>(rows: impl IntoIterator<Item = (String, Cow<'a, str>)>) -> Markup {
    html! {
        table .facts {
            tbody {
                @for (name, value) in rows {
                    tr { th scope="row" { (clean::line(&name)) } td { (clean::line(&value)) } }
                }
            }
        }
    }
}

fn facts(evidence: &EvidenceReport) -> Markup {
    let data = &evidence.event.data;
    let mut rows: Vec<(String, Cow<'_, str>)> = Vec::new();
    let mut row = |name: &str, value: Cow<'static, str>| rows.push((name.to_owned(), value));
    if let Some(feed) = &data.feed {
        row(
            "Feed",
            feed.title
                .clone()
                .unwrap_or_else(|| feed.name.clone())
                .into(),
        );
        row("Address of the feed", feed.url.clone().into());
    }
    if let Some(entry) = &data.entry {
        let address = entry.url.clone().unwrap_or_else(|| "-".to_owned());
        row("Address of the article", address.into());
        if let Some(published) = entry.published {
            row("Dated", published.to_string().into());
        }
        row("First seen", entry.first_seen.to_string().into());
    }
    if let Some(change) = &data.change {
        let window = change.window;
        row(
            "Last seen unchanged",
            window.last_unchanged.to_string().into(),
        );
        row(
            "First seen changed",
            window.first_changed.to_string().into(),
        );
        row(
            "Checks in between",
            format!("{}, {} failed", window.checks, window.failed_checks).into(),
        );
        let fields = change.fields.iter().map(|field| names::field(*field));
        row("What changed", names::and(fields).into());
        let labels = change.labels.iter().map(|label| names::label(*label));
        row("Labels", names::and(labels).into());
        let significance = change.significance.as_str();
        row(
            "Significance",
            format!("{significance}, score {}", change.score).into(),
        );
    }
    for (name, side) in [("Before", &data.before), ("After", &data.after)] {
        if let Some(side) = side {
            let text = format!(
                "revision {}, first seen {}, body_sha256 {}",
                side.revision, side.seen, side.body_sha256
            );
            row(name, text.into());
        }
    }
    let made = format!("made {} by {}", evidence.made, evidence.program);
    row("This file", made.into());
    table(rows)
}

fn responses(evidence: &EvidenceReport) -> Markup {
    html! {
        h2 { "The responses of the servers" }
        @if evidence.captures.is_empty() { p { "None are kept." } }
        @for kept in &evidence.captures { (response(kept, evidence)) }
        p { small { "> headers of the request, < headers of the response" } }
    }
}

fn response(kept: &StoredCapture, evidence: &EvidenceReport) -> Markup {
    let capture = &kept.capture;
    let links = evidence.links.iter();
    let revisions = links.filter(|link| link.captures.contains(&kept.id));
    let revisions: Vec<String> = revisions.map(|link| link.number.to_string()).collect();
    let channel = match capture.channel {
        Channel::Feed => "Feed",
        Channel::Page => "Page",
    };
    let body = if kept.body_kept {
        let bytes = capture.body.len();
        format!(
            "{bytes} bytes, in the data below as captures, id {}",
            kept.id
        )
    } else {
        "no longer kept".to_owned()
    };
    let mut rows: Vec<(String, Cow<'_, str>)> = vec![
        ("Address".to_owned(), capture.url.as_str().into()),
        ("Received".to_owned(), capture.fetched.to_string().into()),
        ("Status".to_owned(), capture.status.to_string().into()),
        (
            "SHA-256 of the body".to_owned(),
            HEXLOWER.encode(&kept.body_sha256).into(),
        ),
        ("Body".to_owned(), body.into()),
    ];
    let asked = capture.request.iter().flatten().map(|header| (">", header));
    let answered = capture.headers.iter().map(|header| ("<", header));
    rows.extend(
        asked
            .chain(answered)
            .map(|(mark, (name, value))| (format!("{mark} {name}"), value.as_str().into())),
    );
    html! {
        h3 { (channel) ", for revision " (revisions.join(", ")) }
        (table(rows))
    }
}

fn chain(evidence: &EvidenceReport) -> Markup {
    let links = evidence.links.iter();
    html! {
        h2 { "The chain of revisions" }
        (table(links.map(|link| (format!("{}, {}", link.number, link.seen), HEXLOWER.encode(&link.hash).into()))))
    }
}

fn data(evidence: &EvidenceReport) -> String {
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
                state_sha256: HEXLOWER.encode(&link.state_sha256),
                captures_hash: link
                    .captures_hash
                    .as_ref()
                    .map(|hash| HEXLOWER.encode(hash)),
                previous: HEXLOWER.encode(&link.previous),
                hash: HEXLOWER.encode(&link.hash),
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
                body_sha256: HEXLOWER.encode(&kept.body_sha256),
                body: kept.body_kept.then(|| STANDARD.encode(&kept.capture.body)),
            })
            .collect(),
    };
    // Only maps with non-text keys can fail, and there are none.
    serde_json::to_string(&data).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::Capture;
    use crate::report::sample::{at, delete, insert, revised};

    fn sample() -> EvidenceReport {
        let capture = Capture {
            channel: Channel::Page,
            url: "https://news.example/a".into(),
            fetched: at("2026-11-23T09:04:12Z"),
            status: 200,
            headers: vec![("server".into(), "</table><script>".into())],
            request: None,
            body: b"<p>x</p>".to_vec(),
        };
        EvidenceReport {
            event: revised(),
            links: vec![ChainLink {
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
        let sum = HEXLOWER.encode(&Sha256::digest(format!("{above}\n")));
        assert_eq!(last, format!("<!-- sha256 of all lines above: {sum} -->"));
    }
}
