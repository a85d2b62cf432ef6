//! The one way into a Redis server that others are told of: through it, clients, replication and sentinels are told apart, each on a wire of
//! its own.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_util::task::AbortOnDropHandle;

use super::network::{NOWHERE, Named};
use crate::common::wire::Wire;

/// What a server that wants to replicate says first. Clients say more than this at once.
const REPLICA: &[u8] = b"*1\r\n$4\r\nPING\r\n";

/// A part of how a sentinel introduces itself.
const SENTINEL: &[u8] = b"sentinel-";

/// The ways through a door.
pub struct Wires {
    pub clients: Wire,
    pub replication: Wire,
    pub sentinels: Wire,
}

/// A door of one server.
pub struct Door {
    at: SocketAddr,
    wires: std::sync::Arc<Wires>,
    _task: AbortOnDropHandle<()>,
}

impl Door {
    /// One that leads nowhere yet: a server must be told of its door before it starts.
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let at = listener.local_addr().expect("its address");
        let wires = std::sync::Arc::new(Wires {
            clients: Wire::to_tcp(NOWHERE).await,
            replication: Wire::to_tcp(NOWHERE).await,
            sentinels: Wire::to_tcp(NOWHERE).await,
        });
        let ways = wires.clone();
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let ways = ways.clone();
                tokio::spawn(async move { pass(near, &ways).await });
            }
        });
        Self { at, wires, _task: AbortOnDropHandle::new(task) }
    }

    /// Where the server is.
    pub fn lead_to(&self, server: SocketAddr) {
        for wire in [&self.wires.clients, &self.wires.replication, &self.wires.sentinels] {
            wire.lead_to(server);
        }
    }

    pub fn at(&self) -> SocketAddr {
        self.at
    }

    pub fn wires(&self) -> &Wires {
        &self.wires
    }

    /// Those wires that a partition cuts from time to time.
    pub fn named(&self, node: usize) -> [Named<'_>; 3] {
        let named = |who, wire| Named { name: format!("{who} - redis {node}"), wire };
        let Wires { clients, replication, sentinels } = &*self.wires;
        [named("replicas", clients), named("replication", replication), named("sentinels", sentinels)]
    }
}

/// Leads one connection through the wire of its kind.
async fn pass(mut near: TcpStream, wires: &Wires) {
    let mut first = vec![0; 4096];
    let Ok(count @ 1..) = near.read(&mut first).await else { return };
    let first = &first[..count];
    let wire = if first == REPLICA {
        &wires.replication
    } else if first.windows(SENTINEL.len()).any(|part| part == SENTINEL) {
        &wires.sentinels
    } else {
        &wires.clients
    };
    let Ok(mut far) = TcpStream::connect(wire.at()).await else { return };
    if far.write_all(first).await.is_ok() {
        // Either end may go at any time.
        let _ = copy_bidirectional(&mut near, &mut far).await;
    }
}
