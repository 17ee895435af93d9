//! How our values stand in columns.

use std::time::Duration;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql};
use serde::Serialize;

use crate::domain::classify::Significance;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::{
    CaptureId, ChangeNumber, DeliveryId, EntryId, EventId, FeedId, RevisionNumber, RuleId,
};
use crate::domain::outcome::{AliasKind, Origin, Quiet};
use crate::domain::scheme::Scheme;
use crate::domain::state::Channel;
use crate::time::Timestamp;

macro_rules! row_ids {
    ($($name:ident),*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.0.into())
            }
        }
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_i64().map($name)
            }
        }
    )*};
}
row_ids!(
    FeedId,
    EntryId,
    CaptureId,
    EventId,
    DeliveryId,
    ChangeNumber,
    RuleId
);

impl ToSql for RevisionNumber {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::from(self.0).into())
    }
}

impl FromSql for RevisionNumber {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        u32::column_result(value).map(RevisionNumber)
    }
}

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_millis().into())
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Timestamp::from_millis)
    }
}

impl ToSql for Fingerprint {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for Fingerprint {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(Fingerprint)
    }
}

impl ToSql for Channel {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(channel_word(*self).into())
    }
}

impl FromSql for Channel {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "feed" => Ok(Self::Feed),
            "page" => Ok(Self::Page),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

impl ToSql for AliasKind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for AliasKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for Origin {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Origin {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for Scheme {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Scheme {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Scheme)
    }
}

impl ToSql for Quiet {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Quiet {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

/// A count; `SQLite` has no unsigned integers.
pub(super) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    Ok(u64::try_from(value).unwrap_or(0))
}

/// A span of time, which the database has in milliseconds.
pub(super) fn duration(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Duration>> {
    let value: Option<i64> = row.get(column)?;
    Ok(value
        .and_then(|ms| u64::try_from(ms).ok())
        .map(Duration::from_millis))
}

/// A span of time as the database has it.
pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// The name of a channel in the database.
pub(super) fn channel_word(channel: Channel) -> &'static str {
    match channel {
        Channel::Feed => "feed",
        Channel::Page => "page",
    }
}

/// The channels of a list as it stands in the database.
pub(super) fn parse_channels(list: &str) -> Vec<Channel> {
    list.split(',')
        .filter_map(|word| match word {
            "feed" => Some(Channel::Feed),
            "page" => Some(Channel::Page),
            _ => None,
        })
        .collect()
}

/// Names joined by commas, each once.
pub(super) fn join_words<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut list = String::new();
    for word in words {
        if list.split(',').any(|known| known == word) {
            continue;
        }
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(word);
    }
    list
}

/// The name of a significance in the database; the same as in JSON.
pub(super) fn significance_word(significance: Significance) -> &'static str {
    match significance {
        Significance::Typographic => "typographic",
        Significance::Minor => "minor",
        Significance::Substantive => "substantive",
    }
}

/// The name that a value has in JSON, for the columns that say the same as the event.
pub(super) fn json_word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// `LIMIT` takes an i64; more than that is no limit.
pub(super) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn significance_has_one_name_everywhere() {
        for significance in [
            Significance::Typographic,
            Significance::Minor,
            Significance::Substantive,
        ] {
            assert_eq!(significance_word(significance), json_word(&significance));
        }
    }

    #[test]
    fn channels_survive_the_database() {
        let list = join_words([Channel::Feed, Channel::Page, Channel::Feed].map(channel_word));
        assert_eq!(list, "feed,page");
        assert_eq!(parse_channels(&list), [Channel::Feed, Channel::Page]);
    }
}
