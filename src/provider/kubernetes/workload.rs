//! What makes pods, and how many: which Deployment or StatefulSet a pod belongs to, how it is, and which pods it has.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Debug},
};

use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::{Deployment, ReplicaSet, StatefulSet},
        core::v1::Pod,
    },
    apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta},
};
use kube::{Api, Resource, ResourceExt as _, api::ListParams, core::Selector};
use serde::de::DeserializeOwned;

use super::{
    KubernetesProvider,
    connect::{Connection, Question},
    keep::marked,
    object::{Kind, controller, name, namespace, own_name},
    pod,
};
use crate::{
    model::{ContainerId, TargetType},
    provider::{Member, Progress, Removes, Workload, WorkloadError, WorkloadOf, labels},
};

/// What can be resized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Deployment,
    StatefulSet,
}

impl Sort {
    const ALL: [Self; 2] = [Self::Deployment, Self::StatefulSet];

    fn word(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
        }
    }

    fn resource(self) -> &'static str {
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
struct Set {
    named: Named,
    metadata: ObjectMeta,
    replicas: i32,
    selector: LabelSelector,
    template: BTreeMap<String, String>,
    progress: Progress,
    /// The number of its first pod.
    first: i32,
    /// It has fewer pods than it is to have, since some are refused: a quota.
    falls_short: bool,
}

impl From<Deployment> for Set {
    fn from(found: Deployment) -> Self {
        let (spec, status) = (found.spec.unwrap_or_default(), found.status.unwrap_or_default());
        let (replicas, has) = (spec.replicas.unwrap_or(1), status.replicas.unwrap_or(0));
        let refused = |condition: &k8s_openapi::api::apps::v1::DeploymentCondition| {
            condition.type_ == "ReplicaFailure" && condition.status == "True"
        };
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

impl KubernetesProvider {
    /// See [`crate::provider::Provider::workload`]. All is asked of the API server: what a watch knows may be old, and who scales may
    /// have none.
    pub(super) async fn workload_of(
        &self,
        of: WorkloadOf<'_>,
        target_type: &TargetType,
    ) -> Result<Workload, WorkloadError> {
        let connection = self.connection().await?;
        let set = match of {
            WorkloadOf::Container(id) => {
                let named = self.owner(&connection, id).await?;
                let gone = || WorkloadError::None(format!("{named} is gone"));
                connection.set(&named).await?.ok_or_else(gone)?
            }
            WorkloadOf::Named(text) => connection.set_named(text).await?,
        };
        let named = &set.named;
        permit(&connection, "patch", named.sort.scale(), &named.namespace)?;
        if set.metadata.deletion_timestamp.is_some() {
            return Err(WorkloadError::None(format!("{named} is being deleted")));
        }
        let of_type = |all: &BTreeMap<String, String>| {
            let all = all.clone().into_iter().collect();
            labels::target_type(&all, &self.rules).ok().flatten()
        };
        if of_type(&set.template).as_ref() != Some(target_type) {
            return Err(WorkloadError::None(format!("the template of {named} makes no pods of type {target_type}")));
        }
        let pods = connection.pods_of(&set).await?;
        let other = |pod: &&Pod| of_type(pod.labels()).is_some_and(|found| found != *target_type);
        if let Some(other) = pods.iter().find(other) {
            return Err(WorkloadError::None(format!("pod {} of {named} is of another type", name(other))));
        }
        let members: Vec<_> = pods.iter().filter_map(|pod| member(pod, named.sort)).collect();
        let replicas = u64::try_from(set.replicas).unwrap_or(0);
        let unmarked = || match permit(&connection, "patch", "pods", &named.namespace) {
            _ if !self.settings.mark_pods => Some("`mark_pods` of its provider is off".to_owned()),
            other => other.err().map(|error| error.to_string()),
        };
        Ok(Workload {
            name: named.to_string(),
            replicas,
            within_reach: if set.falls_short { replicas.min(members.len() as u64) } else { replicas },
            version: set.metadata.resource_version.unwrap_or_default(),
            progress: set.progress,
            removes: match named.sort {
                Sort::Deployment => Removes::ByMark { unmarked: unmarked() },
                Sort::StatefulSet => Removes::FromTheTop {
                    highest: (replicas > 0).then(|| u64::try_from(set.first).unwrap_or(0) + replicas - 1),
                },
            },
            members,
        })
    }

    /// To which workload a container belongs.
    async fn owner(&self, connection: &Connection, id: &ContainerId) -> Result<Named, WorkloadError> {
        let right = "what is scaled is a Deployment or a StatefulSet";
        let place = self.place(id).await?;
        if place.kind == Kind::Machine {
            let told = format!("{}/{} is a virtual machine: {right}", place.namespace, place.name);
            return Err(WorkloadError::None(told));
        }
        let pod = self.pod(connection, id).await?;
        let named = |sort, name: &str| Named { sort, namespace: namespace(&pod).to_owned(), name: name.to_owned() };
        let Some(owner) = controller(&pod) else {
            return Err(WorkloadError::None(format!("pod {} belongs to nothing: {right}", name(&pod))));
        };
        match owner.kind.as_str() {
            "StatefulSet" => Ok(named(Sort::StatefulSet, &owner.name)),
            "ReplicaSet" => {
                let set: Option<ReplicaSet> = connection.read("replicasets.apps", namespace(&pod), &owner.name).await?;
                let owner_of_set = set.as_ref().and_then(controller).filter(|owner| owner.kind == "Deployment");
                let alone =
                    || WorkloadError::None(format!("the ReplicaSet {} belongs to no Deployment: {right}", owner.name));
                owner_of_set.map(|owner| named(Sort::Deployment, &owner.name)).ok_or_else(alone)
            }
            other => Err(WorkloadError::None(format!("pod {} belongs to a {other}: {right}", name(&pod)))),
        }
    }
}

impl Connection {
    async fn set_named(&self, text: &str) -> Result<Set, WorkloadError> {
        let meant = Named::read(text, &self.namespaces);
        if meant.is_empty() {
            return Err(WorkloadError::None(format!(
                "in which namespace {text:?} is, is to be said, as in \"lab/{text}\""
            )));
        }
        for named in meant {
            if let Some(set) = self.set(&named).await? {
                return Ok(set);
            }
        }
        Err(WorkloadError::None(format!("there is no Deployment or StatefulSet {text:?}")))
    }

    async fn set(&self, named: &Named) -> Result<Option<Set>, WorkloadError> {
        let resource = named.sort.resource();
        Ok(match named.sort {
            Sort::Deployment => self.read::<Deployment>(resource, &named.namespace, &named.name).await?.map(Into::into),
            Sort::StatefulSet => {
                self.read::<StatefulSet>(resource, &named.namespace, &named.name).await?.map(Into::into)
            }
        })
    }

    /// None: it is not there.
    async fn read<K>(&self, resource: &'static str, namespace: &str, name: &str) -> Result<Option<K>, WorkloadError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    {
        permit(self, "get", resource, namespace)?;
        let question = Question { verb: "get", resource, namespace: Some(namespace) };
        let objects = Api::<K>::namespaced(self.client.clone(), namespace);
        let asked = async {
            match objects.get(name).await {
                Err(kube::Error::Api(status)) if status.code == 404 => Ok(Ok(None)),
                Err(kube::Error::Api(status)) if status.code == 403 => Ok(Err(self.refusal(question, &status))),
                other => other.map(|found| Ok(Some(found))),
            }
        };
        self.answer(question, asked).await?.map_err(|refused| WorkloadError::NoRight(refused.to_string()))
    }

    /// The pods that a set has: not those that are ending, or came to their end.
    async fn pods_of(&self, set: &Set) -> Result<Vec<Pod>, WorkloadError> {
        let Named { sort, namespace, .. } = &set.named;
        let unusable =
            |error: &dyn fmt::Display| WorkloadError::None(format!("the selector of {}: {error}", set.named));
        let selector = Selector::try_from(set.selector.clone()).map_err(|error| unusable(&error))?;
        let question = Question { verb: "list", resource: Kind::Pod.resource(), namespace: Some(namespace) };
        let (pods, asked) = (self.objects::<Pod>(question.namespace), ListParams::default().labels_from(&selector));
        let mut found = self.answer(question, pods.list(&asked)).await?.items;
        found.retain(|pod| pod.metadata.deletion_timestamp.is_none() && !pod::has_ended(pod));
        let own = set.metadata.uid.as_ref();
        let owners = match sort {
            Sort::StatefulSet => own.into_iter().cloned().collect(),
            Sort::Deployment => {
                let owners: BTreeSet<_> =
                    found.iter().filter_map(controller).cloned().map(|one| (one.name, one.uid)).collect();
                let mut ours = BTreeSet::new();
                for (name, uid) in owners {
                    let replicas: Option<ReplicaSet> = self.read("replicasets.apps", namespace, &name).await?;
                    let is_ours = |one: &ReplicaSet| controller(one).map(|owner| &owner.uid) == own;
                    if replicas.as_ref().is_some_and(is_ours) {
                        ours.insert(uid);
                    }
                }
                ours
            }
        };
        found.retain(|pod| controller(pod).is_some_and(|owner| owners.contains(&owner.uid)));
        Ok(found)
    }
}

/// Refuses what the account is known to have no right for.
pub(super) fn permit(
    connection: &Connection,
    verb: &str,
    resource: &str,
    namespace: &str,
) -> Result<(), WorkloadError> {
    connection.permit(verb, resource, namespace).map_err(|error| WorkloadError::NoRight(error.to_string()))
}

fn member(pod: &Pod, of: Sort) -> Option<Member> {
    let ordinal = own_name(pod).rsplit_once('-').and_then(|(_, number)| number.parse().ok());
    Some(Member {
        id: pod.metadata.uid.as_deref()?.parse().ok()?,
        name: name(pod),
        ready: pod::ready(pod).is_some_and(|ready| ready.status == "True"),
        created: pod.metadata.creation_timestamp.as_ref().map_or(0, |at| at.0.as_second()),
        ordinal: ordinal.filter(|_| of == Sort::StatefulSet),
        marked: marked(pod),
    })
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
