//! Receivers on loopback for the tests of this module.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::sign::{SigningSecret, verify};
use super::target::Target;
use crate::config::{KindSettings, TargetKind};
use crate::time::Timestamp;

/// What a receiver does with a request.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// Sends these bytes, then closes.
    Raw(String),
    /// Sends this head, then `x` without end.
    Endless(String),
    /// Sends nothing.
    Silence,
    /// Closes without a response.
    Close,
}

impl Answer {
    pub(super) fn status(line: &str) -> Self {
        Self::Raw(format!(
            "HTTP/1.1 {line}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        ))
    }
}

/// A request as received.
#[derive(Debug, Clone)]
pub(super) struct Got {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Got {
    pub(super) fn header(&self, name: &str) -> &str {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .unwrap_or_default()
    }
}

/// The response to the n-th request, from zero.
type Answers = Arc<dyn Fn(usize, &Got) -> Answer + Send + Sync>;

/// A server on loopback.
pub(super) struct Receiver {
    port: u16,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    /// A receiver that sends these responses in order, then repeats the last one.
    pub(super) async fn start(answers: Vec<Answer>) -> Self {
        Self::start_with(move |place, _| answers[place.min(answers.len() - 1)].clone()).await
    }

    /// A receiver with a function that decides each response.
    pub(super) async fn start_with(
        answers: impl Fn(usize, &Got) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let answers: Answers = Arc::new(answers);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let got = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&got);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answers), Arc::clone(&log)));
            }
        });
        Self { port, got }
    }

    pub(super) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    pub(super) fn target(&self, name: &str) -> Target {
        Target {
            name: name.into(),
            kind: TargetKind::Webhook,
            settings: KindSettings::default(),
            url: format!("http://127.0.0.1:{}/T0/token", self.port),
            secrets: vec![secret()],
            source: "urn:revisor:test".into(),
            max_payload: 20_480,
            holding: crate::domain::holding::Holding::default(),
            reach: crate::fetch::AddressPolicy::anywhere(),
        }
    }
}

pub(super) fn secret() -> SigningSecret {
    SigningSecret::from_bytes(&[7; 32]).unwrap()
}

/// Whether a request has a signature of [`secret`] for this time.
pub(super) fn signed_at(got: &Got, now: Timestamp) -> bool {
    let header = |name: &str| Some(got.header(name));
    verify(&[secret()], header, &got.body, now).is_ok()
}

async fn serve(mut stream: TcpStream, answers: Answers, log: Arc<Mutex<Vec<Got>>>) {
    let Some(request) = read(&mut stream).await else {
        return;
    };
    let answer = {
        let mut log = log.lock().unwrap();
        let answer = answers(log.len(), &request);
        log.push(request);
        answer
    };
    match answer {
        Answer::Raw(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
        }
        Answer::Endless(head) => {
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(&[b'x'; 1024]).await.is_ok() {}
        }
        Answer::Silence => tokio::time::sleep(Duration::from_hours(1)).await,
        Answer::Close => {}
    }
}

async fn read(stream: &mut TcpStream) -> Option<Got> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let size = stream
            .read(&mut chunk)
            .await
            .ok()
            .filter(|size| *size > 0)?;
        bytes.extend_from_slice(&chunk[..size]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let mut got = Got {
            head: String::from_utf8_lossy(&bytes[..end]).into_owned(),
            body: bytes[end + 4..].to_vec(),
        };
        let length: usize = got.header("content-length").parse().unwrap_or(0);
        while got.body.len() < length {
            let size = stream
                .read(&mut chunk)
                .await
                .ok()
                .filter(|size| *size > 0)?;
            got.body.extend_from_slice(&chunk[..size]);
        }
        return Some(got);
    }
}
