-- Evidence: what was asked, and the answers in the chain of hashes.

-- JSON: the headers of the request, a list of [name, value]; null where an older program kept none. Credentials are
-- named, and their values left out.
ALTER TABLE captures ADD COLUMN request TEXT;

-- SHA-256 of the hashes of the answers behind the revision, that of the feed first. A capture's hash is the SHA-256 of
-- its channel, url, fetched_at and status in decimal digits, body_sha256 in hexadecimal digits, then the number of its
-- headers and each name and value, then the same of the request ('-' for the number where none is kept); each of these
-- in UTF-8, with its length in bytes (8 bytes, big endian) before it.
-- Null in revisions of older programs; in all others `hash` is the SHA-256 of the five parts: previous_hash, the SHA-256
-- of the state, number, seen_at, captures_hash.
ALTER TABLE revisions ADD COLUMN captures_hash BLOB CHECK (length(captures_hash) = 32);
