//! An engine behind TLS, as `dockerd --tlsverify` serves it: certificates of an authority made for the test, and a
//! client must show one.

use std::{net::SocketAddr, path::Path, process::Command, sync::Arc};

use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, UnixStream},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        server::WebPkiClientVerifier,
    },
};

/// Serves until it is dropped.
pub struct Secure {
    at: SocketAddr,
    folder: TempDir,
    task: JoinHandle<()>,
}

impl Secure {
    /// TLS on a free port, before a Unix socket.
    pub async fn before(socket: &'static str) -> Self {
        // As the program's `main` does; another test may have been first.
        let _ = ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a temporary folder");
        certify(folder.path());
        let acceptor = TlsAcceptor::from(Arc::new(server(folder.path())));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let at = listener.local_addr().expect("its address");
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut near) = acceptor.accept(near).await else { return };
                    let Ok(mut far) = UnixStream::connect(socket).await else { return };
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Self { at, folder, task }
    }

    /// Where it serves.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// A client's `ca.pem`, `cert.pem` and `key.pem`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Secure {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn server(folder: &Path) -> ServerConfig {
    let file = |name: &str| folder.join(name);
    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_file(file("ca.pem")).expect("an authority")).expect("a good authority");
    let clients = WebPkiClientVerifier::builder(Arc::new(trusted)).build().expect("clients are checked");
    let certificate = CertificateDer::from_pem_file(file("server.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(file("server-key.pem")).expect("its key");
    ServerConfig::builder()
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![certificate], key)
        .expect("a good certificate")
}

/// An authority, and from it a certificate for the server at 127.0.0.1 and one for a client.
pub fn certify(folder: &Path) {
    authority(folder);
    server_certificate(folder, "server");
    sign(folder, "client", "cert.pem", "key.pem", "extendedKeyUsage=clientAuth");
}

/// Makes an authority: `ca.pem`, and its key.
pub fn authority(folder: &Path) {
    make(folder, "authority", "ca.pem", "ca-key.pem", &[]);
}

/// Makes a certificate of the folder's authority for a server at 127.0.0.1: `<name>.pem` and `<name>-key.pem`.
pub fn server_certificate(folder: &Path, name: &str) {
    let (certificate, secret) = (format!("{name}.pem"), format!("{name}-key.pem"));
    sign(folder, name, &certificate, &secret, "subjectAltName=IP:127.0.0.1");
}

fn sign(folder: &Path, name: &str, certificate: &str, secret: &str, extension: &str) {
    let leaf = "basicConstraints=critical,CA:FALSE";
    let by = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-addext", leaf, "-addext", extension];
    make(folder, name, certificate, secret, &by);
}

fn make(folder: &Path, name: &str, certificate: &str, secret: &str, more: &[&str]) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-subj", &format!("/CN=leasehold test {name}"), "-out", certificate, "-keyout", secret])
        .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(more)
        .current_dir(folder)
        .output()
        .expect("openssl must be installed: `make setup` does it");
    assert!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
}
