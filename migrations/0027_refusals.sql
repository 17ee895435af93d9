-- Whether the receiver refused the event itself, so that later events need not wait for it. It used to be read from the
-- status, which for mail is the code of the mail server now, and those do not mean what HTTP's mean.
ALTER TABLE attempts ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
UPDATE attempts SET refused = 1
 WHERE status BETWEEN 400 AND 499 AND status NOT IN (408, 410, 425, 429)
   AND delivery_id IN (SELECT id FROM deliveries WHERE done_at IS NULL);

-- The post that a delivery became at a service where replies are possible, so that the next one of its article replies
-- to it.
ALTER TABLE deliveries ADD COLUMN post TEXT;
