//! Where a JSON reader stands, and how Json.NET writes that down.

/// Characters that make a path quote a name.
const SPECIAL: [char; 6] = ['.', ' ', '[', ']', '(', ')'];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Container {
    #[default]
    None,
    Object,
    Array,
    Constructor,
}

/// Where the reader is inside one container.
#[derive(Clone, Debug, Default)]
pub(super) struct Position {
    pub(super) container: Container,
    /// Of an array's or constructor's value.
    pub(super) index: i64,
    pub(super) name: Option<String>,
}

impl Position {
    pub(super) fn new(container: Container) -> Position {
        Position { container, index: -1, name: None }
    }

    /// Adds this place to a path.
    pub(super) fn write_to(&self, path: &mut String) {
        match self.container {
            Container::None => {}
            Container::Object => {
                let name = self.name.as_deref().unwrap_or_default();
                if name.contains(SPECIAL) {
                    path.push_str("['");
                    path.push_str(name);
                    path.push_str("']");
                    return;
                }
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
            Container::Array | Container::Constructor => {
                path.push('[');
                path.push_str(&self.index.to_string());
                path.push(']');
            }
        }
    }
}
