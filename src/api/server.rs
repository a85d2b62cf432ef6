//! The HTTP server: binds first, so that the address is known; then one worker a thread, each with its own Redis connection.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{
    App, HttpRequest, HttpServer, ResponseError as _,
    dev::{Server, Service as _},
    http::ConnectionType,
    middleware, web,
};
use tracing_actix_web::TracingLogger;
use utoipa_actix_web::AppExt as _;

use super::{Keys, Problem, State, openapi, paths, span::RequestSpan};
use crate::{config::Config, metrics::Metrics, pool::Pool};

/// Longer than the load balancer keeps an idle connection, so that it is never the server that closes one just as a
/// request comes.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// The longest that the head of a request may take: slow clients hold no memory for long.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// A server that listens.
pub struct Bound {
    /// Run it by awaiting it; end it by its handle.
    pub server: Server,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Binds `config.listen`. With `whole` it serves everything, else only what operators ask.
///
/// # Errors
/// The address cannot be listened on.
pub fn bind(
    config: &Arc<Config>,
    pool: &Pool,
    metrics: &Arc<Metrics>,
    keys: &Arc<Keys>,
    whole: bool,
) -> io::Result<Bound> {
    let (shared_config, pool, metrics, keys) = (config.clone(), pool.clone(), metrics.clone(), keys.clone());
    let server = HttpServer::new(move || {
        // Runs once in each worker: this is where it gets its connection.
        let state = web::Data::new(State {
            pool: pool.for_worker(),
            config: shared_config.clone(),
            metrics: metrics.clone(),
            keys: keys.clone(),
        });
        let (metrics, pool) = (metrics.clone(), pool.clone());
        let mut app = App::new().into_utoipa_app().app_data(state).configure(openapi::operation);
        if whole {
            app = app.configure(openapi::service);
        }
        app.into_app()
            .configure(openapi::pages)
            .default_service(web::to(nothing_there))
            .wrap_fn(move |mut request, service| {
                paths::normalise(&mut request);
                let (metrics, pool, began) = (metrics.clone(), pool.clone(), tokio::time::Instant::now());
                let method = request.method().clone();
                let answer = service.call(request);
                async move {
                    let mut answer = answer.await?;
                    if pool.is_ending() {
                        // Else the next request on this connection could meet its end.
                        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
                    }
                    let route = answer.request().match_pattern().unwrap_or_else(|| "none".to_owned());
                    metrics.request(method.as_str(), &route, answer.status().as_u16(), began.elapsed());
                    Ok(answer)
                }
            })
            .wrap(
                middleware::DefaultHeaders::new()
                    .add(("Cache-Control", "no-store"))
                    .add(("X-Content-Type-Options", "nosniff")),
            )
            .wrap(TracingLogger::<RequestSpan>::new())
    })
    .workers(if config.workers == 0 {
        std::thread::available_parallelism().map_or(1, usize::from)
    } else {
        config.workers
    })
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(HEAD_TIMEOUT)
    // Else the handler of a client that hung up would run to its end, and a waiter that left would be served.
    .h1_allow_half_closed(false)
    .shutdown_timeout(config.shutdown_timeout.as_secs().max(1))
    .disable_signals()
    .bind(config.listen)?;
    let address = server.addrs().first().copied().unwrap_or(config.listen);
    Ok(Bound { server: server.run(), address })
}

/// The answer where no route matches: by the path, or only by the method.
async fn nothing_there(request: HttpRequest) -> actix_web::HttpResponse {
    let known = request.resource_map().has_resource(request.path());
    if known {
        Problem::wrong_method(request.method().as_str(), request.path()).error_response()
    } else {
        Problem::no_route(request.path()).error_response()
    }
}
