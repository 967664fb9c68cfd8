//! A search as `MusicBrainz` has it: Lucene's query language over analysed fields.
//!
//! Text is folded (case, accents) and cut into words where Unicode cuts them, so that `S.O.S.` and
//! `Don't` are one word each. Nothing is transliterated: whoever asks in Latin letters for a title in
//! Cyrillic ones finds nothing, unless an alias says so. Words of a group are joined by OR, and what
//! has more and rarer ones of them comes first.

use std::collections::{BTreeMap, HashMap};

/// Documents of one kind, each with its fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    documents: Vec<Document>,
    /// In how many documents a word of a field is.
    frequency: HashMap<(&'static str, String), usize>,
}

/// A document's fields. Several values of a field are several texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    texts: BTreeMap<&'static str, Vec<Vec<String>>>,
    exact: BTreeMap<&'static str, Vec<String>>,
    pub(super) number: Option<u64>,
}

impl Document {
    /// A value that is analysed.
    pub(super) fn text(&mut self, field: &'static str, text: &str) {
        self.texts.entry(field).or_default().push(analyse(text));
    }

    /// A value that is compared as it is.
    pub(super) fn exact(&mut self, field: &'static str, value: &str) {
        let values = self.exact.entry(field).or_default();
        values.push(value.to_lowercase());
    }
}

/// A query, read.
#[derive(Clone, Debug, PartialEq)]
enum Query {
    /// Words in a row, in a field.
    Phrase(String, Vec<String>),
    /// A range of numbers.
    Range(u64, u64),
    Any(Vec<Query>),
    All(Vec<Query>),
}

impl Index {
    pub(super) fn add(&mut self, document: Document) {
        for (field, texts) in &document.texts {
            let mut words: Vec<_> = texts.iter().flatten().collect();
            words.sort();
            words.dedup();
            for word in words {
                *self.frequency.entry((field, word.clone())).or_default() += 1;
            }
        }
        self.documents.push(document);
    }

    /// What a query finds, by number of the document, the best first, with scores of up to 100.
    pub(super) fn search(&self, query: &str, default: &'static str) -> Vec<(usize, f64)> {
        let tokens = tokens(query);
        let (query, _) = any(&tokens, 0, default);
        let mut found: Vec<_> = (0..self.documents.len())
            .filter_map(|at| Some((at, self.score(&query, at)?)))
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let best = found.first().map_or(1.0, |(_, score)| score.max(1e-9));
        for (_, score) in &mut found {
            *score *= 100.0 / best;
        }
        found
    }

    fn score(&self, query: &Query, at: usize) -> Option<f64> {
        let document = &self.documents[at];
        match query {
            Query::Range(low, high) => {
                let number = document.number?;
                (*low..=*high).contains(&number).then_some(0.1)
            }
            Query::Any(parts) => {
                let scores: Vec<_> = parts
                    .iter()
                    .filter_map(|part| self.score(part, at))
                    .collect();
                // As `coord` did: who has more of what was asked for is worth more than the sum.
                let share = scores.len() as f64 / parts.len().max(1) as f64;
                (!scores.is_empty()).then(|| scores.iter().sum::<f64>() * share)
            }
            Query::All(parts) => parts
                .iter()
                .map(|part| self.score(part, at))
                .sum::<Option<f64>>(),
            Query::Phrase(field, words) => {
                if let Some(values) = document.exact.get(field.as_str()) {
                    let wanted = words.join(" ");
                    return values.contains(&wanted).then_some(5.0);
                }
                let texts = document.texts.get(field.as_str())?;
                let (key, _) = document.texts.get_key_value(field.as_str())?;
                let of_text = |text: &Vec<String>| {
                    let is_in = text.windows(words.len().max(1)).any(|part| part == words);
                    let rarity = |word: &String| {
                        let known = self.frequency.get(&(*key, word.clone())).copied();
                        1.0 + (self.documents.len() as f64 / (known.unwrap_or(0) as f64 + 1.0)).ln()
                    };
                    let sum: f64 = words.iter().map(rarity).sum();
                    is_in.then(|| sum / (text.len() as f64).sqrt())
                };
                texts.iter().filter_map(of_text).max_by(f64::total_cmp)
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    Field(String),
    Word(String),
    Quoted(String),
    Range(u64, u64),
}

fn tokens(query: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = query.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            '"' => {
                let mut text = String::new();
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' => text.extend(chars.next()),
                        c => text.push(c),
                    }
                }
                tokens.push(Token::Quoted(text));
            }
            '[' => {
                let text: String = chars.by_ref().take_while(|c| *c != ']').collect();
                let mut ends = text.split(" TO ").map(|end| end.trim().parse());
                if let (Some(Ok(low)), Some(Ok(high))) = (ends.next(), ends.next()) {
                    tokens.push(Token::Range(low, high));
                }
            }
            c if c.is_whitespace() => {}
            c => {
                let mut text = String::new();
                let mut next = Some(c);
                while let Some(c) = next {
                    match c {
                        '\\' => text.extend(chars.next()),
                        c => text.push(c),
                    }
                    let goes_on = |c: &char| !c.is_whitespace() && !"()[]\":".contains(*c);
                    next = chars.next_if(goes_on);
                }
                if chars.next_if_eq(&':').is_some() {
                    tokens.push(Token::Field(text));
                } else {
                    tokens.push(match text.as_str() {
                        "AND" | "&&" => Token::And,
                        "OR" | "||" => Token::Or,
                        _ => Token::Word(text),
                    });
                }
            }
        }
    }
    tokens
}

/// Reads what is joined by OR or by nothing, up to a closing bracket.
fn any(tokens: &[Token], mut at: usize, field: &str) -> (Query, usize) {
    let mut parts = Vec::new();
    while at < tokens.len() && tokens[at] != Token::Close {
        if tokens[at] == Token::Or {
            at += 1;
            continue;
        }
        let (part, next) = all(tokens, at, field);
        parts.extend(part);
        at = next.max(at + 1);
    }
    let query = if parts.len() == 1 {
        parts.remove(0)
    } else {
        Query::Any(parts)
    };
    (query, at + 1)
}

/// Reads what is joined by AND.
fn all(tokens: &[Token], at: usize, field: &str) -> (Option<Query>, usize) {
    let (first, mut at) = one(tokens, at, field);
    let mut parts: Vec<_> = first.into_iter().collect();
    while tokens.get(at) == Some(&Token::And) {
        let (next, end) = one(tokens, at + 1, field);
        parts.extend(next);
        at = end;
    }
    let query = match parts.len() {
        0 => None,
        1 => Some(parts.remove(0)),
        _ => Some(Query::All(parts)),
    };
    (query, at)
}

fn one(tokens: &[Token], at: usize, field: &str) -> (Option<Query>, usize) {
    match tokens.get(at) {
        Some(Token::Field(name)) => one(tokens, at + 1, name),
        Some(Token::Open) => {
            let (query, end) = any(tokens, at + 1, field);
            (Some(query), end)
        }
        Some(Token::Range(low, high)) => (Some(Query::Range(*low, *high)), at + 1),
        Some(Token::Word(text) | Token::Quoted(text)) => {
            let words = analyse(text);
            let query = (!words.is_empty()).then(|| Query::Phrase(field.to_owned(), words));
            (query, at + 1)
        }
        _ => (None, at + 1),
    }
}

/// Words of a text as Unicode cuts them, in small letters and without accents.
pub(super) fn analyse(text: &str) -> Vec<String> {
    let folded: Vec<char> = text.to_lowercase().chars().filter_map(fold).collect();
    let mut words: Vec<String> = vec![String::new()];
    for (at, c) in folded.iter().copied().enumerate() {
        let beside = |other: Option<&char>| other.is_some_and(|c| c.is_alphanumeric());
        let joins =
            "'.".contains(c) && at > 0 && beside(folded.get(at - 1)) && beside(folded.get(at + 1));
        if is_ideographic(c) {
            words.push(c.to_string());
            words.push(String::new());
        } else if c.is_alphanumeric() || joins {
            if let Some(word) = words.last_mut() {
                word.push(c);
            }
        } else {
            words.push(String::new());
        }
    }
    words.retain(|word| !word.is_empty());
    // What has no letters at all is found by itself.
    if words.is_empty() && !text.trim().is_empty() {
        words.push(text.trim().to_lowercase());
    }
    words
}

/// Han and kana are cut into signs; a dictionary would make words of some.
fn is_ideographic(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30ff | 0x3400..=0x9fff)
}

/// The letter below an accent, for the letters that occur here.
fn fold(c: char) -> Option<char> {
    Some(match c {
        'à'..='å' | 'ā' => 'a',
        'ç' | 'č' | 'ć' => 'c',
        'è'..='ë' | 'ē' | 'έ' => {
            if c == 'έ' {
                'ε'
            } else {
                'e'
            }
        }
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' | 'ō' => 'o',
        'ù'..='ü' | 'ū' => 'u',
        'ý' | 'ÿ' => 'y',
        'ž' => 'z',
        'š' => 's',
        'ά' => 'α',
        'ή' => 'η',
        'ί' => 'ι',
        'ό' => 'ο',
        'ύ' => 'υ',
        'ώ' => 'ω',
        'ς' => 'σ',
        'ё' => 'е',
        'й' => 'и',
        '\u{2019}' | '\u{2bc}' => '\'',
        '\u{300}'..='\u{36f}' => return None,
        c => c,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(titles: &[&str]) -> Index {
        let mut index = Index::default();
        for title in titles {
            let mut document = Document::default();
            document.text("recording", title);
            document.exact("arid", "A1");
            document.number = Some(180_000);
            index.add(document);
        }
        index
    }

    fn found(index: &Index, query: &str) -> Vec<usize> {
        let found = index.search(query, "recording");
        found.into_iter().map(|(at, _)| at).collect()
    }

    #[test]
    fn words_are_found_in_their_own_script_only() {
        let index = index(&["S.O.S.", "Don’t Stop", "Калинка", "Sígur"]);
        assert!(found(&index, "recording:(sos)").is_empty());
        assert_eq!(found(&index, "recording:(s.o.s)"), [0]);
        assert!(found(&index, "recording:(dont)").is_empty());
        assert_eq!(found(&index, "recording:(don't)"), [1]);
        assert!(found(&index, "recording:(kalinka)").is_empty());
        assert_eq!(found(&index, "recording:(калинка)"), [2]);
        assert_eq!(found(&index, "sigur"), [3]);
    }

    #[test]
    fn groups_are_alternatives_and_and_is_not() {
        let index = index(&["Slow Water", "Slow Fire", "Quick Fire"]);
        assert_eq!(found(&index, "recording:(slow water)")[0], 0);
        assert_eq!(found(&index, "recording:(slow water)").len(), 2);
        assert_eq!(found(&index, "slow AND fire"), [1]);
        assert_eq!(found(&index, "\"quick fire\" OR \"slow water\"").len(), 2);
        assert_eq!(found(&index, "arid:a1 AND recording:(quick)"), [2]);
        assert!(found(&index, "slow AND dur:[1 TO 2]").is_empty());
        assert_eq!(found(&index, "water AND dur:[170000 TO 190000]"), [0]);
    }
}
