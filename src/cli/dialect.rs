//! `assay dialect`: a file is read and explained, or a built-in one printed.

use std::path::Path;

use crate::dialect::{self, Codec, Dialect, Speech};
use crate::results::outcome::Exit;
use crate::source::nearest;
use crate::suite::call::{Operation, Slot};
use crate::suite::claim::{Field, FieldPlace};

use super::args::DialectVerb;
use super::plan::{Refused, read_file};

/// Does what was asked.
pub fn dialect(verb: &DialectVerb) -> Result<Exit, Refused> {
    match verb {
        DialectVerb::List => {
            let line =
                |(name, text): &(&str, &str)| super::say(&format!("{name:<16} {}", first_sentence(text)));
            dialect::BUILTIN.iter().for_each(line);
        }
        DialectVerb::Show { name } => super::say(text_of(name)?),
        DialectVerb::Check { file } => super::say(&explained(&read(file)?)),
    }
    Ok(Exit::Good)
}

fn text_of(name: &str) -> Result<&'static str, Refused> {
    let found = dialect::BUILTIN.iter().find(|(own, _)| *own == name).map(|(_, text)| *text);
    found.ok_or_else(|| {
        let names: Vec<&str> = dialect::BUILTIN.iter().map(|(name, _)| *name).collect();
        let near = nearest(name, names.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
        let rest = near.unwrap_or_else(|| format!("; there are {}", names.join(", ")));
        Refused::CommandLine(format!("no dialect is called `{name}`{rest}"))
    })
}

fn read(file: &Path) -> Result<Dialect, Refused> {
    if !file.exists()
        && let Some(dialect) = file.to_str().and_then(dialect::builtin)
    {
        return Ok(dialect);
    }
    Ok(dialect::parse(&read_file(file)?)?)
}

/// The first sentence of the comment that a dialect begins with.
fn first_sentence(text: &str) -> String {
    let comment = text.lines().map_while(|line| line.strip_prefix("# "));
    let whole = comment.collect::<Vec<_>>().join(" ");
    whole.split_once(". ").map_or(whole.as_str(), |(first, _)| first).trim_end_matches('.').to_owned()
}

/// What a dialect means, operation by operation, and what it does not have.
fn explained(dialect: &Dialect) -> String {
    let mut lines = vec![format!("  {} is a dialect without mistakes", dialect.name), String::new()];
    for (operation, speech) in &dialect.operations {
        lines.extend(operation_lines(*operation, speech));
    }
    let lacking = lacking(dialect);
    if !lacking.is_empty() {
        lines.push("  checks that need these are not for it:".to_owned());
        lines.extend(lacking.into_iter().map(|what| format!("    {what}")));
    }
    lines.join("\n")
}

fn operation_lines(operation: Operation, speech: &Speech) -> Vec<String> {
    let carried: Vec<&str> =
        Slot::ALL.into_iter().filter(|slot| speech.carries(*slot)).map(Slot::word).collect();
    let formats: Vec<String> =
        speech.accepts.iter().map(|(name, accepts)| format!("{name} ({})", codec(accepts.codec))).collect();
    let mut lines = vec![
        format!("  {:<9} {} {}", operation.word(), speech.method, speech.path),
        format!("    sends   {}", carried.join(", ")),
        format!(
            "    as      {}",
            if formats.is_empty() { "no document".to_owned() } else { formats.join(", ") }
        ),
    ];
    let fields = speech.answers.fields.iter();
    let read: Vec<String> = fields
        .map(|(field, source)| {
            let places: Vec<String> = source.at.iter().map(place).collect();
            let kept = if source.absent_keeps { " or the old one" } else { "" };
            format!("{} {}{kept}", field.word(), places.join(" or "))
        })
        .collect();
    if !read.is_empty() {
        lines.push(format!("    reads   {}", read.join(" · ")));
    }
    lines.push(format!("    granted {}", speech.answers.granted.text));
    lines.push(String::new());
    lines
}

fn codec(codec: Codec) -> &'static str {
    match codec {
        Codec::Json => "JSON",
        Codec::Xml => "XML",
        Codec::Form => "form",
    }
}

fn place(place: &FieldPlace) -> String {
    match place {
        FieldPlace::Field(field) => field.word().to_owned(),
        FieldPlace::Path(path) => path.clone(),
        FieldPlace::Header(name) => format!("header:{name}"),
        FieldPlace::Cookie(name) => format!("cookie:{name}"),
        FieldPlace::Claim(field, name) => format!("{}#{name}", field.word()),
        FieldPlace::Jose(field, name) => format!("{}@{name}", field.word()),
    }
}

fn lacking(dialect: &Dialect) -> Vec<String> {
    let mut lacking = Vec::new();
    let operations = [Operation::Login, Operation::Probe, Operation::Revoke];
    let missing = operations.into_iter().filter(|operation| dialect.operation(*operation).is_none());
    lacking.extend(missing.map(|operation| format!("the operation `{}`", operation.word())));
    let refresh = dialect.refresh();
    let fields = [Field::Refresh, Field::Issued, Field::Expires, Field::Scope, Field::Code];
    let missing = fields.into_iter().filter(|field| !refresh.answers.fields.contains_key(field));
    lacking.extend(missing.map(|field| format!("the field `{}` of a refresh", field.word())));
    if refresh.answers.body.is_none() {
        lacking.push("a declared `body` of answers".to_owned());
    }
    if dialect.links.is_empty() {
        lacking.push("`links` that tie an access token to its user".to_owned());
    }
    lacking
}
