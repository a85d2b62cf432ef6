//! What can be lent of a cluster, and what is common to it: pods, and virtual machines of KubeVirt.

use std::{collections::BTreeMap, fmt::Debug};

use jiff::Timestamp;
use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::Pod,
    apimachinery::pkg::apis::meta::v1::{OwnerReference, Time},
};
use kube::Resource;
use serde::de::DeserializeOwned;

use super::{kubevirt::Machine, machine, pod};
use crate::{
    model::{Endpoint, InvalidName, Observation, TargetType},
    provider::host_port,
};

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Pod,
    Machine,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Pod, Self::Machine];

    /// As rights call it: with its group, where it has one.
    pub(super) fn resource(self) -> &'static str {
        match self {
            Self::Pod => "pods",
            Self::Machine => "virtualmachineinstances.kubevirt.io",
        }
    }
}

/// An object that can be lent.
pub(super) trait Lent:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug + Send + Sync + 'static
{
    const KIND: Kind;

    /// The object in our words; none when it takes no part any more.
    fn observation(
        &self,
        target_type: TargetType,
        labels: BTreeMap<String, String>,
        default_ports: &BTreeMap<String, u16>,
    ) -> Result<Option<Observation>, InvalidName>;

    /// Whether its labels are those of another object, which is lent instead.
    fn stands_for_another(&self) -> bool {
        false
    }
}

impl Lent for Pod {
    const KIND: Kind = Kind::Pod;

    fn observation(
        &self,
        target_type: TargetType,
        labels: BTreeMap<String, String>,
        default_ports: &BTreeMap<String, u16>,
    ) -> Result<Option<Observation>, InvalidName> {
        pod::observation(self, target_type, labels, default_ports)
    }

    fn stands_for_another(&self) -> bool {
        pod::launches_a_machine(self)
    }
}

impl Lent for Machine {
    const KIND: Kind = Kind::Machine;

    fn observation(
        &self,
        target_type: TargetType,
        labels: BTreeMap<String, String>,
        default_ports: &BTreeMap<String, u16>,
    ) -> Result<Option<Observation>, InvalidName> {
        machine::observation(self, target_type, labels, default_ports)
    }
}

/// Its namespace and name.
pub(super) fn name(object: &impl Resource) -> String {
    format!("{}/{}", namespace(object), own_name(object))
}

/// Its name in its namespace.
pub(super) fn own_name(object: &impl Resource) -> &str {
    object.meta().name.as_deref().unwrap_or_default()
}

pub(super) fn namespace(object: &impl Resource) -> &str {
    object.meta().namespace.as_deref().unwrap_or_default()
}

/// What puts another in its place when it is gone.
pub(super) fn controller(object: &impl Resource) -> Option<&OwnerReference> {
    object.meta().owner_references.iter().flatten().find(|owner| owner.controller == Some(true))
}

/// Ports to dial by number, and endpoints by name: those that are declared. One without a name has that of the type's ports with
/// its number. Where none is declared, there are the type's.
pub(super) fn addresses(
    declared: &[(Option<String>, u16)],
    ip: Option<&str>,
    default_ports: &BTreeMap<String, u16>,
) -> (BTreeMap<String, u16>, BTreeMap<String, Endpoint>) {
    let usual = |number: u16| default_ports.iter().find(|(_, port)| **port == number).map(|(name, _)| name.clone());
    let (numbers, named): (Vec<u16>, BTreeMap<String, u16>) = if declared.is_empty() {
        (default_ports.values().copied().collect(), default_ports.clone())
    } else {
        let named = declared.iter().filter_map(|(name, port)| Some((name.clone().or_else(|| usual(*port))?, *port)));
        (declared.iter().map(|(_, port)| *port).collect(), named.collect())
    };
    let endpoint = |port| {
        let address = ip.map(|ip| host_port(ip, port));
        Endpoint { address: address.clone(), internal: address }
    };
    let ports = numbers.into_iter().filter(|_| ip.is_some()).map(|port| (port.to_string(), port)).collect();
    (ports, named.into_iter().map(|(name, port)| (name, endpoint(port))).collect())
}

/// Name and number of a port as it is declared, unless it is not one of TCP.
pub(super) fn tcp_port(name: Option<&str>, number: i32, protocol: Option<&str>) -> Option<(Option<String>, u16)> {
    let tcp = protocol.is_none_or(|protocol| protocol.is_empty() || protocol == "TCP");
    let number = u16::try_from(number).ok().filter(|_| tcp)?;
    Some((name.filter(|name| !name.is_empty()).map(str::to_owned), number))
}

/// kube tells time by another version of the same library.
pub(super) fn timestamp(time: &Time) -> Option<Timestamp> {
    Timestamp::new(time.0.as_second(), time.0.subsec_nanosecond()).ok()
}
