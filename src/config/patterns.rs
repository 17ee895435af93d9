//! Lists of selectors and expressions, each checked at its place in the file.

use super::reader::At;
use super::resolve::Resolver;
use crate::domain::durations::shortened;
use crate::extract;

impl Resolver<'_> {
    pub(super) fn selectors(
        &mut self,
        key: &str,
        raw: Option<&At<Vec<At<String>>>>,
        below: &[String],
    ) -> Vec<String> {
        self.patterns(key, raw, below, extract::check_selector)
    }

    /// The patterns that `check` accepts.
    pub(super) fn patterns(
        &mut self,
        key: &str,
        raw: Option<&At<Vec<At<String>>>>,
        below: &[String],
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Vec<String> {
        /// Every text is searched for all of them.
        const MOST: usize = 100;
        let Some(raw) = raw else {
            return below.to_vec();
        };
        if raw.value.len() > MOST {
            let message = format!(
                "{key} has {} items; expected at most {MOST}",
                raw.value.len()
            );
            self.problems.add(&raw.place, message);
        }
        let mut patterns = Vec::with_capacity(raw.value.len().min(MOST));
        for pattern in raw.value.iter().take(MOST) {
            if let Err(why) = check(&pattern.value) {
                let shown = shortened(&pattern.value);
                let message = format!("{key}: {shown:?} is not valid: {why}");
                self.problems.add(&pattern.place, message);
            } else if !patterns.contains(&pattern.value) {
                patterns.push(pattern.value.clone());
            }
        }
        patterns
    }
}
