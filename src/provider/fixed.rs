//! The containers that are listed in the configuration (`kind = "static"`). They are always there and always run;
//! whether they serve is for health to find out.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{self, BoxFuture},
    stream::{self, BoxStream},
};

use jiff::Timestamp;

use super::{Capabilities, Change, Provider, ProviderError, host_port, incarnation};
use crate::{
    config::{ConfigError, StaticConfig, StaticContainer},
    model::{About, ContainerId, Endpoint, EngineHealth, EngineState, Observation, ProviderName},
};

/// A list that never changes.
pub(super) struct FixedProvider {
    name: ProviderName,
    containers: Arc<[Observation]>,
}

impl FixedProvider {
    pub(super) fn new(settings: &StaticConfig) -> Result<Self, ConfigError> {
        let mut ids = BTreeSet::new();
        let mut containers = Vec::new();
        for container in &settings.container {
            let seen = observation(&settings.name, container)?;
            if !ids.insert(seen.id.clone()) {
                return Err(wrong(&settings.name, "name", &container.name, "each name once"));
            }
            containers.push(seen);
        }
        Ok(Self { name: settings.name.clone(), containers: containers.into() })
    }
}

impl Provider for FixedProvider {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Observation>, ProviderError>> {
        future::ok(self.containers.to_vec()).boxed()
    }

    fn inspect<'a>(&'a self, id: &'a ContainerId) -> BoxFuture<'a, Result<Option<Observation>, ProviderError>> {
        future::ok(self.containers.iter().find(|container| container.id == *id).cloned()).boxed()
    }

    fn clock(&self) -> BoxFuture<'_, Option<Timestamp>> {
        future::ready(None).boxed()
    }

    fn watch(&self) -> BoxStream<'_, Result<Change, ProviderError>> {
        stream::pending().boxed()
    }
}

/// One entry of the list as an observation. Another host or port is another incarnation: what a holder dialled is gone.
fn observation(provider: &ProviderName, container: &StaticContainer) -> Result<Observation, ConfigError> {
    let StaticContainer { name, target_type, host, ports } = container;
    let id = format!("{provider}.{name}").parse().map_err(|_| {
        wrong(provider, "name", name, "letters, digits and . _ -, at most 64 with the provider's name and a dot")
    })?;
    if host.is_empty() {
        return Err(wrong(provider, "host", host, "a host name or an address"));
    }
    let endpoint = |port| {
        let address = Some(host_port(host, port));
        Endpoint { address: address.clone(), internal: address }
    };
    let spelled = ports.iter().map(|(name, port)| format!("{name}={port}")).collect::<Vec<_>>().join(",");
    Ok(Observation {
        id,
        target_type: target_type.clone(),
        incarnation: incarnation(&[host, &spelled]),
        started: None,
        state: EngineState::Running,
        health: EngineHealth::None,
        about: About {
            name: name.clone(),
            ip_address: host.parse::<IpAddr>().is_ok().then(|| host.clone()),
            ports: ports.values().map(|port| (port.to_string(), *port)).collect(),
            endpoints: ports.iter().map(|(name, port)| (name.clone(), endpoint(*port))).collect(),
            ..About::default()
        },
    })
}

fn wrong(provider: &ProviderName, field: &str, given: &str, right: &str) -> ConfigError {
    ConfigError::Wrong {
        key: format!("provider {:?} container {field}", provider.as_str()),
        given: format!("{given:?}"),
        right: right.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names: &[&str], host: &str) -> Result<FixedProvider, ConfigError> {
        let container = names.iter().map(|name| StaticContainer {
            name: (*name).to_owned(),
            target_type: "wine".parse().unwrap(),
            host: host.to_owned(),
            ports: [("vnc".to_owned(), 5901)].into(),
        });
        FixedProvider::new(&StaticConfig { name: "lab".parse().unwrap(), container: container.collect() })
    }

    #[test]
    fn an_entry_is_a_running_container_under_the_providers_name() {
        let provider = listed(&["one"], "::1").unwrap();
        let one = &provider.containers[0];
        assert_eq!((one.id.as_str(), one.about.name.as_str()), ("lab.one", "one"));
        assert_eq!(one.state, EngineState::Running);
        assert_eq!(one.about.endpoints["vnc"].address.as_deref(), Some("[::1]:5901"));
        assert_eq!(one.about.ip_address.as_deref(), Some("::1"));
        assert_eq!(listed(&["one"], "lab.example").unwrap().containers[0].about.ip_address, None);
    }

    #[test]
    fn another_host_is_another_incarnation() {
        let of = |host| listed(&["one"], host).unwrap().containers[0].incarnation.clone();
        assert_eq!(of("a"), of("a"));
        assert_ne!(of("a"), of("b"));
    }

    #[test]
    fn a_name_that_is_used_twice_or_makes_no_id_is_refused() {
        let error = |names: &[&str]| listed(names, "a").err().unwrap().to_string();
        assert!(error(&["one", "one"]).contains("each name once"));
        assert!(error(&["one/two"]).contains(r#"provider "lab" container name = "one/two""#));
    }
}
