//! Hashes and compression: how content is named and stored in the database.

use std::cell::RefCell;
use std::io::{Read as _, Write as _};

use sha2::{Digest, Sha256};
use zstd::bulk::Decompressor;
use zstd::stream::read::Decoder;
use zstd::stream::write::Encoder;

use super::error::StoreError;

/// Level 1 costs about half of level 3 and compresses texts nearly as well.
const LEVEL: i32 = 1;

/// For values that are compressed once, apart from the checks: a fifth smaller than level 3.
const LEVEL_AGAINST: i32 = 9;

/// The largest window that a decoder accepts by default: 128 MiB.
const WINDOW_LOG: u32 = 27;

/// Above this many bytes, the ordinary search no longer finds matches in the prefix.
const FAR: usize = 1024 * 1024;

/// A larger value cannot be ours, whatever the column says.
const MAX_BYTES: i64 = 256 * 1024 * 1024;

thread_local! {
    /// Reused as well: a new one for each text was a tenth of an import, and more of a search.
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Compresses values. It is reused because setting up a compressor costs more than compressing a page.
pub(super) struct Codec {
    compressor: zstd::bulk::Compressor<'static>,
}

impl Codec {
    pub(super) fn new() -> Result<Self, StoreError> {
        let compressor = zstd::bulk::Compressor::new(LEVEL)
            .map_err(|error| StoreError::io(std::path::Path::new(""), error))?;
        Ok(Self { compressor })
    }

    pub(super) fn pack(&mut self, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.compressor
            .compress(bytes)
            .map_err(|error| StoreError::io(std::path::Path::new(""), error))
    }
}

/// Decompresses a stored value of `bytes` bytes.
pub(super) fn unpack(packed: &[u8], bytes: i64) -> Result<Vec<u8>, StoreError> {
    let capacity = usize::try_from(bytes.clamp(0, MAX_BYTES)).unwrap_or(0);
    let value = DECOMPRESSOR
        .with_borrow_mut(|kept| {
            let decompressor = match kept {
                Some(kept) => kept,
                None => kept.insert(Decompressor::new()?),
            };
            decompressor.decompress(packed, capacity)
        })
        .map_err(|_| StoreError::damaged("a compressed value cannot be read"))?;
    of_length(value, bytes)
}

/// The difference between a value and `base`: a zstd frame with `base` as its prefix, as made by `zstd
/// --patch-from`.
pub(super) fn pack_against(base: &[u8], bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    let pack = || {
        let mut encoder = Encoder::with_ref_prefix(Vec::new(), LEVEL_AGAINST, base)?;
        // Matches further back than the window are not found.
        let reach = base.len().saturating_add(bytes.len());
        encoder.window_log(reach.max(2).ilog2().saturating_add(1).clamp(10, WINDOW_LOG))?;
        encoder.long_distance_matching(reach > FAR)?;
        encoder.set_pledged_src_size(Some(bytes.len() as u64))?;
        encoder.write_all(bytes)?;
        encoder.finish()
    };
    pack().map_err(|error| StoreError::io(std::path::Path::new(""), error))
}

/// Decompresses a stored value of `bytes` bytes that was compressed against `base`.
pub(super) fn unpack_against(
    base: &[u8],
    packed: &[u8],
    bytes: i64,
) -> Result<Vec<u8>, StoreError> {
    let noted = u64::try_from(bytes.clamp(0, MAX_BYTES)).unwrap_or(0);
    let mut value = Vec::with_capacity(usize::try_from(noted).unwrap_or(0));
    Decoder::with_ref_prefix(packed, base)
        .and_then(|decoder| decoder.take(noted + 1).read_to_end(&mut value))
        .map_err(|_| StoreError::damaged("a compressed value cannot be read"))?;
    of_length(value, bytes)
}

fn of_length(value: Vec<u8>, bytes: i64) -> Result<Vec<u8>, StoreError> {
    if i64::try_from(value.len()) == Ok(bytes) {
        Ok(value)
    } else {
        Err(StoreError::damaged(
            "a compressed value does not have its recorded length",
        ))
    }
}

/// The SHA-256 of all parts in sequence.
pub(super) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_values_come_back_and_lies_are_found() {
        let mut codec = Codec::new().unwrap();
        let text = "the same words again and again ".repeat(50);
        let bytes = i64::try_from(text.len()).unwrap();
        let packed = codec.pack(text.as_bytes()).unwrap();
        assert_eq!(unpack(&packed, bytes).unwrap(), text.as_bytes());
        assert!(unpack(&packed, bytes - 1).is_err());
        assert!(unpack(&packed, bytes + 1).is_err());
        assert!(unpack(b"no zstd", 7).is_err());
    }

    #[test]
    fn a_value_packed_against_another_comes_back_with_that_one_only() {
        let page = |figure: &str| {
            let rows: String = (0..40_000).map(|row| format!("<li>{row}</li>")).collect();
            format!("<html>{rows}<p>{figure}</p>{rows}</html>").into_bytes()
        };
        let (base, value) = (page("1,200 people"), page("1,900 people"));
        assert!(base.len() > FAR);
        let bytes = i64::try_from(value.len()).unwrap();
        let packed = pack_against(&base, &value).unwrap();
        assert!(packed.len() < 500, "{} bytes", packed.len());
        assert_eq!(unpack_against(&base, &packed, bytes).unwrap(), value);
        assert!(unpack_against(&base, &packed, bytes - 1).is_err());
        assert!(unpack_against(&base, &packed, bytes + 1).is_err());
        assert!(unpack(&packed, bytes).is_err());
        assert!(unpack_against(b"", &packed, bytes).is_err());
        for (base, value) in [(&b""[..], &b"x"[..]), (b"x", b""), (b"", b"")] {
            let packed = pack_against(base, value).unwrap();
            let bytes = i64::try_from(value.len()).unwrap();
            assert_eq!(unpack_against(base, &packed, bytes).unwrap(), value);
        }
    }
}
