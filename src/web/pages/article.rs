//! Changes, articles and their revisions.

use data_encoding::HEXLOWER;
use hyper::StatusCode;

use super::super::route::{List, ListFormat};
use super::list::{by_id, others};
use super::{CSV, HTML, JSON, PageRequest, PageResponse, json, memento};
use crate::domain::ids::{ChangeNumber, RevisionNumber};
use crate::picture;
use crate::queries::archive::archived;
use crate::queries::compare::difference;
use crate::queries::history::history_of;
use crate::report::csv;
use crate::report::evidence::{self, EvidenceReport};
use crate::report::log::LogRow;
use crate::report::message::Message;
use crate::report::pages::change::{self as change_page, Change};
use crate::report::pages::compare::{self as compare_page, CompareView, Compared};
use crate::report::pages::entry::{self as entry_page, Moment, Revision};
use crate::report::pages::stream::StreamFilter;
use crate::report::pages::{Other, PNG};
use crate::store::{Reader, RevisionRow, StoreError};

/// `/c/N`, and the same for programs.
pub(super) fn change(
    asked: &PageRequest,
    number: ChangeNumber,
    form: ListFormat,
    reader: &Reader,
) -> Result<PageResponse, StoreError> {
    let Some(found) = reader.change(number)? else {
        return Ok(asked.not_found(&format!("There is no change #{number}.")));
    };
    let row = LogRow {
        event: found.stored.event,
        quiet: found.quiet,
    };
    match form {
        ListFormat::Json => {
            let event = row.event.with_permalink(asked.base().as_deref());
            return Ok(PageResponse::new(JSON, json(&event)));
        }
        ListFormat::Csv => {
            return Ok(PageResponse::new(
                CSV,
                csv::HEAD.to_owned() + &csv::record(&row),
            ));
        }
        _ => {}
    }
    let revisions = reader.history(found.entry, usize::MAX)?;
    let around = |is_next: fn(ChangeNumber, ChangeNumber) -> bool| {
        revisions
            .iter()
            .filter_map(|row| row.change)
            .filter(move |other| is_next(*other, number))
    };
    let earlier = around(|other, this| other < this).max();
    let later = around(|other, this| other > this).min();
    let here = asked.site().links.change(number).unwrap_or_default();
    let other = |name, media_type, ending: &str| Other {
        name,
        media_type,
        href: format!("{here}{ending}"),
    };
    let mut others = vec![
        other("Evidence (one file to keep)", "text/html", "/evidence.html"),
        other("JSON", "application/json", ".json"),
        other("CSV", "text/csv", ".csv"),
    ];
    if picture::AVAILABLE && !Message::of(&row.event).changes.is_empty() {
        // By its whole address, as it is for previews elsewhere.
        let base = asked.base().unwrap_or_default();
        others.push(Other {
            name: "Picture",
            media_type: PNG,
            href: format!("{}/c/{number}.png", base.trim_end_matches('/')),
        });
    }
    let archived = archived(reader, number)?;
    let page = change_page::page(
        &asked.site(),
        &Change {
            row,
            earlier,
            later,
            revisions: revisions.iter().map(moment).collect(),
            archived,
            others,
        },
    );
    Ok(asked.page(&page))
}

/// `/c/N.png`: the change as a picture, if this program can draw and has fonts for it.
pub(super) fn picture(
    asked: &PageRequest,
    number: ChangeNumber,
    reader: &Reader,
) -> Result<PageResponse, StoreError> {
    let Some(found) = reader.change(number)? else {
        return Ok(asked.not_found(&format!("There is no change #{number}.")));
    };
    Ok(match picture::of(&Message::of(&found.stored.event)) {
        Some(png) => PageResponse::new(PNG, png),
        None => asked.not_found("There is no picture of this change."),
    })
}

fn moment(row: &RevisionRow) -> Moment {
    Moment {
        revision: row.number,
        seen: row.seen,
    }
}

/// `/c/N/evidence.html`: offered as a download, because it is a file to keep.
pub(super) fn evidence(
    asked: &PageRequest,
    number: ChangeNumber,
    reader: &Reader,
) -> Result<PageResponse, StoreError> {
    let Some(found) = reader.evidence(number)? else {
        return Ok(asked.not_found(&format!("There is no change #{number}.")));
    };
    let document = evidence::document(&EvidenceReport {
        event: found.change.stored.event,
        links: found.links,
        captures: found.captures,
        made: asked.now,
        program: format!("revisor {}", env!("CARGO_PKG_VERSION")),
    });
    Ok(PageResponse::new(HTML, document).with(
        "content-disposition",
        format!("attachment; filename=\"change-{number}-evidence.html\""),
    ))
}

/// `/e/ID`; with `a` and `b` it redirects to the page that compares these two.
pub(super) fn entry(
    asked: &PageRequest,
    id: &str,
    reader: &Reader,
) -> Result<PageResponse, StoreError> {
    let Some(entry) = by_id(id, reader)? else {
        return Ok(asked.not_found(&format!("There is no article {id}.")));
    };
    let side = |name: &str| {
        asked
            .parameter(name)
            .parse::<u32>()
            .ok()
            .filter(|number| *number > 0)
    };
    if let (Some(a), Some(b)) = (side("a"), side("b")) {
        let (old, new) = (RevisionNumber(a.min(b)), RevisionNumber(a.max(b)));
        let to = asked.site().links.compare(id, old, new).unwrap_or_default();
        return Ok(PageResponse::redirect(to));
    }
    let tags = |url: &str| asked.setup.feed(url).map(|feed| feed.tags.to_vec());
    let history = history_of(&entry, &tags, reader)?;
    let others = others(asked, &List::Entry(id.to_owned()), &StreamFilter::default());
    Ok(asked.page(&entry_page::page(&asked.site(), &history, others)))
}

/// `/e/ID/N`: a memento of the article.
pub(super) fn revision(
    asked: &PageRequest,
    id: &str,
    number: RevisionNumber,
    reader: &Reader,
) -> Result<PageResponse, StoreError> {
    let Some(entry) = by_id(id, reader)? else {
        return Ok(asked.not_found(&format!("There is no article {id}.")));
    };
    let rows = reader.history(entry.id, usize::MAX)?;
    let Some(place) = rows.iter().position(|row| row.number == number) else {
        return Ok(asked.not_found(&format!(
            "This article has no revision {number}; it has {}.",
            entry.revision
        )));
    };
    let row = &rows[place];
    let state = reader.state(entry.id, number)?.map(|(state, _)| state);
    let hash = HEXLOWER.encode(&row.hash);
    let page = entry_page::revision(
        &asked.site(),
        &Revision {
            entry: id.to_owned(),
            number,
            seen: row.seen,
            until: rows.get(place + 1).map(|next| next.seen),
            last: entry.revision,
            state: state.clone(),
            hash,
        },
    );
    let answer = asked.page(&page);
    Ok(match state.as_ref().and_then(|state| state.address()) {
        Some(original) => memento::headers(asked, answer, original, id, &rows, place),
        None => answer,
    })
}

/// `/e/ID/A..B`.
pub(super) fn compare(
    asked: &PageRequest,
    id: &str,
    [old, new]: [RevisionNumber; 2],
    reader: &Reader,
) -> Result<PageResponse, StoreError> {
    let Some(entry) = by_id(id, reader)? else {
        return Ok(asked.not_found(&format!("There is no article {id}.")));
    };
    let mut states = Vec::with_capacity(2);
    for number in [old, new] {
        match reader.state(entry.id, number)? {
            Some((state, _)) => states.push(state),
            None if number <= entry.revision => {
                let why =
                    format!("The text of revision {number} has been deleted (keep.revisions).");
                return Ok(asked.problem(StatusCode::GONE, "No longer kept", &why));
            }
            None => {
                let why = format!(
                    "This article has no revision {number}; it has {}.",
                    entry.revision
                );
                return Ok(asked.not_found(&why));
            }
        }
    }
    let [before, after] = states.as_slice() else {
        return Ok(asked.not_found("There is no such comparison."));
    };
    let compared = Compared {
        entry: id.to_owned(),
        old,
        new,
        last: entry.revision,
        diff: difference(before, after),
        shape: CompareView::parse(asked.parameter("view")),
    };
    Ok(asked.page(&compare_page::page(&asked.site(), &compared)))
}
