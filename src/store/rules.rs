//! `rules`: what is ignored when texts are compared, and the evidence for learned rules.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::entries;
use super::error::StoreError;
use super::reader::Reader;
use super::sql::limit_of;
use super::states;
use super::writer::{Tx, Write, Writer};
use crate::domain::furniture::{ArticlePast, Rule, RuleEvidence, RuleKind, RuleOrigin};
use crate::domain::ids::{EntryId, FeedId, RuleId};
use crate::domain::outcome::NewRule;
use crate::domain::state::{Block, Channel, EntryState, PageState};
use crate::time::Timestamp;

/// A rule and its feed.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleRow {
    /// The rule.
    pub rule: Rule,
    /// The feed; `None` for all.
    pub feed: Option<FeedId>,
    /// The name of the feed.
    pub feed_name: Option<String>,
    /// When a person confirmed it.
    pub kept: Option<Timestamp>,
}

macro_rules! select_rule {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.kind, r.pattern, r.origin, r.active, r.since, r.evidence, r.feed_id, f.name, r.kept_at \
             FROM rules AS r LEFT JOIN feeds AS f ON f.id = r.feed_id ",
            $rest
        )
    };
}

fn rule_row(row: &Row<'_>) -> Result<RuleRow, StoreError> {
    let id: RuleId = row.get("id")?;
    let damaged = |what: &str| StoreError::damaged(format!("rule {id} has an unknown {what}"));
    let evidence: Option<String> = row.get("evidence")?;
    Ok(RuleRow {
        rule: Rule {
            id,
            kind: RuleKind::parse(row.get_ref("kind")?.as_str().unwrap_or_default())
                .ok_or_else(|| damaged("kind"))?,
            pattern: row.get("pattern")?,
            origin: RuleOrigin::parse(row.get_ref("origin")?.as_str().unwrap_or_default())
                .ok_or_else(|| damaged("origin"))?,
            on: row.get("active")?,
            since: row.get("since")?,
            evidence: evidence
                .map(|json| serde_json::from_str::<RuleEvidence>(&json))
                .transpose()
                .map_err(|_| damaged("evidence"))?,
        },
        feed: row.get("feed_id")?,
        feed_name: row.get("name")?,
        kept: row.get("kept_at")?,
    })
}

fn list(
    conn: &Connection,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Vec<RuleRow>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut rules = Vec::new();
    while let Some(row) = rows.next()? {
        rules.push(rule_row(row)?);
    }
    Ok(rules)
}

impl Reader {
    /// All rules by number, including those that have ended; with a feed, only those that affect it.
    pub fn rules(&self, feed: Option<FeedId>) -> Result<Vec<RuleRow>, StoreError> {
        self.read(|conn| match feed {
            Some(feed) => list(
                conn,
                select_rule!("WHERE r.feed_id = ?1 OR r.feed_id IS NULL ORDER BY r.id"),
                &[&feed],
            ),
            None => list(conn, select_rule!("ORDER BY r.id"), &[]),
        })
    }

    /// One rule.
    pub fn rule(&self, id: RuleId) -> Result<Option<RuleRow>, StoreError> {
        self.read(|conn| {
            Ok(list(conn, select_rule!("WHERE r.id = ?1"), &[&id])?
                .into_iter()
                .next())
        })
    }

    /// The input of [`learn`](crate::domain::furniture::learn): the last texts of the newest entries of a feed on
    /// one channel, at most `entries` of them with at most `texts` each.
    pub fn past_texts(
        &self,
        feed: FeedId,
        channel: Channel,
        entries: usize,
        texts: usize,
    ) -> Result<Vec<ArticlePast>, StoreError> {
        self.read(|conn| {
            let tx = conn.unchecked_transaction()?;
            let feed_ok: Option<Timestamp> = tx
                .prepare_cached("SELECT last_ok_at FROM feeds WHERE id = ?1")?
                .query_row([feed], |row| row.get(0))
                .optional()?
                .flatten();
            let mut ids = tx.prepare_cached(
                "SELECT id, in_feed, last_seen_at, page_ok_at FROM entries WHERE feed_id = ?1 \
                 ORDER BY id DESC LIMIT ?2",
            )?;
            let rows = ids.query_map(params![feed, limit_of(entries)], |row| {
                let (in_feed, seen, page) = (
                    row.get("in_feed")?,
                    row.get("last_seen_at")?,
                    row.get("page_ok_at")?,
                );
                let looked: Option<Timestamp> = match (channel, in_feed) {
                    (Channel::Page, _) => page,
                    (Channel::Feed, true) => feed_ok.or(seen),
                    (Channel::Feed, false) => seen,
                };
                Ok((row.get("id")?, looked.unwrap_or_default()))
            })?;
            let mut articles = Vec::new();
            for row in rows {
                let (entry, looked) = row?;
                let article = past_of(&tx, entry, looked, channel, texts)?;
                articles.extend(Some(article).filter(|article| !article.texts.is_empty()));
            }
            Ok(articles)
        })
    }

    /// The last texts of an entry on a channel, oldest first; consecutive equal texts appear once.
    pub fn last_texts(
        &self,
        entry: EntryId,
        channel: Channel,
        texts: usize,
    ) -> Result<Vec<Vec<Block>>, StoreError> {
        self.read(|conn| {
            let tx = conn.unchecked_transaction()?;
            let past = past_of(&tx, entry, Timestamp::default(), channel, texts)?;
            Ok(past.texts.into_iter().map(|(_, text)| text).collect())
        })
    }
}

fn past_of(
    conn: &Connection,
    entry: EntryId,
    looked: Timestamp,
    channel: Channel,
    texts: usize,
) -> Result<ArticlePast, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT state_id, seen_at FROM revisions WHERE entry_id = ?1 ORDER BY number DESC LIMIT ?2",
    )?;
    let rows: Vec<(i64, Timestamp)> = statement
        .query_map(params![entry, limit_of(texts)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    let mut article = ArticlePast {
        entry,
        texts: Vec::with_capacity(rows.len()),
        titles: Vec::with_capacity(rows.len()),
        looked,
    };
    for (state, seen) in rows.into_iter().rev() {
        let Some(state) = states::find(conn, state)? else {
            continue;
        };
        let title = match channel {
            Channel::Page => state.page.as_ref().and_then(PageState::headline),
            Channel::Feed => state.feed.as_ref().and_then(|feed| feed.title.as_deref()),
        };
        article
            .titles
            .extend(title.map(|title| (seen, title.to_owned())));
        let text = text_of(state, channel);
        if !text.is_empty() {
            article.texts.push((seen, text));
        }
    }
    article
        .texts
        .dedup_by(|later, earlier| later.1 == earlier.1);
    article
        .titles
        .dedup_by(|later, earlier| later.1 == earlier.1);
    Ok(article)
}

fn text_of(state: EntryState, channel: Channel) -> Vec<Block> {
    match channel {
        Channel::Page => state.page.map(|page| page.body).unwrap_or_default(),
        Channel::Feed => state
            .feed
            .map(|feed| feed.text().to_vec())
            .unwrap_or_default(),
    }
}

impl Writer {
    /// Adds a rule for a person, or puts it in force again. The pattern has been checked.
    pub fn add_rule(
        &self,
        feed: Option<FeedId>,
        kind: RuleKind,
        pattern: String,
        now: Timestamp,
    ) -> Write<RuleId> {
        self.write(move |tx| {
            let known: Option<RuleId> = tx
                .conn
                .prepare_cached(
                    "SELECT id FROM rules WHERE feed_id IS ?1 AND kind = ?2 AND pattern = ?3 AND origin <> 'config'",
                )?
                .query_row(params![feed, kind.as_str(), pattern], |row| row.get(0))
                .optional()?;
            if let Some(id) = known {
                set(tx.conn, id, true, now)?;
                return Ok(id);
            }
            let id = tx
                .conn
                .prepare_cached(
                    "INSERT INTO rules (feed_id, kind, pattern, origin, active, since, kept_at) \
                     VALUES (?1, ?2, ?3, 'person', 1, ?4, ?4)",
                )?
                .insert(params![feed, kind.as_str(), pattern, now])?;
            Ok(RuleId(id))
        })
    }

    /// Puts a rule in force or ends it at a person's request. Returns whether there is such a rule.
    pub fn set_rule(&self, id: RuleId, on: bool, now: Timestamp) -> Write<bool> {
        self.write(move |tx| set(tx.conn, id, on, now))
    }
}

fn set(conn: &Connection, id: RuleId, on: bool, now: Timestamp) -> Result<bool, StoreError> {
    let rows = conn
        .prepare_cached(
            "UPDATE rules SET since = iif(active = ?2, since, ?3), active = ?2, kept_at = iif(?2, ?3, NULL) WHERE id = ?1",
        )?
        .execute(params![id, on, now])?;
    if !on {
        read_again(conn, "SELECT feed_id FROM rules WHERE id = ?1", id)?;
    }
    Ok(rows > 0)
}

/// Text that a rule covered is read at the next check, even if the server says that nothing has changed.
fn read_again(conn: &Connection, feed: &str, id: RuleId) -> Result<(), StoreError> {
    let feed: Option<Option<FeedId>> = conn
        .prepare_cached(feed)?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let Some(feed) = feed else { return Ok(()) };
    forget_validators(conn, feed)
}

fn forget_validators(conn: &Connection, feed: Option<FeedId>) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE feeds SET etag = NULL, last_modified = NULL, body_sha256 = NULL, packed_sha256 = NULL \
         WHERE ?1 IS NULL OR id = ?1",
    )?
    .execute([feed])?;
    conn.prepare_cached(
        "UPDATE entries SET page_etag = NULL, page_last_modified = NULL, page_body_sha256 = NULL, \
         page_packed_sha256 = NULL \
         WHERE (?1 IS NULL OR feed_id = ?1) AND page_next_at IS NOT NULL",
    )?
    .execute([feed])?;
    Ok(())
}

/// Stores a learned rule and returns its number; a rule that is already known, or that a person has deleted, is
/// not changed.
pub(super) fn put(
    tx: &Tx<'_>,
    feed: FeedId,
    rule: &NewRule,
    now: Timestamp,
) -> Result<Option<RuleId>, StoreError> {
    let mut evidence = rule.evidence.clone();
    evidence.entries = rule
        .entries
        .iter()
        .map(|entry| entries::public_id(tx.conn, *entry))
        .collect::<Result<_, _>>()?;
    let json = serde_json::to_string(&evidence)
        .map_err(|_| StoreError::Refused("evidence that has no JSON form"))?;
    tx.conn
        .prepare_cached(
            "INSERT INTO rules (feed_id, kind, pattern, origin, active, since, evidence) \
             VALUES (?1, ?2, ?3, 'learned', 1, ?4, ?5) ON CONFLICT DO UPDATE SET \
             since = iif(active, since, excluded.since), active = 1, evidence = excluded.evidence \
             WHERE origin = 'learned'",
        )?
        .execute(params![feed, rule.kind.as_str(), rule.pattern, now, json])?;
    let number = tx
        .conn
        .prepare_cached(
            "SELECT id FROM rules WHERE feed_id = ?1 AND kind = ?2 AND pattern = ?3 AND origin <> 'config'",
        )?
        .query_row(params![feed, rule.kind.as_str(), rule.pattern], |row| row.get(0))
        .optional()?;
    Ok(number)
}

/// Updates the rules of a feed to those in the configuration.
pub(super) fn sync_config(
    conn: &Connection,
    feed: FeedId,
    ignore: &[String],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut known: Vec<(RuleId, String, bool)> = conn
        .prepare_cached(
            "SELECT id, pattern, active FROM rules WHERE feed_id = ?1 AND origin = 'config'",
        )?
        .query_map([feed], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for pattern in ignore {
        let at = known.iter().position(|(_, known, _)| known == pattern);
        match at.map(|at| known.swap_remove(at)) {
            Some((_, _, true)) => {}
            Some((id, _, false)) => {
                conn.prepare_cached("UPDATE rules SET active = 1, since = ?2 WHERE id = ?1")?
                    .execute(params![id, now])?;
            }
            None => {
                conn.prepare_cached(
                    "INSERT INTO rules (feed_id, kind, pattern, origin, active, since) \
                     VALUES (?1, 'ignore', ?2, 'config', 1, ?3) ON CONFLICT DO NOTHING",
                )?
                .execute(params![feed, pattern, now])?;
            }
        }
    }
    for (id, _, active) in known {
        if active {
            conn.prepare_cached("UPDATE rules SET active = 0, since = ?2 WHERE id = ?1")?
                .execute(params![id, now])?;
            forget_validators(conn, Some(feed))?;
        }
    }
    Ok(())
}
