//! A webhook: the requests of a preset or of a template, signed if the configuration says so.

use ring::hmac;

use crate::core::inventory::Webhook;
use crate::core::notifications::presets::requests;
use crate::core::notifications::{Notification, Undelivered};

use super::http::{HttpClient, HttpRequest};
use super::secret::Secrets;

pub(super) fn send(webhook: &Webhook, notification: &Notification) -> Result<(), Undelivered> {
    let mut secrets = Secrets::default();
    let key = webhook.key.as_ref().map(|key| secrets.read(key)).transpose()?;
    let sign = webhook.sign.as_ref().map(|key| secrets.read(key)).transpose()?;
    let client = HttpClient::new(&webhook.target, notification, &mut secrets)?;
    // A service that gets a request for each alarm gets the others, too, when one is refused.
    let mut failed: Option<Undelivered> = None;
    for request in requests(webhook, notification, key.as_deref()) {
        let mut headers: Vec<(String, String)> =
            request.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        if let Some(sign) = &sign {
            headers.push(("X-Pointsman-Signature".to_owned(), signature(sign, &request.body)));
        }
        let request = HttpRequest { body: request.body, content_type: request.content_type, path: request.path, headers };
        match client.post(&request, &secrets) {
            Err(e) if e.refused => _ = failed.get_or_insert(e),
            ended => ended?,
        }
    }
    failed.map_or(Ok(()), Err)
}

/// The HMAC-SHA256 of a body, in the format that GitHub uses.
fn signature(key: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let tag = hmac::sign(&key, body.as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example is from GitHub's documentation.
    #[test]
    fn the_signature_is_the_usual_one() {
        let want = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(signature("It's a Secret to Everybody", "Hello, World!"), want);
    }
}
