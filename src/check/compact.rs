//! Compacts stored responses between checks: compression takes processor time, as parsing does.

use crate::check::Checker;
use crate::store::{Compacted, Compaction, Reader, StoreError};

impl Checker {
    /// The responses that can be compacted.
    pub async fn compaction(&self) -> Result<Compaction, StoreError> {
        let readers = self.readers.clone();
        let planned = self
            .workers
            .run(move || readers.with(Reader::compaction))
            .await;
        planned.map_err(|_| StoreError::Fault)?
    }

    /// Compresses and stores some responses. Returns the work and what it achieved, or `None` when all is done.
    pub async fn compact_step(
        &self,
        mut work: Compaction,
    ) -> Result<(Compaction, Option<Compacted>), StoreError> {
        let readers = self.readers.clone();
        let step = move || {
            let packed = readers.with(|reader| work.next(reader));
            packed.map(|packed| (work, packed))
        };
        let packed = self.workers.run(step).await;
        let (work, packed) = packed.map_err(|_| StoreError::Fault)??;
        let compacted = match packed {
            Some(packed) => Some(self.writer.compact(packed).await?),
            None => None,
        };
        Ok((work, compacted))
    }
}
