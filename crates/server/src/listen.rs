//! Accepts connections, each within limits on its number, headers and patience.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use run::Cancel;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use crate::error::{Error, Result};
use crate::peer::Peer;

/// Connections at once. A browser opens up to six; this is room for eighty of them. A guess.
const CONNECTIONS: usize = 512;

/// How long a request's head may take to arrive. A guess: a head is one packet.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// How long a peer may take nothing of what is written to it.
const WRITE_TIME: Duration = Duration::from_secs(30);

/// Largest head of a request in bytes. Browsers send about one thousand.
const LARGEST_HEAD: usize = 16 << 10;

/// Most header lines of a request. Browsers send about twenty.
const MOST_HEADERS: usize = 64;

/// How long requests under way get when the server stops, as WKMP's services have it.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long to wait when the system has no descriptor left, so that waiting does not spin. A guess.
const BREATH: Duration = Duration::from_millis(50);

/// Answers until `stop` is requested, and runs `beside` meanwhile.
pub(crate) fn serve(
    listener: std::net::TcpListener,
    router: &Router,
    beside: impl Future<Output = ()> + Send + 'static,
    stop: &Cancel,
) -> Result<()> {
    // Two threads write to browsers; everything that computes or reads the disk runs beside them.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("server")
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).map_err(Error::Runtime)?;
        tokio::spawn(beside);
        accept(&listener, router, stop).await;
        Ok(())
    })
}

async fn accept(listener: &TcpListener, router: &Router, stop: &Cancel) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let open = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.requested() => break,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        // One too many is hung up on at once, so that those inside are not disturbed.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let connection = open.watch(connection(stream, peer, router.clone()));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("a connection ended: {error}");
            }
            drop(place);
        });
    }
    // What streams without an end ends by itself, as it waits for the same request to stop.
    let _ = tokio::time::timeout(FAREWELL, open.shutdown()).await;
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send {
    // Small frames of an event stream are to be seen at once.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIME));
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        let router = router.clone();
        async move { Ok::<_, Infallible>(router.oneshot(request).await.unwrap_or_else(|e| match e {})) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(Box::pin(stream)), service)
}
