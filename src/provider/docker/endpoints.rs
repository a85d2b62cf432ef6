//! Where a container's ports are dialled: from outside by its published ports, on its network by its own address.

use std::{collections::BTreeMap, net::IpAddr};

use bollard::models::{EndpointSettings, NetworkSettings, PortBinding};

use crate::{model::Endpoint, provider::host_port};

/// The host under which clients reach published ports.
#[derive(Debug, Clone)]
pub(super) struct Host {
    /// From the settings: it stands for whatever the engine says.
    pub(super) advertised: Option<String>,
    /// Where the engine itself is reached.
    pub(super) engine: String,
}

impl Host {
    /// The host for a port that was published on this address of the engine's machine.
    fn for_published(&self, on: &str) -> String {
        let anywhere = on.is_empty() || on.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
        match &self.advertised {
            Some(host) => host.clone(),
            None if anywhere => self.engine.clone(),
            None => on.to_owned(),
        }
    }
}

/// Where a container is dialled. Empty for one that does not run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Addresses {
    /// Its address on the containers' network.
    pub(super) ip: Option<String>,
    /// From the container's port to the port to dial.
    pub(super) ports: BTreeMap<String, u16>,
    /// By name.
    pub(super) endpoints: BTreeMap<String, Endpoint>,
}

impl Addresses {
    /// Of a container on the engine's own network: its ports are the machine's.
    pub(super) fn on_host(named: &BTreeMap<String, u16>, host: &Host) -> Self {
        let at = host.for_published("");
        let endpoint = |port| Endpoint { address: Some(host_port(&at, port)), internal: None };
        Self {
            ip: None,
            ports: named.values().map(|port| (port.to_string(), *port)).collect(),
            endpoints: named.iter().map(|(name, port)| (name.clone(), endpoint(*port))).collect(),
        }
    }

    /// Of a container on networks of its own.
    pub(super) fn on_networks(named: &BTreeMap<String, u16>, settings: &NetworkSettings, host: &Host) -> Self {
        let ip = address(settings);
        let published = published(settings);
        let mut addresses = Self { ip: ip.clone(), ..Self::default() };
        for (name, port) in named {
            let outside = published.get(port);
            let endpoint = Endpoint {
                address: outside.map(|(on, outer)| host_port(&host.for_published(on), *outer)),
                internal: ip.as_ref().map(|ip| host_port(ip, *port)),
            };
            if ip.is_some() {
                addresses.ports.insert(port.to_string(), *port);
            }
            addresses.endpoints.insert(name.clone(), endpoint);
        }
        addresses.ports.extend(published.into_iter().map(|(port, (_, outer))| (port.to_string(), outer)));
        addresses
    }
}

/// The container's address: on the first network by name that gave it one, the default `bridge` last, since others
/// were chosen.
fn address(settings: &NetworkSettings) -> Option<String> {
    let mut networks: Vec<_> = settings.networks.iter().flatten().collect();
    networks.sort_by_key(|(name, _)| (name.as_str() == "bridge", name.as_str()));
    networks.into_iter().find_map(|(_, network)| of_network(network))
}

fn of_network(network: &EndpointSettings) -> Option<String> {
    [&network.ip_address, &network.global_ipv6_address].into_iter().flatten().find(|ip| !ip.is_empty()).cloned()
}

/// From the container's TCP ports to where they are published: address and port, IPv4 where there is a choice.
fn published(settings: &NetworkSettings) -> BTreeMap<u16, (String, u16)> {
    let mut published = BTreeMap::new();
    for (port, bindings) in settings.ports.iter().flatten() {
        let Some(port) = port.strip_suffix("/tcp").and_then(|port| port.parse().ok()) else { continue };
        let places = bindings.iter().flatten().filter_map(place);
        if let Some(best) = places.min_by_key(|(on, outer)| (on.contains(':'), on.clone(), *outer)) {
            published.insert(port, best);
        }
    }
    published
}

fn place(binding: &PortBinding) -> Option<(String, u16)> {
    let outer = binding.host_port.as_ref()?.parse().ok()?;
    Some((binding.host_ip.clone().unwrap_or_default(), outer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named() -> BTreeMap<String, u16> {
        BTreeMap::from([("vnc".to_owned(), 5900), ("novnc".to_owned(), 6080)])
    }

    fn local() -> Host {
        Host { advertised: None, engine: "127.0.0.1".to_owned() }
    }

    fn settings(value: serde_json::Value) -> NetworkSettings {
        serde_json::from_value(value).unwrap()
    }

    fn endpoint(address: Option<&str>, internal: Option<&str>) -> Endpoint {
        Endpoint { address: address.map(str::to_owned), internal: internal.map(str::to_owned) }
    }

    #[test]
    fn a_published_port_has_both_addresses_and_another_only_the_inner_one() {
        let settings = settings(json!({
            "Ports": {
                "5900/tcp": [{"HostIp": "::", "HostPort": "49154"}, {"HostIp": "0.0.0.0", "HostPort": "49153"}],
                "9000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "49160"}],
                "53/udp": [{"HostIp": "0.0.0.0", "HostPort": "49161"}],
                "6080/tcp": null,
            },
            "Networks": {"bridge": {"IPAddress": "172.17.0.2"}},
        }));
        let found = Addresses::on_networks(&named(), &settings, &local());
        assert_eq!(found.ip.as_deref(), Some("172.17.0.2"));
        assert_eq!(found.endpoints["vnc"], endpoint(Some("127.0.0.1:49153"), Some("172.17.0.2:5900")));
        assert_eq!(found.endpoints["novnc"], endpoint(None, Some("172.17.0.2:6080")));
        let ports = [("5900", 49153), ("6080", 6080), ("9000", 49160)];
        assert_eq!(found.ports, ports.map(|(port, dialled)| (port.to_owned(), dialled)).into());
    }

    #[test]
    fn the_host_is_the_advertised_one_else_the_published_one_else_the_engines() {
        let on = |ip: &str| settings(json!({"Ports": {"5900/tcp": [{"HostIp": ip, "HostPort": "1"}]}, "Networks": {}}));
        let address = |ip: &str, advertised: Option<&str>, engine: &str| {
            let host = Host { advertised: advertised.map(str::to_owned), engine: engine.to_owned() };
            Addresses::on_networks(&named(), &on(ip), &host).endpoints["vnc"].address.clone().unwrap()
        };
        assert_eq!(address("0.0.0.0", None, "lab"), "lab:1");
        assert_eq!(address("::", None, "lab"), "lab:1");
        assert_eq!(address("", None, "::1"), "[::1]:1");
        assert_eq!(address("10.1.2.3", None, "lab"), "10.1.2.3:1");
        assert_eq!(address("10.1.2.3", Some("vnc.example"), "lab"), "vnc.example:1");
        assert_eq!(address("0.0.0.0", Some("vnc.example"), "lab"), "vnc.example:1");
    }

    #[test]
    fn a_chosen_network_comes_before_the_default_one_and_ipv6_serves_where_there_is_no_ipv4() {
        let both = settings(json!({"Networks": {
            "bridge": {"IPAddress": "172.17.0.2"},
            "desktops": {"IPAddress": "10.0.0.2"},
            "away": {"IPAddress": ""},
        }}));
        assert_eq!(Addresses::on_networks(&named(), &both, &local()).ip.as_deref(), Some("10.0.0.2"));
        let six = settings(json!({"Networks": {"six": {"IPAddress": "", "GlobalIPv6Address": "fd00::2"}}}));
        let found = Addresses::on_networks(&named(), &six, &local());
        assert_eq!(found.endpoints["vnc"], endpoint(None, Some("[fd00::2]:5900")));
    }

    #[test]
    fn on_the_hosts_network_a_port_is_the_hosts_own() {
        let found = Addresses::on_host(&named(), &local());
        assert_eq!(found.ip, None);
        assert_eq!(found.endpoints["vnc"], endpoint(Some("127.0.0.1:5900"), None));
        assert_eq!(found.ports["6080"], 6080);
    }

    #[test]
    fn a_container_without_network_has_endpoints_that_lead_nowhere() {
        let found = Addresses::on_networks(&named(), &NetworkSettings::default(), &local());
        assert_eq!(found.endpoints["vnc"], endpoint(None, None));
        assert!(found.ports.is_empty() && found.ip.is_none());
    }
}
