//! Mail by SMTP: text and HTML, to all recipients of the channel.

use std::time::{Duration, SystemTime};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::{Error as SmtpError, SmtpTransport};
use lettre::{Address, Message, Transport as _};

use crate::core::base::limits::NOTIFICATION_TIMEOUT;
use crate::core::inventory::{MailEncryption, MailServer};
use crate::core::notifications::{AlarmFacts, Notification, Occasion, Undelivered};

use super::secret::Secrets;
use super::{later, refused, roots};

/// The answers of a server that concern the sender's login and not the message (RFC 4954). An administrator can correct that.
const ABOUT_LOGIN: std::ops::RangeInclusive<u16> = 530..=538;

pub(super) fn send(server: &MailServer, notification: &Notification) -> Result<(), Undelivered> {
    let mut secrets = Secrets::default();
    let transport = transport(server, &mut secrets)?;
    let hide = |why: Undelivered| Undelivered { why: secrets.hidden(&why.why), ..why };
    let people: Vec<Mailbox> = server.to.iter().map(|to| mailbox(to)).collect::<Result<_, _>>()?;
    let message = message(server, &people, notification)?;
    let ended = transport.send(&message).map_err(|e| hide(undelivered(server, &e)));
    match ended {
        Err(why) if why.refused && people.len() > 1 => each(server, &transport, &people, &message).map_err(hide),
        ended => ended.map(drop),
    }
}

/// One of several addresses may be wrong. The other recipients still get the message.
fn each(server: &MailServer, transport: &SmtpTransport, people: &[Mailbox], message: &Message) -> Result<(), Undelivered> {
    let raw = message.formatted();
    let from = message.envelope().from().cloned();
    let (mut failed, mut is_refused) = (Vec::new(), true);
    for person in people {
        let envelope = lettre::address::Envelope::new(from.clone(), vec![person.email.clone()]);
        let envelope = envelope.map_err(|e| later(e.to_string()))?;
        if let Err(e) = transport.send_raw(&envelope, &raw) {
            let why = undelivered(server, &e);
            is_refused &= why.refused;
            failed.push(format!("{}: {}", person.email, why.why));
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    let others = people.len() - failed.len();
    Err(Undelivered { why: format!("{}; {others} others got it", failed.join("; ")), refused: is_refused })
}

fn undelivered(server: &MailServer, e: &SmtpError) -> Undelivered {
    let mut why = format!("{}:{}: {e}", server.host, server.port);
    if let Some(source) = std::error::Error::source(e) {
        why.push_str(&format!(": {source}"));
    }
    let about_login = e.status().is_some_and(|code| ABOUT_LOGIN.contains(&u16::from(code)));
    if e.is_permanent() && !about_login { refused(why) } else { later(why) }
}

fn mailbox(address: &str) -> Result<Mailbox, Undelivered> {
    let parsed: Result<Address, _> = address.parse();
    parsed.map(|address| Mailbox::new(None, address)).map_err(|e| later(format!("{address} is no mail address: {e}")))
}

fn transport(server: &MailServer, secrets: &mut Secrets) -> Result<SmtpTransport, Undelivered> {
    let parameters = || -> Result<TlsParameters, Undelivered> {
        let mut builder = TlsParameters::builder(server.host.clone()).certificate_store(CertificateStore::None);
        for certificate in roots::certificates(server.ca.as_ref())? {
            // A certificate that the library cannot read is not trusted.
            if let Ok(certificate) = Certificate::from_der(certificate.to_vec()) {
                builder = builder.add_root_certificate(certificate);
            }
        }
        builder.build_rustls().map_err(|e| later(e.to_string()))
    };
    let tls = match server.encryption {
        MailEncryption::Starttls => Tls::Required(parameters()?),
        MailEncryption::Tls => Tls::Wrapper(parameters()?),
        MailEncryption::None => Tls::None,
    };
    let builder = SmtpTransport::builder_dangerous(server.host.clone()).port(server.port).tls(tls);
    let builder = builder.timeout(Some(NOTIFICATION_TIMEOUT));
    Ok(match (&server.user, &server.password) {
        (Some(user), Some(password)) => builder.credentials(Credentials::new(user.clone(), secrets.read(password)?)).build(),
        _ => builder.build(),
    })
}

fn message(server: &MailServer, people: &[Mailbox], notification: &Notification) -> Result<Message, Undelivered> {
    let header = |name: &'static str, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
    let at = SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(notification.at.micros()).unwrap_or_default());
    let domain = server.from.rsplit('@').next().unwrap_or("pointsman.invalid");
    let urgent = notification.category == "critical" && notification.occasion != Occasion::Cleared;
    let mut builder = Message::builder()
        .from(mailbox(&server.from)?)
        .subject(&notification.title)
        .date(at)
        // The same id lets a recipient recognize a duplicate.
        .message_id(Some(format!("<{}@{domain}>", notification.key)))
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Pointsman-Id", &notification.key));
    if urgent {
        builder = builder.raw_header(header("X-Priority", "1"));
    }
    for person in people {
        builder = builder.to(person.clone());
    }
    let text = notification.text.clone();
    builder.multipart(MultiPart::alternative_plain_html(text, html(notification))).map_err(|e| refused(e.to_string()))
}

/// The message as HTML: the text, and a table of the alarms if there are several.
fn html(notification: &Notification) -> String {
    let row = |a: &AlarmFacts| {
        let (status, colour) = match (a.cleared_at.is_some(), a.category.as_str()) {
            (true, _) => ("cleared", "#2e7d32"),
            (_, "critical") => ("critical", "#b71c1c"),
            (_, "major") => ("major", "#e65100"),
            (_, other) => (other, "#555"),
        };
        format!(
            "<tr><td style=\"color:{colour}\"><b>{}</b></td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(status),
            escaped(&format!("{} {}", a.alarm, a.key)),
            escaped(&a.summary),
            escaped(&a.raised_at.to_string())
        )
    };
    let table = match (notification.occasion, notification.alarms.len()) {
        (Occasion::Said, _) | (_, 0 | 1) => format!("<pre>{}</pre>", escaped(&notification.text)),
        _ => {
            let rows: String = notification.alarms.iter().map(row).collect();
            let more = if notification.more > 0 { format!("<p>and {} more</p>", notification.more) } else { String::new() };
            format!(
                "<table cellpadding=\"4\"><tr><th></th><th>alarm</th><th>summary</th><th>raised</th></tr>{rows}</table>{more}"
            )
        }
    };
    format!(
        "<!DOCTYPE html><html><body style=\"font-family:sans-serif\"><p><b>{}</b></p>{table}</body></html>",
        escaped(&notification.title)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of a log never becomes a header or markup.
    #[test]
    fn nothing_is_injected() {
        let server = MailServer {
            host: "h".to_owned(),
            port: 25,
            encryption: MailEncryption::None,
            ca: None,
            user: None,
            password: None,
            from: "pointsman@example.com".to_owned(),
            to: vec!["noc@example.com".to_owned()],
        };
        let notification = Notification {
            id: 1,
            key: "ab-1".to_owned(),
            channel: "mail".to_owned(),
            at: crate::core::base::time::Time::from_millis(1_800_000_000_000),
            step: None,
            occasion: Occasion::Raised,
            category: "critical".to_owned(),
            title: "a\r\nBcc: evil@example.com <b>".to_owned(),
            text: "<script>x</script>\n.\nQUIT".to_owned(),
            alarms: Vec::new(),
            more: 0,
        };
        let mail = message(&server, &[mailbox("noc@example.com").unwrap()], &notification).unwrap();
        let text = String::from_utf8(mail.formatted()).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(head.contains("Message-ID: <ab-1@example.com>"), "{head}");
        assert!(html(&notification).contains("&lt;script&gt;"));
    }
}
