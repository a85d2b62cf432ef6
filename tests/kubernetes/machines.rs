//! Virtual machines of KubeVirt, where the cluster has it. The stub plays its API, for no cluster with KubeVirt can be had here.

use std::time::Duration;

use kube::{
    Api,
    api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams},
};
use leasehold::{
    config::{Config, ResetKind},
    model::{Container, EndReason, EngineHealth, EngineState, PoolState},
    provider::LogOptions,
    store::Allocated,
};
use serde_json::{Value, json};

use super::{Cluster, Lab, wine};

const MACHINES: &str = "virtualmachineinstances.kubevirt.io";

impl Cluster {
    /// A stub with KubeVirt.
    async fn with_kubevirt() -> Self {
        let cluster = Self::stub().await;
        cluster.faults().install_kubevirt();
        cluster
    }

    fn of_kubevirt(&self, kind: &str, plural: &str) -> Api<DynamicObject> {
        let (group, version) = ("kubevirt.io".to_owned(), "v1".to_owned());
        let api_version = format!("{group}/{version}");
        let resource = ApiResource { group, version, api_version, kind: kind.to_owned(), plural: plural.to_owned() };
        Api::namespaced_with(self.client(), &self.namespace, &resource)
    }

    fn machines(&self) -> Api<DynamicObject> {
        self.of_kubevirt("VirtualMachineInstance", "virtualmachineinstances")
    }

    /// Makes a machine that nobody runs, owned by this kind of controller; returns its uid.
    async fn create_machine(&self, name: &str, owner: Option<&str>) -> String {
        let mut machine = json!({
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
            "metadata": {"name": name, "labels": wine()},
            "spec": {
                "domain": {"devices": {"interfaces": [
                    {"name": "default", "masquerade": {}, "ports": [{"name": "vnc", "port": 5901}]}]}},
                "networks": [{"name": "default", "pod": {}}],
            },
        });
        if let Some(kind) = owner {
            machine["metadata"]["ownerReferences"] = json!([{"apiVersion": "kubevirt.io/v1", "kind": kind, "name": name,
                "uid": "6a0a4d0e-6f0f-4a5e-9d55-0d4a6f1f2b11", "controller": true}]);
        }
        let machine = serde_json::from_value(machine).unwrap();
        let made = self.machines().create(&PostParams::default(), &machine).await.expect("a machine is made");
        made.metadata.uid.expect("a uid")
    }

    async fn patch_machine(&self, name: &str, status: Value) {
        let patch = Patch::Merge(json!({"status": status}));
        self.machines().patch_status(name, &PatchParams::default(), &patch).await.expect("its status is patched");
    }

    /// As KubeVirt tells of a machine that runs on a node.
    async fn machine_runs(&self, name: &str, node: &str, ip: &str, ready: &str) {
        let since = if ready == "True" { "2026-11-25T12:05:00Z" } else { "2026-11-25T12:00:00Z" };
        self.patch_machine(
            name,
            json!({"phase": "Running", "nodeName": node, "activePods": {format!("pod-on-{node}"): node},
                "phaseTransitionTimestamps": [{"phase": "Running", "phaseTransitionTimestamp": "2026-11-25T12:00:00Z"}],
                "conditions": [{"type": "Ready", "status": ready, "lastProbeTime": null, "lastTransitionTime": since}],
                "interfaces": [{"name": "default", "ipAddress": ip, "ipAddresses": [ip]}]}),
        )
        .await;
    }

    async fn ready_machine(&self, name: &str, owner: Option<&str>) -> String {
        let id = self.create_machine(name, owner).await;
        self.machine_runs(name, "one", "10.1.7.7", "True").await;
        id
    }

    /// The pod in which KubeVirt runs it, which has all its labels.
    async fn launcher_pod(&self, machine: &str) -> String {
        let labels = json!({"leasehold.type": "wine", "kubevirt.io": "virt-launcher"});
        let name = format!("virt-launcher-{machine}-x2x4z");
        let id = self.create_pod(&name, labels).await;
        self.runs(&name, "10.1.7.7", "first", "True").await;
        id
    }

    async fn delete_machine(&self, name: &str) {
        self.machines().delete(name, &DeleteParams::default()).await.expect("it is deleted");
    }

    /// KubeVirt removes its finalizer.
    async fn machine_ended(&self, name: &str) {
        let at_once = DeleteParams::default().grace_period(0);
        self.machines().delete(name, &at_once).await.expect("it is gone");
    }

    /// What keeps a machine of the same name running.
    async fn create_owner(&self, name: &str, spec: Value) {
        let owner =
            json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": name}, "spec": spec});
        let owner = serde_json::from_value(owner).unwrap();
        let owners = self.of_kubevirt("VirtualMachine", "virtualmachines");
        owners.create(&PostParams::default(), &owner).await.expect("a VirtualMachine is made");
    }
}

#[tokio::test]
async fn a_machine_appears_becomes_ready_and_is_given_out_at_its_own_address_and_its_pod_is_not() {
    let lab = Lab::on(Cluster::with_kubevirt().await, |_| {}).await;
    let id = lab.cluster.create_machine("wine-vm", None).await;
    let made = lab.becomes("found", &id, |_| true).await;
    assert_eq!((made.state, made.pool_state), (EngineState::Created, PoolState::Initializing));
    assert_eq!(made.name, format!("{}/wine-vm", lab.cluster.namespace));

    let launcher = lab.cluster.launcher_pod("wine-vm").await;
    lab.cluster.machine_runs("wine-vm", "one", "10.1.7.7", "False").await;
    let starting = lab.becomes("it runs", &id, |one| one.state == EngineState::Running).await;
    assert_eq!((starting.pool_state, starting.health.engine), (PoolState::Initializing, EngineHealth::Starting));
    assert!(matches!(lab.allocated().await, Allocated::Shortage(None)), "given out before it was ready");

    lab.cluster.machine_runs("wine-vm", "one", "10.1.7.7", "True").await;
    lab.available(&id).await;
    let given = lab.session().await.container.unwrap();
    assert_eq!((given.id.as_str(), given.ip_address.as_deref()), (id.as_str(), Some("10.1.7.7")));
    assert_eq!(given.endpoints["vnc"].address.as_deref(), Some("10.1.7.7:5901"));
    lab.look().await;
    assert!(lab.container(&launcher).await.is_none());
    assert_eq!(lab.store.counts(&lab.wine).await.unwrap().containers, 1);
}

#[tokio::test]
async fn a_deleted_machine_is_given_out_no_more_and_its_session_goes_on_until_it_is_gone() {
    let lab = Lab::on(Cluster::with_kubevirt().await, |_| {}).await;
    let id = lab.cluster.ready_machine("wine-vm", None).await;
    lab.available(&id).await;
    let session = lab.session().await;
    lab.cluster.delete_machine("wine-vm").await;
    lab.becomes("its end is noticed", &id, |one| one.state == EngineState::Terminating).await;
    assert_eq!(lab.end_of(&session).await, None);
    lab.cluster.machine_ended("wine-vm").await;
    assert_eq!(lab.ended(&session).await, EndReason::ContainerLost);
    lab.gone(&id).await;
}

#[tokio::test]
async fn a_machine_that_moves_to_another_node_keeps_its_session_and_one_that_ends_does_not() {
    let lab = Lab::on(Cluster::with_kubevirt().await, |_| {}).await;
    let id = lab.cluster.ready_machine("wine-vm", None).await;
    lab.available(&id).await;
    let session = lab.session().await;
    lab.cluster.machine_runs("wine-vm", "two", "10.1.8.8", "True").await;
    let moved = lab.becomes("it moves", &id, |one| one.ip_address.as_deref() == Some("10.1.8.8")).await;
    assert_eq!(moved.endpoints["vnc"].address.as_deref(), Some("10.1.8.8:5901"));
    assert_eq!((moved.pool_state, lab.end_of(&session).await), (PoolState::Allocated, None));
    lab.cluster.patch_machine("wine-vm", json!({"phase": "Failed", "reason": "NodeUnresponsive"})).await;
    assert_eq!(lab.ended(&session).await, EndReason::ContainerLost);
    lab.gone(&id).await;
}

#[tokio::test]
async fn without_kubevirt_all_is_quiet_and_what_is_installed_later_is_found_and_followed() {
    let lab = Lab::on_stub(|_| {}).await;
    let pod = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&pod).await;
    lab.look().await;
    assert_eq!((lab.provider.missing_rights(), lab.status().await.error), (Vec::new(), None));
    assert!(!lab.cluster.faults().calls().iter().any(|call| call.contains("virtualmachineinstances")));

    lab.cluster.faults().install_kubevirt();
    let id = lab.cluster.ready_machine("wine-vm", None).await;
    lab.look().await;
    lab.available(&id).await;
    lab.cluster.delete_machine("wine-vm").await;
    lab.becomes("it is followed", &id, |one| one.state == EngineState::Terminating).await;

    lab.cluster.faults().remove_kubevirt();
    lab.look().await;
    assert!(lab.container(&id).await.is_none());
    assert_eq!((lab.container(&pod).await.unwrap().pool_state, lab.status().await.error), (PoolState::Available, None));
}

#[tokio::test]
async fn without_the_right_to_find_machines_pods_go_on_and_with_it_machines_are_found() {
    let cluster = Cluster::with_kubevirt().await;
    cluster.faults().deny("list", MACHINES);
    let lab = Lab::on(cluster, |_| {}).await;
    let machine = lab.cluster.ready_machine("wine-vm", None).await;
    let pod = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&pod).await;
    lab.look().await;
    assert!(lab.container(&machine).await.is_none());
    let told = format!(
        "the right to list {MACHINES} in namespace {} is missing: no virtual machine is found",
        lab.cluster.namespace
    );
    assert_eq!((lab.provider.missing_rights(), lab.status().await.error), (vec![told], None));

    lab.cluster.faults().allow();
    lab.look().await;
    lab.available(&machine).await;
    assert!(lab.provider.missing_rights().is_empty());
    lab.cluster.delete_machine("wine-vm").await;
    lab.becomes("it is followed", &machine, |one| one.state == EngineState::Terminating).await;
}

#[tokio::test]
async fn when_the_right_is_taken_away_machines_stay_as_they_were_and_pods_go_on() {
    let lab = Lab::on(Cluster::with_kubevirt().await, |_| {}).await;
    let machine = lab.cluster.ready_machine("wine-vm", None).await;
    lab.available(&machine).await;
    let session = lab.session().await;
    for verb in ["list", "watch", "get"] {
        lab.cluster.faults().deny(verb, MACHINES);
    }
    lab.cluster.faults().cut();
    lab.look().await;
    let pod = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&pod).await;
    lab.look().await;
    assert_eq!((lab.end_of(&session).await, lab.status().await.error), (None, None));
    assert_eq!(lab.container(&machine).await.unwrap().pool_state, PoolState::Allocated);
    assert_eq!(lab.provider.missing_rights().len(), 3);

    lab.cluster.machine_ended("wine-vm").await;
    lab.cluster.faults().allow();
    lab.look().await;
    assert_eq!(lab.ended(&session).await, EndReason::ContainerLost);
    assert!(lab.container(&pod).await.is_some());
}

#[tokio::test]
async fn a_watch_of_machines_that_breaks_off_or_was_away_for_too_long_misses_nothing() {
    let lab = Lab::on(Cluster::with_kubevirt().await, |_| {}).await;
    let lost = lab.cluster.ready_machine("wine-vm", None).await;
    lab.available(&lost).await;
    let stub = lab.cluster.faults();
    stub.cut();
    let other = lab.cluster.ready_machine("wine-vm-2", None).await;
    lab.available(&other).await;
    stub.fall_silent();
    lab.cluster.machine_ended("wine-vm").await;
    stub.compact();
    stub.speak();
    lab.gone(&lost).await;
    assert_eq!(lab.container(&other).await.unwrap().pool_state, PoolState::Available);
}

/// Why the reset of a container failed.
fn failure(one: &Container) -> Option<&str> {
    one.health.reason.as_deref().and_then(|reason| reason.strip_prefix("its reset fails: "))
}

#[tokio::test]
async fn no_command_runs_in_a_machine_and_its_log_is_elsewhere_which_is_told() {
    let exec = |config: &mut Config| {
        config.reset.kind = ResetKind::Exec;
        config.reset.command = vec!["say".to_owned(), "clean".to_owned()];
        config.reset.attempts = 1;
    };
    let lab = Lab::on(Cluster::with_kubevirt().await, exec).await;
    let id = lab.cluster.ready_machine("wine-vm", None).await;
    lab.available(&id).await;
    let session = lab.session().await;
    lab.release(&session).await;
    lab.recycle();
    let one = lab.becomes("its reset fails", &id, |one| failure(one).is_some()).await;
    assert_eq!(failure(&one), Some("no commands in virtual machines: use `recreate` or `webhook`"));
    let logs = lab.provider.clone().logs(id.parse().unwrap(), LogOptions::default()).await;
    let error = logs.err().expect("no log").to_string();
    assert_eq!(
        error,
        "a virtual machine has no log here; `virtctl console` shows what it writes to its serial console"
    );
}

#[tokio::test]
async fn a_machine_that_would_be_started_again_is_deleted_after_a_session_and_others_are_left_alone() {
    let auto = |config: &mut Config| {
        config.reset.kind = ResetKind::Auto;
        config.reset.pause = Duration::from_millis(50);
    };
    let lab = Lab::on(Cluster::with_kubevirt().await, auto).await;
    lab.recycle();
    for (name, owner, spec) in [
        ("always", "VirtualMachine", Some(json!({"runStrategy": "Always"}))),
        ("running", "VirtualMachine", Some(json!({"running": true}))),
        ("replicas", "VirtualMachineInstanceReplicaSet", None),
    ] {
        if let Some(spec) = spec {
            lab.cluster.create_owner(name, spec).await;
        }
        let id = lab.cluster.ready_machine(name, Some(owner)).await;
        lab.available(&id).await;
        let session = lab.session().await;
        lab.release(&session).await;
        lab.becomes("it ends", &id, |one| one.state == EngineState::Terminating).await;
        lab.cluster.machine_ended(name).await;
        lab.gone(&id).await;
    }
    lab.cluster.create_owner("manual", json!({"runStrategy": "Manual"})).await;
    for (name, owner, why) in [
        ("alone", None, "the virtual machine has no controller that would replace it"),
        ("manual", Some("VirtualMachine"), "nothing replaces it: its runStrategy is Manual"),
        ("orphan", Some("VirtualMachine"), "the VirtualMachine that it belongs to is gone"),
        ("strange", Some("Robot"), "its controller is a Robot, which may not replace it"),
    ] {
        let id = lab.cluster.ready_machine(name, owner).await;
        lab.available(&id).await;
        let session = lab.session().await;
        lab.release(&session).await;
        let one = lab.becomes("its reset fails", &id, |one| failure(one).is_some()).await;
        assert_eq!(failure(&one), Some(why));
        let machine = lab.cluster.machines().get(name).await.unwrap();
        assert!(machine.metadata.deletion_timestamp.is_none());
        lab.cluster.machine_ended(name).await;
        lab.gone(&id).await;
    }
}

#[tokio::test]
async fn a_pod_and_a_machine_of_one_name_are_two_containers() {
    let lab = Lab::on(Cluster::with_kubevirt().await, |_| {}).await;
    let machine = lab.cluster.ready_machine("wine-0", None).await;
    let pod = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&machine).await;
    lab.available(&pod).await;
    lab.cluster.confirm_deleted("wine-0").await;
    lab.gone(&pod).await;
    lab.look().await;
    assert_eq!(lab.container(&machine).await.unwrap().pool_state, PoolState::Available);
}
