use proptest::prelude::*;

use super::{reading, same_to_the_eye, same_to_the_reader, visible};
use crate::domain::fingerprint::address_key;

struct Pair {
    line: usize,
    verdict: String,
    old: String,
    new: String,
}

fn pairs() -> Vec<Pair> {
    include_str!("../../../../tests/fixtures/normalise/pairs.tsv")
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.starts_with('#'))
        .map(|(index, line)| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [verdict, _, old, new] = fields.as_slice() else {
                panic!("line {} has no four fields", index + 1);
            };
            Pair {
                line: index + 1,
                verdict: (*verdict).to_owned(),
                old: unescaped(old),
                new: unescaped(new),
            }
        })
        .collect()
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let (c, length) = match &rest[at + 1..at + 2] {
            "t" => ('\t', 2),
            "n" => ('\n', 2),
            "r" => ('\r', 2),
            "u" => {
                let end = rest[at..].find('}').unwrap();
                let code = u32::from_str_radix(&rest[at + 3..at + end], 16).unwrap();
                (char::from_u32(code).unwrap(), end + 1)
            }
            _ => ('\\', 2),
        };
        out.push(c);
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    out
}

/// The verdict on a pair of texts.
fn judged(old: &str, new: &str) -> &'static str {
    if same_to_the_eye(old, new) {
        "invisible"
    } else if same_to_the_reader(old, new) {
        "typographic"
    } else {
        "never"
    }
}

#[test]
fn pairs_are_judged_as_the_table_says() {
    let pairs = pairs();
    assert!(pairs.len() >= 150);
    let mut wrong = Vec::new();
    for Pair {
        line,
        verdict,
        old,
        new,
    } in &pairs
    {
        let found = match verdict.as_str() {
            "address" | "other-address" if address_key(old) == address_key(new) => "address",
            "address" | "other-address" => "other-address",
            _ => judged(old, new),
        };
        if found != verdict || (!verdict.contains("address") && judged(new, old) != found) {
            wrong.push(format!(
                "line {line}: {verdict}, found {found}: {old:?} {new:?}: {:?} {:?}, {:?} {:?}",
                visible(old),
                visible(new),
                reading(old),
                reading(new)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pairs_are_judged_alike_inside_a_sentence() {
    for Pair {
        line,
        verdict,
        old,
        new,
    } in pairs()
    {
        // A letter right next to a mark may turn it into a part of a word, so add spaces.
        let (old, new) = (format!("So {old} then."), format!("So {new} then."));
        let found = judged(&old, &new);
        assert!(
            verdict.contains("address") || found == verdict,
            "line {line}: {verdict}, found {found}: {old:?} {new:?}"
        );
    }
}

#[test]
fn marks_behind_capitals_are_no_mojibake() {
    for text in [
        "CAFÉ» ",
        "NESCAFÉ™",
        "“AMANHÔ",
        "CAFÉ\u{a0}: ouvert",
        "CAFÉ—bar",
        "ROMÂ»",
        "À…",
        "NÃO",
        "Ä“",
    ] {
        let kept: Vec<char> = text.chars().filter(|c| c.is_uppercase()).collect();
        let seen: Vec<char> = visible(text).chars().filter(|c| c.is_uppercase()).collect();
        assert_eq!(kept, seen, "{text}");
    }
}

#[test]
fn plain_text_is_not_copied() {
    for text in [
        "plain ASCII text, 1.5%",
        "“naïve” — déjà vu",
        "Привет, мир",
        "日本語。",
        "AT&T",
    ] {
        assert!(
            matches!(visible(text), std::borrow::Cow::Borrowed(_)),
            "{text}"
        );
    }
}

/// Characters that normalisation has rules for, and some that it does not.
fn text() -> impl Strategy<Value = String> {
    let special = prop::sample::select(
        " \u{a0}\u{2009}\u{200b}\u{200d}\u{ad}\u{feff}\u{200e}&#;quotamp39x\"'“”‘’«»„`´-–—−….!?:ÃÂâ€™œ©é\u{301}\u{308}ÐŸ字가アﬁ\u{640}می🏴\u{e0067}\u{fe0f}012.,%$"
            .chars()
            .collect::<Vec<_>>(),
    );
    prop::collection::vec(
        prop_oneof![4 => special, 1 => any::<char>(), 2 => prop::char::range('a', 'e')],
        0..40,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #[test]
    fn forms_are_idempotent(text in text()) {
        let seen = visible(&text).into_owned();
        prop_assert_eq!(&*visible(&seen), &seen);
        let read = reading(&text).into_owned();
        prop_assert_eq!(&*reading(&read), &read);
    }

    #[test]
    fn what_looks_the_same_reads_the_same(old in text(), new in text()) {
        if same_to_the_eye(&old, &new) {
            prop_assert!(same_to_the_reader(&old, &new));
        }
    }

    #[test]
    fn cheap_test_never_hides_an_equality(text in text()) {
        prop_assert!(super::may_be_same(&text, &visible(&text)));
        prop_assert!(super::may_be_same(&text, &reading(&text)));
    }

    #[test]
    fn digits_and_letters_stay(words in prop::collection::vec("[a-z0-9]{1,6}", 1..8), gap in "[ \u{a0}\u{2009}\n]{1,3}") {
        let text = words.join(&gap);
        prop_assert_eq!(&*visible(&text), words.join(" "));
        prop_assert_eq!(&*reading(&text), words.join(" "));
    }

    #[test]
    fn noise_changes_nothing(words in prop::collection::vec("[a-zé“”’0-9.,%-]{1,6}", 1..8), at in 0_usize..40, noise in prop::sample::select(vec!["\u{ad}", "\u{200b}", "\u{200e}", "\u{2060}", "\u{feff}"])) {
        let text = words.join(" ");
        let at = text.char_indices().map(|(at, _)| at).nth(at).unwrap_or(text.len());
        let noisy = format!("{}{noise}{}", &text[..at], &text[at..]);
        prop_assert!(same_to_the_eye(&text, &noisy), "{:?} {:?}", text, noisy);
    }

    #[test]
    fn a_changed_digit_is_never_noise(head in text(), digit in 0_u32..10, step in 1_u32..10, tail in text()) {
        // `&#39;` is a quotation mark and `&#38;` is not: inside an entity, a digit is spelling.
        let head = head.replace('&', "+");
        let other = (digit + step) % 10;
        let (old, new) = (format!("{head}{digit}{tail}"), format!("{head}{other}{tail}"));
        prop_assert!(!same_to_the_reader(&old, &new), "{:?} {:?}", old, new);
    }
}

#[test]
fn what_is_struck_out_and_what_is_raised_is_not_swallowed() {
    for (one, other) in [
        (
            "The bridge is ~~closed~~ open.",
            "The bridge is closed open.",
        ),
        ("~~The bridge is closed.~~", "The bridge is closed."),
        ("about 10^6 cells", "about 106 cells"),
        ("about 10^6 cells", "about 10^-6 cells"),
        ("x^2", "x2"),
    ] {
        assert!(!same_to_the_eye(one, other), "{one}");
        assert!(!same_to_the_reader(one, other), "{one}");
        assert_eq!(visible(one), one);
        assert_eq!(reading(one), one);
    }
}
