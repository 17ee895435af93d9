-- Whoever was told that a feed fails is owed the word that it is well again, whatever becomes of its count of failures.

-- When it was told that the feed fails or is gone; null when nothing was, or that it is well has been told since.
ALTER TABLE feeds ADD COLUMN failing_told_at INTEGER;
UPDATE feeds SET failing_told_at = told.at
FROM (SELECT feed_id, max(created_at) AS at FROM events WHERE type IN ('feed.failing', 'feed.gone') GROUP BY feed_id)
    AS told
WHERE told.feed_id = feeds.id AND feeds.last_error IS NOT NULL
  AND (feeds.failures >= 3 OR told.at > COALESCE(feeds.last_ok_at, 0));
