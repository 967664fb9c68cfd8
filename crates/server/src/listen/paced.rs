//! A connection whose peer has to take what is written to it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Ends with [`io::ErrorKind::TimedOut`] once a piece that is written has not been taken whole within a time: so neither
/// who reads nothing keeps a connection, nor who reads a byte now and then.
#[derive(Debug)]
pub(super) struct Paced<S> {
    stream: S,
    time: Duration,
    /// Runs from the moment at which a piece could not be written until it is.
    limit: Option<Pin<Box<Sleep>>>,
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S, time: Duration) -> Self {
        Self {
            stream,
            time,
            limit: None,
        }
    }

    /// What became of writing `length` bytes.
    fn judged(
        &mut self,
        context: &mut Context<'_>,
        length: usize,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(count)) if count < length => {}
            Poll::Ready(_) => self.limit = None,
            Poll::Pending => {
                let time = self.time;
                let limit = self.limit.get_or_insert_with(|| Box::pin(sleep(time)));
                ready!(limit.as_mut().poll(context));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judged(context, bytes.len(), written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        let length = pieces.iter().map(|piece| piece.len()).sum();
        self.judged(context, length, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const TIME: Duration = Duration::from_millis(600);

    /// Writes pieces to a peer that takes `bytes` every third of the time, and tells how it ended, and how long that took.
    async fn written(bytes: usize) -> (Option<io::ErrorKind>, Duration) {
        let (ours, mut theirs) = duplex(1_000);
        tokio::spawn(async move {
            let mut taken = vec![0; bytes];
            loop {
                sleep(TIME / 3).await;
                if theirs.read_exact(&mut taken).await.is_err() {
                    break;
                }
            }
        });
        let mut paced = Paced::new(ours, TIME);
        let began = std::time::Instant::now();
        for _ in 0..10 {
            if let Err(error) = paced.write_all(&[0; 2_000]).await {
                return (Some(error.kind()), began.elapsed());
            }
        }
        (None, began.elapsed())
    }

    #[tokio::test]
    async fn who_takes_little_is_given_up_as_who_takes_nothing_is() {
        let timed_out = Some(io::ErrorKind::TimedOut);
        let (ended, took) = written(1).await;
        assert_eq!(ended, timed_out, "a byte now and then");
        assert!(took >= TIME, "{took:?}");
        let (ended, took) = written(1_000).await;
        assert_eq!(ended, None, "a piece in two thirds of the time");
        assert!(took > 5 * TIME, "{took:?}");
    }
}
