//! The log line of each change, so that the journal alone shows what was edited and where.

use super::Checker;
use crate::domain::event::{Event, EventKind};
use crate::domain::ids::ChangeNumber;
use crate::domain::outcome::{Outcome, Quiet};
use crate::report::clean;
use crate::store::{Committed, StoreError};

impl Checker {
    /// Stores an outcome and logs its changes.
    pub(super) async fn commit(&self, outcome: Outcome) -> Result<Committed, StoreError> {
        let log = ChangeLog::of(&outcome);
        let committed = self.writer.commit(outcome).await?;
        log.write(&committed.changes);
        Ok(committed)
    }
}

/// The log lines of an outcome. They are made before it is stored; the numbers of its changes are known only after.
struct ChangeLog {
    changes: Vec<LogLine>,
    events: Vec<LogLine>,
}

/// The longest headline in a log line, in graphemes.
const HEADLINE: usize = 200;

struct LogLine {
    kind: EventKind,
    feed: Option<String>,
    headline: Option<String>,
    significance: Option<&'static str>,
    /// Why no alert is sent, if none is.
    quiet: Option<&'static str>,
}

impl ChangeLog {
    fn of(outcome: &Outcome) -> Self {
        let revisions = outcome.entries.iter().filter_map(|entry| {
            let change = entry.revision.as_ref()?.change.as_ref()?;
            Some(LogLine::of(&change.event, change.quiet))
        });
        let of_entries = outcome.entries.iter().flat_map(|entry| &entry.events);
        // A new article is not a change, and the first poll of a feed brings many.
        let events = of_entries
            .chain(&outcome.events)
            .filter(|new| new.event.kind != EventKind::EntryPublished);
        Self {
            changes: revisions.collect(),
            events: events.map(|new| LogLine::of(&new.event, None)).collect(),
        }
    }

    /// Writes one line per change; `numbers` are the change numbers in the order of the outcome.
    fn write(self, numbers: &[ChangeNumber]) {
        for (line, number) in self.changes.into_iter().zip(numbers) {
            line.write(Some(number.0));
        }
        for line in self.events {
            line.write(None);
        }
    }
}

impl LogLine {
    fn of(event: &Event, quiet: Option<Quiet>) -> Self {
        let data = &event.data;
        let side = data.after.as_ref().or(data.before.as_ref());
        let title = side.and_then(|side| side.title.as_deref());
        Self {
            kind: event.kind,
            feed: data.feed.as_ref().map(|feed| feed.name.clone()),
            headline: title.map(|title| clean::excerpt(title, HEADLINE)),
            significance: data.change.as_ref().map(|of| of.significance.as_str()),
            quiet: quiet.map(Quiet::as_str),
        }
    }

    fn write(self, change: Option<i64>) {
        tracing::info!(
            change,
            feed.name = self.feed,
            headline = self.headline,
            significance = self.significance,
            no_alert = self.quiet,
            "{}",
            self.kind.as_str()
        );
    }
}
