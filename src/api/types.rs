//! `/types`: the target types, and their settings that can be changed at run time.

use actix_web::{HttpResponse, get, patch, web};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{
    Problem, State,
    auth::{Operator, Reader},
    extract::{Body, RequestBody},
};
use crate::model::{Setting, TypeInfo};

/// Settings to be changed: a number for each, null for as it is configured. What is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TypeBody {
    /// A lease's time to live when the client names none.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub ttl_default_seconds: Option<Given>,
    /// The longest that a client may ask for; at most the longest lease that a recovery waits for.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub ttl_max_seconds: Option<Given>,
    /// How long an offer, or a session made with `confirm`, waits to be confirmed. 1 to 600.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub confirm_seconds: Option<Given>,
    /// The longest that a ticket may wait, however often it is polled. At most a day.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub wait_max_seconds: Option<Given>,
    /// Most tickets in line. 0: nobody waits.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub line_max: Option<Given>,
    /// The longest that a session may last in all; for sessions that begin from now on.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub max_duration_seconds: Option<Given>,
    /// Time between two probes of a container. 1 to 3600.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub probe_interval_seconds: Option<Given>,
    /// Good probes in a row that make a container healthy. 1 to 100.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub probe_rise: Option<Given>,
    /// Bad probes in a row that make it unhealthy. 1 to 100.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub probe_fall: Option<Given>,
    /// The fewest containers. At most `scale_max`.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub scale_min: Option<Given>,
    /// The most containers. At most 10000.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub scale_max: Option<Given>,
    /// Containers that are idle beside those in use and waited for. At most `scale_max`.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub scale_min_idle: Option<Given>,
}

impl RequestBody for TypeBody {}

/// A value that is there: null stands for what is configured.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Given(Option<u64>);

fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Given>, D::Error> {
    Given::deserialize(value).map(Some)
}

impl TypeBody {
    fn changes(&self) -> Vec<(Setting, Option<u64>)> {
        [
            (Setting::TtlDefault, self.ttl_default_seconds),
            (Setting::TtlMax, self.ttl_max_seconds),
            (Setting::Confirm, self.confirm_seconds),
            (Setting::WaitMax, self.wait_max_seconds),
            (Setting::LineMax, self.line_max),
            (Setting::MaxDuration, self.max_duration_seconds),
            (Setting::ProbeInterval, self.probe_interval_seconds),
            (Setting::ProbeRise, self.probe_rise),
            (Setting::ProbeFall, self.probe_fall),
            (Setting::ScaleMin, self.scale_min),
            (Setting::ScaleMax, self.scale_max),
            (Setting::ScaleMinIdle, self.scale_min_idle),
        ]
        .into_iter()
        .filter_map(|(setting, value)| Some((setting, value?.0)))
        .collect()
    }
}

/// List the target types: the settings in force, which of them were changed at run time, and counts.
#[utoipa::path(tag = "types", security(("api_key" = [])), responses(
    (status = 200, description = "Every type that was ever configured or discovered", body = [TypeInfo])))]
#[get("/types")]
pub(super) async fn list_types(_caller: Reader, state: web::Data<State>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(state.pool.type_infos().await?))
}

/// Change settings of a type, for all replicas within a second. Leases that are there keep their TTL until they are renewed.
#[utoipa::path(tag = "types", security(("api_key" = [])), params(("type" = String, Path)), request_body = TypeBody, responses(
    (status = 200, description = "They are in force", body = TypeInfo),
    (status = 404, description = "Unknown target type", body = Problem, content_type = "application/problem+json")))]
#[patch("/types/{type}")]
pub(super) async fn change_type(
    caller: Operator,
    state: web::Data<State>,
    name: web::Path<String>,
    Body(body): Body<TypeBody>,
) -> Result<HttpResponse, Problem> {
    let target_type = state.pool.known_type(&name).await?;
    Ok(HttpResponse::Ok().json(state.pool.change_type(&caller.by(), &target_type, &body.changes()).await?))
}
