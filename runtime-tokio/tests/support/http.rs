//! HTTP, as much as tests need.

use axum::body::Bytes;
use axum::http::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A client of HTTP that is enough for requests whose bodies are at hand.
pub(crate) async fn fetch(request: Request<Bytes>) -> Response<Bytes> {
    let (parts, body) = request.into_parts();
    let authority = parts.uri.authority().expect("a whole URL").as_str();
    let mut stream = TcpStream::connect(authority).await.expect("the server listens");
    let mut head = format!(
        "{} {} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n",
        parts.method,
        parts.uri.path()
    );
    for (name, value) in &parts.headers {
        head += &format!("{name}: {}\r\n", value.to_str().expect("a text"));
    }
    head += &format!("content-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), &body].concat()).await.expect("the server reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("the server answers");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status");
    let mut response = Response::builder().status(status);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        response = response.header(name, value);
    }
    response.body(body.to_owned().into()).expect("a good response")
}
