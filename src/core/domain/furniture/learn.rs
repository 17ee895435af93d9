//! The past of a site's articles → rules with their evidence.

use crate::names;
use std::collections::{BTreeSet, HashMap, HashSet};

use super::motion::{BLOCKS, BlockForm, Motions, Past, forms, went_back};
use super::pattern::{Shape, ValueKind};
use super::rule::{RuleKind, TemplatePlace};
use super::rules::{Moves, Rules};
use super::titles;
use crate::domain::assess::states_a_fact;
use crate::domain::ids::EntryId;
use crate::domain::state::{Block, Channel};
use crate::time::Timestamp;

/// A text that comes and goes or churns has to do so in at least this many articles.
const MOVERS: usize = 3;

/// A text that churns has to be in at least this many articles, and in more than half of those checked. So has a
/// text that comes and goes, unless it did so in this many.
const CARRIERS: usize = 5;

/// If more blocks than this come and go at one check, it is an edit in any case.
pub(super) const MOVED: usize = 12;

/// The most rules that are learned at one time, those with the best evidence first.
const LEARNED: usize = 50;

/// The past of an article on one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ArticlePast {
    /// The entry.
    pub entry: EntryId,
    /// The texts that it had, oldest first, each with the time when it was first seen. An unchanged text is listed
    /// once.
    pub texts: Vec<(Timestamp, Vec<Block>)>,
    /// Its headlines, likewise.
    pub titles: Vec<(Timestamp, String)>,
    /// When it was last checked.
    pub looked: Timestamp,
}

/// What a check found, and what was known before.
#[derive(Debug, Clone, Copy)]
pub struct TextStep<'a> {
    /// The headline before and now.
    pub titles: [Option<&'a str>; 2],
    /// The text before and now.
    pub texts: [&'a [Block]; 2],
}

names! {
    /// Why a rule was learned.
    pub enum LearnedKind {
        /// The same text disappeared from articles and came back.
        ComesAndGoes = "comes and goes",
        /// The same text with other numbers and names, at most checks.
        Churns = "churns in most articles",
        /// A number before or after most headlines.
        CountsInTitles = "a number that moves in most headlines",
    }
}

impl LearnedKind {
    /// What the rule is about.
    #[must_use]
    pub fn rule(self) -> RuleKind {
        match self {
            Self::ComesAndGoes => RuleKind::Text,
            Self::Churns | Self::CountsInTitles => RuleKind::Template,
        }
    }
}

/// A learned rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned {
    /// The reason.
    pub kind: LearnedKind,
    /// An example text, as published.
    pub sample: String,
    /// The articles that had it, in the order given.
    pub entries: Vec<EntryId>,
    /// How many articles were checked.
    pub of: usize,
    /// How often it came, went or changed.
    pub moves: usize,
    /// When it was first seen.
    pub since: Timestamp,
    /// The places of a template that changed.
    pub places: Vec<TemplatePlace>,
    /// Whether a template also came and went.
    pub comes_and_goes: bool,
}

/// Learns what is page furniture on a site: see the [module](super). `known` are the active rules; text that they
/// cover is not learned again.
///
/// Time and memory grow with the texts. The caller limits their number, and only the first 400 blocks of a text are
/// read.
#[must_use]
pub fn learn(articles: &[ArticlePast], known: &Rules, channel: Channel) -> Vec<Learned> {
    let pasts: Vec<Past<'_>> = articles
        .iter()
        .map(|article| Past::of(article, known))
        .collect();
    let back = match channel {
        Channel::Feed => went_back(&pasts),
        Channel::Page => BTreeSet::new(),
    };
    let mut texts: HashMap<&str, Track<'_>> = HashMap::new();
    let mut templates: HashMap<&str, Track<'_>> = HashMap::new();
    for (at, past) in pasts.iter().enumerate() {
        for (seen, forms) in &past.looks {
            for form in forms {
                let key = form.text.as_str();
                track(&mut texts, key, form, *seen).carried(at, *seen);
                if let Some(shape) = &form.shape {
                    track(&mut templates, &shape.key, form, *seen).carried(at, *seen);
                }
            }
        }
        let motions = past.motions(&back);
        note(&motions, &mut texts, &mut templates);
        for (key, track) in &mut templates {
            let looks = motions.templates.get(key).map_or(0, |motion| motion.looks);
            let is_carried = track.carriers.last() == Some(&at);
            track.watched += usize::from(is_carried && (looks >= 2 || past.stayed));
        }
    }
    let mut learned: Vec<Learned> = Vec::new();
    for track in texts.values() {
        if track.comes_and_goes(articles) && may_be_left_out(&track.sample.text) {
            learned.push(track.learned(LearnedKind::ComesAndGoes, articles));
        }
    }
    let most = |carriers: usize| carriers >= CARRIERS && carriers * 2 > articles.len();
    for (key, track) in &templates {
        let moves = Moves {
            places: track.churning(),
            comes_and_goes: track.returned >= MOVERS && track.returned * 2 >= track.carriers.len(),
        };
        let known = known.moves_of(key);
        let (pattern, moves) = match known {
            // More may be known about it already than it has shown recently.
            Some((pattern, known)) => (pattern, moves.and(known)),
            None => (track.sample.text.as_str(), moves),
        };
        let is_new = known.is_none_or(|(_, known)| *known != moves);
        if most(track.carriers.len()) && !moves.places.is_empty() && is_new {
            learned.push(Learned {
                sample: pattern.to_owned(),
                places: moves.places,
                comes_and_goes: moves.comes_and_goes,
                ..track.learned(LearnedKind::Churns, articles)
            });
        }
    }
    learned.extend(in_titles(articles, known, most));
    // A hash map has no order.
    learned.sort_by(|a, b| {
        let found = |one: &Learned| (one.entries.len(), one.moves);
        found(b)
            .cmp(&found(a))
            .then(a.kind.cmp(&b.kind))
            .then_with(|| a.sample.cmp(&b.sample))
    });
    learned.truncate(LEARNED);
    learned
}

/// Whether a text that came and went may be left out, judging only by its words. Text that denies, counts, names or
/// quotes is never furniture; nor is a label with a value.
pub(super) fn may_be_left_out(text: &str) -> bool {
    !text.contains(char::is_numeric) && !is_label(text) && !names(text) && !states_a_fact(text)
}

/// Whether a text names somebody: two capitalised words in a row inside a sentence. A single one may be a brand, or
/// any noun in German.
fn names(text: &str) -> bool {
    let values = Shape::of(text).map_or_else(Vec::new, |shape| shape.values);
    values.iter().any(|value| {
        let words = text.get(value.range.clone()).unwrap_or_default();
        value.kind == ValueKind::Name && words.split_whitespace().nth(1).is_some()
    })
}

/// Whether a text is a label with a value, as in `Severity: high`: a fact, however many articles share it.
fn is_label(text: &str) -> bool {
    let label = text.split_once([':', '：', '|', '=']);
    label.is_some_and(|(label, value)| {
        label.split_whitespace().count() <= 5 && value.split_whitespace().count() <= 8
    })
}

/// Whether a text changes as furniture does, so that learning is worthwhile: a block came or went without a similar
/// one in its place, or only numbers and names changed in it or in the headline.
#[must_use]
pub fn may_be_furniture(step: &TextStep<'_>, known: &Rules) -> bool {
    if let [Some(old), Some(new)] = step.titles
        && titles::moved(old, new).is_some_and(|affix| !known.knows_in_titles(&affix.key))
    {
        return true;
    }
    let [old, new] = step.texts;
    let [old, new] = [(old, new), (new, old)].map(|(blocks, others)| {
        // Most blocks stay the same: their forms would only be compared with themselves.
        let others: HashSet<&Block> = others.iter().take(BLOCKS).collect();
        let blocks = blocks.iter().take(BLOCKS);
        forms(blocks.filter(|block| !others.contains(block)), known)
    });
    let (gone, come) = (
        BlockForm::only_in(&old, &new),
        BlockForm::only_in(&new, &old),
    );
    if gone.len() > MOVED || come.len() > MOVED {
        return false;
    }
    let moves = |form: &&BlockForm<'_>, others: &[&BlockForm<'_>]| {
        let mut alike = others.iter().filter(|other| form.is_like(other)).peekable();
        alike.peek().is_none() || alike.any(|other| form.has_shape_of(other))
    };
    come.iter().any(|form| moves(form, &gone)) || gone.iter().any(|form| moves(form, &come))
}

/// Numbers before or after headlines that change.
fn in_titles(
    articles: &[ArticlePast],
    known: &Rules,
    most: impl Fn(usize) -> bool,
) -> Vec<Learned> {
    struct CountedTexts<'a> {
        sample: String,
        carriers: Vec<usize>,
        movers: usize,
        moves: usize,
        since: &'a Timestamp,
    }
    let mut found: HashMap<String, CountedTexts<'_>> = HashMap::new();
    for (at, article) in articles.iter().enumerate() {
        let Some((_, last)) = article.titles.last() else {
            continue;
        };
        for affix in titles::affixes(last) {
            if known.knows_in_titles(&affix.key) {
                continue;
            }
            let moved = article.titles.windows(2).filter(|pair| {
                titles::moved(&pair[0].1, &pair[1].1).is_some_and(|moved| moved.key == affix.key)
            });
            let moves = moved.count();
            let since = &article.titles[0].0;
            let counted = found.entry(affix.key).or_insert_with(|| CountedTexts {
                sample: affix.sample,
                carriers: Vec::new(),
                movers: 0,
                moves: 0,
                since,
            });
            counted.carriers.push(at);
            counted.movers += usize::from(moves >= 2);
            counted.moves += moves;
            counted.since = counted.since.min(since);
        }
    }
    let found = found.into_values();
    let found = found.filter(|found| found.movers >= MOVERS && most(found.carriers.len()));
    found
        .map(|found| Learned {
            kind: LearnedKind::CountsInTitles,
            entries: entries(&found.carriers, articles),
            sample: found.sample,
            of: articles.len(),
            moves: found.moves,
            since: *found.since,
            places: Vec::new(),
            comes_and_goes: false,
        })
        .collect()
}

fn entries(at: &[usize], articles: &[ArticlePast]) -> Vec<EntryId> {
    let entries = at.iter().filter_map(|at| articles.get(*at));
    entries.map(|article| article.entry).collect()
}

/// What is known about a text or a template.
struct Track<'a> {
    sample: &'a Block,
    since: Timestamp,
    /// The articles that have or had it, as ascending indexes.
    carriers: Vec<usize>,
    /// The number of articles from which it disappeared on its own and to which it came back.
    returned: usize,
    moves: usize,
    /// The number of articles that were checked often enough to say whether a template changes in them.
    watched: usize,
    /// For each place of a template: the number of articles in which it changed at most checks, and the kinds of
    /// values seen there.
    places: HashMap<usize, (usize, BTreeSet<ValueKind>)>,
}

fn track<'t, 'a>(
    tracks: &'t mut HashMap<&'a str, Track<'a>>,
    key: &'a str,
    form: &BlockForm<'a>,
    seen: Timestamp,
) -> &'t mut Track<'a> {
    tracks.entry(key).or_insert_with(|| Track {
        sample: form.block,
        since: seen,
        carriers: Vec::new(),
        returned: 0,
        moves: 0,
        watched: 0,
        places: HashMap::new(),
    })
}

fn note<'a>(
    motions: &Motions<'a>,
    texts: &mut HashMap<&'a str, Track<'a>>,
    templates: &mut HashMap<&'a str, Track<'a>>,
) {
    for (text, motion) in &motions.texts {
        if let Some(track) = texts.get_mut(text) {
            track.moves += motion.came + motion.went;
            track.returned += usize::from(motion.returned);
        }
    }
    for (template, motion) in &motions.templates {
        let Some(track) = templates.get_mut(template) else {
            continue;
        };
        track.moves += motion.whole.came + motion.whole.went + motion.moved;
        track.returned += usize::from(motion.whole.returned);
        for (at, place) in &motion.places {
            let (movers, kinds) = track.places.entry(*at).or_default();
            // At least twice, and at two of three checks that could have shown a change.
            *movers += usize::from(place.looks >= 2 && place.looks * 3 >= motion.looks * 2);
            kinds.extend(&place.kinds);
        }
    }
}

impl<'a> Track<'a> {
    fn carried(&mut self, article: usize, since: Timestamp) {
        if self.carriers.last() != Some(&article) {
            self.carriers.push(article);
        }
        self.since = self.since.min(since);
    }

    /// Whether the text disappeared and came back in several articles, and belongs to the site: it is in many
    /// articles, or in most of those checked since it first appeared. An edit that a stale copy takes back from
    /// time to time is in few.
    fn comes_and_goes(&self, articles: &[ArticlePast]) -> bool {
        let since = articles
            .iter()
            .filter(|article| article.looked > self.since);
        self.returned >= MOVERS
            && (self.returned >= CARRIERS || self.carriers.len() * 2 > since.count())
    }

    /// The places that change at most checks in at least half of the articles that have such a text and were
    /// checked often enough to tell.
    fn churning(&self) -> Vec<TemplatePlace> {
        let churns = |movers: usize| movers >= MOVERS && movers * 2 >= self.watched;
        let mut places: Vec<TemplatePlace> = self
            .places
            .iter()
            .filter(|(_, (movers, _))| churns(*movers))
            .map(|(at, (_, kinds))| TemplatePlace {
                at: *at,
                kinds: kinds.iter().copied().collect(),
            })
            .collect();
        places.sort_by_key(|place| place.at);
        places
    }

    fn learned(&self, kind: LearnedKind, articles: &[ArticlePast]) -> Learned {
        Learned {
            kind,
            sample: self.sample.text.clone(),
            entries: entries(&self.carriers, articles),
            of: articles.len(),
            moves: self.moves,
            since: self.since,
            places: Vec::new(),
            comes_and_goes: false,
        }
    }
}
