//! Calls on a server's pool of connections: what is slow or rare.

use std::future::Future;

use deadpool_redis::{Connection, Pool, PoolError};
use redis::Value;
use tokio::time::Instant;

use super::{
    StoreError,
    connection::Work,
    failure::{Failure, explain},
    servers::Server,
};

/// A connection of this pool.
///
/// # Errors
/// None could be had.
pub(super) async fn connection(pool: &Pool) -> Result<Connection, StoreError> {
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => explain(&error),
        other => StoreError::Unreachable(other.to_string()),
    })
}

/// Asks.
///
/// # Errors
/// See [`StoreError`]; by `deadline`.
pub(super) async fn run(server: &Server, work: Work<'_>, deadline: Instant) -> Result<Value, Failure> {
    within(deadline, async {
        let mut connection = connection(server.slow()).await.map_err(Failure::unreached)?;
        let answer = work.ask(&mut connection, true).await.map_err(|error| Failure::of(&error));
        put_back(connection, &answer);
        answer
    })
    .await
}

/// Gives a connection back to its pool, unless it is of no use any more; also one to a server that became read-only: its name may
/// lead to another one by now.
pub(super) fn put_back(connection: Connection, answer: &Result<Value, Failure>) {
    if answer.as_ref().is_err_and(|failure| failure.lost) {
        let _ = Connection::take(connection);
    }
}

/// The outcome of `asked`, or silence at the deadline.
pub(super) async fn within(
    deadline: Instant,
    asked: impl Future<Output = Result<Value, Failure>>,
) -> Result<Value, Failure> {
    let began = Instant::now();
    tokio::time::timeout_at(deadline, asked).await.unwrap_or_else(|_| Err(Failure::silence(deadline - began)))
}
