//! A process that is killed leaves nothing half behind.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::{Peer, Place, bodies};

#[test]
fn killed_between_statements_of_a_unit() {
    let place = Place::new();
    let mut peer = Peer::start("stop inside a unit", &place.path());
    peer.wait_for("between statements");
    peer.kill();
    let db = place.options().open().unwrap();
    assert_eq!(bodies(&db), ["before"]);
    assert!(db.check().unwrap().is_sound());
}

#[test]
fn killed_between_members_of_a_group() {
    let place = Place::new();
    let mut peer = Peer::start("stop inside a group", &place.path());
    peer.wait_for("between members");
    peer.kill();
    let db = place.options().open().unwrap();
    assert_eq!(
        bodies(&db),
        ["before"],
        "no member was acknowledged, so none is there"
    );
    assert!(db.check().unwrap().is_sound());
}

#[test]
fn killed_at_any_time_every_acknowledged_unit_is_there_as_a_whole() {
    let place = Place::new();
    let mut acknowledged = Vec::new();
    for round in 0..5 {
        let path = place.dir().join(format!("{round}.db"));
        let mut peer = Peer::start("write and tell", &path);
        acknowledged.clear();
        for _ in 0..20 + 37 * round {
            acknowledged.extend(peer.line());
        }
        std::thread::sleep(Duration::from_millis(round));
        peer.kill();
        while let Some(unit) = peer.line() {
            acknowledged.push(unit);
        }
        let db = sqlite::Options::new(&path)
            .schema(crate::support::NOTES)
            .open()
            .unwrap();
        let units: BTreeMap<String, i64> = db
            .read(|snapshot| {
                let sql = "SELECT unit, count(*) FROM note GROUP BY unit";
                snapshot.query_all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            })
            .unwrap()
            .into_iter()
            .collect();
        assert!(
            units.values().all(|&rows| rows == 10),
            "a unit is there in part: {units:?}"
        );
        let missing: Vec<_> = acknowledged
            .iter()
            .filter(|unit| !units.contains_key(*unit))
            .collect();
        // The last line may be cut off in the middle.
        assert!(missing.len() <= 1, "acknowledged and lost: {missing:?}");
        assert!(acknowledged.len() >= 20);
        assert!(db.check().unwrap().is_sound());
    }
}
