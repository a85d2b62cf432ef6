//! Looks at pods: at all of them, and at one.

use std::collections::HashMap;

use futures_util::future::try_join_all;
use k8s_openapi::api::core::v1::Pod;

use super::{
    KubernetesProvider,
    connect::{Connection, Question},
    known::Place,
};
use crate::{
    model::{ContainerId, Observation},
    provider::ProviderError,
};

impl KubernetesProvider {
    pub(super) async fn look(&self) -> Result<Vec<Observation>, ProviderError> {
        let connection = self.connection().await?;
        let scopes = self.scopes(&connection);
        let lists = try_join_all(scopes.iter().map(|scope| connection.all(scope))).await?;
        let mut pods: HashMap<ContainerId, (Place, Pod)> = HashMap::new();
        for (scope, list) in lists.into_iter().enumerate() {
            pods.extend(
                list.into_iter().filter_map(|pod| Place::of(&pod, scope).map(|(id, place)| (id, (place, pod)))),
            );
        }
        self.settle_doubts(&connection, &mut pods).await?;
        self.complained().retain(|uid| uid.parse().is_ok_and(|id: ContainerId| pods.contains_key(&id)));
        self.known().replace(pods.iter().map(|(id, (place, _))| (id.clone(), place.clone())).collect());
        Ok(pods.into_values().filter_map(|(_, pod)| self.observe(&pod)).collect())
    }

    /// A list may be older than what the watch knows: what that does not know may have gone since, and nothing would tell of it any
    /// more. So it is looked at.
    async fn settle_doubts(
        &self,
        connection: &Connection,
        pods: &mut HashMap<ContainerId, (Place, Pod)>,
    ) -> Result<(), ProviderError> {
        let doubtful: Vec<_> = {
            let known = self.known();
            let listed = pods.iter().filter(|(id, (place, _))| known.doubts(place.scope, id));
            listed.map(|(id, (place, _))| (id.clone(), place.clone())).collect()
        };
        for (id, place) in doubtful {
            match self.pod_at(connection, &id, &place).await {
                Ok(pod) => {
                    pods.insert(id, (place, pod));
                }
                Err(ProviderError::Gone) => {
                    pods.remove(&id);
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
        match self.pod(&connection, id).await {
            Ok(pod) => Ok(self.observe(&pod)),
            Err(ProviderError::Gone) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The pod as it is now, wherever it is.
    ///
    /// # Errors
    /// [`ProviderError::Gone`] when there is none of this uid, also where another one has its name.
    pub(super) async fn pod(&self, connection: &Connection, id: &ContainerId) -> Result<Pod, ProviderError> {
        let mut place = self.known().place(id);
        if place.is_none() {
            self.look().await?;
            place = self.known().place(id);
        }
        self.pod_at(connection, id, &place.ok_or(ProviderError::Gone)?).await
    }

    async fn pod_at(&self, connection: &Connection, id: &ContainerId, at: &Place) -> Result<Pod, ProviderError> {
        let question = Question { verb: "get", resource: "pods", namespace: Some(&at.namespace) };
        let pods = connection.pods(question.namespace);
        let pod = connection.answer(question, pods.get(&at.name)).await?;
        match Place::of(&pod, at.scope) {
            Some((found, place)) if found == *id => {
                self.known().keep(id, place);
                Ok(pod)
            }
            _ => Err(ProviderError::Gone),
        }
    }
}
