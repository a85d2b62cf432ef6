//! One call of a client, recorded as the client saw it.

use std::{sync::Arc, time::Duration};

use reqwest::Method;
use serde_json::Value;

use super::{
    farm::CONTROL,
    history::{Call, History, Kind, Lease, Micros, Record},
    network::Network,
};
use crate::common::{
    http::{Answer, Http},
    replica::KEY,
};

/// A client's way to the replicas.
#[derive(Clone)]
pub struct Caller {
    pub client: usize,
    pub place: usize,
    pub http: Http,
    pub network: Arc<Network>,
    pub history: Arc<History>,
}

/// A request.
pub struct Request<'a> {
    pub kind: Kind,
    pub target_type: &'a str,
    pub replica: usize,
    pub method: Method,
    pub path: &'a str,
    pub body: Option<Value>,
    pub session: Option<&'a str>,
    pub key: Option<&'a str>,
    pub patience: Duration,
}

/// What came of it.
pub struct Seen {
    pub from: Micros,
    pub to: Micros,
    /// None when no answer came: it may have been carried out.
    pub answer: Option<Answer>,
}

impl Caller {
    pub fn new(client: usize, place: usize, network: Arc<Network>, history: Arc<History>) -> Self {
        Self { client, place, http: Http::new("", Some(KEY)), network, history }
    }

    /// Calls and records; the lease is that of the session in the answer.
    pub async fn call(&self, request: Request<'_>) -> Seen {
        let seen = self.send(&request).await;
        let body = seen.answer.as_ref().map(|answer| &answer.body);
        self.record(&request, &seen, seen.answer.as_ref().map(|answer| answer.status), body, request.session);
        seen
    }

    /// Calls without recording.
    pub async fn send(&self, request: &Request<'_>) -> Seen {
        let url = format!("{}{}", self.network.door(self.place, request.replica), request.path);
        let headers: Vec<_> = request.key.map(|key| ("Idempotency-Key", key)).into_iter().collect();
        let from = self.history.now();
        let call = self.http.try_call(request.method.clone(), &url, request.body.clone(), &headers);
        let answer = tokio::time::timeout(request.patience, call).await.ok().and_then(Result::ok);
        Seen { from, to: self.history.now(), answer }
    }

    /// Records what an answer, or a part of it, says of one session.
    pub fn record(
        &self,
        request: &Request<'_>,
        seen: &Seen,
        status: Option<u16>,
        body: Option<&Value>,
        session: Option<&str>,
    ) {
        let text = |name: &str| body.and_then(|body| body[name].as_str()).map(str::to_owned);
        self.history.add(&Record::Call(Call {
            client: self.client,
            kind: request.kind,
            target_type: request.target_type.to_owned(),
            replica: request.replica,
            from: seen.from,
            to: seen.to,
            status,
            code: text("code"),
            session: text("id").or(session.map(str::to_owned)),
            key: request.key.map(str::to_owned),
            lease: body.and_then(|body| lease(body, seen.from)),
        }));
    }
}

/// The lease of a session in an answer to a request that was sent then. Answers of batches show no container.
fn lease(session: &Value, sent: Micros) -> Option<Lease> {
    let lease = session.get("lease").filter(|lease| lease.is_object())?;
    let container = &session["container"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Some(Lease {
        container: text(&container["id"]),
        control: text(&container["endpoints"][CONTROL]["address"]),
        token: lease["fencing_token"].as_u64()?,
        until: sent + lease["expires_in_ms"].as_u64()? * 1000,
    })
}
