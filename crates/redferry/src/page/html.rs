//! Text that becomes HTML: whatever is not written here is escaped.

use std::fmt::Write;

/// A page under way.
#[derive(Debug, Default)]
pub(crate) struct Html {
    text: String,
}

impl Html {
    /// Markup of ours.
    pub(crate) fn raw(&mut self, markup: &str) -> &mut Html {
        self.text.push_str(markup);
        self
    }

    /// Text from anywhere, for an element or an attribute in quotes.
    pub(crate) fn text(&mut self, text: &str) -> &mut Html {
        for char in text.chars() {
            match char {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                '\'' => self.text.push_str("&#39;"),
                other => self.text.push(other),
            }
        }
        self
    }

    pub(crate) fn heading(&mut self, text: &str) -> &mut Html {
        self.raw("<h2>").text(text).raw("</h2>\n")
    }

    pub(crate) fn list(&mut self, items: &[impl AsRef<str>]) -> &mut Html {
        self.raw("<ul>\n");
        for item in items {
            self.raw("<li>").text(item.as_ref()).raw("</li>\n");
        }
        self.raw("</ul>\n")
    }

    pub(crate) fn facts_begin(&mut self) {
        self.raw("<table>\n<tbody>\n");
    }

    /// A name and what it is, between beginning and end of facts.
    pub(crate) fn fact(&mut self, name: &str, value: &str) {
        self.raw("<tr><th class=\"name\">").text(name).raw("</th><td>").text(value).raw("</td></tr>\n");
    }

    pub(crate) fn facts_end(&mut self) {
        self.raw("</tbody>\n</table>\n");
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

/// A part of a whole as a bar; what there is at all can be seen. Drawn and not coloured in, because browsers
/// leave out backgrounds on paper.
pub(crate) fn bar(part: u64, whole: u64) -> String {
    let percent = part as f64 * 100.0 / whole.max(1) as f64;
    let width = if part == 0 { 0.0 } else { percent.clamp(0.7, 100.0) };
    let mut svg = String::new();
    _ = write!(
        svg,
        "<svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{percent:.2} percent\">\
         <rect class=\"track\" width=\"100\" height=\"10\"/>\
         <rect class=\"share\" width=\"{width:.2}\" height=\"10\"/></svg>"
    );
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let mut html = Html::default();
        html.raw("<b>").text("<script>\"a\" & 'b'</script>").raw("</b>");
        assert_eq!(html.into_text(), "<b>&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;</b>");
    }

    #[test]
    fn bars_are_within_their_whole() {
        assert!(bar(0, 0).contains("width=\"0.00\""));
        assert!(bar(1, 1_000_000).contains("width=\"0.70\""));
        assert!(bar(5, 10).contains("width=\"50.00\"") && bar(11, 10).contains("width=\"100.00\""));
    }
}
