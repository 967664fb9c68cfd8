//! Who is at the other end of a connection.

use std::net::SocketAddr;

/// The address from which a request came, among the request's extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);
