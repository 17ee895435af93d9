//! An event as a message for people, cut to the limit of a service: pure.
//!
//! [`Message::of`] says what happened in cleaned parts. [`Message::fit`] lays them out in lines of runs within the
//! size limit of a service, measured as the service writes them: text is cut between words (between graphemes if a
//! single word is too long), and so never inside an escape, an entity or a mark. Each service decides how a run is
//! written.

use super::changed;
use super::clean;
use super::digest;
use super::event_text::{entry_title, headline, window};
use super::excerpt::{ExcerptLimits, around_edits};
use super::names;
use super::runs::{Face, Run, cut, link, runs_of};
use crate::domain::diff::{BlockOp, Segment};
use crate::domain::event::{BlocksInfo, Event, EventKind, Field};

/// A message, in cleaned parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// `Example News changed a headline and a text`.
    pub headline: String,
    /// The headline of the article, if it did not change.
    pub title: Option<String>,
    /// What changed: the headline first, then by weight.
    pub changes: Vec<ChangedPassage>,
    /// Events of a digest that are only counted.
    pub not_read: usize,
    /// Why a feed fails, or its new address.
    pub detail: Option<String>,
    /// `changed between 2026-11-23 08:32 and 09:04 UTC`.
    pub window: Option<String>,
    /// The address of the article or the feed.
    pub address: Option<String>,
    /// Where to read the whole change.
    pub change_address: Option<String>,
}

/// A text that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangedPassage {
    /// `¶3`, `standfirst`; empty for the headline.
    pub name: String,
    /// Both sides, cleaned.
    pub segments: Vec<Segment>,
    /// The link target, for one of several events.
    pub address: Option<String>,
}

/// How a service writes messages.
pub(crate) struct Layout<'a> {
    /// The size of a run as the service writes and counts it; the size of two runs is the sum of both.
    pub size: &'a dyn Fn(&Run) -> usize,
    /// The size of a line break.
    pub line_break: usize,
    /// The maximum size of a message.
    pub room: usize,
    /// Whether both sides of a headline get a line each, for services without styles.
    pub two_lines: bool,
    /// Whether the first line says what happened; not for services with a separate title.
    pub with_headline: bool,
    /// Whether the last line is the address; not for services with a separate field for it.
    pub with_address: bool,
}

const PASSAGE: ExcerptLimits = ExcerptLimits {
    context_words: 12,
    edit: 4000,
};
pub(super) const TITLE_MAX: usize = 300;
const DETAIL_MAX: usize = 400;
/// A longer address is text that nobody can follow.
const ADDRESS_MAX: usize = 1000;
/// Changed texts beyond this are counted, and read elsewhere.
const PASSAGES: usize = 100;

impl Message {
    /// Creates the message for an event.
    #[must_use]
    pub(crate) fn of(event: &Event) -> Self {
        let data = &event.data;
        let mut changes = Vec::new();
        let mut title = entry_title(data);
        if let Some(diff) = &data.diff {
            let kicker = changed::kicker(data).trim_end_matches([':', ' ']);
            if let Some(segments) = &diff.title {
                if kicker.is_empty() {
                    title = None;
                }
                changes.push(passage(kicker, segments));
            }
            for other in &diff.headlines {
                changes.push(passage(other.source.as_str(), &other.segments));
            }
            for (field, segments) in [
                (Field::Standfirst, &diff.standfirst),
                (Field::Byline, &diff.byline),
            ] {
                changes.extend(
                    segments
                        .iter()
                        .map(|text| passage(names::field(field), text)),
                );
            }
            for (name, blocks) in [("", &diff.body), ("summary ", &diff.summary)] {
                changes.extend(blocks.iter().flat_map(|blocks| passages(name, blocks)));
            }
            for link in &diff.links {
                let name = format!("link “{}”", clean::excerpt(&link.words, 80));
                changes.push(sides(&name, &link.from, &link.to));
            }
            for (field, both) in [(Field::Address, &diff.address), (Field::Guid, &diff.guid)] {
                changes.extend(
                    both.iter()
                        .map(|[old, new]| sides(names::field(field), old, new)),
                );
            }
        }
        if let Some(report) = &data.report {
            changes.extend(report.members.iter().map(digest::passage));
        }
        let happened = match event.kind {
            EventKind::DigestReady => "noticed",
            EventKind::EntryRemoved => "taken down",
            EventKind::EntryRestored => "put back",
            _ => "changed",
        };
        let detail = data
            .detail
            .as_deref()
            .map(|text| clean::excerpt(text, DETAIL_MAX));
        Self {
            headline: headline(event),
            title: title.map(|title| clean::excerpt(&title, TITLE_MAX)),
            changes,
            not_read: data.report.as_ref().map_or(0, |report| {
                usize::try_from(report.events)
                    .unwrap_or(usize::MAX)
                    .saturating_sub(report.members.len())
            }),
            detail: detail.filter(|detail| !detail.is_empty()),
            window: changed::window(data).map(|span| window(happened, span)),
            address: changed::address(data).filter(|address| address.len() <= ADDRESS_MAX),
            change_address: data
                .permalink
                .as_deref()
                .map(|address| clean::address(address).into_owned())
                .filter(|address| address.len() <= ADDRESS_MAX),
        }
    }

    /// Where a click leads: to the page of the change, else to the article. Only web addresses.
    #[must_use]
    pub(crate) fn click(&self) -> Option<&str> {
        let address = self.change_address.as_deref().or(self.address.as_deref());
        address.filter(|address| changed::is_web(address))
    }

    /// Lines of runs that fit.
    #[must_use]
    pub(crate) fn fit(&self, layout: &Layout<'_>) -> Vec<Vec<Run>> {
        let mut page = LinesSoFar {
            layout,
            lines: Vec::new(),
            left: layout.room,
        };
        if layout.with_headline {
            page.push_cut(
                vec![Run::new(Face::Strong, &self.headline)],
                layout.room / 3,
            );
        }
        let (tail, kept) = self.tail(&page);
        page.left -= kept;
        if let Some(title) = &self.title {
            page.push_cut(vec![Run::new(Face::Plain, title)], layout.room / 3);
        }
        if let Some(detail) = &self.detail {
            page.push_cut(vec![Run::new(Face::Plain, detail)], layout.room / 3);
        }
        // In some services, a line costs much more than its text.
        let count = |more: usize| vec![Run::new(Face::Faint, format!("… and {more} more"))];
        let more = page.size(&count(self.changes.len() + self.not_read));
        let more = more.max(MORE).min(page.left);
        page.left -= more;
        let mut left_out = page.changes(&self.changes);
        left_out += self.changes.len().saturating_sub(PASSAGES) + self.not_read;
        page.left += more;
        if left_out > 0 {
            page.push_cut(count(left_out), more);
        }
        page.left += kept;
        for line in tail {
            page.push(line);
        }
        page.lines
    }
}

impl Message {
    /// The last lines and their size: room is reserved for them, but no more than a third, and for addresses
    /// first.
    fn tail(&self, page: &LinesSoFar<'_, '_>) -> (Vec<Vec<Run>>, usize) {
        let most = (page.layout.room / 3).min(page.left);
        let mut kept = 0;
        let mut fits = |line: &Vec<Run>| {
            let fits = kept + page.size(line) <= most;
            kept += if fits { page.size(line) } else { 0 };
            fits
        };
        let addresses = [&self.address, &self.change_address];
        let addresses = addresses
            .into_iter()
            .flatten()
            .filter(|_| page.layout.with_address);
        let addresses: Vec<Vec<Run>> = addresses
            .map(|address| vec![link(address)])
            .filter(&mut fits)
            .collect();
        let window = self.window.iter();
        let mut tail: Vec<Vec<Run>> = window
            .map(|text| vec![Run::new(Face::Faint, text)])
            .filter(&mut fits)
            .collect();
        tail.extend(addresses);
        (tail, kept)
    }
}

/// The least room for the line that counts the omitted ones.
const MORE: usize = 40;

/// Lines while they are being filled.
struct LinesSoFar<'a, 'l> {
    layout: &'a Layout<'l>,
    lines: Vec<Vec<Run>>,
    left: usize,
}

impl LinesSoFar<'_, '_> {
    fn size(&self, line: &[Run]) -> usize {
        line.iter()
            .map(|run| (self.layout.size)(run))
            .sum::<usize>()
            + self.layout.line_break
    }

    fn push(&mut self, line: Vec<Run>) -> bool {
        let size = self.size(&line);
        if size > self.left {
            return false;
        }
        self.left -= size;
        self.lines.push(line);
        true
    }

    /// Adds a line, cut to `most` and to the room that is left.
    fn push_cut(&mut self, line: Vec<Run>, most: usize) -> bool {
        let room = most.min(self.left).saturating_sub(self.layout.line_break);
        let line = cut(line, room, self.layout.size);
        !line.is_empty() && self.push(line)
    }

    /// Adds as many changes as fit, cutting the first one if necessary; returns how many are left out.
    fn changes(&mut self, changes: &[ChangedPassage]) -> usize {
        let count = changes.len().min(PASSAGES);
        for (place, passage) in changes.iter().take(PASSAGES).enumerate() {
            let lines = self.lines_of(passage);
            let needed: usize = lines.iter().map(|line| self.size(line)).sum();
            if needed <= self.left {
                for line in lines {
                    self.push(line);
                }
                continue;
            }
            // The first one is always shown; a later one only if a good part of it fits.
            let enough = place == 0 || self.left * 3 >= needed.min(self.layout.room / 2);
            if !enough {
                return count - place;
            }
            let parts = lines.len();
            let mut shown = false;
            for (at, line) in lines.into_iter().enumerate() {
                shown |= self.push_cut(line, self.left / (parts - at));
            }
            return count - place - usize::from(shown);
        }
        0
    }

    fn lines_of(&self, passage: &ChangedPassage) -> Vec<Vec<Run>> {
        if self.layout.two_lines && passage.name.is_empty() {
            let old = Segment::old_side(&passage.segments);
            let new = Segment::new_side(&passage.segments);
            if old != new {
                let sides = [("- ", old), ("+ ", new)].into_iter();
                return sides
                    .filter(|(_, text)| !text.trim().is_empty())
                    .map(|(mark, text)| vec![Run::new(Face::Plain, format!("{mark}{text}"))])
                    .collect();
            }
        }
        let mut runs = Vec::new();
        if !passage.name.is_empty() {
            runs.push(Run::new(Face::Faint, format!("{}: ", passage.name)));
        }
        runs.extend(runs_of(&passage.segments));
        let address = passage.address.iter().map(|address| vec![link(address)]);
        std::iter::once(runs).chain(address).collect()
    }
}

fn passage(name: &str, segments: &[Segment]) -> ChangedPassage {
    let segments = clean::segments(segments);
    ChangedPassage {
        name: clean::excerpt(name, 80),
        segments: around_edits(&segments, PASSAGE),
        address: None,
    }
}

fn sides(name: &str, old: &str, new: &str) -> ChangedPassage {
    let shown = |address: &str| clean::excerpt(&clean::address(address), ADDRESS_MAX / 2);
    ChangedPassage {
        name: name.to_owned(),
        segments: vec![
            Segment::Delete(shown(old)),
            Segment::Equal(" → ".to_owned()),
            Segment::Insert(shown(new)),
        ],
        address: None,
    }
}

/// The blocks that changed, the weightiest first; items whose numbers only shifted share one passage.
fn passages(name: &str, blocks: &BlocksInfo) -> Vec<ChangedPassage> {
    let (runs, folded) = changed::renumbered(blocks);
    let number = |number: Option<u32>| number.map(|n| format!("¶{n}")).unwrap_or_default();
    let shown = changed::by_weight(blocks)
        .into_iter()
        .filter(|block| !block.to.is_some_and(|to| folded.contains(&to)))
        .map(|block| {
            let (place, said) = match block.op {
                BlockOp::Insert => (number(block.to), " added"),
                BlockOp::Delete => (number(block.from), " removed"),
                BlockOp::Move => (
                    format!(
                        "{}→{}",
                        number(block.from),
                        block.to.map(|n| n.to_string()).unwrap_or_default()
                    ),
                    " moved",
                ),
                BlockOp::Edit | BlockOp::Equal => (number(block.to.or(block.from)), ""),
            };
            passage(&format!("{name}{place}{said}"), &block.segments)
        });
    let counted = runs.into_iter().map(|run| ChangedPassage {
        name: format!("{name}numbers"),
        segments: vec![Segment::Equal(run)],
        address: None,
    });
    shown
        .chain(counted)
        .filter(|passage| !passage.segments.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn plain(lines: &[Vec<Run>]) -> String {
        let line = |line: &Vec<Run>| {
            let text = |run: &Run| match run.face {
                Face::Removed => format!("[-{}-]", run.text),
                Face::Added => format!("{{+{}+}}", run.text),
                _ => run.text.clone(),
            };
            line.iter().map(text).collect::<String>()
        };
        lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn layout(room: usize, size: &dyn Fn(&Run) -> usize) -> Layout<'_> {
        Layout {
            size,
            line_break: 1,
            room,
            two_lines: false,
            with_headline: true,
            with_address: true,
        }
    }

    #[test]
    fn a_change_is_said_in_full_where_there_is_room() {
        let message = Message::of(&sample::revised());
        let size = |run: &Run| run.text.chars().count();
        assert_eq!(
            plain(&message.fit(&layout(4000, &size))),
            "Example News changed a headline and a text\n\
             Minister [-denies-] {+confirms+} report of talks\n\
             ¶1: The minister on Monday [-denied that talks-] {+said that “exploratory talks”+} had taken place with \
             the envoy.\n\
             ¶3→2 moved: Shares fell [-2-] {+3+} percent.\n\
             changed between 2026-11-23 08:32 and 09:04 UTC\n\
             https://news.example/a/123"
        );
        let short = plain(&message.fit(&layout(200, &size)));
        assert!(short.contains("[-denies-] {+confirms+}"), "{short}");
        assert!(
            short.contains("more") && short.ends_with("https://news.example/a/123"),
            "{short}"
        );
    }

    #[test]
    fn what_is_left_out_is_counted_however_much_a_line_costs() {
        let message = Message::of(&sample::revised());
        let size = |run: &Run| run.text.chars().count() + 110;
        let whole = plain(&message.fit(&layout(10_000, &size)));
        // With less room, the headline and the address leave none for the sign.
        for room in whole.len()..10_000 {
            let shown = plain(&message.fit(&Layout {
                line_break: 60,
                ..layout(room, &size)
            }));
            assert!(shown == whole || shown.contains('…'), "{room}: {shown}");
        }
    }
}
