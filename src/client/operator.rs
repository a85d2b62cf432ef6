//! What an operator asks and does.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Client,
    error::ClientError,
    http::{Http, patiently},
};
use crate::model::{Container, ContainerId, Explanation, Setting, TargetType, TypeInfo};

/// The body of a drain. What is the server's default is left out.
#[derive(Serialize)]
struct Drain {
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_seconds: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    force: bool,
}

/// The body of a quarantine. What is the server's default is left out.
#[derive(Serialize)]
struct Quarantine {
    #[serde(skip_serializing_if = "Option::is_none")]
    rest_seconds: Option<u64>,
}

/// The body of a restart.
#[derive(Serialize)]
struct Restart {
    force: bool,
}

impl Client {
    /// Has a container given out no more; its session goes on.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn cordon(&self, id: &ContainerId) -> Result<Container, ClientError> {
        patiently(|| self.http.json(self.http.post(&format!("/containers/{id}/cordon")))).await
    }

    /// Lets a container be given out again, and ends its drain.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn uncordon(&self, id: &ContainerId) -> Result<Container, ClientError> {
        patiently(|| self.http.json(self.http.post(&format!("/containers/{id}/uncordon")))).await
    }

    /// Has a container rest in quarantine for so many seconds from now; its session goes on.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn quarantine(&self, id: &ContainerId, rest_seconds: Option<u64>) -> Result<Container, ClientError> {
        let body = Quarantine { rest_seconds };
        patiently(|| self.http.json(self.http.post(&format!("/containers/{id}/quarantine")).json(&body))).await
    }

    /// Ends a container's quarantine, and has forgotten what its name failed before.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn lift_quarantine(&self, id: &ContainerId) -> Result<Container, ClientError> {
        patiently(|| self.http.json(self.http.delete(&format!("/containers/{id}/quarantine")))).await
    }

    /// Cordons a container and has its session waited for, until a deadline in seconds; with `force` it is ended then. Answers
    /// at once: the container's `drain` is none as soon as it is free.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn drain(
        &self,
        id: &ContainerId,
        deadline_seconds: Option<u64>,
        force: bool,
    ) -> Result<Container, ClientError> {
        let body = Drain { deadline_seconds, force };
        patiently(|| self.http.json(self.http.post(&format!("/containers/{id}/drain")).json(&body))).await
    }

    /// Has a container restarted by a worker; with `force` also one that a session has, which then ends. Answers at once: the
    /// container's `reset` is none as soon as it is done.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn restart(&self, id: &ContainerId, force: bool) -> Result<Container, ClientError> {
        let body = Restart { force };
        patiently(|| self.http.json(self.http.post(&format!("/containers/{id}/restart")).json(&body))).await
    }

    /// Every type with its settings and counts.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn types(&self) -> Result<Vec<TypeInfo>, ClientError> {
        patiently(|| self.http.json(self.http.get("/types"))).await
    }

    /// Changes settings of a type, for all replicas; none takes one back to what is configured.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn change_type(
        &self,
        target_type: &TargetType,
        changes: &[(Setting, Option<u64>)],
    ) -> Result<TypeInfo, ClientError> {
        let body: BTreeMap<_, _> = changes.iter().map(|(setting, value)| (setting.as_str(), *value)).collect();
        patiently(|| self.http.json(self.http.patch(&format!("/types/{target_type}")).json(&body))).await
    }

    /// Why a type has nothing available.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn explain(&self, target_type: &TargetType) -> Result<Explanation, ClientError> {
        let call = || self.http.get("/explain").query(&[("target_type", target_type)]).timeout(Http::timeout(None));
        patiently(|| self.http.json(call())).await
    }
}
