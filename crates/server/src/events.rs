//! Live events: one ring for all who listen, and a stream for each.
//!
//! Who tells never waits. A listener who is too slow misses the oldest frames and gets a snapshot instead, so
//! that what it shows is right again; one who takes nothing at all is hung up on by the connection's write limit.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::header::CACHE_CONTROL;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use run::Cancel;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast};

/// Frames that a slow listener may lie behind before it loses the oldest. At one frame a second for each import
/// this is four minutes. A guess.
const RING: usize = 256;

/// How often a silent stream says that it is alive, as WKMP's does.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// One event as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    id: u64,
    name: &'static str,
    data: String,
}

/// Where events are told.
#[derive(Debug)]
pub(crate) struct Ring {
    sender: broadcast::Sender<Arc<Frame>>,
    last: AtomicU64,
}

impl Ring {
    pub(crate) fn new() -> Self {
        Self {
            sender: broadcast::Sender::new(RING),
            last: AtomicU64::new(0),
        }
    }

    /// Tells everyone who listens.
    pub(crate) fn tell(&self, name: &'static str, data: &serde_json::Value) {
        let frame = Frame {
            id: self.last.fetch_add(1, Ordering::Relaxed) + 1,
            name,
            data: data.to_string(),
        };
        // Without listeners there is nobody to tell, which is well.
        let _ = self.sender.send(Arc::new(frame));
    }

    fn frame(&self, (name, data): (&'static str, serde_json::Value)) -> Arc<Frame> {
        Arc::new(Frame {
            id: self.last.load(Ordering::Relaxed),
            name,
            data: data.to_string(),
        })
    }
}

/// A stream that begins with a snapshot, if there is one, and ends when `stop` is requested. It holds its `place` among
/// the streams for as long as it lasts.
pub(crate) fn stream(
    ring: &Arc<Ring>,
    stop: Cancel,
    place: OwnedSemaphorePermit,
    snapshot: impl Fn() -> Option<(&'static str, serde_json::Value)> + Send + 'static,
) -> Response {
    let receiver = ring.sender.subscribe();
    let first = snapshot().map(|told| ring.frame(told));
    let ring = Arc::clone(ring);
    let frames = futures_util::stream::unfold(
        (receiver, first, stop, snapshot, ring, place),
        |(mut receiver, first, stop, snapshot, ring, place)| async move {
            let frame = match first {
                Some(frame) => frame,
                None => loop {
                    let received = tokio::select! {
                        received = receiver.recv() => received,
                        _ = stop.requested() => return None,
                    };
                    match received {
                        Ok(frame) => break frame,
                        Err(RecvError::Closed) => return None,
                        Err(RecvError::Lagged(_)) => {
                            if let Some(told) = snapshot() {
                                break ring.frame(told);
                            }
                        }
                    }
                },
            };
            let event = Event::default()
                .id(frame.id.to_string())
                .event(frame.name)
                .data(&frame.data);
            Some((Ok(event), (receiver, None, stop, snapshot, ring, place)))
        },
    );
    answer(frames)
}

/// A stream that only tells that there is a connection.
pub(crate) fn lamp(stop: Cancel, place: OwnedSemaphorePermit) -> Response {
    let state = (stop, place, false);
    let frames = futures_util::stream::unfold(state, |(stop, place, is_told)| async move {
        if is_told {
            stop.requested().await;
            return None;
        }
        let event = Event::default().event("ConnectionStatus").data("connected");
        Some((Ok(event), (stop, place, true)))
    });
    answer(frames)
}

fn answer(frames: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    let sse = Sse::new(frames).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("heartbeat"));
    let mut response = sse.into_response();
    response.headers_mut().insert(
        CACHE_CONTROL,
        axum::http::HeaderValue::from_static("no-cache, no-transform"),
    );
    response.headers_mut().insert(
        "x-accel-buffering",
        axum::http::HeaderValue::from_static("no"),
    );
    response
}
