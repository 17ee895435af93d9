-- Retention of revisions: texts that are not kept any more.

-- When `keep.revisions` took the text; `body` is empty then, and the hash stays, which the chain is made of. Null while
-- the text is there.
ALTER TABLE states ADD COLUMN dropped_at INTEGER;
-- Whether another revision still needs a text.
CREATE INDEX revisions_by_state ON revisions (state_id);
