//! Logs and stats of the engine's containers, as they come.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bollard::{
    Docker,
    container::LogOutput,
    errors::Error as EngineError,
    models::{ContainerCpuStats, ContainerMemoryStats, ContainerStatsResponse},
    query_parameters::{InspectContainerOptions, LogsOptions, StatsOptions},
};
use futures_util::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};

use super::{ANSWER_WITHIN, DockerProvider};
use crate::{
    model::{ContainerId, ContainerStats, LogLine, LogStream},
    provider::{Insight, LogOptions, ProviderError},
};

/// An engine that refuses does so at once; one that has nothing to say yet is not waited for longer.
const REFUSED_WITHIN: Duration = Duration::from_millis(250);

impl DockerProvider {
    /// The lines of a container's log.
    pub(super) async fn logs_of(
        self: Arc<Self>,
        id: ContainerId,
        options: LogOptions,
    ) -> Result<Insight<LogLine>, ProviderError> {
        let engine = self.present(&id).await?;
        let asked = LogsOptions {
            follow: options.follow,
            stdout: true,
            stderr: true,
            timestamps: true,
            // The engine takes seconds: an earlier line or two of the same one are better than one that is missing.
            since: options.since.map_or(0, |since| i32::try_from(since.as_second()).unwrap_or(i32::MAX)),
            tail: options.tail.map_or_else(|| "all".to_owned(), |tail| tail.to_string()),
            ..LogsOptions::default()
        };
        let lines = engine.logs(id.as_str(), Some(asked)).map_ok(line);
        self.watched(engine.clone(), id, options.follow, lines.boxed()).await
    }

    /// What a container uses: once, or about each second.
    pub(super) async fn stats_of(
        self: Arc<Self>,
        id: ContainerId,
        follow: bool,
    ) -> Result<Insight<ContainerStats>, ProviderError> {
        let engine = self.present(&id).await?;
        let asked = StatsOptions { stream: follow, one_shot: false };
        let of = id.clone();
        let all = engine.stats(id.as_str(), Some(asked)).map_ok(move |seen| stats(of.clone(), &seen));
        self.watched(engine.clone(), id, follow, all.boxed()).await
    }

    /// A client of the engine, when the container is there and takes part.
    async fn present(&self, id: &ContainerId) -> Result<Arc<Docker>, ProviderError> {
        let engine = self.connect().await?;
        match self.look_at(&engine, id.to_string()).await? {
            Some(_) => Ok(engine),
            None => Err(ProviderError::Gone),
        }
    }

    /// The stream, when the engine does not refuse it, bounded in how long the engine may be silent: one that is followed may
    /// have nothing to say, so then the engine is asked whether it lives.
    async fn watched<T: Send + 'static>(
        self: Arc<Self>,
        engine: Arc<Docker>,
        id: ContainerId,
        follow: bool,
        mut items: BoxStream<'static, Result<T, EngineError>>,
    ) -> Result<Insight<T>, ProviderError> {
        let mut first = VecDeque::new();
        match tokio::time::timeout(REFUSED_WITHIN, items.next()).await {
            Ok(Some(Err(error))) => return Err(self.explain(&error)),
            Ok(Some(Ok(item))) => first.push_back(Ok(item)),
            Ok(None) => return Ok(stream::empty().boxed()),
            Err(_) => {}
        }
        let provider = self;
        let rest = stream::unfold(Some(items), move |items| {
            let (provider, engine, id) = (provider.clone(), engine.clone(), id.clone());
            async move {
                let mut items = items?;
                loop {
                    match tokio::time::timeout(ANSWER_WITHIN, items.next()).await {
                        Ok(Some(Ok(item))) => return Some((Ok(item), Some(items))),
                        Ok(Some(Err(error))) => return Some((Err(provider.explain(&error)), None)),
                        Ok(None) => return None,
                        Err(_) if follow => {
                            let call = engine.inspect_container(id.as_str(), None::<InspectContainerOptions>);
                            if let Err(error) = provider.answer(call).await {
                                return Some((Err(error), None));
                            }
                        }
                        Err(_) => return Some((Err(provider.silent()), None)),
                    }
                }
            }
        });
        Ok(stream::iter(first).chain(rest).boxed())
    }
}

/// A line as the engine writes it: its time, a space, its text.
fn line(output: LogOutput) -> LogLine {
    let stream = if matches!(output, LogOutput::StdErr { .. }) { LogStream::Stderr } else { LogStream::Stdout };
    let bytes = output.into_bytes();
    let text = String::from_utf8_lossy(&bytes);
    let whole = text.strip_suffix('\n');
    let text = whole.unwrap_or(&text);
    let (time, text) = match text.split_once(' ') {
        Some((time, rest)) if time.parse::<jiff::Timestamp>().is_ok() => (Some(time.to_owned()), rest),
        _ => (None, text),
    };
    let text = text.strip_suffix('\r').unwrap_or(text).to_owned();
    LogLine { time, stream, line: text, partial: whole.is_none() }
}

fn stats(id: ContainerId, seen: &ContainerStatsResponse) -> ContainerStats {
    let memory = seen.memory_stats.as_ref();
    let networks = |count: fn(&bollard::models::ContainerNetworkStats) -> Option<u64>| {
        seen.networks.as_ref().map(|networks| networks.values().filter_map(count).sum())
    };
    ContainerStats {
        id,
        time: seen.read.clone().filter(|time| !time.starts_with("0001-")),
        cpu_percent: cpu_percent(seen.cpu_stats.as_ref(), seen.precpu_stats.as_ref()),
        memory_bytes: memory.and_then(memory_bytes),
        memory_limit_bytes: memory.and_then(|memory| memory.limit),
        network_rx_bytes: networks(|network| network.rx_bytes),
        network_tx_bytes: networks(|network| network.tx_bytes),
    }
}

/// As `docker stats` shows it: the container's share of what all processors did meanwhile, times their number.
fn cpu_percent(now: Option<&ContainerCpuStats>, before: Option<&ContainerCpuStats>) -> Option<f64> {
    let used = |stats: &ContainerCpuStats| stats.cpu_usage.as_ref()?.total_usage;
    let (now, before) = (now?, before?);
    let used = used(now)?.checked_sub(used(before)?)? as f64;
    let all = now.system_cpu_usage?.checked_sub(before.system_cpu_usage?)? as f64;
    let processors = f64::from(now.online_cpus.unwrap_or(1).max(1));
    (all > 0.0).then(|| (used / all * processors * 10_000.0).round() / 100.0)
}

/// Without what the kernel keeps of files and could drop: under the name of either version of cgroups.
fn memory_bytes(memory: &ContainerMemoryStats) -> Option<u64> {
    let counted = |name: &str| memory.stats.as_ref().and_then(|stats| stats.get(name)).copied();
    let kept = counted("total_inactive_file").or_else(|| counted("inactive_file")).unwrap_or(0);
    Some(memory.usage?.saturating_sub(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> LogLine {
        line(LogOutput::StdErr { message: text.to_owned().into() })
    }

    #[test]
    fn a_line_has_its_time_and_says_whether_it_goes_on() {
        let whole = written("2026-11-25T12:00:00.123456789Z hello there\r\n");
        assert_eq!((whole.line.as_str(), whole.partial, whole.stream), ("hello there", false, LogStream::Stderr));
        assert_eq!(whole.time.as_deref(), Some("2026-11-25T12:00:00.123456789Z"));
        assert!(written("2026-11-25T12:00:00Z part").partial);
        assert_eq!(written("no time\n").line, "no time");
        assert_eq!(written("2026-11-25T12:00:00Z \n").line, "");
    }

    #[test]
    fn what_is_used_is_computed_as_the_engines_own_client_does() {
        let seen: ContainerStatsResponse = serde_json::from_value(serde_json::json!({
            "read": "2026-11-25T12:00:00Z",
            "cpu_stats": {"cpu_usage": {"total_usage": 3_000}, "system_cpu_usage": 20_000, "online_cpus": 2},
            "precpu_stats": {"cpu_usage": {"total_usage": 1_000}, "system_cpu_usage": 10_000},
            "memory_stats": {"usage": 5_000, "limit": 9_000, "stats": {"total_inactive_file": 1_000, "inactive_file": 7}},
            "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 10, "tx_bytes": 20}},
        }))
        .unwrap();
        let stats = stats("abc".parse().unwrap(), &seen);
        assert_eq!(
            (stats.cpu_percent, stats.memory_bytes, stats.memory_limit_bytes),
            (Some(40.0), Some(4_000), Some(9_000))
        );
        assert_eq!((stats.network_rx_bytes, stats.network_tx_bytes), (Some(11), Some(22)));
    }

    #[test]
    fn of_one_that_does_not_run_nothing_is_told() {
        let seen = serde_json::json!({"read": "0001-01-01T00:00:00Z", "cpu_stats": {}, "precpu_stats": {}});
        let stats = stats("abc".parse().unwrap(), &serde_json::from_value(seen).unwrap());
        assert_eq!(
            (stats.time, stats.cpu_percent, stats.memory_bytes, stats.network_rx_bytes),
            (None, None, None, None)
        );
    }
}
