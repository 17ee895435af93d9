//! A person's settings for the pages of a site, as CSS selectors: where the text is, and what is not part of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use scraper::error::SelectorErrorKind;
use scraper::{ElementRef, Html, Selector};

use super::{fragment, section};
use crate::domain::state::Block;

/// The longest selector as written, in bytes.
const LONGEST: usize = 1_000;

/// The most elements that one selector may remove from a page.
const MOST: usize = 10_000;

/// The selectors in force for a page; none by default.
#[derive(Debug, Clone, Default)]
pub struct PageSelectors {
    select: Vec<Selector>,
    remove: Vec<(String, Selector)>,
    /// The part that counts, named by the fragment of an address.
    section: Option<String>,
}

/// A page seen through a [`PageSelectors`].
#[derive(Debug)]
pub(super) struct Viewed {
    /// The page without the removed elements; with `select`, only the selected ones.
    pub(super) html: String,
    /// Whether all text in it belongs to the article because a person selected it.
    pub(super) selected: bool,
    /// The removed content: the selector, and the blocks.
    pub(super) removed: Vec<(String, Vec<Block>)>,
}

/// Whether this is a usable CSS selector; if not, the reason.
pub fn check_selector(selector: &str) -> Result<(), String> {
    parse(selector).map(|_| ())
}

fn parse(selector: &str) -> Result<Selector, String> {
    if selector.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    Selector::parse(selector).map_err(|error| match error {
        SelectorErrorKind::EndOfLine => "it is incomplete".to_owned(),
        // The parser's own messages are for its developers.
        _ => "it is not a CSS selector".to_owned(),
    })
}

impl PageSelectors {
    /// Takes selectors that have been checked; an unusable one does nothing.
    #[must_use]
    pub fn new(select: &[String], remove: &[String]) -> Self {
        Self {
            select: select.iter().filter_map(|text| parse(text).ok()).collect(),
            remove: remove
                .iter()
                .filter_map(|text| Some((text.clone(), parse(text).ok()?)))
                .collect(),
            section: None,
        }
    }

    /// Like this one, but only for the part of the page that `fragment` names.
    #[must_use]
    pub fn of_section(&self, fragment: &str) -> Self {
        Self {
            section: Some(fragment.to_owned()),
            ..self.clone()
        }
    }

    fn is_plain(&self) -> bool {
        self.select.is_empty() && self.remove.is_empty() && self.section.is_none()
    }

    /// Applies the selectors to a page that is well nested (see [`super::sanitise`]). `None` if there is nothing
    /// to do, or if the parser panics.
    pub(super) fn of(&self, html: &str) -> Option<Viewed> {
        if self.is_plain() {
            return None;
        }
        catch_unwind(AssertUnwindSafe(|| self.look(html))).ok()
    }

    fn look(&self, html: &str) -> Viewed {
        let mut page = Html::parse_document(html);
        let mut removed = Vec::new();
        for (name, selector) in &self.remove {
            let is_inside = |element: &ElementRef<'_>| {
                let mut around = element.ancestors().filter_map(ElementRef::wrap);
                around.any(|around| selector.matches(&around))
            };
            let found: Vec<_> = page
                .select(selector)
                .filter(|element| !is_inside(element))
                .take(MOST)
                .map(|element| (element.id(), fragment::blocks(&element.html())))
                .collect();
            for (id, blocks) in found {
                if let Some(mut node) = page.tree.get_mut(id) {
                    node.detach();
                }
                removed.push((name.clone(), blocks));
            }
        }
        let selected = !self.select.is_empty() || self.section.is_some();
        let html = if let Some(name) = &self.section {
            let part = section::of(&page, name).unwrap_or_default();
            format!("<html><body><article>{part}</article></body></html>")
        } else if selected {
            let mut text = String::new();
            // In page order, each part once.
            for element in page.root_element().descendent_elements() {
                if self.is_selected(element) && !self.is_inside_of_selected(element) {
                    text.push_str(&element.html());
                }
            }
            format!("<html><body><article>{text}</article></body></html>")
        } else {
            page.html()
        };
        Viewed {
            html,
            selected,
            removed,
        }
    }

    fn is_selected(&self, element: ElementRef<'_>) -> bool {
        self.select
            .iter()
            .any(|selector| selector.matches(&element))
    }

    fn is_inside_of_selected(&self, element: ElementRef<'_>) -> bool {
        element
            .ancestors()
            .filter_map(ElementRef::wrap)
            .any(|around| self.is_selected(around))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(select: &[&str], remove: &[&str]) -> PageSelectors {
        let owned = |list: &[&str]| {
            list.iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        PageSelectors::new(&owned(select), &owned(remove))
    }

    #[test]
    fn what_is_removed_is_gone_and_told() {
        let html = "<html><body><p>One</p><div class=x><p>Two</p></div></body></html>";
        let viewed = view(&[], &[".x"]).of(html).unwrap();
        assert!(viewed.html.contains("One") && !viewed.html.contains("Two"));
        assert_eq!(
            viewed.removed,
            [(".x".to_owned(), vec![Block::paragraph("Two")])]
        );
    }

    #[test]
    fn what_is_selected_is_all_there_is_each_part_once() {
        let html = "<body><p>No</p><main><div class=t><p>One</p><div class=t>Two</div></div></main><b class=t>Three</b></body>";
        let viewed = view(&[".t", "main .t"], &[]).of(html).unwrap();
        let texts: Vec<String> = fragment::blocks(&viewed.html)
            .into_iter()
            .map(|block| block.text)
            .collect();
        assert_eq!(texts, ["One", "Two", "Three"]);
    }

    #[test]
    fn selectors_are_checked() {
        assert_eq!(check_selector("article .body > p:not(.x)"), Ok(()));
        for bad in ["", "..", "p:frobnicate", "a["] {
            assert!(check_selector(bad).is_err(), "{bad}");
        }
        assert!(view(&[], &[]).of("<p>x").is_none());
    }
}
