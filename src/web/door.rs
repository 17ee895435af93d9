//! The socket for clients.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixStream as PlainUnixStream;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};

use crate::config::Listen;

/// A listening socket. A Unix socket's file is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Door {
    listener: Listener,
    place: Listen,
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener),
    Unix {
        listener: UnixListener,
        _file: SocketFile,
    },
}

/// The file of a Unix socket, for as long as it listens.
#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // If it remains, the next start replaces it.
        let _ = fs::remove_file(&self.0);
    }
}

/// A connection of either kind.
pub(super) trait DoorStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> DoorStream for T {}

impl Door {
    /// Listens at `place`. Must be called on a runtime.
    pub(crate) async fn open(place: &Listen) -> io::Result<Self> {
        match place {
            Listen::Tcp(address) => {
                let listener = TcpListener::bind(address).await?;
                Ok(Self {
                    place: Listen::Tcp(listener.local_addr()?),
                    listener: Listener::Tcp(listener),
                })
            }
            Listen::Unix(path) => {
                clear(path)?;
                let listener = UnixListener::bind(path)?;
                Ok(Self {
                    place: place.clone(),
                    listener: Listener::Unix {
                        listener,
                        _file: SocketFile(path.clone()),
                    },
                })
            }
        }
    }

    /// Where it listens, with the port that was assigned.
    #[must_use]
    pub(crate) fn place(&self) -> &Listen {
        &self.place
    }

    /// The next client, with its address; a client of a Unix socket has none.
    pub(super) async fn accept(&self) -> io::Result<(Box<dyn DoorStream>, Option<IpAddr>)> {
        match &self.listener {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Box::new(stream), Some(peer.ip().to_canonical())))
            }
            Listener::Unix { listener, .. } => Ok((Box::new(listener.accept().await?.0), None)),
        }
    }
}

/// Removes the socket of a process that ended without doing so; anything else at its place is not touched.
fn clear(path: &Path) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::new(
            ErrorKind::AlreadyExists,
            "the path exists and is not a socket",
        ));
    }
    match PlainUnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::new(
            ErrorKind::AddrInUse,
            "another process is already listening there",
        )),
    }
}
