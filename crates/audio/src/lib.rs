//! From a path to what is heard there, and where its passages are.
//!
//! | stage | from | to |
//! |---|---|---|
//! | [`decode`](mod@decode), [`analyse`] | a file | [`analyse::Analysis`], of one decoding |
//! | [`tags`] | a file | what it has written in itself |
//! | [`marks`], [`segment`](mod@segment) | a cue sheet or chapters, else levels and clues | the spans of its passages |
//! | [`fingerprint`](mod@fingerprint) | a passage's audio | Chromaprint |
//! | [`leads`](mod@leads), [`fades`](mod@fades), [`loudness`] | what was heard every 20 or 100 ms | crossfade points, EBU R128 |
//! | [`flavor`] | a passage's audio | how it sounds |
//!
//! A file is opened by a path without symbolic links where Linux can hold to that: a listing does not follow links, so one
//! that is there when a file is opened was put there since. Who has a path with links hands in what it leads to.
//!
//! A stage is a plain function from value to value. There is no database among the
//! dependencies of this crate, so none can be asked; and nothing here starts a thread,
//! prints, or uses the network.

pub mod analyse;
mod atoms;
pub mod contour;
pub mod decode;
mod extents;
pub mod fades;
pub mod fingerprint;
pub mod flavor;
mod frames;
mod input;
pub mod leads;
pub mod levels;
pub mod loudness;
pub mod marks;
pub mod overview;
mod polarity;
pub mod segment;
pub mod sound;
pub mod spool;
mod sums;
pub mod tags;
mod ticks;
mod vector;

pub use crate::ticks::Ticks;
