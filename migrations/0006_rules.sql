-- Rules about furniture: what is left out when the texts of a feed's entries are compared.
--
-- Rules are never deleted. One that is not in force any more is kept with the moment of its end: until an entry was read
-- again after that, what the rule covered has no past and is no edit.
CREATE TABLE rules (
    -- The number that `revisor rules` gives it.
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The feed that it is for; null for all feeds.
    feed_id  INTEGER REFERENCES feeds (id),
    -- 'text': a block with this text; 'template': with this text, whatever its numbers and names; 'ignore': the parts
    -- of a text that match this regular expression.
    kind     TEXT NOT NULL CHECK (kind IN ('text', 'template', 'ignore')),
    -- A text as published, or a regular expression.
    pattern  TEXT NOT NULL,
    -- 'learned' from many looks, added by a 'person', or 'config' for one that stands in the configuration.
    origin   TEXT NOT NULL CHECK (origin IN ('learned', 'person', 'config')),
    -- Whether it is in force. What a person has dropped stays so: it is not learned again.
    active   INTEGER NOT NULL CHECK (active IN (0, 1)),
    -- Since when it is, or is not.
    since    INTEGER NOT NULL,
    -- When a person said that it is right; null when nobody did.
    kept_at  INTEGER,
    -- JSON: what a learned rule was learned from; null for others.
    evidence TEXT
) STRICT;
CREATE UNIQUE INDEX rules_by_pattern ON rules (COALESCE(feed_id, 0), kind, pattern, origin = 'config');
