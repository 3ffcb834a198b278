//! The controller's own authority: it signs its agents' certificates and its own, and knows which are valid.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde::{Deserialize, Serialize};

use crate::core::base::time::Time;
use crate::shell::linux::wall_time;

use super::shown::{Shown, revoked};
use super::{CONTROLLER, VALID_DAYS, WITH_KEYS, hex, random, sum};

/// How long a token is valid.
const TOKEN_LASTS: Duration = Duration::from_secs(3_600);
/// The number of valid certificates of a host: the newest, and the one before it while it is being replaced.
const VALID_AT_ONCE: usize = 2;
/// The end of the authority's own certificate. It lasts as long as an installation may, because replacing it means enrolling
/// every agent again.
const AUTHORITY_ENDS: (i32, u8, u8) = (2099, 12, 31);

/// The authority of an installation, with its key.
pub struct Authority {
    folder: PathBuf,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({})", self.folder.display())
    }
}

/// The keys with which the agents of hosts authenticate themselves.
pub(super) type AuthorityKeys = BTreeMap<String, BTreeSet<String>>;

/// The certificates and keys that agents may present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Identities {
    /// Hosts with the serial numbers of their certificates.
    pub(super) serials: BTreeSet<(String, String)>,
    pub(super) keys: AuthorityKeys,
}

/// A certificate that a host may present.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Issued {
    serial: String,
    /// The end of its validity, in seconds since 1970. `None` if an earlier version did not record it.
    until: Option<u64>,
    /// The checksum of its key. `None` if an earlier version did not record it.
    key: Option<String>,
}

/// A token that was not used yet. Only the checksum of its secret is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    sum: String,
    until: u64,
}

impl Authority {
    /// Opens the authority whose keys are in a folder, or creates it.
    ///
    /// # Errors
    /// Returns an error text if the folder cannot be written, or its keys cannot be read.
    pub fn open(folder: &Path) -> Result<Authority, String> {
        let words = |what: &Path, e: &dyn std::fmt::Display| format!("{}: {e}", what.display());
        let mut builder = fs::DirBuilder::new();
        for name in ["tokens", "agents"] {
            builder.recursive(true).mode(0o700).create(folder.join(name)).map_err(|e| words(folder, &e))?;
        }
        let (key_file, file) = (folder.join("authority.key"), folder.join("authority.crt"));
        if !key_file.exists() {
            let key = KeyPair::generate().map_err(|e| words(&key_file, &e))?;
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
            params.distinguished_name.push(DnType::CommonName, format!("Pointsman authority {}", hex(&random::<4>()?)));
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(AUTHORITY_ENDS.0, AUTHORITY_ENDS.1, AUTHORITY_ENDS.2);
            let certificate = params.self_signed(&key).map_err(|e| words(&file, &e))?;
            // The key is written last: the authority exists as soon as the key does.
            write_private(&file, certificate.pem().as_bytes()).map_err(|e| words(&file, &e))?;
            write_private(&key_file, key.serialize_pem().as_bytes()).map_err(|e| words(&key_file, &e))?;
        }
        let mode = fs::metadata(&key_file).map_err(|e| words(&key_file, &e))?.mode();
        if mode & 0o077 != 0 {
            return Err(format!(
                "{}: others may read it (mode {:o}), and whoever has it can be any agent; `chmod 600` it, and enroll the agents again if somebody did",
                key_file.display(),
                mode & 0o777
            ));
        }
        let key = fs::read_to_string(&key_file).map_err(|e| words(&key_file, &e))?;
        let key = KeyPair::from_pem(&key).map_err(|e| words(&key_file, &e))?;
        let certificate = CertificateDer::from_pem_file(&file).map_err(|e| words(&file, &e))?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(|e| words(&file, &e))?;
        Ok(Authority { folder: folder.to_owned(), certificate, issuer })
    }

    /// Makes a token with which one agent can enroll once within an hour: `HOST:SECRET:SUM`. An earlier token of the host becomes
    /// invalid.
    ///
    /// # Errors
    /// Returns an error text if the folder cannot be written.
    pub fn token(&self, host: &str) -> Result<String, String> {
        let path = self.token_file(host)?;
        let secret = hex(&random::<16>()?);
        let until = seconds_now() + TOKEN_LASTS.as_secs();
        let token = serde_json::to_vec(&Token { sum: sum(secret.as_bytes()), until }).map_err(|e| e.to_string())?;
        write_private(&path, &token).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(format!("{host}:{secret}:{}", sum(&self.certificate)))
    }

    /// Issues a certificate for the key of a request, if the caller has the token of a host. The token is invalid afterwards.
    pub(super) fn redeem(&self, host: &str, secret: &str, request: &str) -> Result<String, String> {
        let _lock = self.lock()?;
        let path = self.token_file(host)?;
        let refused = || {
            format!(
                "the token for {host} is wrong, was used already, or is older than an hour; make a new one: pointsman enroll {host}"
            )
        };
        let token: Token = fs::read(&path).ok().and_then(|t| serde_json::from_slice(&t).ok()).ok_or_else(refused)?;
        if token.sum != sum(secret.as_bytes()) || seconds_now() > token.until {
            return Err(refused());
        }
        // A token is used once: a second caller finds no file.
        fs::remove_file(&path).map_err(|_| refused())?;
        // The previous certificates belong to another key on another machine, or to an earlier installation. They become invalid.
        self.issue_until(host, request, seconds_now() + 86_400 * VALID_DAYS.unsigned_abs(), Vec::new())
    }

    /// Issues a new certificate for the agent that presents this one. Refused if it was revoked, even a moment ago.
    pub(super) fn renew(&self, shown: &Shown, request: &str) -> Result<String, String> {
        let _lock = self.lock()?;
        let good = self.good(&shown.host);
        if !good.iter().any(|g| g.serial == shown.serial) {
            return Err(revoked(&shown.host));
        }
        self.issue_until(&shown.host, request, seconds_now() + 86_400 * VALID_DAYS.unsigned_abs(), good)
    }

    /// Waits for others that change the valid certificates, also in other processes.
    fn lock(&self) -> Result<fs::File, String> {
        let path = self.folder.join("agents");
        let words = |e: std::io::Error| format!("{}: {e}", path.display());
        let folder = fs::File::open(&path).map_err(words)?;
        folder.lock().map_err(words)?;
        Ok(folder)
    }

    /// Issues a certificate for a host that is valid until a time (seconds since 1970). The certificates in `good` stay valid.
    fn issue_until(&self, host: &str, request: &str, until: u64, mut good: Vec<Issued>) -> Result<String, String> {
        if host == CONTROLLER {
            return Err(format!("`{CONTROLLER}` is the controller's own name, and no agent's"));
        }
        let words = |e: rcgen::Error| format!("the request of {host} can't be signed: {e}");
        let mut request = CertificateSigningRequestParams::from_pem(request).map_err(words)?;
        // Only the key of the request is used.
        request.params = leaf(host, ExtendedKeyUsagePurpose::ClientAuth)?;
        request.params.not_after = (SystemTime::UNIX_EPOCH + Duration::from_secs(until)).into();
        let certificate = request.signed_by(&self.issuer).map_err(words)?;
        let Shown { serial, key, .. } = Shown::read(certificate.der())?;
        good.push(Issued { serial, until: Some(until), key: Some(key) });
        let from = good.len().saturating_sub(VALID_AT_ONCE);
        self.write_good(host, &good[from..])?;
        Ok(certificate.pem())
    }

    fn write_good(&self, host: &str, good: &[Issued]) -> Result<(), String> {
        let line = |Issued { serial, until, key }: &Issued| match (until, key) {
            (Some(until), Some(key)) => format!("{serial} {until} {key}"),
            (Some(until), None) => format!("{serial} {until}"),
            (None, _) => serial.clone(),
        };
        let lines: Vec<String> = good.iter().map(line).collect();
        let path = self.folder.join("agents").join(file_name(host)?);
        write_private(&path, lines.join("\n").as_bytes()).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// True if the host may present this certificate. Its key is recorded if an earlier version did not do that.
    pub(super) fn is_good(&self, shown: &Shown) -> bool {
        let Some(found) = self.good(&shown.host).into_iter().find(|g| g.serial == shown.serial) else { return false };
        if found.key.is_none()
            && let Err(why) = self.note_key(shown)
        {
            tracing::warn!("{why}");
        }
        true
    }

    fn note_key(&self, shown: &Shown) -> Result<(), String> {
        let _lock = self.lock()?;
        let mut good = self.good(&shown.host);
        for issued in good.iter_mut().filter(|g| g.serial == shown.serial) {
            issued.key = Some(shown.key.clone());
            issued.until.get_or_insert(shown.until);
        }
        self.write_good(&shown.host, &good)
    }

    /// The time of the last change of the folder by the wall clock, which changes with the set of valid certificates.
    pub(super) fn changed_at(&self) -> Option<Time> {
        let modified = fs::metadata(self.folder.join("agents")).and_then(|m| m.modified()).ok()?;
        let since = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(Time::from_micros(i64::try_from(since.as_micros()).ok()?))
    }

    /// The serial numbers and the keys that hosts may present.
    pub(super) fn identities(&self, hosts: &[String]) -> Identities {
        let mut all = Identities::default();
        for host in hosts {
            for Issued { serial, key, .. } in self.good(host) {
                all.serials.insert((host.clone(), serial));
                if let Some(key) = key {
                    all.keys.entry(host.clone()).or_default().insert(key);
                }
            }
        }
        all
    }

    /// The whole days until the newest certificate of a host ends; negative after its end. `None` if the host has no certificate,
    /// or if its end was not recorded.
    pub fn days_left(&self, host: &str) -> Option<i64> {
        let until = self.ends(host)?;
        Some((until.cast_signed() - seconds_now().cast_signed()).div_euclid(86_400))
    }

    /// When the newest certificate of a host ends, in seconds since 1970. `None` if the host has no certificate, or if its end was
    /// not recorded.
    pub fn ends(&self, host: &str) -> Option<u64> {
        self.good(host).pop()?.until
    }

    /// Makes all certificates and tokens of the host invalid. A running controller closes its connection.
    ///
    /// # Errors
    /// Returns an error text if the host has no certificate, or the folder cannot be written.
    pub fn revoke(&self, host: &str) -> Result<(), String> {
        let _lock = self.lock()?;
        // Usually there is none.
        let _ = fs::remove_file(self.token_file(host)?);
        let path = self.folder.join("agents").join(file_name(host)?);
        fs::remove_file(&path).map_err(|e| format!("{host} has no certificate that could be revoked ({}: {e})", path.display()))
    }

    /// The valid certificates of a host, the newest last.
    fn good(&self, host: &str) -> Vec<Issued> {
        let path = file_name(host).map(|name| self.folder.join("agents").join(name));
        let text = path.ok().and_then(|p| fs::read_to_string(p).ok()).unwrap_or_default();
        let read = |line: &str| {
            let mut words = line.split(' ');
            let serial = words.next().unwrap_or_default().to_owned();
            Issued { serial, until: words.next().and_then(|w| w.parse().ok()), key: words.next().map(str::to_owned) }
        };
        text.lines().map(read).collect()
    }

    fn token_file(&self, host: &str) -> Result<PathBuf, String> {
        Ok(self.folder.join("tokens").join(file_name(host)?))
    }

    /// The controller's TLS configuration: its own certificate, which is made at every start, and its authority's
    /// certificate.
    pub(super) fn server_config(&self) -> Result<Arc<ServerConfig>, String> {
        let words = |e: &dyn std::fmt::Display| format!("the controller's certificate can't be made: {e}");
        let key = KeyPair::generate().map_err(|e| words(&e))?;
        let params = leaf(CONTROLLER, ExtendedKeyUsagePurpose::ServerAuth)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(|e| words(&e))?;
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).map_err(|e| words(&e))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        // An agent without a certificate may enroll, and nothing else.
        let clients = clients.allow_unauthenticated().build().map_err(|e| words(&e))?;
        let chain = vec![certificate.der().clone(), self.certificate.clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|e| words(&e))?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|e| words(&e))?
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, key)
            .map_err(|e| words(&e))?;
        let mut config = config;
        config.alpn_protocols = vec![WITH_KEYS.to_vec()];
        Ok(Arc::new(config))
    }
}

fn leaf(name: &str, usage: ExtendedKeyUsagePurpose) -> Result<CertificateParams, String> {
    let mut params = CertificateParams::default();
    let dns = name.try_into().map_err(|e: rcgen::Error| format!("{name} can't stand in a certificate: {e}"))?;
    params.subject_alt_names = vec![SanType::DnsName(dns)];
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    // With the top bit set, the serial number would be negative.
    let mut serial = random::<16>()?;
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds_now());
    // The clocks of hosts differ.
    params.not_before = (now - Duration::from_secs(86_400)).into();
    params.not_after = (now + Duration::from_secs(86_400 * VALID_DAYS.unsigned_abs())).into();
    Ok(params)
}

/// A host's name as a file name. Names that lead to another folder are refused.
fn file_name(host: &str) -> Result<&str, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if host.is_empty() || host.starts_with('.') || host.len() > 200 || !host.chars().all(plain) {
        return Err(format!(
            "`{}` can't be the name of a host with an agent: letters, digits, dots, hyphens",
            crate::core::base::text::printable(host)
        ));
    }
    Ok(host)
}

fn seconds_now() -> u64 {
    u64::try_from(wall_time().micros() / 1_000_000).unwrap_or(0)
}

/// Writes a file that only its owner may read, completely or not at all.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    // If root writes it for a program that is not root, the file gets the owner of the folder.
    if let (Ok(folder), Ok(own)) = (fs::metadata(path.parent().unwrap_or(path)), file.metadata())
        && (folder.uid(), folder.gid()) != (own.uid(), own.gid())
    {
        // A process that is not root cannot do this, and is the program's user already.
        let _ = std::os::unix::fs::fchown(&file, Some(folder.uid()), Some(folder.gid()));
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::tls::client::tests::request_of_a_new_key;

    /// A certificate that has ended is refused, and the agent learns what to do.
    #[test]
    fn an_ended_certificate_is_refused() {
        let folder = std::env::temp_dir().join(format!("pointsman-ended-{}", std::process::id()));
        let authority = Authority::open(&folder).unwrap();
        let (key, request) = request_of_a_new_key();
        let ended = authority.issue_until("sip1", &request, seconds_now() - 3_600, Vec::new()).unwrap();
        let why = crate::shell::tls::client::tests::why_not(authority, &folder, &key, &ended);
        assert!(why.contains("has expired") && why.contains("enroll"), "{why}");
        fs::remove_dir_all(&folder).unwrap();
    }

    /// A revoked certificate is not renewed, even on an open connection, and the attempt makes nothing valid again.
    #[test]
    fn a_revoked_certificate_is_not_renewed() {
        let folder = std::env::temp_dir().join(format!("pointsman-revoked-{}", std::process::id()));
        let authority = Authority::open(&folder).unwrap();
        let (_, request) = request_of_a_new_key();
        let certificate = authority.issue_until("sip1", &request, seconds_now() + 86_460, Vec::new()).unwrap();
        let shown = Shown::read(pem::parse(certificate).unwrap().contents()).unwrap();
        assert!(authority.is_good(&shown));
        authority.revoke("sip1").unwrap();
        let why = authority.renew(&shown, &request).unwrap_err();
        assert!(why.contains("was revoked"), "{why}");
        assert!(!authority.is_good(&shown) && authority.good("sip1").is_empty());
        let controllers = authority.issue_until(CONTROLLER, &request, seconds_now() + 86_400, Vec::new());
        assert!(controllers.unwrap_err().contains("the controller's own name"));
        fs::remove_dir_all(&folder).unwrap();
    }

    /// A certificate of an earlier version has no key in the list until its agent presents it.
    #[test]
    fn the_key_of_an_earlier_certificate_is_noted() {
        let folder = std::env::temp_dir().join(format!("pointsman-noted-{}", std::process::id()));
        let authority = Authority::open(&folder).unwrap();
        let (_, request) = request_of_a_new_key();
        let certificate = authority.issue_until("sip1", &request, seconds_now() + 86_460, Vec::new()).unwrap();
        let shown = Shown::read(pem::parse(certificate).unwrap().contents()).unwrap();
        for earlier in [shown.serial.clone(), format!("{} {}", shown.serial, shown.until)] {
            fs::write(folder.join("agents/sip1"), earlier).unwrap();
            let hosts = ["sip1".to_owned()];
            assert!(authority.identities(&hosts).keys.is_empty());
            assert!(authority.is_good(&shown));
            assert!(authority.identities(&hosts).keys["sip1"].contains(&shown.key));
            assert_eq!(authority.days_left("sip1"), Some(1));
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    /// A certificate that ends soon is replaced while its agent is connected, by one for the same key.
    #[test]
    fn a_certificate_is_renewed() {
        let folder = std::env::temp_dir().join(format!("pointsman-renewed-{}", std::process::id()));
        let authority = Authority::open(&folder).unwrap();
        let (key, request) = request_of_a_new_key();
        let ends = authority.issue_until("sip1", &request, seconds_now() + 86_400 * 20 + 60, Vec::new()).unwrap();
        assert_eq!(authority.days_left("sip1"), Some(20));
        let authority = crate::shell::tls::client::tests::until_renewed(authority, &folder, &key, &ends);
        assert!(authority.days_left("sip1") >= Some(89));
        assert_eq!(authority.good("sip1").len(), 2, "the old one is good until the agent has the new one");
        assert_eq!(authority.days_left("sip2"), None);
        fs::remove_dir_all(&folder).unwrap();
    }
}
