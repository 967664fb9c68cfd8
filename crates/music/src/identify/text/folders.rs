//! Versions that names of folders and files tell of what is in them.

use crate::identify::text::{normalise, words};

/// Versions that the name of a folder or a file tells of what is in it; `mix` and `single` are names of folders for anything.
const OF_FOLDERS: [(&str, &[&str]); 9] = [
    (
        "live",
        &[
            "live",
            "concert",
            "concerts",
            "unplugged",
            "bootleg",
            "bootlegs",
            "konzert",
            "concierto",
        ],
    ),
    (
        "demo",
        &[
            "demo",
            "demos",
            "rehearsal",
            "rehearsals",
            "ensaio",
            "ensayo",
            "proberaum",
            "bandprobe",
        ],
    ),
    (
        "instrumental",
        &[
            "instrumental",
            "instrumentals",
            "instr",
            "no vocals",
            "without vocals",
            "without words",
            "sans paroles",
            "senza parole",
            "ohne gesang",
            "ohne worte",
            "sin voz",
            "sem voz",
        ],
    ),
    ("karaoke", &["karaoke"]),
    ("acoustic", &["acoustic"]),
    ("remix", &["remix", "remixes", "remixed"]),
    ("cover", &["cover", "covers", "tribute"]),
    ("chiptune", &["chiptune", "8bit"]),
    ("session", &["session", "sessions", "bbc"]),
];

/// What versions the name of a folder tells of.
pub fn versions_of_folder(name: &str) -> Vec<&'static str> {
    let words = words(name);
    let text = format!(" {} ", words.join(" "));
    let is_named = |names: &[&str]| names.iter().any(|name| text.contains(&format!(" {name} ")));
    let named = OF_FOLDERS.iter().filter(|(_, names)| is_named(names));
    named.map(|(version, _)| *version).collect()
}

/// The same of a file's name, by what stands in brackets and, where it begins with the title, behind that: `Live and Let Die`
/// is a title.
pub fn versions_of_stem(stem: &str, title: Option<&str>) -> Vec<&'static str> {
    let asides: Vec<_> = stem
        .split(['(', '['])
        .skip(1)
        .filter_map(|aside| aside.split([')', ']']).next())
        .collect();
    let mut told = asides.join(" ");
    let title = title.map(normalise).filter(|title| !title.is_empty());
    let name = format!(" {} ", normalise(stem));
    if let Some((_, rest)) = title.and_then(|title| {
        let at = name.find(&format!(" {title} "))?;
        Some(name.split_at(at + title.len() + 1))
    }) {
        told = format!("{told} {rest}");
    }
    versions_of_folder(&told)
}
