//! Marks on pods, by which those that scale down take idle ones before leased ones.

use futures_util::{TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Resource,
    api::{Patch, PatchParams},
};
use serde_json::json;

use super::{
    KubernetesProvider,
    connect::{Connection, Question},
    known::Place,
    object::Kind,
};
use crate::{
    model::{ContainerId, Keep},
    provider::ProviderError,
};

/// A ReplicaSet that gets smaller takes those with the lowest first, of pods that are equally ready.
const COST: &str = "controller.kubernetes.io/pod-deletion-cost";
/// Whether the cluster autoscaler may end it to empty a node.
const EVICT: &str = "cluster-autoscaler.kubernetes.io/safe-to-evict";

/// Pods that are marked at a time.
const AT_ONCE: usize = 8;
/// The most that are marked at one go, so that what is said of them is not old.
const MOST: usize = 256;

/// Deletion cost, and whether it may be evicted.
fn marks(keep: Keep) -> (&'static str, &'static str) {
    match keep {
        Keep::Leased => ("1000", "false"),
        Keep::Idle => ("-1000", "true"),
        Keep::Leaving => ("-2000", "true"),
    }
}

/// What the pod's marks say; none when they are not ours.
pub(super) fn marked(pod: &impl Resource) -> Option<Keep> {
    let annotations = pod.meta().annotations.as_ref()?;
    let said = (annotations.get(COST)?.as_str(), annotations.get(EVICT)?.as_str());
    [Keep::Leased, Keep::Leaving, Keep::Idle].into_iter().find(|keep| marks(*keep) == said)
}

impl KubernetesProvider {
    /// Marks those of these pods whose marks, as last seen, say something else.
    pub(super) async fn mark(&self, keeps: &[(ContainerId, Keep)]) -> Result<(), ProviderError> {
        let connection = self.connection().await?;
        let wrong: Vec<_> = {
            let known = self.known();
            let places = keeps.iter().filter_map(|(id, keep)| Some((id, known.place(id)?, *keep)));
            // What scales virtual machines down knows no such marks.
            let pods = places.filter(|(_, place, _)| place.kind == Kind::Pod);
            let wrong = pods.filter(|(_, place, keep)| place.marked != Some(*keep));
            wrong
                .filter(|(_, place, _)| connection.permit("patch", "pods", &place.namespace).is_ok())
                .take(MOST)
                .collect()
        };
        stream::iter(wrong.into_iter().map(Ok))
            .try_for_each_concurrent(AT_ONCE, |(id, place, keep)| self.mark_one(&connection, id, place, keep))
            .await
    }

    async fn mark_one(
        &self,
        connection: &Connection,
        id: &ContainerId,
        place: Place,
        keep: Keep,
    ) -> Result<(), ProviderError> {
        let question = Question { verb: "patch", resource: "pods", namespace: Some(&place.namespace) };
        let (cost, evict) = marks(keep);
        // Another pod that has the name by now has another uid, and stays as it is.
        let patch = Patch::Merge(json!({"metadata": {"uid": id.as_str(), "annotations": {COST: cost, EVICT: evict}}}));
        let pods = connection.objects::<Pod>(question.namespace);
        let asked = async {
            match pods.patch(&place.name, &PatchParams::default(), &patch).await {
                Err(kube::Error::Api(status)) if [404, 409, 422].contains(&status.code) => Ok(None),
                other => other.map(Some),
            }
        };
        if let Some((id, place)) =
            connection.answer(question, asked).await?.and_then(|pod| Place::of(&pod, place.scope))
        {
            self.known().keep(&id, place);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_read_again_and_others_marks_are_not_ours() {
        let pod = |annotations: serde_json::Value| {
            serde_json::from_value::<Pod>(json!({"metadata": {"annotations": annotations}})).unwrap()
        };
        for keep in [Keep::Leased, Keep::Idle, Keep::Leaving] {
            let (cost, evict) = marks(keep);
            assert_eq!(marked(&pod(json!({COST: cost, EVICT: evict, "other": "1"}))), Some(keep));
        }
        assert_eq!(marked(&pod(json!({COST: "1000"}))), None);
        assert_eq!(marked(&pod(json!({COST: "1000", EVICT: "true"}))), None);
        assert_eq!(marked(&pod(json!({}))), None);
    }
}
