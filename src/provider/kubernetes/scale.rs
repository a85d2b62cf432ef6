//! Tells a Deployment or a StatefulSet how many pods to have.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use kube::{
    Api, Error,
    api::{Patch, PatchParams},
};
use serde_json::json;

use super::{
    KubernetesProvider,
    connect::Question,
    set::{Named, Sort},
    workload::permit,
};
use crate::provider::{Workload, WorkloadError};

impl KubernetesProvider {
    /// See [`crate::provider::Provider::resize`]. The version is a precondition: whoever else resized it, or changed its template, was
    /// not known when that was decided.
    pub(super) async fn resize_one(&self, workload: &Workload, replicas: u64) -> Result<(), WorkloadError> {
        let gone = || WorkloadError::None(format!("{} is gone", workload.name));
        let named = Named::read(&workload.name, &[]).into_iter().next().ok_or_else(gone)?;
        let connection = self.connection().await?;
        let question = Question { verb: "patch", resource: named.sort.scale(), namespace: Some(&named.namespace) };
        permit(&connection, question.verb, question.resource, &named.namespace)?;
        let patch =
            Patch::Merge(json!({"metadata": {"resourceVersion": workload.version}, "spec": {"replicas": replicas}}));
        let (client, name, asked) = (connection.client.clone(), &named.name, PatchParams::default());
        let asked = async {
            let answer = match named.sort {
                Sort::Deployment => {
                    Api::<Deployment>::namespaced(client, &named.namespace).patch_scale(name, &asked, &patch).await
                }
                Sort::StatefulSet => {
                    Api::<StatefulSet>::namespaced(client, &named.namespace).patch_scale(name, &asked, &patch).await
                }
            };
            match answer {
                Err(Error::Api(status)) if status.code == 409 => Ok(Err(WorkloadError::Changed(workload.name.clone()))),
                Err(Error::Api(status)) if status.code == 404 => Ok(Err(gone())),
                Err(Error::Api(status)) if status.code == 403 => {
                    Ok(Err(WorkloadError::NoRight(connection.refusal(question, &status).to_string())))
                }
                other => other.map(|_| Ok(())),
            }
        };
        connection.answer(question, asked).await?
    }
}
