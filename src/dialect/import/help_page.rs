//! Help pages of ASP.NET Web API: request and response formats, each with its media types and a sample.

use super::markup::{self, Element};
use super::{Format, Kind, Member, Presence, Sent, Sketch, Value, XmlSketch, names};

/// Where the page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Request,
    Response,
}

/// A sample with its media types.
#[derive(Debug)]
struct Sample {
    side: Side,
    types: Vec<String>,
    text: String,
}

/// What the page says.
pub(super) fn read(text: &str) -> Result<Sketch, String> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let (method, path) = lines.iter().find_map(|line| operation(line)).ok_or(
        "this is neither an OpenAPI description nor a help page: no line such as `POST api/Tokens/refresh`",
    )?;
    let samples = samples(&lines);
    let mut sketch = Sketch { name: dialect_name(&path), method, path, ..Sketch::default() };
    for sample in &samples {
        match sample.side {
            Side::Request => sketch.formats.extend(format(sample)),
            Side::Response => answer(&mut sketch, sample),
        }
    }
    share_members(&mut sketch.formats);
    if sketch.formats.is_empty() {
        return Err("the page shows no format of requests".to_owned());
    }
    if sketch.body.is_empty() {
        return Err("the page shows no sample of an answer in JSON".to_owned());
    }
    Ok(sketch)
}

/// `POST api/PFMS/x?y={y}`
fn operation(line: &str) -> Option<(String, String)> {
    let (method, rest) = line.split_once(' ')?;
    if !["POST", "GET", "PUT", "PATCH"].contains(&method) || rest.contains(' ') || !rest.contains('/') {
        return None;
    }
    let path = rest.split('?').next().unwrap_or_default().trim_start_matches('/');
    Some((method.to_owned(), format!("/{path}")))
}

/// `/api/PFMS/x` → `pfms`
fn dialect_name(path: &str) -> String {
    let segments: Vec<&str> =
        path.split('/').filter(|segment| !segment.is_empty() && *segment != "api").collect();
    let name = if segments.len() > 1 {
        segments[segments.len() - 2]
    } else {
        segments.first().unwrap_or(&"imported")
    };
    name.to_ascii_lowercase().chars().filter(|sign| sign.is_ascii_alphanumeric() || *sign == '-').collect()
}

fn samples(lines: &[&str]) -> Vec<Sample> {
    let mut side = None;
    let mut found: Vec<Sample> = Vec::new();
    let mut within = false;
    for line in lines {
        let lower = line.to_ascii_lowercase();
        if lower.starts_with("request ") || lower.starts_with("response ") {
            let named = if lower.starts_with("request") { Side::Request } else { Side::Response };
            if lower.contains("format") || lower.contains("information") {
                (side, within) = (Some(named), false);
                continue;
            }
        }
        if let (Some(side), Some(types)) = (side, media_types(line)) {
            found.push(Sample { side, types, text: String::new() });
            within = false;
        } else if lower.trim_end_matches(':') == "sample" {
            within = true;
        } else if let (true, Some(sample)) = (within, found.last_mut()) {
            sample.text.push_str(line);
            sample.text.push('\n');
        }
    }
    found
}

/// `application/json, text/json`
fn media_types(line: &str) -> Option<Vec<String>> {
    let types: Vec<String> = line.split(',').map(|part| part.trim().to_owned()).collect();
    let fits = |media: &String| {
        let whole = media.split_once('/');
        whole.is_some_and(|(kind, sub)| {
            ["application", "text"].contains(&kind)
                && !sub.is_empty()
                && sub.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-".contains(&byte))
        })
    };
    types.iter().all(fits).then_some(types)
}

fn format(sample: &Sample) -> Option<Format> {
    let first = sample.types.first()?;
    if first.contains("json") {
        let document: serde_json::Value = serde_json::from_str(sample.text.trim()).ok()?;
        let members = sent_json(&document);
        return Some(Format {
            name: "json".to_owned(),
            types: sample.types.clone(),
            members,
            ..Format::default()
        });
    }
    if first.contains("xml") {
        let root = markup::sample(&sample.text)?;
        let members = sent_xml(&root);
        return Some(Format {
            name: "xml".to_owned(),
            types: sample.types.clone(),
            root: Some(root.name),
            namespace: root.namespace,
            members,
        });
    }
    let is_form = first == "application/x-www-form-urlencoded";
    is_form.then(|| Format { name: "form".to_owned(), types: sample.types.clone(), ..Format::default() })
}

/// A form has no sample: its members are those of the same model in JSON.
fn share_members(formats: &mut [Format]) {
    let known = formats.iter().find(|format| format.name == "json").map(|format| format.members.clone());
    for format in formats.iter_mut().filter(|format| format.members.is_empty()) {
        format.members = known.clone().unwrap_or_default();
    }
}

fn sent_json(document: &serde_json::Value) -> Vec<Sent> {
    let members = document.as_object().into_iter().flatten();
    members
        .map(|(name, value)| {
            let value = match value {
                serde_json::Value::Object(_) => Value::Members(sent_json(value)),
                other => names::sent(name, other.as_str()),
            };
            Sent { name: name.clone(), value }
        })
        .collect()
}

fn sent_xml(element: &Element) -> Vec<Sent> {
    let sent = |child: &Element| {
        let value = if child.children.is_empty() {
            names::sent(&child.name, Some(&child.text))
        } else {
            Value::Members(sent_xml(child))
        };
        Sent { name: child.name.clone(), value }
    };
    element.children.iter().map(sent).collect()
}

fn answer(sketch: &mut Sketch, sample: &Sample) {
    let first = sample.types.first().map(String::as_str).unwrap_or_default();
    if first.contains("json") {
        if let Ok(document) = serde_json::from_str::<serde_json::Value>(sample.text.trim()) {
            sketch.body = members(&document);
        }
        sketch.types.extend(sample.types.iter().cloned());
    } else if first.contains("xml") {
        sketch.xml = markup::sample(&sample.text).map(|root| XmlSketch {
            ordinal: is_ordinal(&root),
            namespace: root.namespace.clone().unwrap_or_default(),
            root: root.name,
        });
        sketch.types.extend(sample.types.iter().cloned());
    }
}

/// Every reference type of .NET may be null.
fn members(document: &serde_json::Value) -> Vec<Member> {
    let members = document.as_object().into_iter().flatten();
    members
        .map(|(name, value)| {
            let (kind, presence) = match value {
                serde_json::Value::Object(_) => (Kind::Members(members_of(value)), Presence::Nullable),
                serde_json::Value::Number(_) => (Kind::Number, Presence::Required),
                serde_json::Value::Bool(_) => (Kind::Flag, Presence::Required),
                serde_json::Value::Array(_) => (Kind::Any, Presence::Nullable),
                serde_json::Value::String(_) | serde_json::Value::Null => (Kind::Text, Presence::Nullable),
            };
            Member { name: name.clone(), kind, presence }
        })
        .collect()
}

fn members_of(document: &serde_json::Value) -> Vec<Member> {
    members(document)
}

/// Whether elements stand by ordinal comparison of their names, as a DataContractSerializer writes them.
fn is_ordinal(element: &Element) -> bool {
    let sorted = element.children.windows(2).all(|pair| pair[0].name <= pair[1].name);
    sorted && element.children.iter().all(is_ordinal)
}
