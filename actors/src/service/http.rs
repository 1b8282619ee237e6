//! The metrics as a page, for Prometheus on the same host: `GET /metrics` of HTTP/1.x, and nothing else.
//!
//! One request a connection, read to the end of its head and no further, with a bound on size and time. Everybody on
//! the host may read it; there is nothing in it that a label could give away (see [`metrics`](crate::foundation::facts::metrics)).

use std::error::Error;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_supervisor::{ChildLink, Registry};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::api::scrape;
use crate::foundation::admission::{Entrance, Refusal, Room};
use crate::foundation::door::Protocol;
use crate::foundation::door::text_session::within;
use crate::service::ServiceEnvironment;

/// The largest head of a request.
const MAX_HEAD_BYTES: usize = 8 * 1024;
/// The longest that a request may take to arrive, and again its answer to be taken.
const DEADLINE: Duration = Duration::from_secs(5);
/// How many pages may be on their way at once; each is some 100 KiB. One client more is told to come back.
const PAGES: usize = 16;
/// Source: `OpenMetrics` 1.0, "Text format".
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// The page, at a door of its own.
pub struct MetricsPage {
    /// Whose metrics.
    pub environment: Arc<ServiceEnvironment>,
}

/// What the sessions of one instance of the door share.
pub struct PageService {
    environment: Arc<ServiceEnvironment>,
    registry: Registry,
    pages: Semaphore,
}

impl Protocol for MetricsPage {
    const NAME: &'static str = "metrics";
    const ENTRANCE: Entrance = Entrance::Metrics;
    type Listener = TcpListener;
    type Service = PageService;

    fn open(&self, link: &ChildLink) -> PageService {
        let (environment, registry) = (Arc::clone(&self.environment), link.registry.clone());
        PageService { environment, registry, pages: Semaphore::new(PAGES) }
    }

    fn turned_away(_: Refusal, _: Room) -> Vec<u8> {
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()
    }

    async fn serve(
        service: Rc<PageService>,
        client: TcpStream,
        closing: CancellationToken,
    ) -> Result<(), Box<dyn Error>> {
        // A scrape is dropped; the next one comes anyway.
        tokio::select! {
            () = closing.cancelled() => Ok(()),
            served = service.serve(client) => Ok(served?),
        }
    }
}

impl PageService {
    /// Everybody on the host may ask, and not read: what is kept for them is bounded by the number of pages.
    async fn serve(&self, client: TcpStream) -> io::Result<()> {
        let mut place = None;
        let page = async || {
            place = self.pages.try_acquire().ok();
            place.as_ref()?;
            self.page().await
        };
        serve(client, &self.environment.metrics, page).await
    }

    async fn page(&self) -> Option<String> {
        let make = scrape(&self.environment, &self.registry).await?;
        spawn_blocking(make).await.ok()
    }
}

/// What a client gets.
struct Response {
    status: &'static str,
    content_type: &'static str,
    body: String,
}

impl Response {
    fn plain(status: &'static str) -> Self {
        Self { status, content_type: PLAIN, body: format!("{status}\n") }
    }
}

/// Answers one request and closes the connection; `page` makes the metrics.
async fn serve(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    metrics: &crate::foundation::facts::metrics::Metrics,
    page: impl AsyncFnOnce() -> Option<String>,
) -> io::Result<()> {
    let head = within(DEADLINE, read_head(&mut client)).await??;
    let begin = Instant::now();
    let (word, response) = match head.as_deref().map(asked) {
        None => ("(invalid)", Response::plain("431 Request Header Fields Too Large")),
        Some(Asked::Metrics) => (
            "/metrics",
            match page().await {
                Some(body) => Response { status: "200 OK", content_type: OPENMETRICS, body },
                None => Response::plain("503 Service Unavailable"),
            },
        ),
        Some(Asked::AnotherPath) => ("(invalid)", Response::plain("404 Not Found")),
        Some(Asked::AnotherMethod) => ("(invalid)", Response::plain("405 Method Not Allowed")),
        Some(Asked::Nonsense) => ("(invalid)", Response::plain("400 Bad Request")),
    };
    let Response { status, content_type, body } = response;
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let sent = async {
        client.write_all(head.as_bytes()).await?;
        client.write_all(body.as_bytes()).await?;
        client.shutdown().await
    };
    within(DEADLINE, sent).await??;
    metrics.answered(MetricsPage::NAME, word, begin.elapsed());
    Ok(())
}

/// Reads up to the empty line; `None` when that is too far.
async fn read_head(client: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        if head.len() >= MAX_HEAD_BYTES {
            return Ok(None);
        }
        if client.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Some(head))
}

/// What the first line of a request asks for.
enum Asked {
    Metrics,
    AnotherPath,
    AnotherMethod,
    Nonsense,
}

fn asked(head: &[u8]) -> Asked {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let words: Vec<_> = line.split(|byte| *byte == b' ').collect();
    let [method, target, version] = words[..] else { return Asked::Nonsense };
    if !version.starts_with(b"HTTP/1.") {
        return Asked::Nonsense;
    }
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    match (method, path) {
        (_, path) if path != b"/metrics" => Asked::AnotherPath,
        (b"GET", _) => Asked::Metrics,
        _another => Asked::AnotherMethod,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;
    use tokio::time::timeout;

    use super::*;
    use crate::foundation::facts::metrics::Metrics;

    /// Sends `request`, and returns all that comes back.
    async fn exchange(request: &[u8]) -> String {
        let (mut ours, theirs) = duplex(1024 * 1024);
        let metrics = Metrics::new();
        let client = async {
            ours.write_all(request).await.unwrap();
            let mut answer = String::new();
            ours.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let page = async || Some("# EOF\n".to_owned());
        let both = async { tokio::join!(serve(theirs, &metrics, page), client) };
        let (served, answer) = timeout(Duration::from_secs(30), both).await.expect("somebody waits for ever");
        served.unwrap();
        answer
    }

    #[tokio::test]
    async fn the_metrics_are_a_page_of_openmetrics() {
        for request in ["GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "GET /metrics?x=1 HTTP/1.0\r\n\r\n"] {
            let expected = concat!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n",
                "Content-Length: 6\r\nConnection: close\r\n\r\n# EOF\n"
            );
            assert_eq!(exchange(request.as_bytes()).await, expected);
        }
    }

    #[tokio::test]
    async fn whatever_else_is_asked_has_its_status() {
        for (request, status) in [
            ("GET / HTTP/1.1\r\n\r\n", "404"),
            ("POST /other HTTP/1.1\r\n\r\n", "404"),
            ("POST /metrics HTTP/1.1\r\n\r\n", "405"),
            ("HEAD /metrics HTTP/1.1\r\n\r\n", "405"),
            ("GET /metrics HTTP/2\r\n\r\n", "400"),
            ("GET /metrics\r\n\r\n", "400"),
            ("\r\n\r\n", "400"),
            ("GET  /metrics HTTP/1.1\r\n\r\n", "400"),
        ] {
            let answer = exchange(request.as_bytes()).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {answer}");
        }
    }

    #[tokio::test]
    async fn a_head_that_does_not_end_is_refused() {
        let answer = exchange(&[b"GET /metrics HTTP/1.1\r\nX: ", &[b'x'; MAX_HEAD_BYTES][..]].concat()).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_says_nothing_is_dropped() {
        let (_ours, theirs) = duplex(1024);
        let begin = Instant::now();
        let served = serve(theirs, &Metrics::new(), async || None).await;
        assert_eq!(served.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(begin.elapsed(), DEADLINE);
    }
}
