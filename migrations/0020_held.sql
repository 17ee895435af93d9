-- Posts to public accounts wait for a person: `confirm = "hold"` of the configuration. A held delivery is done for the
-- queue (state 'disabled') until it is released; `held_at` is when it was put there, and null for all others.
ALTER TABLE targets ADD COLUMN hold INTEGER NOT NULL DEFAULT 0 CHECK (hold IN (0, 1));
ALTER TABLE deliveries ADD COLUMN held_at INTEGER;
CREATE INDEX deliveries_held ON deliveries (target_id, id) WHERE held_at IS NOT NULL;

-- Whether a target is told that another one was disabled: public accounts are not.
ALTER TABLE targets ADD COLUMN notices INTEGER NOT NULL DEFAULT 1 CHECK (notices IN (0, 1));
