//! How texts and templates came, went and changed within one article.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::counter;
use super::learn::{ArticlePast, MOVED};
use super::pattern::{LONGEST, Shape, ValueKind, text_key};
use super::rules::Rules;
use crate::domain::assess::is_notice;
use crate::domain::state::{Block, BlockKind};
use crate::time::Timestamp;

/// The most blocks that are checked in a text; a longer one is not an article.
pub(super) const BLOCKS: usize = 400;

/// A block in the forms that are counted.
pub(super) struct BlockForm<'a> {
    pub(super) block: &'a Block,
    pub(super) text: String,
    pub(super) shape: Option<Shape>,
}

impl<'a> BlockForm<'a> {
    /// Whether two texts share half of their words.
    pub(super) fn is_like(&self, other: &BlockForm<'_>) -> bool {
        let one: HashSet<&str> = self.text.split_whitespace().collect();
        let other: HashSet<&str> = other.text.split_whitespace().collect();
        let common = one.intersection(&other).count();
        common * 2 >= one.len().min(other.len())
    }

    /// Whether they differ only in numbers and names.
    pub(super) fn has_shape_of(&self, other: &BlockForm<'_>) -> bool {
        let shapes = self.shape.as_ref().zip(other.shape.as_ref());
        shapes.is_some_and(|(one, other)| one.key == other.key)
    }

    /// The forms in one text whose words are not in the other.
    pub(super) fn only_in<'f>(
        these: &'f [BlockForm<'a>],
        others: &[BlockForm<'_>],
    ) -> Vec<&'f BlockForm<'a>> {
        let others: HashSet<&str> = others.iter().map(|form| form.text.as_str()).collect();
        let these = these.iter();
        these
            .filter(|form| !others.contains(form.text.as_str()))
            .collect()
    }

    pub(super) fn into_shape(self) -> Option<String> {
        self.shape.map(|shape| shape.key)
    }

    fn values(&self) -> impl Iterator<Item = (&'a str, ValueKind)> {
        let text = self.block.text.as_str();
        let values = self.shape.iter().flat_map(|shape| &shape.values);
        values.map(|value| {
            (
                text.get(value.range.clone()).unwrap_or_default(),
                value.kind,
            )
        })
    }
}

/// The blocks of a text that may be learned.
pub(super) fn forms<'a>(
    blocks: impl IntoIterator<Item = &'a Block>,
    known: &Rules,
) -> Vec<BlockForm<'a>> {
    let may_be = |block: &&Block| {
        let kind = !matches!(block.kind, BlockKind::Furniture | BlockKind::Code);
        // A counter does not need a rule.
        let is_counter = || !counter::parts(&block.text, false).is_empty();
        kind && block.text.len() <= LONGEST
            && !known.knows(&block.text)
            && !is_notice(&block.text)
            && !is_counter()
    };
    let blocks = blocks.into_iter().take(BLOCKS).filter(may_be);
    blocks
        .map(|block| BlockForm {
            block,
            text: text_key(&known.masked(&block.text)),
            // The meaning of a number alone is unknown.
            shape: Shape::of(&block.text).filter(|shape| shape.literal > 0),
        })
        .collect()
}

/// The texts of an article, split into blocks.
pub(super) struct Past<'a> {
    pub(super) looks: Vec<(Timestamp, Vec<BlockForm<'a>>)>,
    /// Whether the last check found nothing new.
    pub(super) stayed: bool,
}

/// How often something was added to an article and removed from it.
#[derive(Default)]
pub(super) struct Motion {
    pub(super) came: usize,
    pub(super) went: usize,
    pub(super) returned: bool,
}

impl Motion {
    fn comes(&mut self) {
        self.came += 1;
        self.returned |= self.went > 0;
    }
}

/// A place in a template: at how many checks its value changed, and which kinds of values it had.
#[derive(Default)]
pub(super) struct PlaceMotion {
    pub(super) looks: usize,
    pub(super) kinds: BTreeSet<ValueKind>,
}

/// How a template changed.
#[derive(Default)]
pub(super) struct TemplateMotion {
    pub(super) whole: Motion,
    /// How often one of its places changed.
    pub(super) moved: usize,
    /// At how many checks such a change could be seen.
    pub(super) looks: usize,
    pub(super) places: HashMap<usize, PlaceMotion>,
}

/// How everything changed in an article.
#[derive(Default)]
pub(super) struct Motions<'p> {
    pub(super) texts: HashMap<&'p str, Motion>,
    pub(super) templates: HashMap<&'p str, TemplateMotion>,
}

impl<'a> Past<'a> {
    pub(super) fn of(article: &'a ArticlePast, known: &Rules) -> Self {
        let looks = article.texts.iter();
        let last = article.texts.last().map(|(seen, _)| *seen);
        Self {
            stayed: last.is_some_and(|last| article.looked > last),
            looks: looks
                .map(|(seen, blocks)| (*seen, forms(blocks, known)))
                .collect(),
        }
    }

    /// Whether the text of a check is the same as two checks before.
    fn is_back(&self, look: usize) -> bool {
        let before = look.checked_sub(2).and_then(|at| self.looks.get(at));
        let same = |one: &[BlockForm<'_>], other: &[BlockForm<'_>]| {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| one.text == other.text)
        };
        before
            .zip(self.looks.get(look))
            .is_some_and(|((_, before), (_, now))| same(before, now))
    }

    /// Changes of single texts and templates between consecutive checks. `back` are checks at which the whole
    /// document went back to an earlier state.
    pub(super) fn motions(&self, back: &BTreeSet<Timestamp>) -> Motions<'_> {
        let mut motions = Motions::default();
        // The values in the places of a template when it was last seen.
        let mut last: HashMap<&str, &BlockForm<'_>> = HashMap::new();
        for (at, pair) in self.looks.windows(2).enumerate() {
            let [(_, old), (seen, new)] = pair else {
                continue;
            };
            for form in old {
                if let Some(shape) = &form.shape {
                    last.insert(&shape.key, form);
                }
            }
            let (gone, come) = (BlockForm::only_in(old, new), BlockForm::only_in(new, old));
            let stayed = old.len() - gone.len();
            // When furniture changes, most of the article stays.
            let is_edit =
                gone.len() > MOVED || come.len() > MOVED || stayed < gone.len().max(come.len());
            // A stale copy undoes edits, so other changes at the same check say nothing.
            let takes_back = || {
                self.is_back(at + 1)
                    && come.iter().any(|form| {
                        gone.iter()
                            .any(|other| form.is_like(other) && !form.has_shape_of(other))
                    })
            };
            if is_edit || back.contains(seen) || takes_back() {
                continue;
            }
            motions.step(new, &gone, &come, &last);
        }
        motions
    }
}

impl<'p> Motions<'p> {
    fn step(
        &mut self,
        new: &'p [BlockForm<'_>],
        gone: &[&'p BlockForm<'_>],
        come: &[&'p BlockForm<'_>],
        last: &HashMap<&'p str, &'p BlockForm<'_>>,
    ) {
        for form in gone {
            // If a similar text replaces a text, that is an edit of the text.
            if !come.iter().any(|other| form.is_like(other)) {
                self.texts.entry(&form.text).or_default().went += 1;
            }
        }
        for form in come {
            if !gone.iter().any(|other| form.is_like(other)) {
                self.texts.entry(&form.text).or_default().comes();
            }
        }
        let mut gone: Vec<&&BlockForm<'_>> =
            gone.iter().filter(|form| form.shape.is_some()).collect();
        let mut seen: HashSet<&str> = HashSet::new();
        for form in new {
            let Some(shape) = &form.shape else { continue };
            let Some(was) = last.get(shape.key.as_str()) else {
                continue;
            };
            if seen.insert(&shape.key) {
                self.templates.entry(&shape.key).or_default().looks += 1;
            }
            if !come.iter().any(|other| std::ptr::eq(*other, form)) {
                continue;
            }
            let motion = self.templates.entry(&shape.key).or_default();
            let partner = gone.iter().position(|other| form.has_shape_of(other));
            let was = match partner.map(|at| gone.remove(at)) {
                Some(partner) => partner,
                None => {
                    motion.whole.comes();
                    was
                }
            };
            let mut moved = false;
            for (at, (now, then)) in form.values().zip(was.values()).enumerate() {
                if now.0 != then.0 {
                    let place = motion.places.entry(at).or_default();
                    place.looks += 1;
                    place.kinds.extend([now.1, then.1]);
                    moved = true;
                }
            }
            motion.moved += usize::from(moved);
        }
        for form in gone {
            if let Some(shape) = &form.shape
                && !come.iter().any(|other| form.is_like(other))
            {
                self.templates.entry(&shape.key).or_default().whole.went += 1;
            }
        }
    }
}

/// The checks at which a feed went back to an earlier state: every article that changed then is again what it was
/// before. This is a stale cache, and nothing can be learned from it.
pub(super) fn went_back(pasts: &[Past<'_>]) -> BTreeSet<Timestamp> {
    let mut looks: HashMap<Timestamp, bool> = HashMap::new();
    for past in pasts {
        for (at, (seen, _)) in past.looks.iter().enumerate().skip(1) {
            let all = looks.entry(*seen).or_insert(true);
            *all &= past.is_back(at);
        }
    }
    let back = looks.into_iter().filter(|(_, all)| *all);
    back.map(|(seen, _)| seen).collect()
}
