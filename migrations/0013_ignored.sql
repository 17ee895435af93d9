-- The record of ignored text: what is not compared (menus, boxes, counters, what a rule leaves out) and moved all the same.

-- The ignored text of an entry as the last check saw it; only the newest. No row: nothing is remembered, and the next
-- check begins anew.
CREATE TABLE ignored_texts (
    id       INTEGER PRIMARY KEY,
    entry_id INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
    channel  TEXT NOT NULL CHECK (channel IN ('feed', 'page')),
    -- Under which the document was read; texts of two schemes are not compared.
    scheme   INTEGER NOT NULL,
    -- Length of the JSON in bytes.
    bytes    INTEGER NOT NULL,
    -- The pieces as JSON, compressed with zstd.
    body     BLOB NOT NULL,
    UNIQUE (entry_id, channel)
) STRICT;

-- Places whose ignored text moved, a row each, however often.
CREATE TABLE ignored_moves (
    id       INTEGER PRIMARY KEY,
    entry_id INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
    channel  TEXT NOT NULL CHECK (channel IN ('feed', 'page')),
    -- 1 to 64 within the entry and channel; 0 stands for all further ones.
    place    INTEGER NOT NULL CHECK (place >= 0),
    -- The rule that left it out last; null when none did.
    rule_id  INTEGER REFERENCES rules (id),
    -- Why it is ignored, for people.
    reason   TEXT NOT NULL,
    -- How often it moved, and when first and last.
    times    INTEGER NOT NULL CHECK (times >= 1),
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    -- The text before it first moved; null when there was none.
    first    TEXT,
    -- The text before and after it moved last; null when there was none, or is none any more.
    before   TEXT,
    after    TEXT,
    UNIQUE (entry_id, channel, place)
) STRICT;
CREATE INDEX ignored_moves_by_time ON ignored_moves (last_at);
CREATE INDEX ignored_moves_by_rule ON ignored_moves (rule_id, last_at) WHERE rule_id IS NOT NULL;
