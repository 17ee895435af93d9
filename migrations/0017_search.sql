-- Search: the newest text of each entry (rowid = entries.id), and the sentences that each change took away and brought
-- (rowid = changes.number). Contentless: the texts themselves are packed in `states`, and an index with a copy of its own
-- would double the file. Marks (M*) belong to words: without them a Hindi or Arabic word falls apart, and Thai loses its
-- vowels.
CREATE VIRTUAL TABLE article_text USING fts5(
    title, body, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2 categories 'L* N* M* Co'"
);
CREATE VIRTUAL TABLE change_text USING fts5(
    removed, added, headline_before, headline_after,
    content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2 categories 'L* N* M* Co'"
);

-- How far the index reaches into the past. Everything new is indexed when it is stored; what was there before is indexed
-- in the background, from the newest down to the first.
CREATE TABLE search_progress (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    -- The version of the indexed form; another one than the program's means that all is indexed again.
    scheme       INTEGER NOT NULL,
    -- Entries up to this id, and changes up to this number, are still to be indexed.
    entries_left INTEGER NOT NULL,
    changes_left INTEGER NOT NULL
) STRICT;
INSERT INTO search_progress (id, scheme, entries_left, changes_left)
    SELECT 1, 1, COALESCE((SELECT max(id) FROM entries), 0), COALESCE((SELECT max(number) FROM changes), 0);
