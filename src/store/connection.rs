//! One multiplexed connection to one server and the supervisor that replaces it.
//!
//! redis-rs does not reconnect a multiplexed connection, and its `ConnectionManager` neither notices a demoted primary
//! nor a black hole. So: a task of ours connects, and connects again when a call says that the connection is lost, that
//! the server became read-only, or when calls in a row time out. A call waits for a connection within its own time, or
//! until another server has taken the place of this one.

use std::{
    sync::{
        Arc,
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
use tokio_util::sync::DropGuard;

use super::{
    StoreError,
    failure::{Failure, explain},
    scripts::Script,
    server,
    servers::Server,
};

/// Calls in a row that may time out before the connection is replaced.
const SLOW_CALLS: u32 = 2;

/// A way to one server that mends itself. Its supervisor ends with it.
pub(super) struct Link {
    current: watch::Receiver<Option<Arc<Live>>>,
    lost: Arc<Notify>,
    timeout: Duration,
    _supervisor: DropGuard,
}

/// One connection in its time.
struct Live {
    connection: MultiplexedConnection,
    /// No script was answered on it yet: the next one checks the server's identity whatever it checked last.
    fresh: AtomicBool,
    slow: AtomicU32,
    broken: AtomicBool,
}

/// What is asked.
#[derive(Clone, Copy)]
pub(super) enum Work<'a> {
    Script(Call<'a>),
    Command(&'a Cmd),
}

impl Work<'_> {
    /// Asks; `check` is for scripts.
    pub(super) async fn ask<C: redis::aio::ConnectionLike>(
        self,
        connection: &mut C,
        check: bool,
    ) -> Result<Value, RedisError> {
        match self {
            Work::Script(call) => invoke(connection, call, check).await,
            Work::Command(command) => command.query_async(connection).await,
        }
    }
}

/// What a script is called with.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub script: &'a Script,
    pub key: &'a str,
    /// Those that follow `check` in scripts of a type.
    pub args: &'a [&'a [u8]],
    /// Slots can move: a script of a type must find out whether its own does.
    pub clustered: bool,
}

impl Link {
    /// Starts the supervisor and returns at once; calls wait for the connection.
    pub(super) fn start(server: &Server, timeout: Duration) -> Arc<Self> {
        let (sender, current) = watch::channel(None);
        let lost = Arc::new(Notify::new());
        let stop = server.gone().child_token();
        let supervisor = supervise(server.client().clone(), timeout, sender, lost.clone());
        tokio::spawn({
            let stop = stop.clone();
            async move { stop.run_until_cancelled(supervisor).await }
        });
        Arc::new(Self { current, lost, timeout, _supervisor: stop.drop_guard() })
    }

    /// Asks on the connection.
    ///
    /// # Errors
    /// See [`StoreError`]; by `deadline`. [`Failure::retry`] when it may be tried again.
    pub(super) async fn run(&self, work: Work<'_>, deadline: Instant) -> Result<Value, Failure> {
        let live = self.live(deadline).await?;
        let mut connection = live.connection.clone();
        let check = live.fresh.load(Ordering::Relaxed);
        match tokio::time::timeout_at(deadline, work.ask(&mut connection, check)).await {
            Err(_) => {
                if live.slow.fetch_add(1, Ordering::Relaxed) + 1 >= SLOW_CALLS {
                    self.replace(&live);
                }
                Err(Failure::silence(self.timeout))
            }
            Ok(Ok(value)) => {
                live.slow.store(0, Ordering::Relaxed);
                if matches!(work, Work::Script(_)) {
                    live.fresh.store(false, Ordering::Relaxed);
                }
                Ok(value)
            }
            Ok(Err(error)) => {
                let failure = Failure::of(&error);
                if failure.lost {
                    self.replace(&live);
                } else {
                    live.slow.store(0, Ordering::Relaxed);
                }
                Err(failure)
            }
        }
    }

    async fn live(&self, deadline: Instant) -> Result<Arc<Live>, Failure> {
        let mut current = self.current.clone();
        let usable = current.wait_for(|live| live.as_ref().is_some_and(|l| !l.broken.load(Ordering::Relaxed)));
        let unreached = |why: &str| Failure::unreached(StoreError::Unreachable(why.to_owned()));
        match tokio::time::timeout_at(deadline, usable).await {
            Ok(Ok(live)) => live.clone().ok_or_else(|| unreached("no connection")),
            Ok(Err(_)) => Err(unreached("another server has taken its place")),
            Err(_) => Err(unreached(&format!("no connection within {:?}", self.timeout))),
        }
    }

    fn replace(&self, live: &Live) {
        if !live.broken.swap(true, Ordering::Relaxed) {
            self.lost.notify_one();
        }
    }
}

/// Keeps a connection in `sender`, for ever.
async fn supervise(client: Client, timeout: Duration, sender: watch::Sender<Option<Arc<Live>>>, lost: Arc<Notify>) {
    let mut pause = Duration::ZERO;
    let mut failed = false;
    let address = client.get_connection_info().addr().to_string();
    loop {
        match connect(&client, timeout).await {
            Ok(connection) => {
                if failed {
                    tracing::info!(address, "Redis is reached again");
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
                    tracing::warn!(address, %error, "Redis cannot be reached; trying on");
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
        // Also a server that was put in the place of a good one later, and one that is no primary any more.
        server::check(&mut connection).await?;
        Ok(connection)
    };
    tokio::time::timeout(timeout, connect).await.unwrap_or(Err(StoreError::Timeout(timeout)))
}

/// EVALSHA, and EVAL when the server does not know the script (any more).
pub(super) async fn invoke<C: redis::aio::ConnectionLike>(
    connection: &mut C,
    call: Call<'_>,
    check: bool,
) -> Result<Value, RedisError> {
    let Call { script, key, args, clustered } = call;
    let of_a_type = script.args.first() == Some(&"check");
    let command = |verb: &str, what: &str| {
        let mut cmd = Cmd::with_capacity(args.len() + 5, 0);
        cmd.arg(verb).arg(what).arg(1).arg(key);
        if of_a_type {
            cmd.arg(match (check, clustered) {
                (false, false) => "0",
                (true, false) => "1",
                (false, true) => "2",
                (true, true) => "3",
            });
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
