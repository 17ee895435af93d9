-- What keeps a feed that grows without end, and a second configuration, from doing harm.

-- New entries that the last poll left for the next ones, as there were too many at once.
ALTER TABLE feeds ADD COLUMN postponed INTEGER NOT NULL DEFAULT 0;

-- The configuration file that the feeds are of; null when they are of none, or were taken over before this column was.
ALTER TABLE meta ADD COLUMN configuration TEXT;
