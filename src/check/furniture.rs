//! The rules of a feed during a check: the stored ones, and those that its past gives now.

use crate::domain::furniture::{
    ArticlePast, InForce, Learned, LearnedKind, Rule, RuleEvidence, RuleOrigin, Rules, TextStep,
    learn, may_be_furniture,
};
use crate::domain::ids::FeedId;
use crate::domain::ignored::learned_number;
use crate::domain::outcome::NewRule;
use crate::domain::state::Channel;
use crate::store::{Reader, StoreError};
use crate::time::Timestamp;
use sha2::{Digest, Sha256};

/// The most rules of one feed; more would only cost time.
const MOST: usize = 500;

/// The most articles that are named as evidence.
const NAMED: usize = 10;

/// The rules of a feed, and what this check has learned.
#[derive(Debug, Clone, Default)]
pub(super) struct FeedRules {
    stored: Vec<Rule>,
    learned: Vec<NewRule>,
    now: Timestamp,
}

impl FeedRules {
    /// Reads the stored ones.
    pub(super) fn read(reader: &Reader, feed: FeedId, now: Timestamp) -> Result<Self, StoreError> {
        let rows = reader.rules(Some(feed))?;
        let stored = rows.into_iter().take(MOST).map(|row| row.rule).collect();
        Ok(Self {
            stored,
            learned: Vec::new(),
            now,
        })
    }

    /// A hash of the stored rules: under the same rules a text is compared in the same way.
    pub(super) fn print(&self) -> u128 {
        let mut hash = Sha256::new();
        hash.update(env!("CARGO_PKG_VERSION"));
        for rule in &self.stored {
            let Rule {
                id,
                kind,
                pattern,
                origin,
                on,
                since,
                evidence,
            } = rule;
            let of = (id.0, kind.as_str(), pattern, origin.as_str(), on, since);
            // Both can be written as JSON; without one, the hash would cover fewer rules and so be a different one.
            for part in [serde_json::to_vec(&of), serde_json::to_vec(evidence)] {
                hash.update(part.unwrap_or_default());
                hash.update([0]);
            }
        }
        let digest: [u8; 32] = hash.finalize().into();
        let (half, _) = digest.split_at(16);
        half.iter()
            .fold(0, |print, byte| (print << 8) | u128::from(*byte))
    }

    /// The rules for a check, when the text was last read at `last_look`.
    pub(super) fn in_force(&self, last_look: Option<Timestamp>) -> InForce {
        let mut rules = self.stored.clone();
        rules.extend(self.learned.iter().enumerate().map(|(at, rule)| Rule {
            // It has no number of its own before it is stored.
            id: learned_number(at),
            kind: rule.kind,
            pattern: rule.pattern.clone(),
            origin: RuleOrigin::Learned,
            on: true,
            since: self.now,
            evidence: Some(rule.evidence.clone()),
        }));
        InForce::of(&rules, last_look)
    }

    /// Whether a text moves as furniture moves, so that there may be something to learn from the feed's past.
    ///
    /// The check in progress is not evidence: nothing that it found has been reported yet.
    pub(super) fn may_learn(&self, steps: &[TextStep<'_>]) -> bool {
        if self.stored.len() >= MOST {
            return false;
        }
        // A rule that a person dropped is not learned again; one learned by an older version from less may be.
        let known = Rules::of(self.stored.iter().filter(|rule| !rule.is_retired()));
        steps.iter().any(|step| may_be_furniture(step, &known))
    }

    /// Learns from the past of the feed's articles.
    pub(super) fn learn_from(&mut self, articles: &[ArticlePast], channel: Channel) {
        let known = Rules::of(self.stored.iter().filter(|rule| !rule.is_retired()));
        if self.stored.len() < MOST {
            let learned = learn(articles, &known, channel);
            self.learned.extend(learned.into_iter().map(new_rule));
        }
    }

    /// The rules to store.
    pub(super) fn into_learned(self) -> Vec<NewRule> {
        self.learned
    }
}

fn new_rule(learned: Learned) -> NewRule {
    let kind = learned.kind.rule();
    NewRule {
        kind,
        evidence: RuleEvidence {
            why: learned.kind.as_str().to_owned(),
            articles: learned.entries.len(),
            of: learned.of,
            moves: learned.moves,
            since: learned.since,
            entries: Vec::new(),
            places: learned.places,
            comes_and_goes: learned.comes_and_goes,
            in_titles: learned.kind == LearnedKind::CountsInTitles,
            retired: false,
        },
        pattern: learned.sample,
        entries: learned.entries.into_iter().take(NAMED).collect(),
    }
}
