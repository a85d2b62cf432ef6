//! Redis: everything that replicas share, changed only by the scripts in `lua/`.
//!
//! Each target type has its keys under one hash tag, `<prefix>:{<type>}:`, so that a script touches one slot:
//!
//! | key | Redis type | holds | written by | bytes |
//! |---|---|---|---|---|
//! | `epoch` | hash | schema, server identity, when it was last checked (µs), epoch, event sequence, pool-time offset and last tick (ms), token floor, mean session time (ms) | every script | one |
//! | `container:<id>` | hash | the facts: provider, incarnation, engine state and check, probe verdict and counters, era, lease, token, cordon, reset, quarantine, what to do at a session's end; and `set`, where `settle` put it | `observe`, `report_probes`, grants and ends | 330, leased 390 |
//! | `about:<id>` | string | the description as JSON, never parsed in Lua | `observe` | 170 more than the text |
//! | `containers` | zset, all 0 | every container's id, for paging | `observe`, `remove`, `sweep` | 177 |
//! | `available` | zset by time freed | what may be given out, longest idle first | `settle` | 177 |
//! | `cordoned` `unhealthy` `initializing` `resetting` | zset by time of entry | the rest, one each; leased ones are in none: they are counted by `leases` and `offers` | `settle` | 177 |
//! | `quarantine` | zset by end | who comes back when | `reclaim` | 177 |
//! | `probes` | zset by time | when to probe next | `observe`, `claim_probes`, `report_probes` | 177 |
//! | `seen:<provider>` | zset by full look | which look saw a container last | `observe` | 177 |
//! | `observers` | hash | by provider: generation and sequence of the last observation, and what is added to the numbers of this generation's looks | `mark` | one |
//! | `session:<id>` | hash | owner, state, TTL, container, token, times, end reason, replicas to wake; expires after its end | `allocate`, `heartbeat`, `poll`, offers and ends | 310, queued 220, ended 380 |
//! | `metadata:<id>` | string | the client's own words, when it gave any | `allocate` | 130 more than the text |
//! | `leases` `offers` | zset by expiry | ready sessions; granted ones that are not claimed | grants, `heartbeat`, `poll` | 140 |
//! | `queue` | zset by order | the line | `allocate` | 140 |
//! | `tickets` | zset by expiry | the same sessions, by when they were last asked for | `allocate`, `poll` | 145 |
//! | `sessions`, `owner:<name>` | zset by creation | live sessions, of all and of one owner | `allocate`, `close` | 145 each |
//! | `ended` | zset by end | ended sessions, as long as they are kept | `close` | 145 |
//! | `events` | stream | what happened, ids `<epoch>-<sequence>` | `event` | 175 an event |
//!
//! Bytes are for each container or session that is in it, measured on Redis 7.0 with 10,000 of each, ids of 64 characters (as Docker's)
//! and no metadata. All in all, with the keyspace's own share: a container with a description of 350 bytes takes 1.7 KB, a ready session
//! 650 bytes more, a queued one 860, an ended one 570.
//!
//! Keys of their own: `types` (set: every type ever configured or discovered), `provider:<name>` (hash: lock, generation,
//! last look), `idem:<owner>:<hash>` and `alias:<owner>:<hash>` (string: what a client's key or id stands for). Channels:
//! `wake:<replica>`.
//!
//! Times in scores are pool time in milliseconds, but those of `sessions` and `ended`, which are shown and so are Redis's clock.

mod connection;
mod error;
mod keys;
mod registry;
mod reply;
mod scripts;
mod server;
mod sessions;
mod subscribe;
mod types;
mod view;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use redis::{Client, IntoConnectionInfo as _};
use secrecy::ExposeSecret as _;

pub use error::StoreError;
pub use registry::{Discovered, ObservationMark, Observed, ProbeReport, ProbeTask, ProviderLock, ProviderStatus};
#[doc(hidden)]
pub use scripts::{ScriptText, script_text};
pub use sessions::{
    Allocated, Allocation, Claim, Heartbeat, Polled, Reclaimed, Released, SessionCursor, SessionPage, TypeCounts,
};
pub use subscribe::Wake;

use self::{connection::Link, keys::Keys, reply::Reply, scripts::Script, types::Types};
use crate::{
    config::{Config, Limits},
    metrics::Metrics,
    model::TargetType,
};

/// One worker's way to Redis: a multiplexed connection of its own for the hot path, and the replica's pool of connections
/// for what is slow or rare. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    hot: Arc<Link>,
    shared: Arc<Shared>,
}

/// What all workers of a replica share.
struct Shared {
    slow: deadpool_redis::Pool,
    keys: Keys,
    types: Types,
    limits: Limits,
    timeout: Duration,
    metrics: Arc<Metrics>,
    /// The arguments that every script of a type begins with, after `check`.
    common: [Vec<u8>; 3],
}

/// Which connection serves a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The worker's own: what clients wait for.
    Hot,
    /// The pool: what is slow or rare.
    Slow,
}

impl Store {
    /// Starts connecting, in the background. [`Store::check_server`] tells whether it worked.
    ///
    /// # Errors
    /// The address cannot be understood.
    pub fn connect(config: &Config, metrics: Arc<Metrics>) -> Result<Self, StoreError> {
        let timeout = config.redis.timeout;
        let wrong = |error: &dyn std::fmt::Display| StoreError::Unfit(format!("redis.url cannot be used: {error}"));
        let info = config
            .redis
            .url
            .expose_secret()
            .into_connection_info()
            .map_err(|error| wrong(&error))?
            .set_tcp_settings(redis::io::tcp::TcpSettings::default().set_nodelay(true));
        let client = Client::open(info).map_err(|error| wrong(&error))?;
        let slow = deadpool_redis::Config::from_connection_info(client.get_connection_info().clone())
            .builder()
            .map_err(|error| wrong(&error))?
            .max_size(config.redis.pool_size)
            .wait_timeout(Some(timeout))
            .create_timeout(Some(timeout))
            .recycle_timeout(Some(timeout))
            .runtime(deadpool_redis::Runtime::Tokio1)
            .build()
            .map_err(|error| wrong(&error))?;
        let millis = |duration: Duration| duration.as_millis().to_string().into_bytes();
        let limits = config.limits.clone();
        let common = [limits.events_kept.to_string().into_bytes(), millis(limits.ended_kept), millis(limits.confirm)];
        let shared = Shared {
            slow,
            keys: Keys::new(&config.prefix),
            types: Types::new(config.types.keys().cloned()),
            limits,
            timeout,
            metrics,
            common,
        };
        Ok(Self { hot: Link::start(&client, timeout), shared: Arc::new(shared) })
    }

    /// The same store with a connection of its own.
    #[must_use]
    pub fn for_worker(&self) -> Self {
        Self { hot: Link::start(self.hot.client(), self.shared.timeout), shared: self.shared.clone() }
    }

    /// Runs a script of a type.
    async fn run(
        &self,
        way: Way,
        script: &'static Script,
        target_type: &TargetType,
        own: &[&[u8]],
    ) -> Result<Reply, StoreError> {
        let mut args: Vec<&[u8]> = Vec::with_capacity(self.shared.common.len() + own.len());
        args.extend(self.shared.common.iter().map(Vec::as_slice));
        args.extend_from_slice(own);
        self.run_at(way, script, &self.shared.keys.epoch(target_type), &args).await
    }

    /// Runs a script on any key.
    async fn run_at(&self, way: Way, script: &'static Script, key: &str, args: &[&[u8]]) -> Result<Reply, StoreError> {
        let began = Instant::now();
        let answer = match way {
            Way::Hot => self.hot.run(script, key, args).await,
            Way::Slow => self.run_slowly(script, key, args).await,
        };
        let reply = answer.and_then(|value| Reply::read(script.name, value));
        let outcome = reply.as_ref().map_or("error", |reply| reply.code.as_str());
        self.shared.metrics.script(script.name, outcome, began.elapsed());
        reply
    }

    async fn run_slowly(&self, script: &'static Script, key: &str, args: &[&[u8]]) -> Result<redis::Value, StoreError> {
        let timeout = self.shared.timeout;
        let call = async {
            let mut connection = self.slow_connection().await?;
            connection::invoke(&mut connection, script, key, true, args)
                .await
                .map_err(|error| connection::explain(&error))
        };
        tokio::time::timeout(timeout, call).await.unwrap_or(Err(StoreError::Timeout(timeout)))
    }

    async fn slow_connection(&self) -> Result<deadpool_redis::Connection, StoreError> {
        self.shared.slow.get().await.map_err(|error| match error {
            deadpool_redis::PoolError::Backend(error) => connection::explain(&error),
            other => StoreError::Unreachable(other.to_string()),
        })
    }

    /// A single command on the pool of connections.
    async fn command<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, StoreError> {
        let timeout = self.shared.timeout;
        let call = async {
            let mut connection = self.slow_connection().await?;
            command.query_async(&mut connection).await.map_err(|error| connection::explain(&error))
        };
        tokio::time::timeout(timeout, call).await.unwrap_or(Err(StoreError::Timeout(timeout)))
    }
}
