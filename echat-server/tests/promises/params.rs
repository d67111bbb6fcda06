//! Valid, wrong, hostile and edge values of parameters. The fields come from the table of commands.

use echat_proto::Value;
use echat_proto::commands::{CommandInfo, FieldInfo, Shape};
use echat_proto::limits::{
    AWAY_BYTES, CONTENT_BYTES, FRAME_AFTER_LOGIN, NAME_BYTES, NAME_CHARS, NAMES, PASSWORD_MAX,
    PASSWORD_MIN, TOPIC_BYTES,
};

/// One value of each kind.
pub(super) fn kinds() -> [Value; 8] {
    [
        Value::Null,
        Value::Int(u64::MAX),
        Value::Float(1.5),
        Value::from("text"),
        Value::List(vec![Value::Int(1)]),
        Value::Dict(vec![("key".to_owned(), Value::Null)]),
        Value::Bool(true),
        Value::Bytes(vec![0, 255]),
    ]
}

/// A value that the field accepts.
fn good(field: &FieldInfo) -> Value {
    match field.kind {
        "int" => Value::Int(1),
        "bool" => Value::Bool(false),
        "list" => Value::List(Vec::new()),
        "dict" => Value::Dict(Vec::new()),
        kind if kind.starts_with("int 0") => Value::Int(0),
        "str" if field.name == "password" => Value::from("long enough"),
        "int or null" => Value::Int(1),
        "str member, operator or owner" => Value::from("member"),
        kind if kind.starts_with("str") => Value::from("somebody"),
        kind => panic!("a request has a field of the new type {kind:?}"),
    }
}

fn is_of_its_kind(field: &FieldInfo, value: &Value) -> bool {
    let kinds = field.kind.split(" or ");
    let is_named = kinds.into_iter().any(|kind| kind == value.kind());
    is_named || (field.optional && *value == Value::Null)
}

pub(super) fn dict(fields: &[FieldInfo]) -> Vec<(String, Value)> {
    fields
        .iter()
        .map(|field| (field.name.to_owned(), good(field)))
        .collect()
}

/// Wrong parameters, and the field that the refusal names.
pub(super) fn wrong(info: &CommandInfo) -> Vec<(Value, String)> {
    let others = |but: &'static str| {
        let fits = move |value: &Value| but.split(" or ").any(|kind| kind == value.kind());
        kinds().into_iter().filter(move |value| !fits(value))
    };
    match info.shape {
        Shape::Null => others("null")
            .map(|value| (value, "params".to_owned()))
            .collect(),
        Shape::One(field) => kinds()
            .into_iter()
            .filter(|value| !is_of_its_kind(&field, value))
            .map(|value| (value, field.name.to_owned()))
            .collect(),
        Shape::Dict(fields) => {
            let mut wrong: Vec<_> = others("dict")
                .map(|value| (value, "params".to_owned()))
                .collect();
            for (index, field) in fields.iter().enumerate() {
                for value in kinds() {
                    if !is_of_its_kind(field, &value) {
                        let mut entries = dict(fields);
                        entries[index].1 = value;
                        wrong.push((Value::Dict(entries), field.name.to_owned()));
                    }
                }
                for item in kinds() {
                    if field.kind == "list" && item.kind() != "str" {
                        let mut entries = dict(fields);
                        entries[index].1 = Value::List(vec![Value::from("ann"), item]);
                        wrong.push((Value::Dict(entries), field.name.to_owned()));
                    }
                }
                if !field.optional {
                    let mut entries = dict(fields);
                    entries.remove(index);
                    wrong.push((Value::Dict(entries), field.name.to_owned()));
                }
            }
            let mut entries = dict(fields);
            entries.push(("extra".to_owned(), Value::Null));
            wrong.push((Value::Dict(entries), "extra".to_owned()));
            wrong
        }
    }
}

/// Texts that are hard to store, to compare or to print.
fn hostile() -> Vec<Value> {
    let long = |n| "x".repeat(n);
    let mut texts: Vec<String> = [
        "",
        " ",
        "\u{a0}",
        "\u{3000}",
        "\u{200b}",
        " ann",
        "ann ",
        "a\0b",
        "\u{1b}[2J",
        "a\r\nb",
        "\u{9b}31m",
        "\u{2028}",
        "\u{202e}nna",
        "\u{e0041}",
        "e\u{301}",
        "\u{e9}",
        "ß",
        "İ",
        "ς",
        "ｂｏｂ",
        "раураl",
        "%",
        "_",
        "'; DROP TABLE users; --",
        "\t",
        "\u{7f}",
        "\u{2029}",
        "\u{2066}ann\u{2069}",
        "a\u{200d}b",
        "\u{feff}",
        "straße",
        "STRASSE",
        "p\u{430}ypal",
        "ann\u{3b4}",
        "\u{1100}\u{1161}\u{11a8}",
        "\u{10ffff}",
    ]
    .map(str::to_owned)
    .into();
    texts.push(format!("a{}", "\u{301}".repeat(100)));
    // Each limit of a text, one below and one above: characters and bytes of a name, bytes of a txn_id, a keyword, a
    // password, a content, a reason, an absence and a topic; and nearly a whole frame.
    let limits = [
        NAME_CHARS,
        NAME_BYTES,
        PASSWORD_MIN,
        PASSWORD_MAX,
        CONTENT_BYTES,
        AWAY_BYTES,
        TOPIC_BYTES,
    ];
    let around = |limit| [limit - 1, limit, limit + 1];
    texts.extend(limits.into_iter().flat_map(around).map(long));
    texts.extend([3_000, FRAME_AFTER_LOGIN - 1_000].map(long));
    texts.into_iter().map(Value::Str).collect()
}

/// `names` different names.
pub(super) fn many(names: usize) -> Value {
    let names = (0..names).map(|number| Value::Str(format!("user{number}")));
    Value::List(names.collect())
}

/// Values at and beyond the limits of a field. This table does not know the right answer.
pub(super) fn edges(field: &FieldInfo) -> Vec<Value> {
    match field.kind {
        "list" => hostile()
            .into_iter()
            .map(|text| Value::List(vec![text.clone(), text]))
            .chain([NAMES - 1, NAMES, NAMES + 1, 5 * NAMES].map(many))
            .collect(),
        kind if kind.starts_with("str") => hostile(),
        "bool" => vec![Value::Bool(true)],
        _ => [
            0,
            1,
            2,
            1 << 31,
            (1 << 32) - 1,
            1 << 32,
            1 << 53,
            1 << 63,
            u64::MAX,
        ]
        .map(Value::Int)
        .into(),
    }
}

/// Parameters with one hostile or edge value, the others valid. Frames before a login are small.
pub(super) fn at_the_edges(info: &CommandInfo, most: usize) -> Vec<Value> {
    let asked: Vec<Value> = match info.shape {
        Shape::Null => Vec::new(),
        Shape::One(field) => edges(&field),
        Shape::Dict(fields) => (0..fields.len())
            .flat_map(|index| {
                edges(&fields[index]).into_iter().map(move |value| {
                    let mut entries = dict(fields);
                    entries[index].1 = value;
                    Value::Dict(entries)
                })
            })
            .collect(),
    };
    let fits = |value: &Value| {
        let mut bytes = Vec::new();
        echat_proto::codec::encode(value, &mut bytes).is_ok() && bytes.len() + 100 <= most
    };
    asked.into_iter().filter(fits).collect()
}
