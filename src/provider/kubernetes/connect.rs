//! A client for the cluster, and what its API server answers in our words.

use std::{fmt, sync::Arc, time::Instant};

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use kube::{
    Api, Client, Config, Error,
    api::ListParams,
    client::Body,
    config::{KubeConfigOptions, Kubeconfig},
    core::{ObjectList, Status},
};

use super::{
    ANSWER_WITHIN, KubernetesProvider,
    access::Missing,
    kubevirt::{GROUP, PLURAL, VERSION},
    object::{Kind, Lent},
};
use crate::{
    config::KubernetesConfig,
    provider::{ProviderError, with_causes},
};

/// After this time the configuration is read again, and the rights are asked for.
const RENEWED_AFTER: std::time::Duration = std::time::Duration::from_mins(5);

/// Objects of a page.
const PAGE: u32 = 500;

/// Some of a cluster's pods, or of its virtual machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) kind: Kind,
    /// None: every one.
    pub(super) namespace: Option<String>,
    pub(super) selector: String,
}

/// What the API server is asked to do, as its rights call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question<'a> {
    pub(super) verb: &'static str,
    pub(super) resource: &'static str,
    /// None: in all of them.
    pub(super) namespace: Option<&'a str>,
}

impl fmt::Display for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        match self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => f.write_str(" in all namespaces"),
        }
    }
}

/// An answer to a list.
enum Page<K: Clone> {
    Whole(ObjectList<K>),
    Expired,
    Withheld,
}

/// Whether this turns off virtual machines alone.
pub(super) fn withheld(kind: Kind, status: &Status) -> bool {
    kind == Kind::Machine && [403, 404].contains(&status.code)
}

/// A client, and what is known of it.
pub(super) struct Connection {
    pub(super) client: Client,
    server: String,
    /// None: all of them.
    pub(super) namespaces: Vec<Option<String>>,
    /// Whether the cluster has virtual machines: KubeVirt is installed.
    pub(super) machines: bool,
    pub(super) missing: Vec<Missing>,
    made: Instant,
}

impl KubernetesProvider {
    /// The present connection, or a new one.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>, ProviderError> {
        match self.connected() {
            Some(connection) if connection.made.elapsed() < RENEWED_AFTER => Ok(connection),
            _ => self.connect().await,
        }
    }

    /// The last connection that was made.
    pub(super) fn connected(&self) -> Option<Arc<Connection>> {
        self.connection.borrow().clone()
    }

    /// A connection by which a scope can be watched, when there is one.
    pub(super) async fn connected_for(&self, scope: &Scope) -> Arc<Connection> {
        let mut connections = self.connection.subscribe();
        loop {
            let connection = connections.borrow_and_update().clone();
            if let Some(connection) = connection.filter(|connection| connection.offers(scope)) {
                return connection;
            }
            // It lives as long as the provider.
            let _ = connections.changed().await;
        }
    }

    /// A new connection. What its account may not do is complained of when that is news.
    pub(super) async fn connect(&self) -> Result<Arc<Connection>, ProviderError> {
        let mut connection = Connection::new(&self.settings).await?;
        let before = self.connected();
        connection.machines = connection.has_machines(before.as_ref().is_some_and(|before| before.machines)).await?;
        let scales = self.config.types.values().any(|settings| settings.scale.is_some());
        connection.missing = connection.review(self.settings.mark_pods, scales).await?;
        let before = before.map(|before| before.missing_in_words()).unwrap_or_default();
        for missing in connection.missing_in_words().iter().filter(|missing| !before.contains(missing)) {
            tracing::warn!(provider = %self.settings.name, "{missing}");
        }
        let connection = Arc::new(connection);
        self.connection.send_replace(Some(connection.clone()));
        Ok(connection)
    }

    /// What is looked at: each selector in each namespace, also where there are no virtual machines yet.
    pub(super) fn scopes(&self, connection: &Connection) -> Vec<Scope> {
        let of = |kind, namespace: &Option<String>| {
            let namespace = namespace.clone();
            self.selectors.iter().map(move |selector| Scope {
                kind,
                namespace: namespace.clone(),
                selector: selector.clone(),
            })
        };
        let each = |kind| connection.namespaces.iter().flat_map(move |namespace| of(kind, namespace));
        Kind::ALL.into_iter().flat_map(each).collect()
    }
}

impl Connection {
    async fn new(settings: &KubernetesConfig) -> Result<Self, ProviderError> {
        let unusable = |why: &dyn std::error::Error| ProviderError::Unreachable {
            address: "the cluster".to_owned(),
            reason: format!("its configuration cannot be used: {}", with_causes(why)),
        };
        let options = KubeConfigOptions { context: settings.context.clone(), ..KubeConfigOptions::default() };
        let in_cluster = settings.context.is_none() && std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
        let config = match &settings.kubeconfig {
            Some(path) => {
                let read = Kubeconfig::read_from(path).map_err(|error| unusable(&error))?;
                Config::from_custom_kubeconfig(read, &options).await.map_err(|error| unusable(&error))?
            }
            None if in_cluster => Config::incluster().map_err(|error| unusable(&error))?,
            None => Config::from_kubeconfig(&options).await.map_err(|error| unusable(&error))?,
        };
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let namespaces = match settings.namespaces.as_slice() {
            [] => vec![Some(config.default_namespace.clone())],
            _ if settings.everywhere() => vec![None],
            named => named.iter().cloned().map(Some).collect(),
        };
        let client = Client::try_from(config).map_err(|error| unusable(&error))?;
        Ok(Self { client, server, namespaces, machines: false, missing: Vec::new(), made: Instant::now() })
    }

    /// Whether KubeVirt is installed. While an API server starts it refuses what it does not know yet with 503, so 404 is believed. One
    /// that does not let the account read which APIs there are changes nothing.
    pub(super) async fn has_machines(&self, before: bool) -> Result<bool, ProviderError> {
        let question = Question { verb: "get", resource: "/apis/kubevirt.io/v1", namespace: None };
        let version = format!("{GROUP}/{VERSION}");
        let asked = self.client.list_api_group_resources(&version).map(|answer| match answer {
            Ok(list) => Ok(list.resources.iter().any(|resource| resource.name == PLURAL)),
            Err(Error::Api(status)) if status.code == 404 => Ok(false),
            Err(Error::Api(status)) if status.code == 403 => Ok(before),
            Err(error) => Err(error),
        });
        let found = self.answer(question, asked).await?;
        tracing::debug!(server = self.server, found, "KubeVirt was looked for");
        Ok(found)
    }

    /// Whether there is something to watch, and the account may, as far as is known.
    pub(super) fn offers(&self, scope: &Scope) -> bool {
        match scope.kind {
            Kind::Pod => true,
            Kind::Machine => self.machines && ["list", "watch"].iter().all(|verb| self.permits(verb, scope)),
        }
    }

    /// The objects of one namespace; of all of them with none.
    pub(super) fn objects<K: Lent>(&self, namespace: Option<&str>) -> Api<K> {
        match namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }

    /// The answer of the API server, in time.
    pub(super) async fn answer<T>(
        &self,
        question: Question<'_>,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, ProviderError> {
        match tokio::time::timeout(ANSWER_WITHIN, call).await {
            Ok(answer) => answer.map_err(|error| self.explain(question, &error)),
            Err(_) => Err(self.silent()),
        }
    }

    pub(super) fn silent(&self) -> ProviderError {
        ProviderError::Unreachable {
            address: self.server.clone(),
            reason: format!("no answer within {ANSWER_WITHIN:?}"),
        }
    }

    pub(super) fn explain(&self, question: Question<'_>, error: &Error) -> ProviderError {
        match error {
            Error::Api(status) => self.refusal(question, status),
            Error::SerdeError(_) => ProviderError::Refused(format!("{}: {}", self.server, with_causes(error))),
            _ => ProviderError::Unreachable { address: self.server.clone(), reason: with_causes(error) },
        }
    }

    pub(super) fn refusal(&self, question: Question<'_>, status: &Status) -> ProviderError {
        match status.code {
            403 => ProviderError::Refused(format!("the right to {question} is missing: {}", status.message)),
            404 if !["list", "watch"].contains(&question.verb) => ProviderError::Gone,
            _ => ProviderError::Refused(format!("{}: {}", self.server, status.message)),
        }
    }

    /// All objects of a scope, in pages. Where the pages do not fit together any more, all at once. None where virtual machines are
    /// withheld: there is no right to list them, or no KubeVirt.
    pub(super) async fn all<K: Lent>(&self, scope: &Scope) -> Result<Option<Vec<K>>, ProviderError> {
        let question = Question { verb: "list", resource: K::KIND.resource(), namespace: scope.namespace.as_deref() };
        let objects = self.objects::<K>(question.namespace);
        let mut asked = ListParams::default().labels(&scope.selector).limit(PAGE);
        let mut found = Vec::new();
        loop {
            let call = objects.list(&asked).map(|page| match page {
                Err(Error::Api(status)) if status.code == 410 && asked.continue_token.is_some() => Ok(Page::Expired),
                Err(Error::Api(status)) if withheld(K::KIND, &status) => Ok(Page::Withheld),
                other => other.map(Page::Whole),
            });
            match self.answer(question, call).await? {
                Page::Withheld => return Ok(None),
                Page::Expired => {
                    found.clear();
                    asked = ListParams::default().labels(&scope.selector);
                }
                Page::Whole(page) => {
                    found.extend(page.items);
                    match page.metadata.continue_.filter(|token| !token.is_empty()) {
                        Some(token) => asked.continue_token = Some(token),
                        None => return Ok(Some(found)),
                    }
                }
            }
        }
    }

    /// What the clock of the API server shows at most: it tells whole seconds.
    pub(super) async fn clock(&self) -> Result<Option<Timestamp>, ProviderError> {
        let question = Question { verb: "get", resource: "/version", namespace: None };
        let request = hyper::Request::get("/version").body(Body::empty()).map_err(Error::HttpError);
        let request = request.map_err(|error| self.explain(question, &error))?;
        let answer = self.answer(question, self.client.send(request)).await?;
        let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
        let told = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()).map(|date| date.timestamp());
        Ok(told.and_then(|told| told.checked_add(SignedDuration::from_secs(1)).ok()))
    }
}
