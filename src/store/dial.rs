//! How any server of the configuration is dialled: over TCP or TLS, as which user, into which database.

use std::path::Path;

use redis::{
    Client, ConnectionAddr, IntoConnectionInfo as _, RedisConnectionInfo, TlsCertificates, io::tcp::TcpSettings,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::StoreError;
use crate::config::{HostPort, RedisConfig, RedisPlace, RedisUrl};

/// What all connections of one kind have in common.
pub(super) struct Dial {
    settings: RedisConnectionInfo,
    tls: Option<TlsCertificates>,
}

impl Dial {
    /// For the servers that hold the data.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn data(config: &RedisConfig, url: &RedisUrl) -> Result<Self, StoreError> {
        let settings = login(url.user.as_deref(), url.password.as_ref()).set_db(url.db);
        Ok(Self { settings, tls: certificates(config, url)? })
    }

    /// For sentinels.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn sentinels(config: &RedisConfig, url: &RedisUrl) -> Result<Self, StoreError> {
        let settings = login(config.sentinel_user.as_deref(), config.sentinel_password.as_ref());
        Ok(Self { settings, tls: certificates(config, url)? })
    }

    /// A client for the server at this address.
    ///
    /// # Errors
    /// It cannot be dialled with these settings, whether it is there or not.
    pub(super) fn client(&self, at: &HostPort) -> Result<Client, StoreError> {
        let HostPort { host, port } = at.clone();
        let address = match &self.tls {
            None => ConnectionAddr::Tcp(host, port),
            Some(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
        };
        self.open(address)
    }

    /// A client for the server behind a socket of this machine.
    ///
    /// # Errors
    /// See [`Dial::client`].
    pub(super) fn unix(&self, path: &Path) -> Result<Client, StoreError> {
        self.open(ConnectionAddr::Unix(path.to_owned()))
    }

    fn open(&self, address: ConnectionAddr) -> Result<Client, StoreError> {
        let info = address
            .into_connection_info()
            .map_err(|error| unusable(&error))?
            .set_tcp_settings(TcpSettings::default().set_nodelay(true))
            .set_redis_settings(self.settings.clone());
        match &self.tls {
            Some(certificates) => Client::build_with_tls(info, certificates.clone()).map_err(|error| unusable(&error)),
            None => Client::open(info).map_err(|error| unusable(&error)),
        }
    }
}

/// The clients that `place` names: the sentinels, the cluster's first nodes, or the one server.
///
/// # Errors
/// One cannot be dialled with these settings, whether it is there or not.
pub(super) fn named(dial: &Dial, place: &RedisPlace) -> Result<Vec<Client>, StoreError> {
    match place {
        RedisPlace::Unix(path) => Ok(vec![dial.unix(path)?]),
        RedisPlace::Server(at) => Ok(vec![dial.client(at)?]),
        RedisPlace::Sentinel { sentinels: several, .. } | RedisPlace::Cluster(several) => {
            several.iter().map(|at| dial.client(at)).collect()
        }
    }
}

fn login(user: Option<&str>, password: Option<&SecretString>) -> RedisConnectionInfo {
    let mut settings = RedisConnectionInfo::default();
    if let Some(user) = user {
        settings = settings.set_username(user);
    }
    if let Some(password) = password {
        settings = settings.set_password(password.expose_secret());
    }
    settings
}

fn certificates(config: &RedisConfig, url: &RedisUrl) -> Result<Option<TlsCertificates>, StoreError> {
    if !url.tls {
        return Ok(None);
    }
    let read = |key: &str, path: &Path| {
        std::fs::read(path).map_err(|error| {
            StoreError::Unfit(format!("redis.tls.{key} = {}: cannot be read: {error}", path.display()))
        })
    };
    let files = &config.tls;
    let root_cert = files.ca_file.as_deref().map(|path| read("ca_file", path)).transpose()?;
    let client_tls = match (&files.cert_file, &files.key_file) {
        (Some(certificate), Some(key)) => Some(redis::ClientTlsConfig {
            client_cert: read("cert_file", certificate)?,
            client_key: read("key_file", key)?,
        }),
        _ => None,
    };
    Ok(Some(TlsCertificates { client_tls, root_cert }))
}

fn unusable(error: &redis::RedisError) -> StoreError {
    StoreError::Unfit(format!("redis.url cannot be used: {error}"))
}
