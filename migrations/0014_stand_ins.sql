-- Texts that many pages of a host show in the place of their articles: what each page was last seen with, and which of
-- these texts were found to be no article's.

-- The text that the page of an entry was last seen with, believed or not. No row: none was read since this is known.
CREATE TABLE page_texts (
    entry_id INTEGER PRIMARY KEY REFERENCES entries (id),
    -- The host that answered.
    host     TEXT NOT NULL,
    -- The page's address, in canonical form.
    address  TEXT NOT NULL,
    -- Fingerprint of the text.
    body_fp  BLOB NOT NULL CHECK (length(body_fp) = 16),
    -- The look that first saw it.
    seen_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX page_texts_by_text ON page_texts (body_fp, host);

-- Texts that are no article's.
CREATE TABLE stand_ins (
    host     TEXT NOT NULL,
    body_fp  BLOB NOT NULL CHECK (length(body_fp) = 16),
    found_at INTEGER NOT NULL,
    PRIMARY KEY (host, body_fp)
) STRICT, WITHOUT ROWID;

-- One word for one thing: a page without a text is called what `inspect article` calls it.
UPDATE entries SET page_reason = 'no_text' WHERE page_reason = 'empty';

-- Which entries of a feed have the same page, fragments aside.
CREATE INDEX entries_by_page ON entries (feed_id, page_url) WHERE page_url IS NOT NULL;
