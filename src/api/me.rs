//! `/me`: whose API key it is, for programs that show what it allows.

use actix_web::{HttpResponse, get, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Problem, State, auth::Reader};
use crate::model::Role;

/// Whose key it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// Who its sessions belong to.
    pub owner: String,
    /// What it may do.
    pub role: Role,
    /// Its name in the configuration; `none` where no key is asked for.
    pub key: String,
    /// Whether a key is asked for. Without any configured, everybody who reaches the server may do everything.
    pub auth_required: bool,
}

/// Read whose API key it is, and what it may do.
#[utoipa::path(tag = "operation", security(("api_key" = [])), responses(
    (status = 200, description = "Owner, role and name", body = Me)))]
#[get("/me")]
pub(super) async fn me(caller: Reader, state: web::Data<State>) -> Result<HttpResponse, Problem> {
    let auth_required = !state.keys.is_empty();
    let (owner, key) = (caller.owner.to_string(), caller.key_name().to_owned());
    Ok(HttpResponse::Ok().json(Me { owner, role: caller.role, key, auth_required }))
}
