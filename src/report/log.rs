//! `revisor log`: changes, one after another.

use chrono_tz::Tz;

use super::changed;
use super::clean;
use super::excerpt::{ExcerptLimits, around_edits};
use super::names;
use super::style::{Line, Paint, TextRole, cut};
use super::when::{self, TimeView};
use crate::domain::diff::{BlockDiff, BlockOp, Segment};
use crate::domain::event::{BlocksInfo, ChangeInfo, DiffInfo, Event, EventData};
use crate::domain::links::LinkChange;
use crate::domain::outcome::Quiet;
use crate::time::Timestamp;

/// A change, or another event, in the list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogRow {
    /// The event, with its number if it is a change.
    pub event: Event,
    /// Why it sent no alert, if it sent none.
    pub quiet: Option<Quiet>,
}

const HEADLINE_MAX: usize = 300;
const INDENT: &str = "      ";
/// The column in which the amounts start, if the address is shorter.
const ADDRESS_COLUMN: usize = 60;
const AROUND: ExcerptLimits = ExcerptLimits {
    context_words: 8,
    edit: 200,
};

/// A few lines: number, when, feed, what; the words; the address and how much changed.
#[must_use]
pub(crate) fn short(row: &LogRow, view: &TimeView) -> String {
    let data = &row.event.data;
    let paint = view.paint;
    let number = data.number.map(|n| format!("#{n}")).unwrap_or_default();
    let feed = cut(&changed::feed_name(data.feed.as_ref(), 40), 24);
    let mut head = Line::new()
        .with(TextRole::Strong, number)
        .padded(5, paint)
        .with(TextRole::Plain, " ")
        .and(Line::plain(when_noticed(&row.event, view)).padded(18, paint))
        .with(TextRole::Plain, "  ")
        .and(Line::plain(feed).padded(18, paint))
        .with(TextRole::Plain, "  ");
    match &data.change {
        Some(change) => {
            head = head.and(changed::fields(change).padded(15, paint));
            head = head.and(revisions(data));
            if let Some(age) = age(data, change) {
                head = head.with(TextRole::Faint, format!("  {age}"));
            }
        }
        None => head = head.with(TextRole::Strong, names::event(row.event.kind)),
    }
    if let Some(quiet) = row.quiet {
        head = head.with(TextRole::Faint, format!("  quiet: {}", quiet_name(quiet)));
    }
    let mut out = fitted(head, paint);
    for line in what(data) {
        out.push_str(&line.wrap(INDENT, INDENT, paint));
    }
    let detail = data.detail.as_deref().map(|text| clean::excerpt(text, 300));
    for detail in detail.into_iter().filter(|text| !text.is_empty()) {
        out.push_str(&Line::plain(detail).wrap(INDENT, INDENT, paint));
    }
    let address = changed::address(data).unwrap_or_default();
    let amount = data
        .change
        .as_ref()
        .map(|change| amount(data, change))
        .unwrap_or_default();
    let both = Line::new()
        .with(TextRole::Faint, address.clone())
        .padded(ADDRESS_COLUMN, paint)
        .with(TextRole::Plain, "  ")
        .and(amount.clone());
    let fits = paint
        .width
        .is_none_or(|width| both.width(paint) + INDENT.len() <= width);
    if fits && amount != Line::new() {
        push_line(&mut out, &both, paint);
        return out;
    }
    if !address.is_empty() {
        // Never wrapped: it is there to be followed and copied.
        let address = Line::new().with(TextRole::Faint, address);
        push_line(&mut out, &address, paint);
    }
    if amount != Line::new() {
        out.push_str(&amount.wrap(INDENT, INDENT, paint));
    }
    out
}

fn push_line(out: &mut String, line: &Line, paint: Paint) {
    out.push_str(INDENT);
    out.push_str(line.paint(paint).trim_end());
    out.push('\n');
}

/// A line in columns if it fits, else wrapped without them.
fn fitted(line: Line, paint: Paint) -> String {
    let fits = paint.width.is_none_or(|width| line.width(paint) <= width);
    if fits {
        return format!("{}\n", line.paint(paint).trim_end());
    }
    line.squeezed().wrap("", INDENT, paint)
}

/// One line, for searching and counting.
#[must_use]
pub(crate) fn oneline(row: &LogRow, view: &TimeView) -> String {
    let data = &row.event.data;
    let mut line = match data.number {
        Some(number) => Line::new().with(TextRole::Strong, format!("#{number}")),
        None => Line::plain("-"),
    };
    let when = match changed::window(data) {
        Some(window) => view.exact_window(window),
        None => view.exact(row.event.timestamp),
    };
    line = line.with(TextRole::Plain, format!(" {when} "));
    line = line.with(
        TextRole::Plain,
        data.feed
            .as_ref()
            .map_or("-".into(), |feed| clean::excerpt(&feed.name, 60)),
    );
    line = line.with(TextRole::Plain, " ");
    line = match &data.change {
        Some(change) => line.and(changed::fields(change)),
        None => line.with(TextRole::Strong, names::event(row.event.kind)),
    };
    if let Some(first) = what(data).into_iter().next() {
        line = line.with(TextRole::Plain, ": ").and(first);
    }
    format!("{}\n", line.paint(view.paint))
}

/// `2 changes (5 hidden; --all shows them)`; for standard error.
#[must_use]
pub(crate) fn summary(shown: u64, hidden: u64) -> String {
    let changes = match shown {
        0 => "no changes".to_owned(),
        shown => names::count(shown, "change"),
    };
    if hidden == 0 {
        changes
    } else {
        format!("{changes} ({hidden} hidden; --all shows them)")
    }
}

/// The reason why a change is quiet, for people.
#[must_use]
pub(crate) fn quiet_name(quiet: Quiet) -> &'static str {
    match quiet {
        Quiet::Insignificant => "below the alert threshold",
        Quiet::Echo => "echo of the other channel",
        Quiet::Flapping => "flapping",
        Quiet::BulkEdit => "bulk edit",
        Quiet::Digest => "part of a sum of additions",
        Quiet::Waiting => "waits for further checks",
        Quiet::Unconfirmed => "further checks did not confirm it",
    }
}

fn when_noticed(event: &Event, view: &TimeView) -> String {
    match changed::window(&event.data) {
        Some(window) => view.window(window),
        None => view.moment(event.timestamp),
    }
}

fn revisions(data: &EventData) -> Line {
    match (&data.before, &data.after) {
        (Some(before), Some(after)) => {
            Line::plain(format!("  rev {}→{}", before.revision, after.revision))
        }
        _ => Line::new(),
    }
}

/// How long after the claimed publication; left out if the claim cannot be true.
pub(super) fn age(data: &EventData, change: &ChangeInfo) -> Option<String> {
    let published: Timestamp = data.entry.as_ref()?.published?;
    let changed = change.window.first_changed;
    (published < changed && published > Timestamp::from_unix(0)).then(|| {
        format!(
            "{} after publication",
            when::duration(changed.since(published))
        )
    })
}

/// The words: those of the headline, or those of the text if the headline stayed the same.
fn what(data: &EventData) -> Vec<Line> {
    let Some(diff) = &data.diff else {
        return changed::title(data, HEADLINE_MAX)
            .map(Line::plain)
            .into_iter()
            .collect();
    };
    let kicker = changed::kicker(data);
    let title = diff.title.as_deref();
    if let Some(title) = title.filter(|_| kicker.is_empty()) {
        return vec![edit(title)];
    }
    let mut lines: Vec<Line> = changed::title(data, HEADLINE_MAX)
        .map(|title| Line::new().with(TextRole::Faint, title))
        .into_iter()
        .collect();
    match title {
        Some(words) => lines.push(Line::new().with(TextRole::Faint, kicker).and(edit(words))),
        None => lines.extend(first_words(diff)),
    }
    lines
}

fn first_words(diff: &DiffInfo) -> Vec<Line> {
    let mut texts = [&diff.body, &diff.summary].into_iter().flatten();
    let first = texts.find_map(first_block);
    match (&diff.standfirst, first) {
        (Some(segments), _) => vec![edit(segments)],
        (None, Some(blocks)) => blocks.iter().map(|block| edit(&block.segments)).collect(),
        (None, None) => words_of_frame(diff).into_iter().collect(),
    }
}

/// The block with the most weight; if one block replaced another, both.
fn first_block(blocks: &BlocksInfo) -> Option<Vec<&BlockDiff>> {
    let first = changed::by_weight(blocks).into_iter().next()?;
    let other = match first.op {
        BlockOp::Insert => BlockOp::Delete,
        BlockOp::Delete => BlockOp::Insert,
        BlockOp::Edit | BlockOp::Move | BlockOp::Equal => return Some(vec![first]),
    };
    let pair = blocks.blocks.windows(2).find(|pair| {
        let has = |block: &BlockDiff| std::ptr::eq(block, first);
        pair.iter().any(has) && pair.iter().any(|block| block.op == other)
    });
    let mut both: Vec<&BlockDiff> = pair.map_or(vec![first], |pair| pair.iter().collect());
    both.sort_by_key(|block| block.op == BlockOp::Insert);
    Some(both)
}

fn words_of_frame(diff: &DiffInfo) -> Option<Line> {
    if let Some(link) = diff.links.first() {
        return Some(link_line(link));
    }
    if let Some(segments) = &diff.byline {
        return Some(edit(segments));
    }
    [&diff.address, &diff.guid]
        .into_iter()
        .flatten()
        .next()
        .map(|[old, new]| {
            let side = |text: &str| clean::excerpt(&clean::address(text), 200);
            Line::new()
                .with(TextRole::Removed, side(old))
                .with(TextRole::Plain, " ")
                .with(TextRole::Added, side(new))
        })
}

/// `“the report”: [-old-] {+new+}`
fn link_line(link: &LinkChange) -> Line {
    let words = format!("“{}”:", clean::excerpt(&link.words, 80));
    let sides = [(TextRole::Removed, &link.from), (TextRole::Added, &link.to)];
    sides
        .into_iter()
        .fold(Line::plain(words), |line, (role, address)| {
            line.with(TextRole::Plain, " ")
                .with(role, clean::excerpt(&clean::address(address), 200))
        })
}

fn edit(segments: &[Segment]) -> Line {
    if changed::is_invisible(segments) {
        let text = clean::excerpt(&Segment::new_side(segments), 120);
        return Line::plain(text).with(TextRole::Warning, format!(" {}", changed::INVISIBLE));
    }
    Line::new().segments(&around_edits(&clean::segments(segments), AROUND))
}

fn amount(data: &EventData, change: &ChangeInfo) -> Line {
    let amount = changed::amount(change, data.diff.as_ref());
    let labels = changed::telling_labels(change);
    let between = if amount.is_empty() || labels == Line::new() {
        ""
    } else {
        " · "
    };
    Line::plain(amount)
        .with(TextRole::Faint, between)
        .and(labels)
}

/// A view without colour and width, in UTC, for files.
#[must_use]
pub(crate) fn plain_view(now: Timestamp) -> TimeView {
    TimeView {
        paint: Paint::default(),
        zone: Tz::UTC,
        now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::classify::{Label, Significance};
    use crate::domain::diff::{BlockOp, LeftOut, SentenceOps};
    use crate::domain::event::{BlocksInfo, EventKind, Field};
    use crate::domain::ids::{ChangeNumber, RevisionNumber};
    use crate::report::sample::{at, bare, block, delete, equal, insert, revised};

    fn view() -> TimeView {
        TimeView {
            zone: Tz::Europe__Paris,
            ..plain_view(at("2026-11-23T12:00:00Z"))
        }
    }

    fn row(event: Event) -> LogRow {
        LogRow { event, quiet: None }
    }

    fn text_only() -> Event {
        let mut event = revised();
        let data = &mut event.data;
        data.number = Some(ChangeNumber(409));
        let change = data.change.as_mut().unwrap();
        change.fields = vec![Field::Body];
        change.labels = vec![Label::Number, Label::Revert];
        change.revert_of = Some(RevisionNumber(1));
        let diff = data.diff.as_mut().unwrap();
        diff.title = None;
        diff.body = Some(BlocksInfo {
            blocks: vec![block(
                BlockOp::Edit,
                4,
                4,
                vec![
                    equal("Rescue workers searched the valley for a third night, and at least "),
                    delete("three"),
                    insert("eleven"),
                    equal(" people are missing"),
                ],
            )],
            truncated: false,
            coarse: false,
            sentences: SentenceOps::default(),
            left_out: LeftOut::default(),
        });
        event
    }

    #[test]
    fn short_says_what_happened_in_three_lines() {
        assert_eq!(
            short(&row(revised()), &view()),
            "#412  today 09:32–10:04   Example News        HEADLINE + text  rev 2→3  64 min after publication
      Minister [-denies-]{+confirms+} report of talks
      https://news.example/a/123                                    +9 −10 words, 1 paragraph moved · number, unannounced
"
        );
    }

    #[test]
    fn a_text_alone_shows_its_headline_and_its_first_edit() {
        assert_eq!(
            short(&row(text_only()), &view()),
            "#409  today 09:32–10:04   Example News        text             rev 2→3  64 min after publication
      Minister confirms report of talks
      … valley for a third night, and at least [-three-]{+eleven+} people are missing
      https://news.example/a/123                                    +9 −10 words · back to rev 1, number
"
        );
    }

    #[test]
    fn a_paragraph_that_was_replaced_shows_both() {
        let mut event = text_only();
        let gone = block(
            BlockOp::Delete,
            4,
            4,
            vec![delete("The vigil will not take place.")],
        );
        let new = block(
            BlockOp::Insert,
            4,
            4,
            vec![insert("Hundreds came all the same.")],
        );
        let body = event.data.diff.as_mut().unwrap().body.as_mut().unwrap();
        body.blocks = vec![gone, new];
        let shown = short(&row(event), &view());
        assert!(
            shown.contains(
                "\n      [-The vigil will not take place.-]\n      {+Hundreds came all the same.+}\n"
            ),
            "{shown}"
        );
    }

    #[test]
    fn quiet_changes_and_other_events_say_what_they_are() {
        let mut quiet = row(revised());
        quiet.quiet = Some(Quiet::Echo);
        assert!(
            short(&quiet, &view())
                .lines()
                .next()
                .unwrap()
                .ends_with("quiet: echo of the other channel")
        );
        let mut gone = bare(EventKind::FeedGone);
        gone.data.detail = Some("HTTP 410".into());
        assert_eq!(
            short(&row(gone), &view()),
            "      today 10:04         Example News        gone
      HTTP 410
      https://news.example/rss.xml
"
        );
    }

    #[test]
    fn oneline_is_one_line() {
        assert_eq!(
            oneline(&row(revised()), &view()),
            "#412 2026-11-23 09:32–10:04 example-news HEADLINE + text: Minister [-denies-]{+confirms+} report of talks\n"
        );
        let mut event = revised();
        event.data.diff.as_mut().unwrap().title =
            Some(vec![delete("a\r\nb\u{1b}[2J"), insert("c\nd")]);
        assert_eq!(oneline(&row(event), &view()).lines().count(), 1);
    }

    #[test]
    fn typographic_changes_are_marked_as_such() {
        let mut event = text_only();
        let change = event.data.change.as_mut().unwrap();
        change.significance = Significance::Typographic;
        change.labels = vec![Label::Typographic];
        change.revert_of = None;
        assert!(short(&row(event), &view()).contains("· typographic"));
    }

    #[test]
    fn the_summary_counts_what_is_hidden() {
        assert_eq!(summary(0, 0), "no changes");
        assert_eq!(summary(1, 0), "1 change");
        assert_eq!(summary(2, 5), "2 changes (5 hidden; --all shows them)");
    }
}
