//! What a container is made anew from: what it was created with, and nothing of what the engine made of it.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, EndpointSettings, HostConfig, NetworkingConfig,
    RestartPolicyNameEnum,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::provider::{ProviderError, SCALED_LABEL};

/// Which of its service's containers it is, by Compose.
const COMPOSE_NUMBER: &str = "com.docker.compose.container-number";

/// Names the container that this one was made in place of.
pub(super) const REPLACES: &str = "leasehold.replaces";

/// The characters of an id that the engine shows, and takes for a host's name.
const SHORT: usize = 12;

/// Its words are the engine's; it is kept as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Definition {
    /// The container's name.
    pub name: String,
    /// The image's id: what its name stands for may change.
    pub image: String,
    /// What it was created with, as the engine tells it.
    config: Value,
    /// The rest of that: mounts, ports, limits.
    host: HostConfig,
    /// By its name, how it is in each network.
    networks: HashMap<String, EndpointSettings>,
}

impl Definition {
    /// From what the engine tells of a container.
    pub(super) fn of(found: ContainerInspectResponse) -> Option<Self> {
        let id = found.id?;
        let short = &id[..SHORT.min(id.len())];
        let mut config = serde_json::to_value(found.config?).ok()?;
        // The engine's choice, unless somebody chose the same.
        if config["Hostname"] == short {
            config.as_object_mut()?.remove("Hostname");
        }
        let networks = found.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        Some(Self {
            name: found.name?.trim_start_matches('/').to_owned(),
            image: found.image?,
            config,
            host: found.host_config?,
            networks: networks.into_iter().map(|(name, network)| (name, asked_for(network, short))).collect(),
        })
    }

    /// From the text that it is kept as.
    pub(super) fn read(text: &str) -> Result<Self, ProviderError> {
        serde_json::from_str(text)
            .map_err(|error| ProviderError::Refused(format!("its definition cannot be read: {error}")))
    }

    /// The image's name when it was created.
    pub(super) fn image_name(&self) -> Option<&str> {
        self.config["Image"].as_str()
    }

    /// Whether the engine would start it again by itself.
    pub(super) fn restarts(&self) -> bool {
        let policy = self.host.restart_policy.as_ref().and_then(|policy| policy.name);
        policy.is_some_and(|policy| !matches!(policy, RestartPolicyNameEnum::NO | RestartPolicyNameEnum::EMPTY))
    }

    /// What the container `old` is called while another is in its place.
    pub(super) fn retired_name(&self, old: &str) -> String {
        format!("{}-replaced-{}", self.name, &old[..SHORT.min(old.len())])
    }

    /// What to create in place of `old`, from this image.
    pub(super) fn body(&self, old: &str, image: &str) -> Result<ContainerCreateBody, serde_json::Error> {
        let mut body = self.like(image)?;
        body.labels.get_or_insert_default().insert(REPLACES.to_owned(), old.to_owned());
        Ok(body)
    }

    /// What to create beside it as the one with this number, from this image. Compose takes it for one of the service's.
    pub(super) fn sibling(&self, number: u64, image: &str) -> Result<ContainerCreateBody, serde_json::Error> {
        let mut body = self.like(image)?;
        let labels = body.labels.get_or_insert_default();
        labels.remove(REPLACES);
        labels.insert(SCALED_LABEL.to_owned(), self.name.clone());
        if let Some(own) = labels.get_mut(COMPOSE_NUMBER) {
            *own = number.to_string();
        }
        // An address of its own was asked for by one that has it.
        for network in body.networking_config.iter_mut().filter_map(|config| config.endpoints_config.as_mut()) {
            for one in network.values_mut() {
                one.ipam_config = None;
            }
        }
        Ok(body)
    }

    /// Its name without the number at its end, with what is before that.
    pub(super) fn family(&self) -> String {
        let stem = self.name.trim_end_matches(|c: char| c.is_ascii_digit());
        if stem.is_empty() || !stem.ends_with(['-', '_']) { format!("{}-", self.name) } else { stem.to_owned() }
    }

    /// What to create, from this image. Of its networks one can be given at once, by all engines.
    fn like(&self, image: &str) -> Result<ContainerCreateBody, serde_json::Error> {
        let mut body: ContainerCreateBody = serde_json::from_value(self.config.clone())?;
        body.image = Some(image.to_owned());
        body.networking_config = self.first_network().map(|(name, network)| NetworkingConfig {
            endpoints_config: Some(HashMap::from([(name.clone(), network.clone())])),
        });
        body.host_config = Some(self.host.clone());
        Ok(body)
    }

    /// Its networks by their names, but those that are no real ones.
    pub(super) fn networks(&self) -> impl Iterator<Item = (&String, &EndpointSettings)> {
        let mode = self.host.network_mode.as_deref().unwrap_or_default();
        let real = !matches!(mode, "host" | "none") && !mode.starts_with("container:");
        self.networks.iter().filter(move |_| real)
    }

    /// The network that its mode names.
    fn first_network(&self) -> Option<(&String, &EndpointSettings)> {
        let mode = self.host.network_mode.as_deref().unwrap_or_default();
        let mode = if matches!(mode, "" | "default") { "bridge" } else { mode };
        self.networks().find(|(name, network)| *name == mode || network.network_id.as_deref() == Some(mode))
    }
}

/// What was asked for of a network, without what the engine chose.
fn asked_for(network: EndpointSettings, short: &str) -> EndpointSettings {
    let aliases = network.aliases.map(|aliases| aliases.into_iter().filter(|alias| alias != short).collect());
    EndpointSettings {
        ipam_config: network.ipam_config,
        links: network.links,
        aliases,
        driver_opts: network.driver_opts,
        gw_priority: network.gw_priority,
        network_id: network.network_id,
        ..EndpointSettings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn definition(change: impl FnOnce(&mut Value)) -> Definition {
        let mut found = json!({
            "Id": "0123456789abcdef", "Name": "/desktops-wine-1", "Image": "sha256:77",
            "Config": {
                "Hostname": "0123456789ab", "Image": "wine:latest", "Cmd": ["/desk"], "Env": ["A=b"],
                "Labels": {"com.docker.compose.project": "desktops", REPLACES: "before"},
                "Volumes": {"/scratch": {}},
            },
            "HostConfig": {
                "NetworkMode": "desktops_default", "Binds": ["home:/home:rw"],
                "PortBindings": {"5900/tcp": [{"HostIp": "", "HostPort": "5901"}]},
                "RestartPolicy": {"Name": "unless-stopped"},
            },
            "NetworkSettings": {"Networks": {
                "desktops_default": {
                    "IPAMConfig": {"IPv4Address": "172.30.0.9"}, "Aliases": ["wine-target", "0123456789ab"],
                    "NetworkID": "n1", "IPAddress": "172.30.0.9", "MacAddress": "02:42:ac:1e:00:09", "EndpointID": "e1",
                },
                "other": {"NetworkID": "n2", "IPAddress": "172.31.0.2"},
            }},
        });
        change(&mut found);
        Definition::of(serde_json::from_value(found).unwrap()).unwrap()
    }

    #[test]
    fn what_it_was_created_with_is_kept_and_what_the_engine_chose_is_not() {
        let kept = definition(|_| {});
        let read: Definition = serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap();
        let body = serde_json::to_value(read.body("0123456789abcdef", &read.image).unwrap()).unwrap();
        assert_eq!(read.name, "desktops-wine-1");
        assert_eq!((&body["Image"], &body["Hostname"]), (&json!("sha256:77"), &Value::Null));
        assert_eq!(
            (&body["Cmd"], &body["Env"], &body["Volumes"]),
            (&json!(["/desk"]), &json!(["A=b"]), &json!({"/scratch": {}}))
        );
        assert_eq!(body["Labels"], json!({"com.docker.compose.project": "desktops", REPLACES: "0123456789abcdef"}));
        assert_eq!(body["HostConfig"]["Binds"], json!(["home:/home:rw"]));
        assert_eq!(body["HostConfig"]["PortBindings"]["5900/tcp"][0]["HostPort"], "5901");
        let networks = body["NetworkingConfig"]["EndpointsConfig"].as_object().unwrap();
        assert_eq!(networks.keys().collect::<Vec<_>>(), ["desktops_default"], "an old engine takes one at a time");
        let network = &networks["desktops_default"];
        assert_eq!(network["IPAMConfig"]["IPv4Address"], "172.30.0.9");
        assert_eq!(network["Aliases"], json!(["wine-target"]));
        assert_eq!((&network["MacAddress"], &network["IPAddress"]), (&Value::Null, &Value::Null));
        assert_eq!(read.networks().count(), 2);
        assert!(read.restarts());
        assert_eq!(read.retired_name("0123456789abcdef"), "desktops-wine-1-replaced-0123456789ab");
    }

    #[test]
    fn one_more_is_like_it_but_for_its_name_number_and_address() {
        let kept = definition(|found| found["Config"]["Labels"][COMPOSE_NUMBER] = "1".into());
        assert_eq!(kept.family(), "desktops-wine-");
        let body = serde_json::to_value(kept.sibling(7, "wine:latest").unwrap()).unwrap();
        assert_eq!((&body["Image"], &body["Cmd"]), (&json!("wine:latest"), &json!(["/desk"])));
        let labels = json!({
            "com.docker.compose.project": "desktops", COMPOSE_NUMBER: "7", SCALED_LABEL: "desktops-wine-1",
        });
        assert_eq!(body["Labels"], labels);
        let network = &body["NetworkingConfig"]["EndpointsConfig"]["desktops_default"];
        assert_eq!((&network["IPAMConfig"], &network["Aliases"]), (&Value::Null, &json!(["wine-target"])));
        for (name, family) in [("desk", "desk-"), ("desk7", "desk7-"), ("a_desk_12", "a_desk_"), ("12", "12-")] {
            assert_eq!(definition(|found| found["Name"] = format!("/{name}").into()).family(), family);
        }
    }

    #[test]
    fn the_hosts_network_and_that_of_another_container_are_no_networks_to_connect_to() {
        for mode in ["host", "none", "container:abc"] {
            let kept = definition(|found| found["HostConfig"]["NetworkMode"] = mode.into());
            assert_eq!(kept.networks().count(), 0, "{mode}");
            assert_eq!(kept.body("old", "image").unwrap().networking_config, None, "{mode}");
        }
    }
}
