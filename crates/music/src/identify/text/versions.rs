//! Words that say which version of a title something is, in the languages that sleeves are printed in.
//!
//! The lists are from sleeves, from MusicBrainz' guidelines on recordings' disambiguations, and from
//! reports of wrong matches. What is in none of them and stands in brackets is a version that nobody
//! knows, which is a difference, too.

use std::collections::BTreeSet;

/// Words that make another recording of a title, by what they make of it.
const VERSIONS: [(&str, &[&str]); 22] = [
    (
        "live",
        &[
            "live",
            "concert",
            "unplugged",
            "bootleg",
            "bootlegs",
            "soundcheck",
            "vivo",
            "zywo",
            "eloben",
            "canli",
            "kontserte",
            "kontsert",
            "koncert",
            "konsert",
            "raibu",
            "directo",
            "concierto",
            "konzert",
            "onstage",
        ],
    ),
    (
        "remaster",
        &[
            "remaster",
            "remastered",
            "remastering",
            "remasterizado",
            "remasterizada",
            "remasterise",
            "remasterisee",
            "rimasterizzato",
            "rimasterizzata",
            "digitally",
        ],
    ),
    (
        "demo",
        &[
            "demo",
            "demos",
            "rehearsal",
            "rehearsals",
            "rough",
            "maqueta",
        ],
    ),
    (
        "instrumental",
        &[
            "instrumental",
            "instrumentals",
            "instrumentales",
            "inst",
            "instr",
            "backing",
            "playback",
        ],
    ),
    ("karaoke", &["karaoke", "singalong"]),
    (
        "acoustic",
        &[
            "acoustic",
            "acoustique",
            "acustico",
            "akustisch",
            "unplugged",
        ],
    ),
    (
        "remix",
        &[
            "remix", "remixes", "remixed", "rmx", "mix", "mixes", "dub", "rework", "bootleg", "vip",
        ],
    ),
    ("edit", &["edit", "edited", "short", "single", "radio"]),
    ("extended", &["extended", "long", "12", "maxi"]),
    (
        "a cappella",
        &["acappella", "acapella", "cappella", "capella"],
    ),
    (
        "alternative",
        &[
            "alternate",
            "alternative",
            "alt",
            "take",
            "takes",
            "outtake",
            "outtakes",
            "early",
        ],
    ),
    ("session", &["session", "sessions", "bbc", "peel"]),
    (
        "cover",
        &[
            "cover",
            "covers",
            "tribute",
            "rendition",
            "lullaby",
            "reimagined",
        ],
    ),
    (
        "recorded again",
        &["rerecorded", "rerecording", "rerecordings"],
    ),
    ("reprise", &["reprise"]),
    ("chiptune", &["chiptune", "8bit"]),
    ("sped", &["nightcore", "sped", "slowed"]),
    ("arranged", &["orchestral", "symphonic", "quartet", "piano"]),
    ("mono", &["mono"]),
    ("stereo", &["stereo"]),
    ("clean", &["clean", "censored"]),
    ("explicit", &["explicit", "uncensored"]),
];

/// Words of asides that say nothing, if all of an aside are such.
pub(super) const HARMLESS: [&str; 40] = [
    "album",
    "version",
    "original",
    "mix",
    "lp",
    "explicit",
    "bonus",
    "track",
    "single",
    "standard",
    "main",
    "the",
    "hidden",
    "official",
    "audio",
    "video",
    "hq",
    "lyrics",
    "music",
    "lyric",
    "clip",
    "hd",
    "4k",
    "visualizer",
    "kbps",
    "mastered",
    "itunes",
    "full",
    "length",
    "for",
    "previously",
    "unreleased",
    "non",
    "b",
    "side",
    "cd",
    "studio",
    "digital",
    "only",
    "ost",
];

/// Words that editions of an album are told apart by, which hold the same recordings for the most part.
pub(super) const OF_EDITIONS: [&str; 146] = [
    "soundtrack",
    "mixtape",
    "half",
    "speed",
    "master",
    "mastered",
    "mfsl",
    "mofi",
    "hdcd",
    "shm",
    "xrcd",
    "audiophile",
    "deluxe",
    "edition",
    "expanded",
    "anniversary",
    "bonus",
    "tracks",
    "track",
    "special",
    "limited",
    "collectors",
    "collector",
    "disc",
    "disk",
    "cd",
    "cd1",
    "cd2",
    "cd3",
    "ep",
    "lp",
    "vinyl",
    "the",
    "original",
    "reissue",
    "version",
    "box",
    "set",
    "super",
    "remaster",
    "remastered",
    "digital",
    "japan",
    "japanese",
    "us",
    "uk",
    "import",
    "single",
    "album",
    "edicion",
    "itunes",
    "explicit",
    "limitee",
    "limitada",
    "limitata",
    "limitierte",
    "begrenzte",
    "especial",
    "speciale",
    "sonderausgabe",
    "ausgabe",
    "erweiterte",
    "aniversario",
    "anniversaire",
    "jubilaum",
    "jubilee",
    "platinum",
    "legacy",
    "definitive",
    "international",
    "tour",
    "edizione",
    // What people write of their files.
    "flac",
    "mp3",
    "kbps",
    "320kbps",
    "hires",
    "hi",
    "res",
    "lossless",
    "rip",
    "web",
    "24bit",
    "16bit",
    "sacd",
    "dsd",
    "cbr",
    "vbr",
    "release",
    "2cd",
    "3cd",
    "4cd",
    "digipak",
    "digipack",
    "96khz",
    "44khz",
    "48khz",
    "192khz",
    "khz",
    "24",
    "16",
    "ltd",
    "advance",
    "promo",
    "amazon",
    "spotify",
    "tidal",
    "qobuz",
    "deezer",
    "target",
    "exclusive",
    "bandcamp",
    "for",
    "retail",
    "cassette",
    "tape",
    "180g",
    "gold",
    "recording",
    "complete",
    "full",
    "ost",
    "sampler",
    "mini",
    "sleeve",
    "cardboard",
    "slipcase",
    "pressing",
    "press",
    "blu",
    "ray",
    "spec",
    "eac",
    "log",
    "cue",
    "scans",
    "aac",
    "alac",
    "ogg",
    "opus",
    "wav",
    "256kbps",
    "192kbps",
    "128kbps",
    "v0",
    "hdtracks",
];

/// Words that begin an aside about somebody who takes part: they change nothing about the recording.
pub(super) const GUESTS: [&str; 13] = [
    "feat",
    "ft",
    "featuring",
    "with",
    "w",
    "prod",
    "produced",
    "starring",
    "avec",
    "mit",
    "con",
    "com",
    "med",
];

/// Of those, words for somebody who is not heard.
pub(super) const PRODUCED: [&str; 2] = ["prod", "produced"];

/// Words for an artist whom nobody knows, in part.
pub(super) const UNKNOWN: [&str; 8] = [
    "unknown",
    "unbekannt",
    "inconnu",
    "desconocid",
    "desconhecid",
    "sconosciut",
    "onbekend",
    "neizvestn",
];

/// What people write where an artist should stand.
pub(super) const NOBODY: [&str; 39] = [
    "trad",
    "traditional",
    "trad arr",
    "va",
    "v a",
    "various",
    "various artists",
    "varios",
    "varios artistas",
    "varios interpretes",
    "artistes divers",
    "artisti vari",
    "verschiedene",
    "verschiedene interpreten",
    "verschiedene kunstler",
    "soundtrack",
    "ost",
    "original soundtrack",
    "original cast",
    "unknown",
    "unknown artist",
    "artist",
    "compilation",
    "none",
    "no artist",
    "aavv",
    "vari",
    "diverse",
    "diverse interpreten",
    "diverse artister",
    "blandade artister",
    "interpretes varios",
    "vv aa",
    "sampler",
    "filmmusik",
    "bande originale",
    "original motion picture soundtrack",
    // Russian and Chinese, as they are transliterated here.
    "raznye ispolniteli",
    "qun xing",
];

/// Words for a track, in titles that programs write.
pub(super) const TRACK: [&str; 17] = [
    "track",
    "titel",
    "piste",
    "pista",
    "traccia",
    "faixa",
    "spur",
    "spor",
    "audiotrack",
    "untitled",
    "nummer",
    "aufnahme",
    "utwor",
    "stopa",
    "raita",
    // Russian and Japanese, as they are transliterated here.
    "dorozhka",
    "toratuku",
];

/// Words that say of an album that it is a film's music, if all of what stands behind its colon are such.
pub(super) const OF_SOUNDTRACKS: [&str; 16] = [
    "music",
    "from",
    "the",
    "motion",
    "picture",
    "film",
    "movie",
    "series",
    "original",
    "soundtrack",
    "score",
    "ost",
    "and",
    "inspired",
    "by",
    "game",
];

/// Words that are written in two ways, each with the way in which it is compared.
pub(super) const SPELT: [(&str, &str); 43] = [
    ("pt", "part"),
    ("vol", "volume"),
    ("number", "no"),
    ("nr", "no"),
    ("n", "and"),
    ("mr", "mister"),
    ("dr", "doctor"),
    ("mt", "mount"),
    ("st", "saint"),
    ("oh", "o"),
    ("thru", "through"),
    ("til", "till"),
    ("alright", "allright"),
    ("ok", "okay"),
    ("ver", "version"),
    ("vers", "version"),
    ("nite", "night"),
    ("tonite", "tonight"),
    ("2nite", "tonight"),
    ("2night", "tonight"),
    ("4ever", "forever"),
    ("luv", "love"),
    ("lite", "light"),
    // British and American.
    ("colour", "color"),
    ("colours", "colors"),
    ("harbour", "harbor"),
    ("honour", "honor"),
    ("neighbour", "neighbor"),
    ("neighbours", "neighbors"),
    ("rumours", "rumors"),
    ("favourite", "favorite"),
    ("grey", "gray"),
    ("theatre", "theater"),
    ("centre", "center"),
    ("travelling", "traveling"),
    ("programme", "program"),
    ("programmes", "programs"),
    ("humour", "humor"),
    ("rumour", "rumor"),
    ("labour", "labor"),
    ("saviour", "savior"),
    ("jewellery", "jewelry"),
    ("dialogue", "dialog"),
];

pub(super) fn versions_in(words: &[String]) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for (version, names) in VERSIONS {
        if words.iter().any(|word| names.contains(&word.as_str())) {
            found.insert(version);
        }
    }
    let has = |name: &str| words.iter().any(|word| word == name);
    let follow =
        |one: &str, other: &str| words.windows(2).any(|two| two[0] == one && two[1] == other);
    // `single version` and `original mix` are what everybody knows.
    if has("original") && !has("demo") {
        found.clear();
    }
    if follow("re", "recorded") || follow("re", "recording") || follow("re", "recordings") {
        found.insert("recorded again");
    }
    if follow("8", "bit") {
        found.insert("chiptune");
    }
    if follow("ao", "vivo") || follow("en", "public") || follow("dal", "vivo") {
        found.insert("live");
    }
    if follow("sing", "along") {
        found.insert("karaoke");
    }
    // An extended mix is the extended version, and nobody's remix.
    if follow("extended", "mix") && words.len() == 2 {
        found.remove("remix");
    }
    found
}

/// Whether a version is one that is known, and no aside that nobody knows.
pub fn is_known_version(version: &str) -> bool {
    version == "recorded again" || VERSIONS.iter().any(|(kind, _)| *kind == version)
}

/// Words beside a version that say nothing.
pub(super) const SAYS_NOTHING: [&str; 14] = [
    "version",
    "the",
    "a",
    "and",
    "by",
    "s",
    "in",
    "at",
    "on",
    "of",
    "from",
    "recorded",
    "recording",
    "dj",
];

/// Kinds of versions whose words are not the same thing: an orchestra is no piano, a dub no edit.
const TOLD_BY_WORDS: [&str; 5] = ["arranged", "alternative", "session", "sped", "remix"];

/// A word for a version as all that mean the same are compared: `concert` is `live`; other words are themselves.
pub(super) fn one_word(word: &str) -> &str {
    if ["mix", "mixes", "remixes", "remixed", "rmx"].contains(&word) {
        return "remix";
    }
    let kinds = VERSIONS
        .iter()
        .filter(|(kind, _)| !TOLD_BY_WORDS.contains(kind));
    let mut of_word = kinds.filter(|(_, names)| names.contains(&word));
    of_word.next().map_or(word, |(kind, _)| *kind)
}

/// Words that tell nothing of where or when something was played.
pub(super) const PLACELESS: [&str; 18] = [
    "in",
    "at",
    "from",
    "the",
    "on",
    "of",
    "a",
    "and",
    "de",
    "en",
    "version",
    "session",
    "sessions",
    "recording",
    "recorded",
    "concert",
    "show",
    "tour",
];
