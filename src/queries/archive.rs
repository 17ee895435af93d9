//! The copies in a web archive of the pages of changes.

use crate::domain::ids::ChangeNumber;
use crate::report::show::Archived;
use crate::store::{Reader, StoreError};

/// The snapshot for a change; `None` if none was requested.
pub(crate) fn archived(
    reader: &Reader,
    change: ChangeNumber,
) -> Result<Option<Archived>, StoreError> {
    let found = reader.snapshot_of(change)?;
    Ok(found.map(|row| Archived {
        address: row.address,
        error: row.error,
        waiting: row.waits,
    }))
}
