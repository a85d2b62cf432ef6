//! What is done with pods and virtual machines: commands in pods, and the end of both.

use std::time::Duration;

use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::Status};
use kube::api::{AttachParams, DeleteParams, Preconditions};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::{
    KubernetesProvider,
    connect::{Connection, Question},
    kubevirt::Machine,
    object::{Kind, Lent, controller, namespace, own_name},
    pod::main_container,
    replaced,
};
use crate::{
    model::ContainerId,
    provider::{Exit, ProviderError},
};

const NO_COMMANDS: ProviderError =
    ProviderError::NotSupported("no commands in virtual machines: use `recreate` or `webhook`");

/// How long a pod has to end by itself before it is killed, in seconds. What it would save is thrown away anyhow.
const STOP_WITHIN: u32 = 2;
/// The most that is kept of what a command says.
const SAID_MOST: usize = 1024;

impl KubernetesProvider {
    /// Runs the command in the pod's main container.
    pub(super) async fn exec_in(
        &self,
        id: &ContainerId,
        command: &[String],
        within: Duration,
    ) -> Result<Exit, ProviderError> {
        let connection = self.connection().await?;
        if self.place(id).await?.kind == Kind::Machine {
            return Err(NO_COMMANDS);
        }
        // The pod is named to the API server, so it must be this one that has the name now.
        let pod = self.pod(&connection, id).await?;
        connection.permit("get", "pods/exec", namespace(&pod))?;
        connection.permit("create", "pods/exec", namespace(&pod))?;
        match tokio::time::timeout(within, run(&connection, &pod, command)).await {
            Ok(exit) => exit,
            Err(_) => Err(ProviderError::Refused(format!("the command did not end within {within:?}"))),
        }
    }

    /// Deletes what its controller replaces. What is deleted already stays so.
    pub(super) async fn discard_one(&self, id: &ContainerId) -> Result<(), ProviderError> {
        let done = match self.place(id).await {
            Ok(place) if place.kind == Kind::Machine => self.discard_machine(id).await,
            Ok(_) => self.discard_pod(id).await,
            Err(error) => Err(error),
        };
        match done {
            Err(ProviderError::Gone) => Ok(()),
            other => other,
        }
    }

    /// A pod that is deleted already ends sooner.
    async fn discard_pod(&self, id: &ContainerId) -> Result<(), ProviderError> {
        let connection = self.connection().await?;
        let pod = self.pod(&connection, id).await?;
        if controller(&pod).is_none() {
            return Err(ProviderError::Refused("the pod has no controller that would replace it".to_owned()));
        }
        connection.delete(&pod, DeleteParams::default().grace_period(STOP_WITHIN)).await
    }

    /// A machine has the time to end that its own `terminationGracePeriodSeconds` gives: KubeVirt goes by no other.
    async fn discard_machine(&self, id: &ContainerId) -> Result<(), ProviderError> {
        let connection = self.connection().await?;
        let place = self.place(id).await?;
        let machine = self.at::<Machine>(&connection, id, &place).await?;
        replaced::check(&connection, &machine).await?;
        connection.delete(&machine, DeleteParams::default()).await
    }
}

impl Connection {
    /// Deletes this object, and no other one that has its name.
    async fn delete<K: Lent>(&self, object: &K, asked: DeleteParams) -> Result<(), ProviderError> {
        let question = Question { verb: "delete", resource: K::KIND.resource(), namespace: Some(namespace(object)) };
        self.permit(question.verb, question.resource, namespace(object))?;
        let this = Preconditions { uid: object.meta().uid.clone(), resource_version: None };
        let asked = asked.preconditions(this);
        let objects = self.objects::<K>(question.namespace);
        let deleted = async {
            match objects.delete(own_name(object), &asked).await {
                // Another one has its name.
                Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
                other => other.map(drop),
            }
        };
        self.answer(question, deleted).await
    }
}

async fn run(connection: &Connection, pod: &Pod, command: &[String]) -> Result<Exit, ProviderError> {
    let question = Question { verb: "create", resource: "pods/exec", namespace: Some(namespace(pod)) };
    let pods = connection.objects::<Pod>(question.namespace);
    let asked = AttachParams {
        container: main_container(pod).map(str::to_owned),
        stdout: true,
        stderr: true,
        ..AttachParams::default()
    };
    let begun = pods.exec(own_name(pod), command.iter().map(String::as_str), &asked).await;
    let mut process = begun.map_err(|error| connection.explain(question, &error))?;
    let (stdout, stderr, status) = (process.stdout(), process.stderr(), process.take_status());
    let status = async {
        match status {
            Some(status) => status.await,
            None => None,
        }
    };
    let (mut said, errors, status) = tokio::join!(beginning(stdout), beginning(stderr), status);
    said.extend(errors);
    said.truncate(SAID_MOST);
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    let status = status.ok_or_else(|| ProviderError::Refused("the API server tells no exit code".to_owned()))?;
    Ok(Exit { code: exit_code(&status)?, said })
}

/// The beginning of what comes; the rest is read and dropped, so that the command can end.
async fn beginning(from: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut said = Vec::new();
    let Some(mut from) = from else { return said };
    let mut piece = [0; 1024];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        said.extend_from_slice(&piece[..read.min(SAID_MOST - said.len())]);
    }
    said
}

/// The exit code, which is a cause among the details of what failed.
fn exit_code(status: &Status) -> Result<i64, ProviderError> {
    if status.status.as_deref() == Some("Success") {
        return Ok(0);
    }
    let causes = status.details.as_ref().and_then(|details| details.causes.as_deref()).unwrap_or_default();
    let code = causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode"));
    let code = code.and_then(|cause| cause.message.as_deref()?.parse().ok());
    code.ok_or_else(|| ProviderError::Refused(status.message.clone().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_exit_code_stands_among_the_causes() {
        let code = |status| exit_code(&serde_json::from_value(status).unwrap()).map_err(|error| error.to_string());
        assert_eq!(code(json!({"status": "Success"})), Ok(0));
        let failed = json!({"status": "Failure", "reason": "NonZeroExitCode", "message": "command terminated",
            "details": {"causes": [{"reason": "ExitCode", "message": "7"}]}});
        assert_eq!(code(failed), Ok(7));
        let broken = json!({"status": "Failure", "reason": "InternalError", "message": "no such container"});
        assert_eq!(code(broken), Err("no such container".to_owned()));
    }
}
