-- What a report counts stands beside each change, so that it reads only the events that it shows.

-- When it was noticed: `created_at` of its event.
ALTER TABLE changes ADD COLUMN noticed_at INTEGER NOT NULL DEFAULT 0;
UPDATE changes SET noticed_at = COALESCE((SELECT created_at FROM events WHERE id = event_id), first_changed_at);
-- 1 when a headline that readers see has moved; null for changes of earlier programs, whose events say so.
ALTER TABLE changes ADD COLUMN headline INTEGER CHECK (headline IN (0, 1));
-- When the article claimed to be published, as of the change; null when it did not.
ALTER TABLE changes ADD COLUMN published_at INTEGER;

-- With everything that a report counts: to read each row of `changes` would take much longer than the index.
CREATE INDEX changes_by_notice ON changes (
    noticed_at, quiet, significance, score, headline, labels, feed_id, entry_id, event_id, before_revision, published_at,
    first_changed_at
);
CREATE INDEX events_of_no_change ON events (created_at) WHERE change_number IS NULL;
