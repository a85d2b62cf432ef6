//! Grants that are answered only when enough replicas have them.
//!
//! `WAIT` covers what its own connection wrote, and holds up what stands behind it: so these calls have connections of
//! their own. A grant that too few replicas have in time is taken back on the same connection.

use std::time::Duration;

use deadpool_redis::Connection;
use redis::Value;
use tokio::time::Instant;

use super::{
    StoreError,
    connection::{Call, invoke},
    failure::Failure,
    scripts,
    servers::Server,
    slow,
};

/// How many replicas must have a grant, and how long they have for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replication {
    pub replicas: u32,
    pub patience: Duration,
}

/// Runs a script that may grant, and waits for the replicas when it did. `granted` says that what it answers as known was granted
/// just now, on another connection.
///
/// # Errors
/// See [`StoreError`]; by `deadline`. [`StoreError::NotReplicated`] when the grant was taken back, or, of a session that was there
/// before, when it could not be confirmed.
pub(super) async fn run(
    server: &Server,
    call: Call<'_>,
    granted: bool,
    replication: Replication,
    deadline: Instant,
) -> Result<Value, Failure> {
    slow::within(deadline, async {
        let mut connection = slow::connection(server.granting()).await.map_err(Failure::unreached)?;
        let answer = grant(&mut connection, call, granted, replication).await;
        slow::put_back(connection, &answer);
        answer
    })
    .await
}

async fn grant(
    connection: &mut Connection,
    call: Call<'_>,
    granted: bool,
    Replication { replicas, patience }: Replication,
) -> Result<Value, Failure> {
    let failed = |error: redis::RedisError| Failure::of(&error);
    let value = invoke(connection, call, true).await.map_err(failed)?;
    let Grants { new, known } = Grants::of(call, &value, granted);
    if new.is_empty() && !known {
        return Ok(value);
    }
    let mut wait = redis::cmd("WAIT");
    wait.arg(replicas).arg(patience.as_millis().max(1) as u64);
    let reached: u32 = wait.query_async(connection).await.map_err(failed)?;
    if reached >= replicas {
        return Ok(value);
    }
    if !new.is_empty() {
        let args: Vec<&[u8]> = call.args.iter().take(COMMON).copied().chain(new).collect();
        let withdraw = Call { script: &scripts::WITHDRAW, args: &args, ..call };
        invoke(connection, withdraw, true).await.map_err(failed)?;
    }
    Err(Failure::not_replicated(StoreError::NotReplicated { reached, wanted: replicas }))
}

/// How many arguments stand before a script's own, without `check`.
const COMMON: usize = 3;

/// What a script granted.
struct Grants<'a> {
    /// Session and owner in turn.
    new: Vec<&'a [u8]>,
    /// A lease that was there before was answered: whether replicas have it was not heard then.
    known: bool,
}

impl<'a> Grants<'a> {
    fn of(call: Call<'a>, value: &Value, granted: bool) -> Self {
        let own = &call.args[COMMON..];
        let (rows, items): (Vec<&str>, Vec<&[&[u8]]>) = match call.script.name {
            "allocate" => (codes(value), own.chunks(scripts::ALLOCATE_ITEM).collect()),
            "poll" => (code(value).into_iter().collect(), vec![own]),
            _ => return Self { new: Vec::new(), known: false },
        };
        let (mut new, mut known) = (Vec::new(), false);
        for (code, item) in rows.into_iter().zip(items) {
            match (call.script.name, code) {
                ("allocate", "ok") | ("poll", "claimed") => new.extend(&item[..2]),
                ("poll", "ok") if granted => new.extend(&item[..2]),
                ("allocate", "replayed") | ("poll", "fresh") => known = true,
                _ => {}
            }
        }
        Self { new, known }
    }
}

/// The code that an answer begins with.
fn code(value: &Value) -> Option<&str> {
    match value {
        Value::Array(values) => match values.first()? {
            Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
            Value::SimpleString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// The codes of the rows of an answer.
fn codes(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => match values.get(1) {
            Some(Value::Array(rows)) => rows.iter().map(|row| code(row).unwrap_or_default()).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
