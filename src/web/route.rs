//! What an address refers to.

use percent_encoding::percent_decode_str;
use std::collections::HashMap;

use crate::domain::ids::{ChangeNumber, RevisionNumber};
use crate::report::pages::SHEET_PATH;

/// The requested form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListFormat {
    Html,
    Atom,
    Json,
    Csv,
    Ndjson,
}

impl ListFormat {
    const ENDINGS: [(&'static str, Self); 4] = [
        ("atom", Self::Atom),
        ("json", Self::Json),
        ("csv", Self::Csv),
        ("ndjson", Self::Ndjson),
    ];

    /// `changes.atom` is `changes` as Atom.
    fn of(name: &str) -> (&str, Self) {
        let ending = name.rsplit_once('.');
        let known = ending.and_then(|(stem, ending)| {
            let form = Self::ENDINGS.iter().find(|(word, _)| *word == ending)?;
            Some((stem, form.1))
        });
        known.unwrap_or((name, Self::Html))
    }
}

/// A list of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum List {
    All,
    Headlines,
    Feed(String),
    Entry(String),
}

/// A page, or a file that belongs to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    List(List, ListFormat),
    Change(ChangeNumber, ListFormat),
    Evidence(ChangeNumber),
    Picture(ChangeNumber),
    Entry(String),
    Revision(String, RevisionNumber),
    Compare(String, RevisionNumber, RevisionNumber),
    Feed(String),
    Feeds(ListFormat),
    Search(ListFormat),
    Stats(ListFormat),
    About,
    Guide(Option<String>),
    Sheet,
    Icon,
    Robots,
    TimeGate(String),
    TimeMap(String),
}

impl Route {
    /// `path` starts with a slash, without the prefix of the pages; `query` is the part after the question mark.
    pub(super) fn of(path: &str, query: Option<&str>) -> Option<Self> {
        // The address of an article is not encoded and keeps its own question mark.
        let whole = |rest: &str| match query {
            Some(query) => format!("{rest}?{query}"),
            None => rest.to_owned(),
        };
        if let Some(rest) = path.strip_prefix("/timegate/") {
            return Some(Self::TimeGate(whole(rest)));
        }
        if let Some(rest) = path.strip_prefix("/timemap/link/") {
            return Some(Self::TimeMap(whole(rest)));
        }
        if path == SHEET_PATH.as_str() {
            return Some(Self::Sheet);
        }
        let parts: Vec<String> = path
            .strip_prefix('/')?
            .split('/')
            .map(decoded)
            .collect::<Option<_>>()?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match parts.as_slice() {
            [""] => Some(Self::List(List::All, ListFormat::Html)),
            ["about"] => Some(Self::About),
            ["guide"] => Some(Self::Guide(None)),
            ["guide", topic] => Some(Self::Guide(Some((*topic).to_owned()))),
            ["robots.txt"] => Some(Self::Robots),
            ["assets", "icon.svg"] => Some(Self::Icon),
            [name] => Self::of_list(ListFormat::of(name)),
            ["c", name] => Self::of_change(name),
            ["c", number, "evidence.html"] => Some(Self::Evidence(change(number)?)),
            ["f", name] => Some(Self::Feed((*name).to_owned())),
            ["f", name, rest] => Self::changes_of(List::Feed((*name).to_owned()), rest),
            ["e", id] => Some(Self::Entry((*id).to_owned())),
            ["e", id, rest] => Self::changes_of(List::Entry((*id).to_owned()), rest)
                .or_else(|| Self::of_revisions(id, rest)),
            _ => None,
        }
    }

    fn of_change(name: &str) -> Option<Self> {
        if let Some(number) = name.strip_suffix(".png") {
            return Some(Self::Picture(change(number)?));
        }
        match ListFormat::of(name) {
            (number, form @ (ListFormat::Html | ListFormat::Json | ListFormat::Csv)) => {
                Some(Self::Change(change(number)?, form))
            }
            _ => None,
        }
    }

    fn of_list(named: (&str, ListFormat)) -> Option<Self> {
        match named {
            ("changes", form) => Some(Self::List(List::All, form)),
            ("headlines", form) => Some(Self::List(List::Headlines, form)),
            ("feeds", form @ (ListFormat::Html | ListFormat::Json | ListFormat::Csv)) => {
                Some(Self::Feeds(form))
            }
            ("search", form @ (ListFormat::Html | ListFormat::Json)) => Some(Self::Search(form)),
            ("stats", form @ (ListFormat::Html | ListFormat::Json | ListFormat::Csv)) => {
                Some(Self::Stats(form))
            }
            _ => None,
        }
    }

    fn changes_of(list: List, name: &str) -> Option<Self> {
        match ListFormat::of(name) {
            ("changes", form) => Some(Self::List(list, form)),
            _ => None,
        }
    }

    fn of_revisions(id: &str, name: &str) -> Option<Self> {
        let number = |text: &str| {
            text.parse()
                .ok()
                .filter(|number| *number > 0)
                .map(RevisionNumber)
        };
        match name.split_once("..") {
            Some((old, new)) => Some(Self::Compare(id.to_owned(), number(old)?, number(new)?)),
            None => Some(Self::Revision(id.to_owned(), number(name)?)),
        }
    }

    /// Whether it is a feed, whose address may have a token: feed readers support nothing else.
    pub(super) fn is_feed(&self) -> bool {
        matches!(self, Self::List(_, ListFormat::Atom | ListFormat::Json))
    }
}

fn change(text: &str) -> Option<ChangeNumber> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .map(ChangeNumber)
}

/// A part of a path, percent-decoded; `None` if that is not valid text.
fn decoded(part: &str) -> Option<String> {
    let name = percent_decode_str(part).decode_utf8().ok()?;
    (!part.contains(['&', '=']) && !name.contains('\0')).then(|| name.into_owned())
}

/// The parameters of an address; if one is repeated, the last one counts.
pub(super) fn parameters(query: Option<&str>) -> HashMap<String, String> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .into_owned()
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_stand_for_pages() {
        let number = RevisionNumber;
        for (path, expected) in [
            ("/", Route::List(List::All, ListFormat::Html)),
            ("/changes.atom", Route::List(List::All, ListFormat::Atom)),
            (
                "/headlines.csv",
                Route::List(List::Headlines, ListFormat::Csv),
            ),
            (
                "/f/a%20b%2Fc+d/changes.json",
                Route::List(List::Feed("a b/c+d".into()), ListFormat::Json),
            ),
            (
                "/e/ent_42/changes.ndjson",
                Route::List(List::Entry("ent_42".into()), ListFormat::Ndjson),
            ),
            ("/c/412", Route::Change(ChangeNumber(412), ListFormat::Html)),
            (
                "/c/412.json",
                Route::Change(ChangeNumber(412), ListFormat::Json),
            ),
            ("/c/412/evidence.html", Route::Evidence(ChangeNumber(412))),
            ("/e/ent_42", Route::Entry("ent_42".into())),
            ("/e/ent_42/3", Route::Revision("ent_42".into(), number(3))),
            (
                "/e/ent_42/2..5",
                Route::Compare("ent_42".into(), number(2), number(5)),
            ),
            ("/f/x.y", Route::Feed("x.y".into())),
            (
                "/timegate/https://n.example/a",
                Route::TimeGate("https://n.example/a".into()),
            ),
        ] {
            assert_eq!(Route::of(path, None), Some(expected), "{path}");
        }
        assert_eq!(
            Route::of("/timemap/link/https://n.example/a", Some("b=1")),
            Some(Route::TimeMap("https://n.example/a?b=1".into()))
        );
        for path in [
            "/c/0",
            "/c/x",
            "/c/-1",
            "/e/ent_1/0",
            "/e/ent_1/1..x",
            "/nowhere",
            "/c/1.atom",
            "",
            "/f/%FF",
            "/f/a&b",
        ] {
            assert_eq!(Route::of(path, None), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_address_is_a_page_or_none(path in "\\PC{0,80}", query in proptest::option::of("\\PC{0,40}")) {
            let _ = Route::of(&path, query.as_deref());
            let _ = Route::of(&format!("/e/{path}"), query.as_deref());
            let _ = parameters(query.as_deref());
        }
    }
}
