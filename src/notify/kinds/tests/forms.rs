//! The formats that services parse: HTML, Markdown, mail.

use serde_json::Value;

use super::super::Work;

/// Fails unless the text consists of elements that open and close in order, and of text without `<`.
pub(super) fn is_html(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let end = rest[at..].find('>').expect("an element ends") + at;
        let inside = &rest[at + 1..end];
        let name = inside.trim_start_matches('/').split(' ').next().unwrap();
        let known = [
            "a", "b", "s", "u", "i", "del", "strong", "em", "br", "p", "span", "html", "head",
            "meta", "body", "!DOCTYPE",
        ];
        assert!(known.contains(&name), "<{inside}> in {html}");
        if inside.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{html}");
        } else if !["br", "meta", "!DOCTYPE"].contains(&name) {
            open.push(name);
        }
        assert!(!rest[..at].contains('>'), "{html}");
        is_escaped(&rest[..at]);
        rest = &rest[end + 1..];
    }
    is_escaped(rest);
    assert!(open.is_empty(), "{open:?} in {html}");
}

pub(super) fn is_escaped(text: &str) {
    for (at, _) in text.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;", "&quot;"];
        assert!(
            known.iter().any(|entity| text[at..].starts_with(entity)),
            "{text}"
        );
    }
}

/// Fails unless each link of a Bluesky post stands on a line of its own that shows its address, or the beginning of it.
/// Returns the addresses.
pub(super) fn are_links(post: &str, facets: &Value) -> Vec<String> {
    let facets = facets.as_array().into_iter().flatten();
    facets
        .map(|facet| {
            let at = |key: &str| usize::try_from(facet["index"][key].as_u64().unwrap()).unwrap();
            let (start, end) = (at("byteStart"), at("byteEnd"));
            let address = facet["features"][0]["uri"].as_str().unwrap();
            let shown = &post[start..end];
            assert!(
                post[..start].ends_with('\n')
                    && (post[end..].is_empty() || post[end..].starts_with('\n')),
                "{post}"
            );
            let beginning = shown.strip_suffix('…').unwrap_or(address);
            assert!(
                shown == address || address.starts_with(beginning),
                "{shown} for {address}"
            );
            address.to_owned()
        })
        .collect()
}

/// Fails unless marks open and close in order around words, and all others are escaped.
pub(super) fn is_markdown(markdown: &str) {
    for line in markdown.lines() {
        // Addresses are left as they are.
        if line.starts_with("http://") || line.starts_with("https://") {
            assert!(
                !line.contains(['<', '>', '(', ')', '[', ']', '*', '`', '|', '\\']),
                "{line}"
            );
            continue;
        }
        let mut open: Option<&str> = None;
        let mut rest = line;
        let mut before = ' ';
        while let Some(c) = rest.chars().next() {
            let mark = ["**", "~~"].into_iter().find(|mark| rest.starts_with(mark));
            let size = match (c, mark) {
                ('\\', _) => {
                    let escaped = rest[1..].chars().next();
                    assert!(
                        escaped.is_some_and(|c| c.is_ascii_punctuation()),
                        "{markdown}"
                    );
                    2
                }
                (_, Some(mark)) => {
                    let after = rest[2..].chars().next().unwrap_or(' ');
                    open = match open {
                        None => {
                            assert!(!after.is_whitespace(), "{markdown}");
                            Some(mark)
                        }
                        Some(opened) => {
                            assert!(opened == mark && !before.is_whitespace(), "{markdown}");
                            None
                        }
                    };
                    2
                }
                _ => {
                    assert!(!"*_`[]()#+!|~<>{}".contains(c), "{c} in {markdown}");
                    c.len_utf8()
                }
            };
            before = c;
            rest = &rest[size..];
        }
        assert_eq!(open, None, "{markdown}");
    }
}

/// Fails unless a mail is well-formed; `tests/it/mails.rs` has mails parsed by Python.
pub(super) fn assert_is_mail(work: &Work) {
    let Work::Mail(mail) = work else {
        panic!("no mail")
    };
    let bytes = mail.message.formatted();
    assert!(bytes.len() < 100_000, "{}", bytes.len());
    let text = String::from_utf8(bytes).expect("a mail is ASCII, or says so");
    assert!(text.lines().all(|line| line.len() <= 998));
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    let names: Vec<&str> = head
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap())
        .collect();
    for name in &names {
        let known = [
            "From",
            "To",
            "Subject",
            "Message-ID",
            "Date",
            "Auto-Submitted",
            "List-Id",
            "References",
            "In-Reply-To",
            "MIME-Version",
            "Content-Type",
        ];
        assert!(known.contains(name), "{name} in {head}");
    }
    assert_eq!(names.iter().filter(|name| **name == "Subject").count(), 1);
    // We encode words of the head as base64. What a page has written in such a form would be shown as something else.
    assert!(!head.contains("=?utf-8?q?"), "{head}");
}
