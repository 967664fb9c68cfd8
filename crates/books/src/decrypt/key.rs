//! The key of a message that a passphrase opens. Making it slow is its purpose: `gpg` has 65 MB hashed for each message.
//!
//! `pgp` hashes salt and passphrase some thirty bytes at a time, and with a SHA-1 that looks for collisions, which a
//! passphrase need not fear. Here the same bytes are hashed in large pieces, as `gpg` does it.

use md5::Digest;
use pgp::composed::{Esk, Message, PlainSessionKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::SymKeyEncryptedSessionKey;
use pgp::types::StringToKey;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// Bytes that are hashed at a time: as large as a cache is near.
const PIECE: usize = 16 << 10;

/// The key of a message that one passphrase opens. Of several, `pgp` finds out which one is meant.
pub(super) fn of_message(message: &Message<'_>, passphrase: &[u8]) -> Option<PlainSessionKey> {
    let Message::Encrypted { esk, .. } = message else {
        return None;
    };
    match esk.as_slice() {
        [Esk::SymKeyEncryptedSessionKey(packet)] => session_key(packet, passphrase),
        _ => None,
    }
}

/// The key in `packet`; `None` where it is made in another way, which is left to `pgp`.
fn session_key(packet: &SymKeyEncryptedSessionKey, passphrase: &[u8]) -> Option<PlainSessionKey> {
    let is_usual = matches!(
        packet,
        SymKeyEncryptedSessionKey::V4 { .. } | SymKeyEncryptedSessionKey::V5 { .. }
    );
    let size = packet.sym_algorithm()?.key_size();
    if !is_usual || size == 0 {
        return None;
    }
    let key = derived(packet.s2k()?, passphrase, size)?;
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
    // RFC 9580, section 3.7.1.3: a count in four bits and an exponent in four.
    let count = (16 + usize::from(count & 15)) << (usize::from(count >> 4) + 6);
    let count = count.max(once.len());
    match hash_alg {
        HashAlgorithm::Sha1 => Some(hashed::<Sha1>(&once, count, size)),
        HashAlgorithm::Sha256 => Some(hashed::<Sha256>(&once, count, size)),
        HashAlgorithm::Sha512 => Some(hashed::<Sha512>(&once, count, size)),
        _ => None,
    }
}

/// `count` bytes of `once` over and over, hashed after no zero, one, two and so on, until there are `size` bytes.
fn hashed<D: Digest>(once: &[u8], count: usize, size: usize) -> Vec<u8> {
    let many = once.repeat(PIECE / once.len() + 1);
    let mut key = Vec::new();
    let mut zeros = Vec::new();
    while key.len() < size {
        let mut hasher = D::new();
        hasher.update(&zeros);
        let mut left = count;
        while left > 0 {
            let part = left.min(many.len());
            hasher.update(&many[..part]);
            left -= part;
        }
        key.extend_from_slice(&hasher.finalize());
        zeros.push(0);
    }
    key.truncate(size);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

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
