//! A sketch as a dialect file and a starter suite, with a question wherever the document said nothing.

use std::collections::BTreeMap;

use crate::suite::call::Slot;
use crate::suite::claim::Field;

use super::{Format, Imported, Kind, Member, Presence, Sent, Sketch, Value, names};

/// A line that is a question.
const MARK: &str = "# ?";

/// Both files.
pub(super) fn write(sketch: &Sketch) -> Imported {
    let fields = fields(sketch);
    let dialect = dialect(sketch, &fields);
    let suite = suite(sketch);
    let questions = [&dialect, &suite].iter().map(|text| text.matches(MARK).count()).sum();
    Imported { name: sketch.name.clone(), dialect, suite, questions }
}

fn dialect(sketch: &Sketch, fields: &BTreeMap<Field, Place>) -> String {
    let mut out = Lines::default();
    out.line(
        0,
        &format!(
            "# Made of {} by `assay init --from`. Lines with `{MARK}` are questions that it did not answer.",
            sketch.from
        ),
    );
    out.line(0, "assay-dialect: 1");
    out.line(0, &format!("name: {}", scalar(&sketch.name)));
    out.line(0, &format!("slots: [{}]", slots(sketch).join(", ")));
    out.line(0, "blank: [null, \"\"]");
    if fields.values().any(|place| place.reading == Some("date")) {
        out.line(0, &format!("dates: {{ formats: [iso, dotnet], zone: unknown }}   {MARK} how dates are written, and in which zone"));
    }
    out.line(
        0,
        &format!("{MARK} links: {{ user: access#sub }}   which claims of an access token tie it to its user"),
    );
    out.line(0, "");
    out.line(0, "operations:");
    out.line(1, "refresh:");
    out.line(2, &format!("method: {}", sketch.method));
    out.line(2, &format!("path: {}", scalar(&sketch.path)));
    sent_block(&mut out, "query", &sketch.query);
    sent_block(&mut out, "headers", &sketch.headers);
    accepts(&mut out, &sketch.formats);
    answers(&mut out, sketch, fields);
    out.line(0, "");
    out.line(1, &format!("{MARK} login: how a chain begins; without it `chains` of the suite names a file, a variable or a command"));
    out.line(
        1,
        &format!("{MARK} probe: a resource that takes an access token, and `revoke:` what ends a chain"),
    );
    out.line(0, "");
    rules(&mut out, sketch, fields);
    out.text
}

fn slots(sketch: &Sketch) -> Vec<&'static str> {
    fn collect(members: &[Sent], found: &mut Vec<Slot>) {
        for member in members {
            match &member.value {
                Value::Slot(_, slot) => found.push(*slot),
                Value::Members(inner) => collect(inner, found),
                Value::Constant(text) if text.contains("$refresh") => found.push(Slot::Refresh),
                Value::Constant(_) | Value::Question => {}
            }
        }
    }
    let mut found = vec![Slot::Refresh, Slot::Access];
    sketch.formats.iter().for_each(|format| collect(&format.members, &mut found));
    collect(&sketch.query, &mut found);
    collect(&sketch.headers, &mut found);
    Slot::ALL.into_iter().filter(|slot| found.contains(slot)).map(Slot::word).collect()
}

fn sent_block(out: &mut Lines, key: &str, members: &[Sent]) {
    if members.is_empty() {
        return;
    }
    // A name without a value is no mapping, and questions are comments.
    let asks_only = members.iter().all(|member| matches!(member.value, Value::Question));
    let mark = if asks_only { format!("{MARK} ") } else { String::new() };
    out.line(2, &format!("{mark}{key}:"));
    for member in members {
        sent(out, 3, member);
    }
}

fn sent(out: &mut Lines, depth: usize, member: &Sent) {
    let name = scalar(&member.name);
    match &member.value {
        Value::Slot(before, slot) => out.line(depth, &format!("{name}: {before}${}", slot.word())),
        Value::Constant(text) => out.line(depth, &format!("{name}: {}", scalar(text))),
        Value::Question => {
            out.line(
                depth,
                &format!("{MARK} {name}: what is sent here? A slot such as `$tenant`, or a text"),
            );
        }
        Value::Members(inner) => {
            out.line(depth, &format!("{name}:"));
            for member in inner {
                sent(out, depth + 1, member);
            }
        }
    }
}

fn accepts(out: &mut Lines, formats: &[Format]) {
    if formats.is_empty() {
        return;
    }
    out.line(2, "accepts:");
    for format in formats {
        out.line(3, &format!("{}:", format.name));
        out.line(4, &format!("types: [{}]", format.types.join(", ")));
        if let Some(root) = &format.root {
            out.line(4, &format!("root: {}", scalar(root)));
        }
        if let Some(namespace) = &format.namespace {
            out.line(4, &format!("namespaces: {{ \"\": {} }}", quoted(namespace)));
        }
        let known = |member: &&Sent| member.value != Value::Question;
        if format.members.iter().any(|member| known(&member)) {
            out.line(4, "body:");
        } else {
            out.line(4, "body: {}");
        }
        for member in &format.members {
            sent(out, 5, member);
        }
    }
}

fn answers(out: &mut Lines, sketch: &Sketch, fields: &BTreeMap<Field, Place>) {
    out.line(2, "answers:");
    out.line(3, &format!("types: [{}]", sketch.types.join(", ")));
    if !sketch.body.is_empty() {
        out.line(3, "body:");
        for member in &sketch.body {
            declared(out, 4, member);
        }
    }
    if let Some(xml) = &sketch.xml {
        out.line(3, "xml:");
        out.line(4, &format!("root: {}", scalar(&xml.root)));
        out.line(4, &format!("namespace: {}", quoted(&xml.namespace)));
        out.line(4, &format!("order: {}", if xml.ordinal { "ordinal" } else { "declared" }));
        out.line(4, "\"null\": nil");
    }
    out.line(3, "fields:");
    for (field, place) in fields {
        let reading = place.reading.map(|reading| format!(", as: {reading}")).unwrap_or_default();
        let of = if matches!(field, Field::Issued | Field::Expires) { ", of: access" } else { "" };
        let kept = if place.optional && *field == Field::Refresh { ", absent: keep" } else { "" };
        let long = format!("{{ at: {}{reading}{of}{kept} }}", scalar(&place.path));
        let plain = reading.is_empty() && of.is_empty() && kept.is_empty();
        out.line(4, &format!("{}: {}", field.word(), if plain { scalar(&place.path) } else { long }));
    }
    for field in [Field::Access, Field::Refresh].into_iter().filter(|field| !fields.contains_key(field)) {
        out.line(4, &format!("{MARK} {}: /where/it/stands", field.word()));
    }
    let ok = if fields.contains_key(&Field::Ok) { " and ok" } else { "" };
    out.line(3, &format!("granted: status == 200 and filled(access){ok}"));
}

fn declared(out: &mut Lines, depth: usize, member: &Member) {
    let sign = match member.presence {
        Presence::Required => "",
        Presence::Optional => "?",
        Presence::Nullable => " or null",
    };
    let word = match &member.kind {
        Kind::Text => "text",
        Kind::Number => "number",
        Kind::Flag => "flag",
        Kind::Any => "any",
        Kind::Members(inner) => {
            out.line(depth, &format!("{}:", scalar(&format!("{}{sign}", member.name))));
            return for member in inner {
                declared(out, depth + 1, member);
            };
        }
    };
    out.line(depth, &format!("{}: {word}{sign}", scalar(&member.name)));
}

fn rules(out: &mut Lines, sketch: &Sketch, fields: &BTreeMap<Field, Place>) {
    out.line(0, "errors:");
    if fields.contains_key(&Field::Code) {
        out.line(1, &format!("{MARK} - {{ when: code == \"…\", class: invalid-token }}   what its codes mean, above the statuses"));
    }
    for (status, class) in [
        ("status == 415", "unsupported-media"),
        ("status == 404 or status == 405", "no-such-operation"),
        ("status == 429", "rate-limited"),
        ("status == 400", "malformed"),
        ("status == 401 or status == 403", "bad-credentials"),
    ] {
        out.line(1, &format!("- {{ when: {status}, class: {class} }}"));
    }
    let own: Vec<&Vec<Member>> = sketch.errors.iter().filter(|body| !body.is_empty()).collect();
    if !own.is_empty() {
        out.line(0, "");
        out.line(0, "error-documents:");
        for body in own {
            out.line(1, "- body:");
            for member in body {
                declared(out, 4, member);
            }
        }
    }
}

/// Where a field is.
struct Place {
    path: String,
    reading: Option<&'static str>,
    optional: bool,
    rank: usize,
}

/// The members that are named like fields; of several the best name, and of those the first.
fn fields(sketch: &Sketch) -> BTreeMap<Field, Place> {
    fn walk(members: &[Member], above: &str, found: &mut BTreeMap<Field, Place>) {
        for member in members {
            let path = format!("{above}/{}", member.name);
            if let Kind::Members(inner) = &member.kind {
                walk(inner, &path, found);
                continue;
            }
            let Some((field, rank)) = names::field(&member.name) else { continue };
            if found.get(&field).is_some_and(|known| known.rank <= rank) {
                continue;
            }
            let optional = member.presence == Presence::Optional;
            found.insert(field, Place { path, reading: reading(field, member), optional, rank });
        }
    }
    let mut found = BTreeMap::new();
    walk(&sketch.body, "", &mut found);
    sketch.errors.iter().for_each(|body| {
        let mut of_errors = BTreeMap::new();
        walk(body, "", &mut of_errors);
        for field in [Field::Code, Field::Message] {
            if let Some(place) = of_errors.remove(&field) {
                found.entry(field).or_insert(place);
            }
        }
    });
    found
}

fn reading(field: Field, member: &Member) -> Option<&'static str> {
    let bare = names::bare(&member.name);
    let number = member.kind == Kind::Number;
    match field {
        Field::Ok => Some("flag"),
        Field::Served | Field::Issued if !number => Some("date"),
        Field::Served | Field::Issued => Some("epoch"),
        Field::Expires if bare.ends_with("ms") => Some("milliseconds"),
        Field::Expires if bare.ends_with("in") => Some("seconds"),
        Field::Expires if number => Some("epoch"),
        Field::Expires => Some("date"),
        Field::Access | Field::Refresh | Field::Id | Field::Scope | Field::Code | Field::Message => None,
    }
}

fn suite(sketch: &Sketch) -> String {
    let slots: Vec<String> = slots(sketch)
        .into_iter()
        .filter(|word| !matches!(*word, "refresh" | "access"))
        .map(|word| {
            let variable = format!("TOKEN_{}", word.replace('-', "_").to_ascii_uppercase());
            let secret = Slot::from_word(word).is_some_and(Slot::is_secret);
            format!("{word}: {}:{variable}", if secret { "$secret" } else { "$env" })
        })
        .collect();
    let mut out = Lines::default();
    out.line(0, "# A first suite. `assay plan` says what it would do, `assay run` does it.");
    out.line(0, "assay: 1");
    out.line(0, &format!("name: {} refresh token", scalar(&sketch.name)));
    out.line(0, "dialect: {dialect}");
    out.line(0, "");
    out.line(0, "environments:");
    out.line(1, "# An endpoint of our own that speaks the dialect, started for the run.");
    out.line(1, "mock:");
    out.line(2, "mock: { policy: strict-family }");
    out.line(0, "");
    out.line(1, "live:");
    out.line(2, "url: $env:TOKEN_URL");
    if !slots.is_empty() {
        out.line(2, "identities:");
        out.line(3, &format!("own: {{ {} }}", slots.join(", ")));
    }
    out.line(2, &format!("chains: {{ file: pairs.jsonl }}   {MARK} or a login in the dialect: lines of {{\"refresh\": …, \"access\": …}}"));
    out.line(2, &format!("guard: {{ hosts: [login.example.com], rate: 20/s, requests: 5000 }}   {MARK} the host it may talk to"));
    out.line(0, "");
    out.line(0, &format!("policy:   {MARK} what the server promises; `assay learn` asks it"));
    out.line(1, "rotation: always");
    out.line(0, "");
    out.line(0, "checks:");
    out.line(1, "use: [format, schema, success, errors, lifecycle, races, security]");
    out.text
}

/// Lines with their indentation.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn line(&mut self, depth: usize, text: &str) {
        if !text.is_empty() {
            self.text.push_str(&"  ".repeat(depth));
        }
        self.text.push_str(text);
        self.text.push('\n');
    }
}

/// A word as YAML has it, in quotes where it needs them.
fn scalar(text: &str) -> String {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "_-/.+$ =".contains(sign);
    let safe = text.chars().all(plain)
        && text.chars().next().is_some_and(|first| first.is_ascii_alphabetic() || "/_$".contains(first))
        && !text.ends_with(' ')
        && !["null", "true", "false", "yes", "no"].contains(&text.to_ascii_lowercase().as_str());
    if safe { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
