//! `revisor diff`: two revisions of an entry, or two files.

use std::path::Path;

use super::CommandContext;
use super::args::{DiffArgs, OutputFormat, RevisionRange};
use super::input::{self, InputDocument};
use super::inspect;
use super::select;
use super::setup::now;
use crate::domain::ids::{EntryId, RevisionNumber};
use crate::domain::ignored::{Bodies, Movement, Piece, Snapshot, clean_edges};
use crate::domain::state::{EntryState, PageState};
use crate::error::{Error, Exit};
use crate::extract;
use crate::queries::compare::difference;
use crate::report::diff_json::{self, FileDiff, IgnoredDiff};
use crate::report::when::TimeView;
use crate::store::Reader;

pub(super) fn run(context: &mut CommandContext, args: &DiffArgs) -> Result<Exit, Error> {
    let format = context.format(&[OutputFormat::Short, OutputFormat::Full, OutputFormat::Json])?;
    let mut ignored = Vec::new();
    let (old, new, view) = match (&args.files, &args.entry) {
        (Some(files), _) => {
            let [old, new] = files.as_slice() else {
                return Err(Error::usage("--files needs two files"));
            };
            let zone = crate::report::log::plain_view(now());
            let view = TimeView {
                paint: context.output.paint(),
                ..zone
            };
            let (old, mut new) = (FileText::read(old)?, FileText::read(new)?);
            ignored = new.beside(&old);
            (old.into_state(), new.into_state(), view)
        }
        (None, Some(entry)) => {
            let (config, reader) = context.reader()?;
            let entry = select::entry(entry, &reader)?;
            let (old, new) = revisions(entry.id, entry.revision, args.revisions, &reader)?;
            (old, new, context.view(&config))
        }
        (None, None) => return Err(Error::usage("give an entry, or two files with --files")),
    };
    let diff = FileDiff {
        ignored: ignored.into_iter().map(IgnoredDiff::from).collect(),
        ..difference(&old, &new)
    };
    if format == OutputFormat::Json {
        context.output.json(&diff)?;
    } else {
        let all_text = args.full || format == OutputFormat::Full;
        match diff_json::text(&diff, all_text, &view) {
            Some(text) => {
                context.output.page();
                context.output.print(&text)?;
            }
            None => {
                context.output.note("no visible difference");
                if let Some(ignored) = diff_json::ignored(&diff) {
                    context.output.note(&ignored);
                }
            }
        }
    }
    Ok(if args.exit_code && !diff.equal {
        Exit::CHANGES
    } else {
        Exit::DONE
    })
}

fn revisions(
    entry: EntryId,
    last: RevisionNumber,
    range: Option<RevisionRange>,
    reader: &Reader,
) -> Result<(EntryState, EntryState), Error> {
    let (from, to) = match range {
        // The only revision of an entry is compared with itself, which shows no difference.
        None => (last.0.saturating_sub(1).max(1), last.0),
        Some(range) => (range.from.unwrap_or(1), range.to.unwrap_or(last.0)),
    };
    let state = |number: u32| -> Result<EntryState, Error> {
        let found = reader.state(entry, RevisionNumber(number))?;
        found.map(|(state, _)| state).ok_or_else(|| {
            if (1..=last.0).contains(&number) {
                return Error::usage(format!(
                    "the text of revision {number} has been deleted"
                ))
                .hint("`keep.revisions` sets how long texts are kept; `revisor log --entry` still lists the changes");
            }
            Error::usage(format!("this entry has no revision {number}"))
                .hint(format!("it has revisions 1 to {last}"))
        })
    };
    Ok((state(from)?, state(to)?))
}

/// The text of a file, read like a page, and its ignored text.
struct FileText {
    page: PageState,
    ignored: Vec<Piece>,
}

impl FileText {
    fn read(path: &Path) -> Result<Self, Error> {
        let InputDocument { body, .. } = input::file(path)?;
        let article = inspect::read(&body, None, None, &extract::PageSelectors::default())?;
        let ignored = article.ignored_pieces();
        let mut page = article.state;
        if page.headline().is_none() {
            page.h1 = article.title;
        }
        Ok(Self { page, ignored })
    }

    /// Changes in ignored text, as a check would find them: blocks that did not change keep their verdict from the
    /// old file.
    fn beside(&mut self, old: &Self) -> Vec<Movement> {
        let last = Snapshot::of(old.ignored.clone(), old.page.body.len());
        let cleaned = clean_edges(&old.page.body, &last, &self.page.body, &self.ignored);
        if let Some(cleaned) = cleaned {
            cleaned.put_links(&old.page.links, &mut self.page.links);
            self.page.body = cleaned.body;
            self.ignored = cleaned.ignored;
        }
        let now = Snapshot::of(self.ignored.clone(), self.page.body.len());
        let bodies = Bodies {
            old: &old.page.body,
            new: &self.page.body,
        };
        now.following(&last, Some(bodies)).1
    }

    fn into_state(self) -> EntryState {
        EntryState {
            feed: None,
            page: Some(self.page),
        }
    }
}
