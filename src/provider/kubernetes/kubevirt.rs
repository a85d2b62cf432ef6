//! The little of KubeVirt's API that is read: a `VirtualMachineInstance` of `kubevirt.io/v1`, as `api/core/v1/types.go` of KubeVirt has it.
//! It is one run of a virtual machine, from its start until its guest is shut down; whoever keeps the machine running makes another one,
//! with another uid, for the next run.
//!
//! Everything may be missing: what is not written is not sent, and not all was there in each version.

use std::borrow::Cow;

use k8s_openapi::{
    NamespaceResourceScope,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
};
use kube::Resource;
use serde::Deserialize;

pub(super) const GROUP: &str = "kubevirt.io";
pub(super) const VERSION: &str = "v1";
pub(super) const KIND: &str = "VirtualMachineInstance";
pub(super) const PLURAL: &str = "virtualmachineinstances";

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Machine {
    pub(super) metadata: ObjectMeta,
    pub(super) spec: Spec,
    pub(super) status: Status,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Spec {
    pub(super) domain: Domain,
    pub(super) networks: Vec<Network>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Domain {
    pub(super) devices: Devices,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Devices {
    pub(super) interfaces: Vec<Interface>,
}

/// Where a network of the same name comes into the machine.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Interface {
    pub(super) name: String,
    /// Those that are forwarded to the guest; all of them where none is named.
    pub(super) ports: Vec<Port>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Port {
    pub(super) name: Option<String>,
    #[serde(rename = "port")]
    pub(super) number: i32,
    pub(super) protocol: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Network {
    pub(super) name: String,
    /// There for the network of pods; others are of Multus.
    pub(super) pod: Option<PodNetwork>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct PodNetwork {}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Status {
    pub(super) phase: String,
    /// When it came into each phase for the first time; a phase that it comes into again is not told of.
    pub(super) phase_transition_timestamps: Vec<PhaseTransition>,
    pub(super) conditions: Vec<Condition>,
    pub(super) interfaces: Vec<InterfaceStatus>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PhaseTransition {
    pub(super) phase: String,
    pub(super) phase_transition_timestamp: Option<Time>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) last_transition_time: Option<Time>,
}

/// An interface as it is; those that the guest made for itself have no name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct InterfaceStatus {
    pub(super) name: String,
    pub(super) ip_address: String,
    pub(super) ip_addresses: Vec<String>,
}

impl Resource for Machine {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        KIND.into()
    }

    fn group((): &()) -> Cow<'_, str> {
        GROUP.into()
    }

    fn version((): &()) -> Cow<'_, str> {
        VERSION.into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        PLURAL.into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
