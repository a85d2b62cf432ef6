//! Changes as the API server tells of them, by a watch of each scope.

use std::sync::Arc;

use futures_util::{
    Stream, StreamExt as _, TryFutureExt as _,
    stream::{self, BoxStream},
};
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::{
    WatchStreamExt as _,
    watcher::{self, Event},
};

use super::{
    KubernetesProvider,
    connect::{Connection, Question, Scope},
    known::Place,
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

impl Watching<'_> {
    /// Takes in what the watch of a scope told, and says which pods that is about.
    fn changed(&self, scope: usize, event: Event<Pod>) -> Vec<ContainerId> {
        match event {
            Event::Init => {
                self.0.known().relist(scope);
                Vec::new()
            }
            Event::InitApply(pod) | Event::Apply(pod) => {
                let Some((id, place)) = Place::of(&pod, scope) else { return Vec::new() };
                let observation = self.0.observe(&pod);
                self.0.known().saw(&id, place, observation);
                vec![id]
            }
            Event::Delete(pod) => {
                let Some((id, _)) = Place::of(&pod, scope) else { return Vec::new() };
                self.0.known().lost(scope, &id);
                vec![id]
            }
            Event::InitDone => self.0.known().listed(scope),
        }
    }
}

impl KubernetesProvider {
    /// Which pods something happened to. What that is, is known by then.
    pub(super) fn changes(&self) -> impl Stream<Item = Result<Change, ProviderError>> + Send {
        self.connect().map_ok(|connection| self.watched(&connection)).try_flatten_stream()
    }

    fn watched(&self, connection: &Arc<Connection>) -> BoxStream<'_, Result<Change, ProviderError>> {
        let scopes = self.scopes(connection);
        self.known().begin(scopes.len());
        let watching = Watching(self);
        let watches = scopes.into_iter().enumerate().map(|(at, scope)| {
            let settings = watcher::Config::default().labels(&scope.selector);
            let events = watcher::watcher(connection.pods(scope.namespace.as_deref()), settings).default_backoff();
            let connection = connection.clone();
            let taken = move |event: Result<Event<Pod>, watcher::Error>| {
                let told = event.map_or_else(|error| told(&connection, &scope, &error), |event| Some(Ok(event)));
                std::future::ready(told.map(|event| (at, event)))
            };
            events.filter_map(taken).boxed()
        });
        let events = stream::select_all(watches);
        events
            .flat_map(move |(at, event)| {
                let changes = event.map(|event| watching.changed(at, event));
                let changes: Vec<_> = match changes {
                    Ok(ids) => ids.into_iter().map(|id| Ok(Change { id })).collect(),
                    Err(error) => vec![Err(error)],
                };
                stream::iter(changes)
            })
            .boxed()
    }
}

/// The error in our words; none for what a watch mends by itself: that it was away for so long that it must list anew.
fn told<T>(connection: &Connection, scope: &Scope, error: &watcher::Error) -> Option<Result<T, ProviderError>> {
    use watcher::Error;
    let question = |verb| Question { verb, resource: "pods", namespace: scope.namespace.as_deref() };
    Some(Err(match error {
        Error::WatchError(status) if status.code == 410 => return None,
        Error::WatchError(status) => connection.refusal(question("watch"), status),
        Error::InitialListFailed(kube::Error::Api(status)) if status.code == 410 => return None,
        Error::InitialListFailed(error) => connection.explain(question("list"), error),
        Error::WatchStartFailed(error) | Error::WatchFailed(error) => connection.explain(question("watch"), error),
        Error::NoResourceVersion => ProviderError::Refused(error.to_string()),
    }))
}
