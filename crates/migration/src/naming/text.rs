//! The rules as the command line writes them.

use super::{NamingError, Rename};

/// Reads `0,3`: source databases to copy.
///
/// # Errors
/// When a part is no database number.
pub fn parse_db_list(text: &str) -> Result<Vec<u32>, NamingError> {
    let expected = "a list of databases such as 0,3";
    text.split(',').map(|part| number(part).ok_or_else(|| refuse(text, expected))).collect()
}

/// Reads `3=0`: source database 3 goes to the target's database 0.
///
/// # Errors
/// When it is not two database numbers with `=` between.
pub fn parse_db_map(text: &str) -> Result<(u32, u32), NamingError> {
    text.split_once('=')
        .and_then(|(source, target)| Some((number(source)?, number(target)?)))
        .ok_or_else(|| refuse(text, "a source database and a target database such as 3=0"))
}

/// Reads `3=billing:`: keys of source database 3 get the prefix `billing:`. The prefix may hold `=`.
///
/// # Errors
/// When there is no database number before the first `=`.
pub fn parse_db_prefix(text: &str) -> Result<(u32, Vec<u8>), NamingError> {
    text.split_once('=')
        .and_then(|(source, prefix)| Some((number(source)?, prefix.as_bytes().to_vec())))
        .ok_or_else(|| refuse(text, "a source database and a prefix such as 3=billing:"))
}

/// Reads `old:=new:`: keys that begin with `old:` begin with `new:` on the target.
///
/// The first `=` divides. `\=` is an equals sign and `\\` a backslash; any other backslash stands for itself.
///
/// # Errors
/// When there is no `=`, or nothing on either side of it.
pub fn parse_rename(text: &str) -> Result<Rename, NamingError> {
    let (mut from, mut to) = (Vec::new(), Vec::new());
    let mut divided = false;
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, after) = match (first, after) {
            (b'\\', [escaped @ (b'=' | b'\\'), after @ ..]) => (*escaped, after),
            (b'=', after) if !divided => {
                divided = true;
                rest = after;
                continue;
            }
            _ => (*first, after),
        };
        if divided {
            to.push(byte)
        } else {
            from.push(byte)
        }
        rest = after;
    }
    if !divided {
        return Err(refuse(text, "two beginnings of keys such as old:=new:"));
    }
    if from.is_empty() && to.is_empty() {
        return Err(NamingError::EmptyRename);
    }
    Ok(Rename { from, to })
}

/// The prefix of a database by a pattern such as `db{db}:`, which is `db3:` for database 3.
///
/// # Errors
/// When the pattern has no `{db}`: all databases would get one prefix.
pub fn prefix_by_db(pattern: &str, db: u32) -> Result<Vec<u8>, NamingError> {
    const PLACE: &str = "{db}";
    if !pattern.contains(PLACE) {
        return Err(refuse(pattern, "a prefix with {db} in it such as db{db}:"));
    }
    Ok(pattern.replace(PLACE, &db.to_string()).into_bytes())
}

fn number(text: &str) -> Option<u32> {
    let text = text.trim();
    // parse() would also take "+3".
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn refuse(given: &str, expected: &'static str) -> NamingError {
    NamingError::Text { given: given.to_owned(), expected }
}
