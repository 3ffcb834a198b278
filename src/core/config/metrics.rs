//! Where monitoring systems ask: `metrics: { listen: 127.0.0.1:9469, token: { file: PATH }, tls: { certificate: PATH, key: PATH } }`.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::core::diag::Code;
use crate::core::inventory::Secret;
use crate::core::yaml::{Section, YamlNode, YamlReader};

use super::channels;
use super::keys;

/// The listener for monitoring systems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsListener {
    pub address: SocketAddr,
    /// What a monitoring system must send as a bearer token; always there unless the address is loopback.
    pub token: Option<Secret>,
    pub tls: Option<CertificateFiles>,
}

/// A certificate and its key, as PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Reads the section of the controller.
pub(super) fn listener(reader: &mut YamlReader<'_>, node: &YamlNode) -> Option<MetricsListener> {
    let section = reader.section(node, "`metrics`", &node.place, &keys::METRICS_LISTENER)?;
    of_section(reader, &section)
}

/// Reads `listen`, `token` and `tls`.
pub(super) fn of_section(reader: &mut YamlReader<'_>, section: &Section<'_>) -> Option<MetricsListener> {
    let node = section.want(reader, "listen")?;
    let text = reader.text(node)?;
    let Ok(address) = text.parse::<SocketAddr>() else {
        reader.report(Code::BadValue, &node.place, format!("`{text}` is not an address with a port")).help =
            Some("listen: 127.0.0.1:9469".to_owned());
        return None;
    };
    let token = section.get("token").map(|n| channels::secret(reader, n));
    let tls = section.get("tls").map(|n| tls(reader, n));
    let is_local = address.ip().to_canonical().is_loopback();
    if !is_local && token.is_none() {
        let message = format!("anyone who can reach {address} could read the metrics");
        reader.report(Code::OpenToAll, &node.place, message).help =
            Some("add token: { file: /etc/pointsman/metrics.token }, or listen on 127.0.0.1:9469".to_owned());
        return None;
    }
    if !is_local && tls.is_none() {
        let message = format!("the token crosses the network to {address} without encryption");
        reader.report(Code::TokenInClear, &node.place, message).help =
            Some("add tls: { certificate: /etc/pointsman/metrics.crt, key: /etc/pointsman/metrics.key }".to_owned());
    }
    // A token or certificate that could not be read was reported, and is never left away.
    let (token, tls) = (token.map_or(Some(None), |t| t.map(Some))?, tls.map_or(Some(None), |t| t.map(Some))?);
    Some(MetricsListener { address, token, tls })
}

fn tls(reader: &mut YamlReader<'_>, node: &YamlNode) -> Option<CertificateFiles> {
    let section = reader.section(node, "`tls`", &node.place, &keys::METRICS_CERTIFICATE)?;
    let mut file = |key: &str| section.want(reader, key).and_then(|n| channels::path(reader, n));
    let (certificate, key) = (file("certificate"), file("key"));
    Some(CertificateFiles { certificate: certificate?, key: key? })
}
