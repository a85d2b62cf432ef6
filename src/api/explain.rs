//! `/explain`: why nothing is available.

use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Problem, State, auth::Holder, extract::Query};
use crate::model::Explanation;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ExplainQuery {
    /// The type.
    target_type: String,
}

/// Why a type has nothing available: how many containers are out for each reason, some of them by name, and what would help.
#[utoipa::path(tag = "containers", security(("api_key" = [])), params(ExplainQuery), responses(
    (status = 200, description = "What keeps containers away, also when something is available", body = Explanation),
    (status = 403, description = "A viewer's key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "Unknown target type: `known_types` names the others", body = Problem, content_type = "application/problem+json")))]
#[get("/explain")]
pub(super) async fn explain(
    _caller: Holder,
    state: web::Data<State>,
    Query(query): Query<ExplainQuery>,
) -> Result<HttpResponse, Problem> {
    let target_type = state.pool.known_type(&query.target_type).await?;
    Ok(HttpResponse::Ok().json(state.pool.explain(&target_type).await?))
}

/// What is wrong with the text as the parameters of the route.
#[cfg(any(test, fuzzing))]
pub(super) fn fuzz_queries(text: &str) -> impl Iterator<Item = Problem> {
    super::fuzz::query::<ExplainQuery>(text).into_iter()
}
