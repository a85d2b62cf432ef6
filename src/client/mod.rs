//! The client of the HTTP API, for programs in Rust and for the command line.
//!
//! ```no_run
//! # async fn example() -> Result<(), leasehold::client::ClientError> {
//! use leasehold::client::{Client, CreateSession};
//! use secrecy::SecretString;
//!
//! let client = Client::new("http://127.0.0.1:8088", Some(&SecretString::from("lh_…")))?;
//! let guard = client.acquire(&CreateSession::new("wine".parse().unwrap())).await?;
//! tokio::select! {
//!     loss = guard.lost() => eprintln!("stop: {loss}"),
//!     () = work_with(guard.session()) => guard.release().await?,
//! }
//! # Ok(())
//! # }
//! # async fn work_with(_: &leasehold::model::Session) {}
//! ```

mod answer;
mod error;
mod events;
mod guard;
mod history;
mod http;
mod insight;
mod operator;
mod request;
mod sessions;
mod viewers;
mod webhooks;

use std::time::Duration;

use secrecy::SecretString;

pub use self::{
    answer::{AuditPart, ContainerPage, HeartbeatOutcome, PoolStatus, Refreshed},
    error::{ClientError, Problem},
    events::{EventFilter, EventStream},
    guard::{Loss, SessionGuard},
    insight::{Lines, LogFilter},
    request::{ContainerFilter, CreateSession, OnShortage, Renewal, SessionFilter},
    viewers::{Desktop, DesktopEnd},
};

use self::{answer::RecoveryEnded, http::Http};
use crate::model::{Container, ContainerId, TargetType};

/// A pool behind one address. Cheap to clone; its clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: Http,
}

impl Client {
    /// A client of the API at `url` (such as `http://127.0.0.1:8088`), with an API key if the server wants one.
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// The URL or the key cannot be used.
    pub fn new(url: &str, key: Option<&SecretString>) -> Result<Self, ClientError> {
        Ok(Self { http: Http::new(url, key, None)? })
    }

    /// The same for an `https` address whose certificate is signed by these authorities (as PEM), and by no others.
    ///
    /// # Errors
    /// The URL, the key or the authorities cannot be used.
    pub fn trusting(url: &str, key: Option<&SecretString>, authorities: &[u8]) -> Result<Self, ClientError> {
        Ok(Self { http: Http::new(url, key, Some(authorities))? })
    }

    /// The address that it speaks to.
    #[must_use]
    pub fn url(&self) -> &str {
        self.http.base()
    }

    /// How many containers there are, by type and state.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn status(&self) -> Result<PoolStatus, ClientError> {
        self.http.json(self.http.get("/containers/status")).await
    }

    /// One page of containers; `cursor` is the `next` of the page before.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn containers_page(
        &self,
        filter: &ContainerFilter,
        cursor: Option<&str>,
    ) -> Result<ContainerPage, ClientError> {
        self.http.json(self.http.get("/containers").query(filter).query(&[("cursor", cursor)])).await
    }

    /// Every container that the filter lets through, page by page.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn containers(&self, filter: &ContainerFilter) -> Result<Vec<Container>, ClientError> {
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.containers_page(filter, cursor.as_deref()).await?;
            all.extend(page.containers);
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// One container.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn container(&self, id: &ContainerId) -> Result<Container, ClientError> {
        self.http.json(self.http.get(&format!("/containers/{id}"))).await
    }

    /// Has the discoverer look at every provider now, and answers with what there is then.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn refresh(&self) -> Result<Refreshed, ClientError> {
        self.http.json(self.http.post("/containers/refresh")).await
    }

    /// Ends the recovery of a type, or of all, for who knows that nobody holds what was not proven. Says which had one.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn end_recovery(&self, target_type: Option<&str>) -> Result<Vec<String>, ClientError> {
        let body = serde_json::json!({ "assume_none": true, "target_type": target_type });
        Ok(self.http.json::<RecoveryEnded>(self.http.post("/recovery").json(&body)).await?.ended)
    }

    /// Audits a part of a type's data in Redis, or of all types'; `cursor` is the `next` of the part before. With `repair`
    /// mends what is found.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn audit(
        &self,
        target_type: Option<&TargetType>,
        repair: bool,
        cursor: Option<&str>,
    ) -> Result<AuditPart, ClientError> {
        let body = serde_json::json!({ "target_type": target_type, "repair": repair, "cursor": cursor });
        http::patiently(|| self.http.json(self.http.post("/audit").json(&body))).await
    }

    /// Whether the replica runs.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn healthz(&self) -> Result<(), ClientError> {
        self.http.nothing(self.http.get("/healthz").timeout(Duration::from_secs(5))).await
    }

    /// Whether the replica can serve: it reaches Redis and its scripts run.
    ///
    /// # Errors
    /// [`ClientError::Problem`] when it runs and cannot serve.
    pub async fn readyz(&self) -> Result<(), ClientError> {
        self.http.nothing(self.http.get("/readyz").timeout(Duration::from_secs(5))).await
    }
}
