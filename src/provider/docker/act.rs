//! What is done with the engine's containers: restarts, and commands in them.

use std::time::Duration;

use bollard::{
    Docker,
    exec::{CreateExecOptions, StartExecResults},
    query_parameters::RestartContainerOptions,
};
use futures_util::StreamExt as _;

use super::{DockerProvider, EngineError};
use crate::{
    model::ContainerId,
    provider::{Exit, ProviderError},
};

/// How long a container has to end by itself before it is killed, in seconds. What it would save is thrown away anyhow.
pub(super) const STOP_WITHIN: i32 = 2;
/// The most that is kept of what a command says.
const SAID_MOST: usize = 1024;

impl DockerProvider {
    pub(super) async fn restart_one(&self, id: &ContainerId, within: Duration) -> Result<(), ProviderError> {
        let engine = self.patient(within).await?;
        let options = RestartContainerOptions { t: Some(STOP_WITHIN), ..RestartContainerOptions::default() };
        engine.restart_container(id.as_str(), Some(options)).await.map_err(|error| self.refusal(&error))
    }

    pub(super) async fn exec_in(
        &self,
        id: &ContainerId,
        command: &[String],
        within: Duration,
    ) -> Result<Exit, ProviderError> {
        let engine = self.patient(within).await?;
        let told = |error: EngineError| self.refusal(&error);
        let options = CreateExecOptions {
            cmd: Some(command.to_vec()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..CreateExecOptions::default()
        };
        let exec = engine.create_exec(id.as_str(), options).await.map_err(told)?.id;
        let mut said = Vec::new();
        if let StartExecResults::Attached { mut output, .. } = engine.start_exec(&exec, None).await.map_err(told)? {
            // It ends with the command.
            while let Some(piece) = output.next().await {
                let piece = piece.map_err(told)?.into_bytes();
                let room = SAID_MOST - said.len();
                said.extend_from_slice(&piece[..piece.len().min(room)]);
            }
        }
        let code = engine.inspect_exec(&exec).await.map_err(told)?.exit_code;
        let code = code.ok_or_else(|| ProviderError::Refused("the engine tells no exit code".to_owned()))?;
        Ok(Exit { code, said: String::from_utf8_lossy(&said).trim().to_owned() })
    }

    /// A client that waits so long for an answer.
    pub(super) async fn patient(&self, within: Duration) -> Result<Docker, ProviderError> {
        let client = self.address.client(within).map_err(|error| self.explain(&error))?;
        self.answer(client.negotiate_version()).await
    }

    pub(super) fn refusal(&self, error: &EngineError) -> ProviderError {
        match error {
            EngineError::DockerResponseServerError { status_code: 404, .. } => ProviderError::Gone,
            // In the engine's words alone: they are shown with the container.
            EngineError::DockerResponseServerError { message, .. } => ProviderError::Refused(message.clone()),
            _ => self.explain(error),
        }
    }
}
