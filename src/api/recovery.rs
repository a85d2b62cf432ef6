//! `/recovery`: what an operator may do about a recovery. Its state is in `/containers/status`.

use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Problem, State,
    auth::Operator,
    extract::{Body, RequestBody},
};

/// How to end a recovery before its time.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndRecoveryBody {
    /// Must be true: the caller knows that nobody holds a container whose lease was not proven.
    pub assume_none: bool,
    /// Only of this type; of all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_type: Option<String>,
}

impl RequestBody for EndRecoveryBody {}

/// What was ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecoveryEnded {
    /// The types whose recovery was ended.
    pub ended: Vec<String>,
}

/// End a recovery at once: containers that were held are given out.
#[utoipa::path(tag = "operation", security(("api_key" = [])), request_body = EndRecoveryBody, responses(
    (status = 200, description = "It has ended, where there was one", body = RecoveryEnded),
    (status = 403, description = "Not an admin's key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "Unknown target type", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "`assume_none` is not true", body = Problem, content_type = "application/problem+json")))]
#[post("/recovery")]
pub(super) async fn end_recovery(
    caller: Operator,
    state: web::Data<State>,
    Body(body): Body<EndRecoveryBody>,
) -> Result<HttpResponse, Problem> {
    if !body.assume_none {
        let right = "true says that nobody holds what was not proven; without that the recovery ends by itself";
        return Err(Problem::out_of_range("assume_none", &body.assume_none, right));
    }
    let target_type = match &body.target_type {
        Some(name) => Some(state.pool.known_type(name).await?),
        None => None,
    };
    let ended = state.pool.end_recovery(&caller, target_type.as_ref()).await?;
    Ok(HttpResponse::Ok().json(RecoveryEnded { ended: ended.into_iter().map(String::from).collect() }))
}
