//! Who makes a request: API keys, their roles and owners.

use std::{
    future::{Ready, ready},
    ops::Deref,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use arc_swap::ArcSwap;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio_util::sync::CancellationToken;

use super::{Problem, State, browser, rate::Rate};
use crate::{
    config::{ApiKeyConfig, Config, ConfigError, Limits, without_source},
    model::{Caller, OwnerName, Role, Share},
};

/// How often the file of keys is looked at.
const RELOAD_INTERVAL: Duration = Duration::from_secs(1);

/// What an API key stands for.
#[derive(Debug)]
struct Identity {
    name: String,
    caller: Caller,
    priority_max: u32,
    rate: Option<Rate>,
}

struct Key {
    digest: [u8; 32],
    identity: Arc<Identity>,
}

/// The keys cannot be used: which, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file of keys cannot be read or understood.
    #[error("configuration: api_keys_file = {path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A key's hash or owner is wrong.
    #[error("configuration: {0}")]
    Wrong(String),
    /// A key has a value that cannot be used.
    #[error(transparent)]
    Setting(#[from] ConfigError),
    /// Whoever can reach this address could do everything.
    #[error(
        "configuration: listen = {0}: without an API key only a loopback address may be listened on; set \
         LEASEHOLD_API_KEY or [[api_key]] (`leasehold key new` makes one), or listen on 127.0.0.1"
    )]
    Open(std::net::SocketAddr),
}

/// The keys of a replica; read again when their file changes.
pub struct Keys {
    fixed: Vec<Key>,
    file: Option<PathBuf>,
    limits: Limits,
    current: ArcSwap<Vec<Key>>,
    /// Who everybody is while there is no key at all.
    nobody: Arc<Identity>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    #[serde(default)]
    api_key: Vec<ApiKeyConfig>,
}

impl Keys {
    /// The keys of the configuration, of its file, and of the environment (`plain`: one admin key of the owner `admin`).
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn load(config: &Config, plain: Option<&SecretString>) -> Result<Self, KeysError> {
        let limits = config.limits.clone();
        let (sessions_max, tickets_max) = (limits.sessions_max, limits.tickets_max);
        let identity = |name: &str, owner: &str| -> Result<Arc<Identity>, KeysError> {
            let owner: OwnerName = owner.parse().map_err(|error| KeysError::Wrong(format!("{error}")))?;
            let caller = Caller { owner, role: Role::Admin, share: Share { weight: 1, sessions_max, tickets_max } };
            Ok(Arc::new(Identity { name: name.to_owned(), caller, priority_max: limits.priority_max, rate: None }))
        };
        let mut fixed = config.api_key.iter().map(|key| Key::read(key, &limits)).collect::<Result<Vec<_>, _>>()?;
        if let Some(plain) = plain {
            let digest = Sha256::digest(plain.expose_secret()).into();
            fixed.push(Key { digest, identity: identity("environment", "admin")? });
        }
        let keys = Self {
            fixed,
            file: config.api_keys_file.clone(),
            current: ArcSwap::default(),
            nobody: identity("none", "local")?,
            limits,
        };
        keys.reload()?;
        if keys.current.load().is_empty() && !config.listen.ip().is_loopback() {
            return Err(KeysError::Open(config.listen));
        }
        Ok(keys)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.current.load().len()
    }

    /// Whether everybody may do everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads the file of keys again whenever it changes, until `shutdown`. A file that cannot be read leaves the keys
    /// as they are; so does one that would leave none.
    pub async fn follow_file(&self, shutdown: CancellationToken) {
        let Some(path) = &self.file else { return shutdown.cancelled().await };
        let mut seen = modified(path);
        while shutdown.run_until_cancelled(tokio::time::sleep(RELOAD_INTERVAL)).await.is_some() {
            let now = modified(path);
            if now == seen {
                continue;
            }
            seen = now;
            match self.reload() {
                Ok(()) => tracing::info!(path = %path.display(), keys = self.len(), "API keys were read again"),
                Err(error) => tracing::error!(%error, "API keys stay as they were"),
            }
        }
    }

    fn reload(&self) -> Result<(), KeysError> {
        let mut keys: Vec<Key> = self.fixed.iter().map(Key::copied).collect();
        if let Some(path) = &self.file {
            let wrong = |reason: String| KeysError::File { path: path.clone(), reason };
            let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
            let file: KeyFile = toml::from_str(&text).map_err(|error| wrong(without_source(&error.to_string())))?;
            for key in &file.api_key {
                keys.push(Key::read(key, &self.limits)?);
            }
            if keys.is_empty() {
                return Err(wrong("it has no [[api_key]], and no other key is configured".to_owned()));
            }
        }
        self.current.store(Arc::new(keys));
        Ok(())
    }

    /// Whether it is a key's.
    #[cfg(any(test, fuzzing))]
    pub(super) fn check(&self, given: Option<&str>) -> Result<(), Problem> {
        self.identify(given).map(|_| ())
    }

    /// Every key is compared, in constant time, so that an answer's time says nothing.
    fn identify(&self, given: Option<&str>) -> Result<Arc<Identity>, Problem> {
        let keys = self.current.load();
        if keys.is_empty() {
            return Ok(self.nobody.clone());
        }
        let given = given.ok_or_else(|| Problem::unauthenticated(false))?;
        let digest: [u8; 32] = Sha256::digest(given).into();
        let mut found = None;
        for key in keys.iter() {
            if bool::from(key.digest.ct_eq(&digest)) {
                found = Some(key.identity.clone());
            }
        }
        found.ok_or_else(|| Problem::unauthenticated(true))
    }
}

impl Key {
    fn read(config: &ApiKeyConfig, limits: &Limits) -> Result<Self, KeysError> {
        config.validate()?;
        let hex = config.hash.strip_prefix("sha256:").unwrap_or_default();
        let mut digest = [0; 32];
        let right = hex.len() == 64
            && digest.iter_mut().enumerate().all(|(at, byte)| {
                hex.get(2 * at..2 * at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()).is_some_and(|value| {
                    *byte = value;
                    true
                })
            });
        if !right {
            let reason = "sha256: and 64 hexadecimal digits are right; `leasehold key new` makes one";
            return Err(KeysError::Wrong(format!("the hash of api_key {:?}: {reason}", config.name)));
        }
        let caller = Caller { owner: config.owner.clone(), role: config.role, share: config.share(limits) };
        let priority_max = config.priority_max.unwrap_or(limits.priority_max);
        let rate = Rate::of(config);
        Ok(Self { digest, identity: Arc::new(Identity { name: config.name.clone(), caller, priority_max, rate }) })
    }

    fn copied(&self) -> Self {
        Self { digest: self.digest, identity: self.identity.clone() }
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|meta| meta.modified()).ok()
}

/// The key of a request: `X-API-Key`, or `Authorization: Bearer`. Never one in a URL: those are logged.
pub(super) fn key_of(request: &HttpRequest) -> Option<&str> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    header("x-api-key").or_else(|| {
        let (scheme, key) = header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    })
}

/// A caller with at least a certain role. `NEEDED`: 0 viewer, 1 client, 2 admin. `COUNTED`: by the key's rate limit.
pub struct Authenticated<const NEEDED: u8, const COUNTED: bool = true> {
    identity: Arc<Identity>,
}

/// May read.
pub type Reader = Authenticated<0>;
/// May hold sessions.
pub type Holder = Authenticated<1>;
/// May hold sessions, and does what keeps or ends one: no rate limit may stand in the way of that.
pub type Keeper = Authenticated<1, false>;
/// May act for the whole pool.
pub type Operator = Authenticated<2>;

impl<const NEEDED: u8, const COUNTED: bool> Authenticated<NEEDED, COUNTED> {
    /// The largest `priority` that the key may ask for.
    #[must_use]
    pub fn priority_max(&self) -> u32 {
        self.identity.priority_max
    }

    /// The key's name in the configuration.
    #[must_use]
    pub fn key_name(&self) -> &str {
        &self.identity.name
    }

    /// Who it is in events and logs: the owner, and the name of the key.
    #[must_use]
    pub fn by(&self) -> String {
        format!("{}/{}", self.identity.caller.owner, self.identity.name)
    }
}

impl<const NEEDED: u8, const COUNTED: bool> Deref for Authenticated<NEEDED, COUNTED> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.identity.caller
    }
}

impl<const NEEDED: u8, const COUNTED: bool> FromRequest for Authenticated<NEEDED, COUNTED> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(state) = request.app_data::<web::Data<State>>() else { return ready(Err(Problem::internal())) };
        let known =
            if state.keys.is_empty() { browser::refuse_strangers(request, &state.config.cors.origins) } else { Ok(()) };
        ready(known.and_then(|()| state.keys.identify(key_of(request))).and_then(|identity| {
            let role = identity.caller.role;
            if NEEDED > 0 && role == Role::Viewer {
                return Err(Problem::forbidden(role, Role::Client));
            }
            if NEEDED > 1 && role != Role::Admin {
                return Err(Problem::forbidden(role, Role::Admin));
            }
            if let Some(rate) = identity.rate.as_ref().filter(|_| COUNTED) {
                rate.check()?;
            }
            tracing::trace!(key = %identity.name, owner = %identity.caller.owner, "authenticated");
            Ok(Self { identity })
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(key: &str) -> String {
        Sha256::digest(key).iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    }

    fn entry(name: &str, key: &str) -> String {
        format!("[[api_key]]\nname = \"{name}\"\nowner = \"{name}\"\nrole = \"client\"\nhash = \"{}\"\n", hash(key))
    }

    #[test]
    fn without_a_key_only_loopback_is_listened_on() {
        let mut config = Config::default();
        assert!(Keys::load(&config, None).is_ok_and(|keys| keys.is_empty()));
        config.listen = ([0, 0, 0, 0], 8088).into();
        let error = Keys::load(&config, None).err().unwrap().to_string();
        assert!(error.contains("0.0.0.0:8088") && error.contains("LEASEHOLD_API_KEY"), "{error}");
        assert!(Keys::load(&config, Some(&"secret".into())).is_ok());
    }

    #[test]
    fn a_key_is_known_by_its_hash_and_no_other_is() {
        let keys = Keys::load(&Config::default(), Some(&"secret".into())).unwrap();
        assert_eq!(keys.identify(Some("secret")).unwrap().caller.role, Role::Admin);
        assert_eq!(keys.identify(Some("Secret")).unwrap_err().code, "invalid_api_key");
        assert_eq!(keys.identify(None).unwrap_err().code, "missing_api_key");
    }

    #[test]
    fn a_file_that_breaks_leaves_the_keys_as_they_are() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), entry("one", "first")).unwrap();
        let config = Config { api_keys_file: Some(file.path().to_owned()), ..Config::default() };
        let keys = Keys::load(&config, None).unwrap();
        assert_eq!(keys.identify(Some("first")).unwrap().caller.owner.as_str(), "one");

        std::fs::write(file.path(), entry("two", "second")).unwrap();
        keys.reload().unwrap();
        assert!(keys.identify(Some("first")).is_err());
        assert_eq!(keys.identify(Some("second")).unwrap().caller.owner.as_str(), "two");

        for broken in ["", "[[api_key]]\nname = 1\n"] {
            std::fs::write(file.path(), broken).unwrap();
            assert!(keys.reload().is_err());
            assert!(keys.identify(Some("second")).is_ok());
        }
    }
}
