//! Asks sentinels, or nodes of a cluster, who the primaries are.
//!
//! Several are asked at once and the one of the highest epoch is believed: whoever was cut off from the others does not
//! know of what they decided meanwhile.

use std::{fmt, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use redis::{AsyncConnectionConfig, Client, FromRedisValue as _, Value, aio::MultiplexedConnection};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use super::{StoreError, failure::explain, slot::SLOTS};
use crate::config::HostPort;

/// How many nodes of a large cluster are asked at a time.
const SAMPLE: usize = 8;
/// The longest that one of several may take to answer.
const PATIENCE: Duration = Duration::from_millis(500);
/// The same when more than half have answered: who is dead or cut off must not hold up a failover.
const GRACE: Duration = Duration::from_millis(50);

/// A range of slots and who serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub first: u16,
    pub last: u16,
    pub at: HostPort,
}

/// Knows whom to ask, and for what.
pub(super) struct Finder {
    /// Those that the configuration names.
    named: Vec<Witness>,
    /// Those that the cluster told of.
    told: Vec<Witness>,
    question: Question,
    patience: Duration,
}

enum Question {
    Sentinel { service: String },
    Cluster,
}

/// One that is asked, by a connection that is kept.
struct Witness {
    client: Client,
    connection: Option<MultiplexedConnection>,
}

/// What one said.
struct Answer {
    /// Whether it is in touch with the others, as far as it knows.
    well: bool,
    epoch: u64,
    found: Vec<Found>,
}

impl Finder {
    pub(super) fn sentinels(sentinels: Vec<Client>, service: &str, timeout: Duration) -> Self {
        Self::new(sentinels, Question::Sentinel { service: service.to_owned() }, timeout)
    }

    pub(super) fn cluster(nodes: Vec<Client>, timeout: Duration) -> Self {
        Self::new(nodes, Question::Cluster, timeout)
    }

    fn new(named: Vec<Client>, question: Question, timeout: Duration) -> Self {
        let named = named.into_iter().map(Witness::new).collect();
        Self { named, told: Vec::new(), question, patience: timeout.min(PATIENCE) }
    }

    /// Those who tell of a change by themselves; a cluster's nodes do not.
    pub(super) fn heralds(&self) -> Vec<Client> {
        match self.question {
            Question::Sentinel { .. } => self.named.iter().map(|witness| witness.client.clone()).collect(),
            Question::Cluster => Vec::new(),
        }
    }

    /// The primaries are these now: in a cluster they are asked too.
    pub(super) fn now_at(&mut self, primaries: impl Iterator<Item = Client>) {
        if matches!(self.question, Question::Cluster) {
            self.told = primaries.map(Witness::new).collect();
        }
    }

    /// Asks, also `hint`.
    ///
    /// # Errors
    /// Nobody answered, or the answer names no primary; the first reason of several.
    pub(super) async fn find(&mut self, hint: Option<Client>) -> Result<Vec<Found>, StoreError> {
        let (patience, question) = (self.patience, &self.question);
        let mut hint: Vec<_> = hint.into_iter().map(Witness::new).collect();
        let mut asked: Vec<&mut Witness> = self.named.iter_mut().chain(&mut self.told).collect();
        while asked.len() > SAMPLE {
            asked.swap_remove(rand::random_range(0..asked.len()));
        }
        asked.extend(&mut hint);
        let most = asked.len() / 2 + 1;
        let mut answers: FuturesUnordered<_> = asked.into_iter().map(|witness| witness.ask(question)).collect();
        let (mut reason, mut best) = (None, None::<Answer>);
        let (mut heard, mut until) = (0, Instant::now() + patience);
        while let Some(answer) = timeout_at(until, answers.next()).await.unwrap_or_default() {
            heard += usize::from(answer.is_ok());
            if heard >= most {
                until = until.min(Instant::now() + GRACE);
            }
            match answer {
                Ok(answer)
                    if best.as_ref().is_none_or(|best| (answer.well, answer.epoch) > (best.well, best.epoch)) =>
                {
                    best = Some(answer);
                }
                Ok(_) => {}
                Err(error) => reason = reason.or(Some(error)),
            }
        }
        match best {
            Some(best) if !best.found.is_empty() => Ok(best.found),
            Some(_) => Err(StoreError::Unreachable(format!("{question} names no primary"))),
            None => Err(reason.unwrap_or(StoreError::Timeout(patience))),
        }
    }
}

/// Listens to a sentinel for ever, and says when it names another primary: the old one may serve on for seconds, and whatever is
/// written there is lost.
pub(super) async fn hear(herald: Client, changed: &Notify) {
    loop {
        if let Ok(mut heard) = herald.get_async_pubsub().await
            && heard.subscribe("+switch-master").await.is_ok()
        {
            let mut messages = heard.on_message();
            while messages.next().await.is_some() {
                changed.notify_one();
            }
        }
        // It is asked each second all the same.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

impl Witness {
    fn new(client: Client) -> Self {
        Self { client, connection: None }
    }

    /// Asks by the connection of the last time, which is kept only when it answers.
    async fn ask(&mut self, question: &Question) -> Result<Answer, StoreError> {
        let mut connection = if let Some(connection) = self.connection.take() {
            connection
        } else {
            let config = AsyncConnectionConfig::new().set_response_timeout(None);
            let opened = self.client.get_multiplexed_async_connection_with_config(&config).await;
            opened.map_err(|error| explain(&error))?
        };
        let answer = self.ask_by(&mut connection, question).await?;
        self.connection = Some(connection);
        Ok(answer)
    }

    async fn ask_by(&self, connection: &mut MultiplexedConnection, question: &Question) -> Result<Answer, StoreError> {
        match question {
            Question::Sentinel { service } => {
                let command = redis::cmd("SENTINEL").arg("MASTER").arg(service).to_owned();
                let value: Value = command.query_async(connection).await.map_err(|error| explain(&error))?;
                sentinel(&value).ok_or_else(|| unclear("SENTINEL MASTER", &value))
            }
            Question::Cluster => {
                let mut asked = redis::pipe();
                asked.cmd("CLUSTER").arg("INFO").cmd("CLUSTER").arg("SLOTS");
                let (info, slots): (String, Value) =
                    asked.query_async(connection).await.map_err(|error| explain(&error))?;
                let host = match self.client.get_connection_info().addr() {
                    redis::ConnectionAddr::Tcp(host, _) | redis::ConnectionAddr::TcpTls { host, .. } => host.as_str(),
                    _ => "127.0.0.1",
                };
                cluster(&info, &slots, host).ok_or_else(|| unclear("CLUSTER SLOTS", &slots))
            }
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sentinel { service } => write!(f, "the sentinels of {service:?}"),
            Self::Cluster => f.write_str("the cluster"),
        }
    }
}

fn unclear(command: &str, value: &Value) -> StoreError {
    StoreError::Refused(format!("{command} answered {value:?}"))
}

/// `SENTINEL MASTER`: names and values in turn.
fn sentinel(value: &Value) -> Option<Answer> {
    let fields = std::collections::HashMap::<String, String>::from_redis_value_ref(value).ok()?;
    let at = HostPort { host: fields.get("ip")?.clone(), port: fields.get("port")?.parse().ok()? };
    Some(Answer {
        well: true,
        epoch: fields.get("config-epoch")?.parse().ok()?,
        found: vec![Found { first: 0, last: SLOTS - 1, at }],
    })
}

/// `CLUSTER SLOTS`: ranges, each as first, last, primary, replicas. A node that does not know its own name leaves it empty: then it is
/// at the host that was asked.
fn cluster(info: &str, slots: &Value, host: &str) -> Option<Answer> {
    let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let Value::Array(ranges) = slots else { return None };
    let mut found = ranges.iter().map(|range| range_of(range, host)).collect::<Option<Vec<_>>>()?;
    found.sort_by_key(|range| range.first);
    Some(Answer { well: field("cluster_state")? == "ok", epoch: field("cluster_current_epoch")?.parse().ok()?, found })
}

fn range_of(range: &Value, asked: &str) -> Option<Found> {
    let Value::Array(parts) = range else { return None };
    let [Value::Int(first), Value::Int(last), Value::Array(primary), ..] = parts.as_slice() else { return None };
    let [host, Value::Int(port), ..] = primary.as_slice() else { return None };
    let host = match host {
        Value::Nil => String::new(),
        host => String::from_redis_value_ref(host).ok()?,
    };
    // 7.0 says `?` where a hostname is preferred and none is set.
    let host = if host.is_empty() || host == "?" { asked.to_owned() } else { host };
    let (first, last) = (u16::try_from(*first).ok()?, u16::try_from(*last).ok()?);
    let at = HostPort { host, port: u16::try_from(*port).ok()? };
    (first <= last && last < SLOTS).then_some(Found { first, last, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn a_sentinels_answer_names_the_primary() {
        let value = Value::Array(["ip", "10.0.0.1", "port", "6380", "config-epoch", "7"].map(text).to_vec());
        let answer = sentinel(&value).unwrap();
        assert_eq!((answer.epoch, answer.found[0].at.to_string().as_str()), (7, "10.0.0.1:6380"));
        assert!(sentinel(&Value::Nil).is_none());
    }

    #[test]
    fn a_clusters_answer_is_put_in_order() {
        let node = |host, port| Value::Array(vec![host, Value::Int(port), text("id")]);
        let range = |first, last, node| Value::Array(vec![Value::Int(first), Value::Int(last), node]);
        let slots =
            Value::Array(vec![range(100, 16_383, node(text(""), 7001)), range(0, 99, node(text("10.0.0.1"), 7000))]);
        let info = "cluster_state:ok\r\ncluster_current_epoch:3\r\n";
        let answer = cluster(info, &slots, "asked").unwrap();
        let found: Vec<_> = answer.found.iter().map(|f| (f.first, f.last, f.at.to_string())).collect();
        assert_eq!(found, [(0, 99, "10.0.0.1:7000".to_owned()), (100, 16_383, "asked:7001".to_owned())]);
        assert!(answer.well && answer.epoch == 3);
        assert!(cluster(info, &Value::Array(vec![range(5, 16_384, node(text("h"), 1))]), "asked").is_none());
    }
}
