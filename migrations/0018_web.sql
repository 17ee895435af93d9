-- What the web pages need: who may read them, and the events of one feed without reading those of all.

-- Tokens of readers. The token itself is shown once and never stored.
CREATE TABLE web_tokens (
    -- What people call it.
    name       TEXT PRIMARY KEY CHECK (name <> ''),
    -- SHA-256 of the token.
    hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX events_by_feed ON events (feed_id) WHERE feed_id IS NOT NULL;
