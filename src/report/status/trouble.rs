//! What is in trouble: what is left alone, late, without a text, or not delivered.

use super::{
    ArchiveStatus, FeedsStatus, QuarantinedDocument, StatusMark, StatusPart, TROUBLED_MAX,
    TargetStatus,
};
use crate::report::when::{self, TimeView};
use crate::report::{clean, names};
use crate::time::Timestamp;

/// Late feeds and late hosts that are listed.
const LATE_MAX: usize = 5;

pub(super) fn quarantined(quarantined: &[QuarantinedDocument], view: &TimeView) -> Vec<StatusPart> {
    let mut parts: Vec<StatusPart> = quarantined
        .iter()
        .take(TROUBLED_MAX)
        .map(|one| {
            let url = clean::excerpt(&clean::address(&one.url), 200);
            let text = format!("{} until {}", one.words(&url), view.moment(one.until));
            StatusPart::new(StatusMark::Wrong, "quarantine", text).hint(one.hint())
        })
        .collect();
    let more = quarantined.len().saturating_sub(TROUBLED_MAX);
    if more > 0 {
        let text = format!("{more} more");
        parts.push(
            StatusPart::new(StatusMark::Wrong, "quarantine", text).hint("revisor status --json"),
        );
    }
    parts
}

/// Pages that are not compared, since they have no text of their own.
pub(super) fn without_text(feeds: &FeedsStatus) -> Option<StatusPart> {
    let addresses: Vec<String> = feeds
        .pages_without_text
        .iter()
        .map(|address| clean::excerpt(address, 100))
        .collect();
    let first = feeds.pages_without_text.first()?;
    let reasons = ["no_text", "not_article"];
    let pages = reasons
        .iter()
        .filter_map(|reason| feeds.pages_unread.get(reason));
    let pages = pages.sum::<u64>().max(addresses.len() as u64);
    let more = match pages - addresses.len() as u64 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let text = format!(
        "without a text of their own, not compared: {}{more}",
        addresses.join(", ")
    );
    let hint = format!("revisor inspect article {}", clean::excerpt(first, 100));
    Some(StatusPart::new(StatusMark::Look, "pages", text).hint(hint))
}

/// What should have been asked for by now, and why it was not.
pub(super) fn late(feeds: &FeedsStatus, view: &TimeView) -> Vec<StatusPart> {
    let ago = |due: Timestamp| when::duration(view.now.since(due));
    let mut parts: Vec<StatusPart> = Vec::new();
    for feed in feeds.late.iter().take(LATE_MAX) {
        let (name, why) = (
            clean::excerpt(&feed.feed, 60),
            clean::excerpt(&feed.why, 160),
        );
        let text = format!("{name} is {} late: {why}", ago(feed.due));
        parts.push(StatusPart::new(StatusMark::Look, "late", text));
    }
    let more = feeds.late.len().saturating_sub(LATE_MAX);
    if more > 0 {
        let text = format!("{more} more feeds are late");
        parts.push(StatusPart::new(StatusMark::Look, "late", text).hint("revisor feeds"));
    }
    for host in feeds.late_hosts.iter().take(LATE_MAX) {
        let (name, why) = (
            clean::excerpt(&host.host, 60),
            clean::excerpt(&host.why, 160),
        );
        let pages = names::count(host.pages, "page");
        let text = format!("{pages} of {name}, up to {}: {why}", ago(host.due));
        parts.push(StatusPart::new(StatusMark::Look, "late", text));
    }
    parts
}

pub(super) fn archive_line(archive: ArchiveStatus) -> StatusPart {
    let ArchiveStatus {
        saved,
        waiting,
        refused,
        without_key,
    } = archive;
    let text = format!("{saved} archived, {waiting} waiting, {refused} not possible");
    if without_key == 0 {
        return StatusPart::new(StatusMark::Fine, "archive", text);
    }
    let text = format!("{text}; the archive does not accept the key");
    StatusPart::new(StatusMark::Wrong, "archive", text).hint("set another key in [archive]")
}

pub(super) fn target_line(target: &TargetStatus, view: &TimeView) -> StatusPart {
    let name = clean::excerpt(&target.target, 60);
    if let Some(reason) = &target.disabled {
        let text = format!("{name}: disabled: {}", clean::excerpt(reason, 120));
        return StatusPart::new(StatusMark::Wrong, "alert", text)
            .hint(format!("revisor notify retry {name}"));
    }
    let mut text = name.clone();
    if target.pending > 0 {
        text = format!("{text}: {} pending", target.pending);
        if let Some(oldest) = target.oldest {
            text = format!("{text}, oldest {}", when::duration(view.now.since(oldest)));
        }
    } else {
        text.push_str(": nothing pending");
    }
    if target.gathered > 0 {
        let events = names::count(target.gathered, "event");
        let when = target.digest.map(|at| format!(" {}", view.relative(at)));
        text = format!("{text}, digest of {events}{}", when.unwrap_or_default());
    }
    if target.held > 0 {
        text = format!("{text}, {} to confirm", names::count(target.held, "post"));
    }
    if target.set_aside > 0 {
        text = format!("{text}, {} set aside as refused", target.set_aside);
    }
    if target.dead > 0 {
        text = format!("{text}, {} given up", target.dead);
    }
    if target.overflowed > 0 {
        text = format!("{text} ({} because the queue was full)", target.overflowed);
    }
    if let Some(error) = &target.error {
        text = format!("{text}, last attempt: {}", clean::excerpt(error, 120));
    }
    match (target.dead, &target.error) {
        (0, None) => StatusPart::new(StatusMark::Fine, "alert", text),
        (0, Some(_)) => {
            StatusPart::new(StatusMark::Look, "alert", text).hint("revisor notify list")
        }
        _ => StatusPart::new(StatusMark::Wrong, "alert", text)
            .hint(format!("revisor notify retry {name}")),
    }
}
