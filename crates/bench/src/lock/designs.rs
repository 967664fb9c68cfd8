//! The three ways to write down a file.

use std::collections::HashMap;

use rusqlite::types::Value;
use rusqlite::{CachedStatement, Connection, Row, params, params_from_iter};
use sqlite::Db;

use crate::lock::plan::{
    Entity, File, Kind, LINK_ALBUM, LINK_ARTIST, LINK_SONG, PASSAGE_COLUMNS, Passage,
    insert_passages,
};
use crate::lock::worker::Worker;

/// The label of design C's units.
pub(crate) const LABEL: &str = "record file";

/// Ids by MusicBrainz id.
type Ids = HashMap<String, String>;

/// Design A: one statement at a time, each its own transaction.
pub(crate) fn single_steps(worker: &Worker, file: &File) -> rusqlite::Result<()> {
    worker.transaction(|connection| store_passages(connection, file))?;
    for passage in &file.passages {
        let [song, artist, album] = [
            load_and_save(worker, passage, Kind::Song)?,
            load_and_save(worker, passage, Kind::Artist)?,
            load_and_save(worker, passage, Kind::Album)?,
        ];
        link(worker, passage, &song, &artist, &album)?;
    }
    Ok(())
}

fn load_and_save(worker: &Worker, passage: &Passage, kind: Kind) -> rusqlite::Result<String> {
    let entity = passage.entity(kind);
    let known = worker.retrying(|connection| load(connection, kind, &[entity]))?;
    let known = known.into_values().next();
    let entity = Entity {
        guid: known.unwrap_or_else(|| entity.guid.clone()),
        ..entity.clone()
    };
    let saved = worker.retrying(|connection| save(connection, kind, &[&entity]))?;
    Ok(saved[&entity.mbid].clone())
}

/// Design B: looked up outside, entities and passages in batches, links one by one.
pub(crate) fn batches(worker: &Worker, file: &File) -> rusqlite::Result<()> {
    for kind in Kind::ALL {
        worker.retrying(|connection| load(connection, kind, &file.distinct(kind)))?;
    }
    let ids = worker.transaction(|connection| {
        let mut ids = Ids::new();
        for kind in Kind::ALL {
            ids.extend(save(connection, kind, &file.distinct(kind))?);
        }
        Ok(ids)
    })?;
    worker.transaction(|connection| store_passages(connection, file))?;
    for passage in &file.passages {
        let [song, artist, album] = Kind::ALL.map(|kind| &ids[&passage.entity(kind).mbid]);
        link(worker, passage, song, artist, album)?;
    }
    Ok(())
}

/// Design C: everything in one unit of the write engine.
pub(crate) fn one_unit(db: &Db, file: File) -> Result<(), sqlite::Error> {
    db.write(LABEL, move |tx| {
        let mut ids = Ids::new();
        for kind in Kind::ALL {
            let sql = kind.upsert(1);
            for Entity { guid, mbid, name } in file.distinct(kind) {
                ids.extend(tx.returning(&sql, [guid, mbid, name], guid_and_mbid)?);
            }
        }
        let rows = file
            .passages
            .iter()
            .map(|passage| params_from_iter(values(&file, passage)));
        tx.insert_rows("passages", &PASSAGE_COLUMNS, "", rows)?;
        for passage in &file.passages {
            let [song, artist, album] = Kind::ALL.map(|kind| &ids[&passage.entity(kind).mbid]);
            let length = passage.end - passage.start;
            tx.execute(LINK_SONG, params![passage.guid, song, length])?;
            tx.execute(LINK_ARTIST, params![song, artist])?;
            tx.execute(LINK_ALBUM, params![passage.guid, album])?;
        }
        Ok(())
    })
}

fn load(connection: &Connection, kind: Kind, entities: &[&Entity]) -> rusqlite::Result<Ids> {
    let mut statement = connection.prepare_cached(&kind.select(entities.len()))?;
    let keys = params_from_iter(entities.iter().map(|entity| &entity.mbid));
    collect(&mut statement, keys)
}

fn save(connection: &Connection, kind: Kind, entities: &[&Entity]) -> rusqlite::Result<Ids> {
    let mut statement = connection.prepare_cached(&kind.upsert(entities.len()))?;
    let values = entities
        .iter()
        .flat_map(|entity| [&entity.guid, &entity.mbid, &entity.name]);
    collect(&mut statement, params_from_iter(values))
}

fn collect(
    statement: &mut CachedStatement<'_>,
    params: impl rusqlite::Params,
) -> rusqlite::Result<Ids> {
    let rows = statement.query_map(params, guid_and_mbid)?;
    rows.collect()
}

fn guid_and_mbid(row: &Row<'_>) -> rusqlite::Result<(String, String)> {
    Ok((row.get(1)?, row.get(0)?))
}

fn store_passages(connection: &Connection, file: &File) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(&insert_passages(file.passages.len()))?;
    let values = file
        .passages
        .iter()
        .flat_map(|passage| values(file, passage));
    statement.execute(params_from_iter(values)).map(drop)
}

/// A passage's row, in the order of [`PASSAGE_COLUMNS`].
fn values(file: &File, passage: &Passage) -> [Value; 8] {
    let song = passage.entity(Kind::Song);
    [
        passage.guid.clone().into(),
        file.guid.clone().into(),
        passage.start.into(),
        passage.end.into(),
        song.name.clone().into(),
        song.mbid.clone().into(),
        passage.metadata.clone().into(),
        "successful".to_owned().into(),
    ]
}

fn link(
    worker: &Worker,
    passage: &Passage,
    song: &str,
    artist: &str,
    album: &str,
) -> rusqlite::Result<()> {
    let length = passage.end - passage.start;
    worker.execute(LINK_SONG, params![passage.guid, song, length])?;
    worker.execute(LINK_ARTIST, params![song, artist])?;
    worker.execute(LINK_ALBUM, params![passage.guid, album])
}
