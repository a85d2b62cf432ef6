//! Changes as the API server tells of them, by a watch of each scope.

use std::{future::ready, sync::Arc, time::Duration};

use futures_util::{
    Stream, StreamExt as _, TryFutureExt as _,
    stream::{self, BoxStream},
};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    core::Status,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event},
    },
};

use super::{
    KubernetesProvider,
    connect::{Connection, Question, Scope, withheld},
    known::Place,
    kubevirt::Machine,
    object::{Kind, Lent},
};
use crate::{
    model::ContainerId,
    provider::{Change, ProviderError},
};

/// While it lives, what is known is what the watches say. A closure that named its field would hold that alone, and not this.
struct Watching<'a>(&'a KubernetesProvider);

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.0.known().begin(0);
    }
}

/// Between two tries to watch what was withheld though nothing is known to be missing.
const WITHHELD_PAUSE: Duration = Duration::from_secs(10);

impl KubernetesProvider {
    /// Which objects something happened to. What that is, is known by then.
    pub(super) fn changes(&self) -> impl Stream<Item = Result<Change, ProviderError>> + Send {
        self.connect().map_ok(|connection| self.watched(&connection)).try_flatten_stream()
    }

    fn watched(&self, connection: &Arc<Connection>) -> BoxStream<'_, Result<Change, ProviderError>> {
        let scopes = self.scopes(connection);
        self.known().begin(scopes.len());
        let watching = Watching(self);
        let watches = scopes.into_iter().enumerate().map(|(at, scope)| match scope.kind {
            Kind::Pod => self.watch_of::<Pod>(connection.clone(), at, scope).boxed(),
            Kind::Machine => self.machine_watch(at, scope).boxed(),
        });
        let told = stream::select_all(watches);
        told.flat_map(move |ids| {
            let _ = &watching;
            let changes: Vec<_> = match ids {
                Ok(ids) => ids.into_iter().map(|id| Ok(Change { id })).collect(),
                Err(error) => vec![Err(error)],
            };
            stream::iter(changes)
        })
        .boxed()
    }

    /// Watches virtual machines while the cluster has them and the account may. Until then, and when that ends, nothing is told: pods
    /// go on.
    fn machine_watch(&self, at: usize, scope: Scope) -> impl Stream<Item = Result<Vec<ContainerId>, ProviderError>> {
        let ready_for = scope.clone();
        let connections = stream::iter(0_u64..).then(move |round| {
            let scope = ready_for.clone();
            async move {
                if round > 0 {
                    self.known().end(at);
                    tokio::time::sleep(WITHHELD_PAUSE).await;
                    self.connect().await?;
                }
                Ok(self.connected_for(&scope).await)
            }
        });
        connections.flat_map(move |connection| match connection {
            Ok(connection) => self.watch_of::<Machine>(connection, at, scope.clone()).left_stream(),
            Err(error) => stream::iter([Err(error)]).right_stream(),
        })
    }

    /// The watch of a scope, which ends when it is withheld.
    fn watch_of<K: Lent>(
        &self,
        connection: Arc<Connection>,
        at: usize,
        scope: Scope,
    ) -> impl Stream<Item = Result<Vec<ContainerId>, ProviderError>> {
        let settings = watcher::Config::default().labels(&scope.selector);
        let events = watcher::watcher(connection.objects::<K>(scope.namespace.as_deref()), settings).default_backoff();
        let offered = |event: &Result<Event<K>, watcher::Error>| {
            let refusal = event.as_ref().err().and_then(refusal);
            ready(!refusal.is_some_and(|status| withheld(K::KIND, status)))
        };
        events.take_while(offered).filter_map(move |event| {
            ready(match event {
                Ok(event) => Some(Ok(self.changed(at, event))),
                Err(error) => told(&connection, &scope, &error).map(Err),
            })
        })
    }

    /// Takes in what the watch of a scope told, and says which objects that is about.
    fn changed<K: Lent>(&self, scope: usize, event: Event<K>) -> Vec<ContainerId> {
        match event {
            Event::Init => {
                self.known().relist(scope);
                Vec::new()
            }
            Event::InitApply(object) | Event::Apply(object) => {
                let Some((id, place)) = Place::of(&object, scope) else { return Vec::new() };
                let observation = self.observe(&object);
                self.known().saw(&id, place, observation);
                vec![id]
            }
            Event::Delete(object) => {
                let Some((id, _)) = Place::of(&object, scope) else { return Vec::new() };
                self.known().lost(scope, &id);
                vec![id]
            }
            Event::InitDone => self.known().listed(scope),
        }
    }
}

/// What the API server answered.
fn refusal(error: &watcher::Error) -> Option<&Status> {
    use watcher::Error;
    match error {
        Error::WatchError(status)
        | Error::InitialListFailed(kube::Error::Api(status))
        | Error::WatchStartFailed(kube::Error::Api(status))
        | Error::WatchFailed(kube::Error::Api(status)) => Some(status),
        _ => None,
    }
}

/// The error in our words; none for what a watch mends by itself: that it was away for so long that it must list anew.
fn told(connection: &Connection, scope: &Scope, error: &watcher::Error) -> Option<ProviderError> {
    use watcher::Error;
    let question = |verb| Question { verb, resource: scope.kind.resource(), namespace: scope.namespace.as_deref() };
    Some(match error {
        Error::WatchError(status) if status.code == 410 => return None,
        Error::WatchError(status) => connection.refusal(question("watch"), status),
        Error::InitialListFailed(kube::Error::Api(status)) if status.code == 410 => return None,
        Error::InitialListFailed(error) => connection.explain(question("list"), error),
        Error::WatchStartFailed(error) | Error::WatchFailed(error) => connection.explain(question("watch"), error),
        Error::NoResourceVersion => ProviderError::Refused(error.to_string()),
    })
}
