//! What monitoring systems ask over HTTP: `/metrics`, `/healthz`, `/readyz`.
//!
//! ```text
//!   connection --limit--> TLS? --> one request --> token? --> path --> Observer: at most once a second --> deciding thread
//! ```
//!
//! A connection has one request and must end within [`WITHIN`]. All connections run on the threads of low priority, and the
//! deciding thread is asked at most once a second, however many ask. Therefore nobody here delays a move. This module does not
//! know what is observed. Tests: below, `tests/system/monitoring.rs`.

mod answer;
mod observer;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;

use crate::core::base::limits::MONITORING_CONNECTIONS;
use crate::core::base::time::Time;
use crate::core::config::MetricsListener;
use crate::core::inventory::Secret;
use crate::core::metrics::{MetricId, Samples};
use crate::shell::channels::read_secret;
use crate::shell::handshakes::{ConnectionLimiter, ConnectionSlot, HandshakeLimiter, Limits, cannot_listen};
use crate::shell::linux::{ProcessUse, wall_time};
use crate::shell::tls::WebCertificate;

pub use observer::Observation;
use observer::Observer;

/// The time within which a connection must have its answer.
const WITHIN: Duration = Duration::from_secs(10);
/// The time within which the head of a request must have arrived.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// The maximum number of bytes of the head of a request, and of its header lines.
const HEAD_BYTES: usize = 16 * 1024;
const HEADERS: usize = 64;

/// A listener for monitoring systems.
pub struct Monitoring {
    limiter: HandshakeLimiter,
    low_priority: Handle,
    shared: Arc<Shared>,
}

/// What all connections share.
struct Shared {
    observer: Observer,
    token: Option<Secret>,
    token_trouble: LastTrouble,
    certificate: Option<WebCertificate>,
    started: Time,
    /// The number of answers by status.
    answers: Mutex<BTreeMap<u16, u64>>,
}

/// Why something failed when it was tried last, so that a lasting failure is reported once and not for each request.
#[derive(Default)]
struct LastTrouble(Mutex<Option<String>>);

impl LastTrouble {
    /// Takes how the latest attempt ended. Returns its failure if it is another one than that of the attempt before.
    fn news(&self, trouble: Option<&String>) -> Option<String> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref() == trouble {
            return None;
        }
        *last = trouble.cloned();
        trouble.cloned()
    }
}

impl Monitoring {
    /// Listens on the configured address. `observe` asks the deciding thread, within a bound. Must be called within a runtime.
    ///
    /// # Errors
    /// Returns an error text if the port is taken, or the token or certificate cannot be read.
    pub fn open(
        config: &MetricsListener,
        low_priority: Handle,
        observe: impl Fn() -> Result<Observation, String> + Send + Sync + 'static,
    ) -> Result<Monitoring, String> {
        let words = |why: String| format!("monitoring systems can't ask: {why}");
        if let Some(token) = &config.token {
            read_secret(token).map_err(words)?;
        }
        let certificate = config.tls.as_ref().map(|files| WebCertificate::open(&files.certificate, &files.key));
        let certificate = certificate.transpose().map_err(words)?;
        let limiter = ConnectionLimiter::new(Limits::of(MONITORING_CONNECTIONS));
        let limiter =
            HandshakeLimiter::open(config.address, limiter).map_err(|e| words(cannot_listen("tcp", config.address, &e)))?;
        let shared = Shared {
            observer: Observer::new(observe),
            token: config.token.clone(),
            token_trouble: LastTrouble::default(),
            certificate,
            started: wall_time(),
            answers: Mutex::default(),
        };
        Ok(Monitoring { limiter, low_priority, shared: Arc::new(shared) })
    }

    /// The local address. The system chooses the port if port 0 was configured.
    pub fn address(&self) -> SocketAddr {
        self.limiter.address()
    }

    /// Answers until this future is dropped.
    pub async fn run(self) {
        loop {
            let (stream, peer) = self.limiter.accept().await;
            let shared = self.shared.clone();
            self.limiter.enter(stream, (peer.ip(), false), &self.low_priority, move |stream, slot| async move {
                // A connection that does not end in time is closed, as is one that breaks.
                let _ = tokio::time::timeout(WITHIN, connection(stream, &shared, &slot)).await;
            });
        }
    }
}

async fn connection(stream: TcpStream, shared: &Arc<Shared>, slot: &ConnectionSlot) {
    let _ = stream.set_nodelay(true);
    match &shared.certificate {
        Some(certificate) => {
            if let Ok(stream) = certificate.accept(stream).await {
                serve(stream, shared, slot).await;
            }
        }
        None => serve(stream, shared, slot).await,
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send, shared: &Arc<Shared>, slot: &ConnectionSlot) {
    let service = service_fn(|request| async move {
        // If there are too many connections, those without a request are closed first.
        slot.message_came();
        Ok::<_, Infallible>(answer::answer(&request, shared).await)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).keep_alive(false);
    http.max_buf_size(HEAD_BYTES).max_headers(HEADERS);
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

impl Shared {
    fn count(&self, code: u16) {
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner).entry(code).or_default() += 1;
    }

    /// Adds what this process uses, and what this listener did.
    #[allow(clippy::cast_precision_loss, reason = "the numbers of Prometheus are floating-point numbers")]
    fn add_to(&self, samples: &mut Samples) {
        for (code, count) in self.answers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            samples.count(MetricId::HttpRequests, &[&code.to_string()], *count);
        }
        samples.count(MetricId::BuildInfo, &[env!("CARGO_PKG_VERSION")], 1);
        let used = ProcessUse::now();
        if let Some(micros) = used.processor_micros {
            samples.add(MetricId::ProcessCpu, &[], micros as f64 / 1e6);
        }
        let numbers = [
            (MetricId::ProcessMemory, used.resident_bytes),
            (MetricId::ProcessFiles, used.open_files),
            (MetricId::ProcessFilesMost, used.open_files_most),
        ];
        for (metric, number) in numbers {
            number.into_iter().for_each(|number| samples.count(metric, &[], number));
        }
        samples.add(MetricId::ProcessStart, &[], self.started.micros() as f64 / 1e6);
    }
}

#[cfg(test)]
mod tests {
    use super::LastTrouble;

    #[test]
    fn a_lasting_failure_is_news_once() {
        let (last, gone, denied) = (LastTrouble::default(), "gone".to_owned(), "denied".to_owned());
        let news = [None, Some(&gone), Some(&gone), Some(&denied), None, Some(&gone)].map(|trouble| last.news(trouble));
        assert_eq!(news, [None, Some(gone.clone()), None, Some(denied.clone()), None, Some(gone.clone())]);
    }
}
