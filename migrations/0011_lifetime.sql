-- An answer 304 that says nothing of how long it is fresh leaves that as it was.

-- How long the answers of the feed are fresh by their headers, in milliseconds; null when they do not say.
ALTER TABLE feeds ADD COLUMN lifetime_ms INTEGER;
