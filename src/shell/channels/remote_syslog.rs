//! Syslog to another machine: RFC 5424 over UDP (RFC 5426), TCP (RFC 6587) or TLS (RFC 5425).

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, Stream};

use crate::core::base::limits::{NOTIFICATION_LINE, NOTIFICATION_TIMEOUT};
use crate::core::inventory::{SyslogServer, SyslogTransport};
use crate::core::notifications::{Notification, Occasion, Undelivered};

use super::attempt::{datagrams, first_address, later};
use super::roots;

/// The id of our structured data, with the enterprise number that RFC 5612 reserves for examples.
const DATA_ID: &str = "pointsman@32473";
/// The maximum lengths of fields in RFC 5424.
const HOST_NAME: usize = 255;
const PARAMETER: usize = 255;
/// How long the server may take to close the connection after we close our side. Its closing shows that it has read everything.
const ENDS: Duration = Duration::from_secs(5);

pub(super) fn send(server: &SyslogServer, notification: &Notification) -> Result<(), Undelivered> {
    let record = record(server.facility, notification);
    let words = |e: std::io::Error| later(format!("{}: {e}", server.server));
    if server.transport == SyslogTransport::Udp {
        return datagrams(&server.server)?.send(record.as_bytes()).map(drop).map_err(words);
    }
    let address = first_address(&server.server)?;
    let until = Instant::now() + NOTIFICATION_TIMEOUT;
    let mut tcp = TcpStream::connect_timeout(&address, NOTIFICATION_TIMEOUT).map_err(words)?;
    tcp.set_write_timeout(Some(NOTIFICATION_TIMEOUT)).map_err(words)?;
    tcp.set_read_timeout(Some(ENDS)).map_err(words)?;
    let framed = format!("{} {record}", record.len());
    if server.transport == SyslogTransport::Tcp {
        tcp.write_all(framed.as_bytes()).map_err(words)?;
        tcp.shutdown(Shutdown::Write).map_err(words)?;
        return ended(&mut tcp, until).map_err(|why| later(format!("{}: {why}", server.server)));
    }
    let host =
        server.server.rsplit_once(':').map_or(server.server.as_str(), |(host, _)| host).trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host).map_err(|e| later(format!("{}: {e}", server.server)))?;
    let config = Arc::new(roots::client(server.ca.as_ref())?);
    let mut connection = ClientConnection::new(config, name).map_err(|e| later(format!("{}: {e}", server.server)))?;
    let mut tls = Stream::new(&mut connection, &mut tcp);
    tls.write_all(framed.as_bytes()).map_err(words)?;
    tls.flush().map_err(words)?;
    tls.conn.send_close_notify();
    while tls.conn.wants_write() {
        tls.conn.write_tls(tls.sock).map_err(words)?;
    }
    tcp.shutdown(Shutdown::Write).map_err(words)?;
    ended(&mut tcp, until).map_err(|why| later(format!("{}: {why}", server.server)))
}

/// Waits until the server has closed the connection, too. Anything that it sends before is ignored.
fn ended(tcp: &mut TcpStream, until: Instant) -> Result<(), String> {
    let mut said = [0; 4_096];
    loop {
        match tcp.read(&mut said) {
            Ok(0) => return Ok(()),
            Ok(_) if Instant::now() < until => {}
            Ok(_) => return Err("the server sends an answer without end".to_owned()),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(format!("the server did not end the connection, so it may not have read all: {e}")),
        }
    }
}

/// Formats one record of RFC 5424.
fn record(facility: u8, notification: &Notification) -> String {
    let severity = match (notification.occasion, notification.category.as_str()) {
        (Occasion::Cleared | Occasion::Said | Occasion::More | Occasion::Test, _) => 5,
        (_, "critical") => 2,
        (_, "major") => 3,
        (_, "minor") => 4,
        _ => 5,
    };
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String = host.chars().filter(char::is_ascii_graphic).take(HOST_NAME).collect();
    let mut data = format!("[{DATA_ID} id=\"{}\" channel=\"{}\"", parameter(&notification.key), parameter(&notification.channel));
    if let Some(alarm) = notification.alarms.first().filter(|a| !a.alarm.is_empty()) {
        let status = alarm.get("status").unwrap_or_default();
        for (name, value) in [("alarm", &alarm.alarm), ("key", &alarm.key), ("category", &alarm.category), ("status", &status)] {
            data.push_str(&format!(" {name}=\"{}\"", parameter(value)));
        }
    }
    format!(
        "<{}>1 {} {} pointsman {} {} {data}] \u{feff}{}",
        u16::from(facility) * 8 + severity,
        notification.at,
        if host.is_empty() { "-" } else { &host },
        std::process::id(),
        notification.occasion.name(),
        notification.line(NOTIFICATION_LINE)
    )
}

/// The value of a parameter of structured data. RFC 5424 requires three characters to be escaped in it.
fn parameter(value: &str) -> String {
    let short = crate::core::base::text::printable_short(value, PARAMETER);
    short.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::base::time::Time;
    use crate::core::notifications::AlarmFacts;

    #[test]
    fn a_record_is_one_line_and_its_data_is_escaped() {
        let alarm = AlarmFacts {
            alarm: "sip_down".to_owned(),
            key: "a\"]\\b\n".to_owned(),
            category: "critical".to_owned(),
            ..AlarmFacts::default()
        };
        let notification = Notification {
            id: 1,
            key: "ab-1".to_owned(),
            channel: "siem".to_owned(),
            at: Time::from_millis(0),
            step: None,
            occasion: Occasion::Raised,
            category: "critical".to_owned(),
            title: "down".to_owned(),
            text: String::new(),
            alarms: vec![alarm],
            more: 0,
        };
        let record = record(3, &notification);
        assert!(record.starts_with("<26>1 1970-01-01T00:00:00.000Z "), "{record}");
        assert!(record.contains("key=\"a\\\"\\]\\\\b\\\\n\" category"), "{record}");
        assert!(record.ends_with("status=\"raised\"] \u{feff}down") && !record.contains('\n'), "{record}");
    }
}
