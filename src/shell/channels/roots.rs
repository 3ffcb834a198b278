//! The certificate authorities that may sign servers' certificates.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;

use crate::core::notifications::Undelivered;

use super::attempt::later;

/// The certificates of a PEM file, or those of this machine.
pub(super) fn certificates(ca: Option<&PathBuf>) -> Result<Vec<CertificateDer<'static>>, Undelivered> {
    match ca {
        Some(path) => of_file(path).map_err(|why| later(format!("the authorities in {} can't be read: {why}", path.display()))),
        None => {
            let found = rustls_native_certs::load_native_certs();
            if found.certs.is_empty() {
                let why = "this machine has no authorities for TLS: install ca-certificates, or set `ca`";
                return Err(later(why));
            }
            Ok(found.certs)
        }
    }
}

fn of_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = std::fs::read(path).map_err(|e| e.to_string())?;
    let all = pem::parse_many(text).map_err(|e| e.to_string())?;
    let all: Vec<_> =
        all.into_iter().filter(|p| p.tag() == "CERTIFICATE").map(|p| CertificateDer::from(p.into_contents())).collect();
    if all.is_empty() { Err("it has no certificate".to_owned()) } else { Ok(all) }
}

/// The only cryptography provider of the program.
pub(super) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// A TLS client that trusts these authorities.
pub(super) fn client(ca: Option<&PathBuf>) -> Result<rustls::ClientConfig, Undelivered> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(certificates(ca)?);
    let builder = rustls::ClientConfig::builder_with_provider(provider());
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| later(e.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
