//! Pings targets of kind `healthchecks` to show that the service is alive; their receiver alerts when the pings stop.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::watchdog::Pulse;
use crate::config::TargetKind;
use crate::notify::{Deliverer, Target};
use crate::time::Stopwatch;

/// How often to check whether a ping is due.
const LOOK: Duration = Duration::from_secs(15);

/// Pings each target at its own interval until `stop`, reporting that all is well or that the service is stuck.
pub(super) async fn run(
    deliverer: Deliverer,
    targets: impl Fn() -> Vec<Arc<Target>>,
    pulse: Arc<Pulse>,
    stop: CancellationToken,
) {
    let mut last: HashMap<String, Stopwatch> = HashMap::new();
    loop {
        for target in targets() {
            let every = target.settings.number("every").unwrap_or(5);
            let every = Duration::from_secs(60 * u64::try_from(every).unwrap_or(5));
            // A little early, so that waiting for the next round does not make it late.
            let due = last
                .get(&target.name)
                .is_none_or(|ping| ping.elapsed() + LOOK > every);
            if due {
                last.insert(target.name.clone(), Stopwatch::start());
                ping(&deliverer, &target, pulse.is_alive()).await;
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn ping(deliverer: &Deliverer, target: &Target, alive: bool) {
    let status = if alive {
        "revisor is running"
    } else {
        "revisor makes no progress: see its log"
    };
    if let Err(error) = deliverer.heartbeat(target, alive, status).await {
        tracing::warn!(
            target.name = target.name,
            error,
            "a heartbeat could not be sent"
        );
    }
}

/// Pings all targets once: after a round of `revisor check`, for users who run it with a timer.
pub(crate) async fn once(
    deliverer: &Deliverer,
    targets: &[Target],
    well: bool,
    status: &str,
) -> Vec<String> {
    let mut errors = Vec::new();
    for target in targets
        .iter()
        .filter(|target| target.kind == TargetKind::Healthchecks)
    {
        if let Err(error) = deliverer.heartbeat(target, well, status).await {
            errors.push(format!("{}: {error}", target.name));
        }
    }
    errors
}
