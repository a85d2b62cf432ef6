//! The API's own description: generated from the handlers, so that it cannot say what they do not do.

use actix_web::{App, HttpResponse, web};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, SecurityScheme},
};
use utoipa_actix_web::{AppExt as _, service_config::ServiceConfig};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{
    answers, audit, containers, events, explain, guide, history, insight, me, operation, operator, recovery, sessions,
    types, viewers, webhooks,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Leasehold",
        description = "Lends pre-warmed containers to sessions: never two holders, never a leak. Every path also \
            answers under `/api`, and with a trailing slash."
    ),
    modifiers(&Keys),
    tags(
        (name = "sessions", description = "A client's claims on containers"),
        (name = "containers", description = "What there is and who has it"),
        (name = "types", description = "The kinds of containers, and their settings"),
        (name = "events", description = "What happens, followed or delivered"),
        (name = "guide", description = "The routes of the system that the guide describes"),
        (name = "operation", description = "Liveness, readiness, metrics")
    )
)]
struct Api;

struct Keys;

impl Modify for Keys {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key")));
        api.components.get_or_insert_default().add_security_scheme("api_key", scheme);
        // A WebSocket's protocols are the only header that a browser can give it.
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("Sec-WebSocket-Protocol")));
        api.components.get_or_insert_default().add_security_scheme("viewer_pass", scheme);
    }
}

/// The routes of the service. A literal path stands before a pattern that would match it too.
pub(super) fn service(routes: &mut ServiceConfig) {
    routes
        .service(sessions::create_session)
        .service(sessions::list_sessions)
        .service(sessions::send_heartbeats)
        .service(sessions::read_session)
        .service(sessions::send_heartbeat)
        .service(sessions::release_session)
        .service(sessions::release_session_hard)
        .service(viewers::make_pass)
        .service(viewers::show_desktop)
        .service(containers::list_containers)
        .service(containers::containers_status)
        .service(containers::refresh_containers)
        .service(guide::guide_session)
        .service(guide::guide_allocate)
        .service(guide::guide_release)
        .service(insight::container_logs)
        .service(insight::container_stats)
        .service(containers::read_container)
        .service(audit::audit)
        .service(operator::cordon)
        .service(operator::uncordon)
        .service(operator::drain)
        .service(operator::restart)
        .service(operator::quarantine)
        .service(operator::lift_quarantine)
        .service(explain::explain)
        .service(me::me)
        .service(types::list_types)
        .service(types::change_type)
        .service(history::type_history)
        .service(recovery::end_recovery)
        .service(events::follow_events)
        .service(webhooks::list_webhooks)
        .service(webhooks::list_dead_letters)
        .service(webhooks::replay_webhook);
}

/// The routes that every replica has, whatever its roles.
pub(super) fn operation(routes: &mut ServiceConfig) {
    routes.service(operation::healthz).service(operation::readyz).service(operation::scrape);
}

/// The OpenAPI document of all routes.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let app = App::new().into_utoipa_app().openapi(Api::openapi()).configure(service).configure(operation);
    let mut document = app.split_for_parts().1;
    // `configure` adds what handlers use without the modifiers of the document.
    Keys.modify(&mut document);
    answers::describe_shared(&mut document);
    document
}

/// `/openapi.json` and, for people, `/docs`.
pub(super) fn pages(routes: &mut web::ServiceConfig) {
    let json = web::Data::new(document());
    let serve = |json: web::Data<utoipa::openapi::OpenApi>| async move { HttpResponse::Ok().json(json.get_ref()) };
    routes
        .app_data(json)
        .route("/openapi.json", web::get().to(serve))
        .service(web::redirect("/docs", "/docs/"))
        .service(SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json").persist_authorization(false)));
}
