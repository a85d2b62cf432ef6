//! One container more, like another.

use std::time::Duration;

use bollard::{
    Docker,
    models::NetworkConnectRequest,
    query_parameters::{CreateContainerOptions, ListContainersOptions, StartContainerOptions},
};

use super::{DockerProvider, EngineError, definition::Definition};
use crate::{model::ContainerId, provider::ProviderError};

/// Another may take the number at the same moment.
const TRIES: usize = 8;

impl DockerProvider {
    pub(super) async fn one_more(&self, definition: &str, within: Duration) -> Result<ContainerId, ProviderError> {
        let definition = Definition::read(definition)?;
        let engine = self.patient(within).await?;
        let id = self.sibling(&engine, &definition).await?;
        match self.begun(&engine, &id, &definition).await {
            Ok(()) => id.parse().map_err(|wrong| ProviderError::Refused(format!("{wrong}"))),
            Err(error) => {
                let known: Option<ContainerId> = id.parse().ok();
                if let Some(id) = known {
                    self.remove_one(&id, within).await?;
                }
                Err(error)
            }
        }
    }

    /// Creates it under the first number that is free.
    async fn sibling(&self, engine: &Docker, definition: &Definition) -> Result<String, ProviderError> {
        let image = self.image_of(engine, definition).await;
        let family = definition.family();
        for _ in 0..TRIES {
            let number = self.free_number(engine, &family).await?;
            let body = definition.sibling(number, &image);
            let body =
                body.map_err(|error| ProviderError::Refused(format!("its definition cannot be read: {error}")))?;
            let name = Some(format!("{family}{number}"));
            let options = CreateContainerOptions { name, ..CreateContainerOptions::default() };
            match engine.create_container(Some(options), body).await {
                Ok(made) => return Ok(made.id),
                Err(EngineError::DockerResponseServerError { status_code: 409, .. }) => {}
                Err(EngineError::DockerResponseServerError { message, .. }) => {
                    return Err(ProviderError::Refused(message));
                }
                Err(error) => return Err(self.refusal(&error)),
            }
        }
        Err(ProviderError::Refused(format!("no name {family}N is free for long enough")))
    }

    async fn begun(&self, engine: &Docker, id: &str, definition: &Definition) -> Result<(), ProviderError> {
        let found = self.found(engine, id).await?.ok_or(ProviderError::Gone)?;
        let connected = found.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        for (name, network) in definition.networks().filter(|(name, _)| !connected.contains_key(*name)) {
            let mut network = network.clone();
            network.ipam_config = None;
            let request = NetworkConnectRequest { container: id.to_owned(), endpoint_config: Some(network) };
            engine.connect_network(name, request).await.map_err(|error| self.refusal(&error))?;
        }
        engine.start_container(id, None::<StartContainerOptions>).await.map_err(|error| match self.refusal(&error) {
            ProviderError::Refused(why) if why.contains("port is already allocated") => ProviderError::Refused(
                format!("{} publishes one certain port; a range of them, or none, is right: {why}", definition.name),
            ),
            other => other,
        })
    }

    /// The least number from 1 on that no container of this family has in its name.
    async fn free_number(&self, engine: &Docker, family: &str) -> Result<u64, ProviderError> {
        let options = ListContainersOptions { all: true, ..ListContainersOptions::default() };
        let all = self.answer(engine.list_containers(Some(options))).await?;
        let names = all.into_iter().flat_map(|container| container.names.unwrap_or_default());
        let taken: Vec<u64> =
            names.filter_map(|name| name.trim_start_matches('/').strip_prefix(family)?.parse().ok()).collect();
        Ok((1..=taken.len() as u64).find(|number| !taken.contains(number)).unwrap_or(taken.len() as u64 + 1))
    }
}
