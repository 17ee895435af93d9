//! Entries that a user asks for: by what was typed, or all of a kind.

use super::super::error::StoreError;
use super::super::reader::Reader;
use super::super::sql::{feed_list, limit_of};
use super::{KnownEntry, list};
use crate::domain::ids::FeedId;
use crate::domain::life::Reason;

/// Which entries to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntryFilter {
    /// Only of these feeds; `None` for all.
    pub feeds: Option<Vec<FeedId>>,
    /// Only those whose article was taken down.
    pub removed: bool,
    /// Only those whose page the last check did not find, whether or not it counts as taken down.
    pub not_found: bool,
    /// At most this many.
    pub limit: usize,
}

impl Reader {
    /// The entries that a user may mean: by a public id or its beginning, a guid, or an address, as given or as
    /// stored. Newest first, at most `limit`. If one matches exactly, it is the only result.
    pub fn find_entries(&self, what: &str, limit: usize) -> Result<Vec<KnownEntry>, StoreError> {
        self.read(|conn| {
            let exact = list(conn, select_entry!("entries AS e WHERE e.public_id = ?1"), &[&what])?;
            if !exact.is_empty() {
                return Ok(exact);
            }
            let limit = limit_of(limit);
            let named = list(
                conn,
                select_entry!(
                    "entries AS e WHERE e.id IN (SELECT a.entry_id FROM feeds AS f CROSS JOIN aliases AS a \
                       WHERE a.feed_id = f.id AND a.kind IN ('guid', 'address', 'content') AND a.value = ?1) \
                     ORDER BY e.id DESC LIMIT ?2"
                ),
                &[&what, &limit],
            )?;
            if !named.is_empty() {
                return Ok(named);
            }
            let by_page = list(
                conn,
                select_entry!(
                    "entries AS e WHERE e.feed_id IN (SELECT id FROM feeds) AND e.page_url = ?1 \
                     ORDER BY e.id DESC LIMIT ?2"
                ),
                &[&what, &limit],
            )?;
            if !by_page.is_empty() || what.is_empty() {
                return Ok(by_page);
            }
            let prefix = if what.starts_with("ent_") {
                what.to_owned()
            } else {
                format!("ent_{what}")
            };
            // `{` is the character after `z`, the last one of a public id.
            let end = format!("{prefix}{{");
            list(
                conn,
                select_entry!(
                    "entries AS e WHERE e.public_id >= ?1 AND e.public_id < ?2 ORDER BY e.id DESC LIMIT ?3"
                ),
                &[&prefix, &end, &limit],
            )
        })
    }

    /// Entries, newest first.
    pub fn list_entries(&self, filter: &EntryFilter) -> Result<Vec<KnownEntry>, StoreError> {
        let feeds = filter.feeds.as_deref().map(feed_list);
        let absent = Reason::ALL.into_iter().filter(|reason| reason.is_absence());
        let absent: Vec<&str> = absent.map(Reason::as_str).collect();
        let absent = serde_json::to_string(&absent).unwrap_or_else(|_| "[]".into());
        self.read(|conn| {
            list(
                conn,
                select_entry!(
                    "entries AS e WHERE (?1 IS NULL OR e.feed_id IN (SELECT value FROM json_each(?1))) \
                     AND (NOT ?2 OR e.life = 'removed') \
                     AND (NOT ?3 OR e.page_reason IN (SELECT value FROM json_each(?4))) \
                     ORDER BY e.id DESC LIMIT ?5"
                ),
                &[&feeds, &filter.removed, &filter.not_found, &absent, &limit_of(filter.limit)],
            )
        })
    }
}
