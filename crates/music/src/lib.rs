//! Takes a folder of audio into a library that an automatic radio can play from.
//!
//! The rooms, and what may happen in each:
//!
//! | room | what it does | may not |
//! |---|---|---|
//! | [`job`] | one import with identification beside it; what a command line or a server calls | hold a statement |
//! | [`intake`] | a folder -> [`library::values::ScannedFile`]s -> [`intake::plan::Plan`] -> what `audio` hears -> records | hold a statement |
//! | [`heard`] | files heard on any machine -> records in a place -> the same library as an import | hold a statement |
//! | [`identify`] | weighs what a passage may be, asks services, fetches flavors and covers | hold a statement |
//! | [`services`] | one client for each web service, dumps | weigh |
//! | [`library`] | every statement on the database | ask the network |
//! | [`views`] | exports, pictures, neighbours | write |
//!
//! Nothing here prints; what happens leaves as [`Event`]s.

pub mod adopt;
pub mod catalogue;
pub mod edit;
mod error;
mod event;
pub mod heard;
mod id;
pub mod identify;
pub mod intake;
pub mod job;
pub mod library;
pub mod services;
pub mod views;

pub use crate::error::{Error, Result, Trouble};
pub use crate::event::{Change, Completed, Event, FileCounts, Group, Why};
pub use crate::id::{FileId, PassageId, SessionId};
pub use crate::intake::import::{Import, import};
pub use crate::intake::only::Only;
pub use crate::library::{DATABASE, Library};
pub use sqlite::State;
