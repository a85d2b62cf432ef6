//! Deployments and StatefulSets, as far as they are the same: their names, and whether they are what they are to be.

use std::{collections::BTreeMap, fmt};

use k8s_openapi::{
    api::apps::v1::{Deployment, DeploymentCondition, StatefulSet},
    apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta},
};

use crate::provider::Progress;

/// What can be resized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Deployment,
    StatefulSet,
}

impl Sort {
    const ALL: [Self; 2] = [Self::Deployment, Self::StatefulSet];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
        }
    }

    pub(super) fn resource(self) -> &'static str {
        match self {
            Self::Deployment => "deployments.apps",
            Self::StatefulSet => "statefulsets.apps",
        }
    }

    pub(super) fn scale(self) -> &'static str {
        match self {
            Self::Deployment => "deployments.apps/scale",
            Self::StatefulSet => "statefulsets.apps/scale",
        }
    }
}

/// Where a workload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) sort: Sort,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.sort.word(), self.namespace, self.name)
    }
}

impl Named {
    /// All that a name may mean: it may say its sort and its namespace, and else is looked for in these.
    pub(super) fn read(text: &str, namespaces: &[Option<String>]) -> Vec<Self> {
        let said =
            Sort::ALL.into_iter().find_map(|sort| Some((sort, text.strip_prefix(sort.word())?.strip_prefix(' ')?)));
        let (sorts, path) = said.map_or((Sort::ALL.to_vec(), text), |(sort, path)| (vec![sort], path));
        let (places, name) = match path.split_once('/') {
            Some((namespace, name)) => (vec![namespace.to_owned()], name),
            None => (namespaces.iter().flatten().cloned().collect(), path),
        };
        let in_place = |namespace: &String| {
            let (namespace, name) = (namespace.clone(), name.to_owned());
            sorts.clone().into_iter().map(move |sort| Self { sort, namespace: namespace.clone(), name: name.clone() })
        };
        places.iter().flat_map(in_place).collect()
    }
}

/// What a Deployment and a StatefulSet have in common.
pub(super) struct Set {
    pub(super) named: Named,
    pub(super) metadata: ObjectMeta,
    pub(super) replicas: i32,
    pub(super) selector: LabelSelector,
    pub(super) template: BTreeMap<String, String>,
    pub(super) progress: Progress,
    /// The number of its first pod.
    pub(super) first: i32,
    /// It has fewer pods than it is to have, since some are refused: a quota.
    pub(super) falls_short: bool,
}

impl From<Deployment> for Set {
    fn from(found: Deployment) -> Self {
        let (spec, status) = (found.spec.unwrap_or_default(), found.status.unwrap_or_default());
        let (replicas, has) = (spec.replicas.unwrap_or(1), status.replicas.unwrap_or(0));
        let refused =
            |condition: &DeploymentCondition| condition.type_ == "ReplicaFailure" && condition.status == "True";
        let falls_short = has < replicas && status.conditions.iter().flatten().any(refused);
        let progress = unseen(&found.metadata, status.observed_generation)
            .or_else(|| rolling(status.updated_replicas, has))
            .or_else(|| on_its_way(has, if falls_short { has } else { replicas }))
            .unwrap_or(Progress::Settled);
        Self {
            named: Named::of(Sort::Deployment, &found.metadata),
            metadata: found.metadata,
            replicas,
            selector: spec.selector,
            template: spec.template.metadata.and_then(|metadata| metadata.labels).unwrap_or_default(),
            progress,
            first: 0,
            falls_short,
        }
    }
}

impl From<StatefulSet> for Set {
    fn from(found: StatefulSet) -> Self {
        let (spec, status) = (found.spec.unwrap_or_default(), found.status.unwrap_or_default());
        let (replicas, has) = (spec.replicas.unwrap_or(1), status.replicas);
        let two = status.current_revision != status.update_revision;
        let two = || two.then(|| Progress::RollingOut("not all of its pods are of its newest revision".to_owned()));
        let progress = unseen(&found.metadata, status.observed_generation)
            .or_else(two)
            .or_else(|| rolling(status.updated_replicas, has))
            .or_else(|| on_its_way(has, replicas))
            .unwrap_or(Progress::Settled);
        Self {
            named: Named::of(Sort::StatefulSet, &found.metadata),
            metadata: found.metadata,
            replicas,
            selector: spec.selector,
            template: spec.template.metadata.and_then(|metadata| metadata.labels).unwrap_or_default(),
            progress,
            first: spec.ordinals.and_then(|ordinals| ordinals.start).unwrap_or(0),
            falls_short: false,
        }
    }
}

fn unseen(metadata: &ObjectMeta, observed: Option<i64>) -> Option<Progress> {
    let unseen = metadata.generation.unwrap_or(0) > observed.unwrap_or(0);
    unseen.then(|| Progress::Resizing("its controller has not seen its last change yet".to_owned()))
}

fn rolling(updated: Option<i32>, has: i32) -> Option<Progress> {
    let updated = updated.unwrap_or(0);
    let told = || format!("{updated} of its {has} pods are of its newest template");
    (updated != has).then(|| Progress::RollingOut(told()))
}

fn on_its_way(has: i32, replicas: i32) -> Option<Progress> {
    (has != replicas).then(|| Progress::Resizing(format!("it has {has} pods and is to have {replicas}")))
}

impl Named {
    fn of(sort: Sort, metadata: &ObjectMeta) -> Self {
        let (namespace, name) = (metadata.namespace.clone(), metadata.name.clone());
        Self { sort, namespace: namespace.unwrap_or_default(), name: name.unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_name_is_looked_for_where_it_may_be_and_what_is_told_is_read_again() {
        let read = |text: &str, namespaces: &[&str]| -> Vec<String> {
            let namespaces: Vec<_> = namespaces.iter().map(|name| Some((*name).to_owned())).collect();
            Named::read(text, &namespaces).iter().map(ToString::to_string).collect()
        };
        assert_eq!(read("wine", &["a"]), ["deployment a/wine", "statefulset a/wine"]);
        assert_eq!(read("statefulset wine", &["a", "b"]), ["statefulset a/wine", "statefulset b/wine"]);
        assert_eq!(read("c/wine", &["a"]), ["deployment c/wine", "statefulset c/wine"]);
        assert_eq!(read("deployment c/wine", &[]), ["deployment c/wine"]);
        assert_eq!(Named::read("wine", &[None]), []);
    }

    #[test]
    fn a_deployment_is_settled_when_its_controller_has_seen_it_and_all_its_pods_are_there_and_new() {
        let progress = |change: &dyn Fn(&mut Value)| {
            let mut value = json!({
                "metadata": {"namespace": "lab", "name": "wine", "generation": 4},
                "spec": {"replicas": 3, "selector": {}, "template": {}},
                "status": {"observedGeneration": 4, "replicas": 3, "updatedReplicas": 3},
            });
            change(&mut value);
            Set::from(serde_json::from_value::<Deployment>(value).unwrap()).progress
        };
        let resizing = |text: &str| Progress::Resizing(text.to_owned());
        assert_eq!(progress(&|_| {}), Progress::Settled);
        let unseen = progress(&|value| value["metadata"]["generation"] = 5.into());
        assert_eq!(unseen, resizing("its controller has not seen its last change yet"));
        let rolling = progress(&|value| value["status"]["updatedReplicas"] = 1.into());
        assert_eq!(rolling, Progress::RollingOut("1 of its 3 pods are of its newest template".to_owned()));
        for (has, told) in [(2, "it has 2 pods and is to have 3"), (4, "it has 4 pods and is to have 3")] {
            let status = json!({"observedGeneration": 4, "replicas": has, "updatedReplicas": has});
            assert_eq!(progress(&|value| value["status"] = status.clone()), resizing(told));
        }
        let refused = json!([{"type": "ReplicaFailure", "status": "True"}]);
        let quota = json!({"observedGeneration": 4, "replicas": 2, "updatedReplicas": 2, "conditions": refused});
        assert_eq!(progress(&|value| value["status"] = quota.clone()), Progress::Settled, "more cannot be made");
    }

    #[test]
    fn a_stateful_set_is_settled_when_it_is_of_one_revision_and_has_all_its_pods() {
        let progress = |revision: &str, has: i32| {
            let value = json!({
                "metadata": {"namespace": "lab", "name": "wine", "generation": 1},
                "spec": {"replicas": 3, "selector": {}, "template": {}, "serviceName": "wine"},
                "status": {"observedGeneration": 1, "replicas": has, "updatedReplicas": has, "currentRevision": "a",
                    "updateRevision": revision},
            });
            Set::from(serde_json::from_value::<StatefulSet>(value).unwrap()).progress
        };
        assert_eq!(progress("a", 3), Progress::Settled);
        assert!(matches!(progress("b", 3), Progress::RollingOut(_)));
        assert_eq!(progress("a", 2), Progress::Resizing("it has 2 pods and is to have 3".to_owned()));
    }
}
