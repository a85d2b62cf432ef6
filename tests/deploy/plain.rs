//! The plain manifests, as they are kept.

use leasehold::config::Config;
use serde_json::Value;

use super::{
    file,
    manifest::{Manifests, at, items, text},
    promises,
};

/// In the order in which they are applied.
pub const FILES: [&str; 3] = ["1-new-redis.yaml", "2-leasehold.yaml", "3-targets.yaml"];

/// The Secret that is made by hand.
const GIVEN: [&str; 1] = ["leasehold"];

/// All of them, as they are when everything is applied.
pub fn manifests() -> Manifests {
    let read = |name: &&str| Manifests::read(&file(&format!("deploy/kubernetes/{name}"))).0;
    Manifests(FILES.iter().flat_map(read).collect())
}

#[test]
fn the_plain_manifests_are_what_kubernetes_knows_and_keep_what_is_promised() {
    promises::hold(&manifests(), &GIVEN);
}

#[test]
fn the_samples_have_a_type_and_name_their_ports() {
    let manifests = manifests();
    let targets: Vec<_> = manifests.pods().into_iter().filter(|pod| pod.component().starts_with("target-")).collect();
    assert_eq!(targets.len(), 3);
    for target in targets {
        assert_eq!(format!("target-{}", text(target.labels, "/leasehold.type")), target.component());
        let names: Vec<_> = items(target.spec, "/containers/0/ports").iter().map(|port| text(port, "/name")).collect();
        assert!(names.contains(&"vnc"), "{target}: {names:?}");
    }
}

#[test]
fn a_replica_has_the_time_to_let_the_longest_poll_end_and_then_itself() {
    let manifests = manifests();
    let spec = at(manifests.one("Deployment", "leasehold"), "/spec/template/spec");
    let seconds = |pointer| at(spec, pointer).as_u64().expect("seconds");
    let pre_stop = seconds("/containers/0/lifecycle/preStop/sleep/seconds");
    assert!(pre_stop >= Config::default().limits.long_poll_max.as_secs(), "{pre_stop}");
    let setting = |name: &str| -> u64 {
        let variable = items(spec, "/containers/0/env").iter().find(|variable| variable["name"] == name);
        let value = variable.and_then(|variable| variable["value"].as_str()?.strip_suffix('s')?.parse().ok());
        value.unwrap_or_else(|| panic!("{name} is not set in seconds"))
    };
    let ending = setting("LEASEHOLD_DRAIN") + setting("LEASEHOLD_SHUTDOWN_TIMEOUT");
    assert!(seconds("/terminationGracePeriodSeconds") > pre_stop + ending);
}

#[test]
fn the_volume_that_is_marked_as_new_is_the_one_that_redis_takes() {
    let manifests = manifests();
    let redis = manifests.one("StatefulSet", "redis");
    let template = at(redis, "/spec/volumeClaimTemplates/0");
    let name = format!("{}-{}-0", text(template, "/metadata/name"), text(redis, "/metadata/name"));
    let claim = manifests.one("PersistentVolumeClaim", &name);
    assert_eq!(at(claim, "/spec"), at(template, "/spec"));
    let job = at(manifests.one("Job", "init"), "/spec/template/spec");
    let claims =
        |volume: &Value| volume.pointer("/persistentVolumeClaim/claimName").is_some_and(|claimed| *claimed == *name);
    assert!(items(job, "/volumes").iter().any(claims), "{job:#}");
}

#[test]
fn what_the_chart_cannot_read_outside_of_it_is_copied_as_it_is() {
    for (original, copy) in [
        ("deploy/prometheus/leasehold.rules.yml", "deploy/helm/leasehold/files/leasehold.rules.yml"),
        ("deploy/grafana/leasehold.json", "deploy/helm/leasehold/files/leasehold.json"),
    ] {
        assert!(file(original) == file(copy), "{copy} is not {original}: run scripts/manifests.sh");
    }
}
