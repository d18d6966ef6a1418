//! What a file is written in, by its name.

use crate::connection::Form;

/// A language, as far as it matters for what is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    CSharp,
    Java,
    Python,
    JavaScript,
    Go,
    Ruby,
    Php,
    Lua,
    /// Settings, scripts, infrastructure.
    Config,
    /// Anything else, in which only hosts are looked for.
    Other,
}

impl Language {
    pub fn of(path: &str) -> Language {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_ascii_lowercase();
        let end = name.rsplit('.').next().unwrap_or_default();
        match end {
            "cs" | "vb" | "fs" | "cshtml" | "razor" => Language::CSharp,
            "java" | "kt" | "kts" | "scala" | "groovy" => Language::Java,
            "py" | "pyi" | "ipynb" => Language::Python,
            "js" | "ts" | "mjs" | "cjs" | "jsx" | "tsx" | "vue" => Language::JavaScript,
            "go" => Language::Go,
            "rb" | "rake" | "erb" => Language::Ruby,
            "php" => Language::Php,
            "lua" => Language::Lua,
            "json" | "jsonc" | "yaml" | "yml" | "properties" | "env" | "config" | "xml" | "toml" | "ini"
            | "conf" | "cfg" | "tf" | "tfvars" | "bicep" | "sh" | "bash" | "ps1" | "cmd" | "bat" | "tpl" => {
                Language::Config
            }
            _ if name.starts_with(".env")
                || ["dockerfile", "procfile", "makefile"].contains(&name.as_str()) =>
            {
                Language::Config
            }
            _ => Language::Other,
        }
    }

    /// How the settings in such a file are written.
    pub(super) fn form(self, path: &str, text: &str) -> Form {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_ascii_lowercase();
        match name.rsplit('.').next().unwrap_or_default() {
            "json" | "jsonc" => Form::Json,
            "yaml" | "yml" => Form::Yaml,
            "properties" => Form::Properties,
            "config" | "xml" => Form::Xml,
            "env" | "sh" | "bash" => Form::Env,
            _ if name.starts_with(".env") => Form::Env,
            "conf" | "cfg" | "ini" => {
                Some(Form::of(text)).filter(|form| *form == Form::Properties).unwrap_or(Form::Source)
            }
            _ => Form::Source,
        }
    }
}
