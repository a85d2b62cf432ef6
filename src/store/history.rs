//! A type's history: its counts by the hour, what is unfinished in them, and the claim that lets one replica keep it at a time.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::{
    Store, StoreError, Way,
    reply::Reply,
    scripts,
    sessions::{bytes, flag, millis},
};
use crate::model::{HourCounts, PastSession, Position, TargetType};

/// How many sessions are remembered one by one: a quarter of a megabyte of Redis.
const SESSIONS_KEPT: u64 = 10_000;
/// So many of them on a page.
const SESSIONS_PAGE: u64 = 1_000;
/// About so much on a page of what is unfinished.
const PAGE: usize = 100;

/// What some events add to a history.
#[derive(Debug, Default, PartialEq)]
pub struct HistoryChanges {
    /// Hours since 1970 with all that happened in them; none for one that is forgotten.
    pub hours: BTreeMap<u64, Option<HourCounts>>,
    /// What is unfinished, by field; none for what is no more.
    pub unfinished: BTreeMap<String, Option<String>>,
    /// When sessions that ended were made, and how long they had their container (ms).
    pub sessions: Vec<(u64, u64)>,
}

/// A history as it is read.
#[derive(Debug)]
pub struct HistoryRead {
    /// When, by Redis's clock.
    pub at: Timestamp,
    /// What happened in each hour since 1970.
    pub hours: BTreeMap<u64, HourCounts>,
    /// Sessions that are over, by their end.
    pub sessions: Vec<PastSession>,
}

impl Store {
    /// Claims a type's history for `hold`, or goes on with it: the last event that is in it; none when another replica has it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn claim_history(
        &self,
        target_type: &TargetType,
        replica: &str,
        hold: Duration,
    ) -> Result<Option<Position>, StoreError> {
        let args = [replica.to_owned(), millis(hold)];
        let mut reply = self.run(Way::Slow, &scripts::CLAIM_HISTORY, target_type, &bytes(&args)).await?;
        match reply.code.as_str() {
            "claimed" => Ok(Some(Position { epoch: reply.values.number()?, sequence: reply.values.number()? })),
            "busy" => Ok(None),
            _ => Err(reply.unexpected()),
        }
    }

    /// Gives the claim back, if this replica has it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn unclaim_history(&self, target_type: &TargetType, replica: &str) -> Result<(), StoreError> {
        self.claim_history(target_type, replica, Duration::ZERO).await.map(drop)
    }

    /// Adds what the events after `from` up to `to` amount to. False, and nothing is added, when another replica has the claim
    /// or these events are in the history already.
    ///
    /// # Errors
    /// See [`StoreError`]; it may have been added all the same.
    pub async fn record_history(
        &self,
        target_type: &TargetType,
        replica: &str,
        from: Position,
        to: Position,
        changes: &HistoryChanges,
    ) -> Result<bool, StoreError> {
        let mut args = vec![
            replica.to_owned(),
            from.epoch.to_string(),
            from.sequence.to_string(),
            to.epoch.to_string(),
            to.sequence.to_string(),
            SESSIONS_KEPT.to_string(),
            changes.hours.len().to_string(),
            changes.unfinished.len().to_string(),
        ];
        for (hour, counts) in &changes.hours {
            let text = counts.as_ref().map(|counts| serde_json::to_string(counts).unwrap_or_default());
            args.extend([hour.to_string(), text.unwrap_or_default()]);
        }
        for (field, value) in &changes.unfinished {
            args.extend([field.clone(), value.clone().unwrap_or_default()]);
        }
        args.extend(changes.sessions.iter().map(|(arrived, held)| format!("{arrived} {held}")));
        let reply = self.run(Way::Slow, &scripts::RECORD_HISTORY, target_type, &bytes(&args)).await?;
        match reply.code.as_str() {
            "ok" => Ok(true),
            "lost" => Ok(false),
            _ => Err(reply.unexpected()),
        }
    }

    /// What is unfinished in a history, by field. With `living` all is forgotten first but the live sessions.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn history_unfinished(
        &self,
        target_type: &TargetType,
        living: bool,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let (mut all, mut cursor) = (BTreeMap::new(), "0".to_owned());
        loop {
            let args = [cursor, PAGE.to_string(), flag(living)];
            let mut reply = self.run(Way::Slow, &scripts::HISTORY_OPEN, target_type, &bytes(&args)).await?;
            if reply.code != "ok" {
                return Err(reply.unexpected());
            }
            cursor = reply.values.text()?;
            for mut row in reply.values.rows()? {
                all.insert(row.text()?, row.text()?);
            }
            if cursor == "0" {
                return Ok(all);
            }
        }
    }

    /// A type's history; with `singly` also the sessions that are remembered one by one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn history(&self, target_type: &TargetType, singly: bool) -> Result<HistoryRead, StoreError> {
        let mut reply = self.read_history(target_type, None).await?;
        let at = time(reply.values.number()?).unwrap_or_default();
        let last = reply.values.number()?;
        let mut hours = BTreeMap::new();
        for mut row in reply.values.rows()? {
            let (hour, text) = (row.number()?, row.text()?);
            let counts = serde_json::from_str(&text).map_err(|_| row.wrong_word("the counts of an hour", &text))?;
            hours.insert(hour, counts);
        }
        let sessions = if singly { self.remembered(target_type, last).await? } else { Vec::new() };
        Ok(HistoryRead { at, hours, sessions })
    }

    /// The remembered sessions up to this number, by their end.
    async fn remembered(&self, target_type: &TargetType, last: u64) -> Result<Vec<PastSession>, StoreError> {
        let mut pages = Vec::new();
        for page in 0..SESSIONS_KEPT / SESSIONS_PAGE {
            let below = last.saturating_sub(page * SESSIONS_PAGE);
            let mut reply = self.read_history(target_type, Some(below)).await?;
            let _at = reply.values.number()?;
            let _last = reply.values.number()?;
            let _hours = reply.values.rows()?;
            let text = reply.values.text()?;
            let sessions: Vec<_> = text.split(',').filter_map(session).collect();
            let whole = sessions.len() < SESSIONS_PAGE as usize;
            pages.push(sessions);
            if whole {
                break;
            }
        }
        Ok(pages.into_iter().rev().flatten().collect())
    }

    async fn read_history(&self, target_type: &TargetType, below: Option<u64>) -> Result<Reply, StoreError> {
        let args = [below.map(|below| below.to_string()).unwrap_or_default(), SESSIONS_PAGE.to_string()];
        let reply = self.run(Way::Slow, &scripts::HISTORY, target_type, &bytes(&args)).await?;
        if reply.code == "ok" { Ok(reply) } else { Err(reply.unexpected()) }
    }
}

fn time(ms: u64) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()
}

fn session(text: &str) -> Option<PastSession> {
    let (arrived, held) = text.split_once(' ')?;
    let held: u64 = held.parse().ok()?;
    Some(PastSession { arrived: time(arrived.parse().ok()?)?, duration_seconds: held as f64 / 1e3 })
}
