//! Content codings: unpacks a body as browsers do. Pure.
//!
//! A stream of several gzip members is one text, `deflate` is either zlib or raw deflate, names may be in any case,
//! and several codings may be applied. A body is never unpacked in part: a stream that ends early is an error,
//! because otherwise the rest of a text would look as if it had been removed.

use std::io::{self, Read};

use reqwest::header::{self, HeaderMap};
use sha2::{Digest, Sha256};

use super::failure::{Cause, too_large};
use super::response::FailureKind;

/// The accepted codings.
pub(super) const ACCEPTED: &str = "gzip, br, zstd, deflate";

/// The most codings that are undone.
const LAYERS: usize = 3;

/// How a gzip member begins.
const GZIP: &[u8] = b"\x1f\x8b\x08";

/// A text is usually about this many times as long as its packed form.
const USUAL_RATIO: u64 = 8;

/// The largest window of zstd, as a power of two: RFC 9659 allows no more on the web.
const ZSTD_WINDOW: u32 = 23;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// The codings of a body, in the order in which they are undone.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Codings(Vec<Coding>);

impl Codings {
    /// Reads `Content-Encoding`. Some servers put a character set there, or say that there is none.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Cause> {
        let refuse = |what: String| Err(Cause::new(FailureKind::Encoding, what));
        let mut found = Vec::new();
        let values = headers.get_all(header::CONTENT_ENCODING);
        for token in values
            .iter()
            .flat_map(|value| value.as_bytes().split(|b| *b == b','))
        {
            let name = String::from_utf8_lossy(token.trim_ascii()).to_ascii_lowercase();
            found.push(match name.as_str() {
                // `aws-chunked` is about the upload; some stores also send it with the download.
                "" | "identity" | "none" | "utf-8" | "utf8" | "aws-chunked" => continue,
                "gzip" | "x-gzip" => Coding::Gzip,
                "deflate" => Coding::Deflate,
                "br" => Coding::Brotli,
                "zstd" => Coding::Zstd,
                other => {
                    let told: String = other.chars().filter(|c| !c.is_control()).take(40).collect();
                    return refuse(format!(
                        "the response uses the encoding `{told}`, which was not requested"
                    ));
                }
            });
        }
        if found.len() > LAYERS {
            return refuse(format!("the response is encoded {} times", found.len()));
        }
        found.reverse();
        Ok(Self(found))
    }

    /// Whether the body has no coding.
    pub(super) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The likely length of a packed body once it is unpacked; `None` if there is nothing to unpack. A gzip body
    /// announces its length, which is not trusted.
    pub(super) fn guess(&self, body: &[u8]) -> Option<u64> {
        let is_gzip = body.starts_with(GZIP);
        if self.is_none() && !is_gzip {
            return None;
        }
        // A gzip member ends with the length of its text.
        let said = match body.last_chunk() {
            Some(length) if is_gzip => u64::from(u32::from_le_bytes(*length)),
            _ => 0,
        };
        Some(said.max(body.len() as u64 * USUAL_RATIO))
    }

    /// The hash of a packed body with its codings; `None` if there is nothing to unpack.
    pub(super) fn packed_sha256(&self, body: &[u8]) -> Option<[u8; 32]> {
        self.guess(body)?;
        let mut hash = Sha256::new();
        hash.update(format!("{:?}", self.0));
        hash.update(body);
        Some(hash.finalize().into())
    }

    /// Unpacks a body to at most `most` bytes; `None` if it was not packed. If a body was `cut` off on purpose, the
    /// result is as much as could be unpacked.
    pub(super) fn undo(&self, body: &[u8], most: u64, cut: bool) -> Result<Option<Vec<u8>>, Cause> {
        let mut inner: Option<Vec<u8>> = None;
        for coding in &self.0 {
            let body = inner.as_deref().unwrap_or(body);
            inner = match unpacked(*coding, body, most, cut) {
                Ok(unpacked) => Some(unpacked),
                // The label is wrong: the body was never packed.
                Err(cause) if cause.kind == FailureKind::Encoding && is_markup(body) => break,
                Err(cause) => return Err(cause),
            };
        }
        // Some servers pack a body twice, or do not say that they pack it.
        for _ in 0..LAYERS.saturating_sub(self.0.len()) {
            let body = inner.as_deref().unwrap_or(body);
            if !body.starts_with(GZIP) {
                break;
            }
            match unpacked(Coding::Gzip, body, most, cut) {
                Ok(unpacked) => inner = Some(unpacked),
                Err(cause) if cause.kind == FailureKind::TooLarge => return Err(cause),
                // Whatever it is, it is not packed text.
                Err(_) => break,
            }
        }
        Ok(inner)
    }
}

fn unpacked(coding: Coding, body: &[u8], most: u64, cut: bool) -> Result<Vec<u8>, Cause> {
    let mut out = Vec::new();
    let read = match coding {
        // An empty body unpacks to an empty one.
        _ if body.is_empty() => Ok(()),
        Coding::Gzip => members(body, most, &mut out),
        Coding::Deflate if has_zlib_header(body) => {
            take(flate2::bufread::ZlibDecoder::new(body), most, &mut out)
        }
        Coding::Deflate => take(flate2::bufread::DeflateDecoder::new(body), most, &mut out),
        Coding::Brotli => take(brotli::Decompressor::new(body, 4096), most, &mut out),
        Coding::Zstd => zstd::stream::read::Decoder::with_buffer(body).and_then(|mut decoder| {
            decoder.window_log_max(ZSTD_WINDOW)?;
            take(decoder, most, &mut out)
        }),
    };
    let over = out.len() as u64 > most;
    if over && !cut {
        return Err(too_large(most));
    }
    out.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    match read {
        Err(error) if !cut && !over => {
            let message = format!("the response cannot be decoded: {error}");
            Err(Cause::new(FailureKind::Encoding, message))
        }
        _ => Ok(out),
    }
}

/// Whether a body is plain text that begins like XML, HTML or JSON; packed bodies never do.
fn is_markup(body: &[u8]) -> bool {
    const LOOKED_AT: usize = 512;
    let body = body
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(body)
        .trim_ascii_start();
    let start = body.get(..LOOKED_AT).unwrap_or(body);
    start.len() >= 16
        && matches!(start.first(), Some(b'<' | b'{' | b'['))
        && !start
            .iter()
            .any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace())
}

/// Reads one byte more than is allowed, so that too much can be told from just enough.
fn take(decoder: impl Read, most: u64, out: &mut Vec<u8>) -> io::Result<()> {
    let room = (most + 1).saturating_sub(out.len() as u64);
    decoder.take(room).read_to_end(out).map(|_| ())
}

/// The members of a gzip file, one after another; anything else that follows them is ignored.
fn members(body: &[u8], most: u64, out: &mut Vec<u8>) -> io::Result<()> {
    let mut rest = body;
    loop {
        let mut decoder = flate2::bufread::GzDecoder::new(rest);
        take(&mut decoder, most, out)?;
        rest = decoder.into_inner();
        if out.len() as u64 > most || !rest.starts_with(GZIP) {
            return Ok(());
        }
    }
}

fn has_zlib_header(body: &[u8]) -> bool {
    match body {
        [method, flags, ..] => {
            method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const TEXT: &[u8] =
        b"<rss>The council met on Monday and decided that the bridge stays closed.</rss>";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    fn codings(header: &str) -> Result<Codings, Cause> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, header.parse().unwrap());
        Codings::of(&headers)
    }

    fn undo(header: &str, body: &[u8]) -> Result<Vec<u8>, Cause> {
        let unpacked = codings(header)?.undo(body, 1000, false)?;
        Ok(unpacked.unwrap_or_else(|| body.to_vec()))
    }

    #[test]
    fn what_browsers_unpack_is_unpacked() {
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::default());
        bare.write_all(TEXT).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(TEXT).unwrap();
        let mut brotli = Vec::new();
        brotli::CompressorWriter::new(&mut brotli, 4096, 5, 22)
            .write_all(TEXT)
            .unwrap();
        let members = [gzip(&TEXT[..20]), gzip(&TEXT[20..])].concat();
        let cases: [(&str, Vec<u8>); 12] = [
            ("gzip", gzip(TEXT)),
            ("GZip", gzip(TEXT)),
            ("x-gzip", gzip(TEXT)),
            ("gzip", members),
            ("gzip", [gzip(TEXT).as_slice(), b"\0\0junk"].concat()),
            ("deflate", bare.finish().unwrap()),
            ("deflate", zlib.finish().unwrap()),
            ("br", brotli),
            ("zstd", zstd::encode_all(TEXT, 3).unwrap()),
            ("gzip, gzip", gzip(&gzip(TEXT))),
            ("gzip", gzip(&gzip(TEXT))),
            ("identity", gzip(TEXT)),
        ];
        for (header, body) in cases {
            let text = undo(header, &body).unwrap_or_else(|cause| panic!("{header}: {cause:?}"));
            assert_eq!(text, TEXT, "{header}");
        }
        assert_eq!(undo("utf-8", TEXT).unwrap(), TEXT);
        assert_eq!(undo("gzip", b"").unwrap(), b"");
        for label in [
            "gzip",
            "deflate",
            "br",
            "zstd",
            "gzip, br",
            "aws-chunked,gzip",
        ] {
            assert_eq!(
                undo(label, TEXT).unwrap(),
                TEXT,
                "{label}: a label on plain bytes"
            );
        }
        assert_eq!(undo("aws-chunked, gzip", &gzip(TEXT)).unwrap(), TEXT);
    }

    #[test]
    fn half_a_stream_is_never_a_whole_one() {
        let packed = gzip(TEXT);
        let two = [gzip(TEXT), packed[..30].to_vec()].concat();
        let zstd = zstd::encode_all(TEXT, 3).unwrap();
        let half = |body: &[u8]| body[..body.len() / 2].to_vec();
        for (header, body) in [
            ("gzip", half(&packed)),
            ("gzip", two),
            ("zstd", half(&zstd)),
            ("br", b"<rss>".to_vec()),
            ("compress", TEXT.to_vec()),
            ("gzip,gzip,gzip,gzip", packed.clone()),
        ] {
            let cause = undo(header, &body).expect_err(header);
            assert_eq!(cause.kind, FailureKind::Encoding, "{header}");
        }
        // An archive that is not declared as compressed stays as it is.
        assert_eq!(undo("", &half(&packed)).unwrap(), half(&packed));
    }

    #[test]
    fn the_limit_is_on_what_comes_out() {
        let bomb = gzip(&vec![b' '; 1 << 20]);
        for (header, body) in [
            ("gzip", bomb.clone()),
            ("", bomb.clone()),
            ("gzip", gzip(&bomb)),
        ] {
            let cause = undo(header, &body).expect_err(header);
            assert_eq!(cause.kind, FailureKind::TooLarge, "{header}");
        }
        let exact = gzip(&[b'x'; 1000]);
        assert_eq!(undo("gzip", &exact).unwrap().len(), 1000);
        let cut = codings("gzip").unwrap().undo(&bomb[..500], 1000, true);
        assert_eq!(cut.unwrap().unwrap(), [b' '; 1000]);
    }
}
