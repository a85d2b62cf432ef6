//! `leasehold key`

use std::{fmt::Write as _, process::ExitCode};

use clap::Subcommand;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::output::Print as _;
use crate::{
    config::ApiKeyConfig,
    model::{OwnerName, Role},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a key: it is printed once, with the entry for the configuration file, which holds only its hash
    New {
        /// What to call it in logs [default: the owner]
        #[arg(long)]
        name: Option<String>,
        /// Who its sessions belong to
        #[arg(long, default_value = "admin")]
        owner: OwnerName,
        /// What it may do: `admin`, `client` or `viewer`
        #[arg(long, default_value = "client", value_parser = role)]
        role: Role,
    },
}

pub(super) fn key(args: Args) -> anyhow::Result<ExitCode> {
    let Verb::New { name, owner, role } = args.verb;
    let key = new_key();
    let name = name.unwrap_or_else(|| owner.to_string());
    let entry = toml::to_string(&Entries { api_key: vec![entry(&key, name, owner, role)] })?;
    format!("# The key. It is shown only now:\n# {key}\n\n# For the configuration file, or the file of `api_keys_file`:\n{entry}").print()
}

/// A new key: 192 random bits, with a beginning that scanners for leaked secrets can know.
pub(super) fn new_key() -> String {
    rand::random::<[u8; 24]>().iter().fold("lh_".to_owned(), |text, byte| hex(text, *byte))
}

/// What a configuration keeps of a key. A key is long and random, so a fast hash is enough.
pub(super) fn entry(key: &str, name: String, owner: OwnerName, role: Role) -> ApiKeyConfig {
    let hash = Sha256::digest(key).iter().fold("sha256:".to_owned(), |text, byte| hex(text, *byte));
    ApiKeyConfig {
        name,
        owner,
        role,
        hash,
        priority_max: None,
        weight: None,
        sessions_max: None,
        tickets_max: None,
        rate_per_second: None,
        burst: None,
    }
}

fn hex(mut text: String, byte: u8) -> String {
    let _ = write!(text, "{byte:02x}");
    text
}

fn role(text: &str) -> Result<Role, String> {
    serde_json::from_value(text.into()).map_err(|_| "right is admin, client or viewer".to_owned())
}

#[derive(Serialize)]
struct Entries {
    api_key: Vec<ApiKeyConfig>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_holds_the_hash_of_the_keys_text() {
        let entry = entry("abc", "n".into(), "o".parse().unwrap(), Role::Client);
        let known = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(entry.hash, known);
    }

    #[test]
    fn no_two_keys_are_the_same() {
        let key = new_key();
        assert_eq!(key.len(), 3 + 48);
        assert_ne!(new_key(), key);
    }
}
