//! The receiver: accepts webhooks on loopback and verifies their signatures, as any receiver should.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::net::TcpListener;

use super::DemoError;
use crate::notify::{SigningSecret, verify};
use crate::time::{Clock, System};

/// A webhook that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    /// `webhook-id`.
    pub id: String,
    /// Whether the signature was valid and recent.
    pub verified: bool,
    /// The body.
    pub body: String,
}

/// A running receiver; it ends with the runtime.
#[derive(Debug)]
pub(crate) struct Receiver {
    address: SocketAddr,
    inbox: Arc<Inbox>,
}

#[derive(Debug)]
struct Inbox {
    secret: SigningSecret,
    taken: Mutex<Vec<Received>>,
}

impl Receiver {
    /// Starts to listen on a free port of 127.0.0.1; webhooks must be signed with `secret`.
    pub(crate) async fn open(secret: SigningSecret) -> Result<Self, DemoError> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let inbox = Arc::new(Inbox {
            secret,
            taken: Mutex::new(Vec::new()),
        });
        let routes = Router::new()
            .route("/hook", post(take))
            .with_state(Arc::clone(&inbox));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { address, inbox })
    }

    /// Where to send webhooks.
    #[must_use]
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// The webhooks accepted so far, in order.
    #[must_use]
    pub(crate) fn received(&self) -> Vec<Received> {
        self.inbox
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

async fn take(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let secrets = std::slice::from_ref(&inbox.secret);
    let verified = verify(secrets, header, &body, System.now()).is_ok();
    let received = Received {
        id: header("webhook-id").unwrap_or_default().to_owned(),
        verified,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    inbox
        .taken
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(received);
    if verified {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::UNAUTHORIZED
    }
}
