//! The answer to one request.

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode};

use crate::core::base::text::printable;
use crate::shell::channels::{is_same_secret, read_secret};

use super::Shared;

/// The content type of version 0.0.4 of the Prometheus text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

pub(super) async fn answer(request: &Request<Incoming>, shared: &Shared) -> Response<Full<Bytes>> {
    let (status, text) = match refused(request, shared) {
        Some(refused) => refused,
        None => found(request.uri().path(), shared).await,
    };
    shared.count(status.as_u16());
    let kind = if request.uri().path() == "/metrics" && status == StatusCode::OK { METRICS } else { TEXT };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    match status {
        StatusCode::METHOD_NOT_ALLOWED => drop(headers.insert(ALLOW, HeaderValue::from_static("GET"))),
        StatusCode::UNAUTHORIZED => drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
        _ => {}
    }
    response
}

/// Why a request gets nothing, whatever it asks for.
fn refused(request: &Request<Incoming>, shared: &Shared) -> Option<(StatusCode, String)> {
    if request.method() != Method::GET {
        return Some((StatusCode::METHOD_NOT_ALLOWED, "only GET is answered\n".to_owned()));
    }
    let token = shared.token.as_ref()?;
    let shown = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let token = read_secret(token);
    if let Some(why) = shared.token_trouble.news(token.as_ref().err()) {
        tracing::warn!("monitoring systems are refused: {}", printable(&why));
    }
    match token {
        Ok(token) if is_same_secret(&token, shown) => None,
        Ok(_) => Some((StatusCode::UNAUTHORIZED, "the bearer token is missing or wrong\n".to_owned())),
        Err(_) => Some((StatusCode::SERVICE_UNAVAILABLE, "the token to compare with can't be read\n".to_owned())),
    }
}

async fn found(path: &str, shared: &Shared) -> (StatusCode, String) {
    if !matches!(path, "/metrics" | "/healthz" | "/readyz") {
        return (StatusCode::NOT_FOUND, "there are /metrics, /healthz and /readyz\n".to_owned());
    }
    let observation = match shared.observer.observed().await {
        Ok(observation) => observation,
        Err(why) => return (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", printable(&why))),
    };
    match path {
        "/metrics" => {
            let mut samples = observation.samples.clone();
            shared.add_to(&mut samples);
            (StatusCode::OK, samples.text())
        }
        "/healthz" => (StatusCode::OK, "alive\n".to_owned()),
        _ => {
            let ready = observation.unready.is_empty();
            let mut text = if ready { "ready\n".to_owned() } else { "not ready\n".to_owned() };
            for why in &observation.unready {
                text.push_str(&format!("{}\n", printable(why)));
            }
            for name in &observation.silent {
                text.push_str(&format!("no reports from {}\n", printable(name)));
            }
            (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, text)
        }
    }
}
