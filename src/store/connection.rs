//! One multiplexed connection and the supervisor that replaces it.
//!
//! redis-rs does not reconnect a multiplexed connection, and its `ConnectionManager` neither notices a demoted primary
//! nor a black hole. So: a task of ours connects, and connects again when a call says that the connection is lost, that
//! the server became read-only, or when calls in a row time out. A call waits for a connection within its own time.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use rand::RngExt as _;
use redis::{AsyncConnectionConfig, Client, Cmd, RedisError, ServerErrorKind, Value, aio::MultiplexedConnection};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{StoreError, scripts::Script, server};

/// Calls in a row that may time out before the connection is replaced.
const SLOW_CALLS: u32 = 2;

/// A way to Redis that mends itself. Its supervisor ends with it.
pub(super) struct Link {
    client: Client,
    current: watch::Receiver<Option<Arc<Live>>>,
    lost: Arc<Notify>,
    timeout: Duration,
}

/// One connection in its time.
struct Live {
    connection: MultiplexedConnection,
    /// Nothing was answered on it yet: the next script checks the server's identity whatever it checked last.
    fresh: AtomicBool,
    slow: AtomicU32,
    broken: AtomicBool,
}

impl Link {
    /// Starts the supervisor and returns at once; calls wait for the connection.
    pub(super) fn start(client: &Client, timeout: Duration) -> Arc<Self> {
        let (sender, current) = watch::channel(None);
        let lost = Arc::new(Notify::new());
        let link = Arc::new(Self { client: client.clone(), current, lost: lost.clone(), timeout });
        tokio::spawn(supervise(Arc::downgrade(&link), sender, lost));
        link
    }

    /// Runs a script on the connection; once again, on the next connection, when this one is lost meanwhile. `args` begins after `check`
    /// for scripts of a type.
    ///
    /// # Errors
    /// See [`StoreError`]; within the timeout.
    pub(super) async fn run(&self, script: &Script, key: &str, args: &[&[u8]]) -> Result<Value, StoreError> {
        let deadline = Instant::now() + self.timeout;
        let mut last = None;
        loop {
            let live = match self.live(deadline).await {
                Ok(live) => live,
                Err(error) => return Err(last.unwrap_or(error)),
            };
            let mut connection = live.connection.clone();
            let check = live.fresh.load(Ordering::Relaxed);
            match tokio::time::timeout_at(deadline, invoke(&mut connection, script, key, check, args)).await {
                Err(_) => {
                    if live.slow.fetch_add(1, Ordering::Relaxed) + 1 >= SLOW_CALLS {
                        self.replace(&live);
                    }
                    return Err(StoreError::Timeout(self.timeout));
                }
                Ok(Ok(value)) => {
                    live.slow.store(0, Ordering::Relaxed);
                    live.fresh.store(false, Ordering::Relaxed);
                    return Ok(value);
                }
                Ok(Err(error)) => {
                    let again = error.is_io_error()
                        || error.is_connection_dropped()
                        || error.is_unrecoverable_error()
                        || error.kind() == redis::ErrorKind::Server(ServerErrorKind::ReadOnly);
                    if again {
                        self.replace(&live);
                        last = Some(explain(&error));
                    } else {
                        live.slow.store(0, Ordering::Relaxed);
                        return Err(explain(&error));
                    }
                }
            }
        }
    }

    /// The client, for connections of another kind.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    async fn live(&self, deadline: Instant) -> Result<Arc<Live>, StoreError> {
        let mut current = self.current.clone();
        let usable = current.wait_for(|live| live.as_ref().is_some_and(|l| !l.broken.load(Ordering::Relaxed)));
        match tokio::time::timeout_at(deadline, usable).await {
            Ok(Ok(live)) => live.clone().ok_or_else(|| StoreError::Unreachable("no connection".to_owned())),
            Ok(Err(_)) => Err(StoreError::Unreachable("the connection's supervisor has ended".to_owned())),
            Err(_) => Err(StoreError::Unreachable(format!("no connection within {:?}", self.timeout))),
        }
    }

    fn replace(&self, live: &Live) {
        if !live.broken.swap(true, Ordering::Relaxed) {
            self.lost.notify_one();
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.lost.notify_one();
    }
}

/// Keeps a connection in `sender` for as long as the link lives.
async fn supervise(link: Weak<Link>, sender: watch::Sender<Option<Arc<Live>>>, lost: Arc<Notify>) {
    let mut pause = Duration::ZERO;
    let mut failed = false;
    loop {
        let Some((client, timeout)) = link.upgrade().map(|link| (link.client.clone(), link.timeout)) else { return };
        match connect(&client, timeout).await {
            Ok(connection) => {
                if failed {
                    tracing::info!("Redis is reached again");
                }
                failed = false;
                let live = Live {
                    connection,
                    fresh: AtomicBool::new(true),
                    slow: AtomicU32::new(0),
                    broken: AtomicBool::new(false),
                };
                sender.send_replace(Some(Arc::new(live)));
                lost.notified().await;
                sender.send_replace(None);
                // A server that accepts and then drops must not make this a busy loop.
                pause = Duration::from_millis(10);
            }
            Err(error) => {
                if !failed {
                    tracing::warn!(%error, "Redis cannot be reached; trying on");
                }
                failed = true;
                pause = (pause * 2).clamp(Duration::from_millis(20), Duration::from_millis(500));
            }
        }
        let jittered = pause.mul_f64(rand::rng().random_range(0.5..1.0));
        tokio::time::sleep(jittered).await;
    }
}

/// A connection of ours: no timeout of redis-rs's own on answers, because the link has one around each call.
async fn connect(client: &Client, timeout: Duration) -> Result<MultiplexedConnection, StoreError> {
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(timeout)).set_response_timeout(None);
    let connect = async {
        let mut connection =
            client.get_multiplexed_async_connection_with_config(&config).await.map_err(|error| explain(&error))?;
        // Also a server that was put in the place of a good one later.
        server::check(&mut connection).await?;
        Ok(connection)
    };
    tokio::time::timeout(timeout, connect).await.unwrap_or(Err(StoreError::Timeout(timeout)))
}

/// EVALSHA, and EVAL when the server does not know the script (any more).
pub(super) async fn invoke<C: redis::aio::ConnectionLike>(
    connection: &mut C,
    script: &Script,
    key: &str,
    check: bool,
    args: &[&[u8]],
) -> Result<Value, RedisError> {
    let of_a_type = script.args.first() == Some(&"check");
    let command = |verb: &str, what: &str| {
        let mut cmd = Cmd::with_capacity(args.len() + 5, 0);
        cmd.arg(verb).arg(what).arg(1).arg(key);
        if of_a_type {
            cmd.arg(if check { "1" } else { "0" });
        }
        for arg in args {
            cmd.arg(*arg);
        }
        cmd
    };
    match command("EVALSHA", script.hash()).query_async(connection).await {
        Err(error) if error.kind() == redis::ErrorKind::Server(ServerErrorKind::NoScript) => {
            command("EVAL", script.source()).query_async(connection).await
        }
        other => other,
    }
}

/// redis-rs's error in our words.
pub(super) fn explain(error: &RedisError) -> StoreError {
    if error.is_timeout() {
        return StoreError::Unreachable(error.to_string());
    }
    if error.is_io_error() || error.is_connection_dropped() || error.is_connection_refusal() {
        return StoreError::Unreachable(error.to_string());
    }
    match error.code() {
        Some("OOM") => StoreError::OutOfMemory,
        _ if error.to_string().contains("OOM command not allowed") => StoreError::OutOfMemory,
        _ => StoreError::Refused(error.to_string()),
    }
}
