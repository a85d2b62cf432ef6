//! HTTPS: the certificate of the listener, read again when it is renewed.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_util::sync::CancellationToken;

use crate::config::TlsConfig;

/// How often the two files are looked at.
const RELOAD_INTERVAL: Duration = Duration::from_secs(1);

/// A file that HTTPS needs cannot be used: which, and why.
#[derive(Debug, thiserror::Error)]
#[error("configuration: {key} = {}: {reason}", path.display())]
pub struct TlsError {
    key: &'static str,
    path: PathBuf,
    reason: String,
}

/// The certificate that connections are made with; another one is taken at any time.
pub struct Certificate {
    cert_file: PathBuf,
    key_file: PathBuf,
    current: ArcSwap<CertifiedKey>,
}

impl Certificate {
    /// The configured one; none when the listener speaks HTTP.
    ///
    /// # Errors
    /// A file cannot be read or understood, or the two do not belong together.
    pub fn load(config: &TlsConfig) -> Result<Option<Arc<Self>>, TlsError> {
        let (Some(cert_file), Some(key_file)) = (&config.cert_file, &config.key_file) else { return Ok(None) };
        let current = ArcSwap::from_pointee(read(cert_file, key_file)?);
        Ok(Some(Arc::new(Self { cert_file: cert_file.clone(), key_file: key_file.clone(), current })))
    }

    /// Reads both files again whenever one changes, until `shutdown`. While they do not fit together (one was
    /// replaced, the other is about to be) connections are made with the former ones.
    pub async fn follow_files(&self, shutdown: CancellationToken) {
        let mut seen = self.modified();
        while shutdown.run_until_cancelled(tokio::time::sleep(RELOAD_INTERVAL)).await.is_some() {
            let now = self.modified();
            if now == seen {
                continue;
            }
            seen = now;
            match read(&self.cert_file, &self.key_file) {
                Ok(key) => {
                    self.current.store(Arc::new(key));
                    tracing::info!(path = %self.cert_file.display(), "the certificate was read again");
                }
                Err(error) => tracing::error!(%error, "the certificate stays as it was"),
            }
        }
    }

    /// What the listener is set up with: TLS 1.2 and 1.3, no client certificates.
    pub(super) fn server_config(self: &Arc<Self>) -> ServerConfig {
        ServerConfig::builder().with_no_client_auth().with_cert_resolver(self.clone())
    }

    fn modified(&self) -> [Option<SystemTime>; 2] {
        [&self.cert_file, &self.key_file].map(|path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok())
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("cert_file", &self.cert_file).finish_non_exhaustive()
    }
}

fn read(cert_file: &Path, key_file: &Path) -> Result<CertifiedKey, TlsError> {
    let wrong = |key, path: &Path, reason: String| TlsError { key, path: path.to_owned(), reason };
    let wrong_cert = |reason| wrong("tls.cert_file", cert_file, reason);
    let wrong_key = |reason| wrong("tls.key_file", key_file, reason);
    // Read by hand, so that what is missing is told in the system's words.
    let text = std::fs::read(cert_file).map_err(|error| wrong_cert(error.to_string()))?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong_cert(format!("it is not PEM: {error}")))?;
    if chain.is_empty() {
        return Err(wrong_cert("it has no certificate (-----BEGIN CERTIFICATE-----)".to_owned()));
    }
    let text = std::fs::read(key_file).map_err(|error| wrong_key(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| wrong_key("it has no private key (-----BEGIN PRIVATE KEY-----)".to_owned()))?;
    CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            wrong_key(format!("it does not belong to the certificate of tls.cert_file = {}", cert_file.display()))
        }
        other => wrong_cert(other.to_string()),
    })
}
