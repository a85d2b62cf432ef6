//! Fills a pool: containers and sessions by the hundred thousand, by the scripts that discovery and clients cause.

use anyhow::bail;
use leasehold::model::{About, Endpoint, SessionId, TargetType};
use redis::aio::MultiplexedConnection;

use crate::{
    scripts::{self, Call, key},
    servers::{PREFIX, TYPE},
};

/// Calls sent before the first answer is read.
const DEPTH: usize = 64;

/// A new session's id.
pub fn session_id() -> String {
    let target_type: TargetType = TYPE.parse().expect("a type's name");
    SessionId::new(&target_type).to_string()
}

/// A description as the Docker provider makes it.
fn about(number: usize) -> String {
    let endpoint = |port: u16| Endpoint {
        address: Some(format!("127.0.0.1:{}", 20_000 + number % 40_000)),
        internal: Some(format!("172.18.{}.{}:{port}", number / 250 % 250, number % 250 + 2)),
    };
    let about = About {
        name: format!("farm_{TYPE}-target_{number}"),
        ip_address: Some(format!("172.18.{}.{}", number / 250 % 250, number % 250 + 2)),
        ports: [("5900/tcp".to_owned(), 20_000), ("6080/tcp".to_owned(), 20_001)].into(),
        endpoints: [("vnc".to_owned(), endpoint(5900)), ("novnc".to_owned(), endpoint(6080))].into(),
        labels: [("leasehold.type".to_owned(), TYPE.to_owned())].into(),
        created_at: None,
    };
    serde_json::to_string(&about).expect("JSON")
}

/// Bytes of a container's description.
pub fn description_bytes() -> usize {
    about(0).len()
}

/// The type as a new one on a new Redis, which nobody has lost anything of.
async fn begin(connection: &mut MultiplexedConnection) -> anyhow::Result<()> {
    let types = [(":whole", 0), (TYPE, 1)];
    let _: u64 = redis::cmd("HSET").arg(format!("{PREFIX}:types")).arg(&types).query_async(connection).await?;
    let met = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis().to_string();
    let fixed = [("verdict", "new"), ("met_ms", met.as_str()), ("lossless", "0")];
    let zero = ["wait_ms", "lag_ms", "grace_ms", "epoch_seen", "token_seen", "gather_ms"].map(|name| (name, "0"));
    let call = Call::new("begin", &[&fixed[..], &zero[..]].concat());
    call.load(connection).await?;
    let _: redis::Value = call.rest(&[]).query_async(connection).await?;
    Ok(())
}

/// Adds running containers without probes, with ids as long as Docker's.
pub async fn containers(connection: &mut MultiplexedConnection, count: usize) -> anyhow::Result<()> {
    begin(connection).await?;
    let fixed = [("provider", "farm"), ("generation", "1"), ("sequence", "1")];
    let observe = Call::new("observe", &fixed);
    observe.load(connection).await?;
    let numbers: Vec<usize> = (0..count).collect();
    for batch in numbers.chunks(100 * 8) {
        let mut pipe = redis::pipe();
        for chunk in batch.chunks(100) {
            let mut rest = Vec::with_capacity(1200);
            for number in chunk {
                let id = format!("{number:064x}");
                let incarnation = format!("{number:032x}");
                rest.extend([
                    id,
                    incarnation,
                    "running".into(),
                    "none".into(),
                    "0".into(),
                    "none".into(),
                    about(*number),
                    String::new(),
                    String::new(),
                    String::new(),
                    "0".into(),
                    String::new(),
                ]);
            }
            let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
            pipe.add_command(observe.rest(&rest));
        }
        let replies: Vec<(String, u64)> = pipe.query_async(connection).await?;
        if replies.iter().any(|(code, _)| code != "ok") {
            bail!("observe answered {replies:?}");
        }
    }
    Ok(())
}

/// Adds sessions, which with `wait` stand in line. Returns their ids.
pub async fn sessions(connection: &mut MultiplexedConnection, count: usize, wait: bool) -> anyhow::Result<Vec<String>> {
    let call = scripts::allocate(wait);
    call.load(connection).await?;
    let place = call.place("session");
    let ids: Vec<String> = (0..count).map(|_| session_id()).collect();
    for chunk in ids.chunks(DEPTH) {
        let mut pipe = redis::pipe();
        for id in chunk {
            pipe.add_command(call.with(place, id, &[]));
        }
        let replies: Vec<redis::Value> = pipe.query_async(connection).await?;
        for reply in &replies {
            each_must_be(reply, if wait { "queued" } else { "ok" })?;
        }
    }
    Ok(ids)
}

/// # Errors
/// A script answered something else.
pub fn must_be(reply: &redis::Value, code: &str) -> anyhow::Result<()> {
    if code_of(reply) == Some(code.as_bytes()) {
        return Ok(());
    }
    bail!("a script answered {reply:?}, not {code}")
}

/// The same for each item of a script that takes several.
///
/// # Errors
/// One has another outcome.
pub fn each_must_be(reply: &redis::Value, code: &str) -> anyhow::Result<()> {
    must_be(reply, "ok")?;
    if let redis::Value::Array(values) = reply
        && let Some(redis::Value::Array(items)) = values.get(1)
    {
        return items.iter().try_for_each(|item| must_be(item, code));
    }
    bail!("a script answered {reply:?}, not outcomes")
}

fn code_of(reply: &redis::Value) -> Option<&[u8]> {
    let redis::Value::Array(values) = reply else { return None };
    let redis::Value::BulkString(code) = values.first()? else { return None };
    Some(code)
}

/// How many are in a sorted set of the type.
pub async fn size(connection: &mut MultiplexedConnection, set: &str) -> anyhow::Result<u64> {
    Ok(redis::cmd("ZCARD").arg(key(set)).query_async(connection).await?)
}

/// What the event stream takes, in bytes.
pub async fn event_bytes(connection: &mut MultiplexedConnection) -> anyhow::Result<u64> {
    let bytes: Option<u64> =
        redis::cmd("MEMORY").arg("USAGE").arg(key("events")).arg("SAMPLES").arg(0).query_async(connection).await?;
    Ok(bytes.unwrap_or_default())
}
