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
    /// Words in a row, in a field; or a value as it is written, where a field is compared as it is.
    Phrase(String, Vec<String>, String),
    /// A word with `*` and `?` in it, in a field; it is not analysed.
    Pattern(String, String),
    /// A word in a field with so many letters other at most.
    Fuzzy(String, String, usize),
    /// A range of numbers.
    Range(u64, u64),
    Any(Vec<Query>),
    All(Vec<Query>),
    /// What must not be there.
    Not(Box<Query>),
    /// What must be there, among alternatives.
    Must(Box<Query>),
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
    ///
    /// `None` is a query that cannot be read, which the real one refuses.
    pub(super) fn search(&self, query: &str, default: &'static str) -> Option<Vec<(usize, f64)>> {
        let tokens = tokens(query)?;
        let (query, _) = any(&tokens, 0, default);
        let mut found: Vec<_> = (0..self.documents.len())
            .filter_map(|at| Some((at, self.score(&query, at)?)))
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let best = found.first().map_or(1.0, |(_, score)| score.max(1e-9));
        for (_, score) in &mut found {
            *score *= 100.0 / best;
        }
        Some(found)
    }

    fn score(&self, query: &Query, at: usize) -> Option<f64> {
        let document = &self.documents[at];
        match query {
            Query::Range(low, high) => {
                let number = document.number?;
                (*low..=*high).contains(&number).then_some(0.1)
            }
            Query::Not(part) => self.score(part, at).is_none().then_some(0.0),
            Query::Must(part) => self.score(part, at),
            Query::Pattern(field, pattern) => {
                let texts = document.texts.get(field.as_str())?;
                let mut words = texts.iter().flatten();
                words
                    .any(|word| fits(pattern.as_bytes(), word.as_bytes()))
                    .then_some(1.0)
            }
            Query::Fuzzy(field, word, apart) => {
                let texts = document.texts.get(field.as_str())?;
                let mut words = texts.iter().flatten();
                words
                    .any(|other| letters_apart(word, other) <= *apart)
                    .then_some(1.0)
            }
            Query::Any(parts) => {
                let is_decisive = |part: &&Query| matches!(part, Query::Not(_) | Query::Must(_));
                if parts
                    .iter()
                    .filter(is_decisive)
                    .any(|part| self.score(part, at).is_none())
                {
                    return None;
                }
                let scores: Vec<_> = parts
                    .iter()
                    .filter(|part| !matches!(part, Query::Not(_)))
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
            Query::Phrase(field, words, written) => {
                if let Some(values) = document.exact.get(field.as_str()) {
                    return values.contains(written).then_some(5.0);
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
    Not,
    Must,
    Field(String),
    Word(String),
    /// A word with unescaped `*` or `?` in it.
    Pattern(String),
    Fuzzy(String, usize),
    Quoted(String),
    Range(u64, u64),
}

/// The words and signs of a query. `None` where a quotation or a range has no end, or a sign of the
/// language stands where it means nothing: the real one refuses both.
fn tokens(query: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = query.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            '"' => {
                let mut text = String::new();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => text.push(chars.next()?),
                        c => text.push(c),
                    }
                }
                tokens.push(Token::Quoted(text));
            }
            '[' | '{' => {
                let text: String = chars.by_ref().take_while(|c| !"]}".contains(*c)).collect();
                let (low, high) = text.split_once(" TO ")?;
                tokens.push(Token::Range(
                    low.trim().parse().ok()?,
                    high.trim().parse().ok()?,
                ));
            }
            '!' | '-' => tokens.push(Token::Not),
            '+' => tokens.push(Token::Must),
            ']' | '}' | ':' | '^' | '~' | '/' => return None,
            c if c.is_whitespace() => {}
            c => tokens.push(word(c, &mut chars)?),
        }
    }
    is_balanced(&tokens).then_some(tokens)
}

/// Whether every bracket that opens is closed, and none before it opens.
fn is_balanced(tokens: &[Token]) -> bool {
    let mut open = 0_usize;
    for token in tokens {
        match token {
            Token::Open => open += 1,
            Token::Close if open == 0 => return false,
            Token::Close => open -= 1,
            _ => {}
        }
    }
    open == 0
}

/// The word that begins with a letter: a field's name, an operator, or what is looked for.
fn word(first: char, chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Token> {
    let (mut text, mut is_pattern, mut is_escaped) = (String::new(), false, false);
    let mut next = Some(first);
    while let Some(c) = next {
        match c {
            '\\' => {
                is_escaped = true;
                text.push(chars.next()?);
            }
            c => {
                is_pattern |= "*?".contains(c);
                text.push(c);
            }
        }
        let goes_on = |c: &char| !c.is_whitespace() && !"()[]{}\":^~!/".contains(*c);
        next = chars.next_if(goes_on);
    }
    let mut number = |sign: char| {
        chars.next_if_eq(&sign)?;
        let mut digits = String::new();
        while let Some(c) = chars.next_if(|c| c.is_ascii_digit() || *c == '.') {
            digits.push(c);
        }
        Some(digits)
    };
    if let Some(apart) = number('~') {
        // Without a number it is two letters, as many as Lucene's fuzzy search goes.
        return Some(Token::Fuzzy(text, apart.parse().unwrap_or(2).min(2)));
    }
    if number('^').is_some_and(|boost| boost.is_empty()) {
        return None;
    }
    if chars.next_if_eq(&':').is_some() {
        return Some(Token::Field(text));
    }
    Some(match text.as_str() {
        _ if is_pattern => Token::Pattern(text),
        _ if is_escaped => Token::Word(text),
        "AND" | "&&" => Token::And,
        "OR" | "||" => Token::Or,
        "NOT" => Token::Not,
        _ => Token::Word(text),
    })
}

/// Whether a word is what a pattern says, `*` for any letters and `?` for one.
fn fits(pattern: &[u8], word: &[u8]) -> bool {
    match (pattern.split_first(), word.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=word.len()).any(|from| fits(rest, &word[from..])),
        (Some((sign, rest)), Some((letter, others))) => {
            (*sign == b'?' || sign == letter) && fits(rest, others)
        }
        _ => false,
    }
}

/// Letters to add, leave out or change to make one word of the other.
fn letters_apart(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, a) in one.chars().enumerate() {
        let mut before = row[0];
        row[0] = at + 1;
        for (number, b) in other.iter().enumerate() {
            let changed = before + usize::from(a != *b);
            before = row[number + 1];
            row[number + 1] = changed.min(before + 1).min(row[number] + 1);
        }
    }
    row[other.len()]
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
        Some(Token::Not) => {
            let (query, end) = one(tokens, at + 1, field);
            (query.map(|query| Query::Not(Box::new(query))), end)
        }
        Some(Token::Must) => {
            let (query, end) = one(tokens, at + 1, field);
            (query.map(|query| Query::Must(Box::new(query))), end)
        }
        Some(Token::Pattern(text)) => {
            let pattern = Query::Pattern(field.to_owned(), text.to_lowercase());
            (Some(pattern), at + 1)
        }
        Some(Token::Fuzzy(text, apart)) => {
            let word = analyse(text).concat();
            (Some(Query::Fuzzy(field.to_owned(), word, *apart)), at + 1)
        }
        Some(Token::Range(low, high)) => (Some(Query::Range(*low, *high)), at + 1),
        Some(Token::Word(text) | Token::Quoted(text)) => {
            let words = analyse(text);
            let query = (!words.is_empty())
                .then(|| Query::Phrase(field.to_owned(), words, text.to_lowercase()));
            (query, at + 1)
        }
        _ => (None, at + 1),
    }
}

/// Words of a text as Unicode cuts them, in small letters and without accents.
pub(super) fn analyse(text: &str) -> Vec<String> {
    let narrow = text.chars().map(narrow).collect::<String>();
    let folded: Vec<char> = narrow.to_lowercase().chars().filter_map(fold).collect();
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

/// The sign of usual width for one of full width.
fn narrow(c: char) -> char {
    match u32::from(c) {
        0x3000 => ' ',
        wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(c),
        _ => c,
    }
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
        let found = index
            .search(query, "recording")
            .expect("a query that can be read");
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

    #[test]
    fn signs_of_the_language_mean_what_they_do_in_lucene() {
        let index = index(&["Slow Water", "Slow Fire", "What?", "OR"]);
        assert_eq!(found(&index, "slow -fire"), [0]);
        assert_eq!(found(&index, "+slow +water"), [0]);
        assert_eq!(found(&index, "wat*"), [0]);
        assert_eq!(found(&index, "watr~1"), [0]);
        assert_eq!(found(&index, "what\\?"), [2]);
        assert_eq!(found(&index, "\"OR\""), [3]);
        assert_eq!(found(&index, "ＳＬＯＷ　ＦＩＲＥ")[0], 1);
        assert_eq!(found(&index, "arid:a-1"), Vec::<usize>::new());
        for broken in ["\"slow", "slow)", "[1 TO", "slow /fire", "~slow"] {
            assert!(index.search(broken, "recording").is_none(), "{broken}");
        }
    }
}
