//! Pools follow demand, on the real Docker engine and a real Redis.

mod processes;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use leasehold::{
    config::{Config, ScaleConfig, ScheduleConfig, TypeConfig},
    metrics::Metrics,
    model::{Container, EndReason, EngineState, OwnerName, PoolState, Session, SessionId, SessionState},
    provider, scale,
    store::{Allocated, Allocation, Polled},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    common::{docker::Target, eventually},
    discovery::Bench,
};

const PATIENCE: Duration = Duration::from_mins(1);
const CALM: Duration = Duration::from_secs(4);

/// A type that starts with so many containers, and is scaled.
struct Scaled {
    bench: Bench,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Scaled {
    async fn with(own: usize, shape: impl Fn(Target) -> Target, change: impl FnOnce(&mut ScaleConfig)) -> Self {
        let mut settings = ScaleConfig {
            min_idle: 0,
            min: 2,
            max: 6,
            up_pause: Duration::from_secs(1),
            calm: CALM,
            ..ScaleConfig::unconfigured()
        };
        change(&mut settings);
        let bench = Bench::discovering_type(|config, target_type| {
            // Nobody polls while others are waited for.
            config.limits.ticket_life = PATIENCE;
            config.types.insert(target_type, TypeConfig { scale: Some(settings), ..TypeConfig::default() });
        })
        .await;
        for _ in 0..own {
            let id = bench.engine.start(shape(bench.engine.target(bench.engine.run()))).await;
            bench.container_that("it is found", &id, |one| one.pool_state == PoolState::Available).await;
        }
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(scale::run(
            bench.store.for_worker(),
            provider::from_config(&bench.config).expect("good providers"),
            Arc::new(Metrics::new()),
            "first".to_owned(),
            shutdown.clone(),
        ));
        Self { bench, shutdown, task }
    }

    async fn all(&self) -> Vec<Container> {
        self.bench.store.containers(&self.bench.target_type(), false, "", 100).await.unwrap().0
    }

    async fn has(&self, count: usize) -> Vec<Container> {
        eventually(&format!("{count} containers"), PATIENCE, async || {
            let all = self.all().await;
            let fine = all.len() == count && all.iter().all(|one| one.state == EngineState::Running);
            fine.then_some(all)
        })
        .await
    }

    /// A session, or a place in line.
    async fn asked(&self) -> Session {
        let target_type = self.bench.target_type();
        let owner = owner();
        let mut new = Allocation::new(SessionId::new(&target_type), &owner, Duration::from_mins(5));
        new.wait = true;
        match self.bench.store.allocate(&target_type, &new).await.unwrap() {
            Allocated::Ready(session) | Allocated::Queued(session) => session,
            other => panic!("{other:?}"),
        }
    }

    async fn served(&self, session: &Session) -> Session {
        let (target_type, owner) = (self.bench.target_type(), owner());
        eventually("it is served", PATIENCE, async || {
            match self.bench.store.poll(&target_type, session.id, Some(&owner), false, false, None).await.unwrap() {
                Polled::Session(session) if session.state == SessionState::Ready => Some(session),
                Polled::Session(_) => None,
                other => panic!("{other:?}"),
            }
        })
        .await
    }

    async fn release(&self, session: &Session) {
        let target_type = self.bench.target_type();
        self.bench.store.release(&target_type, session.id, None, None, EndReason::Released).await.unwrap();
    }

    /// The type's events, in order: kind and fields.
    fn events(&self) -> Vec<BTreeMap<String, String>> {
        let key = format!("{}:{{{}}}:events", self.bench.config.prefix, self.bench.target_type());
        let mut command = redis::cmd("XRANGE");
        command.arg(key).arg("-").arg("+");
        let rows: Vec<(String, BTreeMap<String, String>)> = command.query(&mut self.bench.redis.conn()).unwrap();
        rows.into_iter().map(|(_, fields)| fields).collect()
    }

    async fn end(self) {
        self.shutdown.cancel();
        self.task.await.expect("it ends well");
    }
}

fn owner() -> OwnerName {
    "tester".parse().unwrap()
}

/// Whether the events show that no container was taken away, or removed, while a session had it.
fn none_was_leased(events: &[BTreeMap<String, String>]) -> bool {
    let mut leased = std::collections::BTreeSet::new();
    events.iter().all(|fields| {
        let container = fields.get("container").cloned().unwrap_or_default();
        match fields["kind"].as_str() {
            "session.ready" | "session.offered" => {
                leased.insert(container);
                true
            }
            "session.ended" => {
                leased.remove(&container);
                fields["reason"] == "released"
            }
            "container.taken_away" | "container.removed" => !leased.contains(&container),
            _ => true,
        }
    })
}

#[tokio::test]
async fn a_pool_grows_from_two_to_six_under_a_burst_and_shrinks_back_and_nobody_loses_a_container() {
    let scaled = Scaled::with(2, |target| target.publish(5900, "127.0.0.1"), |_| {}).await;
    let own: Vec<_> = scaled.has(2).await.into_iter().map(|one| one.id).collect();
    let mut asked = Vec::new();
    for _ in 0..7 {
        asked.push(scaled.asked().await);
    }
    let mut served = Vec::new();
    for session in &asked[..6] {
        served.push(scaled.served(session).await);
    }
    let six = scaled.has(6).await;
    let added: Vec<_> = six.iter().filter(|one| !own.contains(&one.id)).collect();
    assert!(added.iter().all(|one| one.labels.contains_key("leasehold.scaled")), "{added:?}");
    let full = |fields: &BTreeMap<String, String>| fields["kind"] == "type.scaled" && fields["reason"] == "at_max";
    eventually("it says that it is full", PATIENCE, async || scaled.events().iter().any(full).then_some(())).await;
    let state = scaled.bench.store.scale_state(&scaled.bench.target_type()).await.unwrap().expect("a decision");
    assert_eq!((state.wanted, state.reason.as_str()), (6, "at_max"));
    // One who waits is served by the first that is given back.
    scaled.release(&served[0]).await;
    served.push(scaled.served(&asked[6]).await);

    // All but two go; those keep theirs through the shrinking.
    let (kept, gone) = served[1..].split_at(2);
    for session in gone {
        scaled.release(session).await;
    }
    let left = eventually("it is small again", PATIENCE, async || {
        let all = scaled.all().await;
        (all.len() <= 4).then_some(all)
    })
    .await;
    for session in kept {
        let id = &session.container.as_ref().unwrap().id;
        assert!(left.iter().any(|one| one.id == *id && one.allocated_to.is_some()), "{id} was taken from its session");
        assert_eq!(scaled.bench.end_of(session).await, None);
        scaled.release(session).await;
    }
    let mut two: Vec<_> = scaled.has(2).await.into_iter().map(|one| one.id).collect();
    let mut own = own;
    two.sort();
    own.sort();
    assert_eq!(two, own, "only what was added is taken away");
    eventually("the engine has no more", PATIENCE, async || {
        (scaled.bench.engine.containers().await.len() == 2).then_some(())
    })
    .await;
    let events = scaled.events();
    assert!(none_was_leased(&events), "{events:#?}");
    let change = |sign: fn(i64) -> bool| -> i64 {
        let told = events.iter().filter(|fields| fields["kind"] == "type.scaled");
        told.map(|fields| fields["change"].parse::<i64>().unwrap()).filter(|one| sign(*one)).sum()
    };
    assert_eq!((change(i64::is_positive), change(i64::is_negative)), (4, -4), "it went to and fro");
    scaled.end().await;
}

#[tokio::test]
async fn a_dry_run_tells_and_does_nothing() {
    let scaled = Scaled::with(1, |target| target, |settings| settings.dry_run = true).await;
    let told =
        |fields: &BTreeMap<String, String>| fields.get("detail").is_some_and(|text| text.contains("1 would be added"));
    eventually("it tells", PATIENCE, async || scaled.events().iter().any(told).then_some(())).await;
    assert_eq!(scaled.bench.engine.containers().await.len(), 1);
    scaled.end().await;
}

#[tokio::test]
async fn a_template_with_one_certain_port_is_told_with_what_would_be_right_and_leaves_nothing_behind() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let scaled = Scaled::with(1, |target| target.publish_at(5900, port), |_| {}).await;
    let told = |fields: &BTreeMap<String, String>| {
        fields.get("reason").is_some_and(|reason| reason == "failed") && fields["detail"].contains("one certain port")
    };
    eventually("it tells", PATIENCE, async || scaled.events().iter().any(told).then_some(())).await;
    eventually("nothing is left", PATIENCE, async || (scaled.bench.engine.containers().await.len() == 1).then_some(()))
        .await;
    scaled.end().await;
}

#[tokio::test]
async fn a_pool_without_any_container_grows_by_what_was_kept_of_its_template() {
    let scaled = Scaled::with(1, |target| target, |settings| settings.max = 3).await;
    let two = scaled.has(2).await;
    for one in &two {
        scaled.bench.engine.remove(one.id.as_str()).await;
    }
    let again = scaled.has(2).await;
    assert!(again.iter().all(|one| !two.iter().any(|old| old.id == one.id)));
    scaled.end().await;
}

/// Settings as an operator of this configuration has them.
#[test]
fn a_scale_that_contradicts_itself_is_refused_by_name() {
    let entry = |cron: &str, more: &str| {
        format!("max = 2\n[[types.wine.scale.schedule]]\ncron = \"{cron}\"\nduration = \"10h\"\nmin = 2\n{more}")
    };
    for (text, said) in [
        ("max = 0", "types.wine.scale.max = 0"),
        ("max = 2\nmin = 3", "types.wine.scale.min = 3"),
        ("max = 2\nmin_idle = 3", "types.wine.scale.min_idle = 3"),
        ("max = 2\ncalm = \"0s\"", "types.wine.scale.calm = 0ns"),
        ("min = 2", "max"),
        ("max = 2\nshare_of_peak = 1.5", "types.wine.scale.share_of_peak = 1.5: more than 0, up to 1"),
        ("max = 2\npeak_window = \"200h\"", "types.wine.scale.peak_window = 720000s"),
        (&entry("0 8 * *", ""), "types.wine.scale.schedule[0].cron = 0 8 * *: minute, hour, day of the month, month"),
        (&entry("0 0 30 2 *", ""), "types.wine.scale.schedule[0].cron = 0 0 30 2 *: minute, hour"),
        (
            &entry("0 8 * * *", "time_zone = \"Europe/Berln\""),
            "types.wine.scale.schedule[0].time_zone = Europe/Berln: a name of the time zone database, as in Europe/Berlin",
        ),
        (&entry("0 8 * * *", "min_idle = 3"), "types.wine.scale.schedule[0].min_idle = 3: at most"),
        (&entry("0 8 * * *", "").replace("10h", "200h"), "types.wine.scale.schedule[0].duration = 720000s"),
        (&entry("0 8 * * *", "").replace("min = 2", "min = 0"), "types.wine.scale.schedule[0].min = 0: 1 or more"),
        (&entry("0 8 * * *", "").replace("cron", "corn"), "corn"),
    ] {
        let error = Config::parse(&format!("[types.wine.scale]\n{text}\n")).unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[test]
fn a_schedule_is_read_and_written_as_it_stands_in_the_configuration() {
    let text = "[types.wine.scale]\nmax = 9\nshare_of_peak = 0.5\n\n[[types.wine.scale.schedule]]\n\
                cron = \"0 8 * * mon-fri\"\ntime_zone = \"Europe/Berlin\"\nduration = \"10h\"\nmin = 8\n";
    let read = |text: &str| Config::parse(text).unwrap().types.into_iter().next().unwrap().1.scale.unwrap();
    let scale = read(text);
    assert_eq!((scale.share_of_peak, scale.peak_window), (Some(0.5), Duration::from_hours(24)));
    assert_eq!((scale.schedule[0].cron.as_str(), scale.schedule[0].min), ("0 8 * * mon-fri", 8));
    let shown = serde_json::to_value(scale.terms()).unwrap();
    assert_eq!((&shown["share_of_peak"], &shown["schedule"][0]["cron"]), (&0.5.into(), &"0 8 * * mon-fri".into()));
    let written = toml::to_string(&Config::parse(text).unwrap().shown()).unwrap();
    assert_eq!(read(&written), scale);
}

#[tokio::test]
async fn a_schedule_that_holds_makes_the_pool_larger_and_tells_it() {
    let entry = ScheduleConfig {
        cron: "* * * * *".to_owned(),
        time_zone: "Asia/Kathmandu".to_owned(),
        duration: Duration::from_mins(2),
        min: 2,
        min_idle: 0,
    };
    let scaled =
        Scaled::with(1, |target| target, |settings| (settings.min, settings.schedule) = (0, vec![entry])).await;
    scaled.has(2).await;
    let told = |fields: &BTreeMap<String, String>| {
        fields["kind"] == "type.scaled" && fields["reason"] == "schedule" && fields["change"] == "1"
    };
    eventually("it tells", PATIENCE, async || scaled.events().iter().any(told).then_some(())).await;
    scaled.end().await;
}
