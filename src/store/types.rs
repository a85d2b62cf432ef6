//! Which target types there are. A type once known stays known, so a cache can only lack new ones, never be wrong.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{Store, StoreError};
use crate::model::{SessionId, TargetType};
use arc_swap::ArcSwap;

/// The types that this replica knows of.
pub(super) struct Types {
    configured: BTreeSet<TargetType>,
    known: ArcSwap<Known>,
}

/// Types, and which of them the tag of a session id means: made once, since every request asks for it.
struct Known {
    types: BTreeSet<TargetType>,
    by_tag: HashMap<[u8; 4], Vec<TargetType>>,
}

impl Known {
    fn of(types: BTreeSet<TargetType>) -> Self {
        let mut by_tag: HashMap<_, Vec<_>> = HashMap::new();
        for target_type in &types {
            by_tag.entry(SessionId::tag_of(target_type)).or_default().push(target_type.clone());
        }
        Self { types, by_tag }
    }
}

impl Types {
    pub(super) fn new(configured: impl Iterator<Item = TargetType>) -> Self {
        let configured: BTreeSet<_> = configured.collect();
        Self { known: ArcSwap::from_pointee(Known::of(configured.clone())), configured }
    }
}

impl Store {
    /// Every type ever configured or discovered, sorted.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn types(&self) -> Result<Vec<TargetType>, StoreError> {
        let mut command = redis::cmd("HKEYS");
        command.arg(self.shared.keys.types());
        // What is no name of a type is a mark of ours, and does not parse.
        let names: Vec<String> = self.command(&command).await?;
        let types = &self.shared.types;
        let mut known = types.configured.clone();
        known.extend(names.into_iter().filter_map(|name| name.parse().ok()));
        if known.len() > types.known.load().types.len() {
            types.known.store(Arc::new(Known::of(known.clone())));
        }
        Ok(known.into_iter().collect())
    }

    /// Makes types known.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn add_types(&self, types: &[TargetType]) -> Result<(), StoreError> {
        let names: Vec<&str> = types.iter().map(TargetType::as_str).collect();
        if names.is_empty() {
            return Ok(());
        }
        // Adding needs memory, which what is known already must not wait for when there is none.
        let mut command = redis::cmd("HMGET");
        command.arg(self.shared.keys.types()).arg(&names);
        let met: Vec<Option<String>> = self.command(&command).await?;
        for (target_type, met) in types.iter().zip(met) {
            if met.is_none() {
                self.introduce(target_type).await?;
            }
        }
        let mut all = self.shared.types.known.load().types.clone();
        all.extend(types.iter().cloned());
        self.shared.types.known.store(Arc::new(Known::of(all)));
        Ok(())
    }

    /// Whether the type is known, asking Redis only when this replica has not heard of it.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn knows(&self, target_type: &TargetType) -> Result<bool, StoreError> {
        if self.shared.types.known.load().types.contains(target_type) {
            return Ok(true);
        }
        Ok(self.types().await?.contains(target_type))
    }

    /// The types that a session id may be of: one, or in rare cases several whose tags are the same.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn types_of(&self, id: SessionId) -> Result<Vec<TargetType>, StoreError> {
        let Some(tag) = id.tag() else { return Ok(Vec::new()) };
        let of_tag = || self.shared.types.known.load().by_tag.get(&tag).cloned();
        if let Some(found) = of_tag() {
            return Ok(found);
        }
        self.types().await?;
        Ok(of_tag().unwrap_or_default())
    }
}
