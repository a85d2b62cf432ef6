//! Which server serves a key: the one server, the primary that Sentinel names, or a primary of the cluster.
//!
//! Whatever stands above asks here for each call, so that Sentinel and Cluster are not other code paths. The map is
//! looked at again regularly, and at once when a call met a server that did not serve.

use std::{sync::Arc, time::Duration};

use deadpool_redis::{Hook, HookError, Manager, Pool};
use redis::{AsyncConnectionConfig, Client};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    StoreError,
    dial::{self, Dial},
    failure::Failure,
    find::{Finder, Found, hear},
    server,
    slot::{SLOTS, slot_of},
};
use crate::config::{HostPort, RedisConfig, RedisPlace, RedisUrl};

/// How long until the map is looked at again when nobody doubts it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Between two looks, however many doubt.
const BREATH: Duration = Duration::from_millis(20);

/// Before a call is tried again: the time that slots, or a reconnection, need.
const MOMENT: Duration = Duration::from_millis(20);

/// A primary.
pub(super) struct Server {
    /// Its address as it was told; empty for the one of `redis://`.
    at: Option<HostPort>,
    client: Client,
    slow: Pool,
    granting: Pool,
    gone: CancellationToken,
}

impl Server {
    fn new(client: Client, at: Option<HostPort>, config: &RedisConfig) -> Result<Self, StoreError> {
        let (slow, granting) = (pool(&client, config)?, pool(&client, config)?);
        let gone = CancellationToken::new();
        Ok(Self { at, client, slow, granting, gone })
    }

    /// For connections of any kind.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Cancelled when another server has taken its place.
    pub(super) fn gone(&self) -> &CancellationToken {
        &self.gone
    }

    /// Connections for what is slow or rare.
    pub(super) fn slow(&self) -> &Pool {
        &self.slow
    }

    /// Connections that wait for replicas.
    pub(super) fn granting(&self) -> &Pool {
        &self.granting
    }
}

fn pool(client: &Client, config: &RedisConfig) -> Result<Pool, StoreError> {
    let timeout = config.timeout;
    let no = |error: &dyn std::fmt::Display| StoreError::Unfit(format!("redis.url cannot be used: {error}"));
    // Our own time-outs stand around each call.
    let settings = AsyncConnectionConfig::new().set_connection_timeout(Some(timeout)).set_response_timeout(None);
    let manager = Manager::new_with_config(client.get_connection_info().clone(), settings).map_err(|e| no(&e))?;
    Pool::builder(manager)
        .max_size(config.pool_size)
        .wait_timeout(Some(timeout))
        .create_timeout(Some(timeout))
        .recycle_timeout(Some(timeout))
        .runtime(deadpool_redis::Runtime::Tokio1)
        .post_create(Hook::async_fn(|connection, _| {
            Box::pin(async move {
                // Its commands may only read: a replica would answer them, with what it had last heard.
                server::check_primary(connection).await.map_err(|error| HookError::message(error.to_string()))
            })
        }))
        .build()
        .map_err(|e| no(&e))
}

/// Who serves which slots, in their order: the last slot of each range. Empty until it is known.
#[derive(Default)]
struct Map {
    ranges: Vec<(u16, Option<Arc<Server>>)>,
}

impl Map {
    fn of_one(server: Arc<Server>) -> Self {
        Self { ranges: vec![(SLOTS - 1, Some(server))] }
    }

    fn server_of(&self, slot: u16) -> Option<&Arc<Server>> {
        let range = self.ranges.partition_point(|(last, _)| *last < slot);
        self.ranges.get(range)?.1.as_ref()
    }

    /// Every server, once.
    fn servers(&self) -> Vec<Arc<Server>> {
        let mut servers: Vec<Arc<Server>> = Vec::new();
        for server in self.ranges.iter().filter_map(|(_, server)| server.as_ref()) {
            if !servers.iter().any(|known| Arc::ptr_eq(known, server)) {
                servers.push(server.clone());
            }
        }
        servers
    }

    fn same_as(&self, other: &Self) -> bool {
        let pointer = |server: &Option<Arc<Server>>| server.as_ref().map(Arc::as_ptr);
        self.ranges.len() == other.ranges.len()
            && self.ranges.iter().zip(&other.ranges).all(|(a, b)| a.0 == b.0 && pointer(&a.1) == pointer(&b.1))
    }
}

/// The map, and who keeps it.
pub(super) struct Servers {
    map: watch::Receiver<Map>,
    doubts: Arc<Doubts>,
    clustered: bool,
    _keeper: DropGuard,
}

/// What callers found wrong with the map.
#[derive(Default)]
struct Doubts {
    raised: Notify,
    /// A node that a cluster named, which therefore knows better.
    hint: std::sync::Mutex<Option<HostPort>>,
}

impl Servers {
    /// Starts to find the servers, in the background.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub(super) fn start(config: &RedisConfig, url: &RedisUrl) -> Result<Self, StoreError> {
        let dial = Dial::data(config, url)?;
        let finder = match &url.place {
            RedisPlace::Unix(_) | RedisPlace::Server(_) => None,
            RedisPlace::Sentinel { service, .. } => {
                let sentinels = dial::named(&Dial::sentinels(config, url)?, &url.place)?;
                Some(Finder::sentinels(sentinels, service, config.timeout))
            }
            RedisPlace::Cluster(_) => Some(Finder::cluster(dial::named(&dial, &url.place)?, config.timeout)),
        };
        let (stop, doubts) = (CancellationToken::new(), Arc::new(Doubts::default()));
        let map = match finder {
            None => {
                let client = dial::named(&dial, &url.place)?.swap_remove(0);
                watch::channel(Map::of_one(Arc::new(Server::new(client, None, config)?))).1
            }
            Some(finder) => {
                let (sender, map) = watch::channel(Map::default());
                for herald in finder.heralds() {
                    let (stop, doubts) = (stop.clone(), doubts.clone());
                    tokio::spawn(async move { stop.run_until_cancelled(hear(herald, &doubts.raised)).await });
                }
                let keeper = Keeper { finder, dial, config: config.clone(), doubts: doubts.clone(), map: sender };
                let stop = stop.clone();
                tokio::spawn(async move { stop.run_until_cancelled(keeper.keep()).await });
                map
            }
        };
        let clustered = matches!(url.place, RedisPlace::Cluster(_));
        Ok(Self { map, doubts, clustered, _keeper: stop.drop_guard() })
    }

    /// Whether slots can move.
    pub(super) fn clustered(&self) -> bool {
        self.clustered
    }

    /// The tries of one call on a key, all within `timeout`.
    pub(super) fn tries<'a>(&'a self, key: &'a [u8], timeout: Duration) -> Tries<'a> {
        Tries { servers: self, key, deadline: Instant::now() + timeout, last: None }
    }

    /// The server of a key, waited for until `deadline`.
    ///
    /// # Errors
    /// None was found.
    async fn of(&self, key: &[u8], deadline: Instant) -> Result<Arc<Server>, StoreError> {
        let slot = if self.clustered { slot_of(key) } else { 0 };
        self.pick(deadline, |map| map.server_of(slot).cloned()).await
    }

    /// Any server, another one each time.
    ///
    /// # Errors
    /// See [`Servers::of`].
    pub(super) async fn any(&self, deadline: Instant) -> Result<Arc<Server>, StoreError> {
        self.pick(deadline, |map| {
            let servers = map.servers();
            (!servers.is_empty()).then(|| servers[rand::random_range(0..servers.len())].clone())
        })
        .await
    }

    async fn pick(
        &self,
        deadline: Instant,
        choose: impl Fn(&Map) -> Option<Arc<Server>>,
    ) -> Result<Arc<Server>, StoreError> {
        // Nearly always it is known, and then this needs no clone of the receiver.
        if let Some(server) = choose(&self.map.borrow()) {
            return Ok(server);
        }
        let mut map = self.map.clone();
        let found = async {
            loop {
                map.changed().await.ok()?;
                if let Some(server) = choose(&map.borrow_and_update()) {
                    return Some(server);
                }
            }
        };
        match tokio::time::timeout_at(deadline, found).await {
            Ok(Some(server)) => Ok(server),
            _ => Err(StoreError::Unreachable("no primary is known".to_owned())),
        }
    }

    /// Every server that is known now.
    pub(super) fn known(&self) -> Vec<Arc<Server>> {
        self.map.borrow().servers()
    }

    /// A call met a server that does not serve: the map is looked at again, at once. `hint` knows better.
    fn doubt(&self, hint: Option<HostPort>) {
        if let Some(hint) = hint {
            *self.doubts.hint.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(hint);
        }
        self.doubts.raised.notify_one();
    }

    /// Waits until the map has changed, and for a moment at most.
    async fn settle(&self, moment: Duration) {
        let mut map = self.map.clone();
        map.mark_unchanged();
        let _ = tokio::time::timeout(moment, map.changed()).await;
    }
}

/// One call: it is tried again, maybe at another server, while that may help and there is time.
pub(super) struct Tries<'a> {
    servers: &'a Servers,
    key: &'a [u8],
    pub deadline: Instant,
    last: Option<StoreError>,
}

impl Tries<'_> {
    /// The server to try.
    ///
    /// # Errors
    /// None is known; then the last failure, if there was one, says more.
    pub(super) async fn server(&mut self) -> Result<Arc<Server>, StoreError> {
        self.servers.of(self.key, self.deadline).await.map_err(|error| self.last.take().unwrap_or(error))
    }

    /// It failed there: waits until there is something to try again.
    ///
    /// # Errors
    /// There is not.
    pub(super) async fn failed(&mut self, failure: Failure) -> Result<(), StoreError> {
        if failure.lost || failure.moved_to.is_some() {
            self.servers.doubt(failure.moved_to);
        }
        if !failure.retry || Instant::now() >= self.deadline {
            return Err(failure.error);
        }
        self.last = Some(failure.error);
        self.servers.settle(MOMENT).await;
        Ok(())
    }
}

/// Looks, and looks again.
struct Keeper {
    finder: Finder,
    dial: Dial,
    config: RedisConfig,
    doubts: Arc<Doubts>,
    map: watch::Sender<Map>,
}

impl Keeper {
    async fn keep(mut self) {
        let mut failed = false;
        loop {
            let hint = self.doubts.hint.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            let hint = hint.and_then(|at| self.dial.client(&at).ok());
            match self.look(hint).await {
                Ok(()) => {
                    if std::mem::take(&mut failed) {
                        tracing::info!("Redis's primary is known again");
                    }
                }
                Err(error) if failed => tracing::debug!(%error, "Redis's primary is not known"),
                Err(error) => {
                    tracing::warn!(%error, "Redis's primary is not known; asking on");
                    failed = true;
                }
            }
            tokio::time::sleep(BREATH).await;
            let _ = tokio::time::timeout(LOOK_AGAIN, self.doubts.raised.notified()).await;
        }
    }

    /// Asks, and tells of what is new. Servers that stay keep their connections.
    async fn look(&mut self, hint: Option<Client>) -> Result<(), StoreError> {
        let found = self.finder.find(hint).await?;
        let known = self.map.borrow().servers();
        let map = self.map_of(found, known)?;
        if map.same_as(&self.map.borrow()) {
            return Ok(());
        }
        let primaries: Vec<_> = map.servers().iter().filter_map(|s| s.at.as_ref().map(ToString::to_string)).collect();
        tracing::info!(primaries = primaries.join(","), "Redis's data is at");
        self.finder.now_at(map.servers().iter().map(|server| server.client.clone()));
        let now = map.servers();
        let before = self.map.send_replace(map).servers();
        for server in before.iter().filter(|server| !now.iter().any(|stays| Arc::ptr_eq(stays, server))) {
            server.gone.cancel();
        }
        Ok(())
    }

    fn map_of(&self, found: Vec<Found>, mut known: Vec<Arc<Server>>) -> Result<Map, StoreError> {
        let mut ranges = Vec::with_capacity(found.len());
        let mut next = 0;
        for Found { first, last, at } in found {
            if first > next {
                ranges.push((first - 1, None));
            }
            next = last + 1;
            let server = if let Some(server) = known.iter().find(|server| server.at.as_ref() == Some(&at)) {
                server.clone()
            } else {
                let server = Arc::new(Server::new(self.dial.client(&at)?, Some(at), &self.config)?);
                known.push(server.clone());
                server
            };
            ranges.push((last, Some(server)));
        }
        Ok(Map { ranges })
    }
}
