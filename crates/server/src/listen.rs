//! Accepts connections, each within limits on its number, headers and patience.

mod paced;

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
use tower::ServiceExt;

use crate::error::{Error, Result};
use crate::listen::paced::Paced;
use crate::peer::Peer;

/// Connections at once. A browser opens up to six; this is room for eighty of them. A guess.
const CONNECTIONS: usize = 512;

/// Connections of one address at once, so that the rest are for others. A guess: three quarters.
const OF_ONE: usize = CONNECTIONS / 4 * 3;

/// How long a request's head may take to arrive. A guess: a head is one packet.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// How long a peer may take for a piece of what is written to it, which has some 64 kB.
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
    let places = Places::default();
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
        let Some(place) = places.take(peer.ip()) else {
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

/// Who is connected: how many connections each address has.
#[derive(Debug, Clone, Default)]
struct Places(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A place of one connection; it is free again when this is dropped.
struct Place {
    places: Places,
    address: IpAddr,
}

impl Places {
    /// A place, if there is one, and the address does not have its share.
    fn take(&self, address: IpAddr) -> Option<Place> {
        let mut taken = self.taken();
        let has_room = taken.values().sum::<usize>() < CONNECTIONS
            && taken.get(&address).is_none_or(|count| *count < OF_ONE);
        has_room.then(|| {
            *taken.entry(address).or_default() += 1;
            let places = self.clone();
            Place { places, address }
        })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send {
    // Small frames of an event stream are to be seen at once.
    let _ = stream.set_nodelay(true);
    let stream = Paced::new(stream, WRITE_TIME);
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
        .serve_connection(TokioIo::new(stream), service)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn one_address_does_not_take_all_places_and_what_ended_is_free_again() {
        let places = Places::default();
        let address = |last| IpAddr::V4(Ipv4Addr::new(192, 168, 1, last));
        let taken = |last, wanted| -> Vec<Place> {
            let places = (0..wanted).filter_map(|_| places.take(address(last)));
            places.collect()
        };
        for _ in 0..2 {
            let first = taken(1, CONNECTIONS);
            assert_eq!(first.len(), OF_ONE);
            let second = taken(2, CONNECTIONS);
            assert_eq!(second.len(), CONNECTIONS - OF_ONE);
            assert!(places.take(address(3)).is_none());
        }
        assert!(places.taken().is_empty());
    }
}
