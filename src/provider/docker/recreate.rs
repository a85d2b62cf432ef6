//! A container is made anew, in steps that can each be repeated.

use std::time::Duration;

use bollard::{
    Docker,
    models::{
        ContainerInspectResponse, ContainerUpdateBody, NetworkConnectRequest, RestartPolicy, RestartPolicyNameEnum,
    },
    query_parameters::{
        CreateContainerOptions, InspectContainerOptions, RemoveContainerOptions, RenameContainerOptions,
        StartContainerOptions, StopContainerOptions,
    },
};

use super::{
    DockerProvider, EngineError,
    act::STOP_WITHIN,
    definition::{Definition, REPLACES},
};
use crate::{model::ContainerId, provider::ProviderError};

impl DockerProvider {
    pub(super) async fn definition_of(&self, id: &ContainerId) -> Result<String, ProviderError> {
        let engine = self.connect().await?;
        let found = engine.inspect_container(id.as_str(), None::<InspectContainerOptions>).await;
        let found = found.map_err(|error| self.refusal(&error))?;
        let definition = Definition::of(found).and_then(|definition| serde_json::to_string(&definition).ok());
        definition.ok_or_else(|| ProviderError::Refused("the engine does not tell how it was made".to_owned()))
    }

    pub(super) async fn retire_one(
        &self,
        id: &ContainerId,
        definition: &str,
        within: Duration,
    ) -> Result<(), ProviderError> {
        let definition = Definition::read(definition)?;
        let engine = self.patient(within).await?;
        match self.retired(&engine, id.as_str(), &definition).await {
            Err(ProviderError::Gone) => Ok(()),
            other => other,
        }
    }

    /// Fails with [`ProviderError::Gone`] as soon as it is.
    async fn retired(&self, engine: &Docker, id: &str, definition: &Definition) -> Result<(), ProviderError> {
        let told = |error: EngineError| self.refusal(&error);
        if definition.restarts() {
            // Else an engine that is restarted itself would start it beside the new one.
            let never = RestartPolicy { name: Some(RestartPolicyNameEnum::NO), ..RestartPolicy::default() };
            let change = ContainerUpdateBody { restart_policy: Some(never), ..ContainerUpdateBody::default() };
            engine.update_container(id, change).await.map_err(told)?;
        }
        let options = StopContainerOptions { t: Some(STOP_WITHIN), ..StopContainerOptions::default() };
        engine.stop_container(id, Some(options)).await.or_else(unchanged).map_err(told)?;
        let found = self.found(engine, id).await?.ok_or(ProviderError::Gone)?;
        if found.name.as_deref().unwrap_or_default().trim_start_matches('/') == definition.name {
            let options = RenameContainerOptions { name: definition.retired_name(id) };
            engine.rename_container(id, options).await.map_err(told)?;
        }
        Ok(())
    }

    pub(super) async fn replacement_of(
        &self,
        id: &ContainerId,
        definition: &str,
        within: Duration,
    ) -> Result<ContainerId, ProviderError> {
        let definition = Definition::read(definition)?;
        let engine = self.patient(within).await?;
        let made = match self.found(&engine, &definition.name).await? {
            Some(found) => found,
            None => self.make(&engine, id.as_str(), &definition).await?,
        };
        let new = made.id.unwrap_or_default();
        let labels = made.config.and_then(|config| config.labels).unwrap_or_default();
        if labels.get(REPLACES).map(String::as_str) != Some(id.as_str()) {
            let short: String = new.chars().take(12).collect();
            return Err(ProviderError::Refused(format!("container {short} has its name, {}", definition.name)));
        }
        let connected = made.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        for (name, network) in definition.networks().filter(|(name, _)| !connected.contains_key(*name)) {
            let request = NetworkConnectRequest { container: new.clone(), endpoint_config: Some(network.clone()) };
            engine.connect_network(name, request).await.map_err(|error| self.refusal(&error))?;
        }
        new.parse().map_err(|wrong| ProviderError::Refused(format!("{wrong}")))
    }

    /// Creates it; when another worker does at this moment, the engine refuses one of the two by the name.
    async fn make(
        &self,
        engine: &Docker,
        old: &str,
        definition: &Definition,
    ) -> Result<ContainerInspectResponse, ProviderError> {
        let body = definition.body(old, &self.image_of(engine, definition).await);
        let body = body.map_err(|error| ProviderError::Refused(format!("its definition cannot be read: {error}")))?;
        let options =
            CreateContainerOptions { name: Some(definition.name.clone()), ..CreateContainerOptions::default() };
        match engine.create_container(Some(options), body).await {
            Ok(_) | Err(EngineError::DockerResponseServerError { status_code: 409, .. }) => {}
            // Not that the container is gone: its image or a network is.
            Err(EngineError::DockerResponseServerError { message, .. }) => return Err(ProviderError::Refused(message)),
            Err(error) => return Err(self.refusal(&error)),
        }
        self.found(engine, &definition.name).await?.ok_or(ProviderError::Gone)
    }

    pub(super) async fn start_one(&self, id: &ContainerId, within: Duration) -> Result<(), ProviderError> {
        let engine = self.patient(within).await?;
        let started = engine.start_container(id.as_str(), None::<StartContainerOptions>).await;
        started.or_else(unchanged).map_err(|error| self.refusal(&error))
    }

    pub(super) async fn remove_one(&self, id: &ContainerId, within: Duration) -> Result<(), ProviderError> {
        let engine = self.patient(within).await?;
        let options = RemoveContainerOptions { force: true, v: true, ..RemoveContainerOptions::default() };
        match engine.remove_container(id.as_str(), Some(options)).await.map_err(|error| self.refusal(&error)) {
            Err(ProviderError::Gone) => Ok(()),
            other => other,
        }
    }

    /// The image's name while it still stands for the same image, else its id.
    pub(super) async fn image_of(&self, engine: &Docker, definition: &Definition) -> String {
        let name = definition.image_name().unwrap_or_default();
        let same = engine.inspect_image(name).await.is_ok_and(|found| found.id.as_deref() == Some(&definition.image));
        if same { name } else { &definition.image }.to_owned()
    }

    pub(super) async fn found(
        &self,
        engine: &Docker,
        id: &str,
    ) -> Result<Option<ContainerInspectResponse>, ProviderError> {
        match engine.inspect_container(id, None::<InspectContainerOptions>).await {
            Ok(found) => Ok(Some(found)),
            Err(error) => match self.refusal(&error) {
                ProviderError::Gone => Ok(None),
                other => Err(other),
            },
        }
    }
}

/// That it is so already is what was asked for.
fn unchanged(error: EngineError) -> Result<(), EngineError> {
    match error {
        EngineError::DockerResponseServerError { status_code: 304, .. } => Ok(()),
        other => Err(other),
    }
}
