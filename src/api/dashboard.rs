//! `/`: the dashboard. Its files are built from `web/` by `scripts/web.sh` and embedded; where they were not built, the page says
//! how to do that.

use std::{borrow::Cow, fmt::Write as _};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderValue},
    web,
};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::Problem;

#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Built;

/// What the page may load, and do: its own files and its own server. Text of containers that got into a page as markup could do
/// nothing.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The names of assets have a hash of their content in them.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Leasehold</title>\
    <h1>Leasehold runs</h1><p>This program was built without its dashboard. With Node 20 or later and npm, <code>scripts/web.sh</code> \
    builds it; then build the program again. <code>make run</code> does both.</p>\
    <p><a href=\"docs/\">The API</a></p></html>\n";

/// The page and its assets.
pub(super) fn pages(routes: &mut web::ServiceConfig) {
    routes.route("/", web::get().to(page)).route("/assets/{file}", web::get().to(asset));
}

async fn page(request: HttpRequest) -> HttpResponse {
    match Built::get("index.html") {
        Some(file) => answer(&request, "index.html", file, "no-cache"),
        None => HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
            .body(NOT_BUILT),
    }
}

async fn asset(request: HttpRequest, file: web::Path<String>) -> Result<HttpResponse, Problem> {
    let name = format!("assets/{file}");
    let built = Built::get(&name).ok_or_else(|| Problem::no_route(request.path()))?;
    Ok(answer(&request, &name, built, FOR_EVER))
}

/// A file as it is, or compressed where the client takes that.
fn answer(request: &HttpRequest, name: &str, file: EmbeddedFile, keep: &'static str) -> HttpResponse {
    let etag = etag(&file);
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::CACHE_CONTROL, keep))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::VARY, "Accept-Encoding"))
        .insert_header((header::ETAG, etag.clone()));
    if names(request, &header::IF_NONE_MATCH, |known| known.trim_start_matches("W/") == etag.trim_start_matches("W/")) {
        return answer.status(actix_web::http::StatusCode::NOT_MODIFIED).finish();
    }
    answer.content_type(content_type(name));
    let compressed =
        if names(request, &header::ACCEPT_ENCODING, is_gzip) { Built::get(&format!("{name}.gz")) } else { None };
    match compressed {
        Some(file) => answer.insert_header((header::CONTENT_ENCODING, "gzip")).body(bytes(file)),
        None => answer.body(bytes(file)),
    }
}

/// Weak: the same for both encodings.
fn etag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let mut tag = String::from("W/\"");
    for byte in &hash[..12] {
        let _ = write!(tag, "{byte:02x}");
    }
    tag + "\""
}

/// Whether one of a header's words, which commas part, is as wanted.
fn names(request: &HttpRequest, name: &header::HeaderName, wanted: impl Fn(&str) -> bool) -> bool {
    let words = request.headers().get(name).map(HeaderValue::to_str);
    words.and_then(Result::ok).is_some_and(|words| words.split(',').any(|word| wanted(word.trim())))
}

fn is_gzip(word: &str) -> bool {
    let (name, quality) = word.split_once(';').unwrap_or((word, ""));
    let refused = quality.trim().strip_prefix("q=").and_then(|q| q.parse().ok()).is_some_and(|q: f32| q <= 0.0);
    name.trim() == "gzip" && !refused
}

fn bytes(file: EmbeddedFile) -> web::Bytes {
    match file.data {
        Cow::Borrowed(data) => web::Bytes::from_static(data),
        Cow::Owned(data) => data.into(),
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::is_gzip;

    #[test]
    fn a_client_may_refuse_what_is_compressed() {
        for (word, taken) in
            [("gzip", true), ("gzip;q=0.5", true), ("gzip; q=0", false), ("br", false), ("x-gzip", false)]
        {
            assert_eq!(is_gzip(word), taken, "{word}");
        }
    }
}
