//! Where the service listens for HTTP.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::domain::durations::shortened;

/// The longest socket path that the system accepts.
const LONGEST_PATH: usize = 107;

/// Where the service listens. Other keys of `[web]` decide whether other machines may connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// An address of this machine; with port 0 the system chooses a free one.
    Tcp(SocketAddr),
    /// A socket in the file system, by its absolute path.
    Unix(PathBuf),
}

impl Listen {
    /// Reads `127.0.0.1:9464`, `[::1]:9464` or `unix:/run/revisor/web.sock`.
    pub fn parse(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected an address of this machine such as \"127.0.0.1:9464\", or \
                                \"unix:/run/revisor/web.sock\"";
        if let Some(path) = text.strip_prefix("unix:") {
            return match Path::new(path) {
                path if !path.is_absolute() => Err(format!(
                    "{:?} is not an absolute path; {EXPECTED}",
                    shortened(text)
                )),
                path if path.as_os_str().len() > LONGEST_PATH => Err(format!(
                    "the path is longer than {LONGEST_PATH} bytes, the limit for a socket"
                )),
                path if path.file_name().is_none() || text.ends_with('/') => {
                    Err(format!("{:?} is a folder; {EXPECTED}", shortened(text)))
                }
                path => Ok(Self::Unix(path.to_owned())),
            };
        }
        let address: SocketAddr = text.parse().map_err(|_| {
            format!(
                "{:?} is not an address with a port; {EXPECTED}",
                shortened(text)
            )
        })?;
        Ok(Self::Tcp(address))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_sockets_are_taken() {
        for text in [
            "127.0.0.1:9464",
            "127.8.8.8:0",
            "[::1]:9464",
            "[::ffff:127.0.0.1]:80",
            "0.0.0.0:9464",
            "unix:/run/revisor/web.sock",
        ] {
            assert_eq!(Listen::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn everything_else_is_refused_in_words() {
        let long = format!("unix:/{}", "x".repeat(LONGEST_PATH));
        for (text, words) in [
            ("localhost:9464", "not an address with a port"),
            ("127.0.0.1", "not an address with a port"),
            ("9464", "not an address with a port"),
            ("unix:web.sock", "not an absolute path"),
            ("unix:/run/revisor/", "is a folder"),
            ("unix:/", "is a folder"),
            (&long, "longer than"),
        ] {
            let error = Listen::parse(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
