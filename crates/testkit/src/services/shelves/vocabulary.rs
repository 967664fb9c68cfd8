//! Names and titles, as varied as a catalogue's: one word or six, figures, brackets of a title's own.

use crate::synth::Random;

const NOUNS: [&str; 44] = [
    "Lighthouse",
    "Compass",
    "Wolf",
    "Sparrow",
    "Cathedral",
    "Ember",
    "Thunder",
    "Satellite",
    "Carousel",
    "Meridian",
    "Anchor",
    "Tambourine",
    "Glacier",
    "Blackbird",
    "Monsoon",
    "Parade",
    "Labyrinth",
    "Sailor",
    "Telegraph",
    "Orchid",
    "Pilgrim",
    "Quarry",
    "Rooftop",
    "Saffron",
    "Tide",
    "Umbrella",
    "Vineyard",
    "Wildfire",
    "Zeppelin",
    "Harvest",
    "Ivory",
    "Juniper",
    "Kerosene",
    "Lullaby",
    "Magnolia",
    "Needle",
    "Observatory",
    "Porcelain",
    "Ribbon",
    "Scarecrow",
    "Tornado",
    "Valley",
    "Whisper",
    "Lagoon",
];
const WORDS: [&str; 32] = [
    "Little",
    "Blue",
    "Last",
    "Heavy",
    "Sweet",
    "Wicked",
    "Seventh",
    "Hidden",
    "Holy",
    "Lost",
    "Cold",
    "Bright",
    "Second",
    "Tender",
    "Iron",
    "Drunken",
    "Sleeping",
    "Foreign",
    "Wooden",
    "Sudden",
    "Hungry",
    "Open",
    "Sacred",
    "Plastic",
    "Perfect",
    "Naked",
    "Ordinary",
    "Rusty",
    "Slow",
    "Invisible",
    "Faithful",
    "Scarlet",
];
const VERBS: [&str; 20] = [
    "Follow", "Forget", "Carry", "Bury", "Paint", "Believe", "Save", "Chase", "Break", "Teach",
    "Steal", "Shake", "Sing", "Hold", "Drown", "Answer", "Wake", "Feed", "Leave", "Trust",
];
const PLACES: [&str; 16] = [
    "Memphis",
    "Lisbon",
    "Tangier",
    "Leeds",
    "Havana",
    "Oslo",
    "Tulsa",
    "Trieste",
    "Bamako",
    "Valparaiso",
    "Glasgow",
    "Odessa",
    "Macon",
    "Belém",
    "Kyoto",
    "Aberdeen",
];
const GIVEN: [&str; 28] = [
    "Etta",
    "Moses",
    "Clara",
    "Duke",
    "Ramona",
    "Otis",
    "Ingrid",
    "Tomás",
    "Wanda",
    "Cyril",
    "Nadia",
    "Bertha",
    "Lowell",
    "Salif",
    "Marguerite",
    "Enzo",
    "Astrid",
    "Percy",
    "Lucinda",
    "Kofi",
    "Irene",
    "Gustav",
    "Delia",
    "Ray",
    "Yvonne",
    "Magnus",
    "Pilar",
    "Desmond",
];
const FAMILY: [&str; 32] = [
    "Hargrove",
    "Lindqvist",
    "Okafor",
    "Beaumont",
    "Castellano",
    "Whitlock",
    "Moreau",
    "Tanaka",
    "Pettersen",
    "Quiroga",
    "Dunaway",
    "Kessler",
    "Abernathy",
    "Fontaine",
    "Grigsby",
    "Halloran",
    "Ibarra",
    "Jankowski",
    "Kirkwood",
    "Lovelace",
    "Mbeki",
    "Nakagawa",
    "Oyelaran",
    "Prudhomme",
    "Rasmussen",
    "Sotelo",
    "Trujillo",
    "Underhill",
    "Vasquez",
    "Winterbourne",
    "Yarrow",
    "Zielinski",
];

/// A title.
pub(super) fn title(random: &mut Random) -> String {
    let noun = *random.pick(&NOUNS);
    let other = *random.pick(&NOUNS);
    let word = *random.pick(&WORDS);
    let verb = *random.pick(&VERBS);
    let place = *random.pick(&PLACES);
    match random.below(14) {
        0 => noun.to_owned(),
        1 => format!("{verb} Me, {noun}"),
        2 => format!("The {noun} and the {other}"),
        3 => format!("{place} {noun}"),
        4 => format!("I {verb} the {noun}"),
        5 => format!("{word} {noun} Blues"),
        6 => format!("{noun} in {place}"),
        7 => format!("Don’t {verb} the {noun}"),
        8 => format!("{verb} My {word} {noun}"),
        9 => format!("{word} {noun}, {word} {other}"),
        10 => format!("{noun} No. {}", 2 + random.below(8)),
        11 => format!("{noun} ({verb} It)"),
        12 => format!("A {noun} for {place}"),
        _ => format!("{word} {other}"),
    }
}

/// An artist's name.
pub(super) fn player(random: &mut Random) -> String {
    let given = *random.pick(&GIVEN);
    let family = *random.pick(&FAMILY);
    let second = *random.pick(&FAMILY);
    let noun = *random.pick(&NOUNS);
    let word = *random.pick(&WORDS);
    match random.below(9) {
        0 => format!("The {word} {noun}s"),
        1 => format!(
            "{noun} {}",
            random.pick(&["Union", "Society", "Machine", "Brothers", "Orchestra"])
        ),
        2 => format!("{given} {family} & the {noun}s"),
        3 => format!("{family} {second}"),
        4 => format!(
            "{given} {} {family}",
            char::from(b'A' + random.below(26) as u8)
        ),
        5 => format!("{family}, {second} & {given}"),
        6 => format!("{word} {noun}"),
        _ => format!("{given} {family}"),
    }
}

/// A given and a family name.
pub(super) fn name(random: &mut Random) -> (&'static str, &'static str) {
    (*random.pick(&GIVEN), *random.pick(&FAMILY))
}
