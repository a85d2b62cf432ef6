//! The data directory of `up`.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use crate::cli::key::new_key;

/// The longest path that the kernel takes for a unix socket (`sun_path` with its final zero is 108 bytes).
const SOCKET_PATH_MOST: usize = 107;

/// The open directory: no other `up` has it.
pub(super) struct Folder {
    path: PathBuf,
    key: String,
    lease_token_key: String,
    _lock: File,
}

impl Folder {
    /// Opens it, making what is not there yet.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let path = std::path::absolute(path)?;
        let make = |path: &Path| {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
            made.with_context(|| format!("cannot make the directory {}", path.display()))
        };
        make(&path)?;
        let lock = lock(&path)?;
        let key = secret(&path.join("api-key"))?;
        let lease_token_key = secret(&path.join("lease-token-key"))?;
        let folder = Self { path, key, lease_token_key, _lock: lock };
        make(&folder.redis())?;
        make(&folder.logs())?;
        if folder.socket().as_os_str().len() > SOCKET_PATH_MOST {
            bail!(
                "the path of the data directory {} is too long for a unix socket; \
                 `--data DIR` with at most {} bytes will do",
                folder.path.display(),
                SOCKET_PATH_MOST - "/redis.sock".len()
            );
        }
        Ok(folder)
    }

    /// The admin's API key.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// What the replicas sign lease tokens with.
    pub(super) fn lease_token_key(&self) -> &str {
        &self.lease_token_key
    }

    /// Where the key is kept.
    pub(super) fn key_file(&self) -> PathBuf {
        self.path.join("api-key")
    }

    /// The configuration of the replicas, written at each start.
    pub(super) fn config(&self) -> PathBuf {
        self.path.join("leasehold.toml")
    }

    /// Redis's data.
    pub(super) fn redis(&self) -> PathBuf {
        self.path.join("redis")
    }

    /// Whether no Redis has ever run here.
    pub(super) fn is_new(&self) -> bool {
        !self.redis().join("appendonlydir").exists()
    }

    /// Held as long as a Redis runs on that data.
    pub(super) fn redis_lock(&self) -> PathBuf {
        self.path.join("redis.lock")
    }

    /// Where Redis listens.
    pub(super) fn socket(&self) -> PathBuf {
        self.path.join("redis.sock")
    }

    /// Where the logs of the children go.
    pub(super) fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }
}

/// The lock file names its holder, for whoever comes second.
fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join("up.lock");
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = open.with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder)?;
            bail!(
                "another `leasehold up` (process {}) uses {}; end it, or name another directory with --data",
                holder.trim(),
                folder.display()
            );
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock {}", path.display()));
        }
    }
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

/// The secret of the first start, readable by this user only.
fn secret(path: &Path) -> anyhow::Result<String> {
    if let Ok(key) = fs::read_to_string(path)
        && !key.trim().is_empty()
    {
        return Ok(key.trim().to_owned());
    }
    let key = new_key();
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = file.with_context(|| format!("cannot write {}", path.display()))?;
    writeln!(file, "{key}")?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().unwrap();
        let first = Folder::open(place.path()).unwrap();
        let key = first.key().to_owned();
        let mode = fs::metadata(first.key_file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(first);
        assert_eq!(Folder::open(place.path()).unwrap().key(), key);
    }

    #[test]
    fn a_second_one_is_refused_and_told_by_whom() {
        let place = tempfile::tempdir().unwrap();
        let _first = Folder::open(place.path()).unwrap();
        let error = Folder::open(place.path()).err().unwrap().to_string();
        assert!(error.contains(&format!("process {}", std::process::id())) && error.contains("--data"), "{error}");
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let error = Folder::open(&place.path().join("d".repeat(100))).err().unwrap().to_string();
        assert!(error.contains("too long") && error.contains("at most 96 bytes"), "{error}");
    }
}
