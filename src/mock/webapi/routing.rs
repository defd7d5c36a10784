//! Which action a request names: the route `api/{controller}/{action}/{id}`, its parts whatever their case.

use super::form::hexadecimal;
use super::{Action, HttpRequest};

/// What a path leads to.
#[derive(Debug, PartialEq)]
pub(super) enum Route {
    /// The index of an action; the method is not looked at.
    Action(usize),
    /// The controller is there, the action is not.
    NoAction { controller: String, action: String },
    /// There is no such controller.
    NoController { controller: String },
    /// No route has this shape.
    None,
}

/// Finds the action.
pub(super) fn route(target: &str, actions: &[Action]) -> Route {
    let path = decoded(target);
    let parts = parts(&path);
    let mut nearest = Route::None;
    for (index, action) in actions.iter().enumerate() {
        let wanted: Vec<&str> = action.path.split('/').filter(|part| !part.is_empty()).collect();
        let Some(found) = values(&parts, wanted.len()) else { continue };
        let same = wanted.iter().zip(&found).map(|(a, b)| a.eq_ignore_ascii_case(b));
        // How many leading parts agree: all, all but the action, all but action and controller.
        let agree = same.take_while(|same| *same).count();
        if agree == wanted.len() {
            return Route::Action(index);
        }
        let [.., controller, last] = found.as_slice() else { continue };
        if agree + 1 == wanted.len() {
            nearest = Route::NoAction { controller: (*controller).to_owned(), action: (*last).to_owned() };
        } else if agree + 2 == wanted.len() && nearest == Route::None {
            nearest = Route::NoController { controller: (*controller).to_owned() };
        }
    }
    nearest
}

/// The parts of a path with the slashes between them, as the route parser cuts them.
fn parts(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = path.strip_prefix('/').unwrap_or(path);
    rest = rest.strip_prefix('/').unwrap_or(rest);
    while let Some(at) = rest.find('/') {
        if at > 0 {
            parts.push(&rest[..at]);
        }
        parts.push("/");
        rest = &rest[at + 1..];
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

/// The values of a route with so many segments and an optional one behind them.
fn values<'a>(parts: &[&'a str], segments: usize) -> Option<Vec<&'a str>> {
    let template = (segments + 1) * 2 - 1;
    let mut values = Vec::new();
    for place in 0..template {
        match (place % 2, parts.get(place)) {
            (0, Some(part)) => values.push(*part),
            (0, None) if values.len() < segments => return None,
            (1, Some(part)) if *part != "/" => return None,
            _ => {}
        }
    }
    let only_slashes = parts.iter().skip(template).all(|part| *part == "/");
    values.truncate(segments);
    only_slashes.then_some(values)
}

/// The path of a target, unescaped, its dot segments resolved.
fn decoded(target: &str) -> String {
    let path = path_and_query(target).0;
    resolve_dots(&super::form::decode(path.replace('+', "%2B").replace('\\', "/").as_bytes(), true))
}

fn resolve_dots(path: &str) -> String {
    if !path.contains("/.") {
        return path.to_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
        if last && matches!(segment, "." | "..") {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

/// Splits a target; an absolute one loses its scheme and authority.
pub(super) fn path_and_query(target: &str) -> (&str, &str) {
    let target = target.split('#').next().unwrap_or_default();
    let path = match target.find("://") {
        Some(at) if !target.starts_with('/') => {
            let rest = &target[at + 3..];
            rest.find('/').map_or("/", |slash| &rest[slash..])
        }
        _ => target,
    };
    path.split_once('?').unwrap_or((path, ""))
}

/// The absolute URI as `Uri.ToString()` shows it: unescaped but for what would change its meaning.
pub(super) fn shown(request: &HttpRequest) -> String {
    let host = request.header("Host").next().unwrap_or_else(|| "localhost".to_owned()).to_ascii_lowercase();
    let host = host.strip_suffix(":80").unwrap_or(&host);
    let (path, query) = path_and_query(&request.target);
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let mut uri = format!("http://{host}{}", unescaped(&resolve_dots(&path), b"?#"));
    if request.target.contains('?') {
        uri.push('?');
        uri.push_str(&unescaped(query, b"#"));
    }
    uri
}

/// Decodes escapes but those of `%`, of the reserved bytes, and of what is no UTF-8.
fn unescaped(text: &str, reserved: &[u8]) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let run = escaped_run(&bytes[at..]);
        if run.is_empty() {
            decoded.push(bytes[at]);
            at += 1;
            continue;
        }
        at += run.len() * 3;
        append_run(&mut decoded, &run, reserved);
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The bytes of the escapes that stand here one after the other.
fn escaped_run(bytes: &[u8]) -> Vec<u8> {
    let escapes = bytes.chunks_exact(3).take_while(|escape| escape[0] == b'%');
    escapes.map_while(|escape| hexadecimal(&escape[1..])).collect()
}

fn append_run(decoded: &mut Vec<u8>, run: &[u8], reserved: &[u8]) {
    for chunk in run.utf8_chunks() {
        for character in chunk.valid().chars() {
            let kept = u8::try_from(character).is_ok_and(|byte| byte == b'%' || reserved.contains(&byte));
            let text = if kept { format!("%{:02X}", u32::from(character)) } else { character.to_string() };
            decoded.extend_from_slice(text.as_bytes());
        }
        for byte in chunk.invalid() {
            decoded.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::echo;
    use super::*;

    fn led(target: &str) -> Route {
        route(target, &echo::actions())
    }

    #[test]
    fn case_slashes_and_an_id_do_not_matter() {
        for target in [
            "/api/PFMS/pfms_get_refresh_token",
            "/API/pfms/PFMS_GET_REFRESH_TOKEN?x=y",
            "/api/PFMS/pfms_get_refresh_token/",
            "/api/PFMS/pfms_get_refresh_token//",
            "/api/PFMS/pfms_get_refresh_token/5",
            "/api/PFMS/pfms_get_refresh_token/5/",
            "/api/PFMS/pfms%5Fget%5Frefresh%5Ftoken",
            "/api/./PFMS/x/../pfms_get_refresh_token",
            "/api/%2e/PFMS/pfms_get_refresh_token",
            "//api/PFMS/pfms_get_refresh_token",
            "http://elsewhere/api/PFMS/pfms_get_refresh_token",
        ] {
            assert_eq!(led(target), Route::Action(0), "{target}");
        }
    }

    #[test]
    fn what_is_not_there_is_told_apart() {
        let (controller, action) = ("PFMS".to_owned(), "nope".to_owned());
        assert_eq!(led("/api/PFMS/nope"), Route::NoAction { controller, action });
        assert_eq!(led("/api/Nope/nope"), Route::NoController { controller: "Nope".to_owned() });
        for target in
            ["/", "", "*", "/api", "/api/PFMS", "/api//PFMS/strict", "/zzz/1/2/3/4/5/6", "/x/PFMS/strict"]
        {
            assert_eq!(led(target), Route::None, "{target}");
        }
    }

    #[test]
    fn the_uri_is_shown_unescaped_but_for_what_would_change_it() {
        let shown_of = |target: &str| {
            shown(&HttpRequest {
                method: "POST".to_owned(),
                target: target.to_owned(),
                headers: vec![("Host".to_owned(), b"H.example:80".to_vec())],
                body: Vec::new(),
                has_length: true,
            })
        };
        assert_eq!(shown_of("/a%3Fb%20c?%3Cx%3E=%23%25%C3%A9%FF"), "http://h.example/a%3Fb c?<x>=%23%25é%FF");
    }
}
