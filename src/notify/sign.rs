//! Signatures as in Standard Webhooks 1.0.0 (<https://www.standardwebhooks.com/>): pure.
//!
//! `v1,` + base64 of HMAC-SHA256 over `id.timestamp.body`; while a secret is being replaced, several signatures
//! separated by spaces.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::time::Timestamp;

/// A receiver refuses a request whose timestamp differs from its clock by more than this.
pub const TOLERANCE: Duration = Duration::from_mins(5);

/// The names of the three headers.
pub const HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// The key shared with a target. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(Vec<u8>);

/// Why a text is not a secret. The text itself is never part of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The text is empty.
    #[error("the secret is empty")]
    Empty,
    /// It has a different form.
    #[error(
        "the secret does not begin with `whsec_`; make one with: \
         echo \"whsec_$(head -c 32 /dev/urandom | base64)\""
    )]
    NoPrefix,
    /// Not base64.
    #[error("the part of the secret after `whsec_` is not base64")]
    NotBase64,
    /// Too short to be safe, or longer than the standard allows.
    #[error("the decoded secret has {0} bytes; it must have 24 to 64")]
    Length(usize),
}

impl SigningSecret {
    /// Parses `whsec_` and base64 of 24 to 64 bytes. Ignores white space around it, since files end with a line
    /// break.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SecretError::Empty);
        }
        let encoded = text.strip_prefix("whsec_").ok_or(SecretError::NoPrefix)?;
        let key = STANDARD
            .decode(encoded)
            .or_else(|_| STANDARD_NO_PAD.decode(encoded))
            .map_err(|_| SecretError::NotBase64)?;
        match key.len() {
            24..=64 => Ok(Self(key)),
            length => Err(SecretError::Length(length)),
        }
    }

    /// A secret from bytes, for a receiver of our own.
    pub fn from_bytes(key: &[u8]) -> Result<Self, SecretError> {
        match key.len() {
            24..=64 => Ok(Self(key.to_vec())),
            length => Err(SecretError::Length(length)),
        }
    }

    /// The form used to configure a receiver: `whsec_` and base64. Show it only to the person who made the secret.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("whsec_{}", STANDARD.encode(&self.0))
    }

    fn mac(&self, id: &str, timestamp: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        Some(mac)
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// The headers of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The same on every attempt of a delivery.
    pub id: String,
    /// The time of the attempt in seconds since the epoch.
    pub timestamp: i64,
    /// One `v1,…` for each secret, separated by spaces; empty without a secret.
    pub signature: String,
}

impl Signed {
    /// Names and values as sent; without a secret, there is no signature header.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let [id, timestamp, signature] = HEADERS;
        let mut headers = vec![
            (id, self.id.clone()),
            (timestamp, self.timestamp.to_string()),
        ];
        if !self.signature.is_empty() {
            headers.push((signature, self.signature.clone()));
        }
        headers
    }
}

/// Signs a body with each secret.
#[must_use]
pub fn sign(secrets: &[SigningSecret], id: &str, at: Timestamp, body: &[u8]) -> Signed {
    // A dot would make the signed text ambiguous; the standard forbids dots in ids.
    let id = id.replace('.', "_");
    let timestamp = at.as_unix();
    let signatures: Vec<String> = secrets
        .iter()
        .filter_map(|secret| secret.mac(&id, timestamp, body))
        .map(|mac| format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
        .collect();
    Signed {
        id,
        timestamp,
        signature: signatures.join(" "),
    }
}

/// Why a receiver must not trust a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// One of the three headers is missing.
    #[error("a webhook header is missing")]
    Missing,
    /// The time is not a number.
    #[error("the webhook timestamp is not a number of seconds")]
    Timestamp,
    /// Signed too long ago or in the future.
    #[error("the webhook timestamp is more than five minutes away from now")]
    Stale,
    /// No signature matches.
    #[error("no signature matches")]
    Mismatch,
}

/// The receiver's side: takes the headers (lower-case names) and the body, and accepts them only if a signature
/// matches one of the secrets and the time is within [`TOLERANCE`]. The comparison takes constant time.
pub fn verify<'h>(
    secrets: &[SigningSecret],
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), VerifyError> {
    let [id, timestamp, signatures] = HEADERS.map(|name| header(name).filter(|v| !v.is_empty()));
    let (Some(id), Some(timestamp), Some(signatures)) = (id, timestamp, signatures) else {
        return Err(VerifyError::Missing);
    };
    let seconds: i64 = timestamp.parse().map_err(|_| VerifyError::Timestamp)?;
    let signed_at = Timestamp::from_unix(seconds);
    if now.since(signed_at).max(signed_at.since(now)) > TOLERANCE {
        return Err(VerifyError::Stale);
    }
    let fits = signatures
        .split(' ')
        .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
        .any(|signature| {
            secrets
                .iter()
                .filter_map(|secret| secret.mac(id, seconds, body))
                .any(|mac| mac.verify_slice(&signature).is_ok())
        });
    if fits {
        Ok(())
    } else {
        Err(VerifyError::Mismatch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example from the Standard Webhooks specification and its libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn at() -> Timestamp {
        Timestamp::from_unix(1_614_265_330)
    }

    fn check(
        secrets: &[SigningSecret],
        signed: &Signed,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), VerifyError> {
        let headers = signed.headers();
        verify(
            secrets,
            |name| {
                let found = headers.iter().find(|(n, _)| *n == name);
                found.map(|(_, value)| value.as_str())
            },
            body,
            now,
        )
    }

    #[test]
    fn the_example_of_the_standard_is_reproduced() {
        let secret = SigningSecret::parse(SECRET).unwrap();
        let signed = sign(&[secret], ID, at(), BODY);
        assert_eq!(
            signed.signature,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert_eq!(signed.id, ID);
    }

    #[test]
    fn either_secret_is_accepted_while_rotating() {
        let old = SigningSecret::from_bytes(&[1; 24]).unwrap();
        let new = SigningSecret::from_bytes(&[2; 64]).unwrap();
        let signed = sign(&[new.clone(), old.clone()], ID, at(), BODY);
        for secret in [old, new] {
            assert_eq!(check(&[secret], &signed, BODY, at()), Ok(()));
        }
        let other = SigningSecret::from_bytes(&[3; 32]).unwrap();
        let mismatch = Err(VerifyError::Mismatch);
        assert_eq!(check(&[other], &signed, BODY, at()), mismatch);
    }

    #[test]
    fn another_body_time_or_id_is_refused() {
        let secrets = [SigningSecret::parse(SECRET).unwrap()];
        let signed = sign(&secrets, ID, at(), BODY);
        let late = at() + TOLERANCE;
        assert_eq!(check(&secrets, &signed, BODY, late), Ok(()));
        let too_late = late + Duration::from_secs(1);
        assert_eq!(
            check(&secrets, &signed, BODY, too_late),
            Err(VerifyError::Stale)
        );
        let too_early = at() - TOLERANCE - Duration::from_secs(1);
        assert_eq!(
            check(&secrets, &signed, BODY, too_early),
            Err(VerifyError::Stale)
        );
        assert_eq!(
            check(&secrets, &signed, b"{}", at()),
            Err(VerifyError::Mismatch)
        );
        let moved = Signed {
            timestamp: signed.timestamp + 1,
            ..signed.clone()
        };
        assert_eq!(
            check(&secrets, &moved, BODY, at()),
            Err(VerifyError::Mismatch)
        );
        let renamed = Signed {
            id: "msg_other".into(),
            ..signed
        };
        assert_eq!(
            check(&secrets, &renamed, BODY, at()),
            Err(VerifyError::Mismatch)
        );
        let unsigned = sign(&[], ID, at(), BODY);
        assert_eq!(
            check(&secrets, &unsigned, BODY, at()),
            Err(VerifyError::Missing)
        );
    }

    #[test]
    fn secrets_of_another_form_are_refused_without_being_shown() {
        let cases = [
            ("", SecretError::Empty),
            (" \n", SecretError::Empty),
            ("hunter2", SecretError::NoPrefix),
            ("whsec_!!!", SecretError::NotBase64),
            ("whsec_aHVudGVyMg==", SecretError::Length(7)),
        ];
        for (text, expected) in cases {
            let error = SigningSecret::parse(text).unwrap_err();
            assert_eq!(error, expected);
            assert!(!error.to_string().contains("hunter2"));
        }
        assert!(SigningSecret::parse(&format!(" {SECRET}\n")).is_ok());
        let kit = "whsec_aG9zdGlsZS1raXQtc2VjcmV0LTAxMjM0NTY3ODlhYiE=";
        let secret = SigningSecret::parse(kit).unwrap();
        assert_eq!(secret.reveal(), kit);
        assert_eq!(format!("{secret:?}"), "Secret(hidden)");
    }
}
