//! What a replica counts and times, in the OpenMetrics text format. The pool's own sizes are read at each scrape and given to
//! [`Metrics::encode`]: they live in Redis, not here.

mod process;
mod viewers;

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};

pub use self::viewers::{CountedViewer, ViewerMetrics};
use crate::model::{Fault, Finding, PoolState, ProviderName, Recovery, SessionState, TargetType, WebhookName};

/// What [`Metrics::encode`] writes.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ScriptLabels {
    script: &'static str,
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AllocationLabels {
    target_type: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProbeLabels {
    target_type: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    target_type: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TypeLabels {
    target_type: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProviderLabels {
    provider: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FaultLabels {
    target_type: String,
    fault: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LookLabels {
    provider: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    webhook: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WebhookLabels {
    webhook: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WebhookTypeLabels {
    webhook: String,
    target_type: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ScalingLabels {
    target_type: String,
    change: &'static str,
    reason: &'static str,
}

type Timings<L> = Family<L, Histogram, fn() -> Histogram>;

/// The metrics of one replica. Shared by all that count.
pub struct Metrics {
    registry: Registry,
    scripts: Timings<ScriptLabels>,
    allocations: Timings<AllocationLabels>,
    probes: Timings<ProbeLabels>,
    resets: Timings<ProbeLabels>,
    scalings: Family<ScalingLabels, Counter>,
    requests: Timings<RequestLabels>,
    deliveries: Timings<DeliveryLabels>,
    given_up: Family<WebhookLabels, Counter>,
    event_streams: Gauge,
    viewers: ViewerMetrics,
    panics: Counter,
    repairs: Family<FaultLabels, Counter>,
    redis_errors: Family<KindLabels, Counter>,
    looks: Timings<LookLabels>,
    reaped: Family<TypeLabels, Counter>,
    /// When the reaper of this replica came to its end the last time.
    reaped_at: Mutex<Option<Instant>>,
    /// When the process began, since 1970.
    began: Duration,
}

/// The sizes of the pool at the time of a scrape.
#[derive(Debug, Clone, Default)]
pub struct PoolSizes {
    /// Whether Redis answered; without it the rest is empty.
    pub redis_up: bool,
    /// Containers of each type by state; cordoned ones that are idle are counted apart.
    pub containers: Vec<(TargetType, PoolState, u64)>,
    /// Idle containers that are cordoned.
    pub cordoned: Vec<(TargetType, u64)>,
    /// Idle containers that are given out only after a recovery.
    pub held: Vec<(TargetType, u64)>,
    /// Containers in quarantine.
    pub quarantined: Vec<(TargetType, u64)>,
    /// How long the oldest reset of each type has been going on.
    pub oldest_resets: Vec<(TargetType, Duration)>,
    /// Each type's recovery, if one goes on.
    pub recoveries: Vec<(TargetType, Option<Recovery>)>,
    /// Live sessions of each type by state.
    pub sessions: Vec<(TargetType, SessionState, u64)>,
    /// Each provider.
    pub providers: Vec<ProviderSize>,
    /// What the last audit of each type found, and how long ago it ended.
    pub audits: Vec<AuditSize>,
    /// Each type that is scaled.
    pub scales: Vec<ScaleSize>,
    /// Sessions for which requests wait on this replica.
    pub waiting: u64,
    /// Requests that wait or go on at this replica, and the most that may.
    pub long_polls: (u64, u64),
    /// Each webhook's deliveries of each type: events that are not done with, and dead letters.
    pub webhooks: Vec<(String, TargetType, u64, u64)>,
}

/// What was decided last about a type's size, at the time of a scrape.
#[derive(Debug, Clone)]
pub struct ScaleSize {
    /// The type.
    pub target_type: TargetType,
    /// How many containers there should be.
    pub wanted: u64,
    /// The most that there may be.
    pub max: u64,
    /// Whether more are wanted.
    pub at_max: bool,
    /// How long ago it was decided.
    pub age: Duration,
}

/// What is told of the last audit of a type at the time of a scrape.
#[derive(Debug, Clone)]
pub struct AuditSize {
    /// The type.
    pub target_type: TargetType,
    /// Since its end.
    pub age: Duration,
    /// How many faults of each kind there were.
    pub found: Vec<(Fault, u64)>,
}

/// What is told of a provider at the time of a scrape.
#[derive(Debug, Clone)]
pub struct ProviderSize {
    /// Its name.
    pub name: ProviderName,
    /// The time since its last full look that succeeded.
    pub age: Option<Duration>,
    /// Whether the last one did.
    pub up: bool,
    /// Whether a replica discovers for it.
    pub discovered: bool,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// 100 µs to 1.6 s: what is answered at once.
fn short() -> Histogram {
    Histogram::new(exponential_buckets(0.000_1, 2.0, 15))
}

/// 500 µs to 65 s: what may wait in line.
fn long() -> Histogram {
    Histogram::new(exponential_buckets(0.000_5, 2.0, 18))
}

impl Metrics {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut registry = Registry::with_prefix("leasehold");
        let scripts = Timings::new_with_constructor(short as fn() -> Histogram);
        let allocations = Timings::new_with_constructor(long as fn() -> Histogram);
        let probes = Timings::new_with_constructor(short as fn() -> Histogram);
        let resets = Timings::new_with_constructor(long as fn() -> Histogram);
        let requests = Timings::new_with_constructor(long as fn() -> Histogram);
        let deliveries = Timings::new_with_constructor(long as fn() -> Histogram);
        let given_up = Family::<WebhookLabels, Counter>::default();
        let event_streams = Gauge::default();
        let panics = Counter::default();
        let unit = Unit::Seconds;
        let help = "Calls of Redis scripts, by script and outcome";
        registry.register_with_unit("script_duration", help, unit.clone(), scripts.clone());
        let help = "Creates of sessions, waiting included, by outcome";
        registry.register_with_unit("allocation_duration", help, unit.clone(), allocations.clone());
        let help = "Probes of containers by this replica, by outcome";
        registry.register_with_unit("probe_duration", help, unit.clone(), probes.clone());
        let help = "Attempts of this replica to make containers clean, by outcome";
        registry.register_with_unit("reset_duration", help, unit.clone(), resets.clone());
        let scalings = Family::default();
        let help = "Containers that this replica added or took away for demand, and those that it could not add";
        registry.register("scaled", help, scalings.clone());
        let help = "HTTP requests, by route and status";
        registry.register_with_unit("http_request_duration", help, unit.clone(), requests.clone());
        let help = "Attempts of this replica at deliveries to webhooks, by outcome";
        registry.register_with_unit("webhook_delivery_duration", help, unit, deliveries.clone());
        let help = "Events that this replica gave up to deliver to a webhook";
        registry.register("webhook_given_up", help, given_up.clone());
        registry.register("event_streams", "Event streams that are open on this replica", event_streams.clone());
        let viewers = ViewerMetrics::register(&mut registry);
        registry.register("panics", "Panics: each is a defect", panics.clone());
        let repairs = Family::default();
        registry.register("audit_repairs", "Faults in the data that this replica repaired", repairs.clone());
        let redis_errors = Family::default();
        registry.register("redis_errors", "Calls of Redis that failed, by kind of failure", redis_errors.clone());
        let looks = Timings::new_with_constructor(long as fn() -> Histogram);
        let help = "Full looks at providers by this replica, by outcome";
        registry.register_with_unit("discovery_look_duration", help, Unit::Seconds, looks.clone());
        let reaped = Family::default();
        registry.register(
            "reaped",
            "Leases, offers, tickets and rests that this replica's reaper ended",
            reaped.clone(),
        );
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "The program", Info::new(version.to_vec()));
        Self {
            registry,
            scripts,
            allocations,
            probes,
            resets,
            scalings,
            requests,
            deliveries,
            given_up,
            event_streams,
            viewers,
            panics,
            repairs,
            redis_errors,
            looks,
            reaped,
            reaped_at: Mutex::default(),
            began,
        }
    }

    /// A script ran, with this outcome code.
    pub fn script(&self, script: &'static str, outcome: &str, took: Duration) {
        let labels = ScriptLabels { script, outcome: outcome.to_owned() };
        self.scripts.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A create was answered.
    pub fn allocation(&self, target_type: &TargetType, outcome: &'static str, took: Duration) {
        let labels = AllocationLabels { target_type: target_type.to_string(), outcome };
        self.allocations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A container was probed.
    pub fn probe(&self, target_type: &TargetType, good: bool, took: Duration) {
        let outcome = if good { "good" } else { "bad" };
        let labels = ProbeLabels { target_type: target_type.to_string(), outcome };
        self.probes.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// An attempt was made to make a container clean.
    pub fn reset(&self, target_type: &TargetType, good: bool, took: Duration) {
        let outcome = if good { "good" } else { "bad" };
        let labels = ProbeLabels { target_type: target_type.to_string(), outcome };
        self.resets.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Containers were added (`up`) or taken away (`down`), or could not be added (`failed`), for a reason.
    pub fn scaled(&self, target_type: &TargetType, change: &'static str, reason: &'static str, count: u64) {
        let labels = ScalingLabels { target_type: target_type.to_string(), change, reason };
        self.scalings.get_or_create(&labels).inc_by(count);
    }

    /// An HTTP request was answered. `route` is the pattern, never the path: ids must not become labels.
    pub fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let labels = RequestLabels { method: method.to_owned(), route: route.to_owned(), status };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A fault was repaired.
    pub fn audit_repair(&self, finding: &Finding) {
        let labels = FaultLabels { target_type: finding.target_type.to_string(), fault: finding.fault.as_str() };
        self.repairs.get_or_create(&labels).inc();
    }

    /// So many calls of Redis failed in this way.
    pub fn redis_errors(&self, kind: &'static str, count: u64) {
        self.redis_errors.get_or_create(&KindLabels { kind }).inc_by(count);
    }

    /// A provider was looked at.
    pub fn look(&self, provider: &ProviderName, good: bool, took: Duration) {
        let labels = LookLabels { provider: provider.to_string(), outcome: if good { "good" } else { "bad" } };
        self.looks.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// The reaper ended so many of a type.
    pub fn reaped(&self, target_type: &TargetType, count: u64) {
        self.reaped.get_or_create(&TypeLabels { target_type: target_type.to_string() }).inc_by(count);
    }

    /// The reaper has been through all types.
    pub fn reaper_ran(&self) {
        *self.reaped_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// An attempt at a delivery to a webhook ended.
    pub fn webhook(&self, webhook: &WebhookName, delivered: bool, took: Duration) {
        let outcome = if delivered { "delivered" } else { "failed" };
        let labels = DeliveryLabels { webhook: webhook.to_string(), outcome };
        self.deliveries.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// An event became a dead letter.
    pub fn webhook_given_up(&self, webhook: &WebhookName) {
        self.given_up.get_or_create(&WebhookLabels { webhook: webhook.to_string() }).inc();
    }

    /// A stream of events was opened.
    pub fn event_stream_opened(&self) {
        self.event_streams.inc();
    }

    /// A stream of events was closed.
    pub fn event_stream_closed(&self) {
        self.event_streams.dec();
    }

    /// What is counted of viewers.
    #[must_use]
    pub fn viewers(&self) -> &ViewerMetrics {
        &self.viewers
    }

    /// A thread panicked.
    pub fn panicked(&self) {
        self.panics.inc();
    }

    /// Everything as text.
    ///
    /// # Errors
    /// Never, as far as a `String` can be written to.
    pub fn encode(&self, sizes: &PoolSizes) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode_registry(&mut out, &self.registry)?;
        let reaper_age = self.reaped_at.lock().unwrap_or_else(PoisonError::into_inner).map(|at| at.elapsed());
        text::encode_registry(&mut out, &registry_of(sizes, reaper_age))?;
        let mut process = Registry::default();
        process::add_to(&mut process, self.began);
        text::encode_registry(&mut out, &process)?;
        text::encode_eof(&mut out)?;
        Ok(out)
    }
}

/// A registry of this scrape's own, so that a type or provider that is gone leaves nothing behind.
fn registry_of(sizes: &PoolSizes, reaper_age: Option<Duration>) -> Registry {
    let mut registry = Registry::with_prefix("leasehold");
    let containers = Family::<StateLabels, Gauge>::default();
    for (target_type, pool_state, count) in &sizes.containers {
        let labels = StateLabels { target_type: target_type.to_string(), state: pool_state.as_str() };
        containers.get_or_create(&labels).set(*count as i64);
    }
    let cordoned = Family::<TypeLabels, Gauge>::default();
    for (target_type, count) in &sizes.cordoned {
        cordoned.get_or_create(&TypeLabels { target_type: target_type.to_string() }).set(*count as i64);
    }
    let kept_back = Family::<TypeLabels, Gauge>::default();
    for (target_type, count) in &sizes.held {
        kept_back.get_or_create(&TypeLabels { target_type: target_type.to_string() }).set(*count as i64);
    }
    let quarantined = Family::<TypeLabels, Gauge>::default();
    for (target_type, count) in &sizes.quarantined {
        quarantined.get_or_create(&TypeLabels { target_type: target_type.to_string() }).set(*count as i64);
    }
    let oldest_resets = Family::<TypeLabels, Gauge>::default();
    for (target_type, age) in &sizes.oldest_resets {
        oldest_resets.get_or_create(&TypeLabels { target_type: target_type.to_string() }).set(age.as_secs() as i64);
    }
    let recovering = Family::<TypeLabels, Gauge>::default();
    let recovery_left = Family::<TypeLabels, Gauge>::default();
    let proven = Family::<TypeLabels, Gauge>::default();
    for (target_type, recovery) in &sizes.recoveries {
        let labels = TypeLabels { target_type: target_type.to_string() };
        recovering.get_or_create(&labels).set(i64::from(recovery.is_some()));
        let recovery = recovery.unwrap_or_default();
        recovery_left.get_or_create(&labels).set(recovery.ends_in_seconds as i64);
        proven.get_or_create(&labels).set(recovery.proven as i64);
    }
    let sessions = Family::<StateLabels, Gauge>::default();
    let queue = Family::<TypeLabels, Gauge>::default();
    for (target_type, state, count) in &sizes.sessions {
        let labels = StateLabels { target_type: target_type.to_string(), state: state.as_str() };
        sessions.get_or_create(&labels).set(*count as i64);
        if *state == SessionState::Queued {
            queue.get_or_create(&TypeLabels { target_type: target_type.to_string() }).set(*count as i64);
        }
    }
    let ages = Family::<ProviderLabels, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
    let providers = Family::<ProviderLabels, Gauge>::default();
    let discovered = Family::<ProviderLabels, Gauge>::default();
    for one in &sizes.providers {
        let labels = ProviderLabels { provider: one.name.to_string() };
        providers.get_or_create(&labels).set(i64::from(one.up));
        discovered.get_or_create(&labels).set(i64::from(one.discovered));
        if let Some(age) = one.age {
            ages.get_or_create(&labels).set(age.as_secs_f64());
        }
    }
    let faults = Family::<FaultLabels, Gauge>::default();
    let audit_ages = Family::<TypeLabels, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
    for AuditSize { target_type, age, found } in &sizes.audits {
        audit_ages.get_or_create(&TypeLabels { target_type: target_type.to_string() }).set(age.as_secs_f64());
        for fault in Fault::ALL {
            let labels = FaultLabels { target_type: target_type.to_string(), fault: fault.as_str() };
            let count = found.iter().find(|(kind, _)| *kind == fault).map_or(0, |(_, count)| *count);
            faults.get_or_create(&labels).set(count as i64);
        }
    }
    let behind = Family::<WebhookTypeLabels, Gauge>::default();
    let dead = Family::<WebhookTypeLabels, Gauge>::default();
    for (webhook, target_type, events, letters) in &sizes.webhooks {
        let labels = WebhookTypeLabels { webhook: webhook.clone(), target_type: target_type.to_string() };
        behind.get_or_create(&labels).set(*events as i64);
        dead.get_or_create(&labels).set(*letters as i64);
    }
    register_scales(&mut registry, &sizes.scales);
    let single = |value: u64| {
        let gauge = Gauge::<i64>::default();
        gauge.set(value as i64);
        gauge
    };
    registry.register("redis_up", "Whether Redis answered this scrape", single(sizes.redis_up.into()));
    registry.register("waiting_requests", "Sessions that requests wait for on this replica", single(sizes.waiting));
    let help = "Requests that wait or go on at this replica";
    registry.register("long_polls", help, single(sizes.long_polls.0));
    registry.register("long_polls_limit", "The most of them that this replica serves", single(sizes.long_polls.1));
    if let Some(age) = reaper_age {
        let gauge = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
        gauge.set(age.as_secs_f64());
        let help = "Since the reaper of this replica was last through all types";
        registry.register_with_unit("reaper_age", help, Unit::Seconds, gauge);
    }
    registry.register("containers", "Containers by type and pool state, of the whole pool", containers);
    registry.register("containers_cordoned", "Idle containers that are given out no more, of the whole pool", cordoned);
    let help = "Idle containers that are given out only after the recovery, of the whole pool";
    registry.register("containers_held", help, kept_back);
    registry.register("containers_quarantined", "Containers in quarantine, of the whole pool", quarantined);
    let help = "Since the oldest container that is being made clean was given back; 0 when none is";
    registry.register_with_unit("oldest_reset_age", help, Unit::Seconds, oldest_resets);
    registry.register("recovering", "Whether the type recovers from a loss of Redis", recovering);
    let help = "Until the recovery ends by itself";
    registry.register_with_unit("recovery_remaining", help, Unit::Seconds, recovery_left);
    registry.register("recovery_proven", "Leases that were proven in the recovery that goes on", proven);
    registry.register("sessions", "Live sessions by type and state, of the whole pool", sessions);
    registry.register("queue_depth", "Sessions that wait in line, of the whole pool", queue);
    registry.register("audit_faults", "Faults in the data that the last audit found, by kind", faults);
    registry.register_with_unit("audit_age", "Since the end of the last audit", Unit::Seconds, audit_ages);
    registry.register("webhook_behind", "Events that a webhook has not got yet", behind);
    registry.register("webhook_dead_letters", "Events that a webhook did not take, of those that are kept", dead);
    registry.register("provider_up", "Whether the last full look at the provider succeeded", providers);
    registry.register("provider_discovered", "Whether a replica discovers for the provider", discovered);
    registry.register_with_unit("provider_age", "Since the last full look that succeeded", Unit::Seconds, ages);
    registry
}

fn register_scales(registry: &mut Registry, scales: &[ScaleSize]) {
    let wanted = Family::<TypeLabels, Gauge>::default();
    let most = Family::<TypeLabels, Gauge>::default();
    let at_max = Family::<TypeLabels, Gauge>::default();
    let ages = Family::<TypeLabels, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
    for one in scales {
        let labels = TypeLabels { target_type: one.target_type.to_string() };
        wanted.get_or_create(&labels).set(one.wanted as i64);
        most.get_or_create(&labels).set(one.max as i64);
        at_max.get_or_create(&labels).set(one.at_max.into());
        ages.get_or_create(&labels).set(one.age.as_secs_f64());
    }
    registry.register("scale_wanted", "Containers that a type should have, of the whole pool", wanted);
    registry.register("scale_max", "The most that it may have", most);
    registry.register("scale_at_max", "Whether more are wanted than there may be", at_max);
    let help = "Since it was decided last how many it should have";
    registry.register_with_unit("scale_age", help, Unit::Seconds, ages);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_and_the_sizes_are_written_with_their_labels() {
        let metrics = Metrics::new();
        let wine: TargetType = "wine".parse().unwrap();
        metrics.allocation(&wine, "ready", Duration::from_millis(2));
        metrics.script("allocate", "ok", Duration::from_micros(300));
        let sizes = PoolSizes {
            redis_up: true,
            containers: vec![(wine.clone(), PoolState::Available, 3)],
            sessions: vec![(wine, SessionState::Queued, 2)],
            ..PoolSizes::default()
        };
        let text = metrics.encode(&sizes).unwrap();
        for line in [
            "leasehold_containers{target_type=\"wine\",state=\"available\"} 3\n",
            "leasehold_queue_depth{target_type=\"wine\"} 2\n",
            "leasehold_redis_up 1\n",
            "leasehold_allocation_duration_seconds_count{target_type=\"wine\",outcome=\"ready\"} 1\n",
            "leasehold_script_duration_seconds_count{script=\"allocate\",outcome=\"ok\"} 1\n",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
