//! A certificate that others issued, for clients that are no agents: monitoring systems.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::core::base::time::Time;
use crate::shell::linux::boot_time;

/// How often the files are read again: a renewed certificate is shown after this time at the latest.
const READ_AGAIN: Duration = Duration::from_secs(60);

/// A connection that was accepted with a [`WebCertificate`].
pub type WebStream = tokio_rustls::server::TlsStream<TcpStream>;

/// A certificate and its key in files, which somebody renews.
pub struct WebCertificate {
    certificate: PathBuf,
    key: PathBuf,
    read: Mutex<(Time, TlsAcceptor)>,
}

impl WebCertificate {
    /// Reads a certificate with its chain, and its key (PEM).
    ///
    /// # Errors
    /// Returns an error text if a file cannot be read, or the key is another one's.
    pub fn open(certificate: &Path, key: &Path) -> Result<WebCertificate, String> {
        let read = Mutex::new((boot_time(), acceptor(certificate, key)?));
        Ok(WebCertificate { certificate: certificate.to_owned(), key: key.to_owned(), read })
    }

    /// Does the handshake of a connection.
    ///
    /// # Errors
    /// The errors of the connection and of TLS.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<WebStream> {
        self.newest().await.accept(stream).await
    }

    /// The certificate as it is now. One connection reads the files, on a thread that may wait for the disk. The others meanwhile
    /// get what was read last.
    async fn newest(&self) -> TlsAcceptor {
        let known = {
            let mut read = self.lock();
            let now = boot_time();
            if now.since(read.0) < READ_AGAIN {
                return read.1.clone();
            }
            read.0 = now;
            read.1.clone()
        };
        let (certificate, key) = (self.certificate.clone(), self.key.clone());
        let reading = tokio::task::spawn_blocking(move || acceptor(&certificate, &key)).await;
        match reading.unwrap_or_else(|e| Err(e.to_string())) {
            Ok(newest) => {
                self.lock().1 = newest.clone();
                newest
            }
            Err(why) => {
                tracing::warn!("the certificate as it was is shown to monitoring systems: {why}");
                known
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, (Time, TlsAcceptor)> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let words = |path: &Path, e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate).map_err(|e| words(certificate, &e))?.collect();
    let chain = chain.map_err(|e| words(certificate, &e))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|e| words(key, &e))?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| words(certificate, &e))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|e| words(certificate, &e))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
