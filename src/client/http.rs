//! Requests and answers: the address, the key, and how an error is told.

use std::time::Duration;

use reqwest::{
    Certificate, Method, RequestBuilder, Response, StatusCode, Upgraded, Url,
    header::{HeaderMap, HeaderValue},
    redirect,
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use super::error::{ClientError, Problem};
use crate::retry_after::retry_after;

/// How long a call may take that does not wait for a container.
const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a call that is safe to repeat is tried in all, and the first pause (which doubles).
const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// A server that asks for a longer pause is not waited for within one call.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
pub(super) struct Http {
    client: reqwest::Client,
    base: String,
}

impl Http {
    /// With the `authorities` (PEM) that sign the server's certificate; with none, those of the machine.
    pub(super) fn new(url: &str, key: Option<&SecretString>, authorities: Option<&[u8]>) -> Result<Self, ClientError> {
        let bad = |reason: String| ClientError::BadUrl { url: url.to_owned(), reason };
        let parsed = Url::parse(url).map_err(|error| bad(error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.host().is_none() {
            return Err(bad("it must begin with http:// or https:// and a host".into()));
        }
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            let mut value = HeaderValue::from_str(key.expose_secret()).map_err(|_| ClientError::BadKey)?;
            value.set_sensitive(true);
            headers.insert("X-API-Key", value);
        }
        // Another provider that the program installed before is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("leasehold/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // A redirect would take the key elsewhere.
            .redirect(redirect::Policy::none());
        if parsed.scheme() == "http" {
            // Without TLS no certificates are needed: a small image has none.
            builder = builder.tls_certs_only([]);
        } else if let Some(pem) = authorities {
            builder = builder.tls_certs_only(certificates(pem)?);
        }
        if is_loopback(&parsed) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| bad(last_cause(&error)))?;
        Ok(Self { client, base: url.trim_end_matches('/').to_owned() })
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.client.request(Method::GET, format!("{}{path}", self.base))
    }

    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.client.request(Method::POST, format!("{}{path}", self.base))
    }

    pub(super) fn patch(&self, path: &str) -> RequestBuilder {
        self.client.request(Method::PATCH, format!("{}{path}", self.base))
    }

    pub(super) fn delete(&self, path: &str) -> RequestBuilder {
        self.client.request(Method::DELETE, format!("{}{path}", self.base))
    }

    /// What a call may take that waits for a container up to `wait`.
    pub(super) fn timeout(wait: Option<u64>) -> Duration {
        TIMEOUT + Duration::from_secs(wait.unwrap_or(0))
    }

    /// Sends and reads the JSON answer.
    pub(super) async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let response = self.send(request).await?;
        self.read(response).await
    }

    /// Sends; any good answer will do.
    pub(super) async fn nothing(&self, request: RequestBuilder) -> Result<(), ClientError> {
        self.send(request).await.map(|_| ())
    }

    /// Sends once. An answer that is no success is an error.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() { Ok(response) } else { Err(self.refusal(response).await) }
    }

    /// Sends once, for a connection that goes on in another protocol.
    pub(super) async fn upgrade(&self, request: RequestBuilder) -> Result<Upgraded, ClientError> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return response.upgrade().await.map_err(|error| self.unreachable(&error));
        }
        Err(self.refusal(response).await)
    }

    async fn refusal(&self, response: Response) -> ClientError {
        let (status, retry_after) = (response.status(), retry_after(response.headers()));
        match response.bytes().await {
            Ok(body) => ClientError::Problem(Problem::read(status.as_u16(), retry_after, &body)),
            Err(error) => self.unreachable(&error),
        }
    }

    /// The next part of an answer that is read as it comes; none at its end.
    pub(super) async fn chunk(&self, response: &mut Response) -> Result<Option<Vec<u8>>, ClientError> {
        let chunk = response.chunk().await.map_err(|error| self.unreachable(&error))?;
        Ok(chunk.map(|bytes| bytes.to_vec()))
    }

    pub(super) async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, ClientError> {
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        serde_json::from_slice(&body)
            .map_err(|error| ClientError::NotUnderstood { url: self.base.clone(), reason: error.to_string() })
    }

    /// The next piece of an answer that goes on; none at its end.
    pub(super) async fn piece(&self, response: &mut Response) -> Result<Option<Vec<u8>>, ClientError> {
        let piece = response.chunk().await.map_err(|error| self.unreachable(&error))?;
        Ok(piece.map(|piece| piece.to_vec()))
    }

    fn unreachable(&self, error: &reqwest::Error) -> ClientError {
        let reason = if error.is_timeout() { "no answer in time".to_owned() } else { last_cause(error) };
        ClientError::Unreachable { url: self.base.clone(), reason }
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, ClientError> {
    let all = Certificate::from_pem_bundle(pem).map_err(|error| ClientError::BadAuthorities(last_cause(&error)))?;
    if all.is_empty() {
        return Err(ClientError::BadAuthorities("there is no certificate in them".to_owned()));
    }
    Ok(all)
}

/// Tries a call that is safe to repeat again while the server is away for a moment.
pub(super) async fn patiently<T, F>(mut call: impl FnMut() -> F) -> Result<T, ClientError>
where
    F: Future<Output = Result<T, ClientError>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match call().await {
            Err(error) if error.is_passing() => {
                let asked = error.problem().and_then(|problem| problem.retry_after).unwrap_or(pause);
                tokio::time::sleep(asked.min(LONGEST_PAUSE)).await;
                pause *= 2;
            }
            done => return done,
        }
    }
    call().await
}

/// Where the next page is, from `Link: <…?cursor=…>; rel="next"`.
pub(super) fn next_cursor(headers: &HeaderMap) -> Option<String> {
    let links = headers.get_all(reqwest::header::LINK);
    let next = links
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find(|link| link.contains(r#"rel="next""#))?;
    let target = next.split_once('<')?.1.split_once('>')?.0;
    // The target may be relative: any base will do to read its query.
    let url = Url::parse("http://localhost/").ok()?.join(target).ok()?;
    url.query_pairs().find(|(name, _)| name == "cursor").map(|(_, cursor)| cursor.into_owned())
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str().map(|host| host.trim_matches(['[', ']'])) {
        Some("localhost") => true,
        Some(host) => host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

/// The innermost cause: what the outer ones say is that a request failed.
fn last_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    // `Connection refused (os error 111)`: the number helps nobody.
    let text = cause.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: reqwest::header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn the_next_page_is_read_from_the_link() {
        let link = |text| next_cursor(&headers(reqwest::header::LINK, text));
        assert_eq!(link(r#"</sessions?cursor=wine.live.1.x&limit=2>; rel="next""#).as_deref(), Some("wine.live.1.x"));
        assert_eq!(link(r#"<http://h/a?x=1>; rel="prev", <http://h/a?cursor=a%2Bb>; rel="next""#).unwrap(), "a+b");
        assert_eq!(link(r#"</sessions?cursor=x>; rel="prev""#), None);
        assert_eq!(next_cursor(&HeaderMap::new()), None);
    }

    #[test]
    fn only_a_web_address_is_one() {
        assert!(Http::new("http://[::1]:8088/", None, None).is_ok());
        for bad in ["127.0.0.1:8088", "ftp://host", "http://", "leasehold"] {
            let error = Http::new(bad, None, None).unwrap_err().to_string();
            assert!(error.contains(&format!("{bad:?}")) && error.contains("http://127.0.0.1:8088"), "{error}");
        }
    }

    #[test]
    fn a_key_with_a_line_break_is_refused() {
        let error = Http::new("http://localhost", Some(&SecretString::from("lh_x\n")), None).unwrap_err();
        assert!(matches!(error, ClientError::BadKey));
    }
}
