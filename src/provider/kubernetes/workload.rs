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
};
use kube::{Api, Resource, ResourceExt as _, api::ListParams, core::Selector};
use serde::de::DeserializeOwned;

use super::{
    KubernetesProvider,
    connect::{Connection, Question},
    keep::marked,
    object::{Kind, controller, name, namespace, own_name},
    pod,
    set::{Named, Set, Sort},
};
use crate::{
    model::{ContainerId, TargetType},
    provider::{Member, Removes, Workload, WorkloadError, WorkloadOf, labels},
};

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
