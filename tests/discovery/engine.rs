//! What happens to containers, and what becomes of it in the registry.

use std::{path::Path, time::Duration};

use leasehold::{
    config::{DockerConfig, ProbeKind, ProviderConfig},
    model::{EndReason, EngineHealth, EngineState, HealthStatus, PoolState},
    rfb::{Version, greeting},
};
use tokio::net::TcpStream;

use super::{Bench, PATIENCE, docker};
use crate::common::{docker::Target, eventually, tls::Secure, wire::Wire};

#[tokio::test]
async fn a_labelled_container_is_found_with_where_to_dial_it() {
    let bench = Bench::discovering(|_| {}).await;
    let target = bench.engine.target(bench.engine.run()).publish(5900, "").label("team", "blue");
    let id = bench.engine.start(target).await;
    let found = bench.container_that("found running", &id, |c| c.state == EngineState::Running).await;
    assert_eq!((found.pool_state, found.provider.as_str()), (PoolState::Available, "docker"));

    let seen = bench.engine.inspect(&id).await;
    let settings = seen.network_settings.unwrap();
    let ip = settings.networks.unwrap()["bridge"].ip_address.clone().unwrap();
    let bindings = settings.ports.unwrap()["5900/tcp"].clone().unwrap();
    let port: u16 = bindings[0].host_port.as_ref().unwrap().parse().unwrap();
    assert_eq!(format!("/{}", found.name), seen.name.unwrap());
    assert_eq!(found.ip_address.as_deref(), Some(ip.as_str()));
    assert_eq!(found.ports["5900"], port);
    assert_eq!(found.endpoints["vnc"].address, Some(format!("127.0.0.1:{port}")));
    assert_eq!(found.endpoints["vnc"].internal, Some(format!("{ip}:5900")));
    assert_eq!(found.endpoints["novnc"].address, None);
    assert_eq!(found.endpoints["novnc"].internal, Some(format!("{ip}:6080")));
    assert_eq!(found.labels["team"], "blue");
}

#[tokio::test]
async fn both_addresses_lead_to_the_desktop() {
    let bench = Bench::discovering(|_| {}).await;
    let target = bench.engine.target(bench.engine.run()).publish(5900, "127.0.0.1");
    let desktop = ["/leasehold", "demo-target", "--listen", "0.0.0.0:5900"];
    let id = bench.engine.start(target.command(&desktop)).await;
    let found = bench.container_that("running", &id, |c| c.state == EngineState::Running).await;
    let vnc = &found.endpoints["vnc"];
    for address in [vnc.address.as_ref().unwrap(), vnc.internal.as_ref().unwrap()] {
        let greets = async || {
            let mut connection = TcpStream::connect(address).await.ok()?;
            greeting(&mut connection).await.ok()
        };
        let version = eventually(&format!("{address} greets"), PATIENCE, greets).await;
        assert_eq!(version, Version::V3_8);
    }
}

#[tokio::test]
async fn an_engine_behind_tls_is_asked_with_a_certificate() {
    let secure = Secure::before("/var/run/docker.sock").await;
    let address = format!("https://{}", secure.at());
    let provider = |tls: &Path| {
        let ProviderConfig::Docker(settings) = docker(Some(address.clone())) else { unreachable!() };
        vec![ProviderConfig::Docker(DockerConfig { tls: Some(tls.to_owned()), ..settings })]
    };
    let bench = Bench::discovering(|config| config.provider = provider(secure.folder())).await;
    let id = bench.engine.start(bench.engine.target(bench.engine.run())).await;
    bench.container_that("available", &id, |c| c.pool_state == PoolState::Available).await;

    // Another authority's certificate is refused, by either side.
    let stranger = Secure::before("/var/run/docker.sock").await;
    let bench = Bench::new(|config| config.provider = provider(stranger.folder())).await;
    let discoverer = bench.discover("first");
    let error = eventually("an error is shown", PATIENCE, async || bench.status().await.error).await;
    assert!(error.contains(&address) && error.contains("certificate"), "{error}");
    assert_eq!(bench.status().await.age, None);
    discoverer.end().await;
}

#[tokio::test]
async fn what_was_there_before_the_discoverer_is_found_by_its_first_look_also_what_does_not_run() {
    let bench = Bench::new(|_| {}).await;
    let running = bench.engine.start(bench.engine.target(bench.engine.run())).await;
    let made = bench.engine.create(bench.engine.target(bench.engine.run())).await;
    let other = bench.engine.start(bench.engine.target("Not A Type")).await;
    let discoverer = bench.discover("first");
    eventually("a first look", PATIENCE, async || bench.status().await.age).await;
    let found = async |id| bench.container(&bench.target_type(), id).await;
    assert_eq!(found(&running).await.unwrap().pool_state, PoolState::Available);
    assert_eq!(found(&made).await.unwrap().pool_state, PoolState::Initializing);
    assert!(found(&other).await.is_none());
    discoverer.end().await;
}

#[tokio::test]
async fn a_pause_an_exit_a_start_and_a_removal_are_noticed() {
    let bench = Bench::discovering(|_| {}).await;
    let id = bench.engine.start(bench.engine.target(bench.engine.run())).await;
    let becomes = async |state, pool_state| {
        let what = format!("{state:?} and {pool_state:?}");
        bench.container_that(&what, &id, |c| (c.state, c.pool_state) == (state, pool_state)).await
    };
    becomes(EngineState::Running, PoolState::Available).await;
    bench.engine.pause(&id).await;
    becomes(EngineState::Paused, PoolState::Unhealthy).await;
    bench.engine.unpause(&id).await;
    becomes(EngineState::Running, PoolState::Available).await;
    bench.engine.stop(&id).await;
    becomes(EngineState::Exited, PoolState::Unhealthy).await;
    bench.engine.restart(&id).await;
    becomes(EngineState::Running, PoolState::Available).await;
    bench.engine.remove(&id).await;
    bench.gone(&id).await;
}

#[tokio::test]
async fn a_process_that_ends_by_itself_is_noticed() {
    let bench = Bench::discovering(|_| {}).await;
    let id = bench.engine.start(bench.engine.target(bench.engine.run()).command(&["/bin/sleep", "0.5"])).await;
    let exited = bench.container_that("exited", &id, |c| c.state == EngineState::Exited).await;
    assert_eq!((exited.pool_state, exited.ip_address), (PoolState::Unhealthy, None));
}

#[tokio::test]
async fn case_09_a_removed_container_ends_its_session() {
    let bench = Bench::discovering(|_| {}).await;
    let id = bench.engine.start(bench.engine.target(bench.engine.run())).await;
    bench.container_that("available", &id, |c| c.pool_state == PoolState::Available).await;
    let session = bench.session().await;
    bench.engine.remove(&id).await;
    assert_eq!(bench.ended(&session).await, EndReason::ContainerLost);
}

#[tokio::test]
async fn case_10_a_pause_and_an_exit_keep_the_lease_and_a_restart_ends_it() {
    let bench = Bench::discovering(|_| {}).await;
    let id = bench.engine.start(bench.engine.target(bench.engine.run()).publish(5900, "127.0.0.1")).await;
    bench.container_that("available", &id, |c| c.pool_state == PoolState::Available).await;
    let session = bench.session().await;
    bench.engine.pause(&id).await;
    bench.container_that("paused", &id, |c| c.state == EngineState::Paused).await;
    bench.engine.unpause(&id).await;
    bench.container_that("running", &id, |c| c.state == EngineState::Running).await;
    bench.engine.stop(&id).await;
    bench.container_that("exited", &id, |c| c.state == EngineState::Exited).await;
    assert_eq!(bench.end_of(&session).await, None);
    bench.engine.restart(&id).await;
    assert_eq!(bench.ended(&session).await, EndReason::ContainerLost);
    bench.container_that("available again", &id, |c| c.pool_state == PoolState::Available).await;
}

#[tokio::test]
async fn a_healthcheck_decides_whether_a_container_is_available() {
    let bench = Bench::discovering(|_| {}).await;
    let checked = |file| bench.engine.target(bench.engine.run()).healthy_while(file);
    let good = bench.engine.start(checked("/bin/sleep")).await;
    let bad = bench.engine.start(checked("/nowhere")).await;
    bench.container_that("starting", &good, |c| c.pool_state == PoolState::Initializing).await;
    let good = bench.container_that("healthy", &good, |c| c.health.engine == EngineHealth::Healthy).await;
    let bad = bench.container_that("unhealthy", &bad, |c| c.health.engine == EngineHealth::Unhealthy).await;
    assert_eq!((good.pool_state, good.health.status), (PoolState::Available, HealthStatus::Healthy));
    assert_eq!((bad.pool_state, bad.health.status), (PoolState::Unhealthy, HealthStatus::Unhealthy));
}

#[tokio::test]
async fn a_container_that_is_to_be_probed_waits_for_its_probe() {
    let bench = Bench::discovering(|config| config.health.kind = ProbeKind::Auto).await;
    let with = bench.engine.start(bench.engine.target(bench.engine.run())).await;
    let without = bench.engine.start(bench.engine.target(bench.engine.run()).network("none")).await;
    let with = bench.container_that("running", &with, |c| c.state == EngineState::Running).await;
    let without = bench.container_that("running", &without, |c| c.state == EngineState::Running).await;
    assert_eq!((with.pool_state, with.health.probe), (PoolState::Initializing, Some(HealthStatus::Unknown)));
    assert_eq!((without.pool_state, without.health.probe), (PoolState::Available, None));
}

#[tokio::test]
async fn the_guides_labels_and_compose_services_take_part() {
    let bench = Bench::discovering(|config| {
        config.discovery.compose_services = true;
        config.discovery.guide_scalable_label = format!("{}.scalable", config.discovery.guide_label);
        config.discovery.compose_project = None;
    })
    .await;
    let rules = &bench.config.discovery;
    let run = bench.engine.run();
    let plain = Target::default;
    let guide = bench.engine.start(plain().label(&rules.guide_label, run)).await;
    let service = format!("{run}-target");
    let compose = bench.engine.start(plain().label("com.docker.compose.service", &service)).await;
    let fixed = plain().label(&rules.guide_label, run).label(&rules.guide_scalable_label, "false");
    let fixed = bench.engine.start(fixed).await;
    for id in [&guide, &compose] {
        bench.container_that("available", id, |c| c.pool_state == PoolState::Available).await;
    }
    bench.look().await;
    assert!(bench.container(&bench.target_type(), &fixed).await.is_none());
}

#[tokio::test]
async fn on_the_hosts_network_the_host_is_dialled() {
    let bench = Bench::discovering(|_| {}).await;
    let id = bench.engine.start(bench.engine.target(bench.engine.run()).network("host")).await;
    let found = bench.container_that("running", &id, |c| c.state == EngineState::Running).await;
    assert_eq!(found.endpoints["vnc"].address.as_deref(), Some("127.0.0.1:5900"));
    assert_eq!((found.ip_address, found.endpoints["vnc"].internal.as_deref()), (None, None));
}

#[tokio::test]
async fn a_look_that_is_asked_for_finds_what_no_event_told() {
    let bench = Bench::discovering(|_| {}).await;
    let id = bench.engine.start(bench.engine.target(bench.engine.run())).await;
    bench.container_that("available", &id, |c| c.pool_state == PoolState::Available).await;
    // As if it had been found and removed while nobody listened.
    let key = format!("{}:{{{}}}:container:{id}", bench.config.prefix, bench.target_type());
    let _: i64 = redis::cmd("DEL").arg(key).query(&mut bench.redis.conn()).unwrap();
    bench.look().await;
    assert!(bench.container(&bench.target_type(), &id).await.is_some());
    let ids = bench.store.ids_of(&bench.target_type(), &bench.provider).await.unwrap();
    assert_eq!(ids, [super::container_id(&id)]);
}

#[tokio::test]
async fn case_29_an_engine_that_is_away_leaves_the_last_known_pool_and_is_followed_again_after() {
    let wire = Wire::to("/var/run/docker.sock").await;
    let at = format!("tcp://{}", wire.at());
    let bench = Bench::discovering(|config| config.provider = vec![docker(Some(at.clone()))]).await;
    let stays = bench.engine.start(bench.engine.target(bench.engine.run())).await;
    let goes = bench.engine.start(bench.engine.target(bench.engine.run())).await;
    for id in [&stays, &goes] {
        bench.container_that("available", id, |c| c.pool_state == PoolState::Available).await;
    }

    wire.cut();
    let error = eventually("an error is shown", PATIENCE, async || bench.status().await.error).await;
    assert!(error.contains(&at) || error.contains("changes"), "{error}");
    let aged = bench.status().await.age.unwrap() + Duration::from_millis(300);
    bench.engine.remove(&goes).await;
    let comes = bench.engine.start(bench.engine.target(bench.engine.run())).await;
    eventually("its age grows", PATIENCE, async || bench.status().await.age.filter(|age| *age > aged)).await;
    let error = eventually("the address is named", PATIENCE, async || bench.status().await.error).await;
    assert!(error.contains(&at), "{error}");
    assert!(!bench.store.ask_for_look(&bench.provider, Duration::from_millis(200)).await.unwrap());
    for id in [&stays, &goes] {
        assert_eq!(bench.container(&bench.target_type(), id).await.unwrap().pool_state, PoolState::Available);
    }

    wire.mend();
    bench.gone(&goes).await;
    bench.container_that("found after", &comes, |c| c.pool_state == PoolState::Available).await;
    assert_eq!(bench.container(&bench.target_type(), &stays).await.unwrap().pool_state, PoolState::Available);
    eventually("no error any more", PATIENCE, async || bench.status().await.error.is_none().then_some(())).await;
    // Events again, not only looks.
    bench.engine.remove(&stays).await;
    bench.gone(&stays).await;
}
