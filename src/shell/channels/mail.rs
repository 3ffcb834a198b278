//! Mail by SMTP: text and HTML, to all recipients of the channel.

use std::time::{Duration, SystemTime};

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::{Error as SmtpError, SmtpTransport};
use lettre::{Address, Message, Transport as _};

use crate::core::base::limits::NOTIFICATION_TIMEOUT;
use crate::core::inventory::{MailEncryption, MailServer};
use crate::core::notifications::{AlarmFacts, Notification, Occasion, Undelivered};

use super::attempt::{later, refused};
use super::roots;
use super::secret::Secrets;

/// The answers of a server that concern the sender's login and not the message (RFC 4954). An administrator can correct that.
const ABOUT_LOGIN: std::ops::RangeInclusive<u16> = 530..=538;

/// Sends a message to all recipients of a channel who were not `reached` by an earlier attempt.
pub(super) fn send(server: &MailServer, notification: &Notification, reached: &[String]) -> Result<(), Undelivered> {
    let mut secrets = Secrets::default();
    let transport = transport(server, &mut secrets)?;
    let hide = |why: Undelivered| Undelivered { why: secrets.hidden(&why.why), ..why };
    let people: Vec<Mailbox> = server.to.iter().map(|to| mailbox(to)).collect::<Result<_, _>>()?;
    // The header names all recipients, whoever still has to get it.
    let message = message(server, &people, notification)?;
    let missing: Vec<Address> = people.into_iter().map(|p| p.email).filter(|p| !reached.contains(&p.to_string())).collect();
    // Those who did not get it are not recipients any more.
    if missing.is_empty() {
        return Ok(());
    }
    let from = message.envelope().from().cloned();
    let to = |people: Vec<Address>| Envelope::new(from.clone(), people).map_err(|e| later(e.to_string()));
    let raw = message.formatted();
    match transport.send_raw(&to(missing.clone())?, &raw) {
        Ok(_) => Ok(()),
        // One of several addresses may be wrong, or may be refused for now. The other recipients still get the message.
        Err(e) if missing.len() > 1 && is_about_message(&e) => {
            let one = |person: &Address| match transport.send_raw(&to(vec![person.clone()])?, &raw) {
                Ok(_) => Ok(()),
                Err(e) => Err(undelivered(server, &e)),
            };
            each(missing.iter().map(|person| (person.to_string(), one(person)))).map_err(hide)
        }
        Err(e) => Err(hide(undelivered(server, &e))),
    }
}

/// Sums up the results of the recipients.
fn each(results: impl Iterator<Item = (String, Result<(), Undelivered>)>) -> Result<(), Undelivered> {
    let (mut failed, mut refused, mut reached) = (Vec::new(), true, Vec::new());
    for (person, result) in results {
        match result {
            Ok(()) => reached.push(person),
            Err(why) => {
                refused &= why.refused;
                failed.push(format!("{person}: {}", why.why));
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    let others = match reached.len() {
        0 => String::new(),
        1 => "; 1 other recipient received it".to_owned(),
        n => format!("; {n} other recipients received it"),
    };
    Err(Undelivered { why: format!("{}{others}", failed.join("; ")), refused, reached })
}

/// True if the server answered, and its answer concerns the message or its recipients.
fn is_about_message(e: &SmtpError) -> bool {
    e.status().is_some_and(|code| !ABOUT_LOGIN.contains(&u16::from(code)))
}

fn undelivered(server: &MailServer, e: &SmtpError) -> Undelivered {
    let mut why = format!("{}:{}: {e}", server.host, server.port);
    // The text of most errors has that of their cause.
    if let Some(source) = std::error::Error::source(e).map(ToString::to_string).filter(|source| !why.contains(source)) {
        why.push_str(&format!(": {source}"));
    }
    if e.is_permanent() && is_about_message(e) { refused(why) } else { later(why) }
}

fn mailbox(address: &str) -> Result<Mailbox, Undelivered> {
    let parsed: Result<Address, _> = address.parse();
    parsed.map(|address| Mailbox::new(None, address)).map_err(|e| later(format!("{address} is not a mail address: {e}")))
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

    /// Who got the message does not get it again, and one refused address does not end the attempts for another.
    #[test]
    fn each_recipient_has_a_result() {
        let of = |results: [Result<(), Undelivered>; 3]| {
            each(["a@x", "b@x", "c@x"].into_iter().map(str::to_owned).zip(results)).unwrap_err()
        };
        let mixed = of([Ok(()), Err(refused("no such user")), Err(later("greylisted"))]);
        assert!(!mixed.refused && mixed.reached == ["a@x"], "{mixed:?}");
        assert_eq!(mixed.why, "b@x: no such user; c@x: greylisted; 1 other recipient received it");
        assert!(of([Ok(()), Err(refused("no such user")), Ok(())]).refused);
        assert!(each([("a@x".to_owned(), Ok(()))].into_iter()).is_ok());
    }

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
