//! The ids of module types.

/// 64 letters, one for each 6 bits. Source: `ModuleTypeNameCharSet` in Redis' module.c.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The name of a module's type, of 9 letters (such as `ReJSON-RL`), and the version of its encoding, which only the
/// module knows. Both are in the id with which such a value begins.
pub fn module_name(id: u64) -> (String, u16) {
    let letter = |place: u64| char::from(LETTERS[(id >> (10 + 6 * place)) as usize & 63]);
    ((0..9).rev().map(letter).collect(), (id & 0x3ff) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_modules() {
        // From files of Redis Stack 7.4.
        let id = b"ReJSON-RL".iter().fold(0_u64, |id, letter| {
            id << 6 | LETTERS.iter().position(|of_set| of_set == letter).expect("a letter of a name") as u64
        });
        assert_eq!(module_name(id << 10 | 3), ("ReJSON-RL".into(), 3));
        // The test module of Redis that wrote the fixture `module.rdb`.
        assert_eq!(module_name(0xb5eb_2dff_fadd_6c01), ("test__rdb".into(), 1));
    }
}
