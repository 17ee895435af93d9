-- Old answers take little room: a body may be kept as what it has that another body has not.

-- Null until compaction has looked at the body; then it is not rewritten any more, and others may be based on it.
-- Its own id: `body` stands by itself, as before. A later id: `body` is compressed against that one, which is the prefix
-- of the zstd frame, as `zstd --patch-from` makes it.
ALTER TABLE bodies ADD COLUMN base_id INTEGER REFERENCES bodies (id) CHECK (base_id >= id);
CREATE INDEX bodies_by_base ON bodies (base_id) WHERE base_id IS NOT NULL;
CREATE INDEX bodies_to_compact ON bodies (id) WHERE base_id IS NULL;
