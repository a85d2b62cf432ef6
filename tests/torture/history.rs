//! What happened in a run: one JSON object on each line, by the one clock of the harness.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

/// A time in microseconds since the run began, by the harness's monotonic clock.
pub type Micros = u64;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    Start(Start),
    Call(Call),
    Use(Use),
    Fault(Fault),
    Event(Event),
    End(End),
}

/// The first line: what is to be repeated, and by which bounds it is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    pub seed: u64,
    pub topology: String,
    /// The wall clock at the time 0, in microseconds: what relates the times of events to those of the harness.
    pub wall: u64,
    /// The longest that an abandoned lease may outlast its time while Redis and a replica are there.
    pub leak_bound: Micros,
    /// The longest that it may take after the last client left until every container is free.
    pub free_bound: Micros,
    /// How much longer after a loss: nothing is given out while Redis recovers.
    pub recovery: Micros,
}

/// What a client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Create,
    /// The same create again, at the same time, elsewhere.
    Duplicate,
    Read,
    Heartbeat,
    /// One of many in one call.
    BatchHeartbeat,
    /// With a fencing token that was never this session's.
    StaleHeartbeat,
    /// After the release.
    LateHeartbeat,
    Release,
    /// With a fencing token that was never this session's.
    StaleRelease,
}

/// One call as its client saw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub client: usize,
    pub kind: Kind,
    pub target_type: String,
    /// Which replica it was sent to.
    pub replica: usize,
    pub from: Micros,
    pub to: Micros,
    /// None when no answer came.
    pub status: Option<u16>,
    /// Of a problem.
    pub code: Option<String>,
    /// The session asked about, or made.
    pub session: Option<String>,
    /// The `Idempotency-Key`.
    pub key: Option<String>,
    /// The lease that the answer tells of.
    pub lease: Option<Lease>,
}

/// A lease as an answer shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lease {
    pub container: String,
    /// Where the container is used; another incarnation has another one.
    pub control: String,
    pub token: u64,
    /// When its holder must stop: the time that the request was *sent*, plus what it was given.
    pub until: Micros,
}

/// One use of a container, as the container saw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Use {
    pub at: Micros,
    pub container: String,
    pub control: String,
    /// Which start of a container it was: no other has the same.
    pub life: u64,
    pub session: String,
    pub token: u64,
    /// Until when the user believed itself the holder.
    pub until: Micros,
    /// Whether no higher token had been here.
    pub accepted: bool,
}

/// What was done to the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    ReplicaKilled,
    ReplicaPaused,
    ReplicaClock,
    LinkCut,
    LinkStalled,
    LinkDelayed,
    RedisPaused,
    RedisRestarted,
    RedisClock,
    RedisFull,
    ScriptsFlushed,
    /// Redis forgot everything.
    RedisFlushed,
    /// Redis restarted from older data.
    RedisRolledBack,
    /// The replication of a primary was stalled, and then it was killed.
    PrimaryLost,
    /// A primary was cut off from its replicas and from the sentinels.
    PrimaryCutOff,
    /// Another primary was asked for.
    PrimaryMoved,
    /// Sentinels found none to promote, and an operator chose one.
    PrimaryPromoted,
    FollowerRestarted,
    ContainerVanished,
    ContainerRestarted,
    ContainerFlapped,
    ContainerCordoned,
    ContainerDrained,
    RestartAsked,
    Quarantined,
    QuarantineLifted,
    Rogue,
}

/// One fault, from its beginning until it was undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    pub kind: FaultKind,
    pub what: String,
    pub from: Micros,
    pub to: Micros,
    /// What it means for Redis.
    pub harm: Harm,
}

/// What a fault means for Redis, each worse than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// It works on.
    None,
    /// It does not work meanwhile: pool time stands still.
    Stops,
    /// It may have to recover afterwards.
    Recovers,
    /// It may lose what it acknowledged.
    Loses,
}

/// One entry of a type's event stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When the harness read it.
    pub seen: Micros,
    pub target_type: String,
    pub epoch: u64,
    pub sequence: u64,
    pub kind: String,
    pub fields: BTreeMap<String, String>,
}

/// The last line: what was left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// When all faults were undone, all clients had left, and the servers of Redis had found together again.
    pub quiet: Micros,
    /// When everything was free; none when it was not within the patience of the harness.
    pub free: Option<Micros>,
    pub types: BTreeMap<String, Left>,
}

/// What Redis holds of a type in the end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Left {
    /// Sizes of the sets of sessions: `sessions`, `leases`, `offers`, `queue`, `tickets`.
    pub sessions: BTreeMap<String, u64>,
    /// The set that each container is in.
    pub containers: BTreeMap<String, String>,
    /// The event stream as it is: without what was lost.
    pub events: Vec<Event>,
}

/// Writes a history.
pub struct History {
    base: Instant,
    wall: u64,
    path: PathBuf,
    file: Mutex<BufWriter<File>>,
    calls: AtomicUsize,
    faults: AtomicUsize,
}

impl History {
    /// Begins one; the time 0 is now.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        let file = Mutex::new(BufWriter::new(File::create(path)?));
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_micros() as u64;
        let (calls, faults) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Ok(Self { base: Instant::now(), wall, path: path.to_owned(), file, calls, faults })
    }

    pub fn now(&self) -> Micros {
        self.base.elapsed().as_micros() as Micros
    }

    /// The wall clock at the time 0.
    pub fn wall(&self) -> u64 {
        self.wall
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn add(&self, record: &Record) {
        match record {
            Record::Call(_) => self.calls.fetch_add(1, Ordering::Relaxed),
            Record::Fault(_) => self.faults.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
        let line = serde_json::to_string(record).expect("a record is JSON");
        writeln!(self.file.lock().expect("the history"), "{line}").expect("the history can be written");
    }

    /// How many calls and faults there were so far.
    pub fn counts(&self) -> (usize, usize) {
        (self.calls.load(Ordering::Relaxed), self.faults.load(Ordering::Relaxed))
    }

    /// Everything so far is in the file after this.
    pub fn flush(&self) {
        self.file.lock().expect("the history").flush().expect("the history can be written");
    }
}

/// # Errors
/// The file cannot be read, or the line that is no record.
pub fn read(path: &Path) -> Result<Vec<Record>, String> {
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut records = Vec::new();
    for (at, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| format!("{}: {error}", path.display()))?;
        let record = serde_json::from_str(&line).map_err(|error| format!("{}:{}: {error}", path.display(), at + 1))?;
        records.push(record);
    }
    Ok(records)
}
