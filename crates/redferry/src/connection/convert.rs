//! `redferry connection convert`: settings before and after.

use std::io::Read;

use planner::connection::{self, Wish};
use serde_json::json;

use crate::args::RewriteArgs;
use crate::exit::{Code, Exit};
use crate::plan;

/// A file of settings is not larger. Bytes.
const LARGEST: u64 = 4 << 20;

pub(super) fn run(args: &RewriteArgs, quiet: bool) -> Result<Exit, Exit> {
    let catalog = plan::catalog(&args.catalog)?;
    let text = text(args)?;
    let wish = Wish { entra: args.entra, ..args.new.wish() };
    let conversion = connection::convert(&text, &wish, args.form, &catalog)
        .map_err(|error| Exit::usage(error.to_string()))?;
    let mut said = conversion.converted.clone();
    if !said.ends_with('\n') {
        said.push('\n');
    }
    // Notes are for people: standard output has what can be pasted or piped.
    for note in conversion.notes.iter().filter(|_| !quiet) {
        eprintln!("redferry: note: {note}");
    }
    let document =
        json!({ "form": conversion.form, "converted": conversion.converted, "notes": conversion.notes });
    Ok(Exit::new(Code::Equal, document, said))
}

fn text(args: &RewriteArgs) -> Result<String, Exit> {
    let said = |name: &str, error: String| Exit::usage(format!("{name}: {error}"));
    let (name, reader): (String, Box<dyn Read>) = match (&args.file, &args.text) {
        (Some(path), _) => {
            let name = path.display().to_string();
            let file = std::fs::File::open(path).map_err(|error| said(&name, error.to_string()))?;
            (name, Box::new(file))
        }
        (None, Some(text)) if text != "-" => return Ok(text.clone()),
        _ => ("standard input".to_owned(), Box::new(std::io::stdin())),
    };
    let mut bytes = Vec::new();
    reader.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| said(&name, error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(said(&name, format!("larger than {LARGEST} bytes, which settings are not")));
    }
    String::from_utf8(bytes).map_err(|_| said(&name, "not UTF-8".to_owned()))
}
