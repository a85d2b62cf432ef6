//! The HTTP server: binds first, so that the address is known; then one worker a thread, each with its own Redis connection.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_http::{HttpService, Protocol, error::DispatchError};
use actix_server::GracefulShutdownSignal;
use actix_service::{
    IntoServiceFactory as _, Service as _, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config,
};
use actix_tls::accept::{
    TlsError,
    rustls_0_23::{Acceptor, TlsStream},
};
use actix_web::{
    App, Error, HttpRequest,
    body::MessageBody,
    dev::{AppConfig, Server, ServiceRequest, ServiceResponse},
    http::ConnectionType,
    middleware, web,
};
use futures_util::future::{Either, ready};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tracing_actix_web::TracingLogger;
use utoipa_actix_web::AppExt as _;

use super::{Certificate, Keys, State, cors::cors, dashboard, methods::Methods, openapi, paths, span, stream::Paced};
use crate::{config::Config, events::Events, metrics::Metrics, pool::Pool, provider::Provider};

/// Longer than the load balancer keeps an idle connection, so that it is never the server that closes one just as a
/// request comes.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// The longest that the head of a request may take: slow clients hold no memory for long.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may take to leave once the connection is to end.
const LEAVE: Duration = Duration::from_secs(1);

/// A server that listens.
pub struct Bound {
    /// Run it by awaiting it; end it by its handle.
    pub server: Server,
    /// Where it listens.
    pub address: SocketAddr,
}

/// What the API stands on.
#[derive(Clone)]
pub struct Services {
    /// Sessions and containers.
    pub pool: Pool,
    /// What happens to them.
    pub events: Events,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Who may ask.
    pub keys: Arc<Keys>,
    /// Where containers are found.
    pub providers: Arc<[Arc<dyn Provider>]>,
}

/// Binds `config.listen`, for HTTPS where there is a certificate, for at most so many connections; more wait to be
/// accepted. With `whole` it serves everything, else only what operators ask.
///
/// HTTP/2 is not served: it would bring its own floods (streams that are opened and reset) and its own rules for a
/// client that hangs up, and a long poll needs a connection anyway. Load balancers speak HTTP/1.1 to what is behind them.
///
/// # Errors
/// The address cannot be listened on.
pub fn bind(
    config: &Arc<Config>,
    services: Services,
    certificate: Option<&Arc<Certificate>>,
    connections: usize,
    whole: bool,
) -> io::Result<Bound> {
    let workers =
        if config.workers == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { config.workers };
    let listener = TcpListener::bind(config.listen)?;
    let address = listener.local_addr()?;
    let parts = Parts { config: config.clone(), services, methods: Arc::new(Methods::of(openapi::document())), whole };
    let server = actix_server::Server::build()
        .workers(workers)
        .max_concurrent_connections(connections.div_ceil(workers))
        .shutdown_timeout(config.shutdown_timeout.as_secs().max(1))
        .disable_signals();
    let ending = server.graceful_shutdown_signal();
    let server = match certificate.map(Certificate::server_config) {
        None => server.listen("http", listener, move || {
            let http = http(app(parts.clone()), ending.clone());
            fn_service(|stream: TcpStream| ready(Ok(plain(stream)))).and_then(http)
        })?,
        Some(tls) => server.listen("https", listener, move || {
            let http = http(app(parts.clone()), ending.clone());
            let never = |()| unreachable!("an acceptor starts always");
            let accepted = Acceptor::new(tls.clone()).map_init_err(never).map_err(TlsError::into_service_error);
            accepted.and_then(|stream| ready(Ok(secure(stream)))).and_then(http.map_err(TlsError::Service))
        })?,
    };
    Ok(Bound { server: server.run(), address })
}

/// What every worker's handlers are made of.
#[derive(Clone)]
struct Parts {
    config: Arc<Config>,
    services: Services,
    methods: Arc<Methods>,
    whole: bool,
}

/// The routes and what stands around them. Called once in each worker: this is where it gets its Redis connection.
fn app(
    parts: Parts,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + 'static>,
        Error = Error,
        InitError = (),
    >,
> {
    let Parts { config, services, methods, whole } = parts;
    let Services { pool, events, metrics, keys, providers } = services;
    let cors = cors(&config.cors);
    let state =
        web::Data::new(State { pool: pool.for_worker(), events, config, metrics: metrics.clone(), keys, providers });
    let known = methods.clone();
    let nothing_there = move |request: HttpRequest| ready(known.nothing_there(&request));
    let mut app = App::new().into_utoipa_app().app_data(state).configure(openapi::operation);
    if whole {
        app = app.configure(openapi::service);
    }
    app.into_app()
        .configure(openapi::pages)
        .configure(move |routes| {
            if whole {
                dashboard::pages(routes);
            }
        })
        .default_service(web::to(nothing_there))
        .wrap_fn(move |mut request, service| {
            paths::normalise(&mut request);
            let (metrics, pool, began) = (metrics.clone(), pool.clone(), tokio::time::Instant::now());
            let method = request.method().clone();
            let answer = match methods.refuse(&request) {
                Some(refusal) => Either::Left(ready(Ok(request.into_response(refusal)))),
                None => Either::Right(service.call(request)),
            };
            async move {
                let mut answer = answer.await?;
                if pool.is_ending() {
                    // Else the next request on this connection could meet its end.
                    answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
                }
                let route = answer.request().match_pattern().unwrap_or_else(|| "none".to_owned());
                let status = answer.status();
                metrics.request(method.as_str(), &route, status.as_u16(), began.elapsed());
                let failed = status.is_client_error() || status.is_server_error();
                Ok(if failed { span::name_trace(answer) } else { answer })
            }
        })
        .wrap(
            middleware::DefaultHeaders::new()
                .add(("Cache-Control", "no-store"))
                .add(("X-Content-Type-Options", "nosniff")),
        )
        .wrap(cors)
        .wrap(TracingLogger::<span::RequestSpan>::new())
}

/// A connection, what is spoken on it, and with whom.
type Accepted<T> = (Paced<T>, Protocol, Option<SocketAddr>);

fn plain(stream: TcpStream) -> Accepted<TcpStream> {
    let peer = stream.peer_addr().ok();
    // Small answers go out at once; a connection that is gone already is found out by reading.
    let _ = stream.set_nodelay(true);
    (Paced::new(stream), Protocol::Http1, peer)
}

fn secure(stream: TlsStream<TcpStream>) -> Accepted<TlsStream<TcpStream>> {
    let tcp = stream.get_ref().0;
    let peer = tcp.peer_addr().ok();
    let _ = tcp.set_nodelay(true);
    (Paced::new(stream), Protocol::Http1, peer)
}

/// HTTP on a connection, by these routes.
fn http<T, S, B>(
    app: App<S>,
    ending: GracefulShutdownSignal,
) -> impl ServiceFactory<Accepted<T>, Config = (), Response = (), Error = DispatchError, InitError = ()>
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
    S: ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<B>, Error = Error, InitError = ()>
        + 'static,
    B: MessageBody + 'static,
{
    let app = app.into_factory().map_err(|error: Error| error.error_response());
    HttpService::build()
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD_TIMEOUT)
        .client_disconnect_timeout(LEAVE)
        // Else the handler of a client that hung up would run to its end, and a waiter that left would be served.
        .h1_allow_half_closed(false)
        .graceful_shutdown_signal(move || {
            let ending = ending.clone();
            async move { ending.notified().await }
        })
        .finish(map_config(app, |()| AppConfig::default()))
}
