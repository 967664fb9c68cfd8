//! Words for titles and names, in several scripts.

use crate::synth::Random;

const OPENINGS: [&str; 30] = [
    "Walking",
    "Carry",
    "Before",
    "Under",
    "Leaving",
    "Waiting for",
    "Tell",
    "Down by",
    "Beyond",
    "After",
    "Chasing",
    "Letters from",
    "Return to",
    "Songs for",
    "Ballad of",
    "Counting",
    "Holding",
    "Farewell",
    "Across",
    "Dancing with",
    "Memories of",
    "Towards",
    "Inside",
    "Burn",
    "Remember",
    "Somewhere near",
    "Calling",
    "Against",
    "Hunting",
    "Borrowed",
];
const MIDDLES: [&str; 26] = [
    "the Amber",
    "a Stranger's",
    "Every",
    "the Iron",
    "My Mother's",
    "Yesterday's",
    "the Salt",
    "the Last",
    "Our",
    "Blue",
    "the Copper",
    "Nobody's",
    "the Seventh",
    "a Paper",
    "the Drowned",
    "Marble",
    "the Tin",
    "Evening",
    "the Hidden",
    "Sunday's",
    "the Slow",
    "Granite",
    "the Ninth",
    "a Borrowed",
    "the Pilot's",
    "Low",
];
const CLOSINGS: [&str; 34] = [
    "Lighthouse",
    "Parade",
    "Telephone",
    "Ferry",
    "Carousel",
    "Harvest",
    "Museum",
    "Compass",
    "Staircase",
    "Choir",
    "Quarry",
    "Almanac",
    "Procession",
    "Bicycle",
    "Meadow",
    "Aquarium",
    "Cathedral",
    "Ledger",
    "Balcony",
    "Tide",
    "Foundry",
    "Postcard",
    "Violet",
    "Barrel",
    "Cinema",
    "Prairie",
    "Satellite",
    "Thread",
    "Kettle",
    "Timetable",
    "Volcano",
    "Wharf",
    "Locomotive",
    "Chandelier",
];
const FORENAMES: [&str; 20] = [
    "Marta", "Owen", "Lucinda", "Ruben", "Ines", "Walter", "Petra", "Jonas", "Celia", "Arvid",
    "Noor", "Hector", "Sabine", "Luis", "Edda", "Tobias", "Greta", "Ivor", "Paloma", "Emil",
];
const SURNAMES: [&str; 24] = [
    "Halloran",
    "Brandvold",
    "Okafor",
    "Castellane",
    "Wintour",
    "Marchetti",
    "Lindqvist",
    "Delacroix",
    "Abernathy",
    "Sorensen",
    "Valdez",
    "Kowalczyk",
    "Thackeray",
    "Moreau",
    "Ferreira",
    "Novotny",
    "Beaumont",
    "Kirkwood",
    "Santoro",
    "Ashdown",
    "Pemberton",
    "Rosenthal",
    "Yardley",
    "Zielinski",
];
const BANDS: [&str; 22] = [
    "Foxes",
    "Orchids",
    "Tramways",
    "Cartographers",
    "Weathermen",
    "Sparrows",
    "Machines",
    "Assembly",
    "Union",
    "Tailors",
    "Comets",
    "Librarians",
    "Divers",
    "Brass",
    "Society",
    "Ravens",
    "Lamplighters",
    "Exiles",
    "Motors",
    "Pilgrims",
    "Swimmers",
    "Echoes",
];

pub(super) const CYRILLIC: [&str; 8] = [
    "Белая река",
    "Ночной поезд",
    "Старый город",
    "Зимний вечер",
    "Последний танец",
    "Синее море",
    "Тихая улица",
    "Первый снег",
];
pub(super) const GREEK: [&str; 8] = [
    "Το καράβι",
    "Νυχτερινό τραγούδι",
    "Μικρή πατρίδα",
    "Ο δρόμος",
    "Θάλασσα πλατιά",
    "Καλοκαίρι",
    "Το φεγγάρι",
    "Παλιά γειτονιά",
];
pub(super) const HAN: [&str; 8] = [
    "春江花月",
    "夜来香",
    "梁祝",
    "高山流水",
    "平湖秋月",
    "茉莉花",
    "彩云追月",
    "渔舟唱晚",
];
pub(super) const KANA: [&str; 8] = [
    "さくらの花",
    "ヨルノアメ",
    "あかとんぼ",
    "ふるさとの空",
    "ナツノヒカリ",
    "ゆきのまち",
    "ほしぞら",
    "カゼノウタ",
];

pub(super) fn title(random: &mut Random) -> String {
    match random.below(4) {
        0 => format!("{} {}", random.pick(&MIDDLES), random.pick(&CLOSINGS))
            .replacen("the ", "The ", 1),
        1 => format!("{} {}", random.pick(&OPENINGS), random.pick(&CLOSINGS)),
        _ => format!(
            "{} {} {}",
            random.pick(&OPENINGS),
            random.pick(&MIDDLES),
            random.pick(&CLOSINGS)
        ),
    }
}

pub(super) fn artist(random: &mut Random) -> String {
    match random.below(3) {
        0 => format!("{} {}", random.pick(&FORENAMES), random.pick(&SURNAMES)),
        1 => format!("The {} {}", random.pick(&SURNAMES), random.pick(&BANDS)),
        _ => format!(
            "{} and the {}",
            random.pick(&FORENAMES),
            random.pick(&BANDS)
        ),
    }
}

/// A person's name, given name and surname.
pub(super) fn person(random: &mut Random) -> (&'static str, &'static str) {
    (*random.pick(&FORENAMES), *random.pick(&SURNAMES))
}
