-- Old answers take little room: a body may be kept as what it has that another body has not.

-- The body that `body` is compressed against, as a prefix of the zstd frame; null for one that stands by itself.
ALTER TABLE bodies ADD COLUMN base_id INTEGER REFERENCES bodies (id);
-- 1 when compaction has looked at it: then its row is not rewritten any more, and others may be based on it.
ALTER TABLE bodies ADD COLUMN compacted INTEGER NOT NULL DEFAULT 0 CHECK (compacted IN (0, 1));
CREATE INDEX bodies_by_base ON bodies (base_id) WHERE base_id IS NOT NULL;
CREATE INDEX bodies_to_compact ON bodies (id) WHERE compacted = 0;
