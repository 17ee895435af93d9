-- Whether articles are still there: what looks at a page have begun and no later look has settled, how entries leave
-- their feeds, and feeds that answer 410 or whose texts are suddenly gone.

-- Why the last look at the page read no text: 'not_found', 'paywall', 'held' …; null when it read one, and before the
-- first look.
ALTER TABLE entries ADD COLUMN page_reason TEXT;
-- How the entry left its feed: 'early', while the feed went on listing older ones, or 'scrolled_off'; null while the
-- feed lists it, and for entries that left before this was known.
ALTER TABLE entries ADD COLUMN left_feed TEXT CHECK (left_feed IN ('early', 'scrolled_off'));
CREATE INDEX entries_by_reason ON entries (page_reason) WHERE page_reason IS NOT NULL;

-- The first of the polls in a row that were answered 410, and how many they are; null and 0 when the last was not.
ALTER TABLE feeds ADD COLUMN gone_since INTEGER;
ALTER TABLE feeds ADD COLUMN gone_polls INTEGER NOT NULL DEFAULT 0;
-- The poll at which most texts of the feed were suddenly gone, so that a second one had to confirm it; null otherwise.
ALTER TABLE feeds ADD COLUMN emptied_at INTEGER;

-- What looks at the page of an entry have begun. No row: nothing.
CREATE TABLE page_lives (
    entry_id        INTEGER PRIMARY KEY REFERENCES entries (id),
    -- Looks that found the article missing, since one has last found it: the first, the last, and how many. Null and 0
    -- when there are none.
    missing_since   INTEGER,
    missing_last    INTEGER,
    missing_looks   INTEGER NOT NULL DEFAULT 0,
    -- Looks that failed between the last that found the article and the first that missed it, and after the last.
    missing_failed_before INTEGER NOT NULL DEFAULT 0,
    missing_failed_since  INTEGER NOT NULL DEFAULT 0,
    -- A text that no second look has confirmed yet: the first look that saw one, how many did, and those that had
    -- failed before. Null and 0 when there is none.
    held_since      INTEGER,
    held_looks      INTEGER NOT NULL DEFAULT 0,
    held_failed     INTEGER NOT NULL DEFAULT 0,
    -- Fingerprint of the page that the last of them saw.
    held_fp         BLOB CHECK (length(held_fp) = 16),
    -- The raw answer of the last of them, which is evidence whatever comes of it.
    held_capture_id INTEGER REFERENCES captures (id),
    -- How many texts were held that a second look did not confirm.
    unconfirmed     INTEGER NOT NULL DEFAULT 0,
    CHECK ((missing_since IS NULL) = (missing_looks = 0)),
    CHECK ((held_since IS NULL) = (held_looks = 0) AND (held_since IS NULL) = (held_fp IS NULL))
) STRICT;
