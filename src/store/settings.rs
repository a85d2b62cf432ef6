//! What an operator changed of a type at run time. Every replica follows it, and remembers it: settings and cordons outlive
//! a loss of Redis as long as one replica does.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use arc_swap::ArcSwap;

use super::{
    Store, StoreError, Way,
    operator::told,
    scripts,
    sessions::{bytes, flag, millis},
};
use crate::{
    config::{Config, InForce, Limits},
    model::{Changes, Setting, TargetType},
};

/// Most settings and cordons that are put back in one script.
const RESTORED_AT_ONCE: usize = 100;

/// What is in force for a type, as this replica knows it.
#[derive(Debug)]
pub struct TypeState {
    /// The settings.
    pub in_force: InForce,
    /// Those that were changed.
    pub changes: Changes,
    /// Grows with every change; 0 before the first.
    pub version: u64,
    /// Which containers are cordoned, and by whom.
    cordons: BTreeMap<String, String>,
    /// The arguments that every script of the type begins with, after `check`.
    pub(super) common: [Vec<u8>; 3],
}

/// The state of each type that was seen.
pub(super) struct Settings {
    config: Config,
    by_type: ArcSwap<HashMap<TargetType, Arc<TypeState>>>,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It is in force; here at once.
    Done,
    /// Somebody else changed something meanwhile: it is to be decided anew.
    Meanwhile,
}

impl Settings {
    pub(super) fn new(config: &Config) -> Self {
        Self { config: config.clone(), by_type: ArcSwap::default() }
    }

    fn of(&self, target_type: &TargetType) -> Arc<TypeState> {
        if let Some(known) = self.by_type.load().get(target_type) {
            return known.clone();
        }
        let first = self.state(target_type, Changes::new(), 0, BTreeMap::new());
        self.keep(target_type, first)
    }

    fn state(
        &self,
        target_type: &TargetType,
        changes: Changes,
        version: u64,
        cordons: BTreeMap<String, String>,
    ) -> TypeState {
        let in_force = self.config.in_force(target_type, &changes);
        let Limits { events_kept, ended_kept, confirm, .. } = in_force.limits;
        let common =
            [events_kept.to_string().into_bytes(), millis(ended_kept).into_bytes(), millis(confirm).into_bytes()];
        TypeState { in_force, changes, version, cordons, common }
    }

    /// Keeps a state, unless a newer one is known.
    fn keep(&self, target_type: &TargetType, state: TypeState) -> Arc<TypeState> {
        let state = Arc::new(state);
        self.by_type.rcu(|known| {
            let mut known = HashMap::clone(known);
            let newest = known.entry(target_type.clone()).or_insert_with(|| state.clone());
            if newest.version < state.version {
                *newest = state.clone();
            }
            known
        });
        self.by_type.load().get(target_type).cloned().unwrap_or(state)
    }
}

impl Store {
    /// What is in force for a type, as this replica knows it: at most half a second old where it runs.
    #[must_use]
    pub fn type_state(&self, target_type: &TargetType) -> Arc<TypeState> {
        self.shared.settings.of(target_type)
    }

    /// Learns what was changed of a type since the last look; puts back what Redis lost. Says whether something is new.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn follow_settings(&self, target_type: &TargetType) -> Result<bool, StoreError> {
        let known = self.type_state(target_type);
        let version = known.version.to_string();
        let mut reply = self.run(Way::Slow, &scripts::SETTINGS, target_type, &[version.as_bytes()]).await?;
        match reply.code.as_str() {
            "same" => Ok(false),
            "behind" => self.restore(target_type, &known).await.map(|()| false),
            "ok" => {
                let version = reply.values.number()?;
                let settings = pairs(reply.values.texts()?);
                let cordons = pairs(reply.values.texts()?).collect();
                // What a newer version of the program knows is passed over, as is the version itself.
                let changes =
                    settings.filter_map(|(name, value)| Some((Setting::from_word(&name)?, value.parse().ok()?)));
                let settings = &self.shared.settings;
                let new = settings.keep(target_type, settings.state(target_type, changes.collect(), version, cordons));
                Ok(new.changes != known.changes)
            }
            _ => Err(reply.unexpected()),
        }
    }

    /// Changes settings of a type, as decided on what this replica knows (none: as configured).
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn change_settings(
        &self,
        target_type: &TargetType,
        by: &str,
        decided_on: u64,
        changes: &[(Setting, Option<u64>)],
    ) -> Result<Changed, StoreError> {
        let mut args = vec![decided_on.to_string(), told(by)];
        for (setting, value) in changes {
            args.push(setting.as_str().to_owned());
            args.push(value.map(|value| value.to_string()).unwrap_or_default());
        }
        let reply = self.run(Way::Slow, &scripts::CHANGE_SETTINGS, target_type, &bytes(&args)).await?;
        let outcome = match reply.code.as_str() {
            "ok" => Changed::Done,
            "changed" => Changed::Meanwhile,
            _ => return Err(reply.unexpected()),
        };
        self.follow_settings(target_type).await?;
        Ok(outcome)
    }

    /// Puts back what this replica knows and Redis does not.
    async fn restore(&self, target_type: &TargetType, known: &TypeState) -> Result<(), StoreError> {
        let settings = known
            .changes
            .iter()
            .map(|(setting, value)| ["setting".to_owned(), setting.as_str().to_owned(), value.to_string()]);
        let cordons = known.cordons.iter().map(|(id, by)| ["cordon".to_owned(), id.clone(), by.clone()]);
        let all: Vec<_> = settings.chain(cordons).collect();
        // Also where all was taken back, the version is to grow again.
        let none = all.is_empty().then_some(&[][..]);
        let chunks: Vec<_> = all.chunks(RESTORED_AT_ONCE).chain(none).collect();
        for (at, chunk) in chunks.iter().enumerate() {
            let mut args = vec![known.version.to_string(), flag(at + 1 == chunks.len())];
            args.extend(chunk.iter().flatten().cloned());
            let reply = self.run(Way::Slow, &scripts::RESTORE_SETTINGS, target_type, &bytes(&args)).await?;
            match reply.code.as_str() {
                "ok" => {}
                "known" => return Ok(()),
                _ => return Err(reply.unexpected()),
            }
        }
        tracing::warn!(
            %target_type, settings = known.changes.len(), cordons = known.cordons.len(),
            "Redis lost what operators had changed: put back"
        );
        Ok(())
    }
}

fn pairs(flat: Vec<String>) -> impl Iterator<Item = (String, String)> {
    let mut flat = flat.into_iter();
    std::iter::from_fn(move || flat.next().zip(flat.next()))
}
