//! `revisions`: every state of an entry, in order, each chained to the previous one.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::chain;
use super::error::StoreError;
use super::reader::Reader;
use super::sql::{join_words, limit_of, parse_channels};
use super::states::{self, StoredState};
use super::writer::Tx;
use crate::domain::fingerprint::{Around, Fingerprints, OtherPrints, SCHEME, of_feed_links};
use crate::domain::ids::{CaptureId, ChangeNumber, EntryId, RevisionNumber};
use crate::domain::links::{LinkPrint, prints_of};
use crate::domain::outcome::{NewRevision, Quiet, RevisionOrigin, Stamp};
use crate::domain::scheme::Schemes;
use crate::domain::state::{Channel, EntryState};
use crate::time::Timestamp;

/// A revision in the history of an entry.
#[derive(Debug, Clone, PartialEq)]
pub struct RevisionRow {
    /// Its number within the entry.
    pub number: RevisionNumber,
    /// When it was first seen.
    pub seen: Timestamp,
    /// Which channels brought it.
    pub channels: Vec<Channel>,
    /// The headline of its state; `None` also if the text is not kept any more.
    pub title: Option<String>,
    /// The number of words in the visible text, separated by white space.
    pub words: usize,
    /// The change that led to it; `None` for a first snapshot.
    pub change: Option<ChangeNumber>,
    /// Why that change was not reported.
    pub quiet: Option<Quiet>,
    /// How it came about.
    pub origin: RevisionOrigin,
    /// The chain link: SHA-256 of the previous link, the hash of the state, the number and the time.
    pub hash: [u8; 32],
    /// Whether its text is kept.
    pub kept: bool,
}

impl Reader {
    /// The revisions of an entry, oldest first; if there are more than `limit`, the newest of them.
    pub fn history(&self, entry: EntryId, limit: usize) -> Result<Vec<RevisionRow>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT r.number, r.seen_at, r.channels, r.state_id, c.number AS change, c.quiet, r.hash, r.origin \
                 FROM revisions AS r \
                 LEFT JOIN changes AS c ON c.entry_id = r.entry_id AND c.after_revision = r.number \
                 WHERE r.entry_id = ?1 ORDER BY r.number DESC LIMIT ?2",
            )?;
            let mut rows = statement.query(params![entry, limit_of(limit)])?;
            let mut history = Vec::new();
            while let Some(row) = rows.next()? {
                let state = states::find(conn, row.get("state_id")?)?;
                let kept = state.is_some();
                let state = state.unwrap_or_default();
                history.push(RevisionRow {
                    number: row.get("number")?,
                    seen: row.get("seen_at")?,
                    channels: parse_channels(row.get_ref("channels")?.as_str().unwrap_or_default()),
                    title: state.title().map(str::to_owned),
                    words: state
                        .body()
                        .iter()
                        .map(|block| block.text.split_whitespace().count())
                        .sum(),
                    change: row.get("change")?,
                    quiet: row.get("quiet")?,
                    hash: row.get("hash")?,
                    kept,
                    origin: row.get("origin")?,
                });
            }
            history.reverse();
            Ok(history)
        })
    }

    /// The state of a revision, and when it was first seen; `None` if there is no such revision, or its text is
    /// not kept any more.
    pub fn state(
        &self,
        entry: EntryId,
        revision: RevisionNumber,
    ) -> Result<Option<(EntryState, Timestamp)>, StoreError> {
        self.read(|conn| {
            let found: Option<(i64, Timestamp)> = conn
                .prepare_cached(
                    "SELECT state_id, seen_at FROM revisions WHERE entry_id = ?1 AND number = ?2",
                )?
                .query_row(params![entry, revision], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            match found {
                Some((id, seen)) => Ok(states::find(conn, id)?.map(|state| (state, seen))),
                None => Ok(None),
            }
        })
    }
}

/// Adds a revision to an entry; the caller has checked that its number is the next one.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    entry: EntryId,
    revision: &NewRevision,
    state: &StoredState,
    feed_capture: Option<CaptureId>,
    page_capture: Option<CaptureId>,
) -> Result<(), StoreError> {
    let previous = match revision.number.0 {
        0 | 1 => [0; 32],
        number => tx
            .conn
            .prepare_cached("SELECT hash FROM revisions WHERE entry_id = ?1 AND number = ?2")?
            .query_row(params![entry, number - 1], |row| row.get(0))?,
    };
    let captures = tx
        .capture_hashes
        .behind(tx.conn, feed_capture, page_capture)?;
    let hash = chain::link(
        &previous,
        &state.sha256,
        revision.number,
        revision.seen,
        Some(&captures),
    );
    let channels = join_words(revision.channels.iter().copied().map(Channel::as_str));
    let fp = &revision.fingerprints;
    let schemes = revision.schemes;
    tx.conn
        .prepare_cached(
            "INSERT INTO revisions (entry_id, number, state_id, seen_at, channels, feed_capture_id, page_capture_id, \
             feed_fp, page_fp, feed_title_fp, feed_summary_fp, feed_body_fp, page_title_fp, page_body_fp, \
             og_title_fp, ld_headline_fp, feed_byline_fp, page_byline_fp, feed_address_fp, page_address_fp, guid_fp, \
             previous_hash, hash, feed_scheme, page_scheme, origin, captures_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
             ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)",
        )?
        .execute(params![
            entry,
            revision.number,
            state.id,
            revision.seen,
            channels,
            feed_capture,
            page_capture,
            fp.feed,
            fp.page,
            fp.feed_title,
            fp.feed_summary,
            fp.feed_body,
            fp.page_title,
            fp.page_body,
            fp.beside.og_title,
            fp.beside.ld_headline,
            fp.beside.feed_byline,
            fp.beside.page_byline,
            fp.beside.feed_address,
            fp.beside.page_address,
            fp.beside.guid,
            previous,
            hash,
            schemes.feed,
            schemes.page,
            revision.origin,
            captures
        ])?;
    Ok(())
}

/// The row of the state, and the time, of a revision that must exist.
pub(super) fn current(
    conn: &Connection,
    entry: EntryId,
    number: RevisionNumber,
) -> Result<(i64, Timestamp), StoreError> {
    conn.prepare_cached(
        "SELECT state_id, seen_at FROM revisions WHERE entry_id = ?1 AND number = ?2",
    )?
    .query_row(params![entry, number], |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()?
    .ok_or_else(|| StoreError::damaged(format!("entry {entry} lacks its revision {number}")))
}

macro_rules! select_fingerprints {
    ($rest:literal) => {
        concat!(
            "SELECT feed_fp, page_fp, feed_title_fp, feed_summary_fp, feed_body_fp, page_title_fp, page_body_fp, \
             og_title_fp, ld_headline_fp, feed_byline_fp, page_byline_fp, feed_address_fp, page_address_fp, guid_fp, \
             number, seen_at, feed_scheme, page_scheme, origin, state_id FROM revisions ",
            $rest
        )
    };
}

/// The parts of a revision that matter for recognising a return to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRow {
    /// Its number.
    pub number: RevisionNumber,
    /// When it was first seen.
    pub seen: Timestamp,
    /// The fingerprints of its state under this program's scheme.
    pub fingerprints: Fingerprints,
    /// The links of its page; empty if the revision is not among the newest.
    pub links: Vec<LinkPrint>,
    /// The schemes under which its channels were read.
    pub schemes: Schemes,
    /// How it came about.
    pub origin: RevisionOrigin,
}

/// For this many of the newest revisions, the surroundings of the page's text and its links are read.
const AROUND: usize = 20;

/// For an entry without a page, links are read for this many.
const LINKED: usize = 4;

/// The newest revisions, oldest first.
pub(super) fn past(
    conn: &Connection,
    entry: EntryId,
    limit: usize,
) -> Result<Vec<PastRow>, StoreError> {
    let mut statement = conn.prepare_cached(select_fingerprints!(
        "WHERE entry_id = ?1 ORDER BY number DESC LIMIT ?2"
    ))?;
    let mut rows = statement.query(params![entry, limit_of(limit)])?;
    let mut past = Vec::new();
    let mut newest_scheme = None;
    while let Some(row) = rows.next()? {
        let stored = fingerprint_row(row)?;
        let schemes = Schemes {
            feed: row.get("feed_scheme")?,
            page: row.get("page_scheme")?,
        };
        let (mut fingerprints, mut links) = (stored, Vec::new());
        let is_old = !is_of_today(&stored);
        // If the text is gone, its stored values must do.
        if (is_old
            || past.len()
                < if stored.page.is_some() {
                    AROUND
                } else {
                    LINKED
                })
            && let Some(state) = states::find(conn, row.get("state_id")?)?
        {
            if is_old {
                // Fingerprints of different schemes never match.
                fingerprints = Fingerprints::of(&state);
            }
            // An older reading may not have looked for something, so its absence is unknown.
            let newest = newest_scheme.unwrap_or(schemes);
            let state = EntryState {
                feed: state.feed.filter(|_| newest.feed == schemes.feed),
                page: state.page.filter(|_| newest.page == schemes.page),
            };
            fingerprints.around = state.page.as_ref().map(Around::of);
            fingerprints.feed_links = state.feed.as_ref().map(of_feed_links);
            links = prints_of(&state);
        }
        newest_scheme = newest_scheme.or(Some(schemes));
        past.push(PastRow {
            number: row.get("number")?,
            seen: row.get("seen_at")?,
            fingerprints,
            links,
            schemes,
            origin: row.get("origin")?,
        });
    }
    past.reverse();
    Ok(past)
}

/// Whether fingerprints use this program's scheme.
fn is_of_today(prints: &Fingerprints) -> bool {
    let whole = [prints.feed, prints.page];
    whole
        .into_iter()
        .flatten()
        .all(|print| print.scheme() == SCHEME)
}

/// Writes the values derived from a revision. The revision itself, which the chain protects, is not changed.
pub(super) fn stamp(
    conn: &Connection,
    entry: EntryId,
    number: RevisionNumber,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    let fp = &stamp.fingerprints;
    conn.prepare_cached(
        "UPDATE revisions SET feed_fp = ?3, page_fp = ?4, feed_title_fp = ?5, feed_summary_fp = ?6, \
         feed_body_fp = ?7, page_title_fp = ?8, page_body_fp = ?9, feed_scheme = ?10, page_scheme = ?11, \
         og_title_fp = ?12, ld_headline_fp = ?13, feed_byline_fp = ?14, page_byline_fp = ?15, feed_address_fp = ?16, \
         page_address_fp = ?17, guid_fp = ?18 WHERE entry_id = ?1 AND number = ?2",
    )?
    .execute(params![
        entry,
        number,
        fp.feed,
        fp.page,
        fp.feed_title,
        fp.feed_summary,
        fp.feed_body,
        fp.page_title,
        fp.page_body,
        stamp.schemes.feed,
        stamp.schemes.page,
        fp.beside.og_title,
        fp.beside.ld_headline,
        fp.beside.feed_byline,
        fp.beside.page_byline,
        fp.beside.feed_address,
        fp.beside.page_address,
        fp.beside.guid
    ])?;
    Ok(())
}

/// The fingerprints of a revision that must exist.
pub(super) fn fingerprints_of(
    conn: &Connection,
    entry: EntryId,
    number: RevisionNumber,
) -> Result<Fingerprints, StoreError> {
    conn.prepare_cached(select_fingerprints!("WHERE entry_id = ?1 AND number = ?2"))?
        .query_row(params![entry, number], fingerprint_row)
        .optional()?
        .ok_or_else(|| StoreError::damaged(format!("entry {entry} lacks its revision {number}")))
}

pub(super) fn fingerprint_row(row: &Row<'_>) -> rusqlite::Result<Fingerprints> {
    Ok(Fingerprints {
        feed: row.get("feed_fp")?,
        page: row.get("page_fp")?,
        feed_title: row.get("feed_title_fp")?,
        feed_summary: row.get("feed_summary_fp")?,
        feed_body: row.get("feed_body_fp")?,
        page_title: row.get("page_title_fp")?,
        page_body: row.get("page_body_fp")?,
        beside: OtherPrints {
            og_title: row.get("og_title_fp")?,
            ld_headline: row.get("ld_headline_fp")?,
            feed_byline: row.get("feed_byline_fp")?,
            page_byline: row.get("page_byline_fp")?,
            feed_address: row.get("feed_address_fp")?,
            page_address: row.get("page_address_fp")?,
            guid: row.get("guid_fp")?,
        },
        around: None,
        feed_links: None,
    })
}
