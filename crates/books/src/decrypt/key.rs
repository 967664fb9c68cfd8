//! The key of a message that a passphrase opens. Making it slow is its purpose: `gpg` has 65 MB hashed for each message.
//!
//! `pgp` hashes salt and passphrase some thirty bytes at a time, and with a SHA-1 that looks for collisions, which a
//! passphrase need not fear. Here the same bytes are hashed in large pieces, as `gpg` does it, and those of several
//! messages side by side (`lanes`). Each message has a salt of its own, so no key is that of another message.

use md5::Digest;
use pgp::composed::{Esk, Message, PlainSessionKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::SymKeyEncryptedSessionKey;
use pgp::types::StringToKey;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::lanes::{self, LANES};

/// Bytes that are hashed at a time: as large as a cache is near.
const PIECE: usize = 16 << 10;

/// Bytes that are hashed for a key for which it pays to look for others.
const SLOW: usize = 1 << 20;

/// The longest salt and passphrase of which several are hashed side by side.
const LONGEST: usize = 1 << 10;

/// A key that takes long to derive.
#[derive(Clone, PartialEq, Eq)]
pub struct Slow {
    once: Vec<u8>,
    count: usize,
    size: usize,
}

/// A key that was derived before its message is decrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct Derived {
    of: Slow,
    key: Vec<u8>,
}

impl Slow {
    /// That of a message that one passphrase opens, if it is one.
    pub(super) fn of_message(message: &Message<'_>, passphrase: &[u8]) -> Option<Self> {
        let packet = only_packet(message)?;
        let StringToKey::IteratedAndSalted {
            hash_alg: HashAlgorithm::Sha1,
            salt,
            count,
        } = packet.s2k()?
        else {
            return None;
        };
        let slow = Self {
            once: [&salt[..], passphrase].concat(),
            count: bytes(*count),
            size: key_size(packet)?,
        };
        (slow.count >= SLOW && slow.once.len() <= LONGEST).then_some(slow)
    }

    /// How many digests it takes.
    pub fn digests(&self) -> usize {
        self.size.div_ceil(20)
    }

    /// Whether it can be derived beside another one.
    pub fn goes_with(&self, other: &Self) -> bool {
        self.count == other.count && self.once.len() == other.once.len()
    }

    fn messages(&self) -> impl Iterator<Item = lanes::Message<'_>> {
        (0..self.digests()).map(move |zeros| lanes::Message {
            zeros,
            once: &self.once,
            count: self.count,
        })
    }
}

/// Digests that are made at once at most, and for how many that is sooner done than one after the other; `None` where it
/// never is.
pub fn side_by_side() -> Option<(usize, usize)> {
    Some((LANES, lanes::worthwhile()?))
}

/// Derives keys that [go with](Slow::goes_with) each other.
pub fn derive(slow: &[Slow]) -> Vec<Derived> {
    let messages: Vec<_> = slow.iter().flat_map(Slow::messages).collect();
    let worthwhile = lanes::worthwhile().unwrap_or(usize::MAX);
    let digests: Vec<[u8; 20]> = messages
        .chunks(LANES)
        .flat_map(|some| {
            if some.len() >= worthwhile {
                lanes::digests(some)
            } else {
                some.iter().map(alone).collect()
            }
        })
        .collect();
    let mut digests = digests.into_iter();
    slow.iter()
        .map(|slow| {
            let mut key: Vec<u8> = digests.by_ref().take(slow.digests()).flatten().collect();
            key.truncate(slow.size);
            Derived {
                of: slow.clone(),
                key,
            }
        })
        .collect()
}

fn alone(message: &lanes::Message<'_>) -> [u8; 20] {
    let mut hasher = Sha1::new();
    hasher.update(vec![0; message.zeros]);
    repeat(&mut hasher, message.once, message.count);
    hasher.finalize().into()
}

/// The key of a message that one passphrase opens. Of several, `pgp` finds out which one is meant.
pub(super) fn of_message(
    message: &Message<'_>,
    passphrase: &[u8],
    derived: Option<Derived>,
) -> Option<PlainSessionKey> {
    let known = derived
        .filter(|known| Slow::of_message(message, passphrase).is_some_and(|slow| slow == known.of));
    session_key(only_packet(message)?, passphrase, known)
}

fn only_packet<'a>(message: &'a Message<'_>) -> Option<&'a SymKeyEncryptedSessionKey> {
    let Message::Encrypted { esk, .. } = message else {
        return None;
    };
    match esk.as_slice() {
        [Esk::SymKeyEncryptedSessionKey(packet)] => Some(packet),
        _ => None,
    }
}

/// Bytes of a packet's key; `None` where it is made in another way, which is left to `pgp`.
fn key_size(packet: &SymKeyEncryptedSessionKey) -> Option<usize> {
    let is_usual = matches!(
        packet,
        SymKeyEncryptedSessionKey::V4 { .. } | SymKeyEncryptedSessionKey::V5 { .. }
    );
    let size = packet.sym_algorithm()?.key_size();
    (is_usual && size > 0).then_some(size)
}

/// The key in `packet`; `None` where it is made in another way, which is left to `pgp`.
fn session_key(
    packet: &SymKeyEncryptedSessionKey,
    passphrase: &[u8],
    known: Option<Derived>,
) -> Option<PlainSessionKey> {
    let size = key_size(packet)?;
    let key = match known {
        Some(known) => known.key,
        None => derived(packet.s2k()?, passphrase, size)?,
    };
    match packet {
        // It is the key of the message itself, and of no other key.
        SymKeyEncryptedSessionKey::V4 {
            sym_algorithm,
            encrypted_key,
            ..
        } if encrypted_key.is_empty() => Some(PlainSessionKey::V3_4 {
            sym_alg: *sym_algorithm,
            key: key.into(),
        }),
        other => other.decrypt(key).ok(),
    }
}

fn derived(way: &StringToKey, passphrase: &[u8], size: usize) -> Option<Vec<u8>> {
    let StringToKey::IteratedAndSalted {
        hash_alg,
        salt,
        count,
    } = way
    else {
        return None;
    };
    let once = [&salt[..], passphrase].concat();
    let count = bytes(*count).max(once.len());
    match hash_alg {
        HashAlgorithm::Sha1 => Some(hashed::<Sha1>(&once, count, size)),
        HashAlgorithm::Sha256 => Some(hashed::<Sha256>(&once, count, size)),
        HashAlgorithm::Sha512 => Some(hashed::<Sha512>(&once, count, size)),
        _ => None,
    }
}

/// Bytes that a coded count stands for (RFC 9580, section 3.7.1.3): a count in four bits and an exponent in four.
fn bytes(coded: u8) -> usize {
    (16 + usize::from(coded & 15)) << (usize::from(coded >> 4) + 6)
}

/// `count` bytes of `once` over and over, hashed after no zero, one, two and so on, until there are `size` bytes.
fn hashed<D: Digest>(once: &[u8], count: usize, size: usize) -> Vec<u8> {
    let mut key = Vec::new();
    let mut zeros = Vec::new();
    while key.len() < size {
        let mut hasher = D::new();
        hasher.update(&zeros);
        repeat(&mut hasher, once, count);
        key.extend_from_slice(&hasher.finalize());
        zeros.push(0);
    }
    key.truncate(size);
    key
}

/// Hashes `count` bytes of `once` over and over.
fn repeat(hasher: &mut impl Digest, once: &[u8], count: usize) {
    let many = once.repeat(PIECE / once.len() + 1);
    let mut left = count;
    while left > 0 {
        let part = left.min(many.len());
        hasher.update(&many[..part]);
        left -= part;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_derived_together_are_those_that_pgp_derives() {
        let way = |salt: u8| StringToKey::IteratedAndSalted {
            hash_alg: HashAlgorithm::Sha1,
            salt: [salt; 8],
            count: 160,
        };
        let slow: Vec<Slow> = (0..11)
            .map(|salt| Slow {
                once: [&[salt; 8][..], b"passphrase"].concat(),
                count: bytes(160),
                size: 32,
            })
            .collect();
        for some in [&slow[..1], &slow] {
            for (salt, derived) in (0..).zip(derive(some)) {
                let theirs = way(salt).derive_key(b"passphrase", 32).unwrap();
                let theirs: &[u8] = theirs.as_ref();
                assert!(derived.key == theirs, "{salt}");
            }
        }
    }

    #[test]
    fn keys_are_those_that_pgp_derives() {
        let hashes = [
            HashAlgorithm::Sha1,
            HashAlgorithm::Sha256,
            HashAlgorithm::Sha512,
        ];
        for hash_alg in hashes {
            for passphrase in ["x", "correct horse battery staple", &"long ".repeat(5_000)] {
                for count in [0, 96, 131] {
                    let salt = [7, 1, 2, 3, 4, 5, 6, 255];
                    let way = StringToKey::IteratedAndSalted {
                        hash_alg,
                        salt,
                        count,
                    };
                    for size in [16, 32, 80] {
                        let ours = derived(&way, passphrase.as_bytes(), size).unwrap();
                        let theirs = way.derive_key(passphrase.as_bytes(), size).unwrap();
                        let theirs: &[u8] = theirs.as_ref();
                        assert!(ours == theirs, "{hash_alg} {count} {size}");
                    }
                }
            }
        }
        let other = StringToKey::IteratedAndSalted {
            hash_alg: HashAlgorithm::Sha384,
            salt: [0; 8],
            count: 0,
        };
        assert!(derived(&other, b"x", 16).is_none());
    }
}
