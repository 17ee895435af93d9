-- The index of the search again, with the beginnings of words: `mer*` reads one list, the newest first, and not those of
-- every word that begins so. Of three letters only: each length would make the index larger by a half.
DROP TABLE article_text;
DROP TABLE change_text;
CREATE VIRTUAL TABLE article_text USING fts5(
    title, body, content = '', contentless_delete = 1, prefix = '3',
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* M* Co'"
);
CREATE VIRTUAL TABLE change_text USING fts5(
    removed, added, headline_before, headline_after, content = '', contentless_delete = 1, prefix = '3',
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* M* Co'"
);
-- Filled in the background, as after the first time.
UPDATE search_progress SET entries_left = (SELECT COALESCE(max(id), 0) FROM entries),
    changes_left = (SELECT COALESCE(max(number), 0) FROM changes);
