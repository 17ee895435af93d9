//! Changes of form: the feed shows a text differently, and nobody has edited it.
//!
//! A full text is cut to its beginning, a post moves behind a wall, or the feed fills a different element of the
//! item. The known text is kept then, and an edit that is made meanwhile is found once the full text is shown
//! again.

use super::normalise::{same_to_the_eye, visible};
use super::state::{Block, BlockKind, FeedState};

/// A shorter beginning, in bytes, says nothing.
const SHORTEST: usize = 20;

/// What may follow an ellipsis: a bracket, `Read more`.
const LONGEST_TAIL: usize = 40;

/// Without an ellipsis, at least this much has to be left, and this much has to be missing.
const UNMARKED: (usize, usize) = (60, 40);

/// The most words of a notice of a wall.
const LONGEST_NOTICE: usize = 60;

/// Whether a text is the truncated beginning of another one: cut with an ellipsis, or in the middle of a sentence.
#[must_use]
pub fn is_cut_of(short: &[Block], long: &[Block]) -> bool {
    if short == long {
        return false;
    }
    let (short, long) = (joined(short), joined(long));
    let ellipsis = [short.rfind('…'), short.rfind("...")]
        .into_iter()
        .flatten()
        .max();
    let marked =
        ellipsis.filter(|at| short[*at..].trim_start_matches(['…', '.']).len() <= LONGEST_TAIL);
    let head = match marked {
        Some(at) => short[..at].trim_end_matches(['…', '.', '[', '(', ' ', ',', ';', '-', '–']),
        None => short.as_str(),
    };
    let Some(gone) = long.strip_prefix(head) else {
        return false;
    };
    if marked.is_some() {
        let visible_gone = gone.trim_matches(|c: char| !c.is_alphanumeric());
        return head.len() >= SHORTEST
            && !visible_gone.is_empty()
            && !same_to_the_eye(&short, &long);
    }
    let ends_sentence = |text: &str| text.ends_with(|c: char| !c.is_alphanumeric());
    head.len() >= UNMARKED.0
        && gone.len() >= UNMARKED.1
        && !ends_sentence(head)
        && ends_sentence(&long)
}

/// Whether a text that shows a wall is what remains of a known one: its beginning, and a notice.
fn is_behind_a_wall(seen: &[Block], known: &[Block]) -> bool {
    let words = |blocks: &[&Block]| -> usize {
        blocks
            .iter()
            .map(|block| block.text.split_whitespace().count())
            .sum()
    };
    let known: Vec<&Block> = shown(known).collect();
    let beginning = shown(seen)
        .zip(&known)
        .take_while(|(seen, known)| same_to_the_eye(&seen.text, &known.text))
        .count();
    let notice: Vec<&Block> = shown(seen).skip(beginning).collect();
    beginning < known.len() && !notice.is_empty() && words(&notice) <= LONGEST_NOTICE
}

/// Keeps the known texts that the feed now only shows in another form.
pub(super) fn keep_known(state: &mut FeedState, known: &FeedState) {
    let walls_up = state.walled && !known.walled;
    let mut closed = false;
    for (seen, known) in [
        (&mut state.body, &known.body),
        (&mut state.summary, &known.summary),
    ] {
        let behind = walls_up && is_behind_a_wall(seen, known);
        closed |= behind;
        if behind || is_cut_of(seen, known) {
            seen.clone_from(known);
        }
    }
    if closed {
        state.walled = false;
        // Some systems put a word before the headline of a paywalled post.
        let prefixed = |seen: &str, known: &str| {
            let (seen, known) = (visible(seen), visible(known));
            let before = seen.strip_suffix(known.as_ref()).map(str::trim_end);
            before.is_some_and(|before| before.ends_with(':') && before.len() <= LONGEST_TAIL)
        };
        if let (Some(seen), Some(title)) = (&state.title, &known.title)
            && prefixed(seen, title)
        {
            state.title = Some(title.clone());
        }
    }
}

/// Whether the description differs only because it comes from another element, or is now shown in full.
#[must_use]
pub fn is_other_summary(old: &FeedState, new: &FeedState) -> bool {
    if same(&old.summary, &new.summary) {
        return false;
    }
    let (before, now) = (&old.beside, &new.beside);
    let has = |texts: &[Vec<Block>], text: &[Block]| texts.iter().any(|other| same(other, text));
    is_cut_of(&old.summary, &new.summary)
        || (before.summary_rank != now.summary_rank
            && (has(&now.summaries, &old.summary) || has(&before.summaries, &new.summary)))
}

/// Whether the full text is now shown, of which only the beginning was shown before.
#[must_use]
pub fn is_longer_body(old: &FeedState, new: &FeedState) -> bool {
    is_cut_of(&old.body, &new.body)
}

/// Whether the by-line differs only because it comes from another element.
#[must_use]
pub fn is_other_byline(old: &FeedState, new: &FeedState) -> bool {
    let (before, now) = (&old.beside, &new.beside);
    let has = |names: &[String], name: &Option<String>| {
        name.as_deref()
            .is_some_and(|name| names.iter().any(|other| same_to_the_eye(other, name)))
    };
    before.byline_rank != now.byline_rank
        && (has(&now.bylines, &old.byline) || has(&before.bylines, &new.byline))
}

fn same(a: &[Block], b: &[Block]) -> bool {
    same_to_the_eye(&joined(a), &joined(b))
}

fn shown(blocks: &[Block]) -> impl Iterator<Item = &Block> {
    blocks
        .iter()
        .filter(|block| block.kind != BlockKind::Furniture && !visible(&block.text).is_empty())
}

/// The text of some blocks on one line.
fn joined(blocks: &[Block]) -> String {
    let mut line = String::with_capacity(blocks.iter().map(|block| block.text.len() + 1).sum());
    for block in blocks {
        if block.kind == BlockKind::Furniture {
            continue;
        }
        for word in visible(&block.text).split_whitespace() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(blocks: &[&str]) -> Vec<Block> {
        blocks.iter().map(|text| Block::paragraph(*text)).collect()
    }

    const WHOLE: [&str; 3] = [
        "The bridge was closed on Monday after engineers found cracks in two of its pillars.",
        "Traffic is led over the old road through the valley.",
        "The town hopes to open one lane by Friday, said the mayor.",
    ];

    #[test]
    fn a_beginning_is_no_edit() {
        let whole = text(&WHOLE);
        for short in [
            "The bridge was closed on Monday after engineers found cracks […]",
            "The bridge was closed on Monday after engineers found cracks...",
            "The bridge was closed on Monday after engineers… Continue reading →",
            "The bridge was closed on Monday after engineers found cracks in two of its pillars. Traffic is led over […]",
            "The bridge was closed on Monday after engineers found cracks in two of",
        ] {
            assert!(is_cut_of(&text(&[short]), &whole), "{short}");
            assert!(!is_cut_of(&whole, &text(&[short])), "{short}");
        }
        for edit in [
            "The bridge was closed on Tuesday after engineers found cracks […]",
            "The bridge was closed on Monday.",
            "The bridge was closed on Monday after engineers found cracks in two of its pillars.",
            "The bridge …",
            "Traffic is led over the old road […]",
        ] {
            assert!(!is_cut_of(&text(&[edit]), &whole), "{edit}");
        }
        assert!(!is_cut_of(
            &text(&["Minister resigns"]),
            &text(&["Minister resigns over report"])
        ));
    }

    #[test]
    fn a_wall_hides_a_text_and_does_not_edit_it() {
        let known = FeedState {
            title: Some("Bridges".into()),
            body: text(&WHOLE),
            ..FeedState::default()
        };
        let after = |title: &str, body: &[&str], walled: bool| {
            let mut state = FeedState {
                title: Some(title.into()),
                body: text(body),
                walled,
                ..FeedState::default()
            };
            keep_known(&mut state, &known);
            state
        };
        let notice = "This post is for members.";
        assert_eq!(after("Bridges", &[WHOLE[0], notice], true), known);
        assert_eq!(after("Protected: Bridges", &["Password:"], true), known);
        let withdrawn = [WHOLE[0], "The rest was withdrawn on legal advice."];
        assert_ne!(after("Bridges", &withdrawn, false), known);
        assert_ne!(
            after("Bridges", &[WHOLE[0], WHOLE[1]], true).body,
            known.body,
            "no notice"
        );
    }

    #[test]
    fn another_element_is_no_edit_and_an_edit_of_the_same_one_is() {
        let state = |rank: u8, summary: &str, beside: &[&str]| FeedState {
            summary: text(&[summary]),
            beside: super::super::state::AlternativeTexts {
                summary_rank: rank,
                summaries: beside.iter().map(|other| text(&[other])).collect(),
                ..Default::default()
            },
            ..FeedState::default()
        };
        let one = state(3, "With Ann Lee, who counts whales.", &[]);
        let both = state(
            0,
            "We speak of whales.",
            &["With Ann Lee, who counts whales."],
        );
        assert!(is_other_summary(&one, &both) && is_other_summary(&both, &one));
        let edited = state(
            0,
            "We speak of seals.",
            &["With Ann Lee, who counts whales."],
        );
        assert!(!is_other_summary(&both, &edited));
        assert!(!is_other_summary(
            &one,
            &state(0, "We speak of whales.", &[])
        ));
    }
}
