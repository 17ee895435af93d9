-- Deliveries that are held back to be sent with others. A gathered one is done for the queue (state 'disabled') until its
-- digest has arrived: `gathered_at` is when it was put there, and `digest_id` the delivery of the digest that it is in,
-- once there is one. Null for all others.
ALTER TABLE deliveries ADD COLUMN gathered_at INTEGER;
ALTER TABLE deliveries ADD COLUMN digest_id INTEGER;
CREATE INDEX deliveries_gathered ON deliveries (target_id, id) WHERE gathered_at IS NOT NULL AND digest_id IS NULL;
CREATE INDEX deliveries_in_digest ON deliveries (digest_id) WHERE digest_id IS NOT NULL;

-- When the next digest of a target is made; null while nothing is gathered for it, unless an empty one is sent as well.
ALTER TABLE targets ADD COLUMN digest_at INTEGER;
-- When the last one was made; null before the first.
ALTER TABLE targets ADD COLUMN digested_at INTEGER;
