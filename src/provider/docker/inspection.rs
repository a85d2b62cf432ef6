//! What the engine tells of one container, in our words.

use std::collections::BTreeMap;

use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum, HealthStatusEnum};

use super::endpoints::{Addresses, Host};
use crate::{
    model::{About, EngineHealth, EngineState, InvalidName, Observation, TargetType},
    provider::incarnation,
};

/// The observation of a container of this type.
pub(super) fn observation(
    found: ContainerInspectResponse,
    target_type: TargetType,
    labels: BTreeMap<String, String>,
    named_ports: &BTreeMap<String, u16>,
    host: &Host,
) -> Result<Observation, InvalidName> {
    let engine_state = found.state.unwrap_or_default();
    let state = state(engine_state.status);
    let on_host = found.host_config.and_then(|config| config.network_mode).as_deref() == Some("host");
    let settings = found.network_settings.unwrap_or_default();
    let runs = matches!(state, EngineState::Running | EngineState::Paused);
    let addresses = match (runs, on_host) {
        (false, _) => Addresses::default(),
        (true, true) => Addresses::on_host(named_ports, host),
        (true, false) => Addresses::on_networks(named_ports, &settings, host),
    };
    // With the end of the process the engine forgets the address, and the container stays what it was.
    let started = engine_state.started_at.unwrap_or_default();
    let incarnation =
        if runs { incarnation(&[&started, addresses.ip.as_deref().unwrap_or_default()]) } else { String::new() };
    Ok(Observation {
        id: found.id.unwrap_or_default().parse()?,
        target_type,
        incarnation,
        started: started.parse().ok().filter(|_| runs),
        state,
        health: health(engine_state.health.and_then(|health| health.status)),
        about: About {
            name: found.name.unwrap_or_default().trim_start_matches('/').to_owned(),
            ip_address: addresses.ip,
            ports: addresses.ports,
            endpoints: addresses.endpoints,
            labels,
            created_at: found.created,
        },
    })
}

fn state(status: Option<ContainerStateStatusEnum>) -> EngineState {
    use ContainerStateStatusEnum as Status;
    match status {
        Some(Status::RUNNING) => EngineState::Running,
        Some(Status::PAUSED) => EngineState::Paused,
        Some(Status::RESTARTING) => EngineState::Restarting,
        Some(Status::CREATED) => EngineState::Created,
        Some(Status::EXITED | Status::STOPPING) => EngineState::Exited,
        Some(Status::DEAD | Status::REMOVING | Status::EMPTY) | None => EngineState::Dead,
    }
}

fn health(status: Option<HealthStatusEnum>) -> EngineHealth {
    match status {
        Some(HealthStatusEnum::STARTING) => EngineHealth::Starting,
        Some(HealthStatusEnum::HEALTHY) => EngineHealth::Healthy,
        Some(HealthStatusEnum::UNHEALTHY) => EngineHealth::Unhealthy,
        Some(HealthStatusEnum::NONE | HealthStatusEnum::EMPTY) | None => EngineHealth::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// What an engine tells of a running container, with changes.
    fn seen(change: impl FnOnce(&mut Value)) -> Observation {
        let mut value = json!({
            "Id": "4f1d", "Name": "/desktops-wine-1",
            "State": {"Status": "running", "StartedAt": "2026-11-23T21:00:00.123456789Z", "Health": {"Status": "healthy"}},
            "HostConfig": {"NetworkMode": "bridge"},
            "NetworkSettings": {
                "Ports": {"5900/tcp": [{"HostIp": "127.0.0.1", "HostPort": "40001"}]},
                "Networks": {"bridge": {"IPAddress": "172.17.0.2"}},
            },
        });
        change(&mut value);
        let host = Host { advertised: None, engine: "127.0.0.1".to_owned() };
        let ports = BTreeMap::from([("vnc".to_owned(), 5900)]);
        let found = serde_json::from_value(value).unwrap();
        observation(found, "wine".parse().unwrap(), BTreeMap::new(), &ports, &host).unwrap()
    }

    #[test]
    fn a_running_container_is_told_in_our_words() {
        let seen = seen(|_| {});
        assert_eq!((seen.id.as_str(), seen.about.name.as_str()), ("4f1d", "desktops-wine-1"));
        assert_eq!((seen.state, seen.health), (EngineState::Running, EngineHealth::Healthy));
        assert_eq!(seen.about.ip_address.as_deref(), Some("172.17.0.2"));
        assert_eq!(seen.about.endpoints["vnc"].address.as_deref(), Some("127.0.0.1:40001"));
        assert_eq!(seen.incarnation.len(), 32);
        assert_eq!(seen.started.map(|at| at.to_string()).as_deref(), Some("2026-11-23T21:00:00.123456789Z"));
    }

    #[test]
    fn a_restart_or_another_address_is_another_incarnation_a_pause_or_a_failing_check_is_not() {
        let first = seen(|_| {}).incarnation;
        let paused = seen(|value| value["State"]["Status"] = "paused".into());
        let failing = seen(|value| value["State"]["Health"]["Status"] = "unhealthy".into());
        assert_eq!((paused.state, failing.health), (EngineState::Paused, EngineHealth::Unhealthy));
        assert_eq!([paused.incarnation, failing.incarnation], [first.clone(), first.clone()]);
        let restarted = seen(|value| value["State"]["StartedAt"] = "2026-11-23T21:00:09Z".into());
        let moved = seen(|value| value["NetworkSettings"]["Networks"]["bridge"]["IPAddress"] = "172.17.0.3".into());
        assert_ne!(restarted.incarnation, first);
        assert_ne!(moved.incarnation, first);
        assert_ne!(moved.incarnation, restarted.incarnation);
    }

    #[test]
    fn what_does_not_run_has_no_address_and_no_incarnation_of_its_own() {
        let states = [
            ("exited", EngineState::Exited),
            ("created", EngineState::Created),
            ("restarting", EngineState::Restarting),
            ("removing", EngineState::Dead),
        ];
        for (word, state) in states {
            let seen = seen(|value| value["State"]["Status"] = word.into());
            assert_eq!((seen.state, seen.incarnation.as_str(), seen.started), (state, "", None), "{word}");
            assert!(seen.about.endpoints.is_empty() && seen.about.ports.is_empty(), "{word}");
        }
    }

    #[test]
    fn the_hosts_network_is_dialled_at_the_host() {
        let seen = seen(|value| {
            value["HostConfig"]["NetworkMode"] = "host".into();
            value["NetworkSettings"] = json!({"Networks": {"host": {"IPAddress": ""}}});
        });
        assert_eq!(seen.about.endpoints["vnc"].address.as_deref(), Some("127.0.0.1:5900"));
        assert_eq!(seen.about.ip_address, None);
    }
}
