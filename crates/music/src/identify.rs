//! Ties passages to their `MusicBrainz` recordings: what services on the network say, weighed.

pub mod album;
pub mod catalogue;
pub mod evidence;
pub mod rip;
pub mod text;
