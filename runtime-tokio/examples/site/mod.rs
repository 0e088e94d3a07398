//! A site of one page, and one endpoint of WHIP or WHEP that the page speaks to: what examples share that are about the media
//! itself.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use axum::response::Html;
use axum::routing::{any, get};
use pavane_tokio::PeerConnection;
use pavane_whip::{Endpoint, Kind};
use tokio::net::TcpListener;

/// The page, as far as it differs.
pub(crate) struct Page {
    /// Its heading.
    pub(crate) title: &'static str,
    /// The functions that its buttons call, in their order, each by its name.
    pub(crate) actions: &'static [&'static str],
    /// What defines them. It has `open(peer)`, which offers a connection to the endpoint and gives the session's URL, and
    /// `video`, and says things by `show(text)`.
    pub(crate) script: &'static str,
}

/// What makes the connection for an offer.
type Accept = Box<dyn Fn() -> Result<PeerConnection, StatusCode> + Send + Sync>;

struct Site {
    endpoint: Endpoint,
    accept: Accept,
}

/// Bytes of a request at most.
const MAX_REQUEST: usize = 64 * 1024;

/// Binds a port of the loopback interface, any that is free if it is 0; gives the URL too.
pub(crate) async fn bind(port: u16) -> io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());
    Ok((listener, url))
}

/// Serves the page and the endpoint.
pub(crate) async fn serve(
    listener: TcpListener,
    kind: Kind,
    page: Page,
    accept: impl Fn() -> Result<PeerConnection, StatusCode> + Send + Sync + 'static,
) -> io::Result<()> {
    let page = page.write();
    let site = Arc::new(Site { endpoint: Endpoint::new(kind, PATH), accept: Box::new(accept) });
    let app = Router::new()
        .route("/", get(|| async { Html(page) }))
        .route(PATH, any(handle))
        .route(&format!("{PATH}/{{id}}"), any(handle))
        .with_state(site);
    axum::serve(listener, app).await
}

/// The endpoint's.
const PATH: &str = "/media";

async fn handle(State(site): State<Arc<Site>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_REQUEST).await else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return response;
    };
    let request = axum::http::Request::from_parts(parts, body);
    site.endpoint.handle(request, |_, _| (site.accept)()).await.map(Body::from)
}

impl Page {
    fn write(&self) -> String {
        let button = |action| {
            let mut label = String::from(action);
            label[..1].make_ascii_uppercase();
            format!(r#"<button id="{action}">{label}</button>"#)
        };
        let buttons: String = self.actions.iter().copied().map(button).collect();
        FRAME
            .replace("TITLE", self.title)
            .replace("BUTTONS", &buttons)
            .replace("ACTIONS", &self.actions.join(", "))
            .replace("SCRIPT", self.script)
            .replace("PATH", PATH)
    }
}

const FRAME: &str = r#"<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>TITLE</title>
<link rel="icon" href="data:,">
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
  video { width: 100%; aspect-ratio: 4/3; background: #222; border-radius: .5rem }
  button { font: inherit; padding: .4rem 1rem; margin: 0 .5rem 1rem 0 }
</style>
<h1>TITLE</h1>
BUTTONS <span id="state"></span>
<video id="video" autoplay playsinline muted controls></video>
<script>
  const show = (text) => { document.getElementById("state").textContent = text; };
  const video = document.getElementById("video");

  async function open(peer) {
    peer.onconnectionstatechange = () => show(peer.connectionState);
    await peer.setLocalDescription();
    if (peer.iceGatheringState !== "complete") {
      await new Promise((resolve) => {
        peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && resolve();
      });
    }
    const headers = { "content-type": "application/sdp" };
    const response = await fetch("PATH", { method: "POST", headers, body: peer.localDescription.sdp });
    if (!response.ok) throw new Error(`the program says ${response.status}`);
    await peer.setRemoteDescription({ type: "answer", sdp: await response.text() });
    return response.headers.get("location");
  }
SCRIPT
  for (const [name, action] of Object.entries({ ACTIONS })) {
    document.getElementById(name).onclick = () => action().catch((error) => show(error.message));
  }
</script>
</html>
"#;
