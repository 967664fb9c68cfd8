//! Puts content in the place of ids.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use serde_json::Value as Json;

use super::Rules;
use super::schema::{Table, is_id, is_uuid};

/// JSON arrays of ids are sets, and sorted, except in columns where the order says something.
const ORDERED: [&str; 1] = ["related_songs"];
/// How far a row without a natural key may lead to others, so that circles end.
const DEPTH: usize = 4;

/// Knows which row each id belongs to.
pub(super) struct Resolver<'a> {
    tables: &'a [Table],
    rules: &'a Rules,
    /// UUID to table and row.
    uuids: BTreeMap<&'a str, (usize, usize)>,
    /// Table and number to row.
    numbers: BTreeMap<(usize, i64), usize>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(tables: &'a [Table], rules: &'a Rules) -> Self {
        let mut resolver = Self {
            tables,
            rules,
            uuids: BTreeMap::new(),
            numbers: BTreeMap::new(),
        };
        for (index, table) in tables.iter().enumerate() {
            let Some(column) = table.own_id else { continue };
            for (row, values) in table.rows.iter().enumerate() {
                match &values[column] {
                    Value::Text(text) if is_uuid(text) => {
                        resolver.uuids.insert(text, (index, row));
                    }
                    Value::Integer(number) => {
                        resolver.numbers.insert((index, *number), row);
                    }
                    _ => {}
                }
            }
        }
        resolver
    }

    /// Returns the rows of a table as sorted text.
    pub(super) fn rows(&self, table: &Table) -> Vec<String> {
        let mut rows: Vec<String> = table
            .rows
            .iter()
            .map(|row| self.row(table, row, DEPTH))
            .collect();
        rows.sort();
        rows
    }

    fn row(&self, table: &Table, row: &[Value], depth: usize) -> String {
        let told = (0..row.len()).filter(|column| !self.passes_over(table, *column, &row[*column]));
        let cells: Vec<String> = told
            .map(|column| {
                format!(
                    "{}={}",
                    table.columns[column],
                    self.cell(table, column, &row[column], depth)
                )
            })
            .collect();
        cells.join(" | ")
    }

    fn passes_over(&self, table: &Table, column: usize, value: &Value) -> bool {
        (table.own_id == Some(column) && self.is_made_up(value))
            || self.rules.ignores(&table.columns[column])
    }

    /// Returns whether an own id means nothing in itself; a word that serves as one does.
    fn is_made_up(&self, value: &Value) -> bool {
        match value {
            Value::Text(text) => self.uuids.contains_key(text.as_str()),
            Value::Integer(_) => true,
            _ => false,
        }
    }

    fn cell(&self, table: &Table, column: usize, value: &Value, depth: usize) -> String {
        match value {
            Value::Null => "NULL".to_owned(),
            Value::Integer(number) => self.number(table, column, *number, depth),
            Value::Real(number) => format!("{number:?}"),
            Value::Text(text) => self.text(table, column, text, depth),
            Value::Blob(bytes) => format!("{bytes:02x?}"),
        }
    }

    /// Resolves a number where a foreign key, or a name like `song_id` beside a table `songs`, says where it leads.
    fn number(&self, table: &Table, column: usize, number: i64, depth: usize) -> String {
        let name = &table.columns[column];
        let declared = table
            .references
            .iter()
            .find(|(from, _)| *from == column)
            .map(|(_, to)| to.as_str());
        let stem = name
            .strip_suffix("_id")
            .or_else(|| name.strip_suffix("_guid"));
        let target = self.tables.iter().position(|table| match (declared, stem) {
            (Some(declared), _) => table.name == declared,
            (None, Some(stem)) => table.name == stem || table.name.strip_suffix('s') == Some(stem),
            (None, None) => false,
        });
        let found = target.and_then(|target| Some((target, *self.numbers.get(&(target, number))?)));
        match (found, declared) {
            (Some((target, row)), _) => self.label(target, row, depth),
            (None, Some(declared))
                if target.is_some_and(|target| self.tables[target].own_id.is_some()) =>
            {
                format!("<no such row of {declared}>")
            }
            _ => number.to_string(),
        }
    }

    fn text(&self, table: &Table, column: usize, text: &str, depth: usize) -> String {
        if let Some((target, row)) = self.uuids.get(text) {
            return self.label(*target, *row, depth);
        }
        let declared = table.references.iter().find(|(from, _)| *from == column);
        if let Some((_, target)) = declared
            && is_uuid(text)
            && is_id(&table.columns[column])
            && self
                .tables
                .iter()
                .any(|table| table.name == *target && table.own_id.is_some())
        {
            return format!("<no such row of {target}>");
        }
        if text.starts_with(['[', '{'])
            && let Ok(json) = serde_json::from_str::<Json>(text)
        {
            let sets = !ORDERED.contains(&table.columns[column].as_str());
            return self.json(json, sets, depth).to_string();
        }
        format!("{text:?}")
    }

    fn json(&self, json: Json, sets: bool, depth: usize) -> Json {
        match json {
            Json::String(text) => match self.uuids.get(text.as_str()) {
                Some((target, row)) => Json::String(self.label(*target, *row, depth)),
                None => Json::String(text),
            },
            Json::Array(items) => {
                let is_own = |item: &Json| {
                    item.as_str()
                        .is_some_and(|text| self.uuids.contains_key(text))
                };
                let sorts = sets && items.iter().all(is_own);
                let mut items: Vec<Json> = items
                    .into_iter()
                    .map(|item| self.json(item, sets, depth))
                    .collect();
                if sorts {
                    items.sort_by_key(Json::to_string);
                }
                Json::Array(items)
            }
            Json::Object(fields) => {
                let told = fields
                    .into_iter()
                    .filter(|(key, _)| !self.rules.ignores(key));
                let field = |(key, value): (String, Json)| {
                    let known = self
                        .uuids
                        .get(key.as_str())
                        .map(|(target, row)| self.label(*target, *row, depth));
                    (known.unwrap_or(key), self.json(value, sets, depth))
                };
                let fields: BTreeMap<String, Json> = told.map(field).collect();
                Json::Object(fields.into_iter().collect())
            }
            other => other,
        }
    }

    /// Returns what a row is about: its natural key where it has one, else everything it says.
    fn label(&self, target: usize, row: usize, depth: usize) -> String {
        let table = &self.tables[target];
        let Some(depth) = depth.checked_sub(1) else {
            return format!("<{}>", table.name);
        };
        let row = &table.rows[row];
        let told = table
            .natural
            .iter()
            .any(|column| row[*column] != Value::Null);
        let content = if told {
            let parts: Vec<String> = table
                .natural
                .iter()
                .map(|column| self.cell(table, *column, &row[*column], depth))
                .collect();
            parts.join(" @ ")
        } else {
            self.row(table, row, depth)
        };
        format!("<{} {content}>", table.name)
    }
}
