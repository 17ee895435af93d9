//! Mail: as plain text and as HTML, with one thread for each article.

use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use super::style::{MessageStyle, around, bytes, escape_html, plain, short};
use super::{Kind, Letter, Work};
use crate::notify::template;
use crate::report::runs::{Face, Run};

/// Both parts together stay below the 100 KB that mail programs show (Gmail cuts at 102 KB), including the
/// transfer encoding, which adds up to half if there are many special characters.
const TEXT_MAX: usize = 20_000;
const HTML_MAX: usize = 40_000;
/// Mail programs cut longer subjects.
const SUBJECT_MAX: usize = 200;

/// The mail to send, and the server for it.
pub(crate) struct Mail {
    /// The mail.
    pub message: lettre::Message,
    /// The server's name or address.
    pub server: String,
    /// Its port; by default the usual one for `tls`.
    pub port: Option<u16>,
    /// `starttls`, `implicit` or `none`.
    pub tls: String,
    /// User and password.
    pub login: Option<(String, String)>,
}

pub(super) struct Email;

impl Kind for Email {
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        let settings = &letter.target.settings;
        let login = settings.text("user").zip(settings.text("password"));
        Ok(Work::Mail(Box::new(Mail {
            message: message(letter)?,
            server: letter.text("server").to_owned(),
            port: settings
                .number("port")
                .and_then(|port| u16::try_from(port).ok()),
            tls: letter.text("tls").to_owned(),
            login: login.map(|(user, password)| (user.to_owned(), password.to_owned())),
        })))
    }
}

fn message(letter: &Letter<'_>) -> Result<lettre::Message, String> {
    let settings = &letter.target.settings;
    let from: Mailbox = letter
        .text("from")
        .parse()
        .map_err(|error| format!("`from` of the target: {error}"))?;
    let host = from.email.domain().to_owned();
    let name = word(&letter.target.name);
    // The same on every attempt, so that a repeated mail is recognised.
    let id = format!("<{}.{name}@{host}>", word(letter.uid));
    let date = std::time::UNIX_EPOCH
        + std::time::Duration::from_millis(
            u64::try_from(letter.event.timestamp.as_millis()).unwrap_or(0),
        );
    let mut builder = lettre::Message::builder()
        .from(from)
        .message_id(Some(id))
        .date(date)
        .subject(subject(letter)?)
        .header(AutoSubmitted("auto-generated".to_owned()))
        .header(ListId(format!("revisor {name} <{name}.revisor.{host}>")));
    for to in settings.list("to") {
        builder = builder.to(to
            .parse()
            .map_err(|error| format!("{to:?} in `to` of the target: {error}"))?);
    }
    // All mails about an article are one thread, even if the first mail went to others.
    if let Some(entry) = &letter.event.data.entry {
        let thread = format!("<{}.{name}@{host}>", word(&entry.id));
        builder = builder.references(thread.clone()).in_reply_to(thread);
    }
    if let Some(address) = settings.text("list_unsubscribe") {
        builder = builder.header(ListUnsubscribe(format!("<{address}>")));
        if address.starts_with("https://") {
            builder = builder.header(ListUnsubscribePost("List-Unsubscribe=One-Click".to_owned()));
        }
    }
    let boundary = format!("revisor_{}", word(letter.uid));
    let [text, html] = bodies(letter);
    let parts = MultiPart::alternative()
        .boundary(boundary)
        .singlepart(SinglePart::plain(text))
        .singlepart(SinglePart::html(html));
    builder
        .multipart(parts)
        .map_err(|error| format!("the mail cannot be made: {error}"))
}

fn subject(letter: &Letter<'_>) -> Result<String, String> {
    let message = letter.message;
    let subject = if let Some(template) = letter.target.settings.text("subject") {
        let subject = template::render(template, letter.event, message)?;
        crate::report::clean::line(&subject).into_owned()
    } else {
        match template::title(letter.event) {
            Some(title) => format!("{}: {title}", message.headline),
            None => message.headline.clone(),
        }
    };
    // Mail programs would decode a word that a page has written in encoded form (RFC 2047) and show what it hides.
    let subject = subject.replace("=?", "=\u{200b}?");
    Ok(short(&subject, SUBJECT_MAX, super::style::chars))
}

/// Text for an id or address: letters, digits, and little else.
fn word(text: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "_-".contains(c) {
            c
        } else {
            '-'
        }
    };
    text.chars().take(80).map(plain).collect()
}

/// The text and the HTML of the mail.
pub(super) fn bodies(letter: &Letter<'_>) -> [String; 2] {
    [text(letter), html(letter)]
}

fn text(letter: &Letter<'_>) -> String {
    let style = MessageStyle {
        write: plain,
        measure: bytes,
        line_break: "\n\n",
        plain: true,
        with_headline: true,
        with_address: true,
    };
    style.compose(letter.message, TEXT_MAX) + "\n"
}

/// Mail programs drop style sheets, and some drop `ins` and `del`, so the styles are inline. Long words and addresses are
/// broken: on a telephone, a mail that is wider than the screen is shown in tiny letters.
fn html(letter: &Letter<'_>) -> String {
    let style = MessageStyle {
        write: styled,
        measure: bytes,
        line_break: "</p>\r\n<p dir=\"auto\" style=\"margin:0 0 12px\">",
        plain: false,
        with_headline: true,
        with_address: true,
    };
    format!(
        "<!DOCTYPE html>\r\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"></head>\
         <body style=\"font:16px/1.5 sans-serif;max-width:640px;margin:16px;overflow-wrap:anywhere\">\r\n\
         <p dir=\"auto\" style=\"margin:0 0 12px\">{}</p>\r\n</body></html>\r\n",
        style.compose(letter.message, HTML_MAX)
    )
}

fn styled(run: &Run) -> String {
    let span = |style: &str| {
        around(
            &run.text,
            &format!("<span style=\"{style}\">"),
            escape_html,
            "</span>",
        )
    };
    match &run.face {
        Face::Plain => escape_html(&run.text),
        Face::Strong => span("font-weight:bold"),
        Face::Removed => span("color:#82071e;background:#ffebe9;text-decoration:line-through"),
        Face::Added => span("color:#116329;background:#dafbe1;text-decoration:underline"),
        Face::Faint => span("color:#57606a;font-size:14px"),
        Face::Link(url) => format!(
            "<a href=\"{}\">{}</a>",
            escape_html(url),
            escape_html(&run.text)
        ),
    }
}

/// Headers that lettre has no type for.
macro_rules! header {
    ($name:ident, $text:literal) => {
        #[derive(Clone)]
        struct $name(String);

        impl Header for $name {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($text)
            }

            fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self(text.to_owned()))
            }

            fn display(&self) -> HeaderValue {
                HeaderValue::new(Self::name(), self.0.clone())
            }
        }
    };
}

header!(AutoSubmitted, "Auto-Submitted");
header!(ListId, "List-Id");
header!(ListUnsubscribe, "List-Unsubscribe");
header!(ListUnsubscribePost, "List-Unsubscribe-Post");
