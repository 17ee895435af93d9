//! Compares stored revisions under the rules of today, to see what would have been reported.

use crate::check::reread::reading::{Reading, kept_answer};
use crate::domain::assess::{Context, assess};
use crate::domain::classify::Significance;
use crate::domain::compare::compare_under;
use crate::domain::furniture::Rules;
use crate::domain::ids::{CaptureId, EntryId, RevisionNumber};
use crate::domain::observation::Observed;
use crate::domain::state::EntryState;
use crate::store::{Reader, StoreError};

/// Whether the step between two revisions of an entry would be reported. Their responses are read again if they are
/// kept; otherwise the stored texts are compared.
pub(crate) fn replay(
    reader: &Reader,
    reading: &Reading,
    rules: &Rules,
    entry: EntryId,
    [before, after]: [RevisionNumber; 2],
    least: Significance,
) -> Result<bool, StoreError> {
    let (Some(old), Some(new)) = (
        state(reader, reading, entry, before)?,
        state(reader, reading, entry, after)?,
    ) else {
        return Ok(true);
    };
    let Some(comparison) = compare_under(&old, &new, rules) else {
        return Ok(false);
    };
    let context = Context::between(&old, &new, &comparison);
    Ok(assess(&comparison, &context).significance >= least)
}

fn state(
    reader: &Reader,
    reading: &Reading,
    entry: EntryId,
    revision: RevisionNumber,
) -> Result<Option<EntryState>, StoreError> {
    let Some((mut state, _)) = reader.state(entry, revision)? else {
        return Ok(None);
    };
    let behind = reader.captures_behind(entry, revision)?;
    let stored = state.clone();
    let again = |id: Option<CaptureId>| -> Result<Option<Observed>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        let capture = kept_answer(reader, id)?;
        let read = capture.and_then(|capture| reading.again(&capture.capture, &stored).ok());
        Ok(read.map(|observation| observation.state))
    };
    for seen in [again(behind.feed)?, again(behind.page)?]
        .into_iter()
        .flatten()
    {
        match seen {
            Observed::Feed(feed) => state.feed = Some(feed),
            Observed::Page(page) => state.page = Some(page),
        }
    }
    Ok(Some(state))
}
