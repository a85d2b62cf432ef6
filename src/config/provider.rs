//! Where containers are found.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::model::{ProviderName, TargetType};

/// What stands for all namespaces.
const ALL: &str = "*";

/// `[[provider]]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ProviderConfig {
    /// A Docker engine.
    Docker(DockerConfig),
    /// A Kubernetes cluster.
    Kubernetes(KubernetesConfig),
    /// A list written in the configuration.
    Static(StaticConfig),
}

impl ProviderConfig {
    /// Its name, which its containers carry.
    #[must_use]
    pub fn name(&self) -> &ProviderName {
        match self {
            Self::Docker(docker) => &docker.name,
            Self::Kubernetes(kubernetes) => &kubernetes.name,
            Self::Static(fixed) => &fixed.name,
        }
    }

    /// # Errors
    /// The first setting of it that cannot be used.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::Kubernetes(kubernetes) => kubernetes.validate(),
            Self::Docker(_) | Self::Static(_) => Ok(()),
        }
    }
}

/// `[[provider]]` with `kind = "docker"`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DockerConfig {
    /// Its name.
    pub name: ProviderName,
    /// `unix:///var/run/docker.sock`, `tcp://host:2375` or `https://host:2376`; `DOCKER_HOST` when absent.
    #[serde(default)]
    pub address: Option<String>,
    /// A folder with `ca.pem`, `cert.pem` and `key.pem`, for `https`; `DOCKER_CERT_PATH` when absent.
    #[serde(default)]
    pub tls: Option<PathBuf>,
    /// The host name or address under which clients reach published ports; the engine's own (loopback for a
    /// socket) when absent.
    #[serde(default)]
    pub advertise_host: Option<String>,
}

/// `[[provider]]` with `kind = "kubernetes"`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KubernetesConfig {
    /// Its name.
    pub name: ProviderName,
    /// The namespaces whose pods may take part; `["*"]` is all of them. The service account's own, or that of the kubeconfig's
    /// context, when empty, which is the default.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// A kubeconfig file. When absent the service account of the pod that this process runs in, else what `KUBECONFIG` or
    /// `~/.kube/config` says.
    #[serde(default)]
    pub kubeconfig: Option<PathBuf>,
    /// A context of the kubeconfig; its current one when absent.
    #[serde(default)]
    pub context: Option<String>,
    /// Whether pods are marked by whether a session has them, for what scales them down.
    #[serde(default = "yes")]
    pub mark_pods: bool,
}

fn yes() -> bool {
    true
}

impl KubernetesConfig {
    /// Whether the pods of all namespaces may take part.
    #[must_use]
    pub fn everywhere(&self) -> bool {
        self.namespaces.iter().any(|name| name == ALL)
    }

    fn validate(&self) -> Result<(), ConfigError> {
        let wrong = |field: &str, given: String, right: &str| ConfigError::Wrong {
            key: format!("provider {:?} {field}", self.name.as_str()),
            given,
            right: right.to_owned(),
        };
        if self.everywhere() && self.namespaces.len() > 1 {
            let right = "the names of namespaces, or [\"*\"] alone for all of them";
            return Err(wrong("namespaces", format!("{:?}", self.namespaces), right));
        }
        for (at, name) in self.namespaces.iter().enumerate() {
            if name != ALL && !is_label(name) {
                let right =
                    "1 to 63 small letters, digits and -, with a letter or digit at both ends; or [\"*\"] for all";
                return Err(wrong("namespaces", format!("{name:?}"), right));
            }
            if self.namespaces[..at].contains(name) {
                return Err(wrong("namespaces", format!("{name:?}"), "each name once"));
            }
        }
        match &self.kubeconfig {
            Some(path) if !path.is_file() => {
                Err(wrong("kubeconfig", path.display().to_string(), "a kubeconfig file that can be read"))
            }
            _ => Ok(()),
        }
    }
}

/// What Kubernetes calls a label of RFC 1123.
fn is_label(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=63).contains(&name.len())
        && name.bytes().all(|b| inner(b) || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// `[[provider]]` with `kind = "static"`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticConfig {
    /// Its name.
    pub name: ProviderName,
    /// The containers.
    #[serde(default)]
    pub container: Vec<StaticContainer>,
}

/// `[[provider.container]]` of a static provider
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticContainer {
    /// Its name; the container's id is `<provider>.<name>`.
    pub name: String,
    /// Which kind it is.
    #[serde(rename = "type")]
    pub target_type: TargetType,
    /// The host that its ports are on.
    pub host: String,
    /// Endpoint names and ports on that host.
    pub ports: BTreeMap<String, u16>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn kubernetes(settings: &str) -> Result<KubernetesConfig, String> {
        let text = format!("[[provider]]\nname = \"lab\"\nkind = \"kubernetes\"\n{settings}\n");
        let config = Config::parse(&text).map_err(|error| error.to_string())?;
        let Some(ProviderConfig::Kubernetes(read)) = config.provider.into_iter().next() else { unreachable!() };
        Ok(read)
    }

    #[test]
    fn a_cluster_needs_a_name_alone_and_may_be_told_its_namespaces() {
        let plain = kubernetes("").unwrap();
        assert!(plain.namespaces.is_empty() && plain.kubeconfig.is_none() && !plain.everywhere());
        assert!(plain.mark_pods && !kubernetes("mark_pods = false").unwrap().mark_pods);
        assert_eq!(kubernetes("namespaces = [\"desk-1\", \"lab\"]").unwrap().namespaces, ["desk-1", "lab"]);
        assert!(kubernetes("namespaces = [\"*\"]").unwrap().everywhere());
    }

    #[test]
    fn what_cannot_be_a_namespace_or_a_kubeconfig_is_named() {
        for (settings, told) in [
            ("namespaces = [\"Lab\"]", "provider \"lab\" namespaces = \"Lab\": 1 to 63 small letters"),
            ("namespaces = [\"-\"]", "namespaces = \"-\""),
            ("namespaces = [\"a\", \"a\"]", "each name once"),
            ("namespaces = [\"*\", \"a\"]", "alone for all of them"),
            ("kubeconfig = \"/nowhere/config\"", "provider \"lab\" kubeconfig = /nowhere/config: a kubeconfig file"),
            ("namespace = \"lab\"", "namespace"),
        ] {
            let error = kubernetes(settings).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }
}
