//! `/search`: current texts of articles, and text that was removed from them.

use maud::{Markup, html};

use super::{Other, PageContent, PageFrame, Section, paging};
use crate::report::clean;
use crate::report::html::{address, headline, language};
use crate::report::names;
use crate::report::search::{Excerpt, FoundArticle};

/// The texts that can be searched, in the order of the tabs: the parameter and its name.
pub(crate) const TEXTS: [(&str, &str); 4] = [
    ("", "Everywhere"),
    ("removed", "Removed text"),
    ("added", "Added text"),
    ("headline", "Headlines"),
];

/// A search and its results.
#[derive(Debug, Clone, Default)]
pub(crate) struct Results {
    /// The query as typed.
    pub query: String,
    /// Which of [`TEXTS`].
    pub texts: String,
    /// The articles found.
    pub articles: Vec<FoundArticle>,
    /// The address of a longer list.
    pub more: Option<String>,
    /// Why the query could not be run.
    pub problem: Option<String>,
    /// How much of the database is indexed so far, if not all of it.
    pub percent: Option<u64>,
    /// The results in other formats.
    pub others: Vec<Other>,
}

/// The page.
#[must_use]
pub(crate) fn page(site: &PageFrame, results: &Results) -> PageContent {
    let query = &results.query;
    PageContent {
        title: if query.is_empty() {
            "Search".to_owned()
        } else {
            format!("Search: {}", clean::excerpt(query, 80))
        },
        section: Section::Search,
        others: results.others.clone(),
        body: html! {
            h1 { "Search" }
            form .search method="get" action=(site.path("/search")) role="search" {
                p {
                    label for="q" { "Words, or “a phrase”" } " "
                    input #q type="search" name="q" value=(clean::line(query)) maxlength="500" autocomplete="off";
                    @if !results.texts.is_empty() { input type="hidden" name="in" value=(results.texts); }
                    " " button { "Search" }
                }
            }
            p .about { "All words have to occur in one text. -word excludes, word* finds every word that begins so." }
            @if let Some(problem) = &results.problem { p .problem role="alert" { (clean::excerpt(problem, 300)) } }
            @if !query.is_empty() { (tabs(site, results)) }
            @if let Some(percent) = results.percent {
                p .problem { "The search index is " (percent) " % built: older text is not found yet." }
            }
            @if !query.is_empty() && results.problem.is_none() {
                p .lead {
                    @if results.articles.is_empty() { "Nothing found." }
                    @else { (names::count(results.articles.len() as u64, "article")) @if results.more.is_some() { ", and there are more" } "." }
                }
            }
            @for found in &results.articles { (article(site, found)) }
            (paging(None, results.more.as_deref()))
        },
    }
}

fn tabs(site: &PageFrame, results: &Results) -> Markup {
    let query: String = url::form_urlencoded::byte_serialize(results.query.as_bytes()).collect();
    html! {
        nav .paging aria-label="Where to search" {
            @for (word, name) in TEXTS {
                @let narrowed = if word.is_empty() { String::new() } else { format!("&in={word}") };
                a href={ (site.path("/search")) "?q=" (query) (narrowed) } aria-current=[(word == results.texts).then_some("page")] { (name) }
            }
        }
    }
}

fn article(site: &PageFrame, found: &FoundArticle) -> Markup {
    html! {
        article .story {
            h2 { a href=(site.links.entry(&found.entry).unwrap_or_default()) { (headline(found.title.as_deref())) } }
            p .about {
                a href=(site.links.feed(&found.feed).unwrap_or_default()) { (clean::excerpt(&found.feed, 64)) }
                @if let Some(url) = &found.url { " · " (address(url)) }
            }
            @for excerpt in &found.still_there {
                p { span .pill .good { "still there" } " " (excerpt_text(excerpt)) }
            }
            @for change in &found.changes {
                @for (word, class, excerpts) in [("removed", "bad", &change.removed), ("added", "good", &change.added)] {
                    @for excerpt in excerpts {
                        p {
                            span class={ "pill " (class) } { (word) } " "
                            a href=(site.links.change(change.number).unwrap_or_default()) { "#" (change.number) } " "
                            small { (site.view.exact(change.first_changed)) } " "
                            (excerpt_text(excerpt))
                        }
                    }
                }
            }
        }
    }
}

fn excerpt_text(excerpt: &Excerpt) -> Markup {
    let all = format!("{}{}{}", excerpt.before, excerpt.found, excerpt.after);
    html! {
        span lang=(language(&all)) dir="auto" {
            (clean::excerpt(&excerpt.before, 400))
            @if excerpt.before.ends_with(' ') { " " }
            mark { (excerpt.found) }
            @if excerpt.after.starts_with(' ') { " " }
            (clean::excerpt(&excerpt.after, 400))
        }
    }
}
