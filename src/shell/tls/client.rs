//! The agent's side of the connection: it enrolls once, and then stays connected.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsConnector;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::core::wire::{Command, Report};
use crate::shell::linux::wall_time;

use super::authority::{AuthorityKeys, write_private};
use super::outage::Outage;
use super::shown::Shown;
use super::{CONTROLLER, FromAgent, RENEW_DAYS, ToAgent, WITH_KEYS, frames, sum};

/// The file with the keys of other agents.
const PEERS: &str = "peers.json";
/// The time limit for opening a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The time after which sent data that is not acknowledged counts as lost.
const SILENCE: Duration = Duration::from_secs(3);
/// The pauses between attempts: the first one, and the maximum after doubling.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A connection that lasted for this time counts as successful.
const LASTED: Duration = Duration::from_secs(5);
/// How often the agent checks whether its certificate should be renewed.
const LOOK_AT_CERTIFICATE: Duration = Duration::from_secs(3_600);

/// An agent's key and certificates in a folder: `agent.key`, `agent.crt`, `authority.crt`. The keys of other hosts' agents are in
/// `peers.json`, as the controller last sent them.
#[derive(Clone, Debug)]
pub struct Identity {
    folder: PathBuf,
    known: Arc<watch::Sender<AuthorityKeys>>,
    connected: Arc<AtomicBool>,
}

impl Identity {
    /// Opens the identity of a host in a folder.
    ///
    /// # Errors
    /// When there is none, or it belongs to another host: the agent has to enroll first.
    pub fn open(folder: &Path, host: &str) -> Result<Identity, String> {
        let known = fs::read(folder.join(PEERS)).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let known = Arc::new(watch::Sender::new(known));
        let identity = Identity { folder: folder.to_owned(), known, connected: Arc::default() };
        match fs::File::open(identity.file("agent.crt")) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(format!(
                    "{} has no certificate: on the controller run `pointsman enroll HOST`, and here what it prints",
                    folder.display()
                ));
            }
            Err(e) => {
                return Err(format!(
                    "{} can't be read: {e}; was the agent enrolled by another user? Give the folder to the agent's user",
                    identity.file("agent.crt").display()
                ));
            }
            Ok(_) => {}
        }
        identity.config()?;
        let own = CertificateDer::from_pem_file(identity.file("agent.crt")).map_err(|e| format!("{}: {e}", folder.display()))?;
        match Shown::read(&own) {
            Ok(shown) if shown.host == host => Ok(identity),
            Ok(shown) => Err(format!(
                "the certificate in {} is that of {}, and this agent's configuration is for {host}; enroll it again",
                folder.display(),
                shown.host
            )),
            Err(why) => Err(format!("{}: {why}", folder.display())),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn config(&self) -> Result<ClientConfig, String> {
        let IdentityFiles { roots, own, key } = self.files()?;
        let config = builder()?.with_root_certificates(roots).with_client_auth_cert(vec![own], key);
        let mut config = config.map_err(|e| format!("{}: {e}", self.file("agent.crt").display()))?;
        config.alpn_protocols = vec![WITH_KEYS.to_vec()];
        Ok(config)
    }

    /// The agent's own key and certificate, and the authority that it trusts.
    pub(super) fn files(&self) -> Result<IdentityFiles, String> {
        let words = |name: &str, e: &dyn std::fmt::Display| format!("{}: {e}", self.file(name).display());
        let root = CertificateDer::from_pem_file(self.file("authority.crt")).map_err(|e| words("authority.crt", &e))?;
        let own = CertificateDer::from_pem_file(self.file("agent.crt")).map_err(|e| words("agent.crt", &e))?;
        let key = PrivateKeyDer::from_pem_file(self.file("agent.key")).map_err(|e| words("agent.key", &e))?;
        let mut roots = RootCertStore::empty();
        roots.add(root).map_err(|e| words("authority.crt", &e))?;
        Ok(IdentityFiles { roots, own, key })
    }

    /// The keys of other hosts' agents, and every change of them.
    pub(super) fn known(&self) -> watch::Receiver<AuthorityKeys> {
        self.known.subscribe()
    }

    /// True if the controller has sent any key of the host.
    pub(super) fn knows_host(&self, host: &str) -> bool {
        self.known.borrow().contains_key(host)
    }

    /// True if the controller has sent this key for the host's agent.
    pub(super) fn knows(&self, shown: &Shown) -> bool {
        self.known.borrow().get(&shown.host).is_some_and(|keys| keys.contains(&shown.key))
    }

    /// Records the keys of other hosts' agents. They are kept for a start without the controller.
    fn learn(&self, keys: AuthorityKeys) {
        if *self.known.borrow() == keys {
            return;
        }
        let path = self.file(PEERS);
        let text = serde_json::to_vec(&keys).map_err(io::Error::other);
        // The keys apply before they are written: a revoked key is refused even if the disk is full.
        self.known.send_replace(keys);
        if let Err(e) = text.and_then(|text| write_private(&path, &text)) {
            tracing::error!("{}: {e}: the keys of other agents can't be kept", path.display());
        }
    }

    /// True while [`connect`] has a connection to the controller.
    pub fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    /// When its certificate ends, in seconds since 1970.
    ///
    /// # Errors
    /// When the certificate cannot be read.
    pub fn ends(&self) -> Result<i64, String> {
        let words = |e: &dyn std::fmt::Display| format!("{}: {e}", self.file("agent.crt").display());
        let own = CertificateDer::from_pem_file(self.file("agent.crt")).map_err(|e| words(&e))?;
        let (_, own) = X509Certificate::from_der(&own).map_err(|e| words(&e))?;
        Ok(own.validity().not_after.timestamp())
    }

    /// The number of days until the certificate ends.
    fn days_left(&self) -> Result<i64, String> {
        Ok((self.ends()? - wall_time().micros() / 1_000_000) / 86_400)
    }

    /// Makes a request for a new certificate for the same key.
    fn request(&self) -> Result<String, String> {
        let words = |e: &dyn std::fmt::Display| format!("{}: {e}", self.file("agent.key").display());
        let key = fs::read_to_string(self.file("agent.key")).map_err(|e| words(&e))?;
        let key = KeyPair::from_pem(&key).map_err(|e| words(&e))?;
        request(&key)
    }
}

/// The content of an identity's files.
pub(super) struct IdentityFiles {
    pub(super) roots: RootCertStore,
    pub(super) own: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
}

pub(super) fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, String> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| e.to_string())
}

fn request(key: &KeyPair) -> Result<String, String> {
    let request = CertificateParams::default().serialize_request(key).and_then(|r| r.pem());
    request.map_err(|e| format!("no request for a certificate can be made: {e}"))
}

type Stream = tokio_rustls::client::TlsStream<TcpStream>;

async fn open(controller: &str, config: ClientConfig) -> Result<Stream, String> {
    let connecting = async {
        let stream = TcpStream::connect(controller).await.map_err(|e| format!("{controller}: {e}"))?;
        let _ = stream.set_nodelay(true);
        crate::shell::linux::give_up_after(&stream, SILENCE);
        let name = ServerName::try_from(CONTROLLER).map_err(|e| e.to_string())?;
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await.map_err(|e| format!("{controller}: {}", explain(&e)))
    };
    tokio::time::timeout(CONNECT, connecting)
        .await
        .map_err(|_| format!("{controller}: no connection within {} s", CONNECT.as_secs()))?
}

/// Why a connection to the controller failed, and what to do about it.
fn explain(e: &io::Error) -> String {
    use rustls::{AlertDescription, CertificateError, Error};
    match e.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature)) => {
            "it is not the controller with which this agent enrolled; if the controller was set up again, enroll again".to_owned()
        }
        Some(Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        )) => "its certificate is not valid by the clock of this machine: are both clocks right?".to_owned(),
        Some(Error::AlertReceived(AlertDescription::CertificateExpired)) => {
            "this agent's certificate has expired; enroll again: `pointsman enroll HOST` on the controller".to_owned()
        }
        Some(Error::General(why)) => why.clone(),
        _ if matches!(e.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
            "it closed the connection; its own messages say why".to_owned()
        }
        _ => e.to_string(),
    }
}

/// Enrolls the agent of a host with its token (`HOST:SECRET:SUM`), and keeps key and certificates in a folder.
///
/// # Errors
/// Returns an error text if the token is invalid or another host's, the controller is not the one that made it, or the
/// controller refuses it.
pub async fn enroll(controller: &str, token: &str, own: &str, folder: &Path) -> Result<(), String> {
    let parts: Vec<&str> = token.trim().split(':').collect();
    let [host, secret, wanted] = parts[..] else {
        return Err(
            "this is not a token: it reads HOST:SECRET:SUM, as `pointsman enroll HOST` prints it on the controller".to_owned()
        );
    };
    if host != own {
        return Err(format!(
            "the token is for {}, and this agent's configuration is for {own}",
            crate::core::base::text::printable(host)
        ));
    }
    let key = KeyPair::generate().map_err(|e| format!("no key can be made: {e}"))?;
    let authority = Arc::new(Pinned { wanted: wanted.to_owned(), seen: std::sync::Mutex::new(None) });
    let config = builder()?.dangerous().with_custom_certificate_verifier(authority.clone()).with_no_client_auth();
    let mut stream = open(controller, config).await?;
    let message = FromAgent::Enroll { secret: secret.to_owned(), host: host.to_owned(), request: request(&key)? };
    frames::write(&mut stream, &message).await.map_err(|e| format!("{controller}: {e}"))?;
    let answer = frames::read(&mut stream).await.map_err(|e| format!("{controller}: {e}"))?;
    let certificate = match answer {
        ToAgent::Certificate { certificate } => certificate,
        ToAgent::Refused { why } => return Err(crate::core::base::text::printable(&why)),
        ToAgent::Command(_) | ToAgent::Keys { .. } => {
            return Err(format!("{controller} answers with something else than a certificate; is it of another version?"));
        }
    };
    let root = authority.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let root = root.ok_or("the controller showed no authority")?;
    let keep = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        write_private(&path, bytes).map_err(|e| format!("{}: {e}", path.display()))
    };
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    keep("authority.crt", pem::encode(&pem::Pem::new("CERTIFICATE", root.as_ref())).as_bytes())?;
    keep("agent.key", key.serialize_pem().as_bytes())?;
    // The certificate is written last: the agent is enrolled as soon as it exists.
    keep("agent.crt", certificate.as_bytes())
}

/// Stays connected: sends the reports from `reports`, and passes every command to `command`. Ends when `reports` is closed.
pub async fn connect(controller: &str, identity: &Identity, mut reports: mpsc::Receiver<Report>, command: impl Fn(Command)) {
    let mut pause = PAUSE;
    let mut outage = Outage::default();
    loop {
        let opened = match identity.config() {
            Ok(config) => open(controller, config).await,
            Err(why) => Err(why),
        };
        let why = match opened {
            Ok(stream) => {
                if !outage.is_on() {
                    tracing::info!("connected to {controller}");
                }
                identity.connected.store(true, Ordering::Relaxed);
                let mut talking = std::pin::pin!(talk(stream, identity, &mut reports, &command));
                // A connection that lasts is successful. If connections keep closing at once, the pauses between attempts grow.
                let ended = match tokio::time::timeout(LASTED, &mut talking).await {
                    Ok(ended) => ended,
                    Err(_) => {
                        pause = PAUSE;
                        if let Some(after) = outage.end() {
                            tracing::info!("connected to {controller} {after}");
                        }
                        talking.await
                    }
                };
                identity.connected.store(false, Ordering::Relaxed);
                let Err(why) = ended else { return };
                why
            }
            Err(why) => why,
        };
        if outage.failed(&why) {
            tracing::warn!("no connection to the controller: {why}; it is tried again");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        // The waiting reports are outdated.
        while reports.try_recv().is_ok() {}
        if reports.is_closed() {
            return;
        }
    }
}

async fn talk(
    stream: Stream,
    identity: &Identity,
    reports: &mut mpsc::Receiver<Report>,
    command: &impl Fn(Command),
) -> Result<(), String> {
    let (mut from, mut to) = tokio::io::split(stream);
    let receiving = async {
        loop {
            match frames::read(&mut from).await.map_err(|e| explain(&e))? {
                ToAgent::Command(c) => command(c),
                ToAgent::Keys { hosts } => identity.learn(hosts),
                ToAgent::Certificate { certificate } => {
                    let path = identity.file("agent.crt");
                    match write_private(&path, certificate.as_bytes()) {
                        Ok(()) => tracing::info!("the certificate was renewed"),
                        Err(e) => tracing::error!("{}: {e}: the renewed certificate can't be kept", path.display()),
                    }
                }
                ToAgent::Refused { why } => return Err(crate::core::base::text::printable(&why)),
            }
        }
    };
    let says = async {
        let mut look = tokio::time::interval(LOOK_AT_CERTIFICATE);
        loop {
            let message = tokio::select! {
                report = reports.recv() => match report {
                    Some(report) => FromAgent::Report(report),
                    None => return Ok(()),
                },
                _ = look.tick() => match renewal(identity) {
                    Some(request) => FromAgent::Renew { request },
                    None => continue,
                },
            };
            frames::write(&mut to, &message).await.map_err(|e| explain(&e))?;
        }
    };
    tokio::select! {
        ended = receiving => ended,
        ended = says => ended,
    }
}

/// A request for a new certificate, if one is due.
fn renewal(identity: &Identity) -> Option<String> {
    let days = match identity.days_left() {
        Ok(days) => days,
        Err(why) => {
            tracing::error!("{why}");
            return None;
        }
    };
    if days > RENEW_DAYS {
        return None;
    }
    if days < RENEW_DAYS / 2 {
        tracing::error!(
            "the certificate ends in {days} days and was not renewed: is the controller of the same version, and its disk in order?"
        );
    }
    identity.request().map_err(|why| tracing::error!("{why}")).ok()
}

/// Trusts the controller whose authority has the checksum in the token.
#[derive(Debug)]
struct Pinned {
    wanted: String,
    seen: std::sync::Mutex<Option<CertificateDer<'static>>>,
}

impl Pinned {
    fn signed_by(root: &CertificateDer<'_>) -> Result<Arc<WebPkiServerVerifier>, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(root.clone().into_owned())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|e| rustls::Error::General(e.to_string()))
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let root = intermediates.iter().find(|c| sum(c) == self.wanted);
        let Some(root) = root else {
            return Err(rustls::Error::General("it is not the controller that made the token".to_owned()));
        };
        let verified = Pinned::signed_by(root)?.verify_server_cert(end_entity, &[], server_name, ocsp_response, now)?;
        *self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(root.clone().into_owned());
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::shell::tls::Authority;

    pub(in crate::shell::tls) fn request_of_a_new_key() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        (key.serialize_pem(), request(&key).unwrap())
    }

    /// A certificate of the controller that is not valid now says nothing about the agent's own certificate.
    #[test]
    fn a_wrong_clock_is_not_an_ended_certificate() {
        let why = |e| explain(&io::Error::new(io::ErrorKind::InvalidData, e));
        let time = UnixTime::since_unix_epoch(Duration::from_secs(1));
        let late = rustls::CertificateError::ExpiredContext { time, not_after: time };
        let early = rustls::CertificateError::NotValidYetContext { time, not_before: time };
        for wrong in [late, early] {
            let why = why(rustls::Error::InvalidCertificate(wrong));
            assert!(why.contains("clock") && !why.contains("enroll"), "{why}");
        }
        assert!(why(rustls::Error::AlertReceived(rustls::AlertDescription::CertificateExpired)).contains("enroll again"));
        assert_eq!(why(rustls::Error::General("it is another".to_owned())), "it is another");
    }

    /// Agents that admit all connections, or none.
    #[derive(Clone)]
    struct Gate {
        open: bool,
    }

    impl crate::shell::tls::Agents for Gate {
        fn expects(&self, _: &str) -> bool {
            true
        }
        fn reached(&self, _: &str, _: u64, commands: mpsc::Sender<Command>) {
            assert!(self.open, "nobody may come in");
            // The connection lasts as long as the sender of commands exists.
            tokio::spawn(async move { commands.closed().await });
        }
        fn gone(&self, _: &str, _: u64) {}
        fn hosts(&self) -> Vec<String> {
            vec!["sip1".to_owned()]
        }
        fn cloned(&self, _: &str, _: std::net::IpAddr, _: std::net::IpAddr) {}
        fn reports(&self, _: Report) {}
    }

    fn identity(folder: &Path, key: &str, certificate: &str) -> Identity {
        fs::write(folder.join("agent.key"), key).unwrap();
        fs::write(folder.join("agent.crt"), certificate).unwrap();
        Identity::open(folder, "sip1").unwrap()
    }

    /// Runs `done` while a controller with this gate listens.
    fn with_controller<T, F: Future<Output = T>>(authority: Arc<Authority>, gate: Gate, done: impl FnOnce(String) -> F) -> T {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let listener =
                crate::shell::tls::listen("127.0.0.1:0".parse().unwrap(), authority, tokio::runtime::Handle::current()).unwrap();
            let address = listener.address().to_string();
            tokio::spawn(listener.run(gate));
            done(address).await
        })
    }

    /// Keeps an agent with this certificate connected until it has another one.
    pub(in crate::shell::tls) fn until_renewed(
        authority: Authority,
        folder: &Path,
        key: &str,
        certificate: &str,
    ) -> Arc<Authority> {
        let (identity, authority) = (identity(folder, key, certificate), Arc::new(authority));
        with_controller(authority.clone(), Gate { open: true }, async |address| {
            let (_keep, waiting) = mpsc::channel(1);
            let agent = identity.clone();
            tokio::spawn(async move { connect(&address, &agent, waiting, |_| {}).await });
            for _ in 0..2_000 {
                if identity.days_left().unwrap() > RENEW_DAYS && Identity::open(folder, "sip1").is_ok() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            panic!("it is not renewed");
        });
        authority
    }

    /// The error that an agent with this certificate receives.
    pub(in crate::shell::tls) fn why_not(authority: Authority, folder: &Path, key: &str, certificate: &str) -> String {
        let identity = identity(folder, key, certificate);
        with_controller(Arc::new(authority), Gate { open: false }, async |address| {
            match open(&address, identity.config().unwrap()).await {
                Err(why) => why,
                // In TLS 1.3, a client learns from the first answer whether the server accepts its certificate.
                Ok(stream) => {
                    let (_keep, mut reports) = mpsc::channel(1);
                    talk(stream, &identity, &mut reports, &|_| {}).await.unwrap_err()
                }
            }
        })
    }
}
