//! Reads a gzip file to its end: all its members, each proved by its length and checksum.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

use super::{Broken, Hashing};

/// What comes after the last member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Nothing, or zeros, as tapes leave them.
    Clean,
    /// So many other bytes.
    Followed(u64),
}

/// The members of a gzip file, unpacked one after the other.
pub(super) struct Members<R: Read> {
    state: State<R>,
    /// Bytes that may still come out.
    left: u64,
    most: u64,
    read: u64,
}

enum State<R: Read> {
    Within(Box<GzDecoder<BufReader<Hashing<R>>>>),
    Done(Box<BufReader<Hashing<R>>>, Ended),
    Failed,
}

impl<R: Read> Members<R> {
    /// At most `most` bytes come out.
    pub(super) fn new(source: BufReader<Hashing<R>>, most: u64) -> Self {
        Self {
            state: State::Within(Box::new(GzDecoder::new(source))),
            left: most,
            most,
            read: 0,
        }
    }

    /// Reads to the end, and gives what computed the digests of every byte.
    pub(super) fn finish(mut self) -> Result<(Ended, Hashing<R>), Broken> {
        io::copy(&mut self, &mut io::sink()).map_err(broken)?;
        match self.state {
            State::Done(source, ended) => Ok((ended, source.into_inner())),
            State::Within(_) | State::Failed => {
                Err(Broken::Gzip("it cannot be read to its end".to_owned()))
            }
        }
    }

    /// After a member: another one, or the end.
    fn next_member(mut source: BufReader<Hashing<R>>) -> io::Result<State<R>> {
        let mut others = 0;
        loop {
            let bytes = source.fill_buf()?;
            if bytes.is_empty() {
                let ended = if others == 0 {
                    Ended::Clean
                } else {
                    Ended::Followed(others)
                };
                return Ok(State::Done(Box::new(source), ended));
            }
            if others == 0 {
                let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
                if zeros > 0 {
                    source.consume(zeros);
                    continue;
                }
                if bytes[0] == 0x1f && bytes.get(1).is_none_or(|byte| *byte == 0x8b) {
                    return Ok(State::Within(Box::new(GzDecoder::new(source))));
                }
            }
            let count = bytes.len();
            others += count as u64;
            source.consume(count);
        }
    }
}

impl<R: Read> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let State::Within(decoder) = &mut self.state else {
                return Ok(0);
            };
            let read = match decoder.read(buffer) {
                Ok(read) => read,
                Err(error) => {
                    self.state = State::Failed;
                    return Err(error);
                }
            };
            if read > 0 || buffer.is_empty() {
                self.read += read as u64;
                self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
                    io::Error::new(
                        io::ErrorKind::FileTooLarge,
                        format!("it unpacks to more than {} bytes", self.most),
                    )
                })?;
                return Ok(read);
            }
            let State::Within(decoder) = std::mem::replace(&mut self.state, State::Failed) else {
                return Ok(0);
            };
            self.state = Self::next_member(decoder.into_inner())?;
        }
    }
}

/// What an error of reading says about the archive.
pub(super) fn broken(error: io::Error) -> Broken {
    match error.kind() {
        io::ErrorKind::FileTooLarge => Broken::Hostile(error.to_string()),
        io::ErrorKind::UnexpectedEof => Broken::Gzip("it is cut short".to_owned()),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Broken::Gzip(error.to_string()),
        _ => Broken::Unreadable(error),
    }
}
