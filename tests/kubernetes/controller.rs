//! What makes and removes the pods of Deployments and StatefulSets, and what runs them, by the API: for an API server that has neither
//! controllers nor kubelets, as the stub.
//!
//! A Deployment has one ReplicaSet. What is to go of it is chosen as `getPodsToDelete` of Kubernetes does: not assigned to a node, then
//! pending, not ready, of lower cost, younger. Left out: rollouts (a test tells of one in the status), how many pods of it a node has,
//! since when a pod is ready and how often it was restarted (which Kubernetes looks at after the cost), the waiting of a StatefulSet
//! for one pod after the other, quotas, and grace.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet, StatefulSet},
    coordination::v1::Lease,
    core::v1::Pod,
};
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use tokio::task::AbortHandle;

use super::cluster::{Cluster, pod_spec, read_as};

const PAUSE: std::time::Duration = std::time::Duration::from_millis(30);
const COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// Ends with the test.
pub struct Controller {
    works: Arc<Works>,
    task: AbortHandle,
}

struct Works {
    client: Client,
    namespace: String,
    held: AtomicBool,
    /// Pods that are ending go on doing so.
    ends_slowly: AtomicBool,
    made: AtomicU64,
}

impl Controller {
    /// Where the cluster has controllers, these do their work.
    pub async fn start(cluster: &Cluster) -> Self {
        let leases = Api::<Lease>::namespaced(cluster.client(), "kube-system");
        let manager = leases.get_opt("kube-controller-manager").await.expect("an answer");
        let works = Arc::new(Works {
            client: cluster.client(),
            namespace: cluster.namespace.clone(),
            held: AtomicBool::new(manager.is_some()),
            ends_slowly: AtomicBool::new(false),
            made: AtomicU64::new(0),
        });
        let at_work = works.clone();
        let task = tokio::spawn(async move {
            loop {
                // What changed meanwhile is looked at anew.
                let _ = at_work.round().await;
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self { works, task: task.abort_handle() }
    }

    /// Changes nothing, and tells of nothing, until [`Self::go_on`].
    pub fn hold(&self) {
        self.works.held.store(true, Ordering::SeqCst);
    }

    pub fn go_on(&self) {
        self.works.held.store(false, Ordering::SeqCst);
    }

    /// Pods that are deleted stay until this is taken back.
    pub fn end_slowly(&self, slowly: bool) {
        self.works.ends_slowly.store(slowly, Ordering::SeqCst);
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Works {
    fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    async fn round(&self) -> kube::Result<()> {
        if !self.held.load(Ordering::SeqCst) {
            for one in self.api::<Deployment>().list(&ListParams::default()).await? {
                self.deployment(&one).await?;
            }
            for one in self.api::<StatefulSet>().list(&ListParams::default()).await? {
                self.stateful_set(&one).await?;
            }
        }
        self.run_pods().await
    }

    /// What kubelets do.
    async fn run_pods(&self) -> kube::Result<()> {
        for pod in self.api::<Pod>().list(&ListParams::default()).await? {
            let name = pod.metadata.name.as_deref().expect("a name");
            if pod.metadata.deletion_timestamp.is_some() && self.ends_slowly.load(Ordering::SeqCst) {
                continue;
            }
            if pod.metadata.deletion_timestamp.is_some() {
                self.api::<Pod>().delete(name, &DeleteParams::default().grace_period(0)).await?;
            } else if phase(&pod) == "Pending" {
                self.run(name).await?;
            }
        }
        Ok(())
    }

    async fn run(&self, name: &str) -> kube::Result<()> {
        let (number, at) = (self.made.fetch_add(1, Ordering::SeqCst), "2026-11-25T12:00:00Z");
        let ip = format!("10.2.{}.{}", number / 200, number % 200 + 1);
        let process = json!({"name": "desktop", "image": "none", "imageID": "none", "containerID": format!("containerd://{name}"),
            "ready": true, "restartCount": 0, "state": {"running": {"startedAt": at}}});
        let condition = json!({"type": "Ready", "status": "True", "lastTransitionTime": at});
        let status = json!({"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "startTime": at,
            "conditions": [condition], "containerStatuses": [process]});
        self.tell::<Pod>(name, status).await
    }

    async fn deployment(&self, one: &Deployment) -> kube::Result<()> {
        let set = self.replica_set(one).await?;
        let spec = one.spec.as_ref().expect("a spec");
        let mut pods = self.pods_of(&set).await?;
        let (has, wanted) = (pods.len(), number(spec.replicas.unwrap_or(1)));
        // Its status is of what it found.
        let status = json!({"observedGeneration": one.metadata.generation, "replicas": has, "updatedReplicas": has,
            "readyReplicas": pods.iter().filter(|pod| is_ready(pod)).count()});
        if differs(one.status.as_ref(), &status) {
            self.tell::<Deployment>(one.metadata.name.as_deref().expect("a name"), status).await?;
        }
        for _ in has..wanted {
            let number = self.made.fetch_add(1, Ordering::SeqCst);
            let name = format!("{}-{number:03}", set.metadata.name.as_deref().expect("a name"));
            self.make(&name, &set, "ReplicaSet", json!(spec.template)).await?;
        }
        pods.sort_by_cached_key(|pod| {
            let assigned = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
            let made = pod.metadata.creation_timestamp.as_ref().map_or(0, |at| at.0.as_second());
            (assigned, phase(pod) != "Pending", is_ready(pod), cost(pod), std::cmp::Reverse(made))
        });
        for pod in pods.iter().take(has.saturating_sub(wanted)) {
            self.delete(pod).await?;
        }
        Ok(())
    }

    async fn replica_set(&self, one: &Deployment) -> kube::Result<ReplicaSet> {
        let sets = self.api::<ReplicaSet>();
        let name = format!("{}-5d8f", one.metadata.name.as_deref().expect("a name"));
        if let Some(set) = sets.get_opt(&name).await? {
            return Ok(set);
        }
        let spec = one.spec.as_ref().expect("a spec");
        let set = json!({"metadata": {"name": name, "ownerReferences": [owner(one, "Deployment")]},
            "spec": {"replicas": 0, "selector": spec.selector, "template": spec.template}});
        sets.create(&PostParams::default(), &read_as(set)).await
    }

    async fn stateful_set(&self, one: &StatefulSet) -> kube::Result<()> {
        let (spec, name) = (one.spec.as_ref().expect("a spec"), one.metadata.name.as_deref().expect("a name"));
        let (pods, wanted) = (self.pods_of(one).await?, number(spec.replicas.unwrap_or(1)));
        let status = json!({"observedGeneration": one.metadata.generation, "replicas": pods.len(),
            "updatedReplicas": pods.len(), "currentRevision": "one", "updateRevision": "one"});
        if differs(one.status.as_ref(), &status) {
            self.tell::<StatefulSet>(name, status).await?;
        }
        for ordinal in 0..wanted {
            let pod = format!("{name}-{ordinal}");
            if self.api::<Pod>().get_opt(&pod).await?.is_none() {
                self.make(&pod, one, "StatefulSet", json!(spec.template)).await?;
            }
        }
        for pod in pods {
            let ordinal = pod.metadata.name.as_deref().and_then(|name| name.rsplit_once('-')?.1.parse().ok());
            if ordinal.is_some_and(|ordinal: usize| ordinal >= wanted) {
                self.delete(&pod).await?;
            }
        }
        Ok(())
    }

    /// Those of a controller that are not ending.
    async fn pods_of(&self, of: &impl Resource) -> kube::Result<Vec<Pod>> {
        let mut pods = self.api::<Pod>().list(&ListParams::default()).await?.items;
        pods.retain(|pod| {
            let mut owners = pod.metadata.owner_references.iter().flatten();
            pod.metadata.deletion_timestamp.is_none() && owners.any(|owner| Some(&owner.uid) == of.meta().uid.as_ref())
        });
        Ok(pods)
    }

    async fn make(
        &self,
        name: &str,
        of: &impl Resource<DynamicType = ()>,
        kind: &str,
        template: Value,
    ) -> kube::Result<()> {
        let metadata =
            json!({"name": name, "labels": template["metadata"]["labels"], "ownerReferences": [owner(of, kind)]});
        let pod = json!({"metadata": metadata, "spec": template["spec"]});
        self.api::<Pod>().create(&PostParams::default(), &read_as(pod)).await.map(drop)
    }

    async fn delete(&self, pod: &Pod) -> kube::Result<()> {
        let name = pod.metadata.name.as_deref().expect("a name");
        self.api::<Pod>().delete(name, &DeleteParams::default()).await.map(drop)
    }

    async fn tell<K>(&self, name: &str, status: Value) -> kube::Result<()>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope> + serde::de::DeserializeOwned,
    {
        let patch = Patch::Merge(json!({"status": status}));
        self.api::<K>().patch_status(name, &PatchParams::default(), &patch).await.map(drop)
    }
}

fn owner(of: &impl Resource<DynamicType = ()>, kind: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": kind, "name": of.meta().name, "uid": of.meta().uid, "controller": true})
}

fn number(replicas: i32) -> usize {
    usize::try_from(replicas).unwrap_or(0)
}

/// Whether a status says something else.
fn differs(status: Option<&impl serde::Serialize>, than: &Value) -> bool {
    let status = json!(status);
    than.as_object().expect("a status").iter().any(|(key, value)| {
        // What is 0 is not written.
        status[key] != *value && !(status[key].is_null() && *value == 0)
    })
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending")
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn cost(pod: &Pod) -> i64 {
    let annotations = pod.metadata.annotations.as_ref();
    annotations.and_then(|all| all.get(COST)?.parse().ok()).unwrap_or(0)
}

/// A Deployment or a StatefulSet of so many pods with these labels.
pub fn workload(name: &str, replicas: usize, labels: &Value) -> Value {
    let mut all = labels.clone();
    all["app"] = name.into();
    json!({
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "serviceName": name, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": all}, "spec": pod_spec()}},
    })
}
