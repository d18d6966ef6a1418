//! `redferry connection convert`: settings before and after.

use planner::connection::{self, Wish};
use serde_json::json;

use crate::args::RewriteArgs;
use crate::exit::{Code, Exit};
use crate::{input, plan};

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
    match (&args.file, &args.text) {
        (Some(file), _) => {
            input::of_file(file, LARGEST).map_err(|error| Exit::usage(format!("{}: {error}", file.display())))
        }
        (None, Some(text)) if text != "-" => Ok(text.clone()),
        _ => input::of_stdin(LARGEST).map_err(|error| Exit::usage(format!("standard input: {error}"))),
    }
}
