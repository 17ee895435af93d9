-- `changes` once more, with two further reasons to be quiet: 'waiting' for checks that show whether it is an edit, and
-- 'unconfirmed' when they have shown that it is none.
CREATE TABLE changes_new (
    -- #1, #2 … over the whole database, never reused.
    number            INTEGER PRIMARY KEY AUTOINCREMENT,
    feed_id           INTEGER NOT NULL REFERENCES feeds (id),
    entry_id          INTEGER NOT NULL REFERENCES entries (id),
    -- Numbers of the revisions before and after, within the entry.
    before_revision   INTEGER NOT NULL,
    after_revision    INTEGER NOT NULL,
    -- The fields that moved and the kinds of edit, each list joined by commas.
    fields            TEXT NOT NULL,
    labels            TEXT NOT NULL,
    significance      TEXT NOT NULL CHECK (significance IN ('typographic', 'minor', 'substantive')),
    score             INTEGER NOT NULL CHECK (score BETWEEN 0 AND 100),
    words_added       INTEGER NOT NULL,
    words_removed     INTEGER NOT NULL,
    -- Why nobody was told; null when the targets that want it were. 'digest': told, or to be told, as part of a sum.
    quiet             TEXT CHECK (quiet IN ('insignificant', 'echo', 'flapping', 'bulk_edit', 'digest', 'waiting',
                                            'unconfirmed')),
    -- The detection window: the last look that saw the state before, the first that saw the state after.
    last_unchanged_at INTEGER NOT NULL,
    first_changed_at  INTEGER NOT NULL,
    -- The whole of it, as it is told.
    event_id          INTEGER NOT NULL REFERENCES events (id) DEFERRABLE INITIALLY DEFERRED,
    -- 1 when text was added and none was taken away.
    additive          INTEGER NOT NULL DEFAULT 0 CHECK (additive IN (0, 1)),
    -- Of the words that went and came, whatever stands around them: the same edit in many pages has one value. Null in
    -- changes from before schema 4, and where no words moved.
    edit_fp           BLOB CHECK (length(edit_fp) = 16),
    -- The event that sums it up; null while it is to be told, and when it is told by itself.
    digest_event_id   INTEGER REFERENCES events (id)
) STRICT;
INSERT INTO changes_new (number, feed_id, entry_id, before_revision, after_revision, fields, labels, significance, score,
                         words_added, words_removed, quiet, last_unchanged_at, first_changed_at, event_id, additive,
                         edit_fp, digest_event_id)
SELECT number, feed_id, entry_id, before_revision, after_revision, fields, labels, significance, score, words_added,
       words_removed, quiet, last_unchanged_at, first_changed_at, event_id, additive, edit_fp, digest_event_id
FROM changes ORDER BY number;
DROP TABLE changes;
ALTER TABLE changes_new RENAME TO changes;
CREATE INDEX changes_by_time ON changes (first_changed_at);
CREATE INDEX changes_by_feed ON changes (feed_id, first_changed_at);
CREATE INDEX changes_by_entry ON changes (entry_id, after_revision);
CREATE INDEX changes_to_sum_up ON changes (entry_id, number) WHERE quiet = 'digest' AND digest_event_id IS NULL;

-- The changes that wait.
CREATE TABLE waits (
    change_number INTEGER PRIMARY KEY REFERENCES changes (number),
    entry_id      INTEGER NOT NULL REFERENCES entries (id),
    feed_id       INTEGER NOT NULL REFERENCES feeds (id),
    -- Since when.
    since_at      INTEGER NOT NULL,
    -- The round of checks under way: those after this moment belong to it, and it is judged at the other one.
    round_at      INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    -- Rounds so far, and those in a row in which nothing like it moved.
    rounds        INTEGER NOT NULL DEFAULT 0,
    still         INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX waits_by_feed ON waits (feed_id, entry_id);
CREATE INDEX waits_due ON waits (due_at);
