//! A round about a type whose containers something else makes, as a Deployment does: it is told how many, and chooses itself which
//! ones go. So it is made smaller only while it can choose none that a session has.

use std::{collections::HashSet, sync::Arc};

use futures_util::{StreamExt as _, TryFutureExt as _, stream};
use tokio::time::timeout;

use super::{
    choice::{Look, Stop},
    decide::{Change, Decision, Reason},
    round::{ACT, AT_ONCE, Round, Told, seen, short},
};
use crate::{
    model::{Container, ContainerId, EngineState, PoolState},
    provider::{Member, Progress, Provider, ProviderError, Removes, Workload, WorkloadError, WorkloadOf},
    store::{ScalePlan, StoreError},
};

/// The workload is to have more already, and has not made them.
pub(super) const NOT_THERE_YET: &str = "not_there_yet";

/// So many containers are asked after whose workload it is, where the first ones are gone.
const ASKED_MOST: usize = 3;

/// A round about such a type.
struct Resizing<'a> {
    round: &'a Round<'a>,
    provider: &'a Arc<dyn Provider>,
    plan: &'a ScalePlan,
    containers: &'a [Container],
    decision: &'a Decision,
    look: Look,
}

impl Round<'_> {
    /// The provider by whose workload the type is scaled; none where it makes containers itself.
    pub(super) fn resizer(&self, plan: &ScalePlan, containers: &[Container]) -> Option<Arc<dyn Provider>> {
        let with = |provider: &Arc<dyn Provider>| provider.capabilities().workloads;
        let kept = plan.template.as_deref().and_then(|text| text.split_once(' ')?.0.parse().ok());
        let by = self.like(containers).or(containers.first()).map(|one| one.provider.clone()).or(kept);
        match by {
            Some(name) => self.providers.get(&name).filter(|provider| with(provider)).cloned(),
            // Nothing was ever found of the type: its template alone may be known.
            None if self.settings.template.is_some() => {
                self.providers.values().find(|provider| with(provider)).cloned()
            }
            None => None,
        }
    }

    /// Tells the workload what follows from a decision, and lets those go that were taken out of the pool before.
    pub(super) async fn resize(
        &self,
        provider: &Arc<dyn Provider>,
        plan: &ScalePlan,
        containers: &[Container],
        idle: u64,
        decision: &Decision,
    ) -> Result<Told<'static>, StoreError> {
        if decision.change == Change::None && plan.taken.is_empty() {
            return Ok(Told::nothing(decision.reason));
        }
        let workload = match self.workload(provider, plan, containers).await {
            Ok(workload) => workload,
            Err(error) => return Ok(self.failed(&error, plan, decision)),
        };
        let text = format!("{} {}", provider.name(), workload.name);
        let template = (plan.template.as_ref() != Some(&text)).then_some(text);
        // After the containers were read: what a session has got since is idle there.
        let keeps = self.store.keeps(self.target_type).await?;
        // Redis lost data since: what was taken out of the pool may be in it again.
        let keeps = keeps.filter(|keeps| keeps.epoch == plan.epoch);
        let known = keeps.is_some();
        let look = Look { workload, keeps: keeps.map(|keeps| keeps.all.into_iter().collect()).unwrap_or_default() };
        let resizing = Resizing { round: self, provider, plan, containers, decision, look };
        let told = match decision.change {
            Change::Up(more) => resizing.grow(more).await,
            _ if !known => {
                Told { detail: "which containers sessions have is not known".to_owned(), ..Told::named("recovering") }
            }
            Change::Down(fewer) => resizing.take_away(fewer, idle).await?,
            Change::None => Told::nothing(decision.reason),
        };
        let stop = if known { resizing.let_go().await } else { None };
        Ok(match stop {
            Some(stop) if told.change == 0 && told.reason == decision.reason.as_str() => {
                Told { detail: stop.detail, template, ..Told::named(stop.reason) }
            }
            _ => Told { template, ..told },
        })
    }

    /// The workload that is meant, as it is now: the one that is named, else that of the oldest container; when there is none, the one
    /// that was kept.
    async fn workload(
        &self,
        provider: &Arc<dyn Provider>,
        plan: &ScalePlan,
        containers: &[Container],
    ) -> Result<Workload, WorkloadError> {
        let read = async |of: WorkloadOf<'_>| within(provider.workload(of, self.target_type)).await;
        let alike = self.like(containers);
        if let (Some(name), None) = (&self.settings.template, alike) {
            return read(WorkloadOf::Named(name)).await;
        }
        let ours = |one: &&Container| one.provider == *provider.name() && one.state != EngineState::Terminating;
        let mut asked: Vec<_> = match (&self.settings.template, alike) {
            (Some(_), Some(one)) => vec![one],
            _ => containers.iter().filter(ours).collect(),
        };
        asked.sort_by(|one, other| one.created_at.cmp(&other.created_at));
        for one in asked.into_iter().take(ASKED_MOST) {
            match read(WorkloadOf::Container(&one.id)).await {
                Err(WorkloadError::Provider(ProviderError::Gone)) => {}
                other => return other,
            }
        }
        let kept = plan.template.as_deref().and_then(|text| text.split_once(' '));
        match kept.filter(|(name, _)| *name == provider.name().as_str()) {
            Some((_, name)) => read(WorkloadOf::Named(name)).await,
            None => Err(WorkloadError::None(
                "no container of this type was ever found whose workload could be told".to_owned(),
            )),
        }
    }

    /// What is told of an error; it is logged when it is news.
    fn failed(&self, error: &WorkloadError, plan: &ScalePlan, decision: &Decision) -> Told<'static> {
        let (target_type, reason) = (self.target_type, Stop::word(error));
        if plan.reason.as_deref() != Some(reason) {
            tracing::warn!(%target_type, %error, reason, "the workload is not resized");
        }
        let (why, count) = match decision.change {
            Change::Up(count) | Change::Down(count) => (decision.reason, count),
            Change::None => (Reason::Calm, plan.taken.len() as u64),
        };
        self.metrics.scaled(target_type, "failed", why.as_str(), count);
        Told { detail: short(error), ..Told::named(reason) }
    }
}

impl Resizing<'_> {
    /// Has the workload make more. Those that it is to have already and has not made come first, and those that are leaving are
    /// replaced.
    async fn grow(&self, more: u64) -> Told<'static> {
        let workload = &self.look.workload;
        let more = more - more.min(self.look.leaving().len() as u64);
        if more == 0 {
            return Told::nothing(self.decision.reason);
        }
        // What was found since the plan was made, or is there and not found yet, is of those that are wanted.
        let members: HashSet<_> = workload.members.iter().map(|one| &one.id).collect();
        let found = self.containers.iter().filter(|one| members.contains(&one.id)).count() as u64;
        let since = (self.containers.len() as u64).saturating_sub(self.plan.containers);
        let others = self.containers.len() as u64 - found;
        let wanted = (found + more).saturating_sub(since);
        let replicas = wanted.min(self.round.settings.max.saturating_sub(others));
        if workload.replicas >= replicas && replicas < wanted {
            return Told::nothing(Reason::AtMax);
        }
        if workload.replicas >= replicas {
            let (name, to_have, has) = (&workload.name, workload.replicas, workload.members.len());
            let detail = format!("{name} is to have {to_have} pods, and {has} were made");
            return Told { detail, ..Told::named(NOT_THERE_YET) };
        }
        if self.round.settings.dry_run {
            let detail =
                format!("dry run: {} would be told to have {replicas} instead of {}", workload.name, workload.replicas);
            return Told { detail, ..Told::nothing(self.decision.reason) };
        }
        let added = replicas - workload.replicas;
        match self.tell(replicas).await {
            Ok(()) => {
                self.round.metrics.scaled(self.round.target_type, "up", self.decision.reason.as_str(), added);
                Told { change: i64::try_from(added).unwrap_or(i64::MAX), ..Told::nothing(self.decision.reason) }
            }
            Err(error) => self.round.failed(&error, self.plan, self.decision),
        }
    }

    /// Takes containers out of the pool, in the order in which the workload would remove them, while it would remove them.
    async fn take_away(&self, fewer: u64, idle: u64) -> Result<Told<'static>, StoreError> {
        let (round, reason) = (self.round, self.decision.reason.as_str());
        let fewer = fewer.saturating_sub(self.ending());
        if fewer == 0 {
            return Ok(Told::nothing(Reason::NotCalm));
        }
        if let Some(stop) = self.look.hindrance(reason) {
            return Ok(Told { detail: stop.detail, ..Told::named(stop.reason) });
        }
        let candidates = self.look.candidates();
        if round.settings.dry_run {
            let detail = format!("dry run: up to {fewer} would be taken away from {}", self.look.workload.name);
            return Ok(Told { detail, ..Told::nothing(self.decision.reason) });
        }
        let take = async |most: u64, of: &[&Member]| {
            let ids: Vec<ContainerId> = of.iter().map(|one| one.id.clone()).collect();
            round.store.take_away(round.target_type, round.replica, most, self.decision.wanted, idle, &ids).await
        };
        let mut taken = Vec::new();
        let mut in_use = None;
        match self.look.workload.removes {
            Removes::ByMark { .. } => taken = take(fewer, &candidates).await?,
            Removes::FromTheTop { .. } => {
                for one in candidates.into_iter().take(usize::try_from(fewer).unwrap_or(usize::MAX)) {
                    let gone = take(1, &[one]).await?;
                    if gone.is_empty() {
                        in_use = self.look.is_leased(one).then(|| Stop::in_use(one));
                        break;
                    }
                    taken.extend(gone);
                }
            }
        }
        for id in &taken {
            tracing::info!(target_type = %round.target_type, container_id = %id, reason, "a container is taken away");
        }
        round.metrics.scaled(round.target_type, "down", reason, taken.len() as u64);
        if !taken.is_empty() {
            let change = -i64::try_from(taken.len()).unwrap_or(i64::MAX);
            return Ok(Told { change, ..Told::nothing(self.decision.reason) });
        }
        Ok(match in_use {
            Some(stop) => Told { detail: stop.detail, ..Told::named(stop.reason) },
            // None of them is idle.
            None => Told::nothing(Reason::NotCalm),
        })
    }

    /// Makes the workload smaller by those that are out of the pool, or has them replaced where as many are wanted again. Why not yet,
    /// where they stay.
    async fn let_go(&self) -> Option<Stop> {
        let (round, look) = (self.round, &self.look);
        let leaving = look.leaving();
        let strays = self.strays();
        if (leaving.is_empty() && strays.is_empty()) || round.settings.dry_run {
            return None;
        }
        let usable = seen(self.plan).usable.saturating_sub(self.ending());
        let replaced = match self.decision.change {
            Change::Up(more) => more,
            Change::None if self.decision.reason == Reason::AtMax => self.decision.wanted.saturating_sub(usable),
            _ => 0,
        };
        // The last ones are those that would go last.
        let replaced = leaving.len() - leaving.len().min(usize::try_from(replaced).unwrap_or(usize::MAX));
        let replaced: Vec<_> = leaving[replaced..].iter().map(|one| &one.id).chain(strays).collect();
        if !replaced.is_empty() {
            self.replace(&replaced).await;
            return None;
        }
        if self.decision.wanted > usable {
            return None;
        }
        if let Some(stop) = look.delay(self.decision.reason.as_str()) {
            return Some(stop);
        }
        let replicas = look.workload.within_reach.saturating_sub(look.ready_to_go() as u64);
        match self.tell(replicas).await {
            Ok(()) => None,
            Err(error) => {
                let told = round.failed(&error, self.plan, self.decision);
                Some(Stop::new(Stop::word(&error), told.detail))
            }
        }
    }

    async fn tell(&self, replicas: u64) -> Result<(), WorkloadError> {
        let workload = &self.look.workload;
        within(self.provider.resize(workload, replicas)).await?;
        let (target_type, before) = (self.round.target_type, workload.replicas);
        tracing::info!(%target_type, workload = workload.name, replicas, before, "the workload is resized");
        Ok(())
    }

    /// Has others put in their places. What fails is tried again in the next round.
    async fn replace(&self, ids: &[&ContainerId]) {
        let target_type = self.round.target_type;
        stream::iter(ids)
            .for_each_concurrent(AT_ONCE, async |id| match within(self.provider.discard(id, ACT).map_err(Into::into)).await {
                Ok(()) => tracing::info!(%target_type, container_id = %id, "what was taken away is replaced"),
                Err(error) => {
                    tracing::warn!(%target_type, container_id = %id, %error, "what was taken away could not be replaced yet");
                }
            })
            .await;
    }

    /// Those that were taken out of the pool while another workload was meant: it never lets them go.
    fn strays(&self) -> Vec<&ContainerId> {
        let settled = self.look.workload.progress == Progress::Settled;
        let members: HashSet<_> = self.look.workload.members.iter().map(|one| &one.id).collect();
        let stays = |one: &&Container| {
            settled
                && one.provider == *self.provider.name()
                && one.state != EngineState::Terminating
                && self.plan.taken.contains(&one.id)
                && !members.contains(&one.id)
        };
        self.containers.iter().filter(stays).map(|one| &one.id).collect()
    }

    /// Those that count as usable and are ending: what takes their places counts as well.
    fn ending(&self) -> u64 {
        let ending = |one: &&Container| {
            one.state == EngineState::Terminating
                && matches!(one.pool_state, PoolState::Allocated | PoolState::Resetting)
                && !self.plan.taken.contains(&one.id)
        };
        self.containers.iter().filter(ending).count() as u64
    }
}

/// The answer of a provider, in the time that a round has.
async fn within<T>(call: impl Future<Output = Result<T, WorkloadError>>) -> Result<T, WorkloadError> {
    let late = || ProviderError::Refused(format!("no answer within {ACT:?}"));
    timeout(ACT, call).await.unwrap_or_else(|_| Err(late().into()))
}
