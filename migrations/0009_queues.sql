-- A bound on the queue of a target.

-- `max_queue` of the configuration: while so many deliveries are open, further events are not queued for the target but
-- given up at once ('dead' with no attempt), kept and counted, and can be retried. Null for no bound.
ALTER TABLE targets ADD COLUMN max_open INTEGER CHECK (max_open >= 1);
