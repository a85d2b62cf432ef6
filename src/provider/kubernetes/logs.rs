//! Logs of pods, as they come.

use std::{pin::Pin, sync::Arc};

use futures_util::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};
use tokio_util::compat::FuturesAsyncReadCompatExt as _;

use super::{
    ANSWER_WITHIN, KubernetesProvider,
    connect::Question,
    object::{Kind, namespace, own_name},
    pod::main_container,
};
use crate::{
    model::{ContainerId, LogLine, LogStream},
    provider::{Insight, LogOptions, ProviderError, with_causes},
};

const NO_LOG: ProviderError = ProviderError::NotSupported(
    "a virtual machine has no log here; `virtctl console` shows what it writes to its serial console",
);

/// A longer line comes in parts.
const LINE_MOST: u64 = 64 * 1024;

type Lines = Pin<Box<dyn AsyncBufRead + Send>>;

impl KubernetesProvider {
    /// The lines of the main container's log. Kubernetes does not tell where to each was written.
    pub(super) async fn logs_of(
        self: Arc<Self>,
        id: ContainerId,
        options: LogOptions,
    ) -> Result<Insight<LogLine>, ProviderError> {
        let connection = self.connection().await?;
        if self.place(&id).await?.kind == Kind::Machine {
            return Err(NO_LOG);
        }
        let pod = self.pod(&connection, &id).await?;
        if self.observe(&pod).is_none() {
            return Err(ProviderError::Gone);
        }
        let question = Question { verb: "get", resource: "pods/log", namespace: Some(namespace(&pod)) };
        connection.permit(question.verb, question.resource, namespace(&pod))?;
        let asked = LogParams {
            container: main_container(&pod).map(str::to_owned),
            follow: options.follow,
            tail_lines: options.tail.map(i64::from),
            since_time: options
                .since
                .and_then(|since| k8s_openapi::jiff::Timestamp::new(since.as_second(), since.subsec_nanosecond()).ok()),
            timestamps: true,
            ..LogParams::default()
        };
        let pods = connection.objects::<Pod>(question.namespace);
        let lines = connection.answer(question, pods.log_stream(own_name(&pod), &asked)).await?;
        let lines: Lines = Box::pin(lines.compat());
        Ok(stream::unfold(Some(lines), move |lines| {
            let (provider, id) = (self.clone(), id.clone());
            async move {
                let mut lines = lines?;
                match provider.next_line(&id, &mut lines, options.follow).await {
                    Ok(None) => None,
                    Ok(Some(line)) => Some((Ok(line), Some(lines))),
                    Err(error) => Some((Err(error), None)),
                }
            }
        })
        .boxed())
    }

    /// The next line; none at the end. One that is followed may have nothing to say for long: then it is asked whether the pod is
    /// still there.
    async fn next_line(
        &self,
        id: &ContainerId,
        lines: &mut Lines,
        follow: bool,
    ) -> Result<Option<LogLine>, ProviderError> {
        let connection = self.connection().await?;
        let mut bytes = Vec::new();
        loop {
            let room = LINE_MOST - bytes.len() as u64;
            // What was read stays in `bytes` when the time is over.
            let read = async { (&mut *lines).take(room).read_until(b'\n', &mut bytes).await };
            match tokio::time::timeout(ANSWER_WITHIN, read).await {
                Ok(Ok(_)) if bytes.is_empty() => return Ok(None),
                Ok(Ok(_)) => return Ok(Some(line(&bytes))),
                Ok(Err(error)) => {
                    return Err(ProviderError::Refused(format!("the log broke off: {}", with_causes(&error))));
                }
                Err(_) if follow => match self.pod(&connection, id).await {
                    Ok(_) => {}
                    Err(ProviderError::Gone) => return Ok(None),
                    Err(error) => return Err(error),
                },
                Err(_) => return Err(connection.silent()),
            }
        }
    }
}

/// A line as the kubelet writes it: its time, a space, its text.
fn line(bytes: &[u8]) -> LogLine {
    let text = String::from_utf8_lossy(bytes);
    let whole = text.strip_suffix('\n');
    let text = whole.unwrap_or(&text);
    let (time, text) = match text.split_once(' ') {
        Some((time, rest)) if time.parse::<jiff::Timestamp>().is_ok() => (Some(time.to_owned()), rest),
        _ => (None, text),
    };
    let partial = whole.is_none() && bytes.len() as u64 >= LINE_MOST;
    LogLine { time, stream: LogStream::Stdout, line: text.strip_suffix('\r').unwrap_or(text).to_owned(), partial }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_time_and_a_long_one_goes_on() {
        let whole = line(b"2026-11-25T12:00:00.123456789Z hello there\r\n");
        assert_eq!((whole.line.as_str(), whole.partial), ("hello there", false));
        assert_eq!(whole.time.as_deref(), Some("2026-11-25T12:00:00.123456789Z"));
        assert!(!line(b"2026-11-25T12:00:00Z the last one").partial);
        let long = line(&vec![b'x'; LINE_MOST as usize]);
        assert!(long.partial && long.time.is_none());
    }
}
