//! What the provider's account may do, asked of the API server itself.

use futures_util::{StreamExt as _, TryStreamExt as _, future, stream};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::{Api, Error, api::PostParams};

use super::connect::{Connection, Question, Scope};
use crate::provider::ProviderError;

/// Rights that are asked for at a time.
const ASKED_AT_ONCE: usize = 8;

/// Every right that is used of pods, and what it is for.
const RIGHTS: [(&str, &str, &str); 8] = [
    ("list", "pods", "no pod is found"),
    ("watch", "pods", "no pod is found"),
    ("get", "pods", "nothing is done with pods, and no logs are read"),
    ("get", "pods/log", "no logs are read"),
    // A command begins with a GET that becomes a WebSocket; newer API servers want both.
    ("get", "pods/exec", "no commands run in pods"),
    ("create", "pods/exec", "no commands run in pods"),
    ("delete", "pods", "pods are not made anew"),
    ("patch", "pods", "what scales pods down is not told which of them sessions have"),
];

/// The same for virtual machines, where the cluster has them.
const MACHINE_RIGHTS: [(&str, &str, &str); 5] = [
    ("list", "virtualmachineinstances.kubevirt.io", "no virtual machine is found"),
    ("watch", "virtualmachineinstances.kubevirt.io", "virtual machines are found by full looks alone"),
    ("get", "virtualmachineinstances.kubevirt.io", "nothing is done with virtual machines"),
    ("delete", "virtualmachineinstances.kubevirt.io", "virtual machines are not made anew"),
    // Whether it would start the next one.
    ("get", "virtualmachines.kubevirt.io", "those that a VirtualMachine owns are not made anew"),
];

/// The same for what makes pods, where pools are to follow demand.
const SCALE_RIGHTS: [(&str, &str, &str); 5] = [
    ("get", "replicasets.apps", "no pool of a Deployment follows demand"),
    ("get", "deployments.apps", "no pool of a Deployment follows demand"),
    ("get", "statefulsets.apps", "no pool of a StatefulSet follows demand"),
    ("patch", "deployments.apps/scale", "no pool of a Deployment follows demand"),
    ("patch", "statefulsets.apps/scale", "no pool of a StatefulSet follows demand"),
];

/// A right that the account lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    verb: &'static str,
    resource: &'static str,
    namespace: Option<String>,
    without: &'static str,
}

impl Missing {
    fn question(&self) -> Question<'_> {
        Question { verb: self.verb, resource: self.resource, namespace: self.namespace.as_deref() }
    }
}

impl Connection {
    /// The rights that are missing. Where the API server does not say, it is found out when the right is used.
    pub(super) async fn review(&self, marks: bool, scales: bool) -> Result<Vec<Missing>, ProviderError> {
        let of_machines = if self.machines { MACHINE_RIGHTS.as_slice() } else { &[] };
        let of_workloads = if scales { SCALE_RIGHTS.as_slice() } else { &[] };
        let all = self.namespaces.iter().flat_map(|namespace| {
            let of_pods = RIGHTS.iter().filter(move |(verb, ..)| marks || *verb != "patch");
            of_pods.chain(of_machines).chain(of_workloads).map(|&(verb, resource, without)| Missing {
                verb,
                resource,
                namespace: namespace.clone(),
                without,
            })
        });
        stream::iter(all.collect::<Vec<_>>())
            .map(|right| async move { Ok::<_, ProviderError>((!self.may(&right).await?).then_some(right)) })
            .buffered(ASKED_AT_ONCE)
            .try_filter_map(future::ok)
            .try_collect()
            .await
    }

    async fn may(&self, right: &Missing) -> Result<bool, ProviderError> {
        let (resource, subresource) = right.resource.split_once('/').unwrap_or((right.resource, ""));
        let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
        let attributes = ResourceAttributes {
            group: Some(group.to_owned()).filter(|name| !name.is_empty()),
            namespace: right.namespace.clone(),
            verb: Some(right.verb.to_owned()),
            resource: Some(resource.to_owned()),
            subresource: Some(subresource.to_owned()).filter(|name| !name.is_empty()),
            ..ResourceAttributes::default()
        };
        let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), non_resource_attributes: None };
        let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
        let question = Question { verb: "create", resource: "selfsubjectaccessreviews", namespace: None };
        let reviews: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let asked = async {
            match reviews.create(&PostParams::default(), &review).await {
                // It reviews nothing.
                Err(Error::Api(_)) => Ok(None),
                other => other.map(|review| review.status),
            }
        };
        Ok(self.answer(question, asked).await?.is_none_or(|status| status.allowed))
    }

    /// Refuses what the account is known to have no right for.
    pub(super) fn permit(&self, verb: &str, resource: &str, namespace: &str) -> Result<(), ProviderError> {
        let here = |one: &&Missing| one.namespace.as_deref().is_none_or(|missing| missing == namespace);
        match self.missing.iter().filter(here).find(|one| (one.verb, one.resource) == (verb, resource)) {
            Some(missing) => Err(ProviderError::Refused(format!("the right to {} is missing", missing.question()))),
            None => Ok(()),
        }
    }

    /// Whether the account may, as far as that is known.
    pub(super) fn permits(&self, verb: &str, scope: &Scope) -> bool {
        self.permit(verb, scope.kind.resource(), scope.namespace.as_deref().unwrap_or_default()).is_ok()
    }

    /// Each missing right, with what that turns off.
    pub(super) fn missing_in_words(&self) -> Vec<String> {
        let told = |one: &Missing| format!("the right to {} is missing: {}", one.question(), one.without);
        self.missing.iter().map(told).collect()
    }
}
