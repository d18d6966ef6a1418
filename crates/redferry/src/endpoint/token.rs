//! The secret that whoever asks must know.

use client::secret::Secret;
use subtle::ConstantTimeEq;

/// 128 random bits, as hexadecimal digits.
pub(super) struct Token(Secret);

impl Token {
    pub(super) fn random() -> Result<Token, getrandom::Error> {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits)?;
        Ok(Token(Secret::new(format!("{:032x}", u128::from_be_bytes(bits)))))
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.0
    }

    /// Whether the value of an `Authorization` header names it (RFC 6750, section 2.1). How long that takes says
    /// nothing about how much of it was right.
    pub(super) fn is_named_by(&self, header: &[u8]) -> bool {
        let Some((scheme, token)) = header.split_at_checked("Bearer ".len()) else { return false };
        scheme.eq_ignore_ascii_case(b"Bearer ") && self.0.expose().as_bytes().ct_eq(token).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_the_token() {
        let token = Token::random().unwrap();
        let text = token.secret().expose().to_owned();
        assert_eq!(text.len(), 32);
        assert_ne!(text, Token::random().unwrap().secret().expose());
        assert!(token.is_named_by(format!("Bearer {text}").as_bytes()));
        assert!(token.is_named_by(format!("bearer {text}").as_bytes()));
        for wrong in [
            text.clone(),
            format!("Basic {text}"),
            format!("Bearer {}", &text[..31]),
            "Bearer ".into(),
            "".into(),
        ] {
            assert!(!token.is_named_by(wrong.as_bytes()), "{wrong}");
        }
        assert!(!token.is_named_by(format!("Bearer {text}0").as_bytes()));
    }
}
