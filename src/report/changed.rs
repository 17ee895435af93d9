//! The parts that `log` and `show` share: names of feeds, what changed, word counts.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::clean;
use super::names;
use super::style::{Line, TextRole};
use crate::domain::assess::weigh;
use crate::domain::classify::{Label, Significance};
use crate::domain::diff::{BlockDiff, BlockOp, Segment, WordCount, renumbered_runs};
use crate::domain::event::{BlocksInfo, ChangeInfo, DiffInfo, EventData, FeedInfo, Field, Window};

/// The feed's own title, else its name.
pub(super) fn feed_name(feed: Option<&FeedInfo>, max: usize) -> String {
    let Some(feed) = feed else {
        return String::new();
    };
    [feed.title.as_deref().unwrap_or_default(), &feed.name]
        .into_iter()
        .map(|name| clean::excerpt(name, max))
        .find(|name| !name.is_empty())
        .unwrap_or_default()
}

/// `HEADLINE + text`: the headline comes first because readers check it first.
pub(super) fn fields(change: &ChangeInfo) -> Line {
    let mut line = Line::new();
    for (at, field) in change.fields.iter().enumerate() {
        if at > 0 {
            line = line.with(TextRole::Plain, " + ");
        }
        line = match field {
            Field::Title if names::is_kicker(&change.headlines) => {
                line.with(TextRole::Strong, "KICKER")
            }
            Field::Title => line.with(TextRole::Strong, "HEADLINE"),
            other => line.with(TextRole::Plain, names::field(*other)),
        };
    }
    line
}

/// The headline after the change, else before it.
pub(super) fn title(data: &EventData, max: usize) -> Option<String> {
    [&data.after, &data.before]
        .into_iter()
        .flatten()
        .filter_map(|revision| revision.title.as_deref())
        .map(|title| clean::excerpt(title, max))
        .find(|title| !title.is_empty())
}

/// The window of a change, or of an article that was removed or restored.
pub(super) fn window(data: &EventData) -> Option<Window> {
    let change = data.change.as_ref().map(|change| change.window);
    let report = data.report.as_ref().map(|report| Window {
        last_unchanged: report.since,
        first_changed: report.until,
        checks: 0,
        failed_checks: 0,
    });
    change.or(data.window).or(report)
}

/// The address of the entry, else of the feed.
pub(super) fn address(data: &EventData) -> Option<String> {
    let address = match &data.entry {
        Some(entry) => entry.url.as_deref(),
        None => data.feed.as_ref().map(|feed| feed.url.as_str()),
    }?;
    let address = clean::excerpt(&clean::address(address), 500);
    (!address.is_empty()).then_some(address)
}

/// Whether an address is a web address, which may become a link; `javascript:` and the like stay text. So does one that
/// [`address`] cut: it would lead elsewhere.
#[must_use]
pub(crate) fn is_web(address: &str) -> bool {
    let web = ["https://", "http://"].iter().any(|scheme| {
        address
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    web && !address.ends_with('…')
}

/// `+9 −10 words`.
pub(super) fn words(words: WordCount) -> String {
    format!("+{} −{} words", words.added, words.removed)
}

/// `+9 −10 words, 1 paragraph moved, 2 added`: how much of the text changed.
pub(super) fn amount(change: &ChangeInfo, diff: Option<&DiffInfo>) -> String {
    let mut parts = Vec::new();
    let textual = [Field::Standfirst, Field::Body, Field::Summary];
    if change.fields.iter().any(|field| textual.contains(field)) {
        parts.push(words(change.words));
    }
    let blocks = diff
        .into_iter()
        .flat_map(|diff| [&diff.body, &diff.summary]);
    let mut counts = [0_u64; 3];
    for block in blocks.flatten().flat_map(|blocks| &blocks.blocks) {
        match block.op {
            BlockOp::Move => counts[0] += 1,
            BlockOp::Insert => counts[1] += 1,
            BlockOp::Delete => counts[2] += 1,
            BlockOp::Equal | BlockOp::Edit => {}
        }
    }
    let links = diff.map_or(0, |diff| diff.links.len());
    if links > 0 {
        parts.push(format!("{} changed", names::count(links as u64, "link")));
    }
    for (count, what) in counts.into_iter().zip(["moved", "added", "removed"]) {
        if count > 0 {
            parts.push(format!("{} {what}", names::count(count, "paragraph")));
        }
    }
    parts.join(", ")
}

/// The labels that say more than the fields and the amounts do, with `unannounced` and `revert` first.
pub(super) fn telling_labels(change: &ChangeInfo) -> Line {
    let told = |label: &Label| {
        !matches!(
            label,
            Label::Headline
                | Label::Byline
                | Label::Date
                | Label::Address
                | Label::Guid
                | Label::Wording
                | Label::ParagraphAdded
                | Label::ParagraphRemoved
                | Label::Moved
                | Label::Revert
        )
    };
    let mut line = Line::new();
    if let Some(revision) = change.revert_of {
        line = line.with(TextRole::Warning, format!("back to rev {revision}"));
    } else if change.labels.contains(&Label::Revert) {
        line = line.with(TextRole::Warning, "revert");
    }
    for label in change.labels.iter().filter(|label| told(label)) {
        if line != Line::new() {
            line = line.with(TextRole::Plain, ", ");
        }
        let role = match label {
            Label::Unannounced | Label::Number | Label::Negation | Label::Quote => {
                TextRole::Warning
            }
            _ => TextRole::Plain,
        };
        line = line.with(role, names::label(*label));
    }
    if change.significance == Significance::Typographic && line == Line::new() {
        line = line.with(TextRole::Faint, "typographic");
    }
    line
}

/// `kicker: ` in front of the words of a change that is shown in place of a headline but is a kicker.
pub(super) fn kicker(data: &EventData) -> &'static str {
    match &data.change {
        Some(change) if names::is_kicker(&change.headlines) => "kicker: ",
        _ => "",
    }
}

/// How many changed blocks are sorted by weight; later ones stay in text order.
const WEIGHED: usize = 200;

/// The blocks that changed, the weightiest first. Among equal weights, edits come before removals, additions and
/// moves; after that the order of the text decides.
pub(super) fn by_weight(blocks: &BlocksInfo) -> Vec<&BlockDiff> {
    let mut changed: Vec<&BlockDiff> = blocks
        .blocks
        .iter()
        .filter(|block| block.op != BlockOp::Equal)
        .collect();
    let weighed = changed.len().min(WEIGHED);
    changed[..weighed].sort_by_cached_key(|block| {
        let kind = match block.op {
            BlockOp::Edit | BlockOp::Equal => 0,
            BlockOp::Insert => 1,
            BlockOp::Delete => 2,
            BlockOp::Move => 3,
        };
        (Reverse(weigh(block)), kind)
    });
    changed
}

/// A line for each run of items whose numbers only shifted, and the numbers of the new blocks that need no line of
/// their own.
pub(super) fn renumbered(blocks: &BlocksInfo) -> (Vec<String>, BTreeSet<u32>) {
    let (runs, folded) = renumbered_runs(&blocks.blocks);
    let range = |first: u32, last: u32| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}–{last}")
        }
    };
    let lines = runs.iter().map(|[first, last]| {
        let noun = if first == last { "clause" } else { "clauses" };
        let (old, new) = (range(first.0, last.0), range(first.1, last.1));
        format!("{noun} {old} renumbered {new}")
    });
    (lines.collect(), folded)
}

/// Whether cleaning removes the whole difference, so that both sides look the same.
pub(super) fn is_invisible(segments: &[Segment]) -> bool {
    let (old, new) = (Segment::old_side(segments), Segment::new_side(segments));
    old != new && clean::line(&old) == clean::line(&new)
}

/// Shown if a difference cannot be displayed.
pub(super) const INVISIBLE: &str = "(the change is in invisible characters)";
