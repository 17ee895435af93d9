//! Where sentences end.

use super::chars::is_ideograph;
use super::token::{Class, Token};

/// Words that end with a dot inside a sentence, in lower case, without the dot.
const ABBREVIATIONS: &[&str] = &[
    // English
    "mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "gen", "col", "lt", "sgt", "capt", "cmdr",
    "rep", "sen", "gov", "rev", "hon", "pres", "supt", "det", "vs", "etc", "inc", "ltd", "corp",
    "co", "bros", "dept", "eds", "al", "approx", "jan", "feb", "mar", "apr", "jun", "jul", "aug",
    "sep", "sept", "oct", "nov", "dec", "mon", "tue", "thu", "ave", "blvd", "rd", "mt", "ft", "cf",
    "resp", "e.g", "i.e", "a.m", "p.m", "viz", "ca", // German
    "bzw", "ca", "usw", "z.b", "u.a", "d.h", "str", "tel", "hr", "fr", "mio", "mrd", "tsd", "geb",
    "gest", "evtl", "ggf", "vgl", "sog", "inkl", "zzgl", "bsp",
    // French, Spanish, Portuguese, Italian
    "m", "mm", "mme", "mlle", "mgr", "av", "env", "ex", "sra", "srta", "ud", "uds", "pág", "núm",
    "aprox", "d", "dª", "sig", "dott", "avv", "ing", "exmo", "exma", // Russian
    "г", "гг", "в", "вв", "им", "ул", "д", "стр", "тыс", "млн", "млрд", "руб", "т.е", "т.д", "т.п",
    "др", "рис",
];

/// The ends of the sentences, as indices into `items`, including the last one.
///
/// `items` are indices of tokens, without white space. A sentence keeps its closing quotation marks and brackets.
pub(super) fn ends(text: &str, tokens: &[Token], items: &[usize]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut k = 0;
    while k < items.len() {
        let here = token_text(text, tokens, items, k);
        k += 1;
        let Some(stop) = stop_kind(here) else {
            continue;
        };
        let mut close = k;
        while close < items.len() && is_closing(text, tokens, items, close) {
            close += 1;
        }
        if close >= items.len() {
            break;
        }
        if is_end(text, tokens, items, k - 1, close, stop) {
            ends.push(close);
            k = close;
        }
    }
    if !items.is_empty() {
        ends.push(items.len());
    }
    ends
}

/// Words that end with a dot inside a sentence, but only before a figure.
const BEFORE_FIGURES: &[&str] = &[
    "no", "nos", "nr", "art", "abs", "fig", "figs", "vol", "p", "pp", "ch", "sec", "sect", "eq",
    "eqs", "ref", "refs", "est", "n", "s", "§", "núm", "стр", "рис", "ст", "app", "ed",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// `.`, `…`: may be an abbreviation.
    Dot,
    /// `!`, `?`: needs a space after it.
    Clear,
    /// `。`, `！`, `？`: needs nothing.
    Wide,
}

fn stop_kind(token: &str) -> Option<Stop> {
    match token.chars().next()? {
        '.' | '…' => token
            .chars()
            .all(|c| matches!(c, '.' | '…'))
            .then_some(Stop::Dot),
        '!' | '?' | '؟' | '۔' | '।' | '॥' | '։' | '።' => Some(Stop::Clear),
        '。' | '！' | '？' | '｡' => Some(Stop::Wide),
        _ => None,
    }
}

fn token_text<'a>(text: &'a str, tokens: &[Token], items: &[usize], k: usize) -> &'a str {
    items
        .get(k)
        .and_then(|&item| tokens.get(item))
        .map_or("", |token| token.of(text))
}

/// Whether the item is a closing mark directly after the previous item.
fn is_closing(text: &str, tokens: &[Token], items: &[usize], k: usize) -> bool {
    let mark = token_text(text, tokens, items, k);
    let closes = mark.chars().all(|c| {
        matches!(
            c,
            '"' | '\'' | '”' | '’' | '»' | '›' | ')' | ']' | '」' | '』' | '）' | '“' | '‘'
        )
    });
    let glued = items
        .get(k)
        .zip(items.get(k - 1))
        .is_some_and(|(here, before)| here - before == 1);
    let more_stops = glued && stop_kind(mark).is_some();
    (closes && glued) || more_stops
}

/// Whether a sentence ends between the stop and the item at `next`.
fn is_end(
    text: &str,
    tokens: &[Token],
    items: &[usize],
    stop: usize,
    next: usize,
    kind: Stop,
) -> bool {
    if kind == Stop::Wide {
        return true;
    }
    let spaced = items
        .get(next)
        .zip(items.get(next - 1))
        .is_some_and(|(here, before)| here - before > 1);
    if !spaced {
        return false;
    }
    let follower = token_text(text, tokens, items, next);
    let begins = follower.chars().find(|c| c.is_alphanumeric()).or_else(|| {
        // A quotation mark or bracket before the first word.
        let opening = follower.chars().next()?;
        if matches!(
            opening,
            '"' | '“' | '„' | '«' | '\'' | '‘' | '(' | '[' | '¿' | '¡' | '-' | '–' | '—'
        ) {
            token_text(text, tokens, items, next + 1)
                .chars()
                .find(|c| c.is_alphanumeric())
        } else {
            None
        }
    });
    let starts_new = begins.is_some_and(|c| !c.is_lowercase() || is_ideograph(c));
    if !starts_new {
        return false;
    }
    if kind == Stop::Clear {
        return true;
    }
    let Some(before) = stop.checked_sub(1) else {
        return false;
    };
    let glued = items
        .get(stop)
        .zip(items.get(before))
        .is_some_and(|(here, before)| here - before == 1);
    if !glued {
        return true;
    }
    let word = token_text(text, tokens, items, before);
    let class = items
        .get(before)
        .and_then(|&item| tokens.get(item))
        .map(|token| token.class);
    match class {
        // `3. Oktober`, `No. 5. mai`: short ordinals.
        Some(Class::Number) => word.len() > 2,
        Some(Class::Word) => {
            let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
            let known = word.chars().count() <= 6 && {
                let lower = word.to_lowercase();
                let figure =
                    begins.is_some_and(char::is_numeric) || follower.starts_with(['(', '[']);
                ABBREVIATIONS.contains(&lower.as_str())
                    || (figure && BEFORE_FIGURES.contains(&lower.as_str()))
            };
            !initial && !known
        }
        _ => true,
    }
}
