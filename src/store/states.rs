//! `states`: the content of an entry. Each distinct state is stored once and named by its hash.

use rusqlite::{Connection, OptionalExtension, params};

use super::codec::{sha256, unpack};
use super::error::StoreError;
use super::writer::Tx;
use crate::domain::state::EntryState;

/// A stored state.
pub(super) struct StoredState {
    pub(super) id: i64,
    pub(super) sha256: [u8; 32],
}

/// The canonical form of a state: members in the order of the type, absent ones left out.
pub(super) fn canonical_json(state: &EntryState) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(state).map_err(|_| StoreError::Refused("a state that has no JSON form"))
}

/// Stores a state, or finds an existing one.
pub(super) fn put(tx: &mut Tx<'_>, state: &EntryState) -> Result<StoredState, StoreError> {
    let json = canonical_json(state)?;
    let sha256 = sha256(&[&json]);
    let known: Option<(i64, bool)> = tx
        .conn
        .prepare_cached("SELECT id, dropped_at IS NULL FROM states WHERE sha256 = ?1")?
        .query_row([&sha256], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((id, true)) = known {
        return Ok(StoredState { id, sha256 });
    }
    let body = tx.codec.pack(&json)?;
    if let Some((id, _)) = known {
        // Retention had deleted it, and it has come back.
        tx.conn
            .prepare_cached("UPDATE states SET body = ?2, dropped_at = NULL WHERE id = ?1")?
            .execute(params![id, body])?;
        return Ok(StoredState { id, sha256 });
    }
    let bytes = i64::try_from(json.len()).unwrap_or(i64::MAX);
    let id = tx
        .conn
        .prepare_cached("INSERT INTO states (sha256, bytes, body) VALUES (?1, ?2, ?3)")?
        .insert(params![sha256, bytes, body])?;
    Ok(StoredState { id, sha256 })
}

/// Reads a state that must have been kept, such as the newest one of an entry.
pub(super) fn get(conn: &Connection, id: i64) -> Result<EntryState, StoreError> {
    find(conn, id)?.ok_or_else(|| StoreError::damaged(format!("the text of state {id} is gone")))
}

/// Reads a state; `None` if retention has deleted it.
pub(super) fn find(conn: &Connection, id: i64) -> Result<Option<EntryState>, StoreError> {
    let (bytes, body, kept): (i64, Vec<u8>, bool) = conn
        .prepare_cached("SELECT bytes, body, dropped_at IS NULL FROM states WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    if !kept {
        return Ok(None);
    }
    let json = unpack(&body, bytes)?;
    serde_json::from_slice(&json)
        .map(Some)
        .map_err(|error| StoreError::damaged(format!("state {id} cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::state::{Block, BlockKind, FeedState, PageState};
    use crate::time::Timestamp;

    fn text() -> impl Strategy<Value = Option<String>> {
        proptest::option::of(any::<String>())
    }

    fn blocks() -> impl Strategy<Value = Vec<Block>> {
        let kind = prop_oneof![
            Just(BlockKind::Paragraph),
            Just(BlockKind::Heading),
            Just(BlockKind::Code)
        ];
        proptest::collection::vec(
            (kind, any::<String>()).prop_map(|(kind, text)| Block { kind, text }),
            0..4,
        )
    }

    fn date() -> impl Strategy<Value = Option<Timestamp>> {
        proptest::option::of(any::<i64>().prop_map(Timestamp::from_millis))
    }

    fn states() -> impl Strategy<Value = EntryState> {
        let feed = (text(), text(), text(), date(), date(), blocks(), blocks()).prop_map(
            |(guid, address, title, published, updated, summary, body)| FeedState {
                guid,
                address,
                title,
                byline: None,
                published,
                updated,
                summary,
                body,
                ..FeedState::default()
            },
        );
        let page =
            (text(), text(), date(), blocks()).prop_map(|(h1, byline, modified, body)| PageState {
                h1,
                byline,
                modified,
                body,
                ..PageState::default()
            });
        (proptest::option::of(feed), proptest::option::of(page))
            .prop_map(|(feed, page)| EntryState { feed, page })
    }

    proptest! {
        #[test]
        fn a_state_comes_back_as_it_was(state in states()) {
            let json = canonical_json(&state).unwrap();
            let mut codec = super::super::codec::Codec::new().unwrap();
            let packed = codec.pack(&json).unwrap();
            let back: EntryState =
                serde_json::from_slice(&unpack(&packed, i64::try_from(json.len()).unwrap()).unwrap()).unwrap();
            prop_assert_eq!(&back, &state);
            prop_assert_eq!(canonical_json(&back).unwrap(), json);
        }
    }
}
