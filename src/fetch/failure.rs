//! Turns errors of the HTTP and TLS libraries into kinds of failures and sentences.

use std::error::Error;
use std::io;

use reqwest::StatusCode;
use rustix::io::Errno;
use rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::address::{NoAddress, Refused};
use super::response::{FailureKind, NO_TLS};

/// The most characters of an error's text to keep; certificates put a stranger's words in it.
const MAX_TEXT: usize = 200;

/// A failure without its time, which the client adds.
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

/// What went wrong before the head of a response was read.
pub(crate) fn of_sending(error: &reqwest::Error, host: &str, https: bool) -> Cause {
    if let Some(cause) = of_lookup(error) {
        return cause;
    }
    if let Some(tls) = find::<TlsError>(error) {
        return Cause::new(FailureKind::Tls, of_tls(tls, host));
    }
    if error.is_timeout() {
        // The client measures the time of the whole request; here only the connection can time out.
        let message = format!("no connection to {host} in time");
        return Cause::new(FailureKind::Timeout, message);
    }
    if error.is_connect() {
        return of_connecting(error, host, https);
    }
    match find::<hyper::Error>(error) {
        Some(hyper) if hyper.is_parse_too_large() => Cause::new(
            FailureKind::TooLarge,
            format!("the response headers of {host} are too large"),
        ),
        Some(hyper) if hyper.is_parse() => Cause::new(
            FailureKind::Protocol,
            format!("the response of {host} is not HTTP: {}", last_words(error)),
        ),
        _ if was_closed(error) => Cause::new(
            FailureKind::Interrupted,
            format!("{host} closed the connection without a response"),
        ),
        _ => Cause::new(
            FailureKind::Protocol,
            format!("no response from {host}: {}", last_words(error)),
        ),
    }
}

/// What went wrong with the name lookup, if that was the cause.
pub(super) fn of_lookup(error: &(dyn Error + 'static)) -> Option<Cause> {
    if let Some(refused) = find::<Refused>(error) {
        return Some(refused.clone().into());
    }
    let missing = find::<NoAddress>(error)?;
    if missing.source.as_ref().is_some_and(is_out_of_descriptors) {
        return Some(exhausted());
    }
    let why = missing.source.as_ref().map(|io| format!(": {io}"));
    let message = format!("{missing}{}", why.unwrap_or_default());
    Some(Cause::new(FailureKind::Dns, plain(&message)))
}

/// Whether the process or the system has no descriptor left.
pub(super) fn is_out_of_descriptors(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    [Errno::MFILE, Errno::NFILE]
        .map(|code| Some(code.raw_os_error()))
        .contains(&code)
}

fn exhausted() -> Cause {
    Cause::new(
        FailureKind::Exhausted,
        "this process has no file descriptor left; raise its limit (LimitNOFILE= of the unit, `ulimit -n`)",
    )
}

fn of_connecting(error: &reqwest::Error, host: &str, https: bool) -> Cause {
    // The TLS connector wraps the error of the connection in one of its own; the inner one has the kind.
    let io = || chain(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
    if io().any(is_out_of_descriptors) {
        return exhausted();
    }
    let (kind, message) = match io().last().map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => (
            FailureKind::Connect,
            format!("{host} refused the connection"),
        ),
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => (
            FailureKind::Connect,
            format!("{host} cannot be reached from here"),
        ),
        // The TCP connection existed; otherwise there would be nothing to close.
        Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) if https => {
            (FailureKind::Tls, format!("{host} {}", NO_TLS[0]))
        }
        _ => {
            let why = last_words(error);
            (
                FailureKind::Connect,
                format!("no connection to {host}: {why}"),
            )
        }
    };
    Cause::new(kind, message)
}

/// What is wrong with the TLS connection.
fn of_tls(error: &TlsError, host: &str) -> String {
    let what = match error {
        TlsError::InvalidCertificate(certificate) => return of_certificate(certificate, host),
        TlsError::NoCertificatesPresented => "sent no TLS certificate".to_owned(),
        TlsError::InvalidMessage(_) => NO_TLS[1].to_owned(),
        TlsError::PeerIncompatible(_) => "offers no TLS version or cipher in use today".to_owned(),
        // Sent by servers that support only versions from before 2008, or ciphers of that time.
        TlsError::AlertReceived(
            AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity,
        ) => "offers no TLS version or cipher in use today".to_owned(),
        TlsError::AlertReceived(AlertDescription::UnrecognisedName) => {
            "has no TLS certificate for this name".to_owned()
        }
        TlsError::AlertReceived(
            AlertDescription::CertificateRequired | AlertDescription::BadCertificate,
        ) => "requires a TLS client certificate".to_owned(),
        TlsError::AlertReceived(alert) => {
            format!(
                "refused the TLS connection: {}",
                in_words(&format!("{alert:?}"))
            )
        }
        other => {
            let other = in_words(&other.to_string());
            return plain(&format!("no TLS connection to {host}: {other}"));
        }
    };
    plain(&format!("{host} {what}"))
}

fn of_certificate(error: &CertificateError, host: &str) -> String {
    let what = match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet, or the clock here is wrong".to_owned()
        }
        CertificateError::Revoked => "was revoked".to_owned(),
        CertificateError::UnknownIssuer => "comes from an unknown issuer".to_owned(),
        CertificateError::NotValidForName => "is for another host".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<&str> = presented.iter().take(3).map(|name| bare(name)).collect();
            if names.is_empty() {
                "is not for any host".to_owned()
            } else {
                format!("is for another host: {}", names.join(", "))
            }
        }
        CertificateError::BadEncoding => "cannot be read".to_owned(),
        CertificateError::BadSignature => "is not signed by its stated issuer".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "is not a server certificate".to_owned()
        }
        // The library below has a name for this, but no description.
        CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity" => {
            "belongs to an authority (CA), not to a host".to_owned()
        }
        CertificateError::Other(other) => format!("is not valid: {}", in_words(&other.to_string())),
        other => format!("is not valid: {}", in_words(&other.to_string())),
    };
    plain(&format!("the TLS certificate of {host} {what}"))
}

/// A text whose value names, such as `UnsupportedCertVersion`, are split into words.
fn in_words(text: &str) -> String {
    let is_name = |word: &str| {
        let letters = word.chars().all(|c| c.is_ascii_alphanumeric());
        let mut pairs = word.bytes().zip(word.bytes().skip(1));
        letters
            && word.starts_with(|c: char| c.is_ascii_uppercase())
            && pairs.any(|(one, next)| one.is_ascii_lowercase() && next.is_ascii_uppercase())
    };
    let mut out = String::with_capacity(text.len() + 8);
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if !is_name(bare) {
            out.push_str(word);
            continue;
        }
        for (at, c) in word.char_indices() {
            if at > 0 && c.is_ascii_uppercase() {
                out.push(' ');
            }
            out.push(c.to_ascii_lowercase());
        }
    }
    out
}

/// The name in `DnsName("news.example")`, the form that the TLS library uses.
fn bare(name: &str) -> &str {
    name.split('"').nth(1).unwrap_or(name)
}

/// What went wrong while the body was read.
pub(crate) fn of_reading(error: &reqwest::Error) -> Cause {
    if error.is_timeout() {
        return Cause::new(
            FailureKind::Timeout,
            "the response was not complete in time",
        );
    }
    Cause::new(
        FailureKind::Interrupted,
        format!("the response was cut off: {}", last_words(error)),
    )
}

/// A body that is longer than allowed.
pub(super) fn too_large(max_size: u64) -> Cause {
    let size = match max_size {
        mib if mib >= 1 << 20 && mib % (1 << 20) == 0 => format!("{} MiB", mib >> 20),
        kib if kib >= 1 << 10 && kib % (1 << 10) == 0 => format!("{} KiB", kib >> 10),
        bytes => format!("{bytes} bytes"),
    };
    Cause::new(
        FailureKind::TooLarge,
        format!("larger than {size}, the limit of `max_size`"),
    )
}

/// Whether the connection ended before the head of a response arrived, as when a server closes a kept connection
/// just as it is reused.
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

fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    chain(error).find_map(|cause| cause.downcast_ref::<E>())
}

/// The innermost error says what happened; the outer ones say only where.
fn last_words(error: &(dyn Error + 'static)) -> String {
    chain(error)
        .last()
        .map(|cause| plain(&cause.to_string()))
        .unwrap_or_default()
}

/// The error and its causes. The source of an `io::Error` is not what it wraps but the source of that, so the
/// wrapped error, such as one of the TLS library, is requested explicitly.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause| {
        let cause: &'e (dyn Error + 'static) = *cause;
        match cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(wrapped) => Some(wrapped),
            None => cause.source(),
        }
    })
}

fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_TEXT)
        .collect()
}

/// How a status is described in messages.
pub(super) fn status_message(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("returned {} {reason}", status.as_u16()),
        None => format!("answered {}", status.as_u16()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_in_words() {
        let other = |name: &str| {
            CertificateError::Other(rustls::OtherError(std::sync::Arc::new(io::Error::other(
                name.to_owned(),
            ))))
        };
        let other_host = CertificateError::NotValidForNameContext {
            expected: rustls::pki_types::ServerName::try_from("news.example").unwrap(),
            presented: vec!["DnsName(\"a.example\u{1b}]0;\")".into()],
        };
        let cases = [
            (CertificateError::Expired, "has expired"),
            (
                CertificateError::UnknownIssuer,
                "comes from an unknown issuer",
            ),
            (CertificateError::Revoked, "was revoked"),
            (other_host, "is for another host: a.example]0;"),
            (
                other("CaUsedAsEndEntity"),
                "belongs to an authority (CA), not to a host",
            ),
            (
                other("UnsupportedCertVersion"),
                "is not valid: unsupported cert version",
            ),
        ];
        for (error, what) in cases {
            let said = of_tls(&TlsError::InvalidCertificate(error), "news.example");
            assert_eq!(said, format!("the TLS certificate of news.example {what}"));
        }
    }

    #[test]
    fn a_process_without_descriptors_is_at_fault_and_not_the_name() {
        let of = |source: Option<io::Error>| {
            let host = "news.example".to_owned();
            of_lookup(&NoAddress { host, source }).unwrap().kind
        };
        let without = io::Error::from_raw_os_error(Errno::MFILE.raw_os_error());
        assert_eq!(of(Some(without)), FailureKind::Exhausted);
        assert_eq!(of(Some(io::Error::other("no such name"))), FailureKind::Dns);
        assert_eq!(of(None), FailureKind::Dns);
    }

    #[test]
    fn names_of_values_are_taken_apart_and_words_are_left() {
        assert_eq!(
            in_words("peer misbehaved: TooManyTickets (TLS 1.3, McDonald's, IDs)"),
            "peer misbehaved: too many tickets (TLS 1.3, mc donald's, IDs)"
        );
        let alert = TlsError::AlertReceived(AlertDescription::InternalError);
        assert_eq!(
            of_tls(&alert, "news.example"),
            "news.example refused the TLS connection: internal error"
        );
    }

    #[test]
    fn what_an_io_error_wraps_is_found() {
        let inner = io::Error::new(io::ErrorKind::InvalidData, TlsError::DecryptError);
        let outer = io::Error::other(inner);
        assert_eq!(find::<TlsError>(&outer), Some(&TlsError::DecryptError));
    }
}
