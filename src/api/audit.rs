//! `/audit`: do the data in Redis contradict themselves?

use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Problem, State,
    auth::Operator,
    extract::{Body, RequestBody},
};
use crate::model::Finding;

/// What to audit.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditBody {
    /// Only of this type; of all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_type: Option<String>,
    /// Whether to repair what is found.
    #[serde(default)]
    pub repair: bool,
    /// `next` of the answer before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl RequestBody for AuditBody {}

/// A part of an audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditResult {
    /// What was found in this part.
    pub findings: Vec<Finding>,
    /// How many records and members of sets were looked at in it.
    pub looked: u64,
    /// For `cursor` of the next call; null when all has been looked at.
    pub next: Option<String>,
}

/// Compare the sets in Redis with the records, containers with sessions; and repair, if asked, what contradicts itself.
/// One call goes on for about a second: give its `next` as `cursor` of the next one until that is null.
#[utoipa::path(tag = "operation", security(("api_key" = [])), request_body = Option<AuditBody>, responses(
    (status = 200, description = "What was found", body = AuditResult),
    (status = 403, description = "Not an admin's key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "Unknown target type", body = Problem, content_type = "application/problem+json")))]
#[post("/audit")]
pub(super) async fn audit(
    caller: Operator,
    state: web::Data<State>,
    Body(body): Body<AuditBody>,
) -> Result<HttpResponse, Problem> {
    let target_type = match &body.target_type {
        Some(name) => Some(state.pool.known_type(name).await?),
        None => None,
    };
    let part = state.pool.audit(&caller, target_type.as_ref(), body.repair, body.cursor.as_deref()).await?;
    Ok(HttpResponse::Ok().json(AuditResult { findings: part.findings, looked: part.looked, next: part.next }))
}
