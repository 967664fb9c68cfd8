//! What is noticed about a candidate only beside the others: that another one has what speaks for it, and more.

use super::ALSO_OTHERS;
use super::albums::{BY_FOLDER, COLLECTED};

/// Another candidate that sounds so has the artist and the title whom the file names.
const CALLED_SO: &str = "names: another of this sound is called so";

/// Another candidate of the same names is just as long, and this one is not.
const AS_LONG: &str = "length: another of these names is as long";

/// Another candidate that sounds so is as long, and this one is far off.
const SOUNDS_AS_LONG: &str = "length: another of this sound is as long";

/// Another candidate that sounds so is as long, and this one is some seconds off.
pub(crate) const SOUNDS_CLOSER: &str = "length: another of this sound is nearer";

/// Another candidate of the same names is on the album that the file names, and fits.
const ON_THE_ALBUM: &str = "album: another of these names is on it";

/// The file is called mono, or its album, and this is not.
pub(crate) const ONLY_MONO: &str = "version: only the file is called mono";

/// The year in the title's brackets is told of it.
pub(super) const OF_YEAR: &str = "title: of the year that it names";

/// The year in the title's brackets is told of another of that name.
const OF_ANOTHER_YEAR: &str = "title: another is of the year that it names";

/// Of recordings of one performance, more people mean another.
const MOST_MEAN_ANOTHER: &str = "sound: most mean another of this performance";

/// Its sound is linked with another version of this very song, and the file names this one.
const SOUND_OF_VERSION: &str = "sound: that of another version of it, which the file does not name";

/// What the tags say is in the catalogue, and just as long; the sound says something else altogether.
const TAGS_FIT: &str = "names: what the tags say is in the catalogue, and as long";

/// What leaves a candidate open beside another one, whatever its odds.
pub(crate) const OUTDONE: [&str; 7] = [
    OF_ANOTHER_YEAR,
    CALLED_SO,
    AS_LONG,
    SOUNDS_AS_LONG,
    ON_THE_ALBUM,
    MOST_MEAN_ANOTHER,
    TAGS_FIT,
];

/// What was noticed about one candidate.
#[derive(Clone, Copy)]
struct Noticed<'a>(&'a [&'static str]);

impl Noticed<'_> {
    fn any(self, what: &[&str]) -> bool {
        what.iter().any(|what| self.0.contains(what))
    }

    fn begins(self, with: &str) -> bool {
        self.0.iter().any(|what| what.starts_with(with))
    }

    /// It has the file's title and artist.
    fn is_named(self) -> bool {
        self.any(&["names: title and artist are the same"])
    }

    fn is_as_long(self) -> bool {
        self.any(&["length: within 1.5 s"])
    }

    fn is_told_by_id(self) -> bool {
        self.any(&["id: in the tags", "found id: this one"])
    }

    fn sounds_so(self) -> bool {
        self.begins("sound: alike")
    }

    /// Its fingerprint is known, however alike.
    fn has_sound(self) -> bool {
        self.sounds_so() || self.any(&["sound: roughly alike", "sound: hardly alike"])
    }

    fn is_by_another(self) -> bool {
        self.any(&["artist: another", "artist: another, by the path"])
    }
}

/// It has the file's title and artist, is no other version, and is as long.
fn is_it_by_tags(one: Noticed<'_>) -> bool {
    one.is_named() && one.is_as_long() && !one.begins("version: the file")
}

/// Notices about each candidate what others are better in.
pub fn notice_rivals(noticed: &mut [Vec<&'static str>]) {
    if noticed.iter().any(|one| Noticed(one).is_named()) {
        // What the tags say is in the catalogue: they are another record's, and nothing is sung anew.
        for one in noticed.iter_mut() {
            one.retain(|what| *what != ALSO_OTHERS);
        }
    }
    by_lengths(noticed);
    by_albums(noticed);
    by_sounds(noticed);
    by_people(noticed);
}

fn by_lengths(noticed: &mut [Vec<&'static str>]) {
    outdo(
        noticed,
        is_it_by_tags,
        |one| {
            let is_off = one.any(&["length: within 6 s", "length: within 12 s"]);
            one.is_named() && is_off && !one.sounds_so()
        },
        AS_LONG,
    );
    outdo(
        noticed,
        |one| one.sounds_so() && one.is_as_long(),
        |one| one.sounds_so() && one.any(&["length: more than 12 s apart"]),
        SOUNDS_AS_LONG,
    );
    outdo(
        noticed,
        |one| one.sounds_so() && one.is_as_long(),
        |one| one.sounds_so() && one.any(&["length: within 6 s", "length: within 12 s"]),
        SOUNDS_CLOSER,
    );
}

fn by_albums(noticed: &mut [Vec<&'static str>]) {
    let is_elsewhere = |one: Noticed<'_>| {
        one.is_named() && one.any(&["album: another", "album: another version of it", COLLECTED])
    };
    outdo(
        noticed,
        |one| is_it_by_tags(one) && one.sounds_so() && one.any(&["album: the same"]),
        is_elsewhere,
        ON_THE_ALBUM,
    );
    // An id in the tags may be that of the studio's recording, or of the song that is sung anew.
    outdo(
        noticed,
        |one| is_it_by_tags(one) && one.any(&["album: the same"]),
        |one| is_elsewhere(one) && one.is_told_by_id() && !one.sounds_so(),
        ON_THE_ALBUM,
    );
    // A folder may be called anything, but hardly by chance like an album that has a song of just these names.
    outdo(
        noticed,
        |one| is_it_by_tags(one) && one.any(&["album: the same"]),
        |one| {
            let is_told = one.is_told_by_id() || one.sounds_so();
            one.is_named() && one.any(&[BY_FOLDER, COLLECTED]) && !is_told
        },
        ON_THE_ALBUM,
    );
    // Fingerprints of the two are alike, and people link either.
    outdo(
        noticed,
        |one| is_it_by_tags(one) && one.any(&["album: the same"]) && !one.any(&[ONLY_MONO]),
        |one| one.is_named() && one.any(&[ONLY_MONO]),
        "version: another is called mono, too",
    );
    outdo(
        noticed,
        |one| one.is_named() && one.any(&[OF_YEAR]),
        |one| one.is_named() && !one.any(&[OF_YEAR]),
        OF_ANOTHER_YEAR,
    );
}

fn by_sounds(noticed: &mut [Vec<&'static str>]) {
    outdo(
        noticed,
        |one| one.is_named() && one.sounds_so(),
        |one| one.is_by_another() && one.sounds_so(),
        CALLED_SO,
    );
    // Versions of one song often have one fingerprint, and whoever linked it had the plain one.
    let is_sound_of_other = |one: Noticed<'_>| {
        one.is_named()
            && one.sounds_so()
            && one.any(&["version: the file names one that this is not"])
    };
    outdo(
        noticed,
        is_sound_of_other,
        |one| {
            let is_the_version = one.any(&["version: named with the same words"]);
            is_it_by_tags(one) && is_the_version && one.begins("sound: another, say")
        },
        SOUND_OF_VERSION,
    );
    // Two whole stories; where the titles of an album have slipped, theirs is none.
    outdo(
        noticed,
        |one| {
            let has_slipped = one.any(&["album: other files are not what their titles say"]);
            is_it_by_tags(one) && !one.has_sound() && !has_slipped
        },
        |one| one.has_sound() && one.any(&["artist: another"]),
        TAGS_FIT,
    );
    // A song in another language sounds as it does in the first one.
    outdo(
        noticed,
        |one| is_it_by_tags(one) && one.any(&["album: the same"]) && !one.has_sound(),
        |one| {
            let has_slipped = one.any(&["album: other files are not what their titles say"]);
            let is_called_otherwise = one.any(&["title: another", "title: words more or fewer"]);
            let is_elsewhere = is_called_otherwise && one.any(&["album: another"]);
            one.has_sound() && is_elsewhere && !has_slipped
        },
        TAGS_FIT,
    );
    // Which edition it is from nothing says but who has it, and they say another; a whole album that fits says as much.
    outdo(
        noticed,
        |one| {
            one.any(&[
                "sound: of this performance, nearly all mean it",
                "sound: of this performance, a majority means it",
            ])
        },
        |one| {
            let is_meant_by_fewer = one.any(&["sound: of this performance, few mean it"])
                || one.any(&["sound: of this performance, a minority means it"])
                    && !one.any(&["album: fits 7 or more other files"]);
            is_meant_by_fewer && !one.is_told_by_id() && one.any(&["album: none in the tags"])
        },
        MOST_MEAN_ANOTHER,
    );
}

fn by_people(noticed: &mut [Vec<&'static str>]) {
    let is_to_the_letter = |one: Noticed<'_>| one.any(&["artist: to the letter"]);
    outdo(
        noticed,
        |one| one.is_named() && is_to_the_letter(one),
        |one| one.any(&["artist: the same"]) && one.is_named() && !is_to_the_letter(one),
        "artist: another is called just so",
    );
    let has_others = |one: Noticed<'_>| {
        one.any(&[
            "artist: the file names more",
            "artist: the file names fewer",
            "artist: each names others, too",
        ])
    };
    outdo(
        noticed,
        |one| one.is_named() && !has_others(one),
        |one| one.is_named() && has_others(one),
        "artist: another has just these people",
    );
}

/// Where one candidate is better, notices of those that are worse that there is one.
fn outdo(
    noticed: &mut [Vec<&'static str>],
    is_better: impl Fn(Noticed<'_>) -> bool,
    is_worse: impl Fn(Noticed<'_>) -> bool,
    what: &'static str,
) {
    if noticed.iter().any(|one| is_better(Noticed(one))) {
        for one in noticed.iter_mut().filter(|one| is_worse(Noticed(one))) {
            one.push(what);
        }
    }
}
