//! Sending without HTTP: mail, programs, brokers. Each has a single time limit for everything.

use std::process::Stdio;
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS, Transport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::Url;

use super::kinds::email::Mail;
use super::kinds::{CommandRun, DeliveryResult, Judged, Publish};

/// How much of a program's output is kept.
const OUTPUT: u64 = 4096;
/// The largest packet from a broker that is accepted.
const PACKET: usize = 64 << 10;
/// Permanent refusals of a login rather than of a mail (RFC 4954, RFC 5248).
const LOGIN_REFUSED: [u16; 4] = [530, 534, 535, 538];

pub(super) fn delivered() -> Judged {
    Judged {
        result: DeliveryResult::Delivered,
        status: None,
        refused: false,
        error: None,
        post: None,
    }
}

pub(super) fn retry(error: impl Into<String>) -> Judged {
    Judged {
        result: DeliveryResult::Retry { after: None },
        status: None,
        refused: false,
        error: Some(error.into()),
        post: None,
    }
}

/// Sends a mail. The timeout of lettre only covers connecting; without ours, a slow server would block afterwards.
pub(super) async fn mail(mail: Mail, limit: Duration) -> Judged {
    let transport = match transport(&mail, limit) {
        Ok(transport) => transport,
        Err(error) => return retry(format!("cannot set up TLS: {error}")),
    };
    match tokio::time::timeout(limit, transport.send(mail.message)).await {
        Err(_) => retry(format!(
            "the mail server did not respond within {} s",
            limit.as_secs()
        )),
        Ok(Ok(_)) => delivered(),
        Ok(Err(error)) => refused_mail(&error),
    }
}

/// Any failure that is not marked as permanent may be temporary; lettre does not say more about a refused
/// connection or a bad certificate.
fn refused_mail(error: &lettre::transport::smtp::Error) -> Judged {
    let status = error.status().map(u16::from);
    let of_login = status.is_some_and(|status| LOGIN_REFUSED.contains(&status));
    let what = match (error.is_permanent(), of_login) {
        (true, false) => "the mail server refused it",
        (true, true) => "the mail server refused the login",
        (false, _) => "cannot send mail",
    };
    Judged {
        status,
        refused: error.is_permanent() && !of_login,
        ..retry(format!("{what}: {}", with_causes(error)))
    }
}

fn transport(
    mail: &Mail,
    limit: Duration,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, lettre::transport::smtp::Error> {
    let server = mail.server.as_str();
    let (tls, port) = match mail.tls.as_str() {
        "none" => (Tls::None, 25),
        "implicit" => (Tls::Wrapper(TlsParameters::new(server.to_owned())?), 465),
        // Never without TLS, even if the server does not offer it.
        _ => (Tls::Required(TlsParameters::new(server.to_owned())?), 587),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server)
        .port(mail.port.unwrap_or(port))
        .tls(tls)
        .timeout(Some(limit));
    if let Some((user, password)) = &mail.login {
        builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
    }
    Ok(builder.build())
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// Runs a program; it has succeeded if it exits with 0.
pub(super) async fn run(run: CommandRun) -> Judged {
    let Some((program, arguments)) = run.command.split_first() else {
        return retry("no command is set");
    };
    let child = tokio::process::Command::new(program)
        .args(arguments)
        .envs(run.environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return retry(format!("cannot run {program}: {error}")),
    };
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let work = async {
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program that does not read closes the pipe; its exit code decides.
                let _ = stdin.write_all(&run.input).await;
            }
        };
        let read = async {
            let mut said = Vec::new();
            if let Some(mut stderr) = stderr {
                let _ = (&mut stderr).take(OUTPUT).read_to_end(&mut said).await;
                // Read the rest, too, so that the program does not block.
                let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
            }
            said
        };
        let ((), said) = tokio::join!(write, read);
        (child.wait().await, said)
    };
    match tokio::time::timeout(run.timeout, work).await {
        Err(_) => retry(format!(
            "{program} was still running after {} s and was stopped",
            run.timeout.as_secs()
        )),
        Ok((Err(error), _)) => retry(format!("cannot wait for {program}: {error}")),
        Ok((Ok(status), _)) if status.success() => delivered(),
        Ok((Ok(status), said)) => {
            let said = String::from_utf8_lossy(&said);
            let words: Vec<&str> = said.split_whitespace().take(60).collect();
            let words = words.join(" ");
            let more = if words.is_empty() {
                String::new()
            } else {
                format!(": {words}")
            };
            retry(format!("{program} failed ({status}){more}"))
        }
    }
}

/// Publishes with quality of service 1 and waits for the broker's confirmation.
pub(super) async fn publish(publish: Publish, limit: Duration) -> Judged {
    match tokio::time::timeout(limit, publish_and_wait(publish)).await {
        Err(_) => retry(format!(
            "the broker did not confirm within {} s",
            limit.as_secs()
        )),
        Ok(Err(error)) => retry(error),
        Ok(Ok(())) => delivered(),
    }
}

async fn publish_and_wait(publish: Publish) -> Result<(), String> {
    let url = Url::parse(&publish.server)
        .map_err(|_| "the address of the broker is not valid".to_owned())?;
    let secure = url.scheme() == "mqtts";
    let host = url
        .host_str()
        .ok_or("the address of the broker has no host")?;
    let port = url.port().unwrap_or(if secure { 8883 } else { 1883 });
    let mut options = MqttOptions::new(publish.client, host, port);
    options.set_max_packet_size(PACKET, publish.body.len() + PACKET);
    if secure {
        options.set_transport(Transport::tls_with_default_config());
    }
    if let Some((user, password)) = publish.login {
        options.set_credentials(user, password);
    }
    let (client, mut events) = AsyncClient::new(options, 4);
    let mut sent = false;
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) if !sent => {
                sent = true;
                let sending = client.publish(
                    publish.topic.as_str(),
                    QoS::AtLeastOnce,
                    false,
                    publish.body.clone(),
                );
                sending
                    .await
                    .map_err(|error| format!("cannot publish: {error}"))?;
            }
            Ok(Event::Incoming(Packet::PubAck(_))) => {
                let _ = client.disconnect().await;
                // The disconnect is only written when the loop continues; it does not matter if that fails.
                let _ = tokio::time::timeout(Duration::from_millis(200), events.poll()).await;
                return Ok(());
            }
            Ok(_) => {}
            Err(error) => return Err(format!("cannot reach the broker: {error}")),
        }
    }
}
