//! Values derived from revisions, which are read and written together when they are recomputed.

use rusqlite::params;

use super::commit::write_base;
use super::entries::{self, KnownEntry};
use super::error::StoreError;
use super::reader::Reader;
use super::revisions;
use super::sql::parse_channels;
use super::writer::{Write, Writer};
use crate::domain::fingerprint::Fingerprints;
use crate::domain::ids::{EntryId, RevisionNumber};
use crate::domain::outcome::{Base, Behind, Stamp};
use crate::domain::scheme::Schemes;
use crate::domain::state::Channel;

/// The values derived from a revision, with the responses that they came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedRow {
    /// The revision.
    pub number: RevisionNumber,
    /// Which channels brought it.
    pub channels: Vec<Channel>,
    /// The responses of these channels.
    pub captures: Behind,
    /// As stored, under whichever scheme.
    pub fingerprints: Fingerprints,
    /// The schemes under which its channels were read.
    pub schemes: Schemes,
}

/// An entry whose derived values were recomputed.
#[derive(Debug, Clone, PartialEq)]
pub struct Rederived {
    /// The entry.
    pub entry: EntryId,
    /// Its newest revision at that time.
    pub revision: RevisionNumber,
    /// The values derived from its revisions that differ from the stored ones.
    pub stamps: Vec<(RevisionNumber, Stamp)>,
    /// The newest revision as it is read now, if that gives a different text.
    pub base: Option<Base>,
}

impl Reader {
    /// Entries ordered by row, after the given one.
    pub fn entries_after(
        &self,
        after: EntryId,
        limit: usize,
    ) -> Result<Vec<KnownEntry>, StoreError> {
        self.read(|conn| entries::after(conn, after, limit))
    }

    /// The number of entries.
    pub fn entry_count(&self) -> Result<u64, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached("SELECT count(*) FROM entries")?;
            Ok(statement.query_row([], |row| super::sql::count(row, 0))?)
        })
    }

    /// The values derived from the revisions of an entry whose text is kept, oldest first.
    pub fn derived_rows(&self, entry: EntryId) -> Result<Vec<DerivedRow>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT feed_fp, page_fp, feed_title_fp, feed_summary_fp, feed_body_fp, page_title_fp, page_body_fp, \
                 og_title_fp, ld_headline_fp, feed_byline_fp, page_byline_fp, feed_address_fp, page_address_fp, \
                 guid_fp, number, channels, feed_capture_id, page_capture_id, feed_scheme, page_scheme \
                 FROM revisions WHERE entry_id = ?1 \
                 AND (SELECT dropped_at FROM states WHERE id = state_id) IS NULL ORDER BY number",
            )?;
            let rows = statement.query_map([entry], |row| {
                Ok(DerivedRow {
                    number: row.get("number")?,
                    channels: parse_channels(row.get_ref("channels")?.as_str().unwrap_or_default()),
                    captures: Behind {
                        feed: row.get("feed_capture_id")?,
                        page: row.get("page_capture_id")?,
                    },
                    fingerprints: revisions::fingerprint_row(row)?,
                    schemes: Schemes {
                        feed: row.get("feed_scheme")?,
                        page: row.get("page_scheme")?,
                    },
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

impl Writer {
    /// Stores recomputed values. Returns how many entries were skipped because they were revised in the meantime.
    /// Creates neither changes nor events.
    pub fn rederive(&self, entries: Vec<Rederived>) -> Write<usize> {
        self.write(move |tx| {
            let mut outrun = 0;
            for entry in &entries {
                let current: RevisionNumber = tx
                    .conn
                    .prepare_cached("SELECT revision FROM entries WHERE id = ?1")?
                    .query_row([entry.entry], |row| row.get(0))?;
                if current != entry.revision {
                    outrun += 1;
                    continue;
                }
                for (number, stamp) in &entry.stamps {
                    revisions::stamp(tx.conn, entry.entry, *number, stamp)?;
                }
                let newest = entry.stamps.iter().find(|(number, _)| *number == current);
                let newest = newest.map(|(_, stamp)| *stamp);
                let base = entry.base.as_ref().map(|base| Stamp {
                    fingerprints: base.revision.fingerprints,
                    schemes: base.revision.schemes,
                });
                if let Some(base) = &entry.base {
                    write_base(tx, entry.entry, base, Behind::default())?;
                    tx.conn
                        .prepare_cached(
                            "UPDATE entries SET revision = ?2, title = ?3 WHERE id = ?1",
                        )?
                        .execute(params![
                            entry.entry,
                            base.revision.number,
                            base.revision.state.title()
                        ])?;
                }
                if let Some(stamp) = base.or(newest) {
                    entries::stamp(tx.conn, entry.entry, &stamp)?;
                }
            }
            Ok(outrun)
        })
    }
}

impl Reader {
    /// Revisions that are new first snapshots because the response behind the previous one was gone. Edits between
    /// the two, if any, were not reported.
    pub fn rebased_count(&self) -> Result<u64, StoreError> {
        self.read(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT count(*) FROM revisions WHERE origin = 'rebased'")?;
            Ok(statement.query_row([], |row| super::sql::count(row, 0))?)
        })
    }
}
