//! The keys of a target that filter events by words and labels, and those that hold events back.

use super::kinds::TargetKind;
use super::raw::RawTargetCommon;
use super::reader::At;
use super::resolve::Resolver;
use super::targets::is_event;
use crate::domain::classify::Label;
use crate::domain::durations::shortened;
use crate::domain::holding::{DigestPlan, Holding, QuietHours, Urgent};
use crate::domain::wording::WordPhrase;

/// Messages per hour to a public account, unless the target sets its own limit.
const PUBLIC_MOST: usize = 6;

/// How many words to search for, and their length in characters: each change is compared with all of them.
const MOST_WORDS: usize = 100;
const LONGEST_WORDS: usize = 100;

impl Resolver<'_> {
    /// What a target holds back.
    pub(super) fn holding(&mut self, raw: &RawTargetCommon, kind: TargetKind) -> Holding {
        let public = kind.is_public();
        let held = [
            ("digest", raw.digest.as_ref()),
            ("quiet_hours", raw.quiet_hours.as_ref()),
        ];
        for (key, at) in held {
            if let Some(at) = at.filter(|_| public || !kind.takes_events()) {
                let kind = kind.as_str();
                let message = format!("{key} is not for targets of kind \"{kind}\"; remove it");
                self.problems.add(&at.place, message);
            }
        }
        let tz = self.timezone;
        let parse = |text: &str| DigestPlan::parse(text, tz);
        let digest = self.measured("digest", raw.digest.as_ref(), parse);
        let parse = |text: &str| QuietHours::parse(text, tz);
        let quiet = self.measured("quiet_hours", raw.quiet_hours.as_ref(), parse);
        let send_empty = raw.send_empty.as_ref();
        if let Some(at) = send_empty.filter(|at| at.value && raw.digest.is_none()) {
            let message = "send_empty is set without a digest; set digest, such as \"daily 07:00\"";
            self.problems.add(&at.place, message);
        }
        let fallback = if public { PUBLIC_MOST } else { 0 };
        let most = self.number(
            "max_per_hour",
            raw.max_per_hour.as_ref(),
            usize::from(public)..=3600,
            fallback,
        );
        Holding {
            digest,
            urgent: self.each(raw.digest_except.as_ref(), urgent),
            quiet,
            most: u32::try_from(most).ok().filter(|most| *most > 0),
            send_empty: send_empty.is_some_and(|at| at.value),
        }
    }

    /// The labels that a target wants.
    pub(super) fn labels(&mut self, labels: Option<&At<Vec<At<String>>>>) -> Vec<Label> {
        self.each(labels, |text| {
            let unknown = || {
                format!(
                    "{:?} is not a label; expected one such as \"headline\"",
                    shortened(text)
                )
            };
            Label::parse(text).ok_or_else(unknown)
        })
    }

    /// The words that a target wants.
    pub(super) fn words(&mut self, words: Option<&At<Vec<At<String>>>>) -> Vec<WordPhrase> {
        if let Some(words) = words.filter(|words| words.value.len() > MOST_WORDS) {
            let message = format!("words has more than {MOST_WORDS} entries; use fewer");
            self.problems.add(&words.place, message);
        }
        self.each(words, |text| {
            if text.chars().count() > LONGEST_WORDS {
                return Err(format!(
                    "words has a text of more than {LONGEST_WORDS} characters"
                ));
            }
            let none =
                || format!("{text:?} has no letters; expected words such as \"prime minister\"");
            WordPhrase::parse(text).ok_or_else(none)
        })
    }

    /// Parses each text of a list.
    fn each<T: PartialEq>(
        &mut self,
        list: Option<&At<Vec<At<String>>>>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let mut all = Vec::new();
        for text in list.iter().flat_map(|list| &list.value) {
            match read(&text.value) {
                Ok(one) if !all.contains(&one) => all.push(one),
                Ok(_) => {}
                Err(problem) => self.problems.add(&text.place, problem),
            }
        }
        all
    }
}

/// `entry.removed`, `negation` or `score>=80`.
fn urgent(text: &str) -> Result<Urgent, String> {
    let score = text.strip_prefix("score").map(str::trim_start);
    if let Some(least) = score.and_then(|text| text.strip_prefix(">="))
        && let Some(least) = least.trim().parse().ok().filter(|least| *least <= 100)
    {
        return Ok(Urgent::Score(least));
    }
    if is_event(text) {
        return Ok(Urgent::Event(text.to_owned()));
    }
    Label::parse(text).map(Urgent::Label).ok_or_else(|| {
        format!(
            "{:?} is not an event, a label or a score; expected something like \"entry.removed\", \"negation\" or \"score>=80\"",
            shortened(text)
        )
    })
}
