//! Writes what a provider showed, in an order that the scripts check: every call has a number greater than the last.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::{Interruption, Sight};
use crate::{
    config::{Config, ProbeKind, ResetKind},
    model::{ContainerId, Observation, ProviderName, TargetType},
    provider::Provider,
    store::{Announced, Discovered, ObservationMark, Observed, Store},
};

/// Writes for one provider, in one generation.
pub(super) struct Writer {
    store: Store,
    config: Arc<Config>,
    provider: ProviderName,
    /// The reset that the provider makes when none is chosen.
    auto_reset: ResetKind,
    generation: u64,
    sequence: u64,
    open: bool,
    /// Types that were written to, and so made known.
    known: BTreeSet<TargetType>,
    /// The type that each container is stored under, with the number of the sight that last said so.
    stored: HashMap<ContainerId, (TargetType, u64)>,
}

impl Writer {
    pub(super) fn new(store: Store, config: Arc<Config>, provider: &dyn Provider, generation: u64) -> Self {
        Self {
            store,
            config,
            provider: provider.name().clone(),
            auto_reset: provider.capabilities().auto_reset(),
            generation,
            sequence: 0,
            open: false,
            known: BTreeSet::new(),
            stored: HashMap::new(),
        }
    }

    /// Tells every known type of the generation, so that an older one can write no more, and learns what is stored.
    pub(super) async fn open(&mut self) -> Result<(), Interruption> {
        if self.open {
            return Ok(());
        }
        for target_type in self.store.types().await? {
            let mark = self.next();
            if self.store.announce(&target_type, &mark).await? == Announced::Stale {
                return Err(Interruption::Stale);
            }
            for id in self.store.ids_of(&target_type, &self.provider).await? {
                self.stored.insert(id, (target_type.clone(), mark.sequence));
            }
        }
        self.open = true;
        Ok(())
    }

    /// Before the provider is asked what there is. Every type hears of the generation again, for it may have been forgotten with
    /// Redis's data, and says whether it recovers.
    pub(super) async fn begin(&mut self) -> Result<Sight, Interruption> {
        let mark = self.next();
        let mut losses = BTreeMap::new();
        for target_type in self.store.types().await? {
            match self.store.announce(&target_type, &mark).await? {
                Announced::Known(loss) => losses.extend(loss.map(|loss| (target_type, loss))),
                Announced::Stale => return Err(Interruption::Stale),
            }
        }
        Ok(Sight { number: mark.sequence, losses, clock: None })
    }

    /// The place of the last call in the order.
    pub(super) fn mark(&self) -> ObservationMark {
        ObservationMark { provider: self.provider.clone(), generation: self.generation, sequence: self.sequence }
    }

    /// Whether the provider's clock says something of what was seen: in a recovery of everything, after it of what is new.
    pub(super) fn wants_clock(&self, sight: &Sight, seen: &[Observation]) -> bool {
        seen.iter().any(|observation| {
            let loss = sight.losses.get(&observation.target_type);
            loss.is_some_and(|loss| !loss.over || !self.stored.contains_key(&observation.id))
        })
    }

    /// Adds or changes containers. One whose type is another now is first removed from
    /// where it was: no container is ever in two types.
    pub(super) async fn observe(&mut self, sight: &Sight, seen: Vec<Observation>) -> Result<(), Interruption> {
        let mut by_type: BTreeMap<TargetType, Vec<Discovered>> = BTreeMap::new();
        for observation in seen {
            let target_type = &observation.target_type;
            if self.stored.get(&observation.id).is_some_and(|(stored, _)| stored != target_type) {
                self.remove(&observation.id).await?;
            }
            let state = self.store.type_state(target_type);
            let probe = &state.in_force.probe;
            let kind = probe.effective_kind(&observation.about);
            let reset = self.config.reset_of(target_type);
            let discovered = Discovered {
                probed: kind != ProbeKind::None,
                resets: reset.wanted(self.auto_reset),
                cuts_off: reset.cuts_off(self.auto_reset),
                fresh_within: probe.fresh_bound(),
                quarantine: Some(self.config.quarantine.clone()),
                after_loss: sight.after_loss(&observation, self.config.recovery.lag),
                observation,
            };
            by_type.entry(discovered.observation.target_type.clone()).or_default().push(discovered);
        }
        self.make_known(by_type.keys()).await?;
        for (target_type, containers) in by_type {
            let mark = self.next();
            in_order(self.store.observe(&target_type, &mark, &containers).await?)?;
            let ids = containers.into_iter().map(|container| container.observation.id);
            self.stored.extend(ids.map(|id| (id, (target_type.clone(), sight.number))));
        }
        Ok(())
    }

    /// Removes a container, if it is stored.
    pub(super) async fn remove(&mut self, id: &ContainerId) -> Result<(), Interruption> {
        if let Some((target_type, _)) = self.stored.get(id).cloned() {
            let mark = self.next();
            in_order(self.store.remove(&target_type, &mark, std::slice::from_ref(id)).await?)?;
            self.stored.remove(id);
        }
        Ok(())
    }

    /// Ends a full look: removes what it did not see, of every known type. What there is, Redis is asked: a failover may have
    /// brought back what was removed before it.
    pub(super) async fn sweep(&mut self, look: &Sight) -> Result<(), Interruption> {
        for target_type in self.store.types().await? {
            let mut gone = self.store.ids_of(&target_type, &self.provider).await?;
            gone.retain(|id| {
                self.stored.get(id).is_none_or(|(stored, number)| *stored != target_type || *number < look.number)
            });
            let mark = self.next();
            in_order(self.store.remove(&target_type, &mark, &gone).await?)?;
        }
        self.stored.retain(|_, (_, number)| *number >= look.number);
        Ok(())
    }

    async fn make_known(&mut self, types: impl Iterator<Item = &TargetType>) -> Result<(), Interruption> {
        let new: Vec<_> = types.filter(|target_type| !self.known.contains(target_type)).cloned().collect();
        self.store.add_types(&new).await?;
        self.known.extend(new);
        Ok(())
    }

    fn next(&mut self) -> ObservationMark {
        self.sequence += 1;
        self.mark()
    }
}

fn in_order(observed: Observed) -> Result<(), Interruption> {
    match observed {
        Observed::Taken { .. } => Ok(()),
        Observed::Stale => Err(Interruption::Stale),
    }
}
