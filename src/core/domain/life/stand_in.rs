//! Pages that are served instead of an article: maintenance notices, blocks by country, parked domains, front
//! pages.
//!
//! A list of typical words would never be complete. Instead, two things identify such a page: nothing of the
//! article is left, not even the headline; and either the page lacks what made it an article page, or other
//! articles of the host show exactly the same text. An edit that makes the same change to many articles leaves the
//! rest of each as it was.

use std::collections::HashSet;

use super::doubt::each_word;
use crate::domain::fingerprint::{Fingerprint, of_text};
use crate::domain::state::{Block, PageState};
use crate::time::Timestamp;

/// A text that at least this many articles show belongs to none of them.
const ALIKE: u32 = 3;

/// The text that a page was last seen with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageText {
    /// The host that responded.
    pub host: String,
    /// The page's address, in the form used for comparisons.
    pub address: String,
    /// The fingerprint of its text.
    pub body: Fingerprint,
    /// When it was seen.
    pub seen: Timestamp,
}

/// What is known of other pages with the same text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Alike {
    /// Whether the text was already found not to be an article.
    pub known: bool,
    /// Other articles of the host, with other addresses and headlines, that now show it.
    pub others: u32,
}

impl Alike {
    /// Whether enough pages show the text, including this one.
    #[must_use]
    pub fn is_common(self) -> bool {
        self.known || self.others + 1 >= ALIKE
    }
}

/// Whether a page shows a text that is not its article's. `known` is the article's last text, if there is one;
/// `title` is its headline in the feed.
#[must_use]
pub fn stands_in(
    alike: Alike,
    known: Option<&PageState>,
    title: Option<&str>,
    seen: &PageState,
) -> bool {
    if !alike.is_common() {
        return false;
    }
    match known {
        // The article was read with this text before the text was known as a stand-in.
        Some(known) if same_words(&known.body, &seen.body) => {
            alike.known || !bears(title, None, seen)
        }
        Some(known) => is_replaced(&known.body, &seen.body),
        None => !bears(title, None, seen),
    }
}

/// Why the page is not the article's, for people; `None` if it may be the article, rewritten.
#[must_use]
pub fn another_page(
    known: &PageState,
    title: Option<&str>,
    seen: &PageState,
    is_listing: bool,
) -> Option<&'static str> {
    if !is_replaced(&known.body, &seen.body) || bears(title, Some(known), seen) {
        return None;
    }
    if is_listing {
        return Some("the page is a list of other stories");
    }
    let claims = |page: &PageState| {
        page.published.is_some() || page.og_title.is_some() || page.ld_headline.is_some()
    };
    (claims(known) && !claims(seen)).then_some("the page is not the article's any more")
}

/// Whether a page has the headline from the feed, or the one that it had before.
#[must_use]
pub fn bears(title: Option<&str>, known: Option<&PageState>, seen: &PageState) -> bool {
    let of_page = |page: &PageState| {
        [&page.h1, &page.og_title, &page.ld_headline]
            .map(|title| of_text(title.as_deref()))
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
    };
    let mut wanted = known.map(of_page).unwrap_or_default();
    wanted.extend(of_text(title));
    of_page(seen).iter().any(|title| wanted.contains(title))
}

/// Whether nothing of a text is left: it has almost no three consecutive words in common with the new one.
#[must_use]
pub fn is_replaced(before: &[Block], now: &[Block]) -> bool {
    let (before, now) = (Triples::of(before), Triples::of(now));
    if before.all.is_empty() {
        return false;
    }
    let kept = before.all.intersection(&now.all).count();
    kept * 10 < before.all.len()
}

fn same_words(one: &[Block], other: &[Block]) -> bool {
    Triples::of(one).all == Triples::of(other).all
}

/// All sequences of three words, by block.
struct Triples {
    all: HashSet<String>,
}

impl Triples {
    fn of(blocks: &[Block]) -> Self {
        let mut all = HashSet::new();
        for block in blocks {
            let mut words = Vec::new();
            each_word(std::slice::from_ref(block), |word| {
                words.push(word.to_lowercase());
            });
            if (1..3).contains(&words.len()) {
                all.insert(words.join(" "));
            }
            all.extend(words.windows(3).map(|three| three.join(" ")));
        }
        Self { all }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn page(h1: &str, text: &str) -> PageState {
        PageState {
            h1: Some(h1.to_owned()),
            body: text.split('\n').map(Block::paragraph).collect(),
            ..PageState::default()
        }
    }

    const STORY: &str = "The council of the valley voted on Monday for a new bridge over the river.\nThe work begins in \
                         spring and takes two years, said the mayor.";

    #[test]
    fn only_a_whole_text_that_many_articles_show_is_none_of_theirs() {
        let known = page("The bridge", STORY);
        let notice = page("Courier", "Nous revenons bientôt, merci de votre patience.");
        let corrected = page(
            "The bridge",
            &format!("{STORY}\nCorrection: an earlier version gave a wrong date."),
        );
        let alike = |others| Alike {
            known: false,
            others,
        };
        let title = Some("The bridge");
        assert!(!stands_in(alike(1), Some(&known), title, &notice));
        assert!(stands_in(alike(2), Some(&known), title, &notice));
        assert!(!stands_in(alike(9), Some(&known), title, &corrected));
        // At the first check the headline decides.
        assert!(stands_in(alike(2), None, title, &notice));
        assert!(!stands_in(alike(2), None, Some("Courier"), &notice));
        // A text that was stored before it was known as a stand-in.
        let found = Alike {
            known: true,
            others: 0,
        };
        assert!(stands_in(found, Some(&notice), title, &notice));
        assert!(stands_in(alike(2), Some(&notice), title, &notice));
        assert!(!stands_in(alike(5), Some(&known), title, &known));
    }

    #[test]
    fn a_page_that_has_lost_what_made_it_an_article_is_another_one() {
        let mut known = page("The bridge", STORY);
        known.og_title = Some("The bridge".to_owned());
        let other = page(
            "Upgrading",
            "Sorry, we are closed tonight while we move to new machines.",
        );
        assert!(another_page(&known, Some("The bridge"), &other, false).is_some());
        // Rewritten entirely, under the headline of the feed.
        let rewritten = page(
            "Bridge is off",
            "No money is left, so nothing will ever be built there.",
        );
        assert_eq!(
            another_page(&known, Some("Bridge is off"), &rewritten, false),
            None
        );
        // Where the feed claimed nothing, nothing is lost, unless the text is a front page.
        known.og_title = None;
        assert_eq!(
            another_page(&known, Some("The bridge"), &other, false),
            None
        );
        assert!(another_page(&known, Some("The bridge"), &other, true).is_some());
        let edited = page("Upgrading", &STORY.replace("two years", "three years"));
        assert_eq!(
            another_page(&known, Some("The bridge"), &edited, true),
            None
        );
    }

    proptest! {
        #[test]
        fn a_text_with_most_of_its_words_is_not_replaced(words in prop::collection::vec("[a-zé字]{1,6}", 3..40), at in 0usize..40) {
            let before = vec![Block::paragraph(words.join(" "))];
            let mut edited = words.clone();
            let at = at % edited.len();
            edited[at] = "ANDERS".to_owned();
            let now = vec![Block::paragraph(edited.join(" "))];
            prop_assert!(!is_replaced(&before, &before));
            prop_assert!(words.len() < 6 || !is_replaced(&before, &now));
        }
    }
}
