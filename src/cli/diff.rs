//! `revisor diff`: two revisions of an entry, or two files.

use std::path::Path;

use super::Context;
use super::args::{DiffArgs, Format, RevisionRange};
use super::input::{self, Document};
use super::inspect;
use super::select;
use super::setup::now;
use crate::domain::assess::{self, assess};
use crate::domain::compare::{compare, dates_moved};
use crate::domain::diff::{WordCount, diff_blocks, diff_line};
use crate::domain::ids::{EntryId, RevisionNumber};
use crate::domain::state::EntryState;
use crate::error::{Error, Exit};
use crate::extract;
use crate::report::diff_json::{self, FileDiff};
use crate::report::when::View;
use crate::store::Reader;

pub(super) fn run(context: &mut Context, args: &DiffArgs) -> Result<Exit, Error> {
    let format = context.format(&[Format::Short, Format::Full, Format::Json])?;
    let (old, new, view) = match (&args.files, &args.entry) {
        (Some(files), _) => {
            let [old, new] = files.as_slice() else {
                return Err(Error::usage("--files takes two files"));
            };
            let zone = crate::report::log::plain_view(now());
            let view = View {
                paint: context.output.paint(),
                ..zone
            };
            (file_state(old)?, file_state(new)?, view)
        }
        (None, Some(entry)) => {
            let (config, reader) = context.reader()?;
            let entry = select::entry(entry, &reader)?;
            let (old, new) = revisions(entry.id, entry.revision, args.revisions, &reader)?;
            (old, new, context.view(&config))
        }
        (None, None) => return Err(Error::usage("name an entry, or two files with --files")),
    };
    let diff = difference(&old, &new);
    if format == Format::Json {
        context.output.json(&diff)?;
    } else {
        let all_text = args.full || format == Format::Full;
        match diff_json::text(&diff, all_text, &view) {
            Some(text) => {
                context.output.page();
                context.output.print(&text)?;
            }
            None => context.output.note("no difference that a reader sees"),
        }
    }
    Ok(if args.exit_code && !diff.equal {
        Exit::CHANGES
    } else {
        Exit::DONE
    })
}

/// The difference with its judgement, as a change would have it.
fn difference(old: &EntryState, new: &EntryState) -> FileDiff {
    let comparison = compare(old, new);
    let assessment = comparison.as_ref().map(|comparison| {
        let context = assess::Context {
            revert_of: None,
            partly_back_to: None,
            dates_moved: dates_moved(old, new),
        };
        assess(comparison, &context)
    });
    let headline = || diff_line(old.title().unwrap_or(""), new.title().unwrap_or(""));
    let (title, body, words) = match comparison {
        None => (headline(), None, WordCount::default()),
        Some(found) => (
            found.title.unwrap_or_else(headline),
            found.body.or(found.summary),
            found.words,
        ),
    };
    let body = body.unwrap_or_else(|| diff_blocks(old.body(), new.body()));
    FileDiff::new(title, body, words, assessment.as_ref())
}

fn revisions(
    entry: EntryId,
    last: RevisionNumber,
    range: Option<RevisionRange>,
    reader: &Reader,
) -> Result<(EntryState, EntryState), Error> {
    let (from, to) = match range {
        // An entry with one revision differs from nothing.
        None => (last.0.saturating_sub(1).max(1), last.0),
        Some(range) => (range.from.unwrap_or(1), range.to.unwrap_or(last.0)),
    };
    let state = |number: u32| -> Result<EntryState, Error> {
        let found = reader.state(entry, RevisionNumber(number))?;
        found.map(|(state, _)| state).ok_or_else(|| {
            if (1..=last.0).contains(&number) {
                return Error::usage(format!(
                    "the text of revision {number} is not kept any more"
                ))
                .hint("`keep.revisions` says which are; `revisor log --entry` has the changes");
            }
            Error::usage(format!("the entry has no revision {number}"))
                .hint(format!("it has the revisions 1 to {last}"))
        })
    };
    Ok((state(from)?, state(to)?))
}

/// The text of a file, as that of a page.
fn file_state(path: &Path) -> Result<EntryState, Error> {
    let Document { body, .. } = input::file(path)?;
    let article = inspect::read(&body, None, None, &extract::View::default())?;
    let mut state = article.state;
    if state.headline().is_none() {
        state.h1 = article.title;
    }
    Ok(EntryState {
        feed: None,
        page: Some(state),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::classify::Label;
    use crate::domain::state::{Block, PageState};

    fn state(text: &str) -> EntryState {
        EntryState {
            feed: None,
            page: Some(PageState {
                body: text.split("\n\n").map(Block::paragraph).collect(),
                ..PageState::default()
            }),
        }
    }

    #[test]
    fn what_is_equal_has_no_judgement_and_what_differs_has_one() {
        let old = state("Prices rose by 12 percent.\n\nNothing else was said.");
        let same = difference(
            &old,
            &state("Prices rose by\n12 percent.\n\nNothing else was said."),
        );
        assert!(same.equal);
        assert_eq!(same.labels, []);
        assert_eq!(same.blocks.len(), 2);
        let other = difference(
            &old,
            &state("Prices rose by 21 percent.\n\nNothing else was said."),
        );
        assert!(!other.equal);
        assert!(other.labels.contains(&Label::Number), "{:?}", other.labels);
        assert!(other.score > 0);
    }
}
