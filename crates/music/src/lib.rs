//! Takes a folder of audio into a library that an automatic radio can play from.
//!
//! The chain, in the order a file goes through it:
//!
//! | stage | from | to |
//! |---|---|---|
//! | [`scan`] | a folder | [`scan::ScannedFile`]s, by name only |
//! | [`plan`](mod@plan) | those and what is known | [`plan::Plan`]: who is new, moved, a copy, gone |
//! | [`recognise`] | a file | its content's name, if it is what its own name says |
//! | [`tags`] | a file | [`tags::Tags`] |
//! | [`decode`](mod@decode), [`analyse`] | a file | [`analyse::Analysis`], of one decoding |
//! | [`marks`], [`segment`] | a cue sheet or chapters, else levels and clues | the spans of its passages |
//! | [`fingerprint`](mod@fingerprint) | a passage's audio | Chromaprint |
//! | [`leads`](mod@leads), [`fades`](mod@fades), [`loudness`] | what was heard every 20 or 100 ms | crossfade points, EBU R128 |
//! | [`flavor`] | a passage's audio | how it sounds |
//! | [`record`] | a [`record::FileRecord`] | rows, in one transaction |
//!
//! Only [`known`], [`query`] and [`settings`] read the database, only [`record`]
//! and [`settings`] write to it, and only the chain in [`import()`] starts threads.
//! Nothing here prints; what happens leaves as [`Event`]s.

pub mod analyse;
pub mod check;
pub mod decode;
mod error;
mod event;
pub mod export;
pub mod fades;
pub mod fingerprint;
pub mod flavor;
pub mod hash;
mod id;
pub mod identify;
mod import;
pub mod known;
pub mod leads;
pub mod levels;
mod library;
pub mod loudness;
pub mod marks;
pub mod overview;
pub mod picture;
pub mod plan;
pub mod query;
pub mod recognise;
pub mod record;
pub mod review;
pub mod scan;
pub mod segment;
pub mod settings;
pub mod similar;
pub mod sound;
pub mod spool;
pub mod tags;
mod take_in;
mod ticks;

pub use crate::error::{Error, Result};
pub use crate::event::{Completed, Event, FileCounts};
pub use crate::id::{FileId, PassageId, SessionId};
pub use crate::import::{Import, import};
pub use crate::library::{DATABASE, Library};
pub use crate::ticks::Ticks;
