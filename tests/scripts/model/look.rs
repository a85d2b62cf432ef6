//! Everything in Redis at one moment, and what must hold of it whatever happened before.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{OWNERS, Set};

/// Reads all keys of a type in one pass, with the events after an id, and lets a millisecond of pool time pass, so that no two
/// steps have the same one.
const READ: &str = "
local rows = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  local name = string.sub(key, #ARGV[1] + 1)
  local kind = redis.call('TYPE', key).ok
  if kind == 'hash' then
    rows[#rows + 1] = { name, redis.call('PTTL', key), redis.call('HGETALL', key) }
  elseif kind == 'zset' then
    rows[#rows + 1] = { name, redis.call('PTTL', key), redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') }
  elseif kind == 'string' then
    rows[#rows + 1] = { name, redis.call('PTTL', key), { 'is', redis.call('GET', key) } }
  end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) - (redis.call('HGET', ARGV[1] .. 'epoch', 'offset') or 0)
redis.call('HINCRBY', ARGV[1] .. 'epoch', 'offset', -1)
return { now, rows, redis.call('XRANGE', ARGV[1] .. 'events', '(' .. ARGV[2], '+') }
";

/// The fields of a record, or the members and scores of a sorted set.
type Fields = BTreeMap<String, String>;

/// An event's id and fields.
pub type Event = (String, Vec<String>);

/// What was read.
pub struct Look {
    keys: BTreeMap<String, (i64, Fields)>,
    pub events: Vec<Event>,
    /// Pool time, in milliseconds.
    pub now: i64,
}

impl Look {
    pub fn read(connection: &mut redis::Connection, base: &str, after: &str) -> Self {
        type Row = (String, i64, Vec<String>);
        let (now, rows, events): (i64, Vec<Row>, Vec<Event>) =
            redis::cmd("EVAL").arg(READ).arg(0).arg(base).arg(after).query(connection).unwrap();
        let pairs = |name: &str, flat: Vec<String>| {
            let pairs = flat.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone()));
            // A lease that ended is emptied rather than removed.
            pairs
                .filter(|(field, value)| !(name.starts_with("container:") && field != "inc" && value.is_empty()))
                .collect()
        };
        let keyed = |(name, ttl, flat): Row| {
            let fields = pairs(&name, flat);
            (name, (ttl, fields))
        };
        Self { keys: rows.into_iter().map(keyed).collect(), events, now }
    }

    fn fields(&self, key: &str) -> Option<&Fields> {
        self.keys.get(key).map(|(_, fields)| fields)
    }

    pub fn container(&self, name: &str) -> Option<&Fields> {
        self.fields(&format!("container:{name}"))
    }

    pub fn session(&self, id: &str) -> Option<&Fields> {
        self.fields(&format!("session:{id}"))
    }

    /// The members of a sorted set.
    pub fn members(&self, set: &str) -> BTreeSet<&str> {
        self.fields(set).map(|set| set.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    /// The score of one that must be in a sorted set.
    pub fn score(&self, set: &str, member: &str) -> i64 {
        let score =
            self.fields(set).and_then(|set| set.get(member)).unwrap_or_else(|| panic!("{member} is not in {set}"));
        score.parse().unwrap()
    }

    /// The same, by score and then by name.
    pub fn ranked(&self, set: &str) -> Vec<&str> {
        let mut all: Vec<_> = self
            .fields(set)
            .into_iter()
            .flatten()
            .map(|(member, score)| (score.parse::<f64>().unwrap(), member.as_str()))
            .collect();
        all.sort_by(|a, b| a.partial_cmp(b).unwrap());
        all.into_iter().map(|(_, member)| member).collect()
    }

    /// All records of a kind, by what follows its name.
    fn all<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, i64, &'a Fields)> {
        self.keys.iter().filter_map(move |(key, (ttl, fields))| Some((key.strip_prefix(kind)?, *ttl, fields)))
    }

    pub fn containers(&self) -> BTreeSet<&str> {
        self.all("container:").map(|(name, ..)| name).collect()
    }

    fn sessions_in(&self, states: &[&str]) -> BTreeSet<&str> {
        self.all("session:").filter(|(_, _, s)| states.contains(&s["state"].as_str())).map(|(id, ..)| id).collect()
    }

    /// The invariants.
    pub fn check(&self) {
        self.check_containers();
        self.check_sessions();
        assert!(
            self.members("queue").is_empty() || self.members("available").is_empty(),
            "somebody waits while something is available"
        );
    }

    fn check_containers(&self) {
        let present = self.containers();
        assert_eq!(present, self.members("containers"), "records and `containers`");
        let described: BTreeSet<_> = self.all("about:").map(|(name, ..)| name).collect();
        assert_eq!(present, described, "records and descriptions");
        let mut probed = BTreeSet::new();
        for (name, _, facts) in self.all("container:") {
            let set = derived(facts);
            assert_eq!(facts["set"], set.name(), "where {name} is, by its facts {facts:?}");
            for other in Set::IDLE {
                assert_eq!(self.members(other.name()).contains(name), other == set, "{name} in {}", other.name());
            }
            if facts["probed"] == "1" {
                probed.insert(name);
            }
            if let Some(lease) = facts.get("lease") {
                let session = self.session(lease).unwrap_or_else(|| panic!("{name} is under an unknown session"));
                assert_eq!(session.get("container").map(String::as_str), Some(name), "the container of its session");
                assert_eq!(session.get("token"), facts.get("token"), "the token of {name}");
                assert!(["ready", "offered"].contains(&session["state"].as_str()), "{name} under {session:?}");
            }
        }
        assert_eq!(probed, self.members("probes"), "who is probed");
        let drains = self.all("container:").filter(|(_, _, facts)| facts.contains_key("drain"));
        let draining: BTreeSet<_> = drains
            .map(|(name, _, facts)| {
                assert!(facts.contains_key("cordon") && facts.contains_key("lease"), "{name} is drained: {facts:?}");
                name
            })
            .collect();
        assert_eq!(draining, self.members("draining"), "who is drained");
        let cordons = self.all("container:").filter_map(|(name, _, facts)| Some((name, facts.get("cordon")?)));
        let told = self.fields("cordons").into_iter().flatten().map(|(name, by)| (name.as_str(), by));
        assert!(cordons.eq(told), "who cordoned what");
        let count = |set: &str| self.members(set).len();
        let idle: usize = Set::IDLE.iter().map(|set| count(set.name())).sum();
        assert_eq!(count("containers"), count("leases") + count("offers") + idle, "the counts add up");
        assert!(!self.keys.contains_key("allocated"), "leased containers are in no set of their own");
    }

    fn check_sessions(&self) {
        for (state, set) in [("ready", "leases"), ("offered", "offers"), ("queued", "queue"), ("queued", "tickets")] {
            assert_eq!(self.sessions_in(&[state]), self.members(set), "the {state} ones and `{set}`");
        }
        let live = self.sessions_in(&["ready", "offered", "queued"]);
        assert_eq!(live, self.members("sessions"), "the live ones");
        for (owner, _) in OWNERS {
            let of = |ids: BTreeSet<&str>| -> BTreeSet<String> {
                ids.into_iter().filter(|id| self.session(id).unwrap()["owner"] == owner).map(str::to_owned).collect()
            };
            let set =
                |name: String| -> BTreeSet<String> { self.members(&name).into_iter().map(str::to_owned).collect() };
            assert_eq!(of(live.clone()), set(format!("owner:{owner}")), "those of {owner}");
            assert_eq!(of(self.sessions_in(&["queued"])), set(format!("line:{owner}")), "the tickets of {owner}");
        }
        let ready = self.sessions_in(&["ready"]);
        assert!(self.members("warnings").is_subset(&ready), "only who holds something is warned");
        assert_eq!(self.sessions_in(&["ended"]), self.members("ended"), "the ended ones");
        for (id, ttl, session) in self.all("session:") {
            assert_eq!(session["state"] == "ended", ttl > 0, "{id} is kept for {ttl} ms as {session:?}");
            if ["ready", "offered"].contains(&session["state"].as_str()) {
                let container = self.container(&session["container"]).expect("its container is there");
                assert_eq!(container.get("lease").map(String::as_str), Some(id), "the holder of {id}'s container");
            }
        }
    }
}

/// Where the facts say that a container belongs.
fn derived(facts: &Fields) -> Set {
    let is = |name: &str, value: &str| facts.get(name).is_some_and(|fact| fact == value);
    let has = |name: &str| facts.contains_key(name);
    let runs = is("state", "running") || is("state", "created");
    if has("lease") {
        Set::Allocated
    } else if has("reset") {
        Set::Resetting
    } else if has("quarantine") || is("probe", "bad") || is("check", "unhealthy") || !runs {
        Set::Unhealthy
    } else if is("state", "created") || is("check", "starting") || (is("probed", "1") && !is("probe", "ok")) {
        Set::Initializing
    } else if has("cordon") {
        Set::Cordoned
    } else {
        Set::Available
    }
}
