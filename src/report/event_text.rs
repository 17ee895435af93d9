//! The `text` member of an event: the whole event in a few lines of plain text.

use super::changed;
use super::clean;
use super::digest;
use super::excerpt::{ExcerptLimits, around_edits};
use super::names;
use crate::domain::diff::{BlockDiff, BlockOp, Segment};
use crate::domain::event::{
    BlocksInfo, DiffInfo, DigestInfo, Event, EventData, EventKind, Field, Window,
};
use crate::domain::outline::is_read;

/// Receivers put the text into chat messages and push notifications, which hold little more.
const TEXT_MAX: usize = 1000;
/// A longer address is cut: a browser would accept it, but it would fill the message.
const ADDRESS_MAX: usize = 250;
/// Name, detail, both headlines and the address fit together, so that a headline is never left out.
const HEADLINE_MAX: usize = 180;
const NAME_MAX: usize = 80;
const DETAIL_MAX: usize = 160;
const BLOCK: ExcerptLimits = ExcerptLimits {
    context_words: 6,
    edit: 160,
};

/// A few lines of plain text that say what happened: at most about a thousand characters, safe to print, without
/// markup. Texts are marked as `- old` and `+ new` lines, or `[-old-]{+new+}` inside a paragraph.
///
/// It does not read `data.text` itself.
#[must_use]
pub fn event_text(event: &Event) -> String {
    let data = &event.data;
    let mut head = vec![headline(event)];
    let mut middle = Vec::new();
    match data.diff.as_ref() {
        Some(diff) => {
            if diff.title.is_none() {
                head.extend(entry_title(data));
            }
            if changed::kicker(data).is_empty() {
                middle.extend(diff.title.iter().flat_map(|title| old_and_new(title)));
            } else {
                head.extend(entry_title(data));
                let kicker = diff.title.iter();
                middle.extend(kicker.map(|segments| format!("kicker: {}", marked(segments))));
            }
            middle.extend(diff_lines(diff));
        }
        None => head.extend(entry_title(data)),
    }
    middle.extend(data.report.iter().flat_map(digest::lines));
    if let Some(detail) = data.detail.as_deref() {
        let detail = clean::excerpt(detail, DETAIL_MAX);
        if !detail.is_empty() {
            head.push(detail);
        }
    }
    let mut tail = Vec::new();
    let happened = match event.kind {
        EventKind::DigestReady => "noticed",
        EventKind::EntryRemoved => "taken down",
        EventKind::EntryRestored => "put back",
        _ => "changed",
    };
    tail.extend(changed::window(data).map(|span| window(happened, span)));
    tail.extend(address(data));
    fit(head, middle, tail)
}

/// Takes as many of the middle lines as fit, and says how many are left out.
fn fit(mut lines: Vec<String>, middle: Vec<String>, tail: Vec<String>) -> String {
    let size = |lines: &[String]| -> usize { lines.iter().map(|l| l.chars().count() + 1).sum() };
    // Room for the line that counts the omitted ones.
    let mut room = TEXT_MAX.saturating_sub(size(&lines) + size(&tail) + 20);
    let mut middle = middle.into_iter();
    let mut left_out = 0_u64;
    for line in middle.by_ref() {
        let needed = line.chars().count() + 1;
        if needed > room {
            left_out = 1;
            break;
        }
        room -= needed;
        lines.push(line);
    }
    left_out += middle.count() as u64;
    if left_out > 0 {
        lines.push(format!("… and {left_out} more"));
    }
    lines.extend(tail);
    lines.join("\n")
}

pub(super) fn headline(event: &Event) -> String {
    let data = &event.data;
    let feed = data
        .feed
        .as_ref()
        .map(|feed| {
            [feed.title.as_deref().unwrap_or_default(), &feed.name]
                .into_iter()
                .map(|name| clean::excerpt(name, NAME_MAX))
                .find(|name| !name.is_empty())
                .unwrap_or_default()
        })
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "A feed".to_owned());
    let said = match event.kind {
        EventKind::EntryRevised => match &data.digest {
            Some(digest) => format!("{feed} added to a live article: {}", sum(digest, data)),
            None => format!("{feed} changed {}", what(data)),
        },
        EventKind::EntryRemoved => format!("{feed} took an article down"),
        EventKind::EntryRestored => format!("{feed} put an article back"),
        EventKind::EntryFlapping => format!("{feed} keeps changing an article back and forth"),
        EventKind::EntryPublished => format!("{feed} published an article"),
        EventKind::FeedFailing => format!("{feed} is failing"),
        EventKind::FeedRecovered => format!("{feed} works again"),
        EventKind::FeedGone => format!("{feed} is gone"),
        EventKind::FeedMoved => format!("{feed} has moved"),
        EventKind::FeedBulkEdit => format!("{feed} changed many articles at once"),
        EventKind::TargetDisabled => "a target was disabled".to_owned(),
        EventKind::ServiceOffline => "revisor cannot reach any site".to_owned(),
        EventKind::ServiceOnline => "revisor can reach sites again".to_owned(),
        EventKind::DigestReady => digest::headline(data.report.as_ref()),
        EventKind::PingTest => "this is a test of this target by revisor".to_owned(),
    };
    if data.test && event.kind != EventKind::PingTest {
        format!("[test] {said}")
    } else {
        said
    }
}

/// `a headline and a text`, `a headline, back to revision 2`.
fn what(data: &EventData) -> String {
    let Some(change) = data
        .change
        .as_ref()
        .filter(|change| !change.fields.is_empty())
    else {
        return "an article".to_owned();
    };
    let fields = change.fields.iter().map(|field| match field {
        Field::Title if names::is_kicker(&change.headlines) => "a kicker",
        Field::Title if !is_read(&change.headlines) => "a headline for search and sharing",
        Field::Body if data.replaces_document() => "a document",
        field => names::a_field(*field),
    });
    let fields = names::and(fields);
    match change.revert_of {
        Some(revision) => format!("{fields}, back to revision {revision}"),
        None => fields,
    }
}

/// `14 changes, 9 new paragraphs, +812 words`
fn sum(digest: &DigestInfo, data: &EventData) -> String {
    let mut parts = vec![names::count(digest.changes, "change")];
    if digest.paragraphs > 0 {
        parts.push(names::count(digest.paragraphs, "new paragraph"));
    }
    if let Some(change) = &data.change {
        parts.push(format!("+{} words", change.words.added));
    }
    if digest.told_alone > 0 {
        parts.push(format!(
            "{} already reported",
            names::count(digest.told_alone, "other edit")
        ));
    }
    parts.join(", ")
}

pub(super) fn entry_title(data: &EventData) -> Option<String> {
    let title = [&data.after, &data.before]
        .into_iter()
        .flatten()
        .find_map(|revision| revision.title.as_deref())?;
    let title = clean::excerpt(title, HEADLINE_MAX);
    (!title.is_empty()).then_some(title)
}

/// Everything except the headline, which is shown first.
fn diff_lines(diff: &DiffInfo) -> Vec<String> {
    let mut lines = Vec::new();
    for other in &diff.headlines {
        lines.push(format!(
            "{}: {}",
            other.source.as_str(),
            marked(&other.segments)
        ));
    }
    for (field, segments) in [
        (Field::Standfirst, &diff.standfirst),
        (Field::Byline, &diff.byline),
    ] {
        if let Some(segments) = segments {
            lines.push(format!("{}: {}", names::field(field), marked(segments)));
        }
    }
    for (field, blocks) in [(Field::Body, &diff.body), (Field::Summary, &diff.summary)] {
        if let Some(blocks) = blocks {
            lines.extend(block_lines(field, blocks));
        }
    }
    let shown = |address: &str| clean::excerpt(&clean::address(address), ADDRESS_MAX / 2);
    for link in &diff.links {
        lines.push(format!(
            "link “{}”: {} → {}",
            clean::excerpt(&link.words, NAME_MAX),
            shown(&link.from),
            shown(&link.to)
        ));
    }
    for (field, sides) in [(Field::Address, &diff.address), (Field::Guid, &diff.guid)] {
        if let Some([old, new]) = sides {
            lines.push(format!(
                "{}: {} → {}",
                names::field(field),
                shown(old),
                shown(new)
            ));
        }
    }
    lines
}

/// The two sides of a headline, one line each.
fn old_and_new(segments: &[Segment]) -> Vec<String> {
    let old = Segment::old_side(segments);
    let new = Segment::new_side(segments);
    let (old_line, new_line) = if clean::line(&old) == clean::line(&new) {
        let shown = clean::excerpt(&new, HEADLINE_MAX);
        return vec![format!("= {shown} (the change is in invisible characters)")];
    } else {
        (
            clean::excerpt(&old, HEADLINE_MAX),
            clean::excerpt(&new, HEADLINE_MAX),
        )
    };
    if old_line == new_line {
        // The difference is beyond the cut.
        return vec![format!("± {}", marked(segments))];
    }
    [("-", old_line), ("+", new_line)]
        .into_iter()
        .filter(|(_, line)| !line.is_empty())
        .map(|(mark, line)| format!("{mark} {line}"))
        .collect()
}

fn marked(segments: &[Segment]) -> String {
    around_edits(&clean::segments(segments), BLOCK)
        .iter()
        .map(|segment| match segment {
            Segment::Equal(text) => text.clone(),
            Segment::Delete(text) => format!("[-{text}-]"),
            Segment::Insert(text) => format!("{{+{text}+}}"),
        })
        .collect::<String>()
        .trim()
        .to_owned()
}

/// One line for each block that changed, the weightiest first; items whose numbers only shifted share a line, and
/// blocks that only moved come last.
fn block_lines(field: Field, blocks: &BlocksInfo) -> Vec<String> {
    let name = match field {
        Field::Summary => "summary ",
        _ => "",
    };
    let only_moved = |block: &&BlockDiff| {
        block.op == BlockOp::Move
            && block
                .segments
                .iter()
                .all(|s| matches!(s, Segment::Equal(_)))
    };
    let (runs, folded) = changed::renumbered(blocks);
    let mut changed = changed::by_weight(blocks);
    changed.retain(|block| !block.to.is_some_and(|to| folded.contains(&to)));
    let (moved, others): (Vec<_>, Vec<_>) = changed.into_iter().partition(only_moved);
    let lines = |blocks: Vec<&BlockDiff>| -> Vec<String> {
        blocks
            .into_iter()
            .map(|block| block_line(name, block))
            .collect()
    };
    let mut all = lines(others);
    all.extend(runs.into_iter().map(|run| format!("{name}{run}")));
    all.extend(lines(moved));
    all
}

fn block_line(name: &str, block: &BlockDiff) -> String {
    let number = |number: Option<u32>| number.map(|n| format!("¶{n}")).unwrap_or_default();
    match block.op {
        BlockOp::Insert => format!(
            "+ {name}{}: {}",
            number(block.to),
            clean::excerpt(&Segment::new_side(&block.segments), BLOCK.edit)
        ),
        BlockOp::Delete => format!(
            "- {name}{}: {}",
            number(block.from),
            clean::excerpt(&Segment::old_side(&block.segments), BLOCK.edit)
        ),
        BlockOp::Move => format!(
            "{name}{}→{} (moved): {}",
            number(block.from),
            block.to.map(|n| n.to_string()).unwrap_or_default(),
            marked(&block.segments)
        ),
        BlockOp::Edit | BlockOp::Equal => {
            format!(
                "{name}{}: {}",
                number(block.to.or(block.from)),
                marked(&block.segments)
            )
        }
    }
}

/// The window in UTC: the reader may be in any time zone.
pub(super) fn window(happened: &str, window: Window) -> String {
    let from = window.last_unchanged.to_chrono();
    let to = window.first_changed.to_chrono();
    let end = if from.date_naive() == to.date_naive() {
        to.format("%H:%M")
    } else {
        to.format("%Y-%m-%d %H:%M")
    };
    format!(
        "{happened} between {} and {end} UTC",
        from.format("%Y-%m-%d %H:%M")
    )
}

fn address(data: &EventData) -> Option<String> {
    let address = match &data.entry {
        Some(entry) => entry.url.as_deref(),
        None => data.feed.as_ref().map(|feed| feed.url.as_str()),
    }?;
    let address = clean::excerpt(&clean::address(address), ADDRESS_MAX);
    (!address.is_empty()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diff::{LeftOut, SentenceOps};
    use crate::domain::links::LinkChange;
    use crate::report::sample;
    use crate::time::Timestamp;

    #[test]
    fn a_headline_and_a_text_are_told_in_full() {
        assert_eq!(
            event_text(&sample::revised()),
            "Example News changed a headline and a text\n\
             - Minister denies report of talks\n\
             + Minister confirms report of talks\n\
             ¶1: The minister on Monday [-denied that talks-]{+said that “exploratory talks”+} had taken place \
             with the envoy.\n\
             ¶3→2 (moved): Shares fell [-2-]{+3+} percent.\n\
             changed between 2026-11-23 08:32 and 09:04 UTC\n\
             https://news.example/a/123"
        );
    }

    #[test]
    fn every_kind_has_a_sentence() {
        for kind in EventKind::ALL {
            let mut event = sample::bare(kind);
            event.data.detail = Some("HTTP 410".into());
            let text = event_text(&event);
            assert!(text.contains("HTTP 410"), "{kind:?}: {text}");
            assert!(text.lines().next().is_some_and(|line| line.len() > 10));
        }
    }

    #[test]
    fn a_text_alone_names_its_article() {
        let mut event = sample::revised();
        event.data.diff.as_mut().unwrap().title = None;
        event.data.change.as_mut().unwrap().fields = vec![Field::Body];
        let text = event_text(&event);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("Example News changed a text"));
        assert_eq!(lines.next(), Some("Minister confirms report of talks"));
    }

    #[test]
    fn the_weightiest_block_comes_first_and_renumbered_clauses_share_a_line() {
        let clause = |n: u32, rest: Vec<Segment>| BlockDiff {
            op: BlockOp::Edit,
            from: Some(n),
            to: Some(n + 1),
            part_of: None,
            segments: [
                Segment::Delete(n.to_string()),
                Segment::Insert((n + 1).to_string()),
                Segment::Equal(". The office may charge for boats.".into()),
            ]
            .into_iter()
            .chain(rest)
            .collect(),
        };
        let mut blocks: Vec<BlockDiff> = (2..=9).map(|n| clause(n, Vec::new())).collect();
        blocks[5] = clause(
            7,
            vec![
                Segment::Equal(" It may ".into()),
                Segment::Insert("not ".into()),
                Segment::Equal("be asked for more.".into()),
            ],
        );
        let mut event = sample::revised();
        event.data.diff.as_mut().unwrap().body = Some(BlocksInfo {
            blocks,
            truncated: false,
            coarse: false,
            sentences: SentenceOps::default(),
            left_out: LeftOut::default(),
        });
        let text = event_text(&event);
        let lines: Vec<&str> = text.lines().skip(3).take(3).collect();
        assert_eq!(
            lines,
            [
                "¶8: [-7-]{+8+}. The office may charge for boats. It may {+not +}be asked for more.",
                "clauses 2–9 renumbered 3–10",
                "changed between 2026-11-23 08:32 and 09:04 UTC",
            ]
        );
    }

    #[test]
    fn long_events_are_cut_and_counted_and_keep_their_address() {
        let mut event = sample::revised();
        let blocks = (1..=60)
            .map(|n| BlockDiff {
                op: BlockOp::Insert,
                from: None,
                to: Some(n),
                part_of: None,
                segments: vec![Segment::Insert("word ".repeat(400))],
            })
            .collect();
        event.data.diff.as_mut().unwrap().body = Some(BlocksInfo {
            blocks,
            truncated: false,
            coarse: false,
            sentences: SentenceOps::default(),
            left_out: LeftOut::default(),
        });
        let text = event_text(&event);
        assert!(text.chars().count() <= TEXT_MAX, "{}", text.len());
        assert!(text.contains("\n… and 56 more\n"), "{text}");
        assert!(text.ends_with("https://news.example/a/123"));
    }

    #[test]
    fn nothing_hostile_passes_and_the_size_is_bounded() {
        let nasty = format!(
            "\u{1b}[2J\u{1b}]0;p\u{7}\r\nBcc: x\u{202e}{}",
            "T".repeat(1 << 20)
        );
        let mut event = sample::revised();
        let data = &mut event.data;
        data.detail = Some(format!("detail {nasty}"));
        data.feed.as_mut().unwrap().title = Some(nasty.clone());
        data.entry.as_mut().unwrap().url = Some(nasty.clone());
        let diff = data.diff.as_mut().unwrap();
        diff.title = Some(vec![
            Segment::Delete(nasty.clone()),
            Segment::Insert("x".into()),
        ]);
        diff.byline = Some(vec![Segment::Insert(nasty.clone())]);
        diff.standfirst = Some(vec![Segment::Insert(nasty.clone())]);
        diff.links = vec![LinkChange {
            words: nasty.clone(),
            from: nasty.clone(),
            to: nasty.clone(),
        }];
        diff.guid = Some([nasty.clone(), nasty.clone()]);
        let text = event_text(&event);
        assert!(
            text.chars().count() <= TEXT_MAX + 200,
            "{}",
            text.chars().count()
        );
        assert!(
            text.chars()
                .all(|c| c == '\n' || (!c.is_control() && c != '\u{202e}'))
        );
        assert!(
            text.contains("\n+ x\n") && text.contains("\n… and "),
            "{text}"
        );
        assert!(text.lines().count() <= 8, "{text}");
    }

    #[test]
    fn a_change_that_cannot_be_seen_says_so() {
        let mut event = sample::revised();
        event.data.diff.as_mut().unwrap().title = Some(vec![
            Segment::Equal("pay".into()),
            Segment::Insert("\u{202e}".into()),
            Segment::Equal("pal".into()),
        ]);
        assert!(event_text(&event).contains("= paypal (the change is in invisible characters)"));
    }

    #[test]
    fn a_window_over_midnight_names_both_days() {
        let at = |text| Timestamp::parse_rfc3339(text).unwrap();
        assert_eq!(
            window(
                "changed",
                Window {
                    last_unchanged: at("2026-11-23T23:50:00Z"),
                    first_changed: at("2026-11-24T00:20:00Z"),
                    checks: 1,
                    failed_checks: 0
                }
            ),
            "changed between 2026-11-23 23:50 and 2026-11-24 00:20 UTC"
        );
    }
}
