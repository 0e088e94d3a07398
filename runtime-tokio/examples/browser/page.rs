//! The page, which is part of the program.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Path, media type and content of each file.
const FILES: [(&str, &str, &str); 17] = [
    ("/", HTML, include_str!("index.html")),
    ("/style.css", CSS, include_str!("style.css")),
    ("/app.js", SCRIPT, include_str!("app.js")),
    ("/chat.js", SCRIPT, include_str!("chat.js")),
    ("/dom.js", SCRIPT, include_str!("dom.js")),
    ("/echo.js", SCRIPT, include_str!("echo.js")),
    ("/figures.js", SCRIPT, include_str!("figures.js")),
    ("/floor.js", SCRIPT, include_str!("floor.js")),
    ("/media.js", SCRIPT, include_str!("media.js")),
    ("/mediafigures.js", SCRIPT, include_str!("mediafigures.js")),
    ("/plot.js", SCRIPT, include_str!("plot.js")),
    ("/session.js", SCRIPT, include_str!("session.js")),
    ("/sha256.js", SCRIPT, include_str!("sha256.js")),
    ("/source.js", SCRIPT, include_str!("source.js")),
    ("/throughput.js", SCRIPT, include_str!("throughput.js")),
    ("/timeline.js", SCRIPT, include_str!("timeline.js")),
    ("/units.js", SCRIPT, include_str!("units.js")),
];

pub(crate) async fn serve(uri: Uri) -> Response {
    let Some((_, kind, content)) = FILES.iter().find(|(path, ..)| *path == uri.path()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    ([(CONTENT_TYPE, *kind), (CACHE_CONTROL, "no-store")], *content).into_response()
}
