//! A mail server that is strict about SMTP.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;

/// A mail server that refuses violations of SMTP: long lines, bare line feeds, commands out of order.
pub(crate) struct MailServer {
    port: u16,
    mails: Arc<Mutex<Vec<String>>>,
    moods: Arc<Mutex<Moods>>,
}

#[derive(Clone, Copy, Default)]
struct Moods {
    /// Whether mails are temporarily refused.
    down: bool,
    /// Whether logins are refused.
    locked: bool,
    /// Whether the connection ends before a mail is confirmed.
    loses_responses: bool,
}

impl MailServer {
    /// A server with these responses to `RCPT TO`, and 250 afterwards.
    pub(crate) fn start(answers: &[&str]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&mails);
        let moods = Arc::new(Mutex::new(Moods::default()));
        let mood = Arc::clone(&moods);
        let mut answers: Vec<String> = answers.iter().rev().map(ToString::to_string).collect();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let mood = *mood.lock().unwrap();
                if let Some(mail) = receive(stream, &mut answers, mood) {
                    taken.lock().unwrap().push(mail);
                }
            }
        });
        Self { port, mails, moods }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.moods.lock().unwrap().down = down;
    }

    pub(crate) fn refuse_logins(&self, locked: bool) {
        self.moods.lock().unwrap().locked = locked;
    }

    /// Makes the server accept mails without confirming them from now on, or stop doing so.
    pub(crate) fn lose_responses(&self, lose: bool) {
        self.moods.lock().unwrap().loses_responses = lose;
    }

    pub(crate) fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }
}

fn receive(stream: TcpStream, answers: &mut Vec<String>, moods: Moods) -> Option<String> {
    let mut out = stream.try_clone().ok()?;
    let mut say = move |line: &str| out.write_all(format!("{line}\r\n").as_bytes()).ok();
    let mut lines = BufReader::new(stream);
    let mut mail = None;
    say("220 mail.example ESMTP")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).ok()? == 0 {
            return mail;
        }
        let command = line.trim_end().to_ascii_uppercase();
        match command.split(' ').next().unwrap_or_default() {
            "EHLO" => {
                say("250-mail.example\r\n250-8BITMIME\r\n250-AUTH PLAIN\r\n250 SIZE 1000000")?;
            }
            "MAIL" | "RSET" | "NOOP" => say("250 ok")?,
            "AUTH" if moods.locked => say("535 5.7.8 authentication failed")?,
            "AUTH" => say("235 welcome")?,
            "RCPT" if moods.down => say("450 later")?,
            "RCPT" => say(answers.pop().as_deref().unwrap_or("250 ok"))?,
            "DATA" => {
                say("354 go on")?;
                let mut text = String::new();
                loop {
                    let mut line = String::new();
                    lines.read_line(&mut line).ok()?;
                    if line == ".\r\n" {
                        break;
                    }
                    assert!(line.len() <= 1000 && line.ends_with("\r\n"), "{line:?}");
                    text.push_str(line.strip_prefix('.').unwrap_or(&line));
                }
                mail = Some(text);
                if moods.loses_responses {
                    return mail;
                }
                say("250 queued")?;
            }
            "QUIT" => {
                say("221 bye")?;
                return mail;
            }
            _ => say("500 what?")?,
        }
    }
}

/// The head of a mail, and its decoded parts: text, then HTML.
pub(crate) fn parts(mail: &str) -> [String; 3] {
    let (head, body) = mail.split_once("\r\n\r\n").expect("a head");
    let boundary = head.split("boundary=\"").nth(1).expect("a boundary");
    let boundary = format!("--{}", boundary.split('"').next().unwrap_or_default());
    let mut parts = body.split(boundary.as_str()).skip(1).map(decoded);
    let mut next = || parts.next().expect("a part");
    [head.to_owned(), next(), next()]
}

/// A part, decoded from base64 or quoted-printable.
fn decoded(part: &str) -> String {
    let (head, body) = part.split_once("\r\n\r\n").expect("a head");
    let bytes = if head.contains("base64") {
        let letters: String = body.split_whitespace().collect();
        base64::engine::general_purpose::STANDARD
            .decode(letters)
            .expect("base64")
    } else if head.contains("quoted-printable") {
        let joined = body.replace("=\r\n", "");
        let mut pieces = joined.split('=');
        let mut out = pieces.next().unwrap_or_default().as_bytes().to_vec();
        for piece in pieces {
            out.push(u8::from_str_radix(&piece[..2], 16).expect("a byte"));
            out.extend_from_slice(&piece.as_bytes()[2..]);
        }
        out
    } else {
        body.as_bytes().to_vec()
    };
    String::from_utf8(bytes).expect("UTF-8")
}
