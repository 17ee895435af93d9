//! Lines that only say when something was published, changed or retrieved. They are not news by themselves.

use std::sync::LazyLock;

use super::furniture::{is_date, is_date_word, is_time_passed};

/// Words before a date that say what happened to the page on that date; see `datelines.txt`.
static LABELS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let lines = include_str!("datelines.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut labels: Vec<&str> = lines
        .filter_map(|line| line.split_once(' '))
        .flat_map(|(_, labels)| labels.split('|'))
        .collect();
    // Longest first: `last updated on` before `last updated`.
    labels.sort_by_key(|label| std::cmp::Reverse(label.len()));
    labels
});

/// A longer line, in bytes, is not just a date.
const LONGEST: usize = 200;

/// What a line says about dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateLine {
    /// Only a date: the page's own, or a fact of the article.
    Bare,
    /// When the page was published, changed or retrieved.
    OfPage,
}

/// Reads a line.
pub(super) fn read(text: &str) -> Option<DateLine> {
    if text.len() > LONGEST || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let text = text.replace('’', "'").replace(" / ", " | ");
    if is_citation(&text) {
        return Some(DateLine::OfPage);
    }
    let mut labelled = false;
    let mut parts = text
        .split(['|', '•', '·'])
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let all_dates = parts.all(|part| {
        let rest = unlabelled(part);
        labelled |= rest.len() + 2 < part.len();
        is_when(rest, labelled)
    });
    match (all_dates, labelled) {
        (true, true) => Some(DateLine::OfPage),
        (true, false) => Some(DateLine::Bare),
        _ => None,
    }
}

/// The part after the words that say what happened.
fn unlabelled(part: &str) -> &str {
    let starts_with = |label: &&&str| {
        let mut rest = part.chars();
        let all = label.chars().all(|c| {
            rest.next()
                .is_some_and(|other| other.to_lowercase().eq([c]))
        });
        let next = rest.next();
        let ends = next.is_none_or(|c| !c.is_alphabetic()) || !label.is_ascii();
        all && ends
    };
    let label = LABELS.iter().find(starts_with);
    let behind = label.map_or(0, |label| {
        part.chars()
            .take(label.chars().count())
            .map(char::len_utf8)
            .sum()
    });
    let rest = part.get(behind..).unwrap_or("");
    rest.trim_start_matches([':', '：', ' ', ',', '-', '–', '(', '\u{a0}'])
        .trim_end_matches([')', '.', ' '])
}

fn is_when(text: &str, labelled: bool) -> bool {
    let text = text
        .replace(['年', '月', '년', '월'], "-")
        .replace(['日', '일'], " ");
    let text = text.trim();
    // `Hearing: 12 March 2024` says what happens on that day.
    if text
        .split_once(':')
        .is_some_and(|(before, _)| before.ends_with(char::is_alphabetic))
    {
        return false;
    }
    let words = text.split_whitespace().count();
    // After a label, less is enough: `Updated 11:48`, `Posted Nov 19, 6:51 AM`.
    is_date(text, words)
        || is_time_passed(&text.to_lowercase(), words)
        || (labelled && is_made_of_dates(text))
}

fn is_made_of_dates(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let mut letters = text.split(|c: char| !c.is_alphabetic());
    (2..=24).contains(&digits) && text.len() <= 60 && letters.all(is_date_word)
}

/// `… retrieved 24 December 2023 from https://…`: how to cite the page, including the day of reading.
fn is_citation(text: &str) -> bool {
    ["retrieved ", "accessed "].iter().any(|verb| {
        text.split_once(verb).is_some_and(|(before, rest)| {
            let date = rest.split(" from ").next().unwrap_or(rest).trim();
            before.contains('(') && is_date(date, date.split_whitespace().count())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_about_the_page_are_told_from_dates_of_the_story() {
        for line in [
            "UPDATED: December 23, 2023 at 10:54 a.m.",
            "PUBLISHED: December 22, 2023 at 8:48 p.m. | UPDATED: December 23, 2023 at 10:54 a.m.",
            "Stand: 22.12.2023, 11:48 Uhr",
            "Last modified on Fri 22 Dec 2023 10.00 GMT",
            "Publié le 22 décembre 2023 à 11h48",
            "Mis à jour le 23/12/2023 à 10:54",
            "Actualizado: 23 de diciembre de 2023",
            "Updated 0339 GMT (1139 HKT) November 19, 2019",
            "Posted Nov 19, 6:51 AM",
            "更新：2023年12月23日",
            "Citation: A landing (2023, December 22) retrieved 24 December 2023 from https://courier.example/f.html",
        ] {
            assert_eq!(read(line), Some(DateLine::OfPage), "{line}");
        }
        for line in ["23 November 2026", "Nov 19, 2019 at 6:46 pm ET"] {
            assert_eq!(read(line), Some(DateLine::Bare), "{line}");
        }
        for line in [
            "Termin: 29.02.2024, 19 Uhr",
            "Hearing: 12 March 2024",
            "The work began on 12 March 2024.",
            "Updated rules apply from 12 March 2024 in all three counties.",
            "8 of 12",
            "3/12",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
