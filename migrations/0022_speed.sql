-- Every stored event looks for the changes that refer to it, as that reference is checked at the end: without an index
-- that reads all changes.
CREATE INDEX changes_by_event ON changes (event_id);

-- Every document that is read asks for the rules of its feed.
CREATE INDEX rules_by_feed ON rules (feed_id);

-- Pages by the time of their next check, with the feed: counting them, and passing over those of feeds that are not
-- polled, does not read their rows.
DROP INDEX entries_page_due;
CREATE INDEX entries_page_due ON entries (page_next_at, feed_id) WHERE page_next_at IS NOT NULL AND page_url IS NOT NULL;

-- SHA-256 of the last body as it was sent, before it was unpacked; null when it is not known.
ALTER TABLE feeds ADD COLUMN packed_sha256 BLOB CHECK (length(packed_sha256) = 32);
ALTER TABLE entries ADD COLUMN page_packed_sha256 BLOB CHECK (length(page_packed_sha256) = 32);

-- The items of the last document of a feed, so that the same bytes are not read again. It may be deleted at any time: then
-- the next document is read as a whole.
CREATE TABLE known_items (
    feed_id INTEGER PRIMARY KEY REFERENCES feeds (id),
    -- Length of the unpacked list in bytes.
    bytes   INTEGER NOT NULL,
    -- JSON, compressed with zstd.
    items   BLOB NOT NULL
) STRICT;
