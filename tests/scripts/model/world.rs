//! The model: what must become of each operation. It ends everything that is overdue before each, which is why the runs are
//! kept smaller than what one script takes back.

use std::collections::BTreeMap;

use leasehold::model::{EndReason, EngineHealth, EngineState, SessionId};

/// When, in seconds of the model; then in which step, for what falls on the same second.
pub type Moment = (i64, usize);

/// How long an offer, and a ticket without a poll, live; how long a ticket may wait in all.
pub const CONFIRM: i64 = 15;
pub const TICKET: i64 = 25;
pub const WAIT: i64 = 35;

/// The owners, each with its weight.
pub const OWNERS: [(&str, i64); 2] = [("backend", 1), ("guest", 2)];

/// How long sessions last, as the runs have it.
pub const HOLD: i64 = 60;

/// A second on the line's clock.
pub const SECOND: i64 = 1_000_000;

/// The sets of which a container is in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    Allocated,
    Resetting,
    Unhealthy,
    Initializing,
    Cordoned,
    Available,
}

impl Set {
    pub const IDLE: [Self; 5] = [Self::Resetting, Self::Unhealthy, Self::Initializing, Self::Cordoned, Self::Available];

    pub fn name(self) -> &'static str {
        match self {
            Self::Allocated => "allocated",
            Self::Resetting => "resetting",
            Self::Unhealthy => "unhealthy",
            Self::Initializing => "initializing",
            Self::Cordoned => "cordoned",
            Self::Available => "available",
        }
    }
}

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "facts are what they are")]
pub struct Container {
    pub incarnation: usize,
    pub state: EngineState,
    pub health: EngineHealth,
    pub probed: bool,
    pub probe: Option<bool>,
    pub bad: u32,
    pub era: u64,
    pub lease: Option<SessionId>,
    pub cordon: bool,
    /// Until when its session is waited for, and whether it ends then.
    pub drain: Option<(Moment, bool)>,
    pub reset: bool,
    pub reset_at_end: bool,
    pub quarantine: Option<Moment>,
    pub set: Option<Set>,
    pub freed: Moment,
}

impl Container {
    fn derive(&self) -> Set {
        let runs = matches!(self.state, EngineState::Running | EngineState::Created);
        if self.lease.is_some() {
            Set::Allocated
        } else if self.reset {
            Set::Resetting
        } else if self.quarantine.is_some()
            || self.probe == Some(false)
            || self.health == EngineHealth::Unhealthy
            || !runs
        {
            Set::Unhealthy
        } else if self.state == EngineState::Created
            || self.health == EngineHealth::Starting
            || (self.probed && self.probe.is_none())
        {
            Set::Initializing
        } else if self.cordon {
            Set::Cordoned
        } else {
            Set::Available
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Queued,
    Offered,
    Ready,
    Ended(EndReason),
    /// It gave up: as if it had never been.
    Gone,
}

#[derive(Debug, Clone)]
pub struct Session {
    pub state: State,
    pub ttl: i64,
    pub span: i64,
    pub most: Option<i64>,
    pub cap: Option<Moment>,
    pub confirm: bool,
    pub beaten: bool,
    pub container: Option<String>,
    /// Of the lease, the offer or the ticket.
    pub deadline: Moment,
    /// The longest that it may wait.
    pub until: Moment,
    /// Whose it is.
    pub owner: usize,
    pub place: Place,
}

/// Where a ticket stands in the line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    pub base: i64,
    pub order: i64,
    /// How far its owner's next one stands behind it.
    pub step: i64,
}

impl Session {
    pub fn live(&self) -> bool {
        matches!(self.state, State::Queued | State::Offered | State::Ready)
    }
}

/// What a request to make a session comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    Ready,
    Queued,
    Shortage,
    Unavailable,
}

/// The line's virtual time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clock {
    /// The largest base that was served.
    pub served: i64,
    /// Since when.
    pub moved: i64,
    /// The last base of who had no claim to a later one.
    pub joined: i64,
}

#[derive(Debug, Clone, Default)]
pub struct World {
    pub now: i64,
    pub step: usize,
    pub containers: BTreeMap<String, Container>,
    /// Until when what comes under a name rests.
    pub rests: BTreeMap<String, Moment>,
    pub sessions: BTreeMap<SessionId, Session>,
    pub clock: Clock,
    /// The least base of the next ticket of those who were served, or came, lately.
    pub fair: BTreeMap<usize, i64>,
}

impl World {
    pub fn at(&self, seconds: i64) -> Moment {
        (self.now + seconds, self.step)
    }

    /// Those in this state, by deadline.
    fn due(&self, state: State) -> Vec<SessionId> {
        let mut due: Vec<_> =
            self.sessions.iter().filter(|(_, s)| s.state == state && s.deadline.0 <= self.now).collect();
        due.sort_by_key(|(id, s)| (s.deadline, **id));
        due.into_iter().map(|(id, _)| *id).collect()
    }

    pub fn reclaim(&mut self) {
        for state in [State::Ready, State::Offered, State::Queued] {
            for id in self.due(state) {
                let session = &self.sessions[&id];
                let reason = match state {
                    State::Queued => EndReason::TicketExpired,
                    State::Offered => EndReason::Unconfirmed,
                    _ if session.cap.is_some_and(|cap| session.deadline >= cap) => EndReason::MaxDuration,
                    _ if session.confirm && !session.beaten => EndReason::Unconfirmed,
                    _ => EndReason::Expired,
                };
                self.finish(id, reason);
            }
        }
        let mut back: Vec<_> = self
            .containers
            .iter()
            .filter_map(|(name, c)| c.quarantine.filter(|end| end.0 <= self.now).map(|end| (end, name.clone())))
            .collect();
        back.sort();
        for (_, name) in back {
            self.containers.get_mut(&name).unwrap().quarantine = None;
            self.settle(&name);
        }
        let over = |c: &Container| c.drain.filter(|(end, _)| end.0 <= self.now).map(|(end, _)| end);
        let mut drained: Vec<_> =
            self.containers.iter().filter_map(|(name, c)| Some((over(c)?, name.clone()))).collect();
        drained.sort();
        for (_, name) in drained {
            self.end_drain(&name);
        }
    }

    /// The deadline of a drain is over.
    fn end_drain(&mut self, name: &str) {
        let Some(container) = self.containers.get_mut(name) else { return };
        if let (Some((_, true)), Some(lease)) = (container.drain.take(), container.lease) {
            self.finish(lease, EndReason::Admin);
        }
    }

    pub fn cordon(&mut self, name: &str, on: bool) {
        let container = self.containers.get_mut(name).unwrap();
        container.cordon = on;
        if !on {
            container.drain = None;
        }
        self.settle(name);
    }

    /// An operator has it rest for so long, and whatever comes under its name until then; or none of that any more.
    pub fn quarantine(&mut self, name: &str, seconds: Option<i64>) {
        let end = seconds.map(|seconds| self.at(seconds));
        self.containers.get_mut(name).unwrap().quarantine = end;
        match end {
            Some(end) => self.rests.insert(name.to_owned(), end),
            None => self.rests.remove(name),
        };
        self.settle(name);
    }

    pub fn drain(&mut self, name: &str, seconds: i64, force: bool) {
        self.cordon(name, true);
        let deadline = self.at(seconds);
        let container = self.containers.get_mut(name).unwrap();
        if container.lease.is_some() {
            container.drain = Some((deadline, force));
            if seconds == 0 {
                self.end_drain(name);
            }
        }
    }

    pub fn finish(&mut self, id: SessionId, reason: EndReason) {
        let session = self.sessions.get_mut(&id).unwrap();
        let held = matches!(session.state, State::Ready | State::Offered);
        // An offer that was not claimed: nobody was told of the container.
        let told = session.state == State::Ready;
        session.state = State::Ended(reason);
        let Some(name) = session.container.clone().filter(|_| held) else { return };
        let Some(container) = self.containers.get_mut(&name).filter(|c| c.lease == Some(id)) else { return };
        (container.lease, container.drain) = (None, None);
        if container.reset_at_end && told {
            container.reset = true;
            container.era += 1;
        }
        self.settle(&name);
    }

    pub fn settle(&mut self, name: &str) {
        let freed = self.at(0);
        let container = self.containers.get_mut(name).unwrap();
        let set = container.derive();
        if container.set == Some(set) {
            return;
        }
        container.set = Some(set);
        if set != Set::Available {
            return;
        }
        container.freed = freed;
        if let Some(first) = self.line().into_iter().find(|id| self.sessions[id].deadline.0 > self.now) {
            self.serve_ticket(first);
            self.grant(name, first, State::Offered, self.at(CONFIRM));
        }
    }

    /// How far a ticket moves its owner in the line.
    fn step_of(&self, owner: usize) -> i64 {
        HOLD * SECOND / (self.containers.len() as i64).max(1) / OWNERS[owner].1
    }

    /// The place of a new ticket, about: the times that go into it are those of Redis.
    pub fn place(&self, owner: usize, priority: i64, now: i64) -> Place {
        let Clock { served, moved, joined } =
            if self.line().is_empty() { Clock { served: now, moved: now, joined: 0 } } else { self.clock };
        let last = self.fair.get(&owner).copied().filter(|_| !self.line().is_empty());
        let owners = if self.line().is_empty() { 1 } else { self.fair.len() as i64 + i64::from(last.is_none()) };
        let step = HOLD * SECOND / (self.containers.len() as i64).max(1);
        let from = (served + ((now - moved) / owners).min(step)).max(joined + 1);
        let own = self.sessions.values().filter(|s| s.state == State::Queued && s.owner == owner);
        let latest = own.map(|s| s.place.base + self.step_of(owner)).max();
        let base = from.max(latest.or(last).unwrap_or(0));
        Place { base, order: base - priority * SECOND / owners, step: self.step_of(owner) }
    }

    fn serve_ticket(&mut self, id: SessionId) {
        let (owner, Place { base, step, .. }) = (self.sessions[&id].owner, self.sessions[&id].place);
        let next = self.fair.entry(owner).or_insert(base + step);
        *next = (*next).max(base + step);
        if base > self.clock.served {
            self.clock.served = base;
            self.fair.retain(|_, next| *next > base);
        }
    }

    fn grant(&mut self, name: &str, id: SessionId, state: State, deadline: Moment) {
        let container = self.containers.get_mut(name).unwrap();
        container.lease = Some(id);
        container.set = Some(Set::Allocated);
        let session = self.sessions.get_mut(&id).unwrap();
        session.state = state;
        session.container = Some(name.to_owned());
        session.deadline = deadline;
    }

    /// The queued sessions, first one first.
    pub fn line(&self) -> Vec<SessionId> {
        let mut line: Vec<_> = self.sessions.iter().filter(|(_, s)| s.state == State::Queued).collect();
        line.sort_by_key(|(id, s)| (s.place.order, **id));
        line.into_iter().map(|(id, _)| *id).collect()
    }

    /// The first to be given out.
    pub fn first_available(&self) -> Option<String> {
        let available = self.containers.iter().filter(|(_, c)| c.set == Some(Set::Available));
        available.min_by_key(|(name, c)| (c.freed, (*name).clone())).map(|(name, _)| name.clone())
    }

    pub fn create(&mut self, id: SessionId, session: Session, wait: bool, wanted: Option<&str>) -> Made {
        let chosen = match wanted {
            Some(name) => {
                if self.containers.get(name).is_none_or(|c| c.set != Some(Set::Available)) {
                    return Made::Unavailable;
                }
                Some(name.to_owned())
            }
            None if self.line().is_empty() => self.first_available(),
            None => None,
        };
        if chosen.is_none() && !wait {
            return Made::Shortage;
        }
        self.sessions.insert(id, session);
        let Some(name) = chosen else { return Made::Queued };
        self.begin_lease(id, &name);
        Made::Ready
    }

    fn begin_lease(&mut self, id: SessionId, name: &str) {
        let session = &self.sessions[&id];
        let cap = session.most.map(|most| self.at(most));
        let deadline = self.at(session.span).min(cap.unwrap_or((i64::MAX, 0)));
        self.grant(name, id, State::Ready, deadline);
        self.sessions.get_mut(&id).unwrap().cap = cap;
    }

    /// An offered session becomes ready.
    pub fn claim(&mut self, id: SessionId) {
        let name = self.sessions[&id].container.clone().unwrap();
        self.begin_lease(id, &name);
    }

    /// Never to less than there is.
    pub fn renew(&mut self, id: SessionId) {
        let renewed = self.at(self.sessions[&id].ttl);
        let session = self.sessions.get_mut(&id).unwrap();
        session.deadline = renewed.min(session.cap.unwrap_or(renewed)).max(session.deadline);
        session.beaten = true;
    }

    pub fn keep_ticket(&mut self, id: SessionId) {
        let kept = self.at(TICKET);
        let session = self.sessions.get_mut(&id).unwrap();
        session.deadline = kept.min(session.until);
    }

    pub fn remove(&mut self, name: &str) {
        if let Some(id) = self.containers.remove(name).and_then(|container| container.lease) {
            self.sessions.get_mut(&id).unwrap().state = State::Ended(EndReason::ContainerLost);
        }
    }
}
