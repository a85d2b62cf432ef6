//! The system under torture: Redis, replicas, containers, discoverers, and the wires between them.

use std::{collections::BTreeMap, fs::OpenOptions, io::Write as _, path::PathBuf, sync::Arc, time::Duration};

use leasehold::{
    config::{Config, ScaleConfig},
    discovery,
    metrics::Metrics,
    model::TargetType,
    provider::Provider,
    recycle, scale,
    store::Store,
};
use tokio::{sync::Mutex, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    client::TTL_MOST,
    events,
    farm::{CONTROL, Farm},
    history::{History, Left, Micros},
    network::Network,
    plan::{Plan, Topology},
    servers::Servers,
    target::Target,
};
use crate::common::{
    clock::Clock,
    http::Http,
    replica::{Replica, Settings},
};

/// Containers that were added for demand go when so long fewer were wanted.
const CALM: Duration = Duration::from_secs(1);

/// Discoverers in the harness's own process, for the containers that come and go.
const DISCOVERERS: usize = 2;

/// The longest that a holder goes on without a renewal, and the longest time of whose writes a restart or a failover may lose: how long a
/// recovery lasts. An old primary that lost its replicas goes on for up to 3 s.
pub fn recovery(topology: Topology) -> [Duration; 2] {
    let lag = if topology == Topology::Single { 2 } else { 5 };
    [Duration::from_secs(TTL_MOST), Duration::from_secs(lag)]
}

/// What lease tokens are signed with.
const LEASE_TOKEN_KEY: &str = "a-secret-of-the-torture-with-32-bytes";

/// The sets that sessions are in while they live.
const SESSION_SETS: [&str; 5] = ["sessions", "leases", "offers", "queue", "tickets"];

/// All of it. Ends with this value.
pub struct World {
    pub plan: Plan,
    pub history: Arc<History>,
    pub network: Arc<Network>,
    pub servers: Arc<Servers>,
    pub farm: Arc<Farm>,
    /// Those of the configuration: they neither vanish nor restart.
    pub fixed: Vec<Target>,
    seats: Vec<Seat>,
    settings: Settings,
    discoverers: CancellationToken,
    _discovering: Vec<JoinHandle<()>>,
}

/// The place of one replica.
struct Seat {
    replica: Mutex<Option<Replica>>,
    clock: Clock,
}

impl World {
    pub async fn build(plan: &Plan, history: Arc<History>) -> Self {
        let names = plan.names();
        let (listed, moving) = names.split_at(names.len() / 2);
        let (text, fixed) = listed_containers(plan, listed, &history).await;
        let moving = moving.iter().map(|(target_type, name)| (id(name), of_type(target_type))).collect();
        let farm = Farm::new(moving, history.clone()).await;

        let servers = Arc::new(Servers::start(plan.topology).await);
        let network = Arc::new(Network::lay(servers.clone(), plan.replicas, DISCOVERERS).await);
        let discoverers = CancellationToken::new();
        let config = config(plan, &text);
        let discovering = (0..DISCOVERERS)
            .map(|number| {
                discover(plan, number, &config, &network.redis_url(plan.replicas + number), &farm, &discoverers)
            })
            .collect();
        let world = Self {
            plan: plan.clone(),
            history,
            servers,
            network,
            farm,
            fixed,
            seats: (0..plan.replicas).map(|_| Seat { replica: Mutex::new(None), clock: Clock::new() }).collect(),
            settings: Settings::toml(text),
            discoverers,
            _discovering: discovering,
        };
        for number in 0..plan.replicas {
            // Of a run before under the same seed; it need not be there.
            let _ = std::fs::remove_file(world.log_of(number));
            world.start_replica(number).await;
        }
        world
    }

    /// Starts the replica anew, whatever is there.
    pub async fn start_replica(&self, number: usize) {
        let seat = &self.seats[number];
        let settings = self.settings.clone().process_env(seat.clock.env());
        let url = self.network.redis_url(number);
        let mut present = seat.replica.lock().await;
        if let Some(old) = present.take() {
            self.keep_log(number, &old);
        }
        let replica =
            tokio::task::spawn_blocking(move || Replica::start(&url, &settings)).await.expect("a replica starts");
        self.network.move_replica(number, replica.address());
        *present = Some(replica);
    }

    /// Does something to a replica, if it is there.
    pub async fn with_replica(&self, number: usize, what: impl FnOnce(&mut Replica)) {
        if let Some(replica) = self.seats[number].replica.lock().await.as_mut() {
            what(replica);
        }
    }

    pub fn replica_clock(&self, number: usize) -> &Clock {
        &self.seats[number].clock
    }

    /// A client of a replica, if it is there: without wires between.
    pub async fn http(&self, number: usize) -> Option<Http> {
        self.seats[number].replica.lock().await.as_ref().map(Replica::http)
    }

    /// The ids of all containers.
    pub fn ids(&self) -> Vec<String> {
        let names = self.plan.names();
        let listed = names.len() / 2;
        let id = |(at, (_, name)): (usize, &(String, String))| {
            if at < listed { format!("lab.{name}") } else { format!("farm.{name}") }
        };
        names.iter().enumerate().map(id).collect()
    }

    /// Every container is available and no session lives, as this replica sees it.
    pub async fn is_free(&self, number: usize) -> bool {
        let Some(http) = self.http(number).await else { return false };
        let status = http.get("/containers/status").await;
        let by_type = |name: &str| &status.body["by_type"][name];
        let free = |name: &String| by_type(name)["sessions_ready"] == 0 && by_type(name)["sessions_queued"] == 0;
        let whole = ["available", "total_containers"].iter().all(|count| status.body[count] == self.plan.containers);
        whole && self.farm.is_small() && self.plan.types().iter().all(free)
    }

    /// What Redis holds in the end, of the types that some server has.
    pub async fn left(&self) -> BTreeMap<String, Left> {
        let mut all = BTreeMap::new();
        for name in self.plan.types() {
            let Some(primary) = self.servers.primary_of(&name).await else { continue };
            let mut connection = self.servers.with(primary, |server| server.conn()).await;
            let left = left(&mut connection, &name, self.history.now());
            all.insert(name, left);
        }
        all
    }

    /// Ends the replicas and keeps their logs beside the history.
    pub async fn end(self) {
        self.discoverers.cancel();
        for (number, seat) in self.seats.iter().enumerate() {
            if let Some(replica) = seat.replica.lock().await.take() {
                self.keep_log(number, &replica);
            }
        }
    }

    fn log_of(&self, number: usize) -> PathBuf {
        self.plan.folder.join(format!("replica-{number}.log"))
    }

    fn keep_log(&self, number: usize, replica: &Replica) {
        let file = OpenOptions::new().create(true).append(true).open(self.log_of(number));
        file.and_then(|mut file| file.write_all(replica.log().as_bytes())).expect("a log can be written");
    }
}

fn id(name: &str) -> leasehold::model::ContainerId {
    format!("farm.{name}").parse().expect("a container's id")
}

fn of_type(name: &str) -> TargetType {
    name.parse().expect("a target type")
}

/// The configuration of replicas and discoverers, and the containers that it lists. Short times, so that much happens.
async fn listed_containers(plan: &Plan, listed: &[(String, String)], history: &Arc<History>) -> (String, Vec<Target>) {
    let [longest, lag] = recovery(plan.topology).map(|time| time.as_secs());
    let lossless = plan.lossless();
    let mut text = format!(
        r#"prefix = "test"
workers = 2

[limits]
ttl_min = "1s"
first_span = "2s"
confirm = "1s"
ticket_life = "2s"

[recovery]
longest_lease = "{longest}s"
lag = "{lag}s"
grace = "{longest}s"
lossless = {lossless}

[lease_tokens]
keys = ["{LEASE_TOKEN_KEY}"]

[discovery]
lock = "1s"
resync = "2s"

[reset]
deadline = "1s"
pause = "100ms"

[quarantine]
first = "1s"
longest = "2s"

[health]
kind = "http"
endpoint = "{CONTROL}"
interval = "500ms"
timeout = "500ms"
fall = 2

"#
    );
    for target_type in plan.types() {
        text.push_str(&format!("[types.{target_type}]\n"));
    }
    text.push_str("\n[[provider]]\nname = \"lab\"\nkind = \"static\"\n");
    let mut targets = Vec::new();
    for (target_type, name) in listed {
        let target = Target::start(&format!("lab.{name}"), history.clone()).await;
        text.push_str(&format!(
            "\n[[provider.container]]\nname = \"{name}\"\ntype = \"{target_type}\"\nhost = \"127.0.0.1\"\nports = {{ {CONTROL} = {} }}\n",
            target.port()
        ));
        targets.push(target);
    }
    (text, targets)
}

/// What the discoverers of the harness read.
fn config(plan: &Plan, text: &str) -> Config {
    let path = plan.folder.join("leasehold.toml");
    std::fs::write(&path, text).expect("the configuration can be written");
    Config::load(Some(&path)).expect("a good configuration")
}

/// A few more under demand, for as long as there is some: so they come and go all the time.
fn scale(plan: &Plan) -> ScaleConfig {
    ScaleConfig {
        min_idle: 0,
        max: (plan.containers / plan.types().len()) as u64 + 3,
        up_pause: Duration::from_millis(500),
        calm: CALM,
        ..ScaleConfig::unconfigured()
    }
}

fn discover(
    plan: &Plan,
    number: usize,
    config: &Config,
    redis_url: &str,
    farm: &Arc<Farm>,
    shutdown: &CancellationToken,
) -> JoinHandle<()> {
    let mut config = config.clone();
    config.redis.url = redis_url.into();
    // The replicas do not know the farm: the discoverers scale as well.
    for of_type in config.types.values_mut() {
        of_type.scale = Some(scale(plan));
    }
    let store = Store::connect(&config, Arc::new(Metrics::new())).expect("a good address");
    let (name, config) = (format!("discoverer-{number}"), Arc::new(config));
    let farms = || -> Vec<Arc<dyn Provider>> { vec![farm.clone()] };
    let discovering = discovery::run(store.clone(), farms(), config.clone(), name.clone(), shutdown.clone());
    let metrics = Arc::new(Metrics::new());
    let scaling = scale::run(store.clone(), farms(), metrics.clone(), name, shutdown.clone());
    let recycling = recycle::run(store, farms(), config, metrics, shutdown.clone());
    tokio::spawn(async {
        tokio::join!(discovering, recycling, scaling);
    })
}

fn left(connection: &mut redis::Connection, target_type: &str, now: Micros) -> Left {
    let key = |name: &str| format!("test:{{{target_type}}}:{name}");
    let mut left = Left { events: events::all(connection, target_type, now), ..Left::default() };
    for set in SESSION_SETS {
        let count = redis::cmd("ZCARD").arg(key(set)).query(connection).expect("a count");
        left.sessions.insert(set.to_owned(), count);
    }
    let ids: Vec<String> =
        redis::cmd("ZRANGE").arg(key("containers")).arg(0).arg(-1).query(connection).expect("the containers");
    for id in ids {
        let set = redis::cmd("HGET").arg(key(&format!("container:{id}"))).arg("set").query(connection);
        left.containers.insert(id, set.expect("the set that it is in"));
    }
    left
}
