-- Under which scheme a text was read out of its bytes, so that an upgrade of our own reading is never taken for an edit.
--
-- A scheme is one number: the version of our reading (feeds and pages are counted apart), and above the lowest 16 bits a
-- hash of the rules that a person or the site's pages have added, zero when there are none. Rows from before it was
-- counted are of version 1. The scheme of a channel that a row does not have says nothing.

ALTER TABLE revisions ADD COLUMN feed_scheme INTEGER NOT NULL DEFAULT 1;
ALTER TABLE revisions ADD COLUMN page_scheme INTEGER NOT NULL DEFAULT 1;

-- What brought the revision: 'look', a look at the feed or the page; 'reread', the captures of the revision before read
-- anew under another scheme, which is no edit; 'rebased', a look under another scheme whose old captures are gone, so
-- that nobody can say whether it differs by an edit: a new beginning, and no change.
ALTER TABLE revisions ADD COLUMN origin TEXT NOT NULL DEFAULT 'look' CHECK (origin IN ('look', 'reread', 'rebased'));
CREATE INDEX revisions_rebased ON revisions (id) WHERE origin = 'rebased';

-- The schemes of the newest revision's channels. They may be newer than those in `revisions`: a channel that reads the
-- same under a new scheme is of the new scheme.
ALTER TABLE entries ADD COLUMN feed_scheme INTEGER NOT NULL DEFAULT 1;
ALTER TABLE entries ADD COLUMN page_scheme INTEGER NOT NULL DEFAULT 1;
