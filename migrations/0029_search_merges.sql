-- How many pieces of the search index may lie beside each other before they are merged: 4 unless said otherwise. A text is
-- then merged half as often; a search looks through some more pieces until the nightly tidying makes them one.
INSERT INTO article_text (article_text, rank) VALUES ('automerge', 8);
INSERT INTO change_text (change_text, rank) VALUES ('automerge', 8);
