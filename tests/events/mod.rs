//! Events out of the real binary: to those who follow them, and to webhooks.

mod command;
mod history;
pub mod receiver;
mod stream;
mod webhooks;

use std::time::Duration;

use leasehold::{
    client::{Client, EventFilter, EventStream},
    model::Event,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::common::{
    http::Http,
    redis::Redis,
    replica::{KEY, Replica},
};

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// All that is kept, or all from now on.
fn follow(replica: &Replica, filter: EventFilter, oldest: bool) -> EventStream {
    let client = Client::new(&replica.url(), Some(&SecretString::from(KEY))).expect("a client");
    client.events(filter, oldest, true)
}

/// The next event.
async fn next(stream: &mut EventStream) -> Event {
    let event = tokio::time::timeout(PATIENCE, stream.next()).await.expect("an event in time");
    event.expect("no refusal").expect("no end")
}

/// The next event of this kind.
async fn next_of(stream: &mut EventStream, kind: &str) -> Event {
    loop {
        let event = next(stream).await;
        if event.kind == kind {
            return event;
        }
    }
}

/// The ids of all events that Redis has of a type, in order.
fn kept(redis: &Redis, target_type: &str) -> Vec<String> {
    let key = format!("test:{{{target_type}}}:events");
    let rows: Vec<(String, Vec<String>)> =
        redis::cmd("XRANGE").arg(key).arg("-").arg("+").query(&mut redis.conn()).expect("the events");
    rows.into_iter().map(|(id, _)| format!("{target_type}:{id}")).collect()
}

/// Makes a session and ends it; its id.
async fn come_and_go(http: &Http) -> String {
    let made = http.post("/sessions", json!({"target_type": "wine"})).await.expect(201).body;
    let id = made["id"].as_str().expect("an id").to_owned();
    http.delete(&format!("/sessions/{id}")).await.expect(200);
    id
}

/// A text of an event's data.
fn text<'a>(event: &'a Event, name: &str) -> &'a str {
    event.data.get(name).and_then(Value::as_str).unwrap_or_default()
}
