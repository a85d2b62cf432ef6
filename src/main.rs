//! The `leasehold` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    // rustls is built with one provider, and must be told so before the first use of TLS. Only a second call can fail.
    let _ = rustls::crypto::ring::default_provider().install_default();
    leasehold::cli::main()
}
