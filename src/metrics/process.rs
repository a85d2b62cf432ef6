//! What the process uses, under the names that every Prometheus client gives it.

use std::{fs, sync::atomic::AtomicU64, time::Duration};

use nix::sys::{
    resource::{Resource, UsageWho, getrlimit, getrusage},
    time::TimeValLike as _,
};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::{Registry, Unit},
};

/// Adds what the kernel tells now; what it does not tell is left out. `began`: when the process did, since 1970.
pub(super) fn add_to(registry: &mut Registry, began: Duration) {
    let process = registry.sub_registry_with_prefix("process");
    if let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) {
        let micros = (usage.user_time() + usage.system_time()).num_microseconds();
        let cpu = Counter::<f64, AtomicU64>::default();
        cpu.inc_by(micros as f64 / 1e6);
        process.register_with_unit("cpu", "Processor time, of users and of the kernel", Unit::Seconds, cpu);
    }
    if let Some(bytes) = resident_bytes() {
        process.register_with_unit("resident_memory", "Memory in use", Unit::Bytes, gauge(bytes));
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        process.register("open_fds", "Open files and connections", gauge(open.count() as u64));
    }
    if let Ok((most, _)) = getrlimit(Resource::RLIMIT_NOFILE) {
        process.register("max_fds", "Most open files and connections", gauge(most));
    }
    let start = Gauge::<f64, AtomicU64>::default();
    start.set(began.as_secs_f64());
    process.register_with_unit("start_time", "When the process began, since 1970", Unit::Seconds, start);
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

fn gauge(value: u64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    gauge
}
