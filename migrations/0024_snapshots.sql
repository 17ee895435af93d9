-- Pages that the Wayback Machine is asked to save: what is wanted, what was asked for, and what came of it.
CREATE TABLE snapshots (
    id         INTEGER PRIMARY KEY,
    entry_id   INTEGER NOT NULL REFERENCES entries (id),
    -- The change that it follows; null at the first sight of an article.
    change     INTEGER,
    -- The page as it was addressed then.
    url        TEXT NOT NULL,
    wanted_at  INTEGER NOT NULL,
    -- When to ask next; null once nothing is to be asked any more.
    due_at     INTEGER,
    -- The job at the archive, while there is one.
    job        TEXT,
    -- When the archive last began to save it; null before the first time.
    asked_at   INTEGER,
    -- How often it was asked to save it.
    tries      INTEGER NOT NULL DEFAULT 0,
    -- What it said last, when that was no success.
    error      TEXT,
    -- The address of the snapshot, once there is one.
    address    TEXT
) STRICT;
CREATE INDEX snapshots_due ON snapshots (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX snapshots_by_entry ON snapshots (entry_id, asked_at);
CREATE INDEX snapshots_asked ON snapshots (asked_at) WHERE asked_at IS NOT NULL;
CREATE INDEX snapshots_by_change ON snapshots (change) WHERE change IS NOT NULL;

-- The last entry and the last change of which it was decided whether their page is saved; null while nothing is saved.
ALTER TABLE meta ADD COLUMN saved_entry INTEGER;
ALTER TABLE meta ADD COLUMN saved_change INTEGER;
