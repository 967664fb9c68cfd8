//! Places for bytes: a folder on this machine, S3, R2, `MinIO`, or Google Cloud Storage, behind one interface.
//!
//! - **Nothing is stored until the store has said so.** [`Bucket::store_file`] returns a [`Stored`] only after the size
//!   and a digest were confirmed: by the store's own digest where it has one that can be predicted, by reading the object
//!   back where it has not.
//! - **An interrupted upload goes on.** What a store has confirmed of a large file is kept in a small file beside it
//!   ([`Upload`]), part by part, and no confirmed part is sent again.
//! - **No object is ever whole in memory.** Files go up in parts, of which a fixed number is in memory for the whole
//!   process, and come down as a stream.
//! - **Secrets stay.** Credentials come from the environment, the usual files, or the machine's own identity, and are
//!   neither written nor shown.
//!
//! It knows neither books nor music: a [`Key`] is a relative path, [`Metadata`] are pairs of text.

mod bucket;
mod connect;
mod credentials;
mod error;
mod key;
mod kind;
mod local;
mod names;
mod object;
mod remote;
mod settings;
mod upload;

pub use bucket::Bucket;
pub use bytes::Bytes;
pub use error::{Error, Reason};
pub use key::Key;
pub use kind::Kind;
pub use object::{Child, Entry, Head, Metadata, Proof, Reader, Stored};
pub use remote::Remote;
pub use settings::Settings;
pub use upload::{Digests, PART_BYTES, Parts, SHA256, Upload};
