//! One run, from its beginning until everything is free again, or is not.

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::sync::watch;

use super::{
    client::{Client, TTL_MOST},
    events,
    history::{End, Fault, FaultKind, Harm, History, Micros, Record, Start},
    nemesis::{HANDS, Nemesis},
    network::PLACES,
    operator::{self, OPERATORS, Operator},
    plan::Plan,
    rogue,
    world::{World, recovery},
};
use crate::common::clock;

/// What `docs/architecture.md` states as the longest that an abandoned container stays away past the end of its lease: one period of the
/// reaper, and one call of Redis that runs into its timeout.
const LEAK_BOUND: Duration = Duration::from_secs(2);

/// What the harness's own ends may take beside it: a container that flapped is probed again, one that vanished is found again.
const RETURN: Duration = Duration::from_secs(3);

/// A reset: an attempt whose report was lost is over after six seconds, and made again.
const RESET: Duration = Duration::from_secs(8);

/// The longest rest in quarantine, as the world's configuration says.
const REST: Duration = Duration::from_secs(2);

/// How long it takes until what was added for demand is taken away, removed, and found to be gone: a calm, and three rounds.
const SHRINK: Duration = Duration::from_secs(4);

/// How long it is watched whether everything becomes free.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs the plan; the history is in the folder then.
pub async fn run(plan: &Plan) -> Arc<History> {
    std::fs::create_dir_all(&plan.folder).expect("the folder of the run");
    let history = Arc::new(History::create(&plan.folder.join("history.jsonl")).expect("the history can be written"));
    history.add(&Record::Start(start(plan, &history)));
    let world = World::build(plan, history.clone()).await;
    until_free(&world, PATIENCE).await.expect("all containers are available at first");

    let (end, ended) = watch::channel(false);
    let following = tokio::spawn(events::follow(world.servers.clone(), plan.types(), history.clone(), ended));
    let deadline = history.now() + plan.time.as_micros() as Micros;
    let clients = (0..plan.clients).map(|number| {
        let (network, history) = (world.network.clone(), history.clone());
        let client = Client::new(number, plan.seed, number % PLACES, plan.types(), network, history, deadline);
        tokio::spawn(client.work())
    });
    let clients: Vec<_> = clients.collect();
    let breaks = async {
        if plan.rogue {
            rogue::work(&world, deadline).await;
        }
    };
    let hands = join_all(HANDS.map(|hand| Nemesis::new(&world, hand, deadline).work(hand)));
    let operators = join_all((0..OPERATORS).map(|number| Operator::new(&world, number).work(deadline)));
    let work = async { tokio::join!(hands, operators, breaks) };
    tokio::select! {
        _ = work => {}
        never = tell(plan, &history) => match never {},
    }
    for client in clients {
        client.await.expect("a client");
    }

    // How long Redis's own servers take to find together again is not Leasehold's.
    find_together(&world).await;
    // An operator that still finds a cordon then never ends.
    let _ = tokio::time::timeout(PATIENCE, operator::leave(&world)).await;
    let quiet = history.now();
    let free = until_free(&world, PATIENCE).await;
    end.send_replace(true);
    following.await.expect("the follower of events");
    history.add(&Record::End(End { quiet, free, types: world.left().await }));
    history.flush();
    world.end().await;
    clock::sweep();
    history
}

/// Waits until Redis's servers are in step, and helps where they never would be.
async fn find_together(world: &World) {
    let history = &world.history;
    if until(history, PATIENCE, async || world.servers.in_step().await).await.is_some() {
        return;
    }
    let from = history.now();
    if let Some(at) = world.servers.promote().await {
        let (kind, what) = (FaultKind::PrimaryPromoted, format!("server {at}"));
        history.add(&Record::Fault(Fault { kind, what, from, to: history.now(), harm: Harm::Loses }));
        until(history, PATIENCE, async || world.servers.in_step().await).await;
    }
}

fn start(plan: &Plan, history: &History) -> Start {
    let micros = |time: Duration| time.as_micros() as Micros;
    Start {
        seed: plan.seed,
        topology: plan.topology.as_str().to_owned(),
        wall: history.wall(),
        leak_bound: micros(LEAK_BOUND),
        free_bound: micros(Duration::from_secs(TTL_MOST) + LEAK_BOUND + RETURN + RESET + REST + SHRINK),
        recovery: micros(recovery(plan.topology).iter().sum()),
    }
}

/// Says now and then how it goes.
async fn tell(plan: &Plan, history: &History) -> Infallible {
    loop {
        tokio::time::sleep(Duration::from_secs(10)).await;
        if plan.progress {
            let (calls, faults) = history.counts();
            let (now, all) = (history.now() / 1_000_000, plan.time.as_secs());
            eprintln!("  {now} of {all} s: {calls} calls, {faults} faults");
        }
    }
}

/// When everything was free; none when it was not in time.
async fn until_free(world: &World, patience: Duration) -> Option<Micros> {
    until(&world.history, patience, async || world.is_free(0).await).await
}

/// When it was so; none when it was not in time.
async fn until(history: &History, patience: Duration, so: impl AsyncFn() -> bool) -> Option<Micros> {
    let last = history.now() + patience.as_micros() as Micros;
    while history.now() < last {
        if so().await {
            return Some(history.now());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    None
}
