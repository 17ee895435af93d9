//! What the commands say that take care of the database.

use serde::Serialize;

/// What `reextract` has done. Its JSON form is the answer of `reextract --json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ReadAnew {
    /// Entries that were looked at.
    pub entries: u64,
    /// Entries that were of an older scheme and are of today's now.
    pub renewed: u64,
    /// Those of them whose newest revision reads otherwise now: each has a re-reading.
    pub reread: u64,
    /// Entries with a revision whose answer is not kept any more: it stays as it was read.
    pub lost: u64,
    /// Entries that were revised meanwhile; left for the next time.
    pub outrun: u64,
    /// Revisions of the whole database that began anew because the answer behind the last one was gone.
    pub begun_anew: u64,
}

/// How far it has come.
#[must_use]
pub fn progress(done: u64, all: u64) -> String {
    format!("{done} of {} entries", all.max(done))
}

/// What it has done, a line each.
#[must_use]
pub fn read_anew(report: &ReadAnew) -> String {
    let mut lines = vec![match report.renewed {
        0 => format!(
            "{}, nothing to read anew",
            count(report.entries, "entry", "entries")
        ),
        _ => format!(
            "{}, {} read anew, {} with another text now; no change was made",
            count(report.entries, "entry", "entries"),
            report.renewed,
            report.reread
        ),
    }];
    if report.lost > 0 {
        lines.push(format!(
            "{} with answers that are not kept any more: they stay as they were read",
            count(report.lost, "entry", "entries")
        ));
    }
    if report.outrun > 0 {
        lines.push(format!(
            "{} revised meanwhile; `revisor reextract` again reads them",
            count(report.outrun, "entry was", "entries were")
        ));
    }
    if report.begun_anew > 0 {
        lines.push(format!(
            "{} begun anew since the database was made, because the old answer was gone",
            count(report.begun_anew, "revision has", "revisions have")
        ));
    }
    lines.join("\n") + "\n"
}

fn count(number: u64, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_anew_is_told_in_words() {
        let nothing = ReadAnew {
            entries: 1,
            ..ReadAnew::default()
        };
        assert_eq!(read_anew(&nothing), "1 entry, nothing to read anew\n");
        let all = ReadAnew {
            entries: 90,
            renewed: 40,
            reread: 3,
            lost: 1,
            outrun: 1,
            begun_anew: 2,
        };
        assert_eq!(
            read_anew(&all),
            "\
90 entries, 40 read anew, 3 with another text now; no change was made
1 entry with answers that are not kept any more: they stay as they were read
1 entry was revised meanwhile; `revisor reextract` again reads them
2 revisions have begun anew since the database was made, because the old answer was gone
"
        );
        assert_eq!(progress(7, 5), "7 of 7 entries");
    }
}
