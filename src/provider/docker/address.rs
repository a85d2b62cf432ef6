//! Where an engine is, and a client for it.

use std::{fmt, path::PathBuf, time::Duration};

use bollard::{API_DEFAULT_VERSION, Docker, errors::Error as EngineError};

use crate::{
    config::{ConfigError, DockerConfig},
    provider::host_port,
};

/// Where the engine listens when nothing says otherwise.
const LOCAL_SOCKET: &str = "unix:///var/run/docker.sock";

/// How an engine is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A socket of this machine.
    Socket(String),
    /// HTTP.
    Plain { host: String, port: u16 },
    /// HTTPS, with the `ca.pem`, `cert.pem` and `key.pem` of a folder.
    Tls { host: String, port: u16, folder: PathBuf },
}

impl Address {
    /// From the provider's settings and, where they say nothing, from the variables that Docker's own client reads.
    pub(super) fn of(settings: &DockerConfig, env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let env = |name| env(name).filter(|value| !value.is_empty());
        let from_env = settings.address.is_none();
        let given = settings.address.clone().or_else(|| env("DOCKER_HOST")).unwrap_or_else(|| LOCAL_SOCKET.to_owned());
        let wrong = |key: &str, right: &str| ConfigError::Wrong {
            key: format!("provider {:?} {key}", settings.name.as_str()),
            given: given.clone(),
            right: right.to_owned(),
        };
        let right = "unix:///path, tcp://host[:2375] or https://host[:2376]";
        let (scheme, rest) = given.split_once("://").ok_or_else(|| wrong("address", right))?;
        let rest = rest.trim_end_matches('/');
        let secure = match scheme {
            "unix" if rest.starts_with('/') => return Ok(Self::Socket(rest.to_owned())),
            "tcp" | "http" => settings.tls.is_some() || from_env && env("DOCKER_TLS_VERIFY").is_some(),
            "https" => true,
            _ => return Err(wrong("address", right)),
        };
        let (host, port) = split(rest, if secure { 2376 } else { 2375 }).ok_or_else(|| wrong("address", right))?;
        if !secure {
            return Ok(Self::Plain { host, port });
        }
        let folder = settings.tls.clone().or_else(|| env("DOCKER_CERT_PATH").map(PathBuf::from));
        let folder = folder.ok_or_else(|| {
            wrong("address", "https needs `tls`, or DOCKER_CERT_PATH: a folder with ca.pem, cert.pem and key.pem")
        })?;
        Ok(Self::Tls { host, port, folder })
    }

    /// The host on which published ports are found.
    pub(super) fn host(&self) -> &str {
        match self {
            Self::Socket(_) => "127.0.0.1",
            Self::Plain { host, .. } | Self::Tls { host, .. } => host,
        }
    }

    /// A client that has asked nothing yet; a socket and the files of TLS must be there.
    pub(super) fn client(&self, timeout: Duration) -> Result<Docker, EngineError> {
        let (address, seconds) = (self.to_string(), timeout.as_secs());
        match self {
            Self::Socket(_) => Docker::connect_with_unix(&address, seconds, API_DEFAULT_VERSION),
            Self::Plain { .. } => Docker::connect_with_http(&address, seconds, API_DEFAULT_VERSION),
            Self::Tls { folder, .. } => {
                let file = |name| folder.join(name);
                let (key, cert, ca) = (file("key.pem"), file("cert.pem"), file("ca.pem"));
                Docker::connect_with_ssl(&address, &key, &cert, &ca, seconds, API_DEFAULT_VERSION)
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "unix://{path}"),
            Self::Plain { host, port } => write!(f, "tcp://{}", host_port(host, *port)),
            Self::Tls { host, port, .. } => write!(f, "https://{}", host_port(host, *port)),
        }
    }
}

/// Host and port of `host`, `host:port`, `[v6]` or `[v6]:port`.
fn split(authority: &str, default_port: u16) -> Option<(String, u16)> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(v6) => v6.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match rest.strip_prefix(':') {
        Some(port) => port.parse().ok()?,
        None if rest.is_empty() => default_port,
        None => return None,
    };
    (!host.is_empty() && !host.contains('/')).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: Option<&str>, tls: Option<&str>, env: &[(&str, &str)]) -> Result<Address, ConfigError> {
        let settings = DockerConfig {
            name: "lab".parse().unwrap(),
            address: address.map(str::to_owned),
            tls: tls.map(PathBuf::from),
            advertise_host: None,
        };
        Address::of(&settings, |name| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn without_settings_it_is_what_the_environment_says_or_the_local_socket() {
        assert_eq!(of(None, None, &[]).unwrap(), Address::Socket("/var/run/docker.sock".to_owned()));
        assert_eq!(of(None, None, &[("DOCKER_HOST", "")]).unwrap(), Address::Socket("/var/run/docker.sock".to_owned()));
        let plain = Address::Plain { host: "lab".to_owned(), port: 2375 };
        assert_eq!(of(None, None, &[("DOCKER_HOST", "tcp://lab")]).unwrap(), plain);
        let secure = Address::Tls { host: "lab".to_owned(), port: 2376, folder: "/certs".into() };
        let env = [("DOCKER_HOST", "tcp://lab:2376"), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/certs")];
        assert_eq!(of(None, None, &env).unwrap(), secure);
    }

    #[test]
    fn settings_come_before_the_environment() {
        let env = [("DOCKER_HOST", "tcp://other:1"), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/other")];
        assert_eq!(of(Some("unix:///a.sock"), None, &env).unwrap(), Address::Socket("/a.sock".to_owned()));
        let plain = Address::Plain { host: "lab".to_owned(), port: 7 };
        assert_eq!(of(Some("tcp://lab:7"), None, &env).unwrap(), plain);
        let secure = Address::Tls { host: "::1".to_owned(), port: 2376, folder: "/certs".into() };
        assert_eq!(of(Some("https://[::1]"), Some("/certs"), &env).unwrap(), secure);
        assert_eq!(secure.to_string(), "https://[::1]:2376");
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        for bad in ["lab:2375", "ssh://lab", "unix://relative", "tcp://", "tcp://lab:port", "tcp://[::1", "tcp://lab/x"]
        {
            let error = of(Some(bad), None, &[]).unwrap_err().to_string();
            assert!(error.contains(r#"provider "lab" address"#) && error.contains(bad), "{error}");
        }
        let error = of(Some("https://lab"), None, &[]).unwrap_err().to_string();
        assert!(error.contains("DOCKER_CERT_PATH"), "{error}");
    }
}
