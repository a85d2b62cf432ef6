//! Calls on a server's pool of connections: what is slow or rare.

use deadpool_redis::{Connection, PoolError};
use redis::{Cmd, Value};
use tokio::time::Instant;

use super::{
    StoreError,
    connection::{Call, invoke},
    failure::{Failure, explain},
    servers::Server,
};

/// A connection to this server.
///
/// # Errors
/// None could be had.
pub(super) async fn connection(server: &Server) -> Result<Connection, StoreError> {
    server.slow().get().await.map_err(|error| match error {
        PoolError::Backend(error) => explain(&error),
        other => StoreError::Unreachable(other.to_string()),
    })
}

/// What is asked.
#[derive(Clone, Copy)]
pub(super) enum Work<'a> {
    Script(Call<'a>),
    Command(&'a Cmd),
}

/// Asks.
///
/// # Errors
/// See [`StoreError`]; by `deadline`.
pub(super) async fn run(server: &Server, work: Work<'_>, deadline: Instant) -> Result<Value, Failure> {
    let began = Instant::now();
    let asked = async {
        let mut connection = connection(server).await.map_err(Failure::unreached)?;
        let answer = match work {
            Work::Script(call) => invoke(&mut connection, call, true).await,
            Work::Command(command) => command.query_async(&mut connection).await,
        };
        let answer = answer.map_err(|error| Failure::of(&error));
        if answer.as_ref().is_err_and(|failure| failure.lost) {
            // Also one to a server that became read-only: its name may lead to another one by now.
            let _ = Connection::take(connection);
        }
        answer
    };
    tokio::time::timeout_at(deadline, asked).await.unwrap_or_else(|_| Err(Failure::silence(deadline - began)))
}
