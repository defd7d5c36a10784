//! The environment variables that a suite asks for: which, where, and their values.

use indexmap::IndexMap;

use crate::secret::Token;
use crate::source::{Diagnostic, Place};
use crate::suite::Suite;
use crate::suite::call::{Call, Changes, Part, Reference, Template};
use crate::suite::check::{Dimension, Standing, Verb};
use crate::suite::environment::{Environment, Target};

/// A variable that is asked for.
#[derive(Debug)]
struct Wanted {
    name: String,
    secret: bool,
    at: Place,
}

/// The values of every variable that `environment` and the checks to be run ask for; all missing ones at once.
pub fn resolve(
    suite: &Suite,
    environment: &Environment,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<IndexMap<String, Token>, Vec<Diagnostic>> {
    let mut wanted = Vec::new();
    of_environment(environment, &mut wanted);
    of_checks(suite, &mut wanted);
    let mut values = IndexMap::new();
    let mut missing: Vec<Diagnostic> = Vec::new();
    for want in wanted {
        match lookup(&want.name).filter(|value| !value.is_empty()) {
            Some(value) => {
                values.insert(want.name, Token::new(value));
            }
            None => missing.push(not_set(&want)),
        }
    }
    if missing.is_empty() { Ok(values) } else { Err(missing) }
}

fn not_set(want: &Wanted) -> Diagnostic {
    let kind = if want.secret { "secret" } else { "env" };
    Diagnostic::error(
        "suite::variable-not-set",
        want.at.clone(),
        format!("the environment variable `{}` is not set", want.name),
        format!("`${kind}:{}` is asked for here", want.name),
    )
    .help(format!("export {}=… before the run, or choose another environment with `--env`", want.name))
}

fn of_environment(environment: &Environment, wanted: &mut Vec<Wanted>) {
    match &environment.target {
        Target::Mock(_) => {}
        Target::RunningMock { url, control } => {
            of_template(url, &environment.at, wanted);
            of_template(control, &environment.at, wanted);
        }
        Target::Url(url) => of_template(url, &environment.at, wanted),
    }
    if let Some(proxy) = &environment.transport.proxy {
        of_template(proxy, &environment.at, wanted);
    }
    for identity in environment.identities.values() {
        for (_, value) in &identity.slots {
            of_template(value, &identity.at, wanted);
        }
    }
}

fn of_checks(suite: &Suite, wanted: &mut Vec<Wanted>) {
    for check in &suite.checks {
        if matches!(check.standing, Standing::Skip { .. }) {
            continue;
        }
        for step in &check.steps {
            let calls: Vec<&Call> = match &step.verb {
                Verb::Call(call) => vec![call.as_ref()],
                Verb::Race(race) => race.calls().collect(),
                Verb::Load(_) | Verb::Fuzz(_) | Verb::Wait(_) | Verb::Restart | Verb::Connect(_) => {
                    Vec::new()
                }
            };
            for call in calls {
                of_call(call, &check.place(call.at), wanted);
            }
        }
        for dimension in check.over.values() {
            if let Dimension::Changes(cells) = dimension {
                for changes in cells.values() {
                    of_changes(changes, &check.place(check.at), wanted);
                }
            }
        }
    }
}

fn of_call(call: &Call, at: &Place, wanted: &mut Vec<Wanted>) {
    of_changes(&call.changes, at, wanted);
}

fn of_changes(changes: &Changes, at: &Place, wanted: &mut Vec<Wanted>) {
    let repeated = changes.document.repeat.iter().flat_map(|(_, values)| values);
    let sent = changes.headers.iter().flat_map(|(_, values)| values);
    let made = changes
        .set
        .iter()
        .map(|(_, value)| value)
        .chain(repeated)
        .chain(sent)
        .chain(changes.document.add.iter().chain(&changes.document.put).map(|(_, value)| value))
        .chain(&changes.body);
    for value in made {
        value.references().into_iter().for_each(|reference| of_reference(reference, at, wanted));
    }
    let optional = [&changes.format, &changes.method, &changes.path, &changes.query];
    for template in optional.into_iter().flatten() {
        of_template(template, at, wanted);
    }
    for template in [&changes.label, &changes.accept].into_iter().flatten().flatten() {
        of_template(template, at, wanted);
    }
}

fn of_template(template: &Template, at: &Place, wanted: &mut Vec<Wanted>) {
    template.references().for_each(|reference| of_reference(reference, at, wanted));
}

fn of_reference(reference: &Reference, at: &Place, wanted: &mut Vec<Wanted>) {
    let (name, secret) = match reference {
        Reference::Env(name) => (name, false),
        Reference::Secret(name) => (name, true),
        _ => return,
    };
    if !wanted.iter().any(|other| &other.name == name) {
        wanted.push(Wanted { name: name.clone(), secret, at: at.clone() });
    }
}

/// `template` with its variables filled in; text without other references.
pub fn fill(template: &Template, values: &IndexMap<String, Token>) -> Token {
    let mut text = String::new();
    for part in &template.parts {
        match part {
            Part::Text(plain) => text.push_str(plain),
            Part::Reference(Reference::Env(name) | Reference::Secret(name)) => {
                text.push_str(values.get(name).map_or("", Token::expose));
            }
            Part::Reference(_) => {}
        }
    }
    Token::new(text)
}
