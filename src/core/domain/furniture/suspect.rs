//! Changes that may be page furniture that is not learned yet. Further checks of the article and of other articles
//! of the site have to decide; until then, no alert is sent.
//!
//! Such a change affects text of the whole site: a number or name in a text that other articles have with other
//! numbers and names; or a block that other articles have word for word, and that was added, removed, or replaced
//! by a block that is not similar. If anything else changes at the same time, it is an edit. So is a change of
//! text that would never be learned.

use std::collections::HashSet;

use super::learn::{ArticlePast, MOVED, may_be_left_out};
use super::motion::{BlockForm, forms};
use super::rules::Rules;
use crate::domain::assess::states_a_fact;
use crate::domain::ids::EntryId;
use crate::domain::state::{Block, EntryState};
use crate::time::Timestamp;

/// How many other articles need the same text around a changing number.
const WITH_SHAPE: usize = 2;

/// How many blocks may come and go at one check; more are an edit.
const WHOLES: usize = 4;

/// How many articles have to be checked more than once before the texts of the site are known.
const KNOWN: usize = 4;

/// After so many rounds of checks without a similar change, it is an edit: for an added or removed block, and for
/// a number.
const STILL: (u32, u32) = (2, 1);

/// A change that may be furniture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Suspect {
    /// The words of the changed texts.
    texts: HashSet<String>,
    /// The forms of the changed texts, without numbers and names.
    shapes: HashSet<String>,
    /// Whether a whole block was added or removed.
    whole: bool,
    /// Other articles of the site with such text, the newest first.
    pub carriers: Vec<EntryId>,
}

impl Suspect {
    /// The suspect in two states of a page of `entry`; `None` if the change is an edit, whatever further checks
    /// show. `site` has the past texts of the site's articles.
    #[must_use]
    pub fn of(
        [old, new]: [&EntryState; 2],
        entry: EntryId,
        site: &[ArticlePast],
        rules: &Rules,
    ) -> Option<Self> {
        let paired = rules.pair(old, new);
        let body = |state: &EntryState| state.page.as_ref().map(|page| page.body.clone());
        let (old, new) = (body(&paired.old)?, body(&paired.new)?);
        let (gone, come) = (only_in(&old, &new), only_in(&new, &old));
        if gone.len() > MOVED || come.len() > MOVED {
            return None;
        }
        let (gone_forms, come_forms) = (forms(&gone, rules), forms(&come, rules));
        if gone_forms.len() != gone.len() || come_forms.len() != come.len() {
            return None;
        }
        let others = others(entry, site, rules);
        let key = |block: &Block| shared_key(block, &others, rules);
        let only_order = gone.is_empty() && come.is_empty();
        let is_known = only_order || is_known(entry, site);
        let may_move =
            |block: &Block| key(block).is_some() || (!is_known && may_be_left_out(&block.text));
        let own = |blocks: &[Block], others: &[Block]| -> Vec<String> {
            let others: HashSet<&str> = others.iter().map(|block| block.text.as_str()).collect();
            let common = blocks
                .iter()
                .filter(|block| others.contains(block.text.as_str()));
            let own = common.filter(|block| !may_move(block));
            own.map(|block| block.text.clone()).collect()
        };
        // A change in a paragraph of the article itself is an edit.
        if own(&old, &new) != own(&new, &old) {
            return None;
        }
        if only_order {
            return Self::of_order(new.iter().filter_map(key).collect(), &others);
        }
        Self::of_forms(gone_forms, come_forms, &others, is_known)
    }

    /// Whether a page differs from its last state but repeats an earlier one: possibly a stale copy.
    #[must_use]
    pub fn takes_back([old, new]: [&EntryState; 2], own: &ArticlePast, rules: &Rules) -> bool {
        let paired = rules.pair(old, new);
        let body = |state: &EntryState| state.page.as_ref().map(|page| page.body.clone());
        let (Some(old), Some(new)) = (body(&paired.old), body(&paired.new)) else {
            return false;
        };
        let keys = |blocks: &[Block]| -> HashSet<String> {
            forms(blocks, rules)
                .into_iter()
                .map(|form| form.text)
                .collect()
        };
        let (gone, come) = (keys(&only_in(&old, &new)), keys(&only_in(&new, &old)));
        let said_before = |blocks: &[Block]| {
            let said = keys(blocks);
            come.is_subset(&said) && gone.is_disjoint(&said)
        };
        let mut earlier = own.texts.iter().rev().skip(1);
        !(gone.is_empty() && come.is_empty()) && earlier.any(|(_, blocks)| said_before(blocks))
    }

    /// The suspect for a page on which only text of the site, with these words, has moved.
    fn of_order(texts: HashSet<String>, site: &[(EntryId, Said)]) -> Option<Self> {
        let has = |(_, said): &&(EntryId, Said)| !texts.is_disjoint(&said.texts);
        let carriers: Vec<EntryId> = site.iter().filter(has).map(|(entry, _)| *entry).collect();
        (!texts.is_empty()).then_some(Self {
            texts,
            whole: true,
            carriers,
            ..Self::default()
        })
    }

    fn of_forms<'a>(
        mut gone: Vec<BlockForm<'a>>,
        come: Vec<BlockForm<'a>>,
        site: &[(EntryId, Said)],
        is_known: bool,
    ) -> Option<Self> {
        let mut suspect = Self::default();
        let mut wholes = Vec::new();
        for form in come {
            match gone.iter().position(|other| form.has_shape_of(other)) {
                Some(at) => {
                    suspect.shapes.extend(gone.remove(at).into_shape());
                }
                None => wholes.push(form),
            }
        }
        let with_shape = |key: &str| {
            let has = |(_, said): &&(EntryId, Said)| said.shapes.contains(key);
            site.iter().filter(has).count()
        };
        if suspect
            .shapes
            .iter()
            .any(|key| with_shape(key) < WITH_SHAPE)
        {
            return None;
        }
        let is_edit = wholes
            .iter()
            .any(|form| gone.iter().any(|other| form.is_like(other)));
        let replaces = !wholes.is_empty() && !gone.is_empty();
        wholes.append(&mut gone);
        if is_edit || wholes.len() > WHOLES || (wholes.is_empty() && suspect.shapes.is_empty()) {
            return None;
        }
        let mut shared = 0;
        for form in &wholes {
            let key = form.shape.as_ref().map(|shape| &shape.key);
            let of_a_kind = key.is_some_and(|key| with_shape(key) >= WITH_SHAPE);
            let fits = !states_a_fact(&form.block.text)
                && (of_a_kind || may_be_left_out(&form.block.text));
            if !fits {
                return None;
            }
            let has = |(_, said): &&(EntryId, Said)| said.texts.contains(&form.text);
            shared += usize::from(of_a_kind || site.iter().any(|one| has(&one)));
        }
        // Blocks that take turns in one place need not all have been seen in other articles yet.
        if is_known && shared < if replaces { 1 } else { wholes.len() } {
            return None;
        }
        suspect.whole = !wholes.is_empty();
        for form in wholes {
            suspect.texts.insert(form.text.clone());
            suspect.shapes.extend(form.into_shape());
        }
        let has = |(_, said): &&(EntryId, Said)| {
            suspect.texts.iter().any(|text| said.texts.contains(text))
                || suspect.shapes.iter().any(|key| said.shapes.contains(key))
        };
        suspect.carriers = site.iter().filter(has).map(|(entry, _)| *entry).collect();
        Some(suspect)
    }

    /// When similar text last changed in other articles of the site.
    #[must_use]
    pub fn moved_elsewhere(
        &self,
        entry: EntryId,
        site: &[ArticlePast],
        rules: &Rules,
    ) -> Option<Timestamp> {
        let others = site.iter().filter(|article| article.entry != entry);
        others
            .filter_map(|article| self.moved_in(article, rules))
            .max()
    }

    fn moved_in(&self, article: &ArticlePast, rules: &Rules) -> Option<Timestamp> {
        let looks = article.texts.iter();
        let mut looks = looks.map(|(seen, blocks)| (*seen, self.what_is_of(blocks, rules)));
        let mut last = looks.next()?.1;
        let mut moved = None;
        for (seen, now) in looks {
            if now != last {
                moved = Some(seen);
                last = now;
            }
        }
        moved
    }

    /// The texts of an article that match the suspect.
    fn what_is_of(&self, blocks: &[Block], rules: &Rules) -> Vec<String> {
        let is_of = |form: &BlockForm<'_>| {
            let shape = form.shape.as_ref();
            self.texts.contains(&form.text)
                || shape.is_some_and(|shape| self.shapes.contains(&shape.key))
        };
        let found = forms(blocks, rules).into_iter().filter(is_of);
        let mut texts: Vec<String> = found.map(|form| form.text).collect();
        texts.sort_unstable();
        texts
    }

    /// The number of rounds of checks without a similar change after which it is an edit.
    #[must_use]
    pub fn rounds(&self) -> u32 {
        if self.whole { STILL.0 } else { STILL.1 }
    }
}

/// Whether enough other articles were checked more than once to know the texts of the site. If some were not,
/// their next checks are awaited.
fn is_known(entry: EntryId, site: &[ArticlePast]) -> bool {
    let others = site.iter().filter(|article| article.entry != entry);
    let checked_again = |article: &ArticlePast| {
        let first = article.texts.first();
        first.is_some_and(|(seen, _)| article.looked > *seen)
    };
    let (again, once): (Vec<&ArticlePast>, Vec<&ArticlePast>) =
        others.partition(|article| checked_again(article));
    again.len() >= KNOWN || once.is_empty()
}

/// What an article has said recently.
struct Said {
    texts: HashSet<String>,
    shapes: HashSet<String>,
}

fn others(entry: EntryId, site: &[ArticlePast], rules: &Rules) -> Vec<(EntryId, Said)> {
    let others = site.iter().filter(|article| article.entry != entry);
    others
        .map(|article| {
            let mut said = Said {
                texts: HashSet::new(),
                shapes: HashSet::new(),
            };
            for (_, blocks) in &article.texts {
                for form in forms(blocks, rules) {
                    said.texts.insert(form.text.clone());
                    said.shapes.extend(form.into_shape());
                }
            }
            (article.entry, said)
        })
        .collect()
}

/// The words of a block that other articles of the site also have.
fn shared_key(block: &Block, site: &[(EntryId, Said)], rules: &Rules) -> Option<String> {
    let form = forms(std::slice::from_ref(block), rules).pop()?;
    let has = |(_, said): &(EntryId, Said)| said.texts.contains(&form.text);
    site.iter().any(has).then_some(form.text)
}

fn only_in(these: &[Block], others: &[Block]) -> Vec<Block> {
    let others: HashSet<&str> = others.iter().map(|block| block.text.as_str()).collect();
    let these = these.iter();
    let only = these.filter(|block| !others.contains(block.text.as_str()));
    only.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::state::PageState;

    const PROSE: &str = "The council has bought the old mill and wants to open it next year.";

    fn blocks(lines: &[&str]) -> Vec<Block> {
        lines.iter().map(|line| Block::paragraph(*line)).collect()
    }

    fn state(lines: &[&str]) -> EntryState {
        EntryState {
            feed: None,
            page: Some(PageState {
                body: blocks(lines),
                ..PageState::default()
            }),
        }
    }

    fn article(entry: i64, texts: &[&[&str]]) -> ArticlePast {
        let looks = (1..).zip(texts);
        ArticlePast {
            entry: EntryId(entry),
            texts: looks
                .map(|(at, lines)| (Timestamp::from_unix(at), blocks(lines)))
                .collect(),
            titles: Vec::new(),
            looked: Timestamp::from_unix(100),
        }
    }

    /// Whether the change of article 1 is suspected to be furniture, when three other articles have `site`.
    fn is_suspect(old: &[&str], new: &[&str], site: [&str; 3]) -> bool {
        let site: Vec<ArticlePast> = (2..)
            .zip(site)
            .map(|(entry, line)| article(entry, &[&["A text of its own.", line]]))
            .collect();
        let states = [&state(old), &state(new)];
        Suspect::of(states, EntryId(1), &site, &Rules::default()).is_some()
    }

    #[test]
    fn what_others_have_too_may_be_furniture() {
        let readers = [
            "So far 12 neighbours have read this",
            "So far 71 neighbours have read this",
            "So far 9 neighbours have read this",
        ];
        assert!(is_suspect(
            &[PROSE, "So far 15 neighbours have read this"],
            &[PROSE, "So far 18 neighbours have read this"],
            readers
        ));
        let letter = "Unsere Briefe am Morgen bringen dir die Stadt nach Hause";
        let shop = "Schenke einem lieben Menschen ein Jahr voller Geschichten";
        assert!(is_suspect(&[PROSE], &[PROSE, letter], [letter, shop, "-"]));
        assert!(is_suspect(&[letter, PROSE], &[PROSE], [letter, shop, "-"]));
        // One of the two is enough if they alternate.
        assert!(is_suspect(
            &[letter, PROSE],
            &[shop, PROSE],
            [shop, "-", "-"]
        ));
    }

    #[test]
    fn what_is_the_articles_own_or_a_fact_is_an_edit() {
        let toll = "The river has flooded 12 houses";
        for (old, new, site) in [
            // Text of its own, a number that no other page has, a shared sentence that is reworded.
            (
                [PROSE, toll],
                [PROSE, "The river has flooded 15 houses"],
                ["-", "-", "-"],
            ),
            (
                [PROSE, "It was cold in the valley."],
                [PROSE, "It was warm in the valley."],
                ["It was cold in the valley."; 3],
            ),
            // Added, while no other page has it.
            (
                [PROSE, PROSE],
                [PROSE, "The mayor wants to think about it again"],
                ["-"; 3],
            ),
            // A denial, on all pages.
            (
                [PROSE, "No injuries have been reported."],
                [PROSE, PROSE],
                ["No injuries have been reported."; 3],
            ),
        ] {
            assert!(!is_suspect(&old, &new, site), "{old:?} {new:?}");
        }
        // Other text changes at the same time.
        let read = ["So far 12 neighbours have read this"; 3];
        assert!(!is_suspect(
            &[toll, "So far 15 neighbours have read this"],
            &[
                "The river has flooded 15 houses",
                "So far 18 neighbours have read this"
            ],
            read
        ));
        assert!(!is_suspect(&[PROSE], &[PROSE], read));
    }

    #[test]
    fn what_the_site_has_may_move_and_a_paragraph_may_not() {
        let letter = "Unsere Briefe am Morgen bringen dir die Stadt nach Hause";
        let end = "It has been empty since the last war.";
        let site = [letter, "-", "-"];
        assert!(is_suspect(
            &[PROSE, letter, end],
            &[PROSE, end, letter],
            site
        ));
        assert!(!is_suspect(
            &[PROSE, letter, end],
            &[end, letter, PROSE],
            site
        ));
        assert!(!is_suspect(&[letter, PROSE, end], &[end, PROSE], site));
    }

    #[test]
    fn while_others_were_not_checked_again_nobody_knows_what_the_site_has() {
        let letter = "Unsere Briefe am Morgen bringen dir die Stadt nach Hause";
        let toll = "Four people were killed, the police said.";
        let site = |looked: i64| -> Vec<ArticlePast> {
            let other = |entry| ArticlePast {
                looked: Timestamp::from_unix(looked),
                ..article(entry, &[&["A text of its own."]])
            };
            (2..9).map(other).collect()
        };
        let waits = |new: &[&str], looked| {
            let (old, new) = (state(&[PROSE]), state(new));
            Suspect::of([&old, &new], EntryId(1), &site(looked), &Rules::default()).is_some()
        };
        assert!(waits(&[PROSE, letter], 1));
        assert!(!waits(&[PROSE, letter], 2));
        assert!(!waits(&[PROSE, toll], 1));
    }

    #[test]
    fn an_edit_that_is_taken_back_may_be_a_stale_copy() {
        let (old, new) = (
            "The fire killed nobody at all.",
            "The fire killed a man of the town.",
        );
        let own = article(1, &[&[PROSE, old], &[PROSE, new]]);
        let rules = Rules::default();
        let back =
            |now: &[&str]| Suspect::takes_back([&state(&[PROSE, new]), &state(now)], &own, &rules);
        assert!(back(&[PROSE, old]));
        assert!(!back(&[PROSE, "The fire killed two men of the town."]));
        assert!(!back(&["The council has not bought the mill.", old]));
        assert!(!back(&[PROSE, new]));
    }

    #[test]
    fn only_the_like_moves_elsewhere() {
        let (old, new) = (
            state(&[PROSE, "So far 15 neighbours have read this"]),
            state(&[PROSE, "So far 18 neighbours have read this"]),
        );
        let read = "So far 12 neighbours have read this";
        let mut site = vec![
            article(2, &[&["One.", read], &["Another.", read]]),
            article(3, &[&["Three.", "So far 4 neighbours have read this"]]),
        ];
        let rules = Rules::default();
        let suspect = Suspect::of([&old, &new], EntryId(1), &site, &rules).unwrap();
        assert_eq!(suspect.carriers, [EntryId(2), EntryId(3)]);
        assert_eq!(suspect.moved_elsewhere(EntryId(1), &site, &rules), None);
        site.push(article(
            4,
            &[
                &["Four.", read],
                &["Four.", "So far 5 neighbours have read this"],
            ],
        ));
        let moved = suspect.moved_elsewhere(EntryId(1), &site, &rules);
        assert_eq!(moved, Some(Timestamp::from_unix(2)));
        assert_eq!(suspect.moved_elsewhere(EntryId(4), &site, &rules), None);
    }
}
