//! How values of the core are written to the columns of a database.
//!
//! A foreign trait can only be implemented in the package of the type, so the store cannot do this itself. It
//! enables the feature `sqlite`; without it, nothing here is built, and neither is `SQLite`.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::{
    CaptureId, ChangeNumber, DeliveryId, EntryId, EventId, FeedId, RevisionNumber, RuleId,
};
use crate::domain::outcome::{AliasKind, Quiet, RevisionOrigin};
use crate::domain::scheme::Scheme;
use crate::domain::state::Channel;
use crate::time::Timestamp;

/// Types that are stored as an integer, each with its two conversions.
macro_rules! numbers {
    ($($name:ident: $number:ty, $to:expr, $from:expr;)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                let number: fn(&$name) -> i64 = $to;
                Ok(number(self).into())
            }
        }
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                <$number>::column_result(value).map($from)
            }
        }
    )*};
}

numbers! {
    FeedId: i64, |id| id.0, FeedId;
    EntryId: i64, |id| id.0, EntryId;
    CaptureId: i64, |id| id.0, CaptureId;
    EventId: i64, |id| id.0, EventId;
    DeliveryId: i64, |id| id.0, DeliveryId;
    ChangeNumber: i64, |number| number.0, ChangeNumber;
    RuleId: i64, |id| id.0, RuleId;
    RevisionNumber: u32, |number| i64::from(number.0), RevisionNumber;
    Scheme: i64, |scheme| scheme.0, Scheme;
    Timestamp: i64, |moment| moment.as_millis(), Timestamp::from_millis;
}

/// Types that are stored as their name.
macro_rules! words {
    ($($name:ident),*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Self::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
            }
        }
    )*};
}

words!(AliasKind, Channel, RevisionOrigin, Quiet);

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
