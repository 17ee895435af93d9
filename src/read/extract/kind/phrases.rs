//! The phrases of `phrases.txt`, by their meaning.

use std::sync::LazyLock;

/// All phrases, in plain form.
pub(in crate::extract) static PHRASES: LazyLock<Phrases> = LazyLock::new(Phrases::read);

/// Phrases by what they say about a page.
#[derive(Debug, Default)]
pub(in crate::extract) struct Phrases {
    pub(in crate::extract) robot_title: Vec<&'static str>,
    pub(in crate::extract) robot: Vec<&'static str>,
    pub(in crate::extract) gone: Vec<&'static str>,
    pub(in crate::extract) gone_title: Vec<&'static str>,
    pub(in crate::extract) gone_fill: Vec<&'static str>,
    pub(in crate::extract) consent: Vec<&'static str>,
    pub(in crate::extract) consent_offer: Vec<&'static str>,
    pub(in crate::extract) consent_about: Vec<&'static str>,
    pub(in crate::extract) pay: Vec<&'static str>,
    pub(in crate::extract) down: Vec<&'static str>,
}

impl Phrases {
    fn read() -> Self {
        let mut all = Self::default();
        for (kind, _, phrase) in lines() {
            if let Some(list) = all.list(kind) {
                list.push(phrase);
            }
        }
        all
    }

    fn list(&mut self, kind: &str) -> Option<&mut Vec<&'static str>> {
        Some(match kind {
            "robot-title" => &mut self.robot_title,
            "robot" => &mut self.robot,
            "gone" => &mut self.gone,
            "gone-title" => &mut self.gone_title,
            "gone-fill" => &mut self.gone_fill,
            "consent" => &mut self.consent,
            "consent-offer" => &mut self.consent_offer,
            "consent-about" => &mut self.consent_about,
            "pay" => &mut self.pay,
            "down" => &mut self.down,
            _ => return None,
        })
    }
}

/// Kind, language and phrase.
fn lines() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    include_str!("phrases.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| {
            let (kind, rest) = line.split_once(' ')?;
            let (language, phrases) = rest.split_once(' ')?;
            Some((kind, language, phrases))
        })
        .flat_map(|(kind, language, phrases)| {
            phrases
                .split('|')
                .map(move |phrase| (kind, language, phrase))
        })
}

/// Lower case, with plain apostrophes.
pub(in crate::extract) fn plain(text: &str) -> String {
    text.to_lowercase().replace('’', "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_of_a_known_kind_and_in_plain_form() {
        let mut all = Phrases::default();
        for (kind, language, phrase) in lines() {
            assert!(all.list(kind).is_some(), "{kind} {language}");
            assert!(
                language.len() == 2 && !phrase.is_empty(),
                "{kind} {language}"
            );
            assert_eq!(plain(phrase), phrase);
            assert_eq!(phrase.trim(), phrase, "{kind} {language}");
        }
    }

    #[test]
    fn the_languages_of_most_news_are_known() {
        for kind in ["robot", "gone", "pay", "down"] {
            for language in ["en", "es", "de", "fr", "pt", "ru", "ja", "it", "zh", "ar"] {
                let known = lines().any(|(this, of, _)| this == kind && of == language);
                assert!(known, "{kind} {language}");
            }
        }
    }
}
