//! Looks at pods and virtual machines: at all of them, and at one.

use std::sync::Arc;

use futures_util::future::try_join_all;
use k8s_openapi::api::core::v1::Pod;

use super::{
    KubernetesProvider,
    connect::{Connection, Question, Scope},
    known::{Found, Place},
    kubevirt::Machine,
    object::{Kind, Lent},
};
use crate::{
    model::{ContainerId, Observation},
    provider::ProviderError,
};

impl KubernetesProvider {
    pub(super) async fn look(&self) -> Result<Vec<Observation>, ProviderError> {
        let connection = self.connection().await?;
        let scopes = self.scopes(&connection);
        let mut found = Found::new();
        for (at, list) in listed::<Pod>(&connection, &scopes).await? {
            found.extend(self.observed(at, list.into_iter().flatten()));
        }
        found.extend(self.machines(&connection).await?);
        self.settle_doubts(&connection, &mut found).await?;
        self.complained().retain(|uid| uid.parse().is_ok_and(|id: ContainerId| found.contains_key(&id)));
        self.known().replace(&found);
        Ok(found.into_values().filter_map(|(_, observation)| observation).collect())
    }

    fn observed<K: Lent>(&self, scope: usize, objects: impl Iterator<Item = K>) -> Found {
        let one = |object: K| Place::of(&object, scope).map(|(id, place)| (id, (place, self.observe(&object))));
        objects.filter_map(one).collect()
    }

    /// The virtual machines, where there are some. KubeVirt may have come since the last look, and the right to list them come or gone:
    /// that is news, and without the right they are as they were.
    async fn machines(&self, connection: &Arc<Connection>) -> Result<Found, ProviderError> {
        let mut connection = connection.clone();
        if !connection.machines {
            if !connection.has_machines(false).await? {
                return Ok(Found::new());
            }
            connection = self.connect().await?;
        }
        let scopes = self.scopes(&connection);
        let lists = listed::<Machine>(&connection, &scopes).await?;
        if lists.iter().any(|(at, list)| list.is_some() != connection.permits("list", &scopes[*at])) {
            connection = self.connect().await?;
        }
        if !connection.machines {
            return Ok(Found::new());
        }
        let mut found = Found::new();
        for (at, list) in lists {
            found.extend(match list {
                Some(list) => self.observed(at, list.into_iter()),
                None => self.known().remembered(at),
            });
        }
        Ok(found)
    }

    /// A list may be older than what the watch knows: what that does not know may have gone since, and nothing would tell of it any
    /// more. So it is looked at.
    async fn settle_doubts(&self, connection: &Connection, found: &mut Found) -> Result<(), ProviderError> {
        let doubtful: Vec<_> = {
            let known = self.known();
            let listed = found.iter().filter(|(id, (place, _))| known.doubts(place.scope, id));
            listed.map(|(id, (place, _))| (id.clone(), place.clone())).collect()
        };
        for (id, place) in doubtful {
            match self.observation_at(connection, &id, &place).await {
                Ok(observation) => {
                    found.insert(id, (place, observation));
                }
                Err(ProviderError::Gone) => {
                    found.remove(&id);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// As the watch last saw it, which is never before the event that made somebody ask; else as it is now.
    pub(super) async fn look_at(&self, id: &ContainerId) -> Result<Option<Observation>, ProviderError> {
        if let Some(seen) = self.known().seen(id) {
            return Ok(seen.observation.clone());
        }
        let connection = self.connection().await?;
        let looked = match self.place(id).await {
            Ok(place) => self.observation_at(&connection, id, &place).await,
            Err(error) => Err(error),
        };
        match looked {
            Err(ProviderError::Gone) => Ok(None),
            other => other,
        }
    }

    async fn observation_at(
        &self,
        connection: &Connection,
        id: &ContainerId,
        at: &Place,
    ) -> Result<Option<Observation>, ProviderError> {
        Ok(match at.kind {
            Kind::Pod => self.observe(&self.at::<Pod>(connection, id, at).await?),
            Kind::Machine => self.observe(&self.at::<Machine>(connection, id, at).await?),
        })
    }

    /// Where it is.
    ///
    /// # Errors
    /// [`ProviderError::Gone`] when no look finds it.
    pub(super) async fn place(&self, id: &ContainerId) -> Result<Place, ProviderError> {
        let mut place = self.known().place(id);
        if place.is_none() {
            self.look().await?;
            place = self.known().place(id);
        }
        place.ok_or(ProviderError::Gone)
    }

    /// The pod as it is now, wherever it is.
    ///
    /// # Errors
    /// [`ProviderError::Gone`] when there is none of this uid, also where another one has its name.
    pub(super) async fn pod(&self, connection: &Connection, id: &ContainerId) -> Result<Pod, ProviderError> {
        let place = self.place(id).await?;
        match place.kind {
            Kind::Pod => self.at(connection, id, &place).await,
            Kind::Machine => Err(ProviderError::NotSupported("a virtual machine is no pod")),
        }
    }

    /// The object as it is now at its place; see [`Self::pod`].
    pub(super) async fn at<K: Lent>(
        &self,
        connection: &Connection,
        id: &ContainerId,
        at: &Place,
    ) -> Result<K, ProviderError> {
        let question = Question { verb: "get", resource: K::KIND.resource(), namespace: Some(&at.namespace) };
        let objects = connection.objects::<K>(question.namespace);
        let object = connection.answer(question, objects.get(&at.name)).await?;
        match Place::of(&object, at.scope) {
            Some((found, place)) if found == *id => {
                self.known().keep(id, place);
                Ok(object)
            }
            _ => Err(ProviderError::Gone),
        }
    }
}

/// All objects of a kind, by their scopes; none for a scope that is withheld.
async fn listed<K: Lent>(
    connection: &Connection,
    scopes: &[Scope],
) -> Result<Vec<(usize, Option<Vec<K>>)>, ProviderError> {
    let of_kind = scopes.iter().enumerate().filter(|(_, scope)| scope.kind == K::KIND);
    try_join_all(of_kind.map(|(at, scope)| async move { Ok((at, connection.all(scope).await?)) })).await
}
