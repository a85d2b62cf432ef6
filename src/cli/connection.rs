//! Which server is spoken to, and with which key.

use std::{env, path::PathBuf};

use anyhow::Context as _;
use secrecy::SecretString;

use crate::client::Client;

/// The address that is spoken to when none is named.
pub(super) const DEFAULT_URL: &str = "http://127.0.0.1:8088";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct Connection {
    /// The address of the API
    #[arg(long, env = "LEASEHOLD_URL", default_value = DEFAULT_URL, global = true, value_name = "URL")]
    url: String,
    /// A file that holds the API key [default: the key in LEASEHOLD_API_KEY, else in LEGACY_USE_API_KEY]
    // Never a key itself: arguments are seen by every user of the machine.
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    trust: Trust,
}

/// Whose certificates are good, for an `https` address.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct Trust {
    /// A PEM file of the authorities that sign the server's certificate [default: those of the machine]
    #[arg(long, env = "LEASEHOLD_CA_FILE", global = true, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

impl Trust {
    /// A client of this address with this key.
    pub(super) fn client(&self, url: &str, key: Option<&SecretString>) -> anyhow::Result<Client> {
        let Some(path) = &self.ca_file else { return Ok(Client::new(url, key)?) };
        let what = || format!("the file of authorities {}", path.display());
        let pem = std::fs::read(path).with_context(what)?;
        Client::trusting(url, key, &pem).with_context(what)
    }
}

impl Connection {
    /// The client for it.
    pub(super) fn client(&self) -> anyhow::Result<Client> {
        self.trust.client(&self.url, self.key()?.as_ref())
    }

    fn key(&self) -> anyhow::Result<Option<SecretString>> {
        if let Some(path) = &self.key_file {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("the key file {} cannot be read", path.display()))?;
            return Ok(Some(text.trim().into()));
        }
        Ok(key_in_environment())
    }
}

/// The key in the environment: the client's own, and for `serve` the admin's.
pub(super) fn key_in_environment() -> Option<SecretString> {
    ["LEASEHOLD_API_KEY", "LEGACY_USE_API_KEY"]
        .into_iter()
        .filter_map(|name| env::var(name).ok())
        .find(|key| !key.is_empty())
        .map(SecretString::from)
}
