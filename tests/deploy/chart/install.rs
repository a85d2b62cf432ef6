//! The chart as helm installs, upgrades and removes it.

use serde_json::Value;

use super::{CHART, cluster::Cluster, helm};

/// What helm does in a cluster.
async fn helm_in(cluster: &Cluster, args: &[&str]) {
    let args: Vec<String> = args.iter().map(ToString::to_string).collect();
    let place = ["--namespace".to_owned(), "desks".to_owned(), "--kube-apiserver".to_owned(), cluster.url()];
    let args = [args, place.to_vec()].concat();
    let words = args.clone();
    let done = tokio::task::spawn_blocking(move || helm(&words.iter().map(String::as_str).collect::<Vec<_>>()));
    done.await.expect("no panic").unwrap_or_else(|error| panic!("helm {args:?}: {error}"));
}

/// Where a write stands among all.
fn place(writes: &[String], ending: &str) -> usize {
    let found = writes.iter().position(|write| write.ends_with(ending));
    found.unwrap_or_else(|| panic!("nothing wrote {ending}: {writes:#?}"))
}

#[tokio::test]
async fn redis_is_marked_before_anything_uses_it_keys_outlive_upgrades_and_the_volume_everything() {
    let cluster = Cluster::start();
    helm_in(&cluster, &["install", "pool", CHART]).await;
    let keys: Value = {
        let objects = cluster.objects();
        let marked = place(&objects.writes, " jobs/pool-leasehold-init");
        assert!(place(&objects.writes, " persistentvolumeclaims/data-pool-leasehold-redis-0") < marked);
        for later in [" statefulsets/pool-leasehold-redis", " deployments/pool-leasehold"] {
            assert!(marked < place(&objects.writes, later), "{:#?}", objects.writes);
        }
        assert!(objects.named("jobs", "pool-leasehold-init").is_none(), "what is done goes");
        assert!(objects.named("configmaps", "pool-leasehold-init").is_none(), "what is done goes");
        objects.named("secrets", "pool-leasehold").expect("keys")["data"].clone()
    };

    cluster.objects().writes.clear();
    helm_in(&cluster, &["upgrade", "pool", CHART, "--set", "replicaCount=3"]).await;
    {
        let objects = cluster.objects();
        assert_eq!(objects.named("deployments", "pool-leasehold").expect("replicas")["spec"]["replicas"], 3);
        let again = |write: &String| write.contains("-init") || write.contains("persistentvolumeclaims");
        assert!(!objects.writes.iter().any(again), "{:#?}", objects.writes);
        assert_eq!(objects.named("secrets", "pool-leasehold").expect("keys")["data"], keys);
    }

    helm_in(&cluster, &["uninstall", "pool"]).await;
    let left = |cluster: &Cluster| cluster.objects().now.keys().cloned().collect::<Vec<_>>();
    assert_eq!(left(&cluster), ["/api/v1/namespaces/desks/persistentvolumeclaims/data-pool-leasehold-redis-0"]);

    cluster.objects().writes.clear();
    helm_in(&cluster, &["install", "pool", CHART]).await;
    let objects = cluster.objects();
    assert!(!objects.writes.iter().any(|write| write.contains("persistentvolumeclaims")), "a volume with data is kept");
    place(&objects.writes, " jobs/pool-leasehold-init");
}
