//! Why nothing is available: in full for who asks, in short for who was refused.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{self, Arc, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use super::{Pool, PoolError};
use crate::{
    model::{Explanation, NamedContainer, OutReason, Reason, TargetType},
    store::{OutCounts, ProviderStatus},
};

/// Most containers that are named for a reason.
const NAMED: usize = 10;

/// So long what was found for one refusal is told to the next ones as well: under a shortage creates come in crowds.
const FRESH: Duration = Duration::from_millis(250);

/// How many are out for each reason.
pub type Reasons = BTreeMap<Reason, u64>;

/// What this replica last found of each type that had nothing available.
#[derive(Default)]
pub(super) struct Shortages {
    types: sync::Mutex<HashMap<TargetType, Arc<Mutex<Option<Found>>>>>,
}

/// None when Redis did not say.
type Found = (Instant, Option<Reasons>);

impl Shortages {
    fn of(&self, target_type: &TargetType) -> Arc<Mutex<Option<Found>>> {
        let mut types = self.types.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = types.get(target_type) {
            return known.clone();
        }
        types.entry(target_type.clone()).or_default().clone()
    }
}

impl Pool {
    /// Why a type has nothing available, or how much it has.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn explain(&self, target_type: &TargetType) -> Result<Explanation, PoolError> {
        self.must_know(target_type).await?;
        let (counts, named) = self.store.explain(target_type, NAMED).await?;
        let providers = self.providers().await?;
        let mut reasons = of_containers(target_type, &counts, named);
        if counts.containers == 0 {
            let label = &self.shared.config.discovery.label;
            reasons.push(out(
                Reason::NoneFound,
                0,
                format!("no provider found a {target_type} container"),
                format!("start one with the label {label}={target_type}, then `leasehold refresh`"),
            ));
        }
        if counts.waiting > 0 {
            reasons.push(out(
                Reason::LineAhead,
                counts.waiting,
                format!("{} in line, served first", counted(counts.waiting, "session waits", "sessions wait")),
                "join the line: wait_seconds, or on_shortage \"queue\"; more containers shorten it".to_owned(),
            ));
        }
        let stale_after = self.shared.config.discovery.stale_after;
        reasons.extend(providers.iter().filter_map(|provider| of_provider(provider, stale_after)));
        Ok(Explanation {
            target_type: target_type.clone(),
            candidates: counts.containers,
            available: counts.available,
            waiting: counts.waiting,
            summary: summary(target_type, &counts, &reasons),
            reasons,
        })
    }

    /// Adds to the error of a shortage what keeps the containers away, as found at most a quarter of a second ago.
    pub(super) async fn with_reasons(&self, error: PoolError) -> PoolError {
        let PoolError::NoAvailable { target_type, retry_after, .. } = error else { return error };
        let cell = self.shared.shortages.of(&target_type);
        let mut last = cell.lock().await;
        let reasons = match &*last {
            Some((when, reasons)) if when.elapsed() < FRESH => reasons.clone(),
            _ => {
                let reasons = self.store.explain(&target_type, 0).await.ok().map(|(counts, _)| in_short(&counts));
                *last = Some((Instant::now(), reasons.clone()));
                reasons
            }
        };
        PoolError::NoAvailable { target_type, retry_after, reasons }
    }
}

/// From the sizes of sets alone.
fn in_short(counts: &OutCounts) -> Reasons {
    let quarantined = counts.quarantined.min(counts.unhealthy);
    let mut reasons: Reasons = [
        (Reason::Leased, counts.leased),
        (Reason::Offered, counts.offered),
        (Reason::Draining, counts.draining),
        (Reason::Resetting, counts.resetting),
        (Reason::Quarantined, quarantined),
        (Reason::Unhealthy, counts.unhealthy - quarantined),
        (Reason::Initializing, counts.initializing),
        (Reason::Cordoned, counts.cordoned),
        (Reason::Held, counts.held),
        (Reason::LineAhead, counts.waiting),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .collect();
    if counts.containers == 0 {
        reasons.insert(Reason::NoneFound, 0);
    }
    reasons
}

/// The reasons for which containers are out, the most frequent first.
fn of_containers(target_type: &TargetType, counts: &OutCounts, named: Vec<(Reason, NamedContainer)>) -> Vec<OutReason> {
    let mut by_reason: BTreeMap<Reason, Vec<NamedContainer>> = BTreeMap::new();
    for (reason, container) in named {
        by_reason.entry(reason).or_default().push(container);
    }
    let looked = |reason| by_reason.get(&reason).map_or(0, |named| named.len() as u64);
    let ailments =
        [Reason::Quarantined, Reason::ProbeFailing, Reason::CheckFailing, Reason::NotRunning, Reason::Terminating];
    let known: u64 = ailments.into_iter().map(looked).sum();
    let mut all = vec![
        (Reason::Leased, counts.leased),
        (Reason::Offered, counts.offered),
        (Reason::Draining, counts.draining),
        (Reason::Resetting, counts.resetting),
        (Reason::Initializing, counts.initializing),
        (Reason::Cordoned, counts.cordoned),
        (Reason::Held, counts.held),
        (Reason::Unhealthy, counts.unhealthy.saturating_sub(known)),
    ];
    all.extend(ailments.map(|reason| (reason, looked(reason))));
    all.retain(|(_, count)| *count > 0);
    all.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
    all.into_iter()
        .map(|(reason, count)| {
            let mut containers = by_reason.remove(&reason).unwrap_or_default();
            containers.truncate(NAMED);
            let (detail, help) = told(reason, count, &containers, target_type, counts.recovering);
            OutReason { containers, ..out(reason, count, detail, help) }
        })
        .collect()
}

/// A reason in words, and what would help.
fn told(
    reason: Reason,
    count: u64,
    containers: &[NamedContainer],
    target_type: &TargetType,
    recovering: Option<Duration>,
) -> (String, String) {
    let are = |what: &str| counted(count, &format!("is {what}"), &format!("are {what}"));
    let first = containers.first();
    let because = first.and_then(|one| one.because.as_deref()).map(|why| format!(" ({why})")).unwrap_or_default();
    let ends = |what: &str| {
        let soonest = containers.iter().filter_map(|one| one.seconds).min();
        soonest.map(|seconds| format!("; {what} in {seconds} s")).unwrap_or_default()
    };
    let id = first.map_or("ID", |one| one.id.as_str());
    match reason {
        Reason::Leased => (
            are("leased to sessions") + &ends("the next lease ends, unless it is renewed,"),
            "wait in line (wait_seconds, or on_shortage \"queue\"), add containers, or end a session with an admin's key: \
             `leasehold sessions release SESSION`"
                .to_owned(),
        ),
        Reason::Offered => (
            are("offered to sessions in line that have not claimed them yet"),
            "nothing: what is not claimed goes to the next in line within seconds".to_owned(),
        ),
        Reason::Draining => (
            are("being drained: cordoned, while its session is waited for") + &ends("the next drain ends"),
            format!("`leasehold uncordon {id}` gives it back to the pool"),
        ),
        Reason::Resetting => (
            are("being made clean after a session"),
            "wait for it; what takes long, and why, is in the log of the replicas".to_owned(),
        ),
        Reason::Quarantined => (
            are("in quarantine") + &because + &ends("the next comes back"),
            format!(
                "find out what fails (`leasehold containers get {id}`, the engine's log), or wait; \
                 `leasehold unquarantine {id}` gives it back at once"
            ),
        ),
        Reason::ProbeFailing => (
            counted(count, "fails its probe", "fail their probe") + &because,
            format!("does the program run that is probed? `leasehold containers get {id} -o json` shows the last failure"),
        ),
        Reason::CheckFailing => (
            counted(count, "fails the engine's own check", "fail the engine's own check"),
            format!("the engine knows the check's output, as in `docker inspect {id}`"),
        ),
        Reason::NotRunning => {
            (counted(count, "does not run", "do not run") + &because, format!("start it, as by `docker start {id}`"))
        }
        Reason::Terminating => (
            are("being ended by the engine"),
            "wait for what takes its place; if nothing does, whoever ends it must start another one".to_owned(),
        ),
        Reason::Initializing => (
            counted(count, "has", "have") + " no good probe or check yet" + &because,
            "wait: it is given out after the first good one".to_owned(),
        ),
        Reason::Cordoned => (
            are("cordoned") + &because,
            format!("`leasehold uncordon {id}`, when whoever cordoned it is done"),
        ),
        Reason::Held => {
            let left = recovering.map_or(0, |left| left.as_secs());
            (
                are("held: Redis may have lost a lease of it") + &format!("; the recovery ends in {left} s"),
                "wait; if nobody can hold a lease that was not proven, `leasehold recover --assume-none`".to_owned(),
            )
        }
        _ => (
            counted(count, "more is unhealthy", "more are unhealthy"),
            format!("`leasehold containers --type {target_type} -o wide` shows the health of each"),
        ),
    }
}

/// What is wrong with a provider.
fn of_provider(provider: &ProviderStatus, stale_after: Duration) -> Option<OutReason> {
    let name = &provider.name;
    if let Some(error) = &provider.error {
        let detail = format!("the provider {name} cannot be looked at: {error}");
        let help = "mend the way to it; until then what was last known of its containers stays".to_owned();
        return Some(out(Reason::ProviderUnreachable, 1, detail, help));
    }
    let detail = match provider.age {
        Some(age) if age <= stale_after => return None,
        Some(age) => format!("the provider {name} was last looked at {} s ago", age.as_secs()),
        None => format!("the provider {name} was never looked at"),
    };
    let help = "see that a replica with the role `discovery` runs and reaches it".to_owned();
    Some(out(Reason::ProviderStale, 1, detail, help))
}

fn summary(target_type: &TargetType, counts: &OutCounts, reasons: &[OutReason]) -> String {
    let parts: Vec<_> = reasons
        .iter()
        .filter(|one| one.count > 0)
        .map(|one| match one.reason {
            Reason::LineAhead => format!("{} in line", one.count),
            Reason::ProviderUnreachable | Reason::ProviderStale => one.detail.clone(),
            reason => format!("{} {}", one.count, reason.as_str().replace('_', " ")),
        })
        .collect();
    let why = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    match (counts.available, counts.containers) {
        (_, 0) => format!("There is no {target_type} container{why}"),
        (0, all) => format!(
            "None of {} is available{why}",
            counted(all, &format!("{target_type} container"), &format!("{target_type} containers"))
        ),
        (available, all) => {
            format!(
                "{available} of {} available{why}",
                counted(all, &format!("{target_type} container is"), &format!("{target_type} containers are"))
            )
        }
    }
}

fn out(reason: Reason, count: u64, detail: String, help: String) -> OutReason {
    OutReason { reason, count, detail, help, containers: Vec::new() }
}

fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(reason: Reason, number: usize) -> (Reason, NamedContainer) {
        let because = Some("its probe fails: connection refused".to_owned());
        let id = format!("c{number}").parse().unwrap();
        (reason, NamedContainer { id, name: format!("wine-{number}"), session_id: None, because, seconds: Some(7) })
    }

    #[test]
    fn what_was_not_looked_at_is_counted_all_the_same() {
        let wine = "wine".parse().unwrap();
        let counts = OutCounts { containers: 150, unhealthy: 140, leased: 10, ..OutCounts::default() };
        let found =
            (0..90).map(|n| named(Reason::ProbeFailing, n)).chain((0..10).map(|n| named(Reason::Quarantined, n)));
        let reasons = of_containers(&wine, &counts, found.collect());
        let told: Vec<_> = reasons.iter().map(|one| (one.reason, one.count, one.containers.len())).collect();
        let expected = [
            (Reason::ProbeFailing, 90, 10),
            (Reason::Unhealthy, 40, 0),
            (Reason::Leased, 10, 0),
            (Reason::Quarantined, 10, 10),
        ];
        assert_eq!(told, expected);
        assert!(reasons[0].detail.contains("connection refused"), "{}", reasons[0].detail);
        assert_eq!(reasons.iter().map(|one| one.count).sum::<u64>(), counts.containers);
    }

    #[test]
    fn in_short_nobody_is_counted_twice() {
        let counts = OutCounts { containers: 5, unhealthy: 2, quarantined: 3, leased: 3, ..OutCounts::default() };
        assert_eq!(in_short(&counts), Reasons::from([(Reason::Leased, 3), (Reason::Quarantined, 2)]));
        assert_eq!(in_short(&OutCounts::default()), Reasons::from([(Reason::NoneFound, 0)]));
    }

    #[test]
    fn the_summary_is_one_sentence() {
        let wine = "wine".parse().unwrap();
        let counts = OutCounts { containers: 3, leased: 2, cordoned: 1, ..OutCounts::default() };
        let reasons = of_containers(&wine, &counts, Vec::new());
        assert_eq!(summary(&wine, &counts, &reasons), "None of 3 wine containers is available: 2 leased, 1 cordoned");
        let some = OutCounts { containers: 1, available: 1, ..OutCounts::default() };
        assert_eq!(summary(&wine, &some, &[]), "1 of 1 wine container is available");
        assert_eq!(summary(&wine, &OutCounts::default(), &[]), "There is no wine container");
    }

    #[test]
    fn a_provider_is_told_when_it_fails_or_was_not_looked_at() {
        let stale_after = Duration::from_secs(90);
        let reason = |age: Option<u64>, error: Option<&str>| {
            let (age, error) = (age.map(Duration::from_secs), error.map(str::to_owned));
            let name = "docker".parse().unwrap();
            of_provider(&ProviderStatus { name, holder: None, generation: 1, age, error }, stale_after)
        };
        assert_eq!(reason(Some(30), None), None);
        let failing = reason(Some(3), Some("no such socket")).unwrap();
        assert_eq!(failing.reason, Reason::ProviderUnreachable);
        assert!(failing.detail.contains("docker") && failing.detail.contains("no such socket"), "{}", failing.detail);
        assert!(reason(Some(91), None).unwrap().detail.contains("91 s ago"));
        assert_eq!(reason(None, None).unwrap().reason, Reason::ProviderStale);
    }
}
