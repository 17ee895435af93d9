-- Politeness: what a publisher asks for outlives an answer 304, the rhythm of a feed is known, and so is every robots.txt.

-- RSS `ttl` or `sy:updatePeriod` of the last document in milliseconds; null when it names none.
ALTER TABLE feeds ADD COLUMN ttl_ms INTEGER;
-- `skipHours` of the last document: bit n is the hour from n:00 UTC.
ALTER TABLE feeds ADD COLUMN skip_hours INTEGER NOT NULL DEFAULT 0;
-- `skipDays` of the last document: bit 0 is Monday, UTC.
ALTER TABLE feeds ADD COLUMN skip_days INTEGER NOT NULL DEFAULT 0;
-- The usual time between two entries in milliseconds; null when their dates do not tell.
ALTER TABLE feeds ADD COLUMN entry_gap_ms INTEGER;
-- When the newest entry was published, as the feed claims; null when it does not.
ALTER TABLE feeds ADD COLUMN newest_entry_at INTEGER;
-- Not to be polled before this, by the publisher's wish or after failures, whatever the schedule; null for no bound.
ALTER TABLE feeds ADD COLUMN not_before_at INTEGER;
-- The schedule that `next_poll_at` was made by, for people; null until it is known.
ALTER TABLE feeds ADD COLUMN schedule TEXT;

-- Since when robots.txt forbids the page; null when it does not.
ALTER TABLE entries ADD COLUMN page_barred_at INTEGER;
CREATE INDEX entries_barred ON entries (feed_id) WHERE page_barred_at IS NOT NULL;

-- What is known of the robots.txt of each origin, so that a restart asks no host anew.
CREATE TABLE robots (
    id                INTEGER PRIMARY KEY,
    -- Scheme, host and port: 'https://news.example'.
    origin            TEXT NOT NULL UNIQUE,
    -- The last request, however it ended.
    asked_at          INTEGER NOT NULL,
    -- When to ask again.
    ask_again_at      INTEGER NOT NULL,
    -- 1 when there ever was an answer: a file, or that there is none.
    answered          INTEGER NOT NULL CHECK (answered IN (0, 1)),
    -- Since when no answer has come that says anything; null while they do.
    unreachable_since INTEGER,
    -- Requests since then.
    failures          INTEGER NOT NULL DEFAULT 0,
    -- Why there is no answer, for people; null when there is one.
    error             TEXT,
    -- The validators of the last file, verbatim; null when the server gave none.
    etag              TEXT,
    last_modified     TEXT,
    -- `Crawl-delay` for us in milliseconds; null when it asks for none.
    crawl_delay_ms    INTEGER,
    -- Length of the file in bytes; null when there is none.
    bytes             INTEGER,
    -- The file, compressed with zstd; null when there is none.
    body              BLOB
) STRICT;
