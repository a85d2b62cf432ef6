//! Redis: everything that replicas share, changed only by the scripts in `lua/`.
//!
//! Each target type has its keys under one hash tag, `<prefix>:{<type>}:`, so that a script touches one slot:
//!
//! | key | Redis type | holds | written by | bytes |
//! |---|---|---|---|---|
//! | `epoch` | hash | schema, server identity, when it was last checked (µs), epoch, event sequence, pool-time offset and last tick (ms), how much of the offset stands for lost writes (ms), token floor, mean session time (ms), where the line stands (µs); of a recovery its end, when the loss was found, and from when ends of proven leases are believed (all in pool time), when the loss was found by the clock, leases proven; of the latest loss its epoch, when it was found (pool time), and the last container that was looked at for whether it is to be made clean; a time before which nothing is due; and until when (by the clock, ms) a probe before giving out is waited for | every script; recoveries `begin`, `adopt` | one |
//! | `container:<id>` | hash | the facts: provider, incarnation, engine state and check, probe verdict and counters, era, lease, token, cordon (by whom), drain (its deadline, and whether the session ends then), when its last good probe was claimed (by the clock, ms) and how old that may be when it is given out, reset (with the attempt that goes on, how many there were in a row, the incarnation then, why the last one failed, and after which loss it began), by whom a restart was asked for that is not done, how many sessions used it since it was made, where it has a reset, quarantine (why) and how often a reset failed in a row, the hash of its provider's name for it, the rules of its quarantine, what to do at a session's end, and the container that it replaces while that goes on; of the latest loss its epoch and from when on nobody could hold it who did then, and whether its reset cuts off whoever uses it; and `set`, where `settle` put it | `observe`, `report_probes`, grants and ends | 330, leased 390 |
//! | `about:<id>` | string | the description as JSON, never parsed in Lua | `observe` | 170 more than the text |
//! | `containers` | zset, all 0 | every container's id, for paging | `observe`, `remove` | 177 |
//! | `available` | zset by time freed | what may be given out, longest idle first | `settle` | 177 |
//! | `cordoned` `unhealthy` `initializing` `resetting` | zset by time of entry | the rest, one each; leased ones are in none: they are counted by `leases` and `offers` | `settle` | 177 |
//! | `cleared` | zset by the time from which it is free | in a recovery: of those in `available`, the ones that nobody can still hold | `settle`, `observe` | 177 |
//! | `gathered` | hash | after a loss, until an epoch begins: since when, and the highest epoch and token that a replica knew; expires | `begin` | one |
//! | `claims` | hash | in a recovery: the sessions of leases that were proven before their container was found | `adopt`, `observe` | 110 |
//! | `resets` | zset by time | what is to be made clean: when the next worker may claim it | `give_back`, `claim_resets`, `report_reset` | 177 |
//! | `definition:<id>` | hash | of a container that is made anew: its provider, what the new one is made from, as the provider tells it, which one that is, the attempt that goes on, and how many there were; until the new one is in use, also when the old one is gone | `keep_definition`, `claim_resets`, `replace`, `report_reset` | 200 more than the text |
//! | `quarantine` | zset by end | who comes back when | `strike`, `report_reset`, `quarantine`, `reclaim` | 177 |
//! | `strikes:<place>` | hash | what a container of this name failed lately (times), how often in a row it was in quarantine, until when and why; expires after a quiet time | `strike`, `quarantine` | 200, of those that failed |
//! | `scale` | hash | who scales the type and until when; what the last decision leaves for the next one, how many were wanted and why; what new containers are made like, as the provider tells it | `plan_scale`, `note_scale` | one, with the text |
//! | `leaving` | zset by time | those that are being taken away since the pool is to be smaller, until their provider has removed them | `take_away` | 177 |
//! | `draining` | zset by deadline | leased ones that an operator waits for | `drain`, `settle`, `end_drain` | 177 |
//! | `probes` | zset by time | when to probe next | `observe`, `claim_probes`, `report_probes` | 177 |
//! | `observers` | hash | by provider: generation and sequence of the last observation | `mark` | one |
//! | `session:<id>` | hash | owner, state, TTL, container and its incarnation, token, times, end reason, replicas to wake, the epoch in which its lease was proven, what was agreed on beside its TTL, the head start that it had in the line, when it was reported to be used where no idle limit tells that, and until when it was renewed where the idle limit ends it sooner; expires after its end | `allocate`, `heartbeat`, `poll`, `report_activity`, offers and ends | 310, queued 220, ended 380 |
//! | `metadata:<id>` | string | the client's own words, when it gave any | `allocate` | 130 more than the text |
//! | `passes:<session>` | hash | passes of a session's viewers, by their hashes: of which lease, whether its viewer only watches, until when it must have come, and the hash of its own secret once it has; expires a day after the last change | `make_pass`, `use_pass` | 170 a pass |
//! | `leases` `offers` | zset by expiry | ready sessions; granted ones that are not claimed | grants, `heartbeat`, `poll`, `report_activity` | 140 |
//! | `queue` | zset by order (µs of the line's clock) | the line | `allocate` | 140 |
//! | `line:<name>` | zset by base | one owner's tickets | `allocate`, offers and ends | 145 |
//! | `fair` | zset by base | from where on the next ticket of an owner may stand, of those that have something to make up for; begun anew when nobody waits | `allocate`, offers | 110 an owner |
//! | `warnings` | zset by time | when to warn whom of an end that heartbeats do not put off | grants, `heartbeat`, `report_activity`, `reclaim` | 145 |
//! | `affinity:<owner>:<hash>` | string | the container that the owner's last session with this word had; expires | grants | 200 |
//! | `tickets` | zset by expiry | the same sessions, by when they were last asked for | `allocate`, `poll` | 145 |
//! | `sessions`, `owner:<name>` | zset by creation | live sessions, of all and of one owner | `allocate`, `close` | 145 each |
//! | `ended` | zset by end | ended sessions, as long as they are kept | `close` | 145 |
//! | `audit` | hash | who audits the type and until when; when the last audit ended, and how many faults of each kind it found | `claim_audit`, `finish_audit` | one |
//! | `settings` | hash | what an operator changed at run time, and a version that grows with every change of it or of `cordons` | `change_settings`, `operated` | one |
//! | `cordons` | hash | who cordoned which container: what replicas remember, and put back after a loss | `cordon`, `drain`, `uncordon`, `forget` | 110 |
//! | `history` | hash | who keeps the type's history until when; the last event that is in it (epoch, sequence); how many sessions were ever remembered; and by hour since 1970 what happened in it (JSON; of the last 840 hours in which something did) | `claim_history`, `record_history` | 800 a busy hour |
//! | `history_open` | hash | of live sessions when they came and got a container, and since when containers are being made clean after a session: what the history counts when it is over | `record_history` | 120 |
//! | `history_sessions` | list | the last 10,000 sessions that are over: when each came (ms), and for how many ms it held its container | `record_history` | 25 |
//! | `events` | stream | what happened, ids `<epoch>-<sequence>` | `event` | 175 an event |
//! | `webhook:<name>` | hash | deliveries to a webhook: who makes them until when, the last event that is done with (epoch, sequence), attempts at the next one and from when on it may be tried, the last error | `claim_webhook`, `record_delivery` | one for each webhook |
//! | `dead:<name>` `again:<name>` | list | events that were given up, youngest first; those of them that are to be sent again | `record_delivery`, `replay_webhook` | the event and its error |
//!
//! Bytes are for each container or session that is in it, measured on Redis 7.0 with 10,000 of each, ids of 64 characters (as Docker's)
//! and no metadata. All in all, with the keyspace's own share: a container with a description of 350 bytes takes 1.3 KB, a ready session
//! 650 bytes more, a queued one 860, an ended one 570.
//!
//! Keys of their own: `types` (hash: every type ever configured or discovered, by when it was met as new; `:whole`, from when on a type that is not in it counts as new), `provider:<name>` (hash: lock, generation,
//! last look), `idem:<owner>:<hash>` and `alias:<owner>:<hash>` (string: what a client's key or id stands for). Channels:
//! `wake:<replica>`.
//!
//! Times in scores are pool time in milliseconds, but those of `sessions` and `ended`, which are shown and so are Redis's clock.

mod audit;
mod connection;
mod dial;
mod error;
mod events;
mod failure;
mod find;
mod gather;
mod history;
mod journal;
mod keeps;
mod keys;
mod links;
mod operator;
mod passes;
mod recovery;
mod registry;
mod replicated;
mod reply;
mod resets;
mod scale;
mod scripts;
mod server;
mod servers;
mod sessions;
mod settings;
mod slot;
mod slow;
mod subscribe;
mod types;
mod view;
mod webhooks;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use secrecy::ExposeSecret as _;
use tracing::{Instrument as _, Span, level_filters::LevelFilter};

pub use audit::{AUDIT_AREAS, AuditPage, Audited};
pub use error::StoreError;
pub use events::EventPage;
pub use history::{HistoryChanges, HistoryRead};
pub use keeps::Keeps;
pub use operator::{OutCounts, Restarting};
pub use passes::{NewPass, PassMade, PassUsed};
pub use recovery::Adopted;
pub use registry::{
    Announced, Discovered, Loss, ObservationMark, Observed, ProbeReport, ProbeTask, ProviderLock, ProviderStatus,
};
pub use resets::{Outdated, Replacing, ResetOutcome, ResetReported, ResetTask, ResetTerms};
#[doc(hidden)]
pub use scale::{ScaleNote, ScalePlan};
pub use scripts::{ScriptText, script_text};
pub use sessions::{
    Allocated, Allocation, Beat, Claim, Heartbeat, Polled, Reclaimed, Released, SessionCursor, SessionPage, TypeCounts,
    Used,
};
pub use settings::{Changed, TypeState};
pub use subscribe::Wake;
pub use webhooks::{Delivery, DeliveryLease, DeliveryState};

use self::{
    connection::{Call, Work},
    gather::Gather,
    journal::Journal,
    keys::Keys,
    links::Links,
    replicated::Replication,
    reply::Reply,
    scripts::Script,
    servers::Servers,
    settings::Settings,
    types::Types,
};
use crate::{
    config::{Config, Limits, RedisUrl},
    metrics::Metrics,
    model::{LeaseTokens, TargetType},
};

/// One worker's way to Redis: a multiplexed connection of its own to each server for the hot path, and the
/// replica's pools of connections for what is slow or rare. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    hot: Arc<Links>,
    gather: Arc<Gather>,
    shared: Arc<Shared>,
}

/// What all workers of a replica share.
struct Shared {
    servers: Servers,
    keys: Keys,
    types: Types,
    limits: Limits,
    timeout: Duration,
    metrics: Arc<Metrics>,
    lease_tokens: LeaseTokens,
    journal: Journal,
    recovery: RecoveryTimes,
    replication: Replication,
    settings: Settings,
}

/// How a type goes on after a loss.
struct RecoveryTimes {
    wait: Duration,
    lag: Duration,
    grace: Duration,
    gather: Duration,
    lossless: bool,
}

/// Which connection serves a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The worker's own: what clients wait for.
    Hot,
    /// The pool: what is slow or rare.
    Slow,
    /// The pool whose connections wait for replicas: what may grant.
    Granting,
    /// The same for a grant that was made on another connection.
    Granted,
}

impl Store {
    /// Starts connecting, in the background. [`Store::check_server`] tells whether it worked.
    ///
    /// # Errors
    /// The address cannot be understood.
    pub fn connect(config: &Config, metrics: Arc<Metrics>) -> Result<Self, StoreError> {
        let timeout = config.redis.timeout;
        // Each kind is told of from the start: what comes first is else no increase.
        for kind in StoreError::KINDS {
            metrics.redis_errors(kind, 0);
        }
        let unfit = |reason| StoreError::Unfit(format!("redis.url cannot be used: {reason}"));
        let url = RedisUrl::parse(config.redis.url.expose_secret()).map_err(unfit)?;
        let servers = Servers::start(&config.redis, &url)?;
        let limits = config.limits.clone();
        let shared = Shared {
            servers,
            keys: Keys::new(&config.prefix),
            types: Types::new(config.types.keys().cloned()),
            limits,
            timeout,
            metrics,
            lease_tokens: LeaseTokens::new(&config.lease_tokens.keys),
            journal: Journal::default(),
            recovery: RecoveryTimes {
                wait: config.longest_lease() + config.recovery.lag,
                lag: config.recovery.lag,
                grace: config.recovery.grace,
                gather: config.recovery.gather,
                lossless: config.recovery.lossless,
            },
            replication: Replication { replicas: config.redis.wait_replicas, patience: config.redis.wait_timeout },
            settings: Settings::new(config),
        };
        let hot = Arc::new(Links::start(&shared.servers, timeout));
        Ok(Self { hot, gather: Arc::default(), shared: Arc::new(shared) })
    }

    /// The same store with connections of its own.
    #[must_use]
    pub fn for_worker(&self) -> Self {
        let hot = Links::start(&self.shared.servers, self.shared.timeout);
        Self { hot: Arc::new(hot), gather: Arc::default(), shared: self.shared.clone() }
    }

    /// What this replica counts.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// The way of what may grant.
    fn granting(&self) -> Way {
        if self.shared.replication.replicas > 0 { Way::Granting } else { Way::Hot }
    }

    /// Runs a script of a type; when its data were last used with another server, or there are none, an epoch begins first.
    async fn run(
        &self,
        way: Way,
        script: &'static Script,
        target_type: &TargetType,
        own: &[&[u8]],
    ) -> Result<Reply, StoreError> {
        let mut reply = self.run_once(way, script, target_type, own).await?;
        for _ in 0..3 {
            if reply.code != "another_server" {
                return Ok(reply);
            }
            // Rare: kept out of the future of every call.
            Box::pin(self.begin(way, target_type)).await?;
            reply = self.run_once(way, script, target_type, own).await?;
        }
        Err(StoreError::Refused("the server behind the data changes all the time".to_owned()))
    }

    async fn run_once(
        &self,
        way: Way,
        script: &'static Script,
        target_type: &TargetType,
        own: &[&[u8]],
    ) -> Result<Reply, StoreError> {
        let state = self.type_state(target_type);
        let mut args: Vec<&[u8]> = Vec::with_capacity(state.common.len() + own.len());
        args.extend(state.common.iter().map(Vec::as_slice));
        args.extend_from_slice(own);
        self.run_at(way, script, &self.shared.keys.epoch(target_type), &args).await
    }

    /// Runs a script on any key.
    async fn run_at(&self, way: Way, script: &'static Script, key: &str, args: &[&[u8]]) -> Result<Reply, StoreError> {
        let began = Instant::now();
        let call = Call { script, key, args, clustered: self.shared.servers.clustered() };
        let answer = self.call(way, key.as_bytes(), Work::Script(call)).instrument(span_of(script)).await;
        let reply = answer.and_then(|value| Reply::read(script.name, value));
        let outcome = reply.as_ref().map_or("error", |reply| reply.code.as_str());
        if let Err(error) = &reply {
            self.shared.metrics.redis_errors(error.kind(), 1);
        }
        self.shared.metrics.script(script.name, outcome, began.elapsed());
        reply
    }

    /// A single command, on the worker's own connection: for short ones. Its first argument is its key.
    async fn command<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, StoreError> {
        let key = match command.args_iter().nth(1) {
            Some(redis::Arg::Simple(key)) => key,
            _ => &[],
        };
        let value = self.call(Way::Hot, key, Work::Command(command)).await?;
        redis::from_redis_value(value)
            .map_err(|error| StoreError::Protocol { script: "a command", answer: error.to_string() })
    }

    /// Calls the server that serves the key, and again while that may help and there is time.
    async fn call(&self, way: Way, key: &[u8], work: Work<'_>) -> Result<redis::Value, StoreError> {
        let servers = &self.shared.servers;
        let mut tries = servers.tries(key, self.shared.timeout);
        loop {
            let server = tries.server().await?;
            let answer = match (way, work) {
                (Way::Hot, work) => self.hot.run(servers, &server, work, tries.deadline).await,
                (Way::Granting | Way::Granted, Work::Script(call)) => {
                    let (granted, replication) = (way == Way::Granted, self.shared.replication);
                    Box::pin(replicated::run(&server, call, granted, replication, tries.deadline)).await
                }
                // In a box: it is large, and the hot path should not carry it.
                (_, work) => Box::pin(slow::run(&server, work, tries.deadline)).await,
            };
            match answer {
                Ok(value) => return Ok(value),
                Err(failure) => tries.failed(failure).await?,
            }
        }
    }
}

/// A span for a call that serves a request; what goes on in the background has none. Where nobody asks for spans of this level,
/// that is found out by one look at a static.
fn span_of(script: &Script) -> Span {
    if LevelFilter::current() < LevelFilter::DEBUG || Span::current().is_none() {
        return Span::none();
    }
    tracing::debug_span!(target: "leasehold::redis", "redis", otel.kind = "client", script = script.name)
}
