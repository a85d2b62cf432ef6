//! What containers write and use.

use std::time::Duration;

use reqwest::{Response, header::ACCEPT};
use serde::Serialize;

use super::{Client, error::ClientError, http::Http};
use crate::model::{ContainerId, ContainerStats};

/// An answer that goes on ends with its reader, the replica or the engine, not by a time.
const ON_AND_ON: Duration = Duration::from_hours(365 * 24);

/// An engine measures for a second or two.
const MEASURED_WITHIN: u64 = 10;

/// Which lines of a log.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LogFilter {
    /// Go on with what is written from now on.
    pub follow: bool,
    /// Only so many of the last lines there are.
    pub tail: Option<u32>,
    /// Only since then: a time (RFC 3339), or how long ago (`10m`).
    pub since: Option<String>,
}

/// An answer that goes on, in pieces as they come.
pub struct Lines {
    http: Http,
    response: Response,
}

impl Lines {
    /// The next piece; none at the end.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        self.http.piece(&mut self.response).await
    }
}

impl Client {
    /// What a container writes: as it is, or each line as JSON ([`crate::model::LogLine`]).
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn logs(&self, id: &ContainerId, filter: &LogFilter, json: bool) -> Result<Lines, ClientError> {
        let accept = if json { "application/x-ndjson" } else { "text/plain" };
        let call = self.http.get(&format!("/containers/{id}/logs")).query(filter).header(ACCEPT, accept);
        let response = self.http.send(call.timeout(ON_AND_ON)).await?;
        Ok(Lines { http: self.http.clone(), response })
    }

    /// What a container uses now.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn stats(&self, id: &ContainerId) -> Result<ContainerStats, ClientError> {
        let call = self.http.get(&format!("/containers/{id}/stats"));
        self.http.json(call.timeout(Http::timeout(Some(MEASURED_WITHIN)))).await
    }
}
