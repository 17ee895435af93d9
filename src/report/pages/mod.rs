//! The web pages, as text: what the endpoint serves to people.
//!
//! Pure, and built from the fragments of [`html`](super::html), like the report and the evidence. No page needs a
//! script, and none has a `style` element or attribute: the address of the only style sheet contains its hash, so
//! that a strict Content-Security-Policy holds.

pub(crate) mod about;
pub(crate) mod change;
pub(crate) mod compare;
pub(crate) mod entry;
pub(crate) mod feed;
pub(crate) mod feeds;
pub(crate) mod search;
pub(crate) mod stats;
pub(crate) mod stream;

use data_encoding::HEXLOWER;
use std::sync::LazyLock;

use maud::{DOCTYPE, Markup, html};
use sha2::{Digest, Sha256};

use super::clean;
use super::html::{Links, SHEET};
use super::when::TimeView;

/// The icon of the program, for browser tabs.
pub(crate) const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\"><rect width=\"32\" height=\"32\" \
rx=\"6\" fill=\"#fff\"/><path d=\"M6 10h20\" stroke=\"#8a0f14\" stroke-width=\"5\"/><path d=\"M6 22h20\" stroke=\"#0a4d1c\" \
stroke-width=\"5\"/></svg>\n";

/// The path of the style sheet: a different sheet has a different path, so browsers may cache it forever.
pub(crate) static SHEET_PATH: LazyLock<String> = LazyLock::new(|| {
    let hash = Sha256::digest(SHEET);
    format!("/assets/{}.css", HEXLOWER.encode(&hash[..8]))
});

/// What all pages have in common.
#[derive(Debug, Clone)]
pub(crate) struct PageFrame {
    /// Where the pages are.
    pub links: Links,
    /// How times are shown to the reader; without colour.
    pub view: TimeView,
}

impl PageFrame {
    /// A path of this site; empty only if the location of the site is unknown.
    #[must_use]
    pub(crate) fn path(&self, path: &str) -> String {
        self.links.to(path).unwrap_or_default()
    }

    /// Whether the site has this section: static files cannot answer queries.
    fn has(&self, section: Section) -> bool {
        let in_files = [Section::Changes, Section::Headlines, Section::Feeds];
        !self.links.are_files() || in_files.contains(&section)
    }
}

/// The sections that every page links to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// `/`
    Changes,
    /// `/headlines`
    Headlines,
    /// `/feeds`, and each feed.
    Feeds,
    /// `/search`
    Search,
    /// `/stats`
    Statistics,
    /// `/guide`
    Guide,
    /// `/about`
    About,
    /// None of them.
    Elsewhere,
}

const SECTIONS: [(Section, &str, &str); 7] = [
    (Section::Changes, "Changes", "/"),
    (Section::Headlines, "Headlines", "/headlines"),
    (Section::Feeds, "Feeds", "/feeds"),
    (Section::Search, "Search", "/search"),
    (Section::Statistics, "Statistics", "/stats"),
    (Section::Guide, "Guide", "/guide"),
    (Section::About, "About", "/about"),
];

/// The same list in another format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Other {
    /// Its usual name: `Atom`.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its address.
    pub href: String,
}

/// A page: the parts that differ from page to page.
#[derive(Debug, Clone)]
pub(crate) struct PageContent {
    /// The title, without the name of the program.
    pub title: String,
    /// The section it belongs to.
    pub section: Section,
    /// The page in other formats; feed readers discover those meant for them.
    pub others: Vec<Other>,
    /// The content, which starts with an `h1`.
    pub body: Markup,
}

/// The media type of a page in the form of a picture.
pub(crate) const PNG: &str = "image/png";

/// Width and height of a picture in pixels (Open Graph; X and Bluesky show 1.91:1 uncropped).
pub(crate) const PICTURE_SIZE: (u16, u16) = (1200, 630);

/// The whole document.
#[must_use]
pub(crate) fn document(site: &PageFrame, page: &PageContent) -> String {
    let is_feed = |other: &&Other| other.media_type.contains("feed") || other.name == "Atom";
    // Previews need the whole address.
    let picture = |other: &&Other| other.media_type == PNG && other.href.starts_with("http");
    let picture = page.others.iter().find(picture);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (clean::excerpt(&page.title, 200)) " – revisor" }
                link rel="stylesheet" href=(site.path(&SHEET_PATH));
                link rel="icon" type="image/svg+xml" href=(site.path("/assets/icon.svg"));
                @if let Some(picture) = picture {
                    // The preview where somebody links to the page (Open Graph).
                    meta property="og:title" content=(clean::excerpt(&page.title, 200));
                    meta property="og:type" content="article";
                    meta property="og:image" content=(picture.href);
                    meta property="og:image:width" content=(PICTURE_SIZE.0);
                    meta property="og:image:height" content=(PICTURE_SIZE.1);
                    meta property="og:image:alt" content=(clean::excerpt(&page.title, 200));
                    meta name="twitter:card" content="summary_large_image";
                }
                @for other in page.others.iter().filter(is_feed) {
                    link rel="alternate" type=(other.media_type) title={ (page.title) " (" (other.name) ")" } href=(other.href);
                }
            }
            body {
                a .skip href="#main" { "Skip to the content" }
                header {
                    nav aria-label="Main" {
                        ul {
                            @for (section, name, path) in SECTIONS.into_iter().filter(|(section, ..)| site.has(*section)) {
                                li {
                                    @let here = section == page.section;
                                    a href=(site.path(path)) aria-current=[here.then_some("page")] { (name) }
                                }
                            }
                        }
                    }
                }
                main #main tabindex="-1" {
                    (page.body)
                    @if !page.others.is_empty() {
                        p .formats {
                            "Also as: "
                            @for (place, other) in page.others.iter().enumerate() {
                                @if place > 0 { " · " }
                                a href=(other.href) { (other.name) }
                            }
                        }
                    }
                }
                footer {
                    p {
                        del { "Struck out" } " was removed, " ins { "underlined" } " was added. Times are in "
                        (site.view.zone.name()) "."
                    }
                }
            }
        }
    }
    .into_string()
}

/// A page with an error message: a wrong address, a wrong filter.
#[must_use]
pub(crate) fn message(site: &PageFrame, title: &str, text: &str) -> String {
    let page = PageContent {
        title: title.to_owned(),
        section: Section::Elsewhere,
        others: Vec::new(),
        body: html! {
            h1 { (title) }
            p { (clean::excerpt(text, 500)) }
            p { a href=(site.path("/")) { "All changes" } }
        },
    };
    document(site, &page)
}

/// Links to the pages of a list around this one.
fn paging(newest: Option<&str>, older: Option<&str>) -> Markup {
    html! {
        @if newest.is_some() || older.is_some() {
            nav .paging aria-label="Pages of this list" {
                @if let Some(newest) = newest { a href=(newest) { "‹ Newest" } }
                @if let Some(older) = older { a href=(older) rel="next" { "Older ›" } }
            }
        }
    }
}

/// Names and values.
fn facts(rows: &[(&str, Markup)]) -> Markup {
    html! {
        table .facts {
            tbody {
                @for (name, value) in rows { tr { th scope="row" { (name) } td { (value) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests;
