//! Reading selectors as they are written: `x=a, y notin (b,c), !z, n>5`
//! (`k8s.io/apimachinery/pkg/labels/selector.go` v0.35.4).

use std::iter::Peekable;
use std::str::{CharIndices, FromStr};

use super::names::check_key;
use super::{Operator, Requirement, Selector};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Identifier,
    Comma,
    Open,
    Close,
    Not,
    Equals,
    DoubleEquals,
    NotEquals,
    Greater,
    Less,
    In,
    NotIn,
    End,
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn is_symbol(character: char) -> bool {
    matches!(character, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}

/// The kind of a symbol: the longest one wins, so that `==` is not two of `=`.
fn symbol(text: &str) -> Kind {
    match text {
        "==" => Kind::DoubleEquals,
        "!=" => Kind::NotEquals,
        "=" => Kind::Equals,
        "!" => Kind::Not,
        "(" => Kind::Open,
        ")" => Kind::Close,
        "," => Kind::Comma,
        ">" => Kind::Greater,
        _ => Kind::Less,
    }
}

/// Splits text into tokens; the last is always the end.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((start, first)) = characters.next() {
        if is_space(first) {
            continue;
        }
        if is_symbol(first) {
            let doubled = matches!(text.get(start..start + 2), Some("==" | "!="));
            if doubled {
                characters.next();
            }
            let text = &text[start..=start + usize::from(doubled)];
            found.push(Token { kind: symbol(text), text });
            continue;
        }
        let text = word(text, start, &mut characters);
        let kind = match text {
            "in" => Kind::In,
            "notin" => Kind::NotIn,
            _ => Kind::Identifier,
        };
        found.push(Token { kind, text });
    }
    found.push(Token { kind: Kind::End, text: "" });
    found
}

/// Takes the rest of a word that begins at `start`.
fn word<'a>(text: &'a str, start: usize, characters: &mut Peekable<CharIndices>) -> &'a str {
    while characters.next_if(|(_, next)| !is_space(*next) && !is_symbol(*next)).is_some() {}
    let end = characters.peek().map_or(text.len(), |(at, _)| *at);
    &text[start..end]
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
}

fn unexpected(token: Token, expected: &str) -> String {
    format!("found '{}', expected: {expected}", token.text)
}

impl<'a> Parser<'a> {
    /// The next token where values stand: there `in` and `notin` are words like others.
    fn peek(&self) -> Token<'a> {
        let mut token = self.tokens[self.at];
        if matches!(token.kind, Kind::In | Kind::NotIn) {
            token.kind = Kind::Identifier;
        }
        token
    }

    fn advance(&mut self) {
        // The end is never passed.
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn take(&mut self) -> Token<'a> {
        let token = self.peek();
        self.advance();
        token
    }

    fn requirements(&mut self) -> Result<Vec<Requirement>, String> {
        let mut found = Vec::new();
        loop {
            let token = self.peek();
            match token.kind {
                Kind::End => return Ok(found),
                Kind::Identifier | Kind::Not => found.push(self.requirement()?),
                _ => return Err(unexpected(token, "!, identifier, or 'end of string'")),
            }
            let token = self.take();
            match token.kind {
                Kind::End => return Ok(found),
                Kind::Comma => {}
                _ => return Err(unexpected(token, "',' or 'end of string'")),
            }
            let token = self.peek();
            if !matches!(token.kind, Kind::Identifier | Kind::Not) {
                return Err(unexpected(token, "identifier after ','"));
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let absent = self.peek().kind == Kind::Not;
        if absent {
            self.advance();
        }
        let key = self.take();
        if key.kind != Kind::Identifier {
            return Err(unexpected(key, "identifier"));
        }
        check_key(key.text)?;
        if absent {
            return Requirement::new(key.text, Operator::DoesNotExist, Vec::new());
        }
        if matches!(self.peek().kind, Kind::End | Kind::Comma) {
            return Requirement::new(key.text, Operator::Exists, Vec::new());
        }
        let operator = self.operator()?;
        let values = match operator {
            Operator::In | Operator::NotIn => self.values()?,
            _ => vec![self.exact_value()?],
        };
        Requirement::new(key.text, operator, values)
    }

    fn operator(&mut self) -> Result<Operator, String> {
        let token = self.tokens[self.at];
        self.advance();
        Ok(match token.kind {
            Kind::In => Operator::In,
            Kind::NotIn => Operator::NotIn,
            Kind::Equals => Operator::Equals,
            Kind::DoubleEquals => Operator::DoubleEquals,
            Kind::NotEquals => Operator::NotEquals,
            Kind::Greater => Operator::Gt,
            Kind::Less => Operator::Lt,
            _ => return Err(unexpected(token, "in, notin, =, ==, !=, gt, lt")),
        })
    }

    /// Values in parentheses. Nothing between two commas is the empty value.
    fn values(&mut self) -> Result<Vec<String>, String> {
        let token = self.take();
        if token.kind != Kind::Open {
            return Err(unexpected(token, "'('"));
        }
        let mut values = Vec::new();
        loop {
            let token = self.take();
            match token.kind {
                Kind::Identifier => {
                    values.push(token.text.to_owned());
                    let next = self.take();
                    match next.kind {
                        Kind::Close => break,
                        Kind::Comma if self.peek().kind == Kind::Close => {
                            self.advance();
                            values.push(String::new());
                            break;
                        }
                        Kind::Comma => {}
                        _ => return Err(unexpected(next, "',' or ')'")),
                    }
                }
                Kind::Comma => {
                    values.push(String::new());
                    if self.peek().kind == Kind::Close {
                        self.advance();
                        break;
                    }
                }
                Kind::Close if values.is_empty() => {
                    values.push(String::new());
                    break;
                }
                _ => return Err(unexpected(token, "',', ')' or identifier")),
            }
        }
        values.sort();
        values.dedup();
        Ok(values)
    }

    fn exact_value(&mut self) -> Result<String, String> {
        let token = self.peek();
        match token.kind {
            Kind::End | Kind::Comma => Ok(String::new()),
            Kind::Identifier => {
                self.advance();
                Ok(token.text.to_owned())
            }
            _ => Err(unexpected(token, "identifier")),
        }
    }
}

impl FromStr for Selector {
    type Err = String;

    /// Reads a selector: conditions that are separated by commas and must all hold. No text selects
    /// everything.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parser = Parser { tokens: tokens(text), at: 0 };
        let requirements = parser.requirements();
        let requirements =
            requirements.map_err(|error| format!("unable to parse requirement: {error}"))?;
        Ok(Self::everything().and(requirements))
    }
}
