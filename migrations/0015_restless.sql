-- How often in a row a text of an entry was another one than at the look before, and when it moved last. What moves at
-- every look is told a few times, then counted.
ALTER TABLE entries ADD COLUMN feed_streak INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entries ADD COLUMN feed_moved_at INTEGER;
ALTER TABLE entries ADD COLUMN page_streak INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entries ADD COLUMN page_moved_at INTEGER;

-- Learned rules of before left out more than their evidence had shown: whole texts whose numbers moved in one place, and
-- sentences that many articles share. They end, without an edit coming of it, and what still moves is learned again.
UPDATE rules SET
    active = 0,
    since = CAST(unixepoch('subsec') * 1000 AS INTEGER),
    evidence = json_set(evidence, '$.retired', json('true'))
WHERE origin = 'learned' AND active = 1 AND kept_at IS NULL AND evidence IS NOT NULL;
