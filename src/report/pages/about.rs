//! `/about` and `/guide`: who runs this instance, and how it works.

use maud::{Markup, html};

use super::{PageContent, PageFrame, Section, facts};
use crate::report::clean;
use crate::report::guide::{Part, Piece};
use crate::report::guide::{TOPICS, Topic, parts};
use crate::report::html::address;
use crate::report::names;

/// Facts about this installation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct About {
    /// The program and its version.
    pub program: String,
    /// The user agent of its requests.
    pub user_agent: String,
    /// Where publishers can reach its operator.
    pub contact: String,
    /// Whether it obeys robots.txt on article pages.
    pub robots: bool,
    /// The pause between two requests to a host.
    pub host_delay: String,
    /// Feeds that are watched.
    pub feeds: u64,
    /// Articles that are known.
    pub articles: u64,
    /// Changes that were found.
    pub changes: u64,
}

/// The page.
#[must_use]
pub(crate) fn page(site: &PageFrame, about: &About) -> PageContent {
    let robots = if about.robots {
        "robots.txt is followed when article pages are fetched."
    } else {
        "robots.txt is not followed when article pages are fetched."
    };
    let mut rows = vec![
        ("Program", html! { (about.program) }),
        (
            "User agent",
            html! { code { (clean::line(&about.user_agent)) } },
        ),
    ];
    if !about.contact.is_empty() {
        rows.push(("Contact", address(&about.contact)));
    }
    rows.push(("Politeness", html! {
        "One request at a time to a host, " (about.host_delay) " apart, with the pauses that servers ask for. " (robots)
    }));
    let watched = format!(
        "{}, {}, {}",
        names::count(about.feeds, "feed"),
        names::count(about.articles, "article"),
        names::count(about.changes, "change")
    );
    rows.push(("Watched", html! { (watched) }));
    PageContent {
        title: "About".to_owned(),
        section: Section::About,
        others: Vec::new(),
        body: html! {
            h1 { "About" }
            p {
                "These pages show what publishers changed after publishing. revisor reads feeds and the article pages behind \
                 them again and again, keeps every version, and compares each with the one before."
            }
            p {
                "A change is only known to have happened between two checks: the last that saw the old text and the first \
                 that saw the new one. Both times are given. A change may be a correction, an update or a mistake; these pages \
                 say what changed, and not why."
            }
            (facts(&rows))
            h2 { "Follow" }
            p {
                "Every list has links to the same list as " a href=(site.path("/changes.atom")) { "Atom" } ", "
                a href=(site.path("/changes.json")) { "JSON Feed" } ", " a href=(site.path("/changes.csv")) { "CSV" } " and "
                a href=(site.path("/changes.ndjson")) { "NDJSON" }
                ". Pages of feeds and articles have feeds of their own. Addresses of changes stay."
            }
        },
    }
}

/// The list of topics.
#[must_use]
pub(crate) fn guide(site: &PageFrame) -> PageContent {
    PageContent {
        title: "Guide".to_owned(),
        section: Section::Guide,
        others: Vec::new(),
        body: html! {
            h1 { "Guide" }
            ul {
                @for topic in TOPICS {
                    li { a href=(site.path(&format!("/guide/{}", topic.name))) { (title(&topic)) } }
                }
            }
        },
    }
}

fn title(topic: &Topic) -> String {
    let first = topic.text.lines().find_map(|line| line.strip_prefix("# "));
    first.unwrap_or(topic.name).to_owned()
}

/// A topic.
#[must_use]
pub(crate) fn topic(site: &PageFrame, topic: &Topic) -> PageContent {
    PageContent {
        title: title(topic),
        section: Section::Guide,
        others: Vec::new(),
        body: html! {
            @for part in parts(topic.text) { (part_text(&part)) }
            p { a href=(site.path("/guide")) { "All topics" } }
        },
    }
}

fn part_text(part: &Part<'_>) -> Markup {
    let inline = |text: &str| {
        html! {
            @for piece in Piece::of(text) {
                @match piece { Piece::Text(text) => (text), Piece::Code(code) => code { (code) } }
            }
        }
    };
    html! {
        @match part {
            Part::Heading(1, text) => h1 { (inline(text)) },
            Part::Heading(2, text) => h2 { (inline(text)) },
            Part::Heading(_, text) => h3 { (inline(text)) },
            Part::Prose(text) => p { (inline(text)) },
            Part::Items(items) => ul { @for item in items { li { (inline(item)) } } },
            Part::Code(lines) => pre tabindex="0" { code { (lines.join("\n")) } },
        }
    }
}
