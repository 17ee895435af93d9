//! The past of a site's articles → rules with their evidence.

use std::collections::{HashMap, HashSet};

use super::pattern::{LONGEST, is_fact, is_sentence, template_key, text_key};
use super::rules::{RuleKind, Rules};
use crate::domain::assess::is_notice;
use crate::domain::ids::EntryId;
use crate::domain::state::{Block, BlockKind};
use crate::time::Timestamp;

/// What comes and goes or churns has to do so in this many articles.
const MOVERS: usize = 3;

/// What recurs, or churns, has to stand in this many articles, and in more than half of those looked at.
const CARRIERS: usize = 5;

/// Blocks of one text that are looked at; a longer one is no article.
const BLOCKS: usize = 400;

/// More blocks than this that come and go at one look are an edit, whatever else they are.
const MOVED: usize = 12;

/// Rules that one learning gives at most, the best founded first.
const LEARNED: usize = 50;

/// The past of an article on one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Article {
    /// Which one.
    pub entry: EntryId,
    /// The texts that it had, oldest first, each with the moment when it was first seen. A text that stayed stands
    /// there once.
    pub texts: Vec<(Timestamp, Vec<Block>)>,
}

/// Why a rule was learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LearnedKind {
    /// The same text went out of articles and came back.
    ComesAndGoes,
    /// The same text with other numbers and names, at most looks.
    Churns,
    /// The same text in most articles.
    Recurs,
}

impl LearnedKind {
    /// For people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ComesAndGoes => "comes and goes",
            Self::Churns => "churns in most articles",
            Self::Recurs => "stands in most articles",
        }
    }

    /// What the rule is about.
    #[must_use]
    pub fn rule(self) -> RuleKind {
        match self {
            Self::ComesAndGoes | Self::Recurs => RuleKind::Text,
            Self::Churns => RuleKind::Template,
        }
    }
}

/// A rule that was learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned {
    /// Why.
    pub kind: LearnedKind,
    /// Such a text, as published.
    pub sample: String,
    /// The articles that had it, in the order given.
    pub entries: Vec<EntryId>,
    /// How many articles were looked at.
    pub of: usize,
    /// How often it came, went or moved.
    pub moves: usize,
    /// When it was seen first.
    pub since: Timestamp,
}

/// Learns what is furniture of a site: see the [module](super). `known` are the rules in force; what they leave out
/// is not learned again.
///
/// Time and memory grow with the texts; the caller bounds how many there are, a text is read for its first 400 blocks.
#[must_use]
pub fn learn(articles: &[Article], known: &Rules) -> Vec<Learned> {
    let mut texts: HashMap<String, Track<'_>> = HashMap::new();
    let mut templates: HashMap<String, Track<'_>> = HashMap::new();
    for (at, article) in articles.iter().enumerate() {
        Past::of(article, known).note(at, &mut texts, &mut templates);
    }
    let all = articles.len();
    let recurs =
        |track: &Track<'_>| track.now >= CARRIERS && track.now * 2 > all && track.may_recur();
    // Where articles are mostly the same text, that text is what they say.
    let are_distinct = articles.iter().filter(|article| {
        let last = article.texts.last().map(|(_, blocks)| blocks.as_slice());
        let blocks = last.unwrap_or_default();
        let shared = blocks.iter().filter(|block| {
            known.rule_of(&block.text).is_some()
                || texts.get(&text_key(&block.text)).is_some_and(recurs)
        });
        shared.count() * 2 < blocks.len()
    });
    let are_distinct = are_distinct.count() * 2 > all;
    let mut learned: Vec<Learned> = Vec::new();
    for track in texts.values() {
        if track.returned >= MOVERS {
            learned.push(track.learned(LearnedKind::ComesAndGoes, articles));
        } else if are_distinct && recurs(track) {
            learned.push(track.learned(LearnedKind::Recurs, articles));
        }
    }
    for track in templates.values() {
        let most = track.carriers.len() >= CARRIERS && track.carriers.len() * 2 > all;
        if most && track.movers >= MOVERS && track.movers * 2 >= track.carriers.len() {
            learned.push(track.learned(LearnedKind::Churns, articles));
        }
    }
    // The order of a hash map is no order.
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

/// Whether a text moves in a way in which furniture moves, so that it is worth while to learn: a block came or went
/// that nothing like it took the place of, or only numbers and names in it moved.
#[must_use]
pub fn may_be_furniture(old: &[Block], new: &[Block], known: &Rules) -> bool {
    let article = |blocks: &[Block]| Article {
        entry: EntryId(0),
        texts: vec![(Timestamp::default(), blocks.to_vec())],
    };
    let (old, new) = (article(old), article(new));
    let (old, new) = (Past::of(&old, known), Past::of(&new, known));
    let (Some((_, old)), Some((_, new))) = (old.looks.first(), new.looks.first()) else {
        return false;
    };
    let (before, after) = (keys(old), keys(new));
    let gone: Vec<&Form<'_>> = old
        .iter()
        .filter(|form| !after.contains(form.text.as_str()))
        .collect();
    let come: Vec<&Form<'_>> = new
        .iter()
        .filter(|form| !before.contains(form.text.as_str()))
        .collect();
    if gone.len() > MOVED || come.len() > MOVED {
        return false;
    }
    let moves = |form: &&Form<'_>, others: &[&Form<'_>]| {
        let mut alike = others
            .iter()
            .filter(|other| are_alike(&form.text, &other.text))
            .peekable();
        alike.peek().is_none()
            || alike.any(|other| form.template.is_some() && form.template == other.template)
    };
    come.iter().any(|form| moves(form, &gone)) || gone.iter().any(|form| moves(form, &come))
}

/// What is known of a text, or of a template.
struct Track<'a> {
    sample: &'a Block,
    since: Timestamp,
    /// Places of the articles that have or had it, ascending.
    carriers: Vec<usize>,
    /// Articles that have it in their last text.
    now: usize,
    /// Articles out of which it went, by itself, and into which it came back.
    returned: usize,
    /// Articles in which it moved at most looks.
    movers: usize,
    moves: usize,
}

impl<'a> Track<'a> {
    fn of(sample: &'a Block, since: Timestamp) -> Self {
        Self {
            sample,
            since,
            carriers: Vec::new(),
            now: 0,
            returned: 0,
            movers: 0,
            moves: 0,
        }
    }

    fn carried(&mut self, article: usize, since: Timestamp) {
        if self.carriers.last() != Some(&article) {
            self.carriers.push(article);
        }
        self.since = self.since.min(since);
    }

    /// Whether the text is one that many articles share for no other reason than that the site puts it there.
    fn may_recur(&self) -> bool {
        self.sample.kind == BlockKind::Paragraph
            && is_sentence(&self.sample.text)
            && !is_fact(&self.sample.text)
    }

    fn learned(&self, kind: LearnedKind, articles: &[Article]) -> Learned {
        Learned {
            kind,
            sample: self.sample.text.clone(),
            entries: self
                .carriers
                .iter()
                .filter_map(|at| articles.get(*at).map(|article| article.entry))
                .collect(),
            of: articles.len(),
            moves: self.moves,
            since: self.since,
        }
    }
}

/// A block in the forms that are counted.
struct Form<'a> {
    block: &'a Block,
    text: String,
    template: Option<String>,
}

/// The texts of an article, block by block.
struct Past<'a> {
    looks: Vec<(Timestamp, Vec<Form<'a>>)>,
}

/// How a text or a template moved within one article.
#[derive(Default)]
struct Motion {
    came: usize,
    went: usize,
    returned: bool,
    looks: usize,
}

impl<'a> Past<'a> {
    fn of(article: &'a Article, known: &Rules) -> Self {
        let looks = article.texts.iter().map(|(seen, blocks)| {
            let forms = blocks
                .iter()
                .take(BLOCKS)
                .filter(|block| may_be_learned(block, known))
                .map(|block| Form {
                    block,
                    text: text_key(&block.text),
                    template: template_key(&block.text),
                });
            (*seen, forms.collect())
        });
        Self {
            looks: looks.collect(),
        }
    }

    fn note(
        &self,
        at: usize,
        texts: &mut HashMap<String, Track<'a>>,
        templates: &mut HashMap<String, Track<'a>>,
    ) {
        for (seen, forms) in &self.looks {
            for form in forms {
                let track = |tracks: &mut HashMap<String, Track<'a>>, key: &str| {
                    if let Some(track) = tracks.get_mut(key) {
                        track.carried(at, *seen);
                    } else {
                        let mut track = Track::of(form.block, *seen);
                        track.carried(at, *seen);
                        tracks.insert(key.to_owned(), track);
                    }
                };
                track(texts, &form.text);
                if let Some(template) = &form.template {
                    track(templates, template);
                }
            }
        }
        if let Some((_, last)) = self.looks.last() {
            let last: HashSet<&str> = last.iter().map(|form| form.text.as_str()).collect();
            for text in last {
                if let Some(track) = texts.get_mut(text) {
                    track.now += 1;
                }
            }
        }
        let (by_text, by_template, looks) = self.motions();
        for (text, motion) in by_text {
            if let Some(track) = texts.get_mut(text) {
                track.moves += motion.came + motion.went;
                track.returned += usize::from(motion.returned);
            }
        }
        for (template, motion) in by_template {
            if let Some(track) = templates.get_mut(template) {
                track.moves += motion.looks;
                // Twice at least, and at two of three looks that saw anything move.
                track.movers += usize::from(motion.looks >= 2 && motion.looks * 3 >= looks * 2);
            }
        }
    }

    /// What moved by itself between each text and the next, and how often anything did.
    fn motions(&self) -> (HashMap<&str, Motion>, HashMap<&str, Motion>, usize) {
        let mut texts: HashMap<&str, Motion> = HashMap::new();
        let mut templates: HashMap<&str, Motion> = HashMap::new();
        let mut looks = 0;
        for pair in self.looks.windows(2) {
            let [(_, old), (_, new)] = pair else { continue };
            looks += 1;
            let (before, after) = (keys(old), keys(new));
            let gone: Vec<&Form<'_>> = old
                .iter()
                .filter(|form| !after.contains(form.text.as_str()))
                .collect();
            let come: Vec<&Form<'_>> = new
                .iter()
                .filter(|form| !before.contains(form.text.as_str()))
                .collect();
            let stayed = old.len() - gone.len();
            // Most of the article stays while its furniture moves.
            if gone.len() > MOVED || come.len() > MOVED || stayed < gone.len().max(come.len()) {
                continue;
            }
            let mut moved: HashSet<&str> = HashSet::new();
            for form in &gone {
                moved.extend(form.template.as_deref());
                // What is put in the place of a text that is much like it is an edit of that text.
                if !come.iter().any(|other| are_alike(&form.text, &other.text)) {
                    texts.entry(&form.text).or_default().went += 1;
                }
            }
            for form in &come {
                moved.extend(form.template.as_deref());
                if !gone.iter().any(|other| are_alike(&form.text, &other.text)) {
                    let motion = texts.entry(&form.text).or_default();
                    motion.came += 1;
                    motion.returned |= motion.went > 0;
                }
            }
            for template in moved {
                templates.entry(template).or_default().looks += 1;
            }
        }
        (texts, templates, looks)
    }
}

fn keys<'k>(forms: &'k [Form<'_>]) -> HashSet<&'k str> {
    forms.iter().map(|form| form.text.as_str()).collect()
}

/// Whether two texts share half of their words.
fn are_alike(one: &str, other: &str) -> bool {
    let one: HashSet<&str> = one.split_whitespace().collect();
    let other: HashSet<&str> = other.split_whitespace().collect();
    let common = one.intersection(&other).count();
    common * 2 >= one.len().min(other.len())
}

fn may_be_learned(block: &Block, known: &Rules) -> bool {
    let kind = !matches!(block.kind, BlockKind::Furniture | BlockKind::Code);
    kind && block.text.len() <= LONGEST
        && known.rule_of(&block.text).is_none()
        && !is_notice(&block.text)
}
