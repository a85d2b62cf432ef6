//! Whether another virtual machine is put in the place of one that is deleted.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{
    Api,
    api::{ApiResource, DynamicObject},
};

use super::{
    connect::{Connection, Question},
    kubevirt::{GROUP, Machine, VERSION},
    object::{controller, namespace},
};
use crate::provider::ProviderError;

/// Refuses where nothing would, in words of which a container's record shows sixty characters.
pub(super) async fn check(connection: &Connection, machine: &Machine) -> Result<(), ProviderError> {
    let why = match controller(machine) {
        None => "the virtual machine has no controller that would replace it".to_owned(),
        Some(owner) => match owner.kind.as_str() {
            "VirtualMachineInstanceReplicaSet" => return Ok(()),
            "VirtualMachine" => match strategy(connection, namespace(machine), owner).await? {
                strategy if strategy == "Always" => return Ok(()),
                strategy => format!("nothing replaces it: its runStrategy is {strategy}"),
            },
            other => format!("its controller is a {other}, which may not replace it"),
        },
    };
    Err(ProviderError::Refused(why))
}

/// When the owner starts its machine again by itself. `running` is how older ones say it.
async fn strategy(connection: &Connection, namespace: &str, owner: &OwnerReference) -> Result<String, ProviderError> {
    let question = Question { verb: "get", resource: "virtualmachines.kubevirt.io", namespace: Some(namespace) };
    connection.permit(question.verb, question.resource, namespace)?;
    let resource = ApiResource {
        group: GROUP.to_owned(),
        version: VERSION.to_owned(),
        api_version: format!("{GROUP}/{VERSION}"),
        kind: "VirtualMachine".to_owned(),
        plural: "virtualmachines".to_owned(),
    };
    let owners: Api<DynamicObject> = Api::namespaced_with(connection.client.clone(), namespace, &resource);
    let found = connection.answer(question, owners.get(&owner.name)).await.map_err(|error| match error {
        ProviderError::Gone => ProviderError::Refused("the VirtualMachine that it belongs to is gone".to_owned()),
        other => other,
    })?;
    let spec = &found.data["spec"];
    Ok(match (spec["runStrategy"].as_str(), spec["running"].as_bool()) {
        (Some(strategy), _) => strategy.to_owned(),
        (None, Some(true)) => "Always".to_owned(),
        (None, _) => "Halted".to_owned(),
    })
}
