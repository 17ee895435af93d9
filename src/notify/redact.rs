//! Responses of receivers without secrets: many receivers respond with the address of the request, which contains
//! the token.

use url::Url;

use super::target::Target;
use crate::config::kinds::KeyForm;

/// Replaces what was removed.
const HIDDEN: &str = "(hidden)";

/// Shorter parts of an address are words (`hooks`, `api`), not tokens.
const PART_MIN: usize = 6;

/// `text` without the secrets of a target: its secrets and signatures, and every part of its address that could be
/// a token.
pub(super) fn redact(text: &str, target: &Target, more: &[String]) -> String {
    let mut hide: Vec<String> = target
        .secrets
        .iter()
        .flat_map(|secret| {
            let whole = secret.reveal();
            let bare = whole.trim_start_matches("whsec_").to_owned();
            [whole, bare]
        })
        .collect();
    hide.extend_from_slice(more);
    let addresses = target
        .settings
        .hidden()
        .filter(|(form, _)| *form == KeyForm::Address);
    for url in addresses.map(|(_, url)| url).chain([target.url.as_str()]) {
        if let Ok(url) = Url::parse(url) {
            hide.extend(parts(&url));
        }
    }
    let secrets = target
        .settings
        .hidden()
        .filter(|(form, _)| *form != KeyForm::Address);
    hide.extend(secrets.map(|(_, secret)| secret.to_owned()));
    hide.retain(|part| part.len() >= PART_MIN);
    // The longest first: one part may be contained in another.
    hide.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let mut text = text.to_owned();
    for part in &hide {
        text = without(&text, part);
    }
    text
}

/// The parts of an address after its host, both as written and decoded.
fn parts(url: &Url) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    if let Some(segments) = url.path_segments() {
        parts.extend(segments.map(str::to_owned));
    }
    if let Some(query) = url.query() {
        parts.extend(query.split(['&', '=']).map(str::to_owned));
        parts.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
    }
    let decoded: Vec<String> = parts
        .iter()
        .map(|part| {
            // The form decoder reads `+` as a space, but in a path it is a plus sign.
            let escaped = part.replace('+', "%2B");
            let mut pairs = url::form_urlencoded::parse(escaped.as_bytes());
            pairs
                .next()
                .map_or_else(String::new, |(name, _)| name.into_owned())
        })
        .collect();
    parts.extend(decoded);
    parts
}

/// `text` with every `part` hidden, in upper or lower case, even if the end of the text cuts it off.
fn without(text: &str, part: &str) -> String {
    let (lower, part) = (text.to_ascii_lowercase(), part.to_ascii_lowercase());
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(at) = lower[from..].find(&part) {
        out.push_str(&text[from..from + at]);
        out.push_str(HIDDEN);
        from += at + part.len();
    }
    let rest = &text[from..];
    let begun = (PART_MIN..part.len())
        .rev()
        .filter(|end| part.is_char_boundary(*end))
        .find(|end| lower[from..].ends_with(&part[..*end]));
    match begun {
        Some(end) => {
            out.push_str(&rest[..rest.len() - end]);
            out.push_str(HIDDEN);
        }
        None => out.push_str(rest),
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::{KindSettings, TargetKind};
    use crate::notify::sign::{SigningSecret, sign};
    use crate::time::Timestamp;

    const TOKEN: &str = "XXyy00ZZ11aa22bb33cc";

    fn redacted(text: &str, url: &str) -> String {
        let secret = SigningSecret::from_bytes(&[7; 24]).unwrap();
        let signed = sign(
            std::slice::from_ref(&secret),
            "msg_1",
            Timestamp::from_unix(1),
            b"{}",
        );
        let target = Target {
            name: "desk".into(),
            kind: TargetKind::Webhook,
            settings: KindSettings::default(),
            url: url.into(),
            secrets: vec![secret],
            source: String::new(),
            max_payload: 2048,
            holding: crate::domain::holding::Holding::default(),
            reach: crate::fetch::AddressPolicy::anywhere(),
        };
        redact(text, &target, &[signed.signature])
    }

    #[test]
    fn a_token_that_is_echoed_is_hidden_in_every_form() {
        let path = format!("https://hooks.example/services/T0/{TOKEN}");
        let query = format!("https://hooks.example/in?key={TOKEN}&v=1");
        for (url, says) in [
            (
                &path,
                format!("returned 404 Not Found: Cannot POST /services/T0/{TOKEN}"),
            ),
            (
                &path,
                format!("returned 400: no hook {}", TOKEN.to_lowercase()),
            ),
            (
                &path,
                format!("returned 400: {{\"path\":\"\\/services\\/T0\\/{TOKEN}\"}}"),
            ),
            (
                &path,
                format!("returned 400: cut off in /services/T0/{}", &TOKEN[..9]),
            ),
            (&query, format!("returned 403: bad key {TOKEN}")),
        ] {
            let shown = redacted(&says, url);
            assert!(!shown.to_lowercase().contains("xxyy00"), "{shown}");
            assert!(shown.starts_with("returned 4"), "{shown}");
        }
        let escaped = "https://hooks.example/a%2Fb+c%3Dsecret";
        assert_eq!(redacted("no a/b+c=secret", escaped), "no (hidden)");
    }

    #[test]
    fn secrets_and_signatures_are_hidden_and_other_words_stay() {
        let secret = SigningSecret::from_bytes(&[7; 24]).unwrap();
        let url = "https://hooks.example/in";
        let signed = sign(
            std::slice::from_ref(&secret),
            "msg_1",
            Timestamp::from_unix(1),
            b"{}",
        );
        let says = format!("got {} with {}", signed.signature, secret.reveal());
        assert_eq!(redacted(&says, url), "got (hidden) with (hidden)");
        let plain = "returned 400 Bad Request: hooks and in are words";
        assert_eq!(redacted(plain, url), plain);
    }

    proptest! {
        #[test]
        fn nothing_of_a_token_is_left(before in "\\PC{0,40}", token in "[a-zA-Z0-9_-]{8,40}", after in "\\PC{0,40}") {
            let url = format!("https://hooks.example/{token}");
            let shown = redacted(&format!("{before}{token}{after}"), &url);
            prop_assert!(!shown.contains(&token));
        }
    }
}
