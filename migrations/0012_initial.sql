-- The schema of the first release.
--
-- Rules: every table is STRICT; every time is INTEGER milliseconds since 1970-01-01T00:00:00Z; every truth value is
-- 0 or 1; a column that may be null says what null means; texts are as published. Numbered files are never edited
-- after a release: each later change of the schema is a file of its own.

-- Facts about the whole database. One row.
CREATE TABLE meta (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    -- 16 random bytes, made with the database: they make its public ids unique.
    instance BLOB NOT NULL CHECK (length(instance) = 16)
) STRICT;

-- Feeds, by the address in the configuration. A feed that leaves the configuration becomes inactive and keeps its
-- history.
CREATE TABLE feeds (
    id              INTEGER PRIMARY KEY,
    -- The address in the configuration.
    url             TEXT NOT NULL UNIQUE,
    -- The name in the configuration, or its last one when the feed has left it.
    name            TEXT NOT NULL,
    -- The host of the address, to keep a distance between requests to one host.
    host            TEXT NOT NULL,
    -- 1 while the feed is in the configuration.
    active          INTEGER NOT NULL CHECK (active IN (0, 1)),
    -- When somebody paused it; null when it is not paused.
    paused_at       INTEGER,
    -- When it was first in the configuration.
    added_at        INTEGER NOT NULL,
    -- The feed's own title; null until it was read.
    title           TEXT,
    -- The validators of the last response, verbatim; null when the server gave none.
    etag            TEXT,
    last_modified   TEXT,
    -- SHA-256 of the decoded body of the last response; null until there was one.
    body_sha256     BLOB CHECK (length(body_sha256) = 32),
    -- When to poll next; null for never (gone).
    next_poll_at    INTEGER,
    -- The reason for that time, for people.
    next_why        TEXT NOT NULL,
    -- The last poll, whatever its result; null before the first.
    last_poll_at    INTEGER,
    -- The last poll that read the feed or knew it to be unchanged; null before the first.
    last_ok_at      INTEGER,
    -- HTTP status of the last poll; null when there was no response.
    last_status     INTEGER,
    -- What went wrong at the last poll; null when nothing did.
    last_error      TEXT,
    -- Failures in a row, for the backoff; reset to 0 when somebody resumes the feed.
    failures        INTEGER NOT NULL DEFAULT 0,
    -- Polls since `last_ok_at`, all of them failed: for the detection window.
    checks_since_ok INTEGER NOT NULL DEFAULT 0,
    -- Where a permanent redirect leads; null when it never moved.
    moved_to        TEXT,
    -- When the feed was given up because the server returned 410; null otherwise.
    gone_at         INTEGER,
    -- When its first snapshot was stored, without alerts; null before.
    baseline_at     INTEGER,
    -- Whether its guids name entries; null until that is known.
    guids_trusted   INTEGER CHECK (guids_trusted IN (0, 1)),
    -- RSS `ttl` or `sy:updatePeriod` of the last document in milliseconds; null when it names none.
    ttl_ms          INTEGER,
    -- `skipHours` of the last document: bit n is the hour from n:00 UTC.
    skip_hours      INTEGER NOT NULL DEFAULT 0,
    -- `skipDays` of the last document: bit 0 is Monday, UTC.
    skip_days       INTEGER NOT NULL DEFAULT 0,
    -- The usual time between two entries in milliseconds; null when their dates do not show it.
    entry_gap_ms    INTEGER,
    -- When the newest entry was published, as the feed claims; null when it does not.
    newest_entry_at INTEGER,
    -- The earliest time of the next poll, whatever the schedule: the publisher asked for it, or polls failed. Null
    -- for no limit.
    not_before_at   INTEGER,
    -- The schedule behind `next_poll_at`, for people; null until it is known.
    schedule        TEXT,
    -- The first of the latest polls in a row that got 410, and their number; null and 0 when the last one did not.
    gone_since      INTEGER,
    gone_polls      INTEGER NOT NULL DEFAULT 0,
    -- The poll at which most texts of the feed were suddenly gone, to be confirmed by a second one; null otherwise.
    emptied_at      INTEGER,
    -- How long responses of the feed are fresh according to their headers, in milliseconds; null when they do not
    -- say.
    lifetime_ms     INTEGER,
    -- When `feed.failing` or `feed.gone` was reported; null when neither was, or when a recovery was reported since.
    failing_told_at INTEGER
) STRICT;
CREATE INDEX feeds_due ON feeds (next_poll_at) WHERE active = 1 AND paused_at IS NULL AND next_poll_at IS NOT NULL;
CREATE INDEX feeds_by_name ON feeds (name);

-- Entries in their current state. Earlier states are in `revisions`.
CREATE TABLE entries (
    id                 INTEGER PRIMARY KEY,
    -- `ent_…`, made from the instance and `id`; what people and receivers see.
    public_id          TEXT NOT NULL UNIQUE,
    feed_id            INTEGER NOT NULL REFERENCES feeds (id),
    -- 1 while the feed lists it.
    in_feed            INTEGER NOT NULL CHECK (in_feed IN (0, 1)),
    -- When it was first seen.
    first_seen_at      INTEGER NOT NULL,
    -- The last poll that saw it in the feed, updated when it leaves or comes back. While `in_feed` is 1, use the
    -- `last_ok_at` of the feed.
    last_seen_at       INTEGER NOT NULL,
    -- 'ok', or 'removed' while its page is taken down.
    life               TEXT NOT NULL DEFAULT 'ok' CHECK (life IN ('ok', 'removed')),
    -- The number of the newest revision.
    revision           INTEGER NOT NULL CHECK (revision >= 1),
    -- The headline of the newest revision; null when there is none.
    title              TEXT,
    -- Fingerprints of the newest revision, one for each channel; null when it was not seen there.
    feed_fp            BLOB CHECK (length(feed_fp) = 16),
    page_fp            BLOB CHECK (length(page_fp) = 16),
    -- The dates that the feed and the page claim now; null when they claim none.
    feed_published_at  INTEGER,
    feed_updated_at    INTEGER,
    page_published_at  INTEGER,
    page_modified_at   INTEGER,
    -- How often a claimed date moved while the text stayed (`fake-freshness`).
    date_touches       INTEGER NOT NULL DEFAULT 0,
    -- When the newest change was first seen; null while there is none.
    last_change_at     INTEGER,
    -- The address of the article page; null when there is none to check.
    page_url           TEXT,
    -- When to check the page next; null for never.
    page_next_at       INTEGER,
    -- The validators of the page's last response, verbatim; null when the server gave none.
    page_etag          TEXT,
    page_last_modified TEXT,
    -- SHA-256 of the decoded body of the page's last response; null until there was one.
    page_body_sha256   BLOB CHECK (length(page_body_sha256) = 32),
    -- The last check of the page, whatever its result; null before the first.
    page_checked_at    INTEGER,
    -- The last check that read the page or knew it to be unchanged; null before the first.
    page_ok_at         INTEGER,
    -- HTTP status of the last check; null when there was no response.
    page_status        INTEGER,
    -- What went wrong at the last check; null when nothing did.
    page_error         TEXT,
    -- Checks since `page_ok_at`, all of them failed.
    page_failures      INTEGER NOT NULL DEFAULT 0,
    -- The schemes of the channels of the newest revision. They may be newer than those in `revisions`: a channel that
    -- reads the same under a new scheme gets the new scheme.
    feed_scheme        INTEGER NOT NULL DEFAULT 1,
    page_scheme        INTEGER NOT NULL DEFAULT 1,
    -- Since when robots.txt forbids the page; null when it does not.
    page_barred_at     INTEGER,
    -- When additions to a live article are summed up for its targets; null when there are none.
    digest_due_at      INTEGER,
    -- Why the last check of the page read no text: 'not_found', 'paywall', 'held' …; null when it read one, and
    -- before the first check.
    page_reason        TEXT,
    -- How the entry left its feed: 'early' while the feed still listed older ones, or 'scrolled_off'; null while the
    -- feed lists it, and for entries that left before this was recorded.
    left_feed          TEXT CHECK (left_feed IN ('early', 'scrolled_off'))
) STRICT;
CREATE INDEX entries_by_feed ON entries (feed_id, in_feed, last_seen_at);
CREATE INDEX entries_page_due ON entries (page_next_at) WHERE page_next_at IS NOT NULL;
CREATE INDEX entries_barred ON entries (feed_id) WHERE page_barred_at IS NOT NULL;
CREATE INDEX entries_digest_due ON entries (digest_due_at) WHERE digest_due_at IS NOT NULL;
CREATE INDEX entries_by_reason ON entries (page_reason) WHERE page_reason IS NOT NULL;

-- The names by which an entry is known in its feed. A merge of two names is a row with its reason, so it can be
-- undone. There is no other index: each new entry would pay for it, and lookups by value or by entry are rare and
-- know the feeds.
CREATE TABLE aliases (
    feed_id    INTEGER NOT NULL REFERENCES feeds (id),
    -- 'guid' as given, 'address' in canonical form, or 'content': a hash of title and text.
    kind       TEXT NOT NULL CHECK (kind IN ('guid', 'address', 'content')),
    value      TEXT NOT NULL,
    entry_id   INTEGER NOT NULL REFERENCES entries (id),
    -- Why the name belongs to this entry, for people.
    reason     TEXT NOT NULL,
    added_at   INTEGER NOT NULL,
    -- The entry that had this name before; null when none had.
    taken_from INTEGER REFERENCES entries (id),
    -- 1 for a name that a person gave to its entry: it takes precedence over all others.
    pinned     INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
    PRIMARY KEY (feed_id, kind, value)
) STRICT, WITHOUT ROWID;

-- States of entries, each stored once.
CREATE TABLE states (
    id         INTEGER PRIMARY KEY,
    -- SHA-256 of the JSON.
    sha256     BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    -- Length of the JSON in bytes.
    bytes      INTEGER NOT NULL,
    -- The state as JSON, compressed with zstd.
    body       BLOB NOT NULL,
    -- When `keep.revisions` removed the text: `body` is empty, and the hash stays for the chain of hashes. Null
    -- while the text is kept.
    dropped_at INTEGER
) STRICT;

-- Decoded bodies of responses, each stored once.
CREATE TABLE bodies (
    id      INTEGER PRIMARY KEY,
    -- SHA-256 of the decoded body.
    sha256  BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    -- Length of the decoded body in bytes.
    bytes   INTEGER NOT NULL,
    -- The decoded body, compressed with zstd.
    body    BLOB NOT NULL,
    -- Null until compaction has seen the body; after that it is never rewritten, and others may be based on it. Its
    -- own id: `body` is complete. A later id: `body` is compressed against that one, which is the prefix of the zstd
    -- frame, as in `zstd --patch-from`.
    base_id INTEGER REFERENCES bodies (id) CHECK (base_id >= id)
) STRICT;
CREATE INDEX bodies_by_base ON bodies (base_id) WHERE base_id IS NOT NULL;
CREATE INDEX bodies_to_compact ON bodies (id) WHERE base_id IS NULL;

-- The raw responses behind revisions. When retention removes the body, the row stays: hash, headers and date are
-- evidence.
CREATE TABLE captures (
    id          INTEGER PRIMARY KEY,
    feed_id     INTEGER NOT NULL REFERENCES feeds (id),
    channel     TEXT NOT NULL CHECK (channel IN ('feed', 'page')),
    -- The address that sent the response, after redirects.
    url         TEXT NOT NULL,
    -- When the response was complete.
    fetched_at  INTEGER NOT NULL,
    -- HTTP status.
    status      INTEGER NOT NULL,
    -- JSON: a list of [name, value], in the order received.
    headers     TEXT NOT NULL,
    -- SHA-256 of the decoded body, kept when the body is gone.
    body_sha256 BLOB NOT NULL CHECK (length(body_sha256) = 32),
    -- Null when retention has removed the body.
    body_id     INTEGER REFERENCES bodies (id),
    -- JSON: the headers of the request, a list of [name, value], credentials without their values; null where an
    -- older version kept none.
    request     TEXT
) STRICT;
CREATE INDEX captures_by_body ON captures (body_id) WHERE body_id IS NOT NULL;
CREATE INDEX captures_by_age ON captures (fetched_at) WHERE body_id IS NOT NULL;

-- Stored states of entries, in order; never altered.
--
-- The scheme of a channel says how its text was read, so that an upgrade of our own reading is never taken for an
-- edit. It is one number: the version of our reading (counted separately for feeds and pages), and above the lowest
-- 16 bits a hash of the rules that a person or the site's pages have added, 0 when there are none.
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
    -- The raw responses behind it; null when that channel did not bring it or no capture was kept.
    feed_capture_id INTEGER REFERENCES captures (id),
    page_capture_id INTEGER REFERENCES captures (id),
    -- Fingerprints of the channels and of each text, to recognise reverts; null where there is no such text.
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
    -- SHA-256 of: previous_hash, the SHA-256 of the state, number (8 bytes, big endian), seen_at (8 bytes, big
    -- endian).
    hash            BLOB NOT NULL CHECK (length(hash) = 32),
    feed_scheme     INTEGER NOT NULL DEFAULT 1,
    page_scheme     INTEGER NOT NULL DEFAULT 1,
    -- What brought the revision: 'look', a poll of the feed or a check of the page; 'reread', the captures of the
    -- previous revision read again under another scheme, which is not an edit; 'rebased', a check under another
    -- scheme when the old captures are gone and an edit cannot be told from our own reading: a new start, and no
    -- change.
    origin          TEXT NOT NULL DEFAULT 'look' CHECK (origin IN ('look', 'reread', 'rebased')),
    -- Fingerprints of what changes beside the texts, to recognise reverts there as well; null where there is none,
    -- and in the oldest revisions. An empty by-line has a fingerprint.
    og_title_fp     BLOB CHECK (length(og_title_fp) = 16),
    ld_headline_fp  BLOB CHECK (length(ld_headline_fp) = 16),
    feed_byline_fp  BLOB CHECK (length(feed_byline_fp) = 16),
    page_byline_fp  BLOB CHECK (length(page_byline_fp) = 16),
    feed_address_fp BLOB CHECK (length(feed_address_fp) = 16),
    page_address_fp BLOB CHECK (length(page_address_fp) = 16),
    guid_fp         BLOB CHECK (length(guid_fp) = 16),
    -- SHA-256 of the hashes of the responses behind the revision, the feed's first. A capture's hash is the SHA-256
    -- of its channel, url, fetched_at and status in decimal digits, body_sha256 in hexadecimal digits, then the
    -- number of its headers and each name and value, then the same of the request ('-' for the number where none is
    -- kept); each of these in UTF-8, with its length in bytes (8 bytes, big endian) before it. Null in revisions of
    -- older versions; in all others `hash` is the SHA-256 of the five parts: previous_hash, the SHA-256 of the
    -- state, number, seen_at, captures_hash.
    captures_hash   BLOB CHECK (length(captures_hash) = 32),
    UNIQUE (entry_id, number)
) STRICT;
CREATE INDEX revisions_rebased ON revisions (id) WHERE origin = 'rebased';
-- Whether another revision still needs a text.
CREATE INDEX revisions_by_state ON revisions (state_id);

-- Steps between two revisions of an entry.
CREATE TABLE changes (
    -- #1, #2 … over the whole database, never reused.
    number            INTEGER PRIMARY KEY AUTOINCREMENT,
    feed_id           INTEGER NOT NULL REFERENCES feeds (id),
    entry_id          INTEGER NOT NULL REFERENCES entries (id),
    -- Numbers of the revisions before and after, within the entry.
    before_revision   INTEGER NOT NULL,
    after_revision    INTEGER NOT NULL,
    -- The fields that changed and the labels, each list joined by commas.
    fields            TEXT NOT NULL,
    labels            TEXT NOT NULL,
    significance      TEXT NOT NULL CHECK (significance IN ('typographic', 'minor', 'substantive')),
    score             INTEGER NOT NULL CHECK (score BETWEEN 0 AND 100),
    words_added       INTEGER NOT NULL,
    words_removed     INTEGER NOT NULL,
    -- Why no alert was sent; null when the targets that want it got one. 'digest': reported as part of a summary.
    quiet             TEXT CHECK (quiet IN ('insignificant', 'echo', 'flapping', 'bulk_edit', 'digest')),
    -- The detection window: the last check that saw the state before, the first that saw the state after.
    last_unchanged_at INTEGER NOT NULL,
    first_changed_at  INTEGER NOT NULL,
    -- The event with all of its data.
    event_id          INTEGER NOT NULL REFERENCES events (id) DEFERRABLE INITIALLY DEFERRED,
    -- 1 when text was added and none was removed.
    additive          INTEGER NOT NULL DEFAULT 0 CHECK (additive IN (0, 1)),
    -- Fingerprint of the words removed and added, without their surroundings: the same edit on many pages has one
    -- value. Null in the oldest changes, and where no words changed.
    edit_fp           BLOB CHECK (length(edit_fp) = 16),
    -- The event that sums it up; null while there is none, and when it is reported alone.
    digest_event_id   INTEGER REFERENCES events (id)
) STRICT;
CREATE INDEX changes_by_time ON changes (first_changed_at);
CREATE INDEX changes_by_feed ON changes (feed_id, first_changed_at);
CREATE INDEX changes_by_entry ON changes (entry_id, after_revision);
CREATE INDEX changes_to_sum_up ON changes (entry_id, number) WHERE quiet = 'digest' AND digest_event_id IS NULL;

-- What can be reported. Later events have larger ids.
CREATE TABLE events (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    -- `msg_…`, made from the instance and `id`: the webhook-id, the same for every target and every retry.
    uid           TEXT NOT NULL UNIQUE,
    -- 'entry.revised', 'feed.gone' …
    type          TEXT NOT NULL,
    -- What it is about; null when it is not about a feed or an entry.
    feed_id       INTEGER REFERENCES feeds (id),
    entry_id      INTEGER REFERENCES entries (id),
    -- The change that it reports; null when it reports none.
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
    -- 1 while the target is in the configuration. While it is not, its open deliveries wait.
    active          INTEGER NOT NULL CHECK (active IN (0, 1)),
    -- When somebody paused it; null when it is not paused. Deliveries wait.
    paused_at       INTEGER,
    -- When the receiver refused further events (410); null while it accepts them.
    disabled_at     INTEGER,
    -- The reason, for people; null while it accepts events.
    disabled_reason TEXT,
    -- `max_queue` of the configuration: while this many deliveries are open, further events are not queued for the
    -- target but become 'dead' without an attempt; they are counted and can be retried. Null for no limit.
    max_open        INTEGER CHECK (max_open >= 1)
) STRICT;

-- One event for one target.
CREATE TABLE deliveries (
    id              INTEGER PRIMARY KEY,
    event_id        INTEGER NOT NULL REFERENCES events (id),
    target_id       INTEGER NOT NULL REFERENCES targets (id),
    -- 'pending' and 'leased' are open, the others done. 'dead': given up, can be retried; 'disabled': the target was
    -- disabled first, can be retried.
    state           TEXT NOT NULL CHECK (state IN ('pending', 'leased', 'delivered', 'dead', 'disabled')),
    -- Attempts so far.
    attempts        INTEGER NOT NULL DEFAULT 0,
    -- The earliest time of the next attempt; null for now.
    next_attempt_at INTEGER,
    -- When the lease of a sender ends; null without one. An expired lease counts as none.
    lease_until     INTEGER,
    -- When it was done; null while it is open.
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
    -- When the attempt ended.
    at          INTEGER NOT NULL,
    -- 'delivered', 'retry', 'dead', or 'disabled' when the receiver refused further events.
    outcome     TEXT NOT NULL CHECK (outcome IN ('delivered', 'retry', 'dead', 'disabled')),
    -- HTTP status; null when there was no response.
    status      INTEGER,
    duration_ms INTEGER NOT NULL,
    -- What went wrong, for people; null when nothing did.
    error       TEXT
) STRICT;
CREATE INDEX attempts_by_delivery ON attempts (delivery_id, id);
CREATE INDEX attempts_by_target ON attempts (target_id, id);

-- Requests of the command line that the running daemon carries out: check these feeds now.
CREATE TABLE check_requests (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at INTEGER NOT NULL,
    -- JSON: a list of rows of `feeds`; null for all feeds.
    feeds      TEXT,
    -- 1 to check feeds that are not due as well.
    force      INTEGER NOT NULL CHECK (force IN (0, 1)),
    -- When the daemon picked it up; null before.
    taken_at   INTEGER,
    -- When it was done; null before.
    done_at    INTEGER,
    -- JSON: the result; null before.
    result     TEXT
) STRICT;
CREATE INDEX check_requests_open ON check_requests (id) WHERE taken_at IS NULL;

-- The robots.txt of each origin, so that it is not fetched again after a restart.
CREATE TABLE robots (
    id                INTEGER PRIMARY KEY,
    -- Scheme, host and port: 'https://news.example'.
    origin            TEXT NOT NULL UNIQUE,
    -- The last request, whatever its result.
    asked_at          INTEGER NOT NULL,
    -- When to fetch it again.
    ask_again_at      INTEGER NOT NULL,
    -- 1 when there was ever a result: a file, or none.
    answered          INTEGER NOT NULL CHECK (answered IN (0, 1)),
    -- Since when requests have failed; null while they succeed.
    unreachable_since INTEGER,
    -- Requests since then.
    failures          INTEGER NOT NULL DEFAULT 0,
    -- Why there is no result, for people; null when there is one.
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

-- What checks of the page of an entry have found that later checks have to confirm. No row: nothing.
CREATE TABLE page_lives (
    entry_id              INTEGER PRIMARY KEY REFERENCES entries (id),
    -- Checks that found the article missing since it was last seen: the first, the last, and their number. Null and 0
    -- when there are none.
    missing_since         INTEGER,
    missing_last          INTEGER,
    missing_looks         INTEGER NOT NULL DEFAULT 0,
    -- Checks that failed between the last that saw the article and the first that missed it, and after the last.
    missing_failed_before INTEGER NOT NULL DEFAULT 0,
    missing_failed_since  INTEGER NOT NULL DEFAULT 0,
    -- A text that no second check has confirmed yet: the first check that saw it, how many did, and how many had
    -- failed before. Null and 0 when there is none.
    held_since            INTEGER,
    held_looks            INTEGER NOT NULL DEFAULT 0,
    held_failed           INTEGER NOT NULL DEFAULT 0,
    -- Fingerprint of the page that the last of them saw.
    held_fp               BLOB CHECK (length(held_fp) = 16),
    -- The raw response of the last of them, kept as evidence.
    held_capture_id       INTEGER REFERENCES captures (id),
    -- How many texts a second check did not confirm.
    unconfirmed           INTEGER NOT NULL DEFAULT 0,
    CHECK ((missing_since IS NULL) = (missing_looks = 0)),
    CHECK ((held_since IS NULL) = (held_looks = 0) AND (held_since IS NULL) = (held_fp IS NULL))
) STRICT;

-- Rules about page furniture (menus, boxes, counters): what is ignored when the texts of a feed's entries are
-- compared.
--
-- Rules are never deleted. One that is no longer in force is kept with the time of its end: until an entry is read
-- again after that, text that the rule covered has no past, and a difference in it is not an edit.
CREATE TABLE rules (
    -- The number that `revisor rules` gives it.
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Its feed; null for all feeds.
    feed_id  INTEGER REFERENCES feeds (id),
    -- 'text': a block with this text; 'template': with this text, whatever its numbers and names; 'ignore': the parts
    -- of a text that match this regular expression.
    kind     TEXT NOT NULL CHECK (kind IN ('text', 'template', 'ignore')),
    -- A text as published, or a regular expression.
    pattern  TEXT NOT NULL,
    -- 'learned' from many checks, added by a 'person', or 'config' for a rule in the configuration.
    origin   TEXT NOT NULL CHECK (origin IN ('learned', 'person', 'config')),
    -- Whether it is in force. A rule that a person deleted stays so: it is not learned again.
    active   INTEGER NOT NULL CHECK (active IN (0, 1)),
    -- Since when it is, or is not, in force.
    since    INTEGER NOT NULL,
    -- When a person confirmed it; null when nobody did.
    kept_at  INTEGER,
    -- JSON: the evidence for a learned rule; null for others.
    evidence TEXT
) STRICT;
CREATE UNIQUE INDEX rules_by_pattern ON rules (COALESCE(feed_id, 0), kind, pattern, origin = 'config');
