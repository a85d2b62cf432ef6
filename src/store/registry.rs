//! The registry: containers and what is known about them. Used by discovery and health; not by the hot path.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::{
    Store, StoreError, Way,
    reply::{Record, Reply},
    scripts::{self, Script},
    sessions::{bytes, flag, millis},
    view,
};
use crate::{
    config::QuarantineConfig,
    model::{Container, ContainerId, Observation, ProviderName, TargetType},
};

/// Containers that are looked at in one script to find a provider's: half a millisecond of Redis.
const PAGE: usize = 250;

/// Who holds a provider's lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderLock {
    /// This replica does, in this generation. A generation is used up when the holder changes: it only grows.
    Held {
        /// The generation to give with every observation.
        generation: u64,
    },
    /// Another replica does.
    Busy {
        /// Its replica id.
        holder: String,
    },
}

/// Where an observation stands in the order of all observations of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservationMark {
    /// The provider that observed.
    pub provider: ProviderName,
    /// From [`ProviderLock::Held`].
    pub generation: u64,
    /// Grows with every call by the same holder (a retry of a call repeats its number), and across the whole snapshot.
    pub sequence: u64,
}

/// What became of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// It was taken; so many containers were added, changed or removed.
    Taken {
        /// How many.
        changed: u64,
    },
    /// A newer generation or a later observation came before: nothing was changed.
    Stale,
}

/// What became of an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announced {
    /// The type knows of the generation; and the latest loss of Redis, if there ever was one.
    Known(Option<Loss>),
    /// A newer generation, or a later observation, came before.
    Stale,
}

/// The latest loss of Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// The epoch that began with it.
    pub epoch: u64,
    /// Whether the recovery from it is over.
    pub over: bool,
    /// How long ago it was found, at least: in pool time, which stands still in outages and does not follow a clock that is set.
    pub ago: Duration,
}

/// A container as discovery stores it.
#[derive(Debug, Clone)]
pub struct Discovered {
    /// What the provider saw.
    pub observation: Observation,
    /// Whether health probes it; without a probe the engine's word is enough to give it out.
    pub probed: bool,
    /// Whether it is made clean after a session.
    pub resets: bool,
    /// Whether that cuts off whoever still uses it: its holder may be one that Redis lost.
    pub cuts_off: bool,
    /// The epoch that began with the latest loss, if it was surely started after that was found: then nobody can hold it.
    pub after_loss: Option<u64>,
    /// How old its last good probe may be when it is given out; none: any age.
    pub fresh_within: Option<Duration>,
    /// When it goes into quarantine; none: never.
    pub quarantine: Option<QuarantineConfig>,
}

/// What is known of a provider, for status, readiness and metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderStatus {
    /// Its name.
    pub name: ProviderName,
    /// The replica that discovers for it; none when nobody does now.
    pub holder: Option<String>,
    /// The present generation.
    pub generation: u64,
    /// Since the last full look that succeeded; none before the first.
    pub age: Option<Duration>,
    /// The last error, if the last look failed.
    pub error: Option<String>,
}

/// One probe to make.
#[derive(Debug, Clone)]
pub struct ProbeTask {
    /// The container.
    pub id: ContainerId,
    /// Its era when the probe was claimed: a report from an older one is dropped.
    pub era: u64,
    /// When it was claimed, by Redis's clock in ms.
    pub claimed: u64,
    /// Where to dial.
    pub about: crate::model::About,
}

/// What a probe found.
#[derive(Debug, Clone)]
pub struct ProbeReport {
    /// The container.
    pub id: ContainerId,
    /// From the task.
    pub era: u64,
    /// From the task. What is later than now counts as now.
    pub claimed: u64,
    /// None when it was good; else why not, in at most 200 characters.
    pub failure: Option<String>,
    /// Good ones in a row that make it healthy.
    pub rise: u32,
    /// Bad ones in a row that make it unhealthy.
    pub fall: u32,
}

impl Store {
    /// Takes or renews the lock of a provider for `ttl`. A generation that begins is above `above`.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn lock_provider(
        &self,
        provider: &ProviderName,
        replica: &str,
        ttl: Duration,
        above: u64,
    ) -> Result<ProviderLock, StoreError> {
        let key = self.shared.keys.provider(provider);
        let args = [replica.to_owned(), millis(ttl), above.to_string()];
        let mut reply = self.run_at(Way::Slow, &scripts::LOCK_PROVIDER, &key, &bytes(&args)).await?;
        match reply.code.as_str() {
            "held" => Ok(ProviderLock::Held { generation: reply.values.number()? }),
            "busy" => Ok(ProviderLock::Busy { holder: reply.values.text()? }),
            _ => Err(reply.unexpected()),
        }
    }

    /// The newest generation of a provider that any type knows. It may be above the lock's own when that was lost.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn newest_generation(&self, provider: &ProviderName) -> Result<u64, StoreError> {
        let mut newest = 0;
        for target_type in self.types().await? {
            let mut command = redis::cmd("HGET");
            command.arg(self.shared.keys.observers(&target_type)).arg(format!("{provider}:generation"));
            newest = newest.max(self.command::<Option<u64>>(&command).await?.unwrap_or_default());
        }
        Ok(newest)
    }

    /// Gives the lock back, if this replica holds it.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn unlock_provider(&self, provider: &ProviderName, replica: &str) -> Result<(), StoreError> {
        let key = self.shared.keys.provider(provider);
        self.run_at(Way::Slow, &scripts::UNLOCK_PROVIDER, &key, &[replica.as_bytes()]).await.map(|_| ())
    }

    /// Records how a full look went: `None` for success, else the error in words. `asked` is what
    /// [`Store::looks_asked`] said before the look began.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn record_look(&self, mark: &ObservationMark, asked: u64, error: Option<&str>) -> Result<(), StoreError> {
        let key = self.shared.keys.provider(&mark.provider);
        let args = [mark.generation.to_string(), asked.to_string(), error.unwrap_or_default().to_owned()];
        self.run_at(Way::Slow, &scripts::RECORD_LOOK, &key, &bytes(&args)).await.map(|_| ())
    }

    /// The state of one provider.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn provider_status(&self, provider: &ProviderName) -> Result<ProviderStatus, StoreError> {
        self.provider_record(provider).await.map(|record| record.status)
    }

    /// How often a full look was asked for: the discoverer looks when this has grown since its last look began.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn looks_asked(&self, provider: &ProviderName) -> Result<u64, StoreError> {
        self.provider_record(provider).await.map(|record| record.asked)
    }

    /// Asks whoever discovers this provider for a full look now, and waits at most `patience` until one that began
    /// after the call has been recorded. Says whether one was.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn ask_for_look(&self, provider: &ProviderName, patience: Duration) -> Result<bool, StoreError> {
        let deadline = tokio::time::Instant::now() + patience;
        let mut command = redis::cmd("HINCRBY");
        command.arg(self.shared.keys.provider(provider)).arg("asked").arg(1);
        let asked: u64 = self.command(&command).await?;
        while self.provider_record(provider).await?.answered < asked {
            if tokio::time::Instant::now() >= deadline {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(true)
    }

    async fn provider_record(&self, provider: &ProviderName) -> Result<ProviderRecord, StoreError> {
        let key = self.shared.keys.provider(provider);
        let mut reply = self.run_at(Way::Hot, &scripts::PROVIDER_STATUS, &key, &[]).await?;
        if reply.code != "ok" {
            return Err(reply.unexpected());
        }
        let values = &mut reply.values;
        let holder = values.text()?;
        let status = ProviderStatus {
            name: provider.clone(),
            holder: (!holder.is_empty()).then_some(holder),
            generation: values.number()?,
            age: values.optional_number()?.map(Duration::from_millis),
            error: values.optional_text()?,
        };
        Ok(ProviderRecord { status, asked: values.number()?, answered: values.number()? })
    }

    /// Tells a type of a new generation before it is used, so that an older holder can change nothing more.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn announce(&self, target_type: &TargetType, mark: &ObservationMark) -> Result<Announced, StoreError> {
        let Some(mut reply) = self.in_order(&scripts::ANNOUNCE, target_type, mark, &[]).await? else {
            return Ok(Announced::Stale);
        };
        let (epoch, token) = (reply.values.number()?, reply.values.number()?);
        self.shared.journal.saw(target_type, epoch, token);
        let ago = reply.values.optional_number()?.map(Duration::from_millis);
        let (lost, recovering) = (reply.values.optional_number()?, reply.values.number()?);
        Ok(Announced::Known(ago.zip(lost).map(|(ago, epoch)| Loss { epoch, over: recovering == 0, ago })))
    }

    /// Adds or changes containers of one type (any number; they are sent in chunks of at most 100).
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn observe(
        &self,
        target_type: &TargetType,
        mark: &ObservationMark,
        containers: &[Discovered],
    ) -> Result<Observed, StoreError> {
        let mut changed = 0;
        for chunk in containers.chunks(100) {
            let mut args = Vec::with_capacity(12 * chunk.len());
            for Discovered { observation, probed, resets, cuts_off, after_loss, fresh_within, quarantine } in chunk {
                let about = serde_json::to_string(&observation.about).map_err(|error| StoreError::Protocol {
                    script: scripts::OBSERVE.name,
                    answer: format!("a description that is not JSON: {error}"),
                })?;
                args.extend([
                    observation.id.to_string(),
                    observation.incarnation.clone(),
                    word(observation.state),
                    word(observation.health),
                    flag(*probed),
                    if *resets { "reset" } else { "none" }.to_owned(),
                    about,
                    fresh_within.map(millis).unwrap_or_default(),
                    place(&mark.provider, observation),
                    quarantine.as_ref().map(rules).unwrap_or_default(),
                    flag(*cuts_off),
                    after_loss.map(|epoch| epoch.to_string()).unwrap_or_default(),
                ]);
            }
            match self.observation(&scripts::OBSERVE, target_type, mark, &bytes(&args)).await? {
                Observed::Taken { changed: more } => changed += more,
                Observed::Stale => return Ok(Observed::Stale),
            }
        }
        Ok(Observed::Taken { changed })
    }

    /// Removes containers of one type (any number). The session of one that has one ends as `container_lost`.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn remove(
        &self,
        target_type: &TargetType,
        mark: &ObservationMark,
        ids: &[ContainerId],
    ) -> Result<Observed, StoreError> {
        let mut changed = 0;
        for chunk in ids.chunks(100) {
            let ids: Vec<_> = chunk.iter().map(|id| id.as_str().as_bytes()).collect();
            match self.observation(&scripts::REMOVE, target_type, mark, &ids).await? {
                Observed::Taken { changed: more } => changed += more,
                Observed::Stale => return Ok(Observed::Stale),
            }
        }
        Ok(Observed::Taken { changed })
    }

    async fn observation(
        &self,
        script: &'static Script,
        target_type: &TargetType,
        mark: &ObservationMark,
        own: &[&[u8]],
    ) -> Result<Observed, StoreError> {
        match self.in_order(script, target_type, mark, own).await? {
            Some(mut reply) => Ok(Observed::Taken { changed: reply.values.number()? }),
            None => Ok(Observed::Stale),
        }
    }

    /// The answer of a script that checks the order; none when the call is not in it.
    async fn in_order(
        &self,
        script: &'static Script,
        target_type: &TargetType,
        mark: &ObservationMark,
        own: &[&[u8]],
    ) -> Result<Option<Reply>, StoreError> {
        let (generation, sequence) = (mark.generation.to_string(), mark.sequence.to_string());
        let mut args = vec![mark.provider.as_str().as_bytes(), generation.as_bytes(), sequence.as_bytes()];
        args.extend_from_slice(own);
        let reply = self.run(Way::Slow, script, target_type, &args).await?;
        match reply.code.as_str() {
            "ok" => Ok(Some(reply)),
            "stale" => Ok(None),
            _ => Err(reply.unexpected()),
        }
    }

    /// The ids of the provider's containers of one type.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn ids_of(
        &self,
        target_type: &TargetType,
        provider: &ProviderName,
    ) -> Result<Vec<ContainerId>, StoreError> {
        let mut ids = Vec::new();
        let mut after = String::new();
        loop {
            let args = [provider.to_string(), after, PAGE.to_string()];
            let mut reply = self.run(Way::Slow, &scripts::REGISTERED, target_type, &bytes(&args)).await?;
            if reply.code != "ok" {
                return Err(reply.unexpected());
            }
            for mut row in reply.values.rows()? {
                let id = row.text()?;
                ids.push(id.parse().map_err(|_| row.wrong_word("a container id", &id))?);
            }
            after = reply.values.text()?;
            if after.is_empty() {
                return Ok(ids);
            }
        }
    }

    /// Claims up to `most` probes (at most 100) that are due; each is due again after `interval` (give or take a
    /// tenth), whoever claims it then, so that no container is probed by two at once.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn claim_probes(
        &self,
        target_type: &TargetType,
        most: usize,
        interval: Duration,
    ) -> Result<Vec<ProbeTask>, StoreError> {
        let args = [most.min(100).to_string(), millis(interval)];
        let mut reply = self.run(Way::Slow, &scripts::CLAIM_PROBES, target_type, &bytes(&args)).await?;
        if reply.code != "ok" {
            return Err(reply.unexpected());
        }
        let mut tasks = Vec::new();
        for mut row in reply.values.rows()? {
            let (id, era, about, claimed) = (row.text()?, row.number()?, row.text()?, row.number()?);
            let id = id.parse().map_err(|_| row.wrong_word("a container id", &id))?;
            let about = serde_json::from_str(&about).map_err(|_| row.wrong_word("a description", &about))?;
            tasks.push(ProbeTask { id, era, claimed, about });
        }
        Ok(tasks)
    }

    /// Reports what probes found (at most 100). The thresholds are those of the first.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn report_probes(&self, target_type: &TargetType, reports: &[ProbeReport]) -> Result<(), StoreError> {
        let Some(first) = reports.first() else { return Ok(()) };
        let mut args = vec![first.rise.to_string(), first.fall.to_string()];
        for report in reports {
            // Longer values would make the container's record four times as large in Redis.
            let failure = report.failure.as_deref().map(|why| shortened(why, 60)).unwrap_or_default();
            let failure = failure.replace(char::is_control, " ");
            args.extend([report.id.to_string(), report.era.to_string(), failure, report.claimed.to_string()]);
        }
        self.run(Way::Slow, &scripts::REPORT_PROBES, target_type, &bytes(&args)).await.map(|_| ())
    }

    /// One page (of at most 100) of containers of one type. `cursor` is empty for the first page and the returned one for the next;
    /// the returned one is `None` after the last.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn containers(
        &self,
        target_type: &TargetType,
        available_only: bool,
        cursor: &str,
        most: usize,
    ) -> Result<(Vec<Container>, Option<String>), StoreError> {
        let args = [flag(available_only), cursor.to_owned(), most.min(100).to_string()];
        let mut reply = self.run(Way::Slow, &scripts::CONTAINERS, target_type, &bytes(&args)).await?;
        if reply.code != "ok" {
            return Err(reply.unexpected());
        }
        let mut containers = Vec::new();
        for text in reply.values.texts()? {
            containers.push(view::container(&mut Record::read(reply.script(), &text), target_type)?);
        }
        let next = reply.values.text()?;
        Ok((containers, (!next.is_empty()).then_some(next)))
    }

    /// One container.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn container(&self, target_type: &TargetType, id: &ContainerId) -> Result<Option<Container>, StoreError> {
        self.container_by(&scripts::CONTAINER, target_type, &[id.as_str().as_bytes()]).await
    }

    /// Settles a container from the facts in its record, as every script does with what it changed. For repair, and
    /// for tests that write facts by hand.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn settle(&self, target_type: &TargetType, id: &ContainerId) -> Result<Option<Container>, StoreError> {
        self.container_by(&scripts::SETTLE, target_type, &[id.as_str().as_bytes()]).await
    }

    /// The container that a script answers; none when it says that there is no such one.
    pub(super) async fn container_by(
        &self,
        script: &'static Script,
        target_type: &TargetType,
        own: &[&[u8]],
    ) -> Result<Option<Container>, StoreError> {
        let mut reply = self.run(Way::Slow, script, target_type, own).await?;
        match reply.code.as_str() {
            "ok" => {
                let text = reply.values.text()?;
                view::container(&mut Record::read(reply.script(), &text), target_type).map(Some)
            }
            "not_found" => Ok(None),
            _ => Err(reply.unexpected()),
        }
    }
}

/// A provider's record with the counters behind [`Store::ask_for_look`].
struct ProviderRecord {
    status: ProviderStatus,
    asked: u64,
    answered: u64,
}

/// Where the strikes of a container are kept: by its provider's name for it, which another container may take over.
fn place(provider: &ProviderName, observation: &Observation) -> String {
    let name = &observation.about.name;
    let name = if name.is_empty() { observation.id.as_str() } else { name };
    let digest = Sha256::digest(format!("{provider}/{name}"));
    let number = digest.iter().take(8).fold(0, |all: u64, byte| all << 8 | u64::from(*byte));
    format!("{number:016x}")
}

/// As `rest_rules` reads it.
fn rules(quarantine: &QuarantineConfig) -> String {
    let QuarantineConfig { strikes, window, first, longest, share } = quarantine;
    let thousandths = (share * 1000.0).round();
    format!("{strikes}:{}:{}:{}:{thousandths:.0}", millis(*window), millis(*first), millis(*longest))
}

/// The word that serde spells.
fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// At most `most` bytes, whole characters.
pub(super) fn shortened(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}
