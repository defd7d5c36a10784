//! Bodies as rows of atoms: bytes, and values of slots as one piece each, so that damage goes round tokens and a
//! shrunk body can be sent again with the tokens of another chain.

use crate::suite::call::Slot;

/// A piece of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Atom {
    /// A byte.
    Byte(u8),
    /// The value of a slot, as the format writes it.
    Slot(Slot),
}

/// A place in a body, as a share of its length: the same case hits the same place in bodies of other lengths.
pub(super) type Spot = u32;

/// One damage to the bytes of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// These bytes put in.
    Insert(Spot, Vec<u8>),
    /// So many atoms gone.
    Delete(Spot, u32),
    /// So many atoms written again so many times.
    Again(Spot, u32, u32),
    /// One atom replaced by a byte.
    Replace(Spot, u8),
    /// Everything behind the spot gone.
    Cut(Spot),
    /// What stands behind the second spot put at the first.
    Move(Spot, Spot, u32),
}

/// No body grows beyond this by damage.
const ATOMS_MAX: usize = 256 * 1024;

/// The index of a spot in a row of that length; its end included.
fn index(spot: Spot, length: usize) -> usize {
    let index = (u64::from(spot) * (length as u64 + 1)) >> 32;
    usize::try_from(index).expect("not beyond the length")
}

impl Damage {
    /// Does it to `atoms`.
    pub(super) fn to(&self, atoms: &mut Vec<Atom>) {
        let length = atoms.len();
        let piece = |at: usize, count: u32| at..length.min(at + count as usize);
        match self {
            Damage::Insert(spot, bytes) => {
                let at = index(*spot, length);
                atoms.splice(at..at, bytes.iter().map(|byte| Atom::Byte(*byte)));
            }
            Damage::Delete(spot, count) => {
                atoms.drain(piece(index(*spot, length), *count));
            }
            Damage::Again(spot, count, times) => {
                let at = index(*spot, length);
                let row = atoms[piece(at, *count)].to_vec();
                let fits = (ATOMS_MAX.saturating_sub(length)) / row.len().max(1);
                let rows = row.repeat(fits.min(*times as usize));
                atoms.splice(at..at, rows);
            }
            Damage::Replace(spot, byte) => {
                if let Some(atom) = atoms.get_mut(index(*spot, length)) {
                    *atom = Atom::Byte(*byte);
                }
            }
            Damage::Cut(spot) => atoms.truncate(index(*spot, length)),
            Damage::Move(to, from, count) => {
                let row: Vec<Atom> = atoms.drain(piece(index(*from, length), *count)).collect();
                let at = index(*to, atoms.len());
                atoms.splice(at..at, row);
            }
        }
    }
}

/// What stands in a document in the place of a slot's value. No format escapes it.
pub(super) fn mark(slot: Slot) -> String {
    format!("assay-atom-{}-7c21e9", slot.word())
}

/// The bytes of a document whose slots are marks, as atoms.
pub(super) fn split(bytes: &[u8], slots: impl Iterator<Item = Slot>) -> Vec<Atom> {
    let marks: Vec<(Slot, String)> = slots.map(|slot| (slot, mark(slot))).collect();
    let mut atoms = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let found = marks.iter().find(|(_, mark)| rest.starts_with(mark.as_bytes()));
        if let Some((slot, mark)) = found {
            atoms.push(Atom::Slot(*slot));
            rest = &rest[mark.len()..];
        } else {
            atoms.push(Atom::Byte(*first));
            rest = after;
        }
    }
    atoms
}

/// The bytes of a row; `value` writes the value of a slot.
pub(super) fn fill(atoms: &[Atom], value: impl Fn(Slot) -> Vec<u8>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(atoms.len());
    for atom in atoms {
        match atom {
            Atom::Byte(byte) => bytes.push(*byte),
            Atom::Slot(slot) => bytes.extend_from_slice(&value(*slot)),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Vec<Atom> {
        text.bytes().map(Atom::Byte).collect()
    }

    fn text(atoms: &[Atom]) -> String {
        String::from_utf8(fill(atoms, |slot| format!("<{}>", slot.word()).into_bytes())).unwrap()
    }

    #[track_caller]
    fn check(damage: &Damage, expected: &str) {
        let mut atoms = row("abcdef");
        damage.to(&mut atoms);
        assert_eq!(text(&atoms), expected, "{damage:?}");
    }

    const MIDDLE: Spot = 1 << 31;

    #[test]
    fn damage_is_done_where_the_spot_says_and_stays_within_the_body() {
        check(&Damage::Insert(0, b"X".to_vec()), "Xabcdef");
        check(&Damage::Insert(Spot::MAX, b"X".to_vec()), "abcdefX");
        check(&Damage::Delete(MIDDLE, 2), "abcf");
        check(&Damage::Delete(Spot::MAX, 9), "abcdef");
        check(&Damage::Again(MIDDLE, 2, 2), "abcdededef");
        check(&Damage::Replace(0, b'X'), "Xbcdef");
        check(&Damage::Replace(Spot::MAX, b'X'), "abcdef");
        check(&Damage::Cut(MIDDLE), "abc");
        check(&Damage::Move(0, MIDDLE, 9), "defabc");
    }

    #[test]
    fn a_body_does_not_grow_without_bound() {
        let mut atoms = row("abcdef");
        for _ in 0..40 {
            Damage::Again(0, u32::MAX, u32::MAX).to(&mut atoms);
        }
        assert!(atoms.len() <= ATOMS_MAX);
        Damage::Again(0, 0, u32::MAX).to(&mut atoms);
    }

    #[test]
    fn values_of_slots_are_one_atom_each() {
        let body = format!("a={}&b={}", mark(Slot::Refresh), mark(Slot::ClientSecret));
        let atoms = split(body.as_bytes(), Slot::ALL.into_iter());
        assert_eq!(atoms.len(), 2 + 1 + 3 + 1);
        assert_eq!(text(&atoms), "a=<refresh>&b=<client-secret>");
    }
}
