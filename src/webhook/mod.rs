//! Signed messages by HTTP, as Standard Webhooks has them: how events are told and resets are asked for.

mod refusal;
mod sign;

use std::{
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use reqwest::{Certificate, Client, Url, redirect};
use secrecy::{ExposeSecret as _, SecretString};

pub use self::refusal::Refusal;
use self::sign::signatures;

/// A receiver, and what it is reached with.
pub struct Sender {
    url: SecretString,
    keys: Vec<Vec<u8>>,
    timeout: Duration,
    client: Client,
}

impl Sender {
    /// Each of the keys signs. The authorities are those of the system when no file is named.
    ///
    /// # Errors
    /// The authorities cannot be used: why.
    pub fn new(
        url: &SecretString,
        keys: Vec<Vec<u8>>,
        timeout: Duration,
        ca_file: Option<&Path>,
    ) -> Result<Self, String> {
        let client = client(url, timeout, ca_file)?;
        Ok(Self { url: url.clone(), keys, timeout, client })
    }

    /// Posts a message, as part of a trace if one is named (in `traceparent`). The time in its head is this replica's: receivers refuse what is old by their own.
    ///
    /// # Errors
    /// It was not taken.
    pub async fn post(&self, id: &str, body: Vec<u8>, traceparent: Option<&str>) -> Result<(), Refusal> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let timestamp = now.as_secs().to_string();
        let signature = signatures(&self.keys, id, &timestamp, &body);
        let mut request = self
            .client
            .post(self.url.expose_secret())
            .header("Content-Type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body);
        if let Some(traceparent) = traceparent {
            request = request.header("traceparent", traceparent);
        }
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(Refusal::answered(&answer)),
            Err(error) => Err(Refusal::unanswered(error, self.timeout)),
        }
    }
}

fn client(url: &SecretString, timeout: Duration, ca_file: Option<&Path>) -> Result<Client, String> {
    // Another provider that the program installed before is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = Url::parse(url.expose_secret()).map_err(|error| error.to_string())?;
    let mut builder = Client::builder()
        .user_agent(concat!("leasehold/", env!("CARGO_PKG_VERSION")))
        .timeout(timeout)
        // It would take the message elsewhere.
        .redirect(redirect::Policy::none());
    if url.scheme() == "http" {
        // Without TLS no certificates are needed: a small image has none.
        builder = builder.tls_certs_only([]);
    } else if let Some(file) = ca_file {
        let pem = std::fs::read(file).map_err(|error| format!("ca_file = {}: {error}", file.display()))?;
        let all = Certificate::from_pem_bundle(&pem).map_err(|_| format!("ca_file = {}: no PEM", file.display()))?;
        builder = builder.tls_certs_only(all);
    }
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| error.without_url().to_string())
}
