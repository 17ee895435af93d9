//! The body of a response: read within its limits and the available room, and unpacked.

use std::time::Duration;

use super::client::seconds;
use super::coding::Codings;
use super::failure::{self, Cause, too_large};
use super::response::FailureKind;
use super::room::Load;
use crate::time::Stopwatch;

/// The limits of a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The largest body in bytes, unpacked.
    pub(super) max_size: u64,
    /// Whether a larger one is cut off there.
    pub(super) cut: bool,
    /// The longest time without data.
    pub(super) idle_timeout: Duration,
}

/// Reads a body as it is sent.
pub(super) async fn receive(
    response: &mut reqwest::Response,
    bounds: Bounds,
    load: &mut Load,
) -> Result<Vec<u8>, Cause> {
    let Bounds {
        max_size,
        cut,
        idle_timeout,
    } = bounds;
    let announced = response.content_length();
    if !cut && announced.is_some_and(|length| length > max_size) {
        return Err(too_large(max_size));
    }
    let mut body = Vec::with_capacity(first_capacity(announced));
    let mut pace = BodyPace::new(idle_timeout);
    loop {
        let chunk = tokio::time::timeout(idle_timeout, response.chunk())
            .await
            .map_err(|_| {
                let message = format!("no data for {}", seconds(idle_timeout));
                Cause::new(FailureKind::Timeout, message)
            })?
            .map_err(|error| failure::of_reading(&error))?;
        let Some(chunk) = chunk else { break };
        pace.note(chunk.len())?;
        let held = (body.len() + chunk.len()) as u64;
        if held > max_size {
            if !cut {
                return Err(too_large(max_size));
            }
            let room = usize::try_from(max_size).unwrap_or(usize::MAX) - body.len();
            body.extend_from_slice(chunk.get(..room).unwrap_or_default());
            break;
        }
        if held > load.bytes() {
            load.grow(expected(held, announced).min(max_size)).await;
            // The wait was ours.
            pace = BodyPace::new(idle_timeout);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// How long a body may become after this many bytes.
fn expected(held: u64, announced: Option<u64>) -> u64 {
    announced.unwrap_or(0).max(held + held / 2)
}

/// Unpacks a body within the available room, and waits for more whenever it turns out to be longer.
pub(super) async fn unpack(
    codings: &Codings,
    body: Vec<u8>,
    bounds: Bounds,
    load: &mut Load,
) -> Result<Vec<u8>, Cause> {
    let Some(guess) = codings.guess(&body) else {
        return Ok(body);
    };
    let Bounds { max_size, cut, .. } = bounds;
    let packed = body.len() as u64;
    let mut most = match cut {
        true => max_size,
        false => guess.max(load.bytes().saturating_sub(packed)).min(max_size),
    };
    loop {
        load.grow(packed + most).await;
        match codings.undo(&body, most, cut) {
            Err(cause) if cause.kind == FailureKind::TooLarge && most < max_size => {
                most = most.saturating_mul(LONGER).min(max_size);
            }
            Ok(None) => return Ok(body),
            Ok(Some(unpacked)) => return Ok(unpacked),
            Err(cause) => return Err(cause),
        }
    }
}

/// If a body is longer than its room, the next attempt has this many times as much.
const LONGER: u64 = 4;

/// Capacity for the announced length, but not if the announcement is too large to trust.
fn first_capacity(announced: Option<u64>) -> usize {
    const MOST: u64 = 256 * 1024;
    usize::try_from(announced.unwrap_or(16 * 1024).min(MOST)).unwrap_or(0)
}

/// How fast a body arrives. A server that sends a byte now and then is never silent for long, and would otherwise
/// occupy a place for the whole time that the request may take.
struct BodyPace {
    window: Duration,
    since: Stopwatch,
    bytes: usize,
}

/// The least bytes per second, averaged over a window as long as the longest silence.
const SLOWEST: f64 = 512.0;

impl BodyPace {
    fn new(window: Duration) -> Self {
        Self {
            window,
            since: Stopwatch::start(),
            bytes: 0,
        }
    }

    fn note(&mut self, bytes: usize) -> Result<(), Cause> {
        self.bytes += bytes;
        let passed = self.since.elapsed();
        if passed < self.window {
            return Ok(());
        }
        let least = SLOWEST * passed.as_secs_f64();
        if (self.bytes as f64) < least {
            let message = format!(
                "the answer comes too slowly: {} bytes in {} s",
                self.bytes,
                passed.as_secs()
            );
            return Err(Cause::new(FailureKind::Slow, message));
        }
        *self = Self::new(self.window);
        Ok(())
    }
}
