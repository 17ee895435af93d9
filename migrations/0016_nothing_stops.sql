-- What a refused event, a copied database and an outage of our own leave behind.

-- When a delivery was set aside because its receiver refused this event again and again: it keeps its own schedule, and
-- later ones no longer wait for it. Null for one that has its place in the order.
ALTER TABLE deliveries ADD COLUMN set_aside_at INTEGER;
DROP INDEX deliveries_open;
CREATE INDEX deliveries_open ON deliveries (target_id, set_aside_at IS NOT NULL, id) WHERE done_at IS NULL;

-- Where the file was when it was last opened for writing: SHA-256 of the machine and the file's number on its disk. A file
-- found elsewhere is a copy, and gets a new `instance`. Null in a copy made by `db backup`.
ALTER TABLE meta ADD COLUMN home BLOB CHECK (length(home) = 32);

-- Since when our own network is thought to be gone; null while it is there.
ALTER TABLE meta ADD COLUMN offline_at INTEGER;
