//! What `up` says when everything runs.

use super::{child::Part, folder::Folder};
use crate::{
    cli::output::{Print as _, table},
    client::PoolStatus,
};

/// Says what runs, the key, and three lines to paste.
pub(super) fn print(folder: &Folder, ports: [u16; 2], status: &PoolStatus, running: &[Part]) -> anyhow::Result<()> {
    let [first, second] = ports;
    let list = table(
        &["PART", "ADDRESS", "PID", "LOG"],
        running.iter().map(|part| {
            vec![part.name.clone(), part.address.clone(), part.pid.to_string(), part.log.display().to_string()]
        }),
    );
    let types: Vec<_> = status.by_type.iter().map(|(name, counts)| format!("{} {name}", counts.available)).collect();
    let key = folder.key();
    let key_file = folder.key_file();
    let target_type = type_to_try(status);
    format!(
        "\
Leasehold runs. Ctrl-C ends all of this, and nothing else.

{list}
Available:  {available}
API key:    {key}  (kept in {key_file})
Dashboard:  http://127.0.0.1:{first}/
API docs:   http://127.0.0.1:{first}/docs

List the containers, hold one as the session `demo`, give it back through the other replica:

curl -H 'X-API-Key: {key}' http://127.0.0.1:{first}/containers
curl -X POST -H 'X-API-Key: {key}' 'http://127.0.0.1:{first}/containers/{target_type}/allocate?session_id=demo'
curl -X POST -H 'X-API-Key: {key}' http://127.0.0.1:{second}/containers/demo/release

",
        available = if types.is_empty() { "nothing".to_owned() } else { types.join(", ") },
        key_file = key_file.display(),
    )
    .print()?;
    Ok(())
}

/// A type that has something to give, `wine` if possible.
fn type_to_try(status: &PoolStatus) -> &str {
    let has = |name: &&str| status.by_type.get(*name).is_some_and(|counts| counts.available > 0);
    let names = std::iter::once("wine").chain(status.by_type.keys().map(String::as_str));
    names.into_iter().find(has).unwrap_or("wine")
}
