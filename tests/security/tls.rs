//! HTTPS: what is served, by which certificate, and what is said of files that cannot be used.

use std::{fs, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use reqwest::Certificate;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};

use crate::{
    cli::{leasehold, said},
    common::{
        eventually,
        redis::Redis,
        replica::{KEY, Replica, Settings, farm},
        tls,
    },
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A replica that speaks HTTPS, with the files that it does so by.
struct Secure {
    replica: Replica,
    folder: TempDir,
    _redis: Redis,
}

impl Secure {
    fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a temporary folder");
        tls::authority(folder.path());
        tls::server_certificate(folder.path(), "server");
        let redis = Redis::start();
        let settings = Settings::toml(farm("wine", 1))
            .env("TLS__CERT_FILE", folder.path().join("server.pem").display())
            .env("TLS__KEY_FILE", folder.path().join("server-key.pem").display());
        Self { replica: Replica::start(&redis.url(), &settings), folder, _redis: redis }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn url(&self) -> String {
        format!("https://{}", self.replica.address())
    }

    /// The certificate that a new connection is made with.
    async fn shown(&self) -> CertificateDer<'static> {
        shown(self.replica.address(), &self.folder.path().join("ca.pem")).await
    }

    async fn shows(&self, name: &str) {
        let expected = CertificateDer::from_pem_file(self.folder.path().join(name)).unwrap();
        eventually(&format!("the certificate {name}"), PATIENCE, || async {
            (self.shown().await == expected).then_some(())
        })
        .await;
    }
}

async fn shown(address: SocketAddr, authority: &Path) -> CertificateDer<'static> {
    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(trusted).with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::from(address.ip());
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("a good certificate");
    stream.get_ref().1.peer_certificates().unwrap()[0].clone()
}

#[tokio::test]
async fn the_api_is_served_over_https_alone_when_it_is_configured() {
    let secure = Secure::start();
    let authority = Certificate::from_pem(&fs::read(secure.file("ca.pem")).unwrap()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([authority]).build().unwrap();
    let status = format!("{}/containers/status", secure.url());
    let answer = client.get(&status).header("X-API-Key", KEY).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(client.get(&status).send().await.unwrap().status(), 401);

    let stranger = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    assert!(stranger.get(&status).send().await.is_err(), "a certificate of an authority that is not trusted");
    let plain = reqwest::Client::new().get(format!("http://{}/healthz", secure.replica.address()));
    assert!(plain.send().await.is_err(), "HTTP where HTTPS is configured");
}

#[tokio::test]
async fn the_command_line_speaks_https() {
    let secure = Secure::start();
    let (url, authority) = (secure.url(), secure.file("ca.pem"));
    let check = ["healthcheck", "--url", &url, "--ca-file", &authority];
    eventually("a good health check", PATIENCE, || async {
        (said(leasehold(&check)).await.code == Some(0)).then_some(())
    })
    .await;
    let mut command = leasehold(&["status", "-o", "name"]);
    command.env("LEASEHOLD_URL", &url).env("LEASEHOLD_CA_FILE", &authority).env("LEASEHOLD_API_KEY", KEY);
    assert_eq!(said(command).await.expect(0).stdout, "wine\n");

    said(leasehold(&["healthcheck", "--url", &url])).await.expect(1).complains_of(&["not ready", "certificate"]);
    let key = secure.file("server-key.pem");
    for (file, reason) in [("/nonexistent.pem", "No such file"), (key.as_str(), "no certificate")] {
        let said = said(leasehold(&["healthcheck", "--url", &url, "--ca-file", file])).await;
        said.expect(1).complains_of(&[file, reason]);
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_without_a_restart() {
    let secure = Secure::start();
    secure.shows("server.pem").await;
    let folder = secure.folder.path();
    tls::server_certificate(folder, "renewed");
    let former = folder.join("former.pem");
    fs::copy(folder.join("server.pem"), &former).unwrap();

    // One file without the other changes nothing, and is told.
    fs::rename(folder.join("renewed-key.pem"), folder.join("server-key.pem")).unwrap();
    eventually("the complaint", PATIENCE, || async {
        secure.replica.log().contains("the certificate stays as it was").then_some(())
    })
    .await;
    secure.shows("former.pem").await;
    fs::copy(folder.join("renewed.pem"), folder.join("server.pem")).unwrap();
    secure.shows("renewed.pem").await;
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    tls::authority(folder.path());
    tls::server_certificate(folder.path(), "server");
    tls::server_certificate(folder.path(), "other");
    fs::write(folder.path().join("empty.pem"), "").unwrap();
    fs::write(folder.path().join("broken.pem"), "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").unwrap();
    let good = ("server.pem", "server-key.pem");
    for (cert, key, file, reason) in [
        ("missing.pem", good.1, "missing.pem", "tls.cert_file"),
        (good.0, "missing.pem", "missing.pem", "tls.key_file"),
        ("empty.pem", good.1, "empty.pem", "no certificate"),
        ("broken.pem", good.1, "broken.pem", "not PEM"),
        (good.0, "empty.pem", "empty.pem", "no private key"),
        (good.0, "other-key.pem", "other-key.pem", "does not belong to the certificate of tls.cert_file"),
    ] {
        let mut command = leasehold(&["serve"]);
        command.env("LEASEHOLD_TLS__CERT_FILE", path(cert)).env("LEASEHOLD_TLS__KEY_FILE", path(key));
        said(command).await.expect(1).complains_of(&[&path(file), reason]);
    }
    let mut half = leasehold(&["serve"]);
    half.env("LEASEHOLD_TLS__CERT_FILE", path("server.pem"));
    said(half).await.expect(1).complains_of(&["tls.key_file", "with tls.cert_file, or neither"]);
}
