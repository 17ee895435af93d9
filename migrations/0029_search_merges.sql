-- Segments of the search index of one size are merged when there are 8 of them, and no longer 4 (the default of FTS5).
-- Measured on 50,000 articles: indexing takes 20 % less CPU, and a search 0.1 ms more, because it reads more segments.
INSERT INTO article_text (article_text, rank) VALUES ('automerge', 8);
INSERT INTO change_text (change_text, rank) VALUES ('automerge', 8);
