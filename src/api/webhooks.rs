//! `/webhooks`: how far deliveries are, what was given up, and sending that again.

use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Problem, State, auth::Operator, extract::Query};
use crate::model::{DeadLetters, Replayed, WebhookName, WebhookStatus};

/// Most dead letters of a type in one answer.
const LETTERS_MOST: u32 = 1000;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DeadQuery {
    /// Letters of each type. Default 100; at most 1000.
    #[param(minimum = 1)]
    limit: Option<u32>,
}

/// Show how far the deliveries to each webhook are.
#[utoipa::path(tag = "events", security(("api_key" = [])), responses(
    (status = 200, description = "All webhooks of this replica's configuration", body = Vec<WebhookStatus>),
    (status = 403, description = "Not an admin's key", body = Problem, content_type = "application/problem+json")))]
#[get("/webhooks")]
pub(super) async fn list_webhooks(_caller: Operator, state: web::Data<State>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(state.events.webhooks().await?))
}

/// List the events that a webhook did not take.
#[utoipa::path(tag = "events", security(("api_key" = [])), params(("name" = String, Path), DeadQuery), responses(
    (status = 200, description = "Its dead letters", body = DeadLetters),
    (status = 403, description = "Not an admin's key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such webhook", body = Problem, content_type = "application/problem+json")))]
#[get("/webhooks/{name}/dead")]
pub(super) async fn list_dead_letters(
    _caller: Operator,
    state: web::Data<State>,
    name: web::Path<String>,
    Query(query): Query<DeadQuery>,
) -> Result<HttpResponse, Problem> {
    let webhook = known(&state, &name)?;
    let most = query.limit.unwrap_or(100);
    if !(1..=LETTERS_MOST).contains(&most) {
        return Err(Problem::out_of_range("limit", &most, &format!("1 to {LETTERS_MOST}")));
    }
    let (letters, total) = state.events.dead_letters(&webhook, most).await?;
    Ok(HttpResponse::Ok().json(DeadLetters { letters, total }))
}

/// Send the events again that a webhook did not take: the oldest first, and before what follows.
#[utoipa::path(tag = "events", security(("api_key" = [])), params(("name" = String, Path)), responses(
    (status = 200, description = "How many are sent again", body = Replayed),
    (status = 403, description = "Not an admin's key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such webhook", body = Problem, content_type = "application/problem+json")))]
#[post("/webhooks/{name}/replay")]
pub(super) async fn replay_webhook(
    caller: Operator,
    state: web::Data<State>,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let webhook = known(&state, &name)?;
    let replayed = state.events.replay(&webhook).await?;
    tracing::info!(%webhook, replayed, by = %caller.owner, "dead letters are sent again");
    Ok(HttpResponse::Ok().json(Replayed { replayed }))
}

fn known(state: &State, name: &str) -> Result<WebhookName, Problem> {
    let names = state.events.webhook_names();
    names.iter().find(|known| known.as_str() == name).cloned().ok_or_else(|| Problem::no_webhook(name, &names))
}
