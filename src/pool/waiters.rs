//! Who waits in this replica, and how each is woken.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use crate::model::SessionId;

/// The map of waiting sessions. Shared by all workers of a replica.
#[derive(Clone, Default)]
pub(super) struct Waiters {
    sessions: Arc<Mutex<HashMap<SessionId, Entry>>>,
}

struct Entry {
    wake: watch::Sender<()>,
    /// Requests that wait for this session here; the entry goes with the last one.
    requests: usize,
}

/// One request's place in the map, for as long as it lives.
pub(super) struct Waiting {
    id: SessionId,
    woken: watch::Receiver<()>,
    waiters: Waiters,
}

impl Waiters {
    /// Registers before the ticket is taken, so that no offer is missed.
    pub(super) fn register(&self, id: SessionId) -> Waiting {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = sessions.entry(id).or_insert_with(|| Entry { wake: watch::Sender::new(()), requests: 0 });
        entry.requests += 1;
        Waiting { id, woken: entry.wake.subscribe(), waiters: self.clone() }
    }

    /// Wakes whoever waits for this session here.
    pub(super) fn wake(&self, id: SessionId) {
        if let Some(entry) = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            entry.wake.send_replace(());
        }
    }

    /// Wakes everybody: messages may have been missed.
    pub(super) fn wake_all(&self) {
        for entry in self.sessions.lock().unwrap_or_else(PoisonError::into_inner).values() {
            entry.wake.send_replace(());
        }
    }

    /// How many sessions are waited for here.
    pub(super) fn len(&self) -> usize {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Waiting {
    /// Ends when somebody woke it since the last call.
    pub(super) async fn woken(&mut self) {
        // The sender is in the map for as long as this lives.
        let _ = self.woken.changed().await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut sessions = self.waiters.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = sessions.get_mut(&self.id) {
            entry.requests -= 1;
            if entry.requests == 0 {
                sessions.remove(&self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wake_before_the_wait_is_not_lost_and_the_map_empties_itself() {
        let waiters = Waiters::default();
        let id = SessionId::new(&"wine".parse().unwrap());
        let mut first = waiters.register(id);
        let mut second = waiters.register(id);
        waiters.wake(id);
        first.woken().await;
        second.woken().await;
        waiters.wake_all();
        second.woken().await;
        drop(first);
        assert_eq!(waiters.len(), 1);
        drop(second);
        assert_eq!(waiters.len(), 0);
        waiters.wake(id);
    }
}
