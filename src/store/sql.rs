//! How values without their own column type are stored. For the others, see `revisor_core::columns`.

use std::time::Duration;

use rusqlite::{Row, RowIndex};
use serde::Serialize;

use crate::domain::ids::FeedId;
use crate::domain::state::Channel;

/// Names the columns of a query once. The macro `$select` begins the query with them, and the module `$columns` has
/// the place of each, so that a row is read by name without looking the name up. A column that has another name, or is
/// an expression, is `name = "SQL"`; the others get the prefix.
macro_rules! columns {
    ($dollar:tt $select:ident, $columns:ident, $prefix:literal, $from:expr,
        [$first:ident $(= $first_sql:literal)? $(, $column:ident $(= $sql:literal)?)* $(,)?]
    ) => {
        macro_rules! $select {
            ($dollar($dollar rest:expr)?) => {
                concat!(
                    "SELECT ",
                    $crate::sql::column_sql!($prefix, $first $(, $first_sql)?),
                    $(", ", $crate::sql::column_sql!($prefix, $column $(, $sql)?),)*
                    $from,
                    $dollar($dollar rest)?
                )
            };
        }

        #[expect(non_camel_case_types, non_upper_case_globals, reason = "the names of columns")]
        pub(super) mod $columns {
            enum Place { $first $(, $column)* }
            pub(in crate) const $first: usize = Place::$first as usize;
            $(pub(in crate) const $column: usize = Place::$column as usize;)*
        }
    };
}
pub(super) use columns;

/// A column of a query as SQL.
macro_rules! column_sql {
    ($prefix:literal, $column:ident) => {
        concat!($prefix, stringify!($column))
    };
    ($prefix:literal, $column:ident, $sql:literal) => {
        $sql
    };
}
pub(super) use column_sql;

/// A count; `SQLite` has no unsigned integers.
pub(super) fn count(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    Ok(u64::try_from(value).unwrap_or(0))
}

/// A duration, which is stored in milliseconds.
pub(super) fn duration(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Duration>> {
    let value: Option<i64> = row.get(column)?;
    Ok(value
        .and_then(|ms| u64::try_from(ms).ok())
        .map(Duration::from_millis))
}

/// A duration as stored.
pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Parses a stored list of channels.
pub(super) fn parse_channels(list: &str) -> Vec<Channel> {
    list.split(',').filter_map(Channel::parse).collect()
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

/// The JSON name of a value, for columns that repeat a value of the event.
pub(super) fn json_word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The rows of feeds as a list for `json_each`.
pub(super) fn feed_list(feeds: &[FeedId]) -> String {
    row_list(feeds.iter().map(|feed| feed.0))
}

/// Rows as a list for `json_each`.
pub(super) fn row_list(rows: impl Iterator<Item = i64>) -> String {
    rows.collect::<serde_json::Value>().to_string()
}

/// `LIMIT` takes an i64; a larger limit means no limit.
pub(super) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_survive_the_database() {
        let list = join_words([Channel::Feed, Channel::Page, Channel::Feed].map(Channel::as_str));
        assert_eq!(list, "feed,page");
        assert_eq!(parse_channels(&list), [Channel::Feed, Channel::Page]);
    }
}
