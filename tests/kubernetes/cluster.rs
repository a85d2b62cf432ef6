//! A cluster to make pods in: the stub, or with `KUBECONFIG` a real one.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet, StatefulSet},
    core::v1::{Namespace, Pod, ServiceAccount},
};
use kube::{
    Api, Client, Config,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::stub::Stub;

/// The longest that a real API server may take for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A namespace of the test's own.
pub struct Cluster {
    client: Client,
    pub namespace: String,
    /// For the provider.
    pub kubeconfig: PathBuf,
    stub: Option<Stub>,
    removed: bool,
}

impl Cluster {
    /// The stub, unless there is a real one.
    pub async fn any() -> Self {
        match std::env::var_os("KUBECONFIG") {
            Some(path) => Self::at(PathBuf::from(&path), path.into(), None).await,
            None => Self::stub().await,
        }
    }

    /// Whether somebody else's cluster is used.
    fn is_real(&self) -> bool {
        self.stub.is_none()
    }

    /// The stub: for what no real one can be made to do.
    pub async fn stub() -> Self {
        let stub = Stub::start().await;
        Self::at(stub.own_kubeconfig(), stub.kubeconfig(), Some(stub)).await
    }

    async fn at(own: PathBuf, kubeconfig: PathBuf, stub: Option<Stub>) -> Self {
        let client = client_of(&own).await;
        let asked = tokio::time::timeout(ANSWER_WITHIN, client.apiserver_version()).await;
        let asked = asked.unwrap_or_else(|_| panic!("{}: no answer within {ANSWER_WITHIN:?}", own.display()));
        asked.unwrap_or_else(|error| panic!("{}: the API server does not answer: {error:?}", own.display()));
        let namespace = format!("leasehold-test-{:08x}", rand::random::<u32>());
        let cluster = Self { client, namespace, kubeconfig, stub, removed: false };
        let named = json!({"metadata": {"name": cluster.namespace}});
        Api::<Namespace>::all(cluster.client.clone()).create(&post(), &read_as(named)).await.expect("a namespace");
        // Pods need it; where the controllers run, they may have made it.
        let account = json!({"metadata": {"name": "default"}});
        let accounts = Api::<ServiceAccount>::namespaced(cluster.client.clone(), &cluster.namespace);
        let _ = accounts.create(&post(), &read_as(account)).await;
        cluster
    }

    /// The stub's own.
    pub fn faults(&self) -> &Stub {
        self.stub.as_ref().expect("this test needs the stub")
    }

    /// The test's own client, which may do all.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    pub fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Makes a pod on a node that nobody runs; returns its uid. Its status is for the test to tell.
    pub async fn create_pod(&self, name: &str, labels: Value) -> String {
        self.create_pod_with(name, labels, |_| {}).await
    }

    pub async fn create_pod_with(&self, name: &str, labels: Value, change: impl FnOnce(&mut Value)) -> String {
        let mut pod = json!({"metadata": {"name": name, "labels": labels}, "spec": pod_spec()});
        change(&mut pod);
        let made = self.pods().create(&post(), &read_as(pod)).await.expect("a pod is made");
        made.metadata.uid.expect("a uid")
    }

    pub async fn patch_status(&self, name: &str, status: Value) {
        let patch = Patch::Merge(json!({"status": status}));
        self.pods().patch_status(name, &PatchParams::default(), &patch).await.expect("its status is patched");
    }

    pub async fn annotate(&self, name: &str, annotation: &str, value: &str) {
        let patch = Patch::Merge(json!({"metadata": {"annotations": {annotation: value}}}));
        self.pods().patch(name, &PatchParams::default(), &patch).await.expect("it is annotated");
    }

    /// As the kubelet tells of a pod that runs: its address, the life of its process, and whether it is ready.
    pub async fn runs(&self, name: &str, ip: &str, life: &str, ready: &str) {
        let started = "2026-11-25T12:00:00Z";
        let process = json!({
            "name": "desktop", "image": "none", "imageID": "none", "containerID": format!("containerd://{life}"),
            "ready": ready == "True", "restartCount": 0, "state": {"running": {"startedAt": started}},
        });
        let since = if ready == "False" { started } else { "2026-11-25T12:05:00Z" };
        let condition = json!({"type": "Ready", "status": ready, "lastTransitionTime": since});
        self.patch_status(
            name,
            json!({"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "startTime": started,
                "conditions": [condition], "containerStatuses": [process]}),
        )
        .await;
    }

    /// A pod that runs and is ready; returns its uid.
    pub async fn ready_pod(&self, name: &str, ip: &str) -> String {
        let uid = self.create_pod(name, super::wine()).await;
        self.runs(name, ip, "first", "True").await;
        uid
    }

    /// Asks for its end, which takes until the kubelet confirms it.
    pub async fn delete(&self, name: &str) {
        self.pods().delete(name, &DeleteParams::default()).await.expect("it is deleted");
    }

    /// What the kubelet does at the end.
    pub async fn confirm_deleted(&self, name: &str) {
        self.pods().delete(name, &DeleteParams::default().grace_period(0)).await.expect("it is gone");
    }

    /// The pod as it is, if there is one.
    pub async fn pod(&self, name: &str) -> Option<Pod> {
        self.pods().get_opt(name).await.expect("the API server answers")
    }

    /// The names of all pods.
    pub async fn names(&self) -> Vec<String> {
        let list = self.pods().list(&ListParams::default()).await.expect("the API server answers");
        list.items.into_iter().filter_map(|pod| pod.metadata.name).collect()
    }

    /// Removes what the test made.
    pub async fn clean_up(mut self) {
        self.removed = true;
        remove(self.client.clone(), &self.namespace).await;
    }
}

/// A test that fails cleans up as well. Its runtime may be at its end, and the connections of its client with it.
impl Drop for Cluster {
    fn drop(&mut self) {
        if self.removed || !self.is_real() {
            return;
        }
        let (kubeconfig, namespace) = (self.kubeconfig.clone(), self.namespace.clone());
        let removed = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async { remove(client_of(&kubeconfig).await, &namespace).await });
        });
        let _ = removed.join();
    }
}

async fn client_of(kubeconfig: &Path) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let read = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.expect("a cluster");
    Client::try_from(config).expect("a client")
}

/// Where no controller empties namespaces, and no kubelet ends pods, that is done here.
async fn remove(client: Client, namespace: &str) {
    let (all, default) = (ListParams::default(), DeleteParams::default());
    let _ = Api::<Deployment>::namespaced(client.clone(), namespace).delete_collection(&default, &all).await;
    let _ = Api::<ReplicaSet>::namespaced(client.clone(), namespace).delete_collection(&default, &all).await;
    let _ = Api::<StatefulSet>::namespaced(client.clone(), namespace).delete_collection(&default, &all).await;
    let pods = Api::<Pod>::namespaced(client.clone(), namespace);
    let at_once = DeleteParams::default().grace_period(0);
    for pod in pods.list(&ListParams::default()).await.into_iter().flatten() {
        let _ = pods.delete(pod.metadata.name.as_deref().unwrap_or_default(), &at_once).await;
    }
    let _ = Api::<Namespace>::all(client).delete(namespace, &DeleteParams::default()).await;
}

/// `make test-kubernetes` asks this first, so that what is missing is told once, and not by every test.
#[tokio::test]
async fn the_api_server_answers_and_lets_the_tests_make_pods() {
    let cluster = Cluster::any().await;
    cluster.ready_pod("one", "10.1.2.3").await;
    assert_eq!(cluster.names().await, ["one"]);
    cluster.clean_up().await;
}

/// On a node that nobody runs.
pub fn pod_spec() -> Value {
    let ports = json!([{"name": "vnc", "containerPort": 5901}, {"containerPort": 6080}]);
    let container = json!({"name": "desktop", "image": "registry.invalid/none", "ports": ports});
    json!({"nodeName": "nowhere", "terminationGracePeriodSeconds": 30, "containers": [container]})
}

fn post() -> PostParams {
    PostParams::default()
}

pub fn read_as<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object of Kubernetes")
}
