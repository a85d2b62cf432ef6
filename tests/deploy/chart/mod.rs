//! The chart, rendered by helm itself with several values.

mod cluster;
mod install;

use std::{ffi::OsString, process::Command};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    file,
    manifest::{Manifests, at, fields, items, text},
    plain, promises, root,
};

const CHART: &str = "deploy/helm/leasehold";

/// Files of values in `tests/deploy/values`, with the names of the Secrets and ServiceAccounts that are there before.
const VALUES: [(&str, &[&str]); 3] =
    [("everything", &["authority"]), ("secrets", &["keys", "redis", "settings"]), ("least", &["other"])];

/// What helm says, or what it complains of.
fn helm(args: &[&str]) -> Result<String, String> {
    let program = std::env::var_os("HELM").unwrap_or_else(|| OsString::from("helm"));
    // Never the cluster of whoever runs the tests.
    let output = Command::new(program).args(args).current_dir(root("")).env("KUBECONFIG", "/dev/null").output();
    let output = output.unwrap_or_else(|error| panic!("helm is needed, HELM=\"$(scripts/helm.sh)\" has one: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr) + &text(&output.stdout)) }
}

fn values(name: &str) -> String {
    format!("tests/deploy/values/{name}.yaml")
}

fn rendered(args: &[&str]) -> Result<Manifests, String> {
    Ok(Manifests::read(&helm(&[&["template", "pool", CHART, "--namespace", "desks"], args].concat())?))
}

fn rendered_with(name: &str) -> Manifests {
    rendered(&["--values", &values(name)]).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn helm_finds_nothing_wrong_with_the_chart() {
    helm(&["lint", "--strict", CHART]).expect("no fault");
    for (name, _) in VALUES {
        helm(&["lint", "--strict", CHART, "--values", &values(name)]).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn what_is_rendered_keeps_what_is_promised_whatever_the_values_are() {
    promises::hold(&rendered(&[]).expect("the chart's own values"), &[]);
    for (name, given) in VALUES {
        promises::hold(&rendered_with(name), given);
    }
}

#[test]
fn a_value_that_is_misspelt_or_out_of_range_is_refused_by_its_name() {
    for (wrong, named) in [
        ("replicacount=3", "replicacount"),
        ("redis.bundled.enable=false", "enable"),
        ("redis.url=redis.example:6379", "redis.url"),
        ("shutdown.preStopSeconds=-1", "shutdown.preStopSeconds"),
        ("service.port=70000", "service.port"),
        ("image.tag=a b", "image.tag"),
        ("watchNamespaces[0]=*", "watchNamespaces.0"),
        ("targets.desk.enabled=true", "targets.desk"),
        ("podDisruptionBudget.maxUnavailable=0", "podDisruptionBudget.maxUnavailable"),
    ] {
        // Helm 3 writes `redis.url`, Helm 4 `/redis/url`.
        let error = rendered(&["--set", wrong]).expect_err(wrong).replace('/', ".");
        assert!(error.contains(named), "{wrong}: {error}");
    }
}

#[test]
fn values_that_contradict_each_other_are_refused_with_what_would_be_right() {
    for (wrong, right) in [
        ("redis.url=redis://redis.example", "redis: 2 of"),
        ("redis.bundled.enabled=false", "redis: 0 of"),
        ("existingConfigSecret=settings,config=workers = 2", "right is one of them"),
        ("auth.existingSecret=keys,auth.apiKeys=entry", "its api-keys.toml"),
        ("autoscaling.enabled=true,autoscaling.minReplicas=20", "at most autoscaling.maxReplicas (10)"),
    ] {
        let error = rendered(&["--set", wrong]).expect_err(wrong);
        assert!(error.contains(right), "{wrong}: {error}");
    }
}

#[test]
fn the_plain_manifests_are_what_the_chart_renders_now() {
    let folder = tempfile::tempdir().expect("a folder");
    let status = Command::new(root("scripts/manifests.sh")).arg(folder.path()).status().expect("bash");
    assert!(status.success(), "scripts/manifests.sh: {status}");
    for name in plain::FILES {
        let now = std::fs::read_to_string(folder.path().join(name)).expect("a file");
        // Versions of helm differ in the order.
        let sorted = |yaml: &str| {
            let mut documents: Vec<_> = Manifests::read(yaml).0.iter().map(Value::to_string).collect();
            documents.sort();
            documents
        };
        let kept = file(&format!("deploy/kubernetes/{name}"));
        assert!(sorted(&kept) == sorted(&now), "deploy/kubernetes/{name} is old: run scripts/manifests.sh");
    }
}

#[test]
fn redis_is_marked_as_new_at_the_install_alone_and_its_volume_outlives_everything() {
    let everything = rendered_with("everything");
    let bundled = rendered(&[]).expect("the chart's own values");
    let annotation =
        |document: &Value, name: &str| at(document, &format!("/metadata/annotations/helm.sh~1{name}")).clone();
    for (manifests, kinds) in [(&bundled, ["Job", "ConfigMap"]), (&everything, ["Job", "Secret"])] {
        for kind in kinds {
            assert_eq!(annotation(manifests.one(kind, "-init"), "hook"), "pre-install");
        }
    }
    let claim = bundled.one("PersistentVolumeClaim", "-redis-0");
    assert_eq!(annotation(claim, "hook"), "pre-install");
    // Without a policy of its own helm deletes what a hook finds.
    assert_eq!(annotation(claim, "hook-delete-policy"), "hook-failed");
    assert_eq!(rendered_with("least").of("Job").count(), 0);
}

#[test]
fn there_is_one_role_for_each_namespace_that_is_watched_and_the_configuration_names_them() {
    let manifests = rendered_with("everything");
    for kind in ["Role", "RoleBinding"] {
        let places: Vec<_> = manifests.of(kind).map(|document| text(document, "/metadata/namespace")).collect();
        assert_eq!(places, ["desktops", "phones"], "{kind}");
    }
    for binding in manifests.of("RoleBinding") {
        assert_eq!(
            *at(binding, "/subjects"),
            serde_json::json!([{"kind": "ServiceAccount", "name": "lender", "namespace": "desks"}])
        );
    }
    let configuration: toml::Table =
        text(manifests.one("ConfigMap", "leasehold"), "/data/leasehold.toml").parse().expect("TOML");
    assert_eq!(configuration["prefix"].as_str(), Some("pool"));
    assert_eq!(configuration["limits"]["ttl_default"].as_str(), Some("30s"));
    assert_eq!(configuration["provider"][0]["namespaces"], toml::Value::from(vec!["desktops", "phones"]));
    for target in
        manifests.of("Deployment").filter(|deployment| !text(deployment, "/metadata/name").ends_with("leasehold"))
    {
        assert_eq!(text(target, "/metadata/namespace"), "desktops");
    }
}

#[test]
fn the_keys_that_are_made_are_long_and_the_key_of_prometheus_is_known_by_its_hash() {
    let manifests = rendered_with("everything");
    let made = fields(manifests.one("Secret", "leasehold"), "/stringData").expect("keys");
    let of = |name: &str| made[name].as_str().expect("text");
    for key in ["api-key", "metrics-key"] {
        assert!(of(key).starts_with("lh_") && of(key).len() == 51, "{key}");
    }
    let entries: toml::Table = of("api-keys.toml").parse().expect("TOML");
    let entry = |at: usize, name: &str| entries["api_key"][at][name].as_str().expect("text").to_owned();
    let digest = Sha256::digest(of("metrics-key")).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    assert_eq!([entry(0, "role"), entry(0, "hash")], ["viewer".to_owned(), format!("sha256:{digest}")]);
    assert_eq!(entry(1, "owner"), "backend");
    let tokens: Vec<String> = serde_json::from_str(of("lease-token-keys")).expect("a list");
    assert!(tokens.len() == 1 && tokens[0].len() >= 32);
    let again = rendered_with("everything");
    assert_ne!(again.one("Secret", "leasehold"), manifests.one("Secret", "leasehold"), "a key that everybody has");
}

#[test]
fn prometheus_and_grafana_get_the_project_s_own_files_and_a_key() {
    let manifests = rendered_with("everything");
    let rules = Manifests::read(&file("deploy/prometheus/leasehold.rules.yml"));
    assert_eq!(*at(manifests.one("PrometheusRule", "leasehold"), "/spec"), rules.0[0]);
    let dashboard: Value =
        serde_json::from_str(text(manifests.one("ConfigMap", "-dashboard"), "/data/leasehold.json")).expect("JSON");
    assert_eq!(dashboard, serde_json::from_str::<Value>(&file("deploy/grafana/leasehold.json")).expect("JSON"));
    let endpoint = &items(manifests.one("ServiceMonitor", "leasehold"), "/spec/endpoints")[0];
    assert_eq!(endpoint["path"], "/metrics");
    let credentials = at(endpoint, "/authorization/credentials");
    let secret = manifests.one("Secret", text(credentials, "/name"));
    assert!(fields(secret, "/stringData").expect("keys").contains_key(text(credentials, "/key")));
}
