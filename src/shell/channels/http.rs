//! One bounded HTTP request. It follows no redirect, reads the answer up to a limit, and has one time-out for everything.

use std::collections::BTreeMap;

use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Proxy};

use crate::core::base::limits::{NOTIFICATION_ANSWER, NOTIFICATION_TIMEOUT};
use crate::core::base::text::printable_short;
use crate::core::inventory::{HttpTarget, MaybeSecret};
use crate::core::notifications::{Escape, Notification, Undelivered, fill};

use super::attempt::{later, refused};
use super::roots;
use super::secret::Secrets;

/// The number of characters of an unsuccessful answer that are reported.
const SAID: usize = 200;
/// The maximum size of the head of an answer, in bytes.
const HEAD: usize = 16 * 1024;

/// A request without its base address.
pub(super) struct HttpRequest {
    pub(super) body: String,
    pub(super) content_type: &'static str,
    /// The part that follows the base address.
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
}

/// A client for the requests of one notification. They share its connection and its certificates, which are read again for the
/// next notification, because they may change.
pub(super) struct HttpClient<'a> {
    agent: Agent,
    url: String,
    headers: Vec<(String, String)>,
    notification: &'a Notification,
}

impl<'a> HttpClient<'a> {
    /// Makes a client for a target.
    pub(super) fn new(
        target: &HttpTarget,
        notification: &'a Notification,
        secrets: &mut Secrets,
    ) -> Result<HttpClient<'a>, Undelivered> {
        let url = secrets.value(&target.url)?;
        let headers = headers(&target.headers, notification, secrets)?;
        let agent = agent(target, url.starts_with("https://")).map_err(|e| Undelivered { why: secrets.hidden(&e.why), ..e })?;
        Ok(HttpClient { agent, url, headers, notification })
    }

    /// Sends a request and reports what is wrong with the answer.
    pub(super) fn post(&self, request: &HttpRequest, secrets: &Secrets) -> Result<(), Undelivered> {
        let base = self.url.trim_end_matches('/');
        let slash = if request.path.is_empty() && self.url.ends_with('/') { "/" } else { "" };
        let url = format!("{base}{slash}{}", request.path);
        let mut builder = self.agent.post(&url).header("Content-Type", request.content_type);
        for (name, value) in self.headers.iter().chain(&request.headers) {
            builder = builder.header(name, value);
        }
        if !self.notification.key.is_empty() {
            builder = builder.header("Idempotency-Key", &self.notification.key);
        }
        // The error text of the library may contain the address.
        let mut answer = builder.send(request.body.as_bytes()).map_err(|e| later(secrets.hidden(&e.to_string())))?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(NOTIFICATION_ANSWER as u64).lossy_utf8(true).read_to_string();
        if (200..300).contains(&status) {
            // The body of a successful answer does not matter, nor whether it could be read completely.
            return Ok(());
        }
        let said = secrets.hidden(&printable_short(body.unwrap_or_default().trim(), SAID));
        let why = match status {
            300..=399 => {
                format!("the answer is {status}, a redirect, which is not followed: correct the address")
            }
            _ => format!("the answer is {status}: {said}"),
        };
        // These errors concern the request itself, which will be the same next time.
        if matches!(status, 400 | 410 | 413 | 415 | 422) { Err(refused(why)) } else { Err(later(why)) }
    }
}

fn headers(
    of: &BTreeMap<String, MaybeSecret>,
    notification: &Notification,
    secrets: &mut Secrets,
) -> Result<Vec<(String, String)>, Undelivered> {
    let mut headers = Vec::new();
    for (name, value) in of {
        let value = match value {
            MaybeSecret::Plain(template) => {
                crate::core::notifications::presets::ascii(&fill(template, Escape::Line, |field| notification.get(field)))
            }
            MaybeSecret::Secret(secret) => secrets.read(secret)?,
        };
        headers.push((name.clone(), value));
    }
    Ok(headers)
}

fn agent(target: &HttpTarget, tls: bool) -> Result<Agent, Undelivered> {
    let proxy = match &target.proxy {
        Some(proxy) => Some(Proxy::new(proxy).map_err(|e| later(format!("the proxy {proxy} is not valid: {e}")))?),
        None => None,
    };
    let mut config = Agent::config_builder()
        .timeout_global(Some(NOTIFICATION_TIMEOUT))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .max_response_header_size(HEAD)
        .user_agent(concat!("pointsman/", env!("CARGO_PKG_VERSION")))
        .proxy(proxy);
    if tls {
        let certificates: Vec<Certificate<'static>> =
            roots::certificates(target.ca.as_ref())?.iter().map(|c| Certificate::from_der(c).to_owned()).collect();
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::new_with_certs(&certificates))
            .unversioned_rustls_crypto_provider(roots::provider());
        config = config.tls_config(tls.build());
    }
    Ok(config.build().new_agent())
}
