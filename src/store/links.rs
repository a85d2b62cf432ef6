//! One worker's links: one to each server.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use redis::Value;
use tokio::time::Instant;

use super::{
    connection::{Link, Work},
    failure::Failure,
    servers::{Server, Servers},
};

/// The links, made when they are first needed, in the runtime that needs them.
pub(super) struct Links {
    open: ArcSwap<Vec<(Arc<Server>, Arc<Link>)>>,
    change: Mutex<()>,
    timeout: Duration,
}

impl Links {
    /// With links to the servers that are known already.
    pub(super) fn start(servers: &Servers, timeout: Duration) -> Self {
        let links = Self { open: ArcSwap::default(), change: Mutex::new(()), timeout };
        for server in servers.known() {
            links.to(servers, &server);
        }
        links
    }

    /// Asks this server.
    ///
    /// # Errors
    /// See [`Link::run`].
    pub(super) async fn run(
        &self,
        servers: &Servers,
        server: &Arc<Server>,
        work: Work<'_>,
        deadline: Instant,
    ) -> Result<Value, Failure> {
        let link = self.to(servers, server);
        link.run(work, deadline).await
    }

    fn to(&self, servers: &Servers, server: &Arc<Server>) -> Arc<Link> {
        let find = |open: &[(Arc<Server>, Arc<Link>)]| {
            open.iter().find(|(known, _)| Arc::ptr_eq(known, server)).map(|(_, link)| link.clone())
        };
        if let Some(link) = find(&self.open.load()) {
            return link;
        }
        let _alone = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let open = self.open.load_full();
        if let Some(link) = find(&open) {
            return link;
        }
        let link = Link::start(server, self.timeout);
        let current = servers.known();
        let mut kept = vec![(server.clone(), link.clone())];
        kept.extend(open.iter().filter(|(known, _)| current.iter().any(|now| Arc::ptr_eq(now, known))).cloned());
        self.open.store(Arc::new(kept));
        link
    }
}
