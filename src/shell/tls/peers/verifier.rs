//! Verifies the agent that accepts a connection in the same way as the agent that opens one: by a certificate for clients. A
//! certificate of an earlier version is therefore valid for both, and an agent's certificate is never valid for a controller.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// Accepts every agent that the authority signed. The caller checks afterwards which host it is.
#[derive(Debug)]
pub(super) struct AgentVerifier(Arc<dyn ClientCertVerifier>);

impl AgentVerifier {
    pub(super) fn new(roots: RootCertStore) -> Result<AgentVerifier, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let agents = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        agents.map(AgentVerifier).map_err(|e| e.to_string())
    }
}

impl ServerCertVerifier for AgentVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0.verify_client_cert(end_entity, intermediates, now).map(|_| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
