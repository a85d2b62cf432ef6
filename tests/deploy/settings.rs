//! What the manifests tell a replica, read by the real program.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use super::{
    manifest::{at, items, text},
    plain,
};

/// What stands in the Secret that is made by hand.
const SECRET: [(&str, &str); 3] = [
    ("api-key", "word-of-admin"),
    ("lease-token-keys", "[\"0123456789abcdef0123456789abcdef\"]"),
    ("redis-password", "word-of-redis"),
];

/// The environment of a container, with files in `folder` in the place of those under /etc/leasehold.
pub fn environment(container: &Value, folder: &Path) -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = Vec::new();
    for variable in items(container, "/env") {
        let value = match variable.pointer("/valueFrom/secretKeyRef/key").and_then(Value::as_str) {
            Some(key) => {
                let found = SECRET.iter().find(|(known, _)| *known == key);
                found.unwrap_or_else(|| panic!("{key} is in no Secret")).1.to_owned()
            }
            None => text(variable, "/value").replace("/etc/leasehold", &folder.display().to_string()),
        };
        // As the kubelet does: variables that come before are filled in.
        let filled = variables.iter().fold(value, |value, (name, known)| value.replace(&format!("$({name})"), known));
        variables.push((text(variable, "/name").to_owned(), filled));
    }
    variables
}

#[test]
fn a_replica_understands_each_of_its_settings() {
    let manifests = plain::manifests();
    let settings: toml::Table =
        text(manifests.one("ConfigMap", "leasehold"), "/data/leasehold.toml").parse().expect("TOML");
    let expected: toml::Table =
        "provider = [{ name = 'kubernetes', kind = 'kubernetes', namespaces = ['leasehold'] }]".parse().expect("TOML");
    assert_eq!(settings["provider"], expected["provider"]);

    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("config")).expect("a folder");
    fs::write(folder.path().join("config/leasehold.toml"), settings.to_string()).expect("a file");
    let container = at(manifests.one("Deployment", "leasehold"), "/spec/template/spec/containers/0");
    let mut command = Command::new(env!("CARGO_BIN_EXE_leasehold"));
    command.args(items(container, "/args").iter().map(|arg| arg.as_str().expect("text"))).arg("--print-config");
    let output = command.envs(environment(container, folder.path())).output().expect("the program runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");

    let shown: toml::Table = String::from_utf8_lossy(&output.stdout).parse().expect("TOML");
    let keys_file = folder.path().join("keys/api-keys.toml").display().to_string();
    for (name, value) in [
        ("listen", "0.0.0.0:8088"),
        ("drain", "3s"),
        ("shutdown_timeout", "30s"),
        ("api_keys_file", keys_file.as_str()),
    ] {
        assert_eq!(shown[name].as_str(), Some(value), "{name}");
    }
    assert_eq!(shown["redis"]["url"].as_str(), Some("redis://:***@leasehold-redis:6379"));
    assert_eq!(shown["recovery"]["lossless"].as_bool(), Some(true));
    assert_eq!(shown["lease_tokens"]["keys"].as_array().map(Vec::len), Some(1));
}
