-- The first schema.
--
-- Rules: every table is STRICT; every time is INTEGER milliseconds since 1970-01-01T00:00:00Z; every truth value is
-- 0 or 1; a column that may be null says what null means; texts are as published. Numbered files are never edited after
-- a release: the next change of the schema is a file of its own.

-- What is true of the whole database. One row.
CREATE TABLE meta (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    -- 16 random bytes from the day of creation: what makes the public ids of this database its own.
    instance BLOB NOT NULL CHECK (length(instance) = 16)
) STRICT;

-- Feeds, by the address in the configuration. A feed that leaves the configuration becomes inactive and keeps its history.
CREATE TABLE feeds (
    id              INTEGER PRIMARY KEY,
    -- The address in the configuration.
    url             TEXT NOT NULL UNIQUE,
    -- The name in the configuration, of now or of the last time it stood there.
    name            TEXT NOT NULL,
    -- The host of the address, to keep a distance between requests to one host.
    host            TEXT NOT NULL,
    -- 1 while the feed stands in the configuration.
    active          INTEGER NOT NULL CHECK (active IN (0, 1)),
    -- When somebody paused it; null when it is not paused.
    paused_at       INTEGER,
    -- When it was first in the configuration.
    added_at        INTEGER NOT NULL,
    -- The feed's own title; null until it was read.
    title           TEXT,
    -- The validators of the last answer, verbatim; null when the server gave none.
    etag            TEXT,
    last_modified   TEXT,
    -- SHA-256 of the decoded body of the last answer; null until there was one.
    body_sha256     BLOB CHECK (length(body_sha256) = 32),
    -- When to poll next; null for never (gone).
    next_poll_at    INTEGER,
    -- Why then, for people.
    next_why        TEXT NOT NULL,
    -- The last poll, however it ended; null before the first.
    last_poll_at    INTEGER,
    -- The last poll that read the feed or knew it to be unchanged; null before the first.
    last_ok_at      INTEGER,
    -- HTTP status of the last poll; null when there was no answer.
    last_status     INTEGER,
    -- What went wrong at the last poll; null when it was well.
    last_error      TEXT,
    -- Failures in a row, which the backoff goes by; zero again when somebody resumes the feed.
    failures        INTEGER NOT NULL DEFAULT 0,
    -- Polls since `last_ok_at`, all of them failed: for the detection window.
    checks_since_ok INTEGER NOT NULL DEFAULT 0,
    -- Where a permanent redirect leads; null when it never moved.
    moved_to        TEXT,
    -- When it answered 410; null while it lives.
    gone_at         INTEGER,
    -- When its first entries were stored, silently; null before.
    baseline_at     INTEGER,
    -- Whether its guids name entries; null until that is known.
    guids_trusted   INTEGER CHECK (guids_trusted IN (0, 1))
) STRICT;
CREATE INDEX feeds_due ON feeds (next_poll_at) WHERE active = 1 AND paused_at IS NULL AND next_poll_at IS NOT NULL;
CREATE INDEX feeds_by_name ON feeds (name);

-- Entries: what they are now. What they were is in `revisions`.
CREATE TABLE entries (
    id                INTEGER PRIMARY KEY,
    -- `ent_…`, made from the instance and `id`; what people and receivers see.
    public_id         TEXT NOT NULL UNIQUE,
    feed_id           INTEGER NOT NULL REFERENCES feeds (id),
    -- 1 while the feed lists it.
    in_feed           INTEGER NOT NULL CHECK (in_feed IN (0, 1)),
    -- When it was first seen.
    first_seen_at     INTEGER NOT NULL,
    -- The last look that saw it in the feed, as of the day it left or came back. While `in_feed` is 1 the feed's
    -- `last_ok_at` is the better answer.
    last_seen_at      INTEGER NOT NULL,
    -- 'ok', or 'removed' while its page is taken down.
    life              TEXT NOT NULL DEFAULT 'ok' CHECK (life IN ('ok', 'removed')),
    -- The number of the newest revision.
    revision          INTEGER NOT NULL CHECK (revision >= 1),
    -- The headline of the newest revision; null when there is none.
    title             TEXT,
    -- Fingerprints of the newest revision, one for each channel; null when it was not seen there.
    feed_fp           BLOB CHECK (length(feed_fp) = 16),
    page_fp           BLOB CHECK (length(page_fp) = 16),
    -- The dates that the feed and the page claim now; null when they claim none.
    feed_published_at INTEGER,
    feed_updated_at   INTEGER,
    page_published_at INTEGER,
    page_modified_at  INTEGER,
    -- How often a claimed date moved while the text stayed (`fake-freshness`).
    date_touches      INTEGER NOT NULL DEFAULT 0,
    -- When the newest change was first seen; null while there is none.
    last_change_at    INTEGER,
    -- The address of the article page; null when there is none to look at.
    page_url          TEXT,
    -- When to look at the page next; null for never.
    page_next_at      INTEGER,
    -- The validators of the page's last answer, verbatim; null when the server gave none.
    page_etag         TEXT,
    page_last_modified TEXT,
    -- SHA-256 of the decoded body of the page's last answer; null until there was one.
    page_body_sha256  BLOB CHECK (length(page_body_sha256) = 32),
    -- The last look at the page, however it ended; null before the first.
    page_checked_at   INTEGER,
    -- The last look that read the page or knew it to be unchanged; null before the first.
    page_ok_at        INTEGER,
    -- HTTP status of the last look; null when there was no answer.
    page_status       INTEGER,
    -- What went wrong at the last look; null when it was well.
    page_error        TEXT,
    -- Looks since `page_ok_at`, all of them failed.
    page_failures     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX entries_by_feed ON entries (feed_id, in_feed, last_seen_at);
CREATE INDEX entries_page_due ON entries (page_next_at) WHERE page_next_at IS NOT NULL;

-- The names by which an entry is known in its feed. A merge of two names is a row with its reason, so it can be undone.
-- No further index: each new entry would pay for it, and who asks by value or by entry asks seldom and knows the feeds.
CREATE TABLE aliases (
    feed_id    INTEGER NOT NULL REFERENCES feeds (id),
    -- 'guid' as given, 'address' in canonical form, or 'content': a hash of title and text.
    kind       TEXT NOT NULL CHECK (kind IN ('guid', 'address', 'content')),
    value      TEXT NOT NULL,
    entry_id   INTEGER NOT NULL REFERENCES entries (id),
    -- Why it is this entry, for people.
    reason     TEXT NOT NULL,
    added_at   INTEGER NOT NULL,
    -- The entry that had this name before; null when none had.
    taken_from INTEGER REFERENCES entries (id),
    PRIMARY KEY (feed_id, kind, value)
) STRICT, WITHOUT ROWID;

-- States of entries, each stored once.
CREATE TABLE states (
    id     INTEGER PRIMARY KEY,
    -- SHA-256 of the JSON.
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    -- Length of the JSON in bytes.
    bytes  INTEGER NOT NULL,
    -- The state as JSON, compressed with zstd.
    body   BLOB NOT NULL
) STRICT;

-- Decoded bodies of answers, each stored once.
CREATE TABLE bodies (
    id     INTEGER PRIMARY KEY,
    -- SHA-256 of the decoded body.
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    -- Length of the decoded body in bytes.
    bytes  INTEGER NOT NULL,
    -- The decoded body, compressed with zstd.
    body   BLOB NOT NULL
) STRICT;

-- The raw answers behind revisions. When retention takes the body, the row stays: hash, headers and date are evidence.
CREATE TABLE captures (
    id          INTEGER PRIMARY KEY,
    feed_id     INTEGER NOT NULL REFERENCES feeds (id),
    channel     TEXT NOT NULL CHECK (channel IN ('feed', 'page')),
    -- The address that answered, after redirects.
    url         TEXT NOT NULL,
    -- When the answer was complete.
    fetched_at  INTEGER NOT NULL,
    -- HTTP status.
    status      INTEGER NOT NULL,
    -- JSON: a list of [name, value], in the order received.
    headers     TEXT NOT NULL,
    -- SHA-256 of the decoded body, also when the body is gone.
    body_sha256 BLOB NOT NULL CHECK (length(body_sha256) = 32),
    -- Null when retention has taken the body.
    body_id     INTEGER REFERENCES bodies (id)
) STRICT;
CREATE INDEX captures_by_body ON captures (body_id) WHERE body_id IS NOT NULL;
CREATE INDEX captures_by_age ON captures (fetched_at) WHERE body_id IS NOT NULL;

-- Stored states of entries, in order; never altered.
CREATE TABLE revisions (
    id              INTEGER PRIMARY KEY,
    entry_id        INTEGER NOT NULL REFERENCES entries (id),
    -- 1, 2, 3 … within the entry.
    number          INTEGER NOT NULL CHECK (number >= 1),
    state_id        INTEGER NOT NULL REFERENCES states (id),
    -- When this state was first seen.
    seen_at         INTEGER NOT NULL,
    -- Which channels brought it: 'feed', 'page' or 'feed,page'.
    channels        TEXT NOT NULL,
    -- The raw answers behind it; null when that channel did not bring it or no capture was kept.
    feed_capture_id INTEGER REFERENCES captures (id),
    page_capture_id INTEGER REFERENCES captures (id),
    -- Fingerprints of the channels and of each text, to recognise a return; null where there is no such text.
    -- The first byte is the version of the scheme.
    feed_fp         BLOB CHECK (length(feed_fp) = 16),
    page_fp         BLOB CHECK (length(page_fp) = 16),
    feed_title_fp   BLOB CHECK (length(feed_title_fp) = 16),
    feed_summary_fp BLOB CHECK (length(feed_summary_fp) = 16),
    feed_body_fp    BLOB CHECK (length(feed_body_fp) = 16),
    page_title_fp   BLOB CHECK (length(page_title_fp) = 16),
    page_body_fp    BLOB CHECK (length(page_body_fp) = 16),
    -- `hash` of the revision before; 32 zero bytes for the first.
    previous_hash   BLOB NOT NULL CHECK (length(previous_hash) = 32),
    -- SHA-256 of: previous_hash, the SHA-256 of the state, number (8 bytes, big endian), seen_at (8 bytes, big endian).
    hash            BLOB NOT NULL CHECK (length(hash) = 32),
    UNIQUE (entry_id, number)
) STRICT;

-- Steps between two revisions of an entry.
CREATE TABLE changes (
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
    -- Why nobody was told; null when the targets that want it were.
    quiet             TEXT CHECK (quiet IN ('insignificant', 'echo', 'flapping', 'bulk_edit')),
    -- The detection window: the last look that saw the state before, the first that saw the state after.
    last_unchanged_at INTEGER NOT NULL,
    first_changed_at  INTEGER NOT NULL,
    -- The whole of it, as it is told.
    event_id          INTEGER NOT NULL REFERENCES events (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX changes_by_time ON changes (first_changed_at);
CREATE INDEX changes_by_feed ON changes (feed_id, first_changed_at);
CREATE INDEX changes_by_entry ON changes (entry_id, after_revision);

-- Things that can be told. Later events have larger ids.
CREATE TABLE events (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    -- `msg_…`, made from the instance and `id`: the webhook-id, the same for every target and every retry.
    uid           TEXT NOT NULL UNIQUE,
    -- 'entry.revised', 'feed.gone' …
    type          TEXT NOT NULL,
    -- What it is about; null when it is about no feed or no entry.
    feed_id       INTEGER REFERENCES feeds (id),
    entry_id      INTEGER REFERENCES entries (id),
    -- The change that it tells; null when it tells none.
    change_number INTEGER REFERENCES changes (number),
    -- When it was noticed.
    created_at    INTEGER NOT NULL,
    -- Length of the JSON in bytes.
    bytes         INTEGER NOT NULL,
    -- The event as JSON, compressed with zstd.
    body          BLOB NOT NULL
) STRICT;
CREATE INDEX events_by_time ON events (created_at);
CREATE INDEX events_by_entry ON events (entry_id) WHERE entry_id IS NOT NULL;

-- Where events are sent, by the name in the configuration.
CREATE TABLE targets (
    id              INTEGER PRIMARY KEY,
    name            TEXT NOT NULL UNIQUE,
    -- 1 while the target stands in the configuration. Its open deliveries wait while it does not.
    active          INTEGER NOT NULL CHECK (active IN (0, 1)),
    -- When somebody paused it; null when it is not paused. Deliveries wait.
    paused_at       INTEGER,
    -- When the receiver asked for no more (410); null while it takes events.
    disabled_at     INTEGER,
    -- Why, for people; null while it takes events.
    disabled_reason TEXT
) STRICT;

-- One event for one target.
CREATE TABLE deliveries (
    id              INTEGER PRIMARY KEY,
    event_id        INTEGER NOT NULL REFERENCES events (id),
    target_id       INTEGER NOT NULL REFERENCES targets (id),
    -- 'pending' and 'leased' are open, the others done. 'dead': given up, can be retried; 'disabled': the target was
    -- disabled before its turn came, can be retried.
    state           TEXT NOT NULL CHECK (state IN ('pending', 'leased', 'delivered', 'dead', 'disabled')),
    -- Attempts so far.
    attempts        INTEGER NOT NULL DEFAULT 0,
    -- Not before; null for at once.
    next_attempt_at INTEGER,
    -- Until when a sender has it; null when none has. A lease that has run out is as good as none.
    lease_until     INTEGER,
    -- When it came to its end; null while it is open.
    done_at         INTEGER,
    UNIQUE (event_id, target_id),
    CHECK ((done_at IS NULL) = (state IN ('pending', 'leased'))),
    CHECK ((lease_until IS NULL) = (state <> 'leased'))
) STRICT;
CREATE INDEX deliveries_open ON deliveries (target_id, id) WHERE done_at IS NULL;
CREATE INDEX deliveries_dead ON deliveries (target_id, id) WHERE state = 'dead';
CREATE INDEX deliveries_by_target ON deliveries (target_id, id);

-- Attempts at deliveries.
CREATE TABLE attempts (
    id          INTEGER PRIMARY KEY,
    delivery_id INTEGER NOT NULL REFERENCES deliveries (id),
    -- The target of the delivery, to find its last attempt.
    target_id   INTEGER NOT NULL REFERENCES targets (id),
    -- When the attempt was over.
    at          INTEGER NOT NULL,
    -- 'delivered', 'retry', 'dead', or 'disabled' when the receiver asked for no more.
    outcome     TEXT NOT NULL CHECK (outcome IN ('delivered', 'retry', 'dead', 'disabled')),
    -- HTTP status; null when there was no answer.
    status      INTEGER,
    duration_ms INTEGER NOT NULL,
    -- What went wrong, for people; null when nothing did.
    error       TEXT
) STRICT;
CREATE INDEX attempts_by_delivery ON attempts (delivery_id, id);
CREATE INDEX attempts_by_target ON attempts (target_id, id);

-- Wishes of the command line that the running daemon fulfils: look at these feeds now.
CREATE TABLE check_requests (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at INTEGER NOT NULL,
    -- JSON: a list of rows of `feeds`; null for all feeds.
    feeds      TEXT,
    -- 1 to look also at what is not due.
    force      INTEGER NOT NULL CHECK (force IN (0, 1)),
    -- When the daemon took it up; null before.
    taken_at   INTEGER,
    -- When it was done; null before.
    done_at    INTEGER,
    -- JSON: what came of it; null before.
    result     TEXT
) STRICT;
CREATE INDEX check_requests_open ON check_requests (id) WHERE taken_at IS NULL;
