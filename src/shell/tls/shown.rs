//! The content of a certificate that an agent presents.

use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::core::inventory::Name;

use super::{hex, sum};

/// A certificate that was presented, and that the authority signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// The host that it names.
    pub(super) host: Name,
    pub(super) serial: String,
    /// The checksum of its public key. A renewed certificate has the same key as before.
    pub(super) key: String,
    /// The end of its validity, in seconds since 1970.
    pub(super) until: u64,
}

impl Shown {
    /// Reads a certificate (DER).
    pub(super) fn read(certificate: &[u8]) -> Result<Shown, String> {
        let (_, certificate) =
            X509Certificate::from_der(certificate).map_err(|e| format!("its certificate can't be read: {e}"))?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let host = names.and_then(|n| {
            n.value.general_names.iter().find_map(|n| if let GeneralName::DNSName(d) = n { Some(*d) } else { None })
        });
        let host = host.ok_or("its certificate names no host")?.to_owned();
        let until = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or(0);
        Ok(Shown { host, serial: hex(certificate.raw_serial()), key: sum(certificate.public_key().raw), until })
    }
}

/// The reason why a certificate of this host is refused.
pub(super) fn revoked(host: &str) -> String {
    format!("the certificate of {host} was revoked or replaced; enroll it again: pointsman enroll {host}")
}
