//! From the errors of the HTTP library to kinds of failures and sentences.

use std::error::Error;
use std::io;

use super::address::Refused;
use super::resolver::NoAddress;
use super::response::FailureKind;

/// At most this many characters of an error's text are kept; certificates put a stranger's words into it.
const MAX_TEXT: usize = 200;

/// A failure without the moment, which the client adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) kind: FailureKind,
    pub(crate) message: String,
}

impl Cause {
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

impl From<Refused> for Cause {
    fn from(refused: Refused) -> Self {
        Self::new(FailureKind::Refused, refused.to_string())
    }
}

/// What went wrong before the head of an answer was read.
pub(crate) fn of_sending(error: &reqwest::Error, host: &str, https: bool) -> Cause {
    if let Some(refused) = find::<Refused>(error) {
        return refused.clone().into();
    }
    if let Some(missing) = find::<NoAddress>(error) {
        let why = missing.source.as_ref().map(|io| format!(": {io}"));
        let message = format!("{missing}{}", why.unwrap_or_default());
        return Cause::new(FailureKind::Dns, plain(&message));
    }
    if error.is_timeout() {
        return Cause::new(
            FailureKind::Timeout,
            format!("{host} did not answer in time"),
        );
    }
    let io = find::<io::Error>(error);
    if error.is_connect() {
        let tls = https && io.is_some_and(|io| is_tls(io.kind()));
        let (kind, what) = if tls {
            (FailureKind::Tls, "no trusted TLS connection to")
        } else {
            (FailureKind::Connect, "no connection to")
        };
        return Cause::new(kind, format!("{what} {host}: {}", last_words(error)));
    }
    match find::<hyper::Error>(error) {
        Some(hyper) if hyper.is_parse_too_large() => Cause::new(
            FailureKind::TooLarge,
            format!("the head of the answer of {host} is too large"),
        ),
        Some(hyper) if hyper.is_parse() => Cause::new(
            FailureKind::Protocol,
            format!("the answer of {host} is not HTTP: {}", last_words(error)),
        ),
        _ if was_closed(error) => Cause::new(
            FailureKind::Interrupted,
            format!("{host} closed the connection without an answer"),
        ),
        _ => Cause::new(
            FailureKind::Protocol,
            format!("no answer from {host}: {}", last_words(error)),
        ),
    }
}

/// What went wrong while the body was read.
pub(crate) fn of_reading(error: &reqwest::Error, encoded: bool) -> Cause {
    if error.is_timeout() {
        return Cause::new(FailureKind::Timeout, "the answer was not complete in time");
    }
    // A connection that breaks under the decoder is reported by the decoder; the cause below it tells them apart.
    let broken = find::<hyper::Error>(error).is_some();
    if encoded && !broken {
        return Cause::new(
            FailureKind::Encoding,
            format!("the answer cannot be decoded: {}", last_words(error)),
        );
    }
    Cause::new(
        FailureKind::Interrupted,
        format!("the answer was cut off: {}", last_words(error)),
    )
}

/// Whether the connection ended before a head came: as when a server closes a kept connection just as it is used.
pub(crate) fn was_closed(error: &reqwest::Error) -> bool {
    let early_end = find::<hyper::Error>(error)
        .is_some_and(|hyper| hyper.is_incomplete_message() || hyper.is_canceled());
    let reset = find::<io::Error>(error).is_some_and(|io| {
        matches!(
            io.kind(),
            io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof
        )
    });
    !error.is_connect() && !error.is_timeout() && (early_end || reset)
}

/// The TLS library reports what it does not accept as invalid data.
fn is_tls(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other
    )
}

fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    chain(error).find_map(|cause| cause.downcast_ref::<E>())
}

/// The innermost error says what happened; those around it only where.
fn last_words(error: &(dyn Error + 'static)) -> String {
    chain(error)
        .last()
        .map(|cause| plain(&cause.to_string()))
        .unwrap_or_default()
}

fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause| {
        let cause: &'e (dyn Error + 'static) = *cause;
        cause.source()
    })
}

fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_TEXT)
        .collect()
}
