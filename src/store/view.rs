//! From rows of a script's answer to records of the model.

use jiff::Timestamp;
use serde::de::IntoDeserializer as _;

use super::{StoreError, reply::Record};
use crate::model::{
    About, Activity, Container, Drain, EndReason, EngineHealth, EngineState, FencingToken, Health, HealthStatus, Lease,
    LeaseProof, OwnerName, PoolState, Quarantine, Reset, ResetState, Session, SessionState, TargetType, Ticket,
    Warning,
};

/// Milliseconds since 1970 as RFC 3339.
pub(super) fn time_text(millis: u64) -> String {
    i64::try_from(millis)
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .map_or_else(String::new, |time| format!("{time:.3}"))
}

/// Every session is heard of at least so often, whatever its TTL: a recovery believes that who was not heard of is gone.
const PROVEN_WITHIN_SECONDS: u64 = 20;

/// A session, and the idempotency key that is due to be kept alive with it.
pub(super) struct SessionView {
    pub session: Session,
    pub keep_idem: Option<String>,
    /// What its lease can be proven by.
    pub proof: Option<LeaseProof>,
}

/// Reads a session; `poll_within_seconds` is what a ticket tells its client.
pub(super) fn session(
    record: &mut Record<'_>,
    target_type: &TargetType,
    poll_within_seconds: u64,
) -> Result<SessionView, StoreError> {
    let id = parsed(record, "a session id")?;
    let state_word = record.text()?;
    let owner = parsed(record, "an owner")?;
    let ttl_ms = record.number()?;
    let expires_in_ms = record.optional_number()?;
    let created_ms = record.number()?;
    let ended_at = record.optional_number()?.map(time_text);
    let reason = record.optional_text()?;
    let token = record.optional_number()?.map(FencingToken);
    let wall = record.number()?;
    let position = record.optional_number()?;
    let estimate_ms = record.optional_number()?;
    let metadata = record.optional_text()?;
    let keep_idem = record.optional_text()?;
    let container_id = record.optional_text()?;
    let incarnation = record.optional_text()?;
    let longest_ms = record.optional_number()?;
    let epoch = record.number()?;
    let proof_wanted = record.optional_number()?.is_some();
    let warnings = warnings(record.optional_number()?, record.optional_number()?);
    let head_start_ms = record.optional_number()?.unwrap_or_default();
    let (last_active_ms_ago, last_heard_ms_ago) = (record.optional_number()?, record.optional_number()?);
    let idle_ends_in_ms = record.optional_number()?;
    let container = match record.optional_text()? {
        Some(id) => Some(Box::new(container_of(id, record, target_type)?)),
        None => None,
    };

    let state = match state_word {
        "ready" => SessionState::Ready,
        "ended" => SessionState::Ended,
        "queued" | "offered" => SessionState::Queued,
        other => return Err(record.wrong("a session state", other)),
    };
    let (lease, proof) = match (state, token, expires_in_ms) {
        (SessionState::Ready, Some(fencing_token), Some(expires_in_ms)) => {
            let lease = Lease {
                fencing_token,
                ttl_seconds: ttl_ms / 1000,
                expires_in_ms,
                expires_at: time_text(wall + expires_in_ms),
                heartbeat_interval_seconds: (ttl_ms / 3000).clamp(1, PROVEN_WITHIN_SECONDS),
                lease_token: None,
                proof_wanted,
            };
            let container = container_id.and_then(|id| id.parse().ok());
            let proof = container.map(|container| LeaseProof {
                target_type: target_type.clone(),
                session: id,
                owner: OwnerName::clone(&owner),
                container,
                incarnation: incarnation.unwrap_or_default().to_owned(),
                fencing_token,
                epoch,
                ttl_ms,
                created_ms,
                longest_ms,
                until_ms: wall + expires_in_ms,
            });
            (Some(lease), proof)
        }
        _ => (None, None),
    };
    let ticket = (state == SessionState::Queued).then(|| Ticket {
        position: position.unwrap_or(0),
        priority: u32::try_from(head_start_ms / 1000).unwrap_or(u32::MAX),
        estimated_wait_seconds: estimate_ms.map(|ms| ms.div_ceil(1000)),
        poll_within_seconds,
    });
    let activity = (state == SessionState::Ready).then(|| Activity {
        last_active_at: last_active_ms_ago.map(|ago| time_text(wall.saturating_sub(ago))),
        last_active_ms_ago,
        last_heard_ms_ago,
        idle_ends_in_ms,
    });
    let end_reason = match reason {
        None => None,
        Some(word) => Some(EndReason::from_word(word).ok_or_else(|| record.wrong("an end reason", word))?),
    };
    let metadata = match metadata {
        None => serde_json::Map::new(),
        Some(text) => serde_json::from_str(text).map_err(|_| record.wrong("metadata", text))?,
    };
    let session = Session {
        id,
        state,
        target_type: target_type.clone(),
        owner,
        container,
        lease,
        ticket,
        activity,
        created_at: time_text(created_ms),
        ended_at,
        end_reason,
        warnings,
        metadata,
    };
    Ok(SessionView { session, keep_idem: keep_idem.map(str::to_owned), proof })
}

/// Of the ends that come near, from what is left of each.
fn warnings(longest_left: Option<u64>, idle_left: Option<u64>) -> Vec<Warning> {
    let of = |reason, left: Option<u64>| left.map(|ends_in_ms| Warning { reason, ends_in_ms });
    of(EndReason::MaxDuration, longest_left).into_iter().chain(of(EndReason::Idle, idle_left)).collect()
}

/// Reads a container.
pub(super) fn container(record: &mut Record<'_>, target_type: &TargetType) -> Result<Container, StoreError> {
    let id = record.text()?;
    container_of(id, record, target_type)
}

/// Reads the rest of a container whose id was read.
fn container_of(id: &str, record: &mut Record<'_>, target_type: &TargetType) -> Result<Container, StoreError> {
    let id = id.parse().map_err(|_| record.wrong("a container id", id))?;
    let provider = parsed(record, "a provider")?;
    let state: EngineState = word(record, "an engine state")?;
    let engine: EngineHealth = word(record, "an engine's check")?;
    let probed = record.text()? == "1";
    let probe = record.optional_text()?;
    let why = record.optional_text()?;
    let pool_state: PoolState = word(record, "a pool state")?;
    let cordoned_by = record.optional_text()?.map(str::to_owned);
    let allocated_to = record.optional_text()?.map(str::to_owned);
    let allocated_at = record.optional_number()?.map(time_text);
    let fencing_token = record.optional_number()?.map(FencingToken);
    let about_text = record.optional_text()?.unwrap_or("{}");
    let about: About = serde_json::from_str(about_text).map_err(|_| record.wrong("a description", about_text))?;
    let held = record.optional_number()?.is_some();
    let until = record.optional_number()?.map(time_text);
    let force = record.optional_text()? == Some("1");
    let drain = until.zip(allocated_to.clone()).map(|(until, waiting_for)| Drain { waiting_for, until, force });
    let reset = match record.optional_text()? {
        None => None,
        Some("failed") => Some(ResetState::Failed),
        Some(_) => Some(ResetState::Pending),
    };
    let failure = record.optional_text()?.map(str::to_owned);
    let rests_until = record.optional_number()?.map(time_text);
    let rest_why = record.optional_text()?.map(str::to_owned);
    let times = record.optional_number()?.unwrap_or(1);
    let quarantine = rests_until.zip(rest_why).map(|(until, why)| match why.strip_prefix("by:") {
        Some(by) => Quarantine { until, reason: "operator".to_owned(), by: Some(by.to_owned()), times },
        None => Quarantine { until, reason: why, by: None, times },
    });
    let mut health = health(state, engine, probed, probe, why);
    if reset == Some(ResetState::Failed) {
        health.status = HealthStatus::Unhealthy;
        health.reason = Some(format!("its reset fails: {}", failure.as_deref().unwrap_or("unknown")));
    }
    Ok(Container {
        id,
        name: about.name,
        target_type: target_type.clone(),
        provider,
        state,
        pool_state,
        cordoned: cordoned_by.is_some(),
        cordoned_by,
        drain,
        held,
        ip_address: about.ip_address,
        ports: about.ports,
        endpoints: about.endpoints,
        allocated_to,
        allocated_at,
        labels: about.labels,
        created_at: about.created_at,
        health,
        quarantine,
        reset: reset.map(|state| Reset { state, failure }),
        fencing_token,
    })
}

/// One verdict from the three sources: the engine's state, its check, and our probe.
fn health(state: EngineState, engine: EngineHealth, probed: bool, probe: Option<&str>, why: Option<&str>) -> Health {
    let probe = probed.then_some(match probe {
        Some("ok") => HealthStatus::Healthy,
        Some(_) => HealthStatus::Unhealthy,
        None => HealthStatus::Unknown,
    });
    let (status, reason) = if !matches!(state, EngineState::Running | EngineState::Created) {
        let word =
            serde_json::to_value(state).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default();
        (HealthStatus::Unhealthy, Some(format!("the engine says it is {word}")))
    } else if engine == EngineHealth::Unhealthy {
        (HealthStatus::Unhealthy, Some("the engine's own check fails".to_owned()))
    } else if probe == Some(HealthStatus::Unhealthy) {
        (
            HealthStatus::Unhealthy,
            Some(why.map_or_else(|| "its probe fails".to_owned(), |why| format!("its probe fails: {why}"))),
        )
    } else if state == EngineState::Created {
        (HealthStatus::Unknown, Some("it was never started".to_owned()))
    } else if engine == EngineHealth::Starting {
        (HealthStatus::Unknown, Some("the engine's own check has no verdict yet".to_owned()))
    } else if probe == Some(HealthStatus::Unknown) {
        let last = why.map_or_else(String::new, |why| format!("; the last one failed: {why}"));
        (HealthStatus::Unknown, Some(format!("no good probe yet{last}")))
    } else {
        (HealthStatus::Healthy, None)
    };
    Health { status, engine, probe, reason }
}

fn parsed<T: std::str::FromStr>(record: &mut Record<'_>, what: &str) -> Result<T, StoreError> {
    let text = record.text()?;
    text.parse().map_err(|_| record.wrong(what, text))
}

/// A word that the model spells in serde.
fn word<'a, T: serde::Deserialize<'a>>(record: &mut Record<'a>, what: &str) -> Result<T, StoreError> {
    let text = record.text()?;
    let spelled: Result<T, serde::de::value::Error> = T::deserialize(text.into_deserializer());
    spelled.map_err(|_| record.wrong(what, text))
}
