-- A request of the command line can also be to send a test event: JSON, {"targets": […], "event": "ping.test"}; null for a
-- check.
ALTER TABLE check_requests ADD COLUMN test TEXT;

-- When a digest was unpacked, so that its events are sent one by one; null for all others. Such a digest used to be a
-- member of itself.
ALTER TABLE deliveries ADD COLUMN unpacked_at INTEGER;
UPDATE deliveries SET unpacked_at = gathered_at, gathered_at = NULL, digest_id = NULL
 WHERE digest_id IS NOT NULL AND digest_id = id;

-- 1 while a page waits because the archive did not accept our key. It used to be read from the beginning of `error`.
ALTER TABLE snapshots ADD COLUMN of_key INTEGER NOT NULL DEFAULT 0 CHECK (of_key IN (0, 1));
UPDATE snapshots SET of_key = 1 WHERE due_at IS NOT NULL AND instr(error, 'the key is not accepted');
