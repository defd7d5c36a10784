//! OpenAPI descriptions, versions 2 and 3: the operation that refreshes, and what it takes and gives.

use serde_json::Value as Json;

use crate::suite::call::Slot;

use super::{Format, Kind, Member, Presence, Sent, Sketch, Value, names};

/// Schemas that refer to themselves end here.
const DEPTH_MAX: usize = 8;

/// What the description says.
pub(super) fn read(description: &Json) -> Result<Sketch, String> {
    let (path, method, operation) = refreshing(description)
        .ok_or("the description has no operation whose path or name speaks of a refresh or a token")?;
    let base = base_path(description);
    let mut sketch = Sketch {
        name: name(description),
        method: method.to_ascii_uppercase(),
        path: format!("{base}{path}"),
        ..Sketch::default()
    };
    parameters(description, operation, &mut sketch);
    sketch.formats = formats(description, operation);
    secured(description, operation, &mut sketch);
    answers(description, operation, &mut sketch);
    if sketch.body.is_empty() && sketch.types.is_empty() {
        return Err(format!("`{path}` says nothing of its good answer"));
    }
    Ok(sketch)
}

fn name(description: &Json) -> String {
    let title = description["info"]["title"].as_str().unwrap_or("imported").to_ascii_lowercase();
    let name: String =
        title.chars().map(|sign| if sign.is_ascii_alphanumeric() { sign } else { '-' }).collect();
    name.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// The path that all paths begin with.
fn base_path(description: &Json) -> String {
    if let Some(base) = description["basePath"].as_str() {
        return base.trim_end_matches('/').to_owned();
    }
    let server = description["servers"][0]["url"].as_str().unwrap_or_default();
    let path = match server.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => server.trim_start_matches('/'),
    };
    let path = path.trim_end_matches('/');
    if path.is_empty() { String::new() } else { format!("/{path}") }
}

/// The operation that speaks of refreshing most.
fn refreshing(description: &Json) -> Option<(&String, &String, &Json)> {
    let paths = description["paths"].as_object()?;
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods
            .filter(|(method, _)| ["post", "put", "get", "patch"].contains(&method.as_str()))
            .map(move |(method, operation)| (path, method, operation))
    });
    let score = |(path, method, operation): &(&String, &String, &Json)| {
        let of = |key: &str| operation[key].as_str().unwrap_or_default().to_ascii_lowercase();
        let words = format!("{} {} {}", path.to_ascii_lowercase(), of("operationId"), of("summary"));
        let has = |word: &str, worth: i32| if words.contains(word) { worth } else { 0 };
        has("refresh", 10) + has("renew", 8) + has("token", 4) - has("revoke", 9)
            + i32::from(*method == "post")
    };
    operations.max_by_key(score).filter(|operation| score(operation) > 3)
}

/// What `$ref` points at.
fn resolved<'a>(description: &'a Json, value: &'a Json) -> &'a Json {
    let mut here = value;
    for _ in 0..DEPTH_MAX {
        let Some(pointer) = here["$ref"].as_str().and_then(|text| text.strip_prefix('#')) else {
            return here;
        };
        match description.pointer(pointer) {
            Some(found) => here = found,
            None => return here,
        }
    }
    here
}

fn parameters(description: &Json, operation: &Json, sketch: &mut Sketch) {
    let mut form = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let parameter = resolved(description, parameter);
        let Some(name) = parameter["name"].as_str() else { continue };
        let schema = resolved(description, &parameter["schema"]);
        let sent = Sent {
            name: name.to_owned(),
            value: names::sent(name, only_value(schema).or_else(|| only_value(parameter)).as_deref()),
        };
        match parameter["in"].as_str() {
            Some("query") => sketch.query.push(sent),
            Some("header") if !["accept", "content-type"].contains(&name.to_ascii_lowercase().as_str()) => {
                sketch.headers.push(sent);
            }
            Some("formData") => form.push(sent),
            _ => {}
        }
    }
    if !form.is_empty() {
        let types = vec!["application/x-www-form-urlencoded".to_owned()];
        sketch.formats.push(Format { name: "form".to_owned(), types, members: form, ..Format::default() });
    }
}

/// The one value that a schema allows.
fn only_value(schema: &Json) -> Option<String> {
    let text = |value: &Json| value.as_str().map(str::to_owned);
    let single =
        schema["enum"].as_array().filter(|values| values.len() == 1).and_then(|values| text(&values[0]));
    single.or_else(|| text(&schema["const"]))
}

fn formats(description: &Json, operation: &Json) -> Vec<Format> {
    let body = resolved(description, &operation["requestBody"]);
    let mut found: Vec<Format> = Vec::new();
    for (media, content) in body["content"].as_object().into_iter().flatten() {
        let Some(name) = format_name(media) else { continue };
        if let Some(known) = found.iter_mut().find(|format| format.name == name) {
            known.types.push(media.clone());
            continue;
        }
        let members = sent(description, &content["schema"], DEPTH_MAX);
        let root = (name == "xml").then(|| xml_name(description, &content["schema"]));
        found.push(Format {
            name: name.to_owned(),
            types: vec![media.clone()],
            root,
            members,
            ..Format::default()
        });
    }
    // Version 2 has the schema among the parameters, and the media types beside it.
    let of_two = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|parameter| resolved(description, parameter));
    let mut of_two = of_two;
    if let Some(parameter) = of_two.rfind(|parameter| parameter["in"] == "body") {
        let listed = operation["consumes"].as_array().or(description["consumes"].as_array());
        let types: Vec<String> =
            listed.into_iter().flatten().filter_map(|media| media.as_str().map(str::to_owned)).collect();
        let types = if types.is_empty() { vec!["application/json".to_owned()] } else { types };
        let json: Vec<String> =
            types.into_iter().filter(|media| format_name(media) == Some("json")).collect();
        let members = sent(description, &parameter["schema"], DEPTH_MAX);
        found.push(Format { name: "json".to_owned(), types: json, members, ..Format::default() });
    }
    found
}

fn format_name(media: &str) -> Option<&'static str> {
    match media {
        "application/x-www-form-urlencoded" => Some("form"),
        media if media.ends_with("json") => Some("json"),
        media if media.ends_with("xml") => Some("xml"),
        _ => None,
    }
}

fn xml_name(description: &Json, schema: &Json) -> String {
    let own = resolved(description, schema)["xml"]["name"].as_str();
    let named = schema["$ref"].as_str().and_then(|text| text.rsplit('/').next());
    own.or(named).unwrap_or("request").to_owned()
}

/// The properties of an object, its parts included.
fn properties<'a>(
    description: &'a Json,
    schema: &'a Json,
    depth: usize,
) -> Vec<(&'a String, &'a Json, bool)> {
    let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
    let schema = resolved(description, schema);
    let required =
        |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|own| own == name));
    let own = schema["properties"].as_object().into_iter().flatten();
    let mut found: Vec<(&String, &Json, bool)> =
        own.map(|(name, property)| (name, property, required(name))).collect();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        found.extend(properties(description, part, depth));
    }
    // Of alternatives the one with a refresh token is meant, else the first.
    let either = ["oneOf", "anyOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    let parts: Vec<_> = either.map(|part| properties(description, part, depth)).collect();
    let speaks = |part: &&Vec<(&String, &Json, bool)>| {
        part.iter().any(|(name, ..)| names::bare(name).contains("refresh"))
    };
    found.extend(parts.iter().find(speaks).or(parts.first()).cloned().unwrap_or_default());
    found
}

fn sent(description: &Json, schema: &Json, depth: usize) -> Vec<Sent> {
    let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
    let sent_one = |(name, property, _): (&String, &Json, bool)| {
        let inner = sent(description, property, depth);
        let own = resolved(description, property);
        let value = if inner.is_empty() {
            names::sent(name, only_value(own).as_deref())
        } else {
            Value::Members(inner)
        };
        Sent { name: name.clone(), value }
    };
    properties(description, schema, DEPTH_MAX).into_iter().map(sent_one).collect()
}

/// Where a security scheme puts a bearer token and nothing else carries the refresh token, that is it.
fn secured(description: &Json, operation: &Json, sketch: &mut Sketch) {
    let carries = sketch.formats.iter().any(|format| has_refresh(&format.members))
        || has_refresh(&sketch.query)
        || has_refresh(&sketch.headers);
    let schemes = operation["security"].as_array().or(description["security"].as_array());
    let secured = schemes.is_some_and(|schemes| !schemes.is_empty());
    let cookie = description["components"]["securitySchemes"].as_object().into_iter().flatten();
    let mut cookie = cookie
        .filter(|(_, scheme)| scheme["in"] == "cookie")
        .filter_map(|(_, scheme)| scheme["name"].as_str());
    if carries || !secured {
        return;
    }
    if let Some(name) = cookie.next() {
        let value = Value::Constant(format!("{name}=$refresh"));
        sketch.headers.push(Sent { name: "Cookie".to_owned(), value });
        return;
    }
    let bearer = Value::Slot("Bearer ", Slot::Refresh);
    sketch.headers.push(Sent { name: "Authorization".to_owned(), value: bearer });
}

fn has_refresh(members: &[Sent]) -> bool {
    members.iter().any(|member| match &member.value {
        Value::Slot(_, slot) => *slot == Slot::Refresh,
        Value::Members(inner) => has_refresh(inner),
        Value::Constant(_) | Value::Question => false,
    })
}

fn answers(description: &Json, operation: &Json, sketch: &mut Sketch) {
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        let answer = resolved(description, answer);
        let good = ["200", "201", "2XX", "default"].contains(&status.as_str()) && sketch.body.is_empty();
        let contents = answer["content"].as_object().into_iter().flatten();
        let of_three: Vec<(String, &Json)> =
            contents.map(|(media, content)| (media.clone(), &content["schema"])).collect();
        let of_two = answer.get("schema").map(|schema| ("application/json".to_owned(), schema));
        for (media, schema) in of_three.into_iter().chain(of_two) {
            let Some("json") = format_name(&media) else { continue };
            let body = members(description, schema, DEPTH_MAX);
            if good {
                sketch.types.push(media);
                sketch.body = body;
            } else if status.starts_with('4') && !body.is_empty() && !sketch.errors.contains(&body) {
                sketch.errors.push(body);
            }
        }
    }
}

fn members(description: &Json, schema: &Json, depth: usize) -> Vec<Member> {
    let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
    let member = |(name, property, required): (&String, &Json, bool)| {
        let own = resolved(description, property);
        let kind = match own["type"].as_str() {
            Some("string") => Kind::Text,
            Some("integer" | "number") => Kind::Number,
            Some("boolean") => Kind::Flag,
            Some("array") => Kind::Any,
            _ => match members(description, property, depth) {
                inner if inner.is_empty() => Kind::Any,
                inner => Kind::Members(inner),
            },
        };
        let presence = match (required, own["nullable"] == true) {
            (true, true) => Presence::Nullable,
            (true, false) => Presence::Required,
            (false, _) => Presence::Optional,
        };
        Member { name: name.clone(), kind, presence }
    };
    properties(description, schema, DEPTH_MAX).into_iter().map(member).collect()
}
