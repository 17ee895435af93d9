//! The output of the commands that maintain the database.

use serde::Serialize;

use super::clean;

/// What `reextract` did. Its JSON form is the output of `reextract --json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct ReextractReport {
    /// Entries that were checked.
    pub entries: u64,
    /// Entries that had an older scheme and now have the current one.
    pub renewed: u64,
    /// Those whose newest revision now reads differently: each has a re-reading.
    pub reread: u64,
    /// Entries with a revision whose response is no longer stored: it stays as it was read.
    pub lost: u64,
    /// Entries that were revised in the meantime; left for the next run.
    pub outrun: u64,
    /// Revisions in the whole database that started over because the response behind the last one was gone.
    pub begun_anew: u64,
}

/// Progress so far.
#[must_use]
pub(crate) fn progress(done: u64, all: u64) -> String {
    format!("{done} of {} entries", all.max(done))
}

/// What it did, one fact per line.
#[must_use]
pub(crate) fn reextracted(report: &ReextractReport) -> String {
    let mut lines = vec![match report.renewed {
        0 => format!(
            "{}, nothing to re-read",
            count(report.entries, "entry", "entries")
        ),
        _ => format!(
            "{}, {} re-read, {} now with a different text; no changes recorded",
            count(report.entries, "entry", "entries"),
            report.renewed,
            report.reread
        ),
    }];
    if report.lost > 0 {
        lines.push(format!(
            "{} whose responses have been deleted: not re-read",
            count(report.lost, "entry", "entries")
        ));
    }
    if report.outrun > 0 {
        lines.push(format!(
            "{} revised in the meantime; run `revisor reextract` again to re-read them",
            count(report.outrun, "entry was", "entries were")
        ));
    }
    if report.begun_anew > 0 {
        lines.push(format!(
            "{} restarted from a new first snapshot since the database was created, because the old response had been deleted",
            count(report.begun_anew, "revision has", "revisions have")
        ));
    }
    lines.join("\n") + "\n"
}

/// What `db verify` found. Its JSON form is the output of `db verify --json`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Checked {
    /// Whether nothing is wrong.
    pub ok: bool,
    /// Links of the chain.
    pub revisions: u64,
    /// Changes whose diff rebuilds both sides.
    pub changes: u64,
    /// Stored responses.
    pub bodies: u64,
    /// Distinct states of entries.
    pub states: u64,
    /// States whose text is no longer stored; changes from or to them are not counted in `changes`.
    pub dropped: u64,
    /// The first hundred faults.
    pub faults: Vec<String>,
    /// How many faults there are.
    pub fault_count: u64,
}

/// What was found, one fact per line.
#[must_use]
pub(crate) fn checked(report: &Checked) -> String {
    let mut lines: Vec<String> = report
        .faults
        .iter()
        .map(|fault| format!("✗ {}", clean::excerpt(fault, 300)))
        .collect();
    let left_out = report
        .fault_count
        .saturating_sub(report.faults.len() as u64);
    if left_out > 0 {
        lines.push(format!("✗ and {left_out} more"));
    }
    let verdict = match report.fault_count {
        0 => "✓ whole".to_owned(),
        faults => count(faults, "fault", "faults"),
    };
    lines.push(format!(
        "{verdict}: {} in the chain, {} rebuilt, {} and {} hashed",
        count(report.revisions, "revision", "revisions"),
        count(report.changes, "change", "changes"),
        count(report.states, "state", "states"),
        count(report.bodies, "answer", "answers"),
    ));
    if report.dropped > 0 {
        lines.push(format!(
            "{} no longer kept (`keep.revisions`)",
            count(report.dropped, "text is", "texts are")
        ));
    }
    lines.join("\n") + "\n"
}

/// What `db prune` deleted or would delete. Its JSON form is the output of `db prune --json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Dropped {
    /// Responses whose body is no longer stored.
    pub captures: u64,
    /// Bytes that they used.
    pub bytes: u64,
    /// Texts of revisions that are no longer stored.
    pub texts: u64,
    /// Bytes that these used.
    pub text_bytes: u64,
    /// Places of ignored text that were deleted because their entries are no longer watched.
    pub ignored: u64,
    /// Responses that are stored as a difference from another one.
    pub compacted: u64,
    /// Bytes that they used before; 0 in a dry run.
    pub compacted_from: u64,
    /// Bytes that they use now; 0 in a dry run.
    pub compacted_to: u64,
    /// Whether this was a dry run.
    pub dry_run: bool,
}

/// What was deleted.
#[must_use]
pub(crate) fn dropped(report: &Dropped) -> String {
    let verb = if report.dry_run {
        "would delete"
    } else {
        "dropped"
    };
    let mut out = String::new();
    if report.captures > 0 {
        out = format!(
            "{verb} the bodies of {}, {} KiB; hashes, headers and dates are kept\n",
            count(report.captures, "answer", "answers"),
            report.bytes.div_ceil(1024)
        );
    }
    if report.texts > 0 {
        out = format!(
            "{out}{verb} {} of old revisions, {} KiB; hashes, fingerprints and dates are kept\n",
            count(report.texts, "text", "texts"),
            report.text_bytes.div_ceil(1024)
        );
    }
    if report.ignored > 0 {
        out = format!(
            "{out}{verb} the record of {} of ignored text; their entries are no longer watched\n",
            count(report.ignored, "place", "places")
        );
    }
    if report.compacted > 0 && report.dry_run {
        out = format!(
            "{out}would compact up to {}; nothing is lost\n",
            count(report.compacted, "answer", "answers")
        );
    } else if report.compacted > 0 {
        out = format!(
            "{out}compacted {}, {} KiB to {} KiB; nothing is lost\n",
            count(report.compacted, "answer", "answers"),
            report.compacted_from.div_ceil(1024),
            report.compacted_to.div_ceil(1024)
        );
    }
    if out.is_empty() {
        return "nothing to delete\n".to_owned();
    }
    out
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
        let nothing = ReextractReport {
            entries: 1,
            ..ReextractReport::default()
        };
        assert_eq!(reextracted(&nothing), "1 entry, nothing to re-read\n");
        let all = ReextractReport {
            entries: 90,
            renewed: 40,
            reread: 3,
            lost: 1,
            outrun: 1,
            begun_anew: 2,
        };
        assert_eq!(
            reextracted(&all),
            "\
90 entries, 40 re-read, 3 now with a different text; no changes recorded
1 entry whose responses have been deleted: not re-read
1 entry was revised in the meantime; run `revisor reextract` again to re-read them
2 revisions have restarted from a new first snapshot since the database was created, because the old response had been deleted
"
        );
        assert_eq!(progress(7, 5), "7 of 7 entries");
    }
}
