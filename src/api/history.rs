//! `/types/{type}/history`: what happened to a type.

use actix_web::{HttpResponse, get, web};

use super::{Problem, State, auth::Holder};
use crate::model::TypeHistory;

/// What happened to a type: how many sessions came, waited and ended in each hour, and the last of them one by one, without
/// saying whose they were. `leasehold advise` reads it.
#[utoipa::path(tag = "types", security(("api_key" = [])), params(("type" = String, Path)), responses(
    (status = 200, description = "Up to a few seconds ago, as far as a replica has the role `events`", body = TypeHistory),
    (status = 403, description = "A viewer's key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "Unknown target type", body = Problem, content_type = "application/problem+json")))]
#[get("/types/{type}/history")]
pub(super) async fn type_history(
    _caller: Holder,
    state: web::Data<State>,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let target_type = state.pool.known_type(&name).await?;
    Ok(HttpResponse::Ok().json(state.events.history(&target_type).await?))
}
