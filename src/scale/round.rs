//! One decision about one type, and what follows from it.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use super::{
    ADDED_MOST, Bounds, Providers,
    decide::{Change, Decision, Memory, Reason, Seen, decide},
    workload::NOT_THERE_YET,
};
use crate::{
    config::ScaleConfig,
    metrics::Metrics,
    model::{Container, ContainerId, EngineState, ProviderName, TargetType},
    provider::{Provider, SCALED_LABEL},
    store::{ScaleNote, ScalePlan, Store, StoreError},
};

/// A replica's claim on a type: its death holds up the next one for so long. Longer than one round may take.
const HOLD: Duration = Duration::from_secs(45);

/// The longest that one act of a provider may take. Shorter than the least grace of a recovery by far: what Redis forgot to be taken
/// away is not given out before it is gone.
pub(super) const ACT: Duration = Duration::from_secs(15);

/// Containers that are added, or removed, at a time.
pub(super) const AT_ONCE: usize = 4;

/// A page of containers.
const PAGE: usize = 100;

/// The label by which Compose names a service.
const COMPOSE_SERVICE: &str = "com.docker.compose.service";

/// What a round is made with.
pub(super) struct Round<'a> {
    pub store: &'a Store,
    pub providers: &'a Providers,
    pub metrics: &'a Metrics,
    pub replica: &'a str,
    pub target_type: &'a TargetType,
    pub settings: &'a ScaleConfig,
}

/// What new containers are made like: by which provider, and as it defines it.
struct Template {
    provider: Arc<dyn Provider>,
    definition: String,
    /// As it is kept in Redis, when that is news.
    news: Option<String>,
}

/// What a round tells.
pub(super) struct Told<'a> {
    pub(super) reason: &'a str,
    pub(super) change: i64,
    pub(super) detail: String,
    pub(super) template: Option<String>,
}

impl Round<'_> {
    /// Decides, adds or takes away, and removes what was taken away before. Nothing when another replica has the type. What must be
    /// done within the claim comes first: removing may take long, and be done by two.
    pub(super) async fn make(&self) -> Result<(), StoreError> {
        let Some(plan) = self.store.plan_scale(self.target_type, self.replica, HOLD).await? else { return Ok(()) };
        let containers = self.containers().await?;
        self.give_up_half_made(&containers).await?;
        let mut memory = plan.memory.as_deref().map(Memory::read).unwrap_or_default();
        // By Redis's clock: a replica's may be wrong.
        let clock = i64::try_from(plan.clock_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let (bounds, _) = Bounds::of(self.settings, clock.unwrap_or_default());
        let up_before = memory.up_ms;
        let decision = decide(&bounds, &mut memory, &seen(&plan));
        let resizer = self.resizer(&plan, &containers);
        let told = match &resizer {
            Some(provider) => self.resize(provider, &plan, &containers, bounds.idle(), &decision).await?,
            None => match decision.change {
                Change::None => Told::nothing(decision.reason),
                Change::Up(more) => self.add(&plan, &containers, more.min(ADDED_MOST), decision.reason).await?,
                Change::Down(fewer) => self.take_away(&containers, fewer, bounds.idle(), &decision).await?,
            },
        };
        if told.change == 0 && told.reason == NOT_THERE_YET {
            // Nothing was added that is to be seen first.
            memory.up_ms = up_before;
        }
        if self.tell(plan.epoch, &decision, &memory, &told).await? {
            self.remove(&containers, &plan.taken, resizer.is_some()).await;
        }
        Ok(())
    }

    /// Takes away what was added and never started, for whoever made it died in between: it would count and serve nobody.
    async fn give_up_half_made(&self, containers: &[Container]) -> Result<(), StoreError> {
        let mut given_up = Vec::new();
        let added = |one: &&Container| one.labels.contains_key(SCALED_LABEL);
        for one in containers.iter().filter(|one| one.state == EngineState::Created).filter(added) {
            let Some(provider) = self.providers.get(&one.provider) else { continue };
            if provider.clock().await.is_some_and(|clock| is_half_made(one, clock)) {
                given_up.push(one.id.clone());
            }
        }
        if !given_up.is_empty() && !self.settings.dry_run {
            let most = given_up.len() as u64;
            for id in self.store.take_away(self.target_type, self.replica, most, 0, 0, &given_up).await? {
                tracing::warn!(target_type = %self.target_type, container_id = %id, "it was added and never started");
            }
        }
        Ok(())
    }

    /// Whether it still has the type, and Redis lost nothing: else what was taken away may be somebody's again.
    async fn tell(
        &self,
        epoch: u64,
        decision: &Decision,
        memory: &Memory,
        told: &Told<'_>,
    ) -> Result<bool, StoreError> {
        let steady = matches!(decision.reason, Reason::Steady | Reason::NotCalm | Reason::Pausing);
        let note = ScaleNote {
            memory: &memory.to_string(),
            reason: told.reason,
            wanted: decision.wanted,
            change: told.change,
            told: !steady || told.reason != decision.reason.as_str(),
            detail: &told.detail,
            template: told.template.as_deref(),
            epoch,
        };
        self.store.note_scale(self.target_type, self.replica, &note).await
    }

    /// Adds containers, as many as can be.
    async fn add(
        &self,
        plan: &ScalePlan,
        containers: &[Container],
        more: u64,
        reason: Reason,
    ) -> Result<Told<'static>, StoreError> {
        let target_type = self.target_type;
        let template = match self.template(plan, containers).await {
            Ok(template) => template,
            Err(why) => {
                tracing::warn!(%target_type, why, "no container can be added");
                self.metrics.scaled(target_type, "failed", reason.as_str(), more);
                return Ok(Told { detail: why, ..Told::named("no_template") });
            }
        };
        if self.settings.dry_run {
            let detail = format!("dry run: {more} would be added");
            return Ok(Told { detail, template: template.news, ..Told::nothing(reason) });
        }
        let made: Vec<_> = stream::iter(0..more)
            .map(|_| template.provider.more(&template.definition, ACT))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let (good, bad): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
        let added = good.len() as u64;
        for id in good.into_iter().flatten() {
            tracing::info!(%target_type, container_id = %id, reason = reason.as_str(), "a container is added");
        }
        self.metrics.scaled(target_type, "up", reason.as_str(), added);
        let Some(error) = bad.into_iter().find_map(Result::err) else {
            let change = i64::try_from(added).unwrap_or(i64::MAX);
            return Ok(Told { change, template: template.news, ..Told::nothing(reason) });
        };
        self.metrics.scaled(target_type, "failed", reason.as_str(), more - added);
        tracing::warn!(%target_type, %error, added, wanted = more, "not all containers could be added");
        let change = i64::try_from(added).unwrap_or(i64::MAX);
        Ok(Told { change, detail: short(&error), template: template.news, ..Told::named("failed") })
    }

    /// Takes containers out of the pool that were added for demand: the youngest first. They are removed in the next round.
    async fn take_away(
        &self,
        containers: &[Container],
        fewer: u64,
        idle: u64,
        decision: &Decision,
    ) -> Result<Told<'static>, StoreError> {
        let mut added: Vec<_> = containers.iter().filter(|one| one.labels.contains_key(SCALED_LABEL)).collect();
        added.sort_unstable_by(|one, other| other.created_at.cmp(&one.created_at));
        let added: Vec<ContainerId> = added.into_iter().map(|one| one.id.clone()).collect();
        if self.settings.dry_run {
            let detail = format!("dry run: up to {} would be taken away", fewer.min(added.len() as u64));
            return Ok(Told { detail, ..Told::nothing(decision.reason) });
        }
        let (target_type, reason) = (self.target_type, decision.reason.as_str());
        let taken = self.store.take_away(target_type, self.replica, fewer, decision.wanted, idle, &added).await?;
        for id in &taken {
            tracing::info!(%target_type, container_id = %id, reason, "a container is taken away");
        }
        self.metrics.scaled(target_type, "down", reason, taken.len() as u64);
        if taken.is_empty() {
            // None of what was added for demand is idle, or all of it is gone.
            return Ok(Told::nothing(Reason::NotCalm));
        }
        Ok(Told { change: -i64::try_from(taken.len()).unwrap_or(i64::MAX), ..Told::nothing(decision.reason) })
    }

    /// Removes what is out of the pool already. What fails is tried again in the next round. What a workload makes it lets go itself,
    /// or where the type is not `resized` by one any more, replaces.
    async fn remove(&self, containers: &[Container], taken: &[ContainerId], resized: bool) {
        let gone = containers.iter().filter(|one| taken.contains(&one.id));
        stream::iter(gone)
            .for_each_concurrent(AT_ONCE, async |one| {
                let Some(provider) = self.providers.get(&one.provider) else { return };
                let removed = match (provider.capabilities().workloads, resized) {
                    (true, true) => return,
                    (true, false) => provider.discard(&one.id, ACT).await,
                    (false, _) => provider.remove(&one.id, ACT).await,
                };
                if let Err(error) = removed {
                    let (target_type, container_id) = (self.target_type, &one.id);
                    tracing::warn!(%target_type, %container_id, %error, "what was taken away could not be removed yet");
                }
            })
            .await;
    }

    /// What new ones are made like: the one that is named, else the oldest; when there is none, what was kept of it.
    async fn template(&self, plan: &ScalePlan, containers: &[Container]) -> Result<Template, String> {
        if let Some(found) = self.like(containers) {
            let provider = self.grows(&found.provider)?;
            let definition = provider.definition(&found.id).await.map_err(|error| short(&error))?;
            let text = format!("{} {definition}", found.provider);
            let news = (plan.template.as_ref() != Some(&text)).then_some(text);
            return Ok(Template { provider, definition, news });
        }
        let kept = plan.template.as_deref().and_then(|text| text.split_once(' '));
        let Some((provider, definition)) = kept else {
            return Err(match &self.settings.template {
                Some(name) => format!("no container or Compose service {name:?} of this type was ever found"),
                None => "no container of this type was ever found to make others like".to_owned(),
            });
        };
        let provider = self.grows(&provider.parse().map_err(|_| "the kept template names no provider".to_owned())?)?;
        Ok(Template { provider, definition: definition.to_owned(), news: None })
    }

    /// The one that others are made like, of those that there are.
    pub(super) fn like<'c>(&self, containers: &'c [Container]) -> Option<&'c Container> {
        let named = |one: &&Container| {
            let Some(name) = &self.settings.template else { return true };
            one.name == *name || one.labels.get(COMPOSE_SERVICE) == Some(name)
        };
        let own = |one: &&Container| !one.labels.contains_key(SCALED_LABEL);
        let of = |like: &dyn Fn(&&Container) -> bool| {
            containers.iter().filter(named).filter(like).min_by(|one, other| one.created_at.cmp(&other.created_at))
        };
        of(&own).or_else(|| of(&|_| true))
    }

    fn grows(&self, name: &ProviderName) -> Result<Arc<dyn Provider>, String> {
        let provider = self.providers.get(name).ok_or(format!("provider {name} is not configured at this replica"))?;
        let can = provider.capabilities().grow;
        can.then(|| provider.clone()).ok_or(format!("provider {name} cannot make more containers"))
    }

    async fn containers(&self) -> Result<Vec<Container>, StoreError> {
        let (mut all, mut cursor) = (Vec::new(), Some(String::new()));
        while let Some(after) = cursor {
            let (page, next) = self.store.containers(self.target_type, false, &after, PAGE).await?;
            all.extend(page);
            cursor = next;
        }
        Ok(all)
    }
}

impl Told<'static> {
    pub(super) fn named(reason: &'static str) -> Self {
        Told { reason, change: 0, detail: String::new(), template: None }
    }

    pub(super) fn nothing(reason: Reason) -> Self {
        Self::named(reason.as_str())
    }
}

/// Whether it was added so long ago that whoever did has lost the claim, and never started.
fn is_half_made(one: &Container, clock: Timestamp) -> bool {
    let created = one.created_at.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    let age = created.and_then(|created| Duration::try_from(clock.duration_since(created)).ok());
    one.state == EngineState::Created && one.labels.contains_key(SCALED_LABEL) && age.is_some_and(|age| age > 2 * HOLD)
}

pub(super) fn seen(plan: &ScalePlan) -> Seen {
    let out = plan.unhealthy + plan.cordoned + plan.leaving;
    Seen {
        at_ms: plan.now_ms,
        live: plan.leases + plan.offers,
        queued: plan.queued,
        usable: plan.containers.saturating_sub(out),
        all: plan.containers,
    }
}

/// In a line, and not too long for an event.
pub(super) fn short(error: &impl fmt::Display) -> String {
    error.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_was_added_and_not_started_for_long_is_half_made() {
        let half_made = |state: &str, labels: serde_json::Value, age: i64| {
            let one = json!({
                "id": "one", "name": "one", "target_type": "wine", "provider": "docker", "state": state, "labels": labels,
                "pool_state": "initializing", "cordoned": false, "ip_address": null, "ports": {}, "endpoints": {},
                "allocated_to": null, "allocated_at": null, "created_at": "2026-11-25T12:00:00Z", "fencing_token": null,
                "health": {"status": "unknown", "engine": "none", "probe": null, "reason": null},
            });
            let created: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
            is_half_made(&serde_json::from_value(one).unwrap(), created + jiff::SignedDuration::from_secs(age))
        };
        let added = || json!({SCALED_LABEL: "wine-1"});
        assert!(half_made("created", added(), 91));
        assert!(!half_made("created", added(), 90), "whoever makes it may be at it");
        assert!(!half_made("running", added(), 91));
        assert!(!half_made("created", json!({}), 91), "somebody else's");
    }
}
