-- What telling less, and naming entries better, needs to remember.

-- Fingerprints of what moves beside the texts, to recognise a return there too; null where there is no such thing, and
-- in revisions from before this file. An empty by-line has a fingerprint.
ALTER TABLE revisions ADD COLUMN og_title_fp BLOB CHECK (length(og_title_fp) = 16);
ALTER TABLE revisions ADD COLUMN ld_headline_fp BLOB CHECK (length(ld_headline_fp) = 16);
ALTER TABLE revisions ADD COLUMN feed_byline_fp BLOB CHECK (length(feed_byline_fp) = 16);
ALTER TABLE revisions ADD COLUMN page_byline_fp BLOB CHECK (length(page_byline_fp) = 16);
ALTER TABLE revisions ADD COLUMN feed_address_fp BLOB CHECK (length(feed_address_fp) = 16);
ALTER TABLE revisions ADD COLUMN page_address_fp BLOB CHECK (length(page_address_fp) = 16);
ALTER TABLE revisions ADD COLUMN guid_fp BLOB CHECK (length(guid_fp) = 16);

-- From here on `entries.feed_fp` and `entries.page_fp` are of what was last seen, which may lack a text that the newest
-- revision still has.

-- When what was added to a live article is summed up for its targets; null when there is nothing to sum up.
ALTER TABLE entries ADD COLUMN digest_due_at INTEGER;
CREATE INDEX entries_digest_due ON entries (digest_due_at) WHERE digest_due_at IS NOT NULL;

-- 1 for a name that a person has given to its entry: it goes before all other names.
ALTER TABLE aliases ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1));

-- `changes` once more, with a further reason to be quiet and three further columns.
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
    quiet             TEXT CHECK (quiet IN ('insignificant', 'echo', 'flapping', 'bulk_edit', 'digest')),
    -- The detection window: the last look that saw the state before, the first that saw the state after.
    last_unchanged_at INTEGER NOT NULL,
    first_changed_at  INTEGER NOT NULL,
    -- The whole of it, as it is told.
    event_id          INTEGER NOT NULL REFERENCES events (id) DEFERRABLE INITIALLY DEFERRED,
    -- 1 when text was added and none was taken away.
    additive          INTEGER NOT NULL DEFAULT 0 CHECK (additive IN (0, 1)),
    -- Of the words that went and came, whatever stands around them: the same edit in many pages has one value. Null in
    -- changes from before this file, and where no words moved.
    edit_fp           BLOB CHECK (length(edit_fp) = 16),
    -- The event that sums it up; null while it is to be told, and when it is told by itself.
    digest_event_id   INTEGER REFERENCES events (id)
) STRICT;
INSERT INTO changes_new (number, feed_id, entry_id, before_revision, after_revision, fields, labels, significance, score,
                         words_added, words_removed, quiet, last_unchanged_at, first_changed_at, event_id)
SELECT number, feed_id, entry_id, before_revision, after_revision, fields, labels, significance, score,
       words_added, words_removed, quiet, last_unchanged_at, first_changed_at, event_id FROM changes ORDER BY number;
DROP TABLE changes;
ALTER TABLE changes_new RENAME TO changes;
CREATE INDEX changes_by_time ON changes (first_changed_at);
CREATE INDEX changes_by_feed ON changes (feed_id, first_changed_at);
CREATE INDEX changes_by_entry ON changes (entry_id, after_revision);
CREATE INDEX changes_to_sum_up ON changes (entry_id, number) WHERE quiet = 'digest' AND digest_event_id IS NULL;
