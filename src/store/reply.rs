//! Reads what scripts answer. Anything unexpected is a defect, named with the script: [`StoreError::Protocol`].

use redis::Value;

use super::StoreError;

/// The answer of a script: a code, and what follows it.
pub(super) struct Reply {
    script: &'static str,
    /// The outcome code.
    pub code: String,
    /// The rest.
    pub values: Row,
}

/// Values read from the left.
pub(super) struct Row {
    script: &'static str,
    values: std::vec::IntoIter<Value>,
}

impl Reply {
    /// The script that answered.
    pub(super) fn script(&self) -> &'static str {
        self.script
    }

    /// # Errors
    /// The answer does not begin with a code, or the data is of a newer version.
    pub(super) fn read(script: &'static str, value: Value) -> Result<Self, StoreError> {
        let mut values = Row::read(script, value)?;
        let code = values.text()?;
        if code == "newer_schema" {
            return Err(StoreError::NewerSchema { found: values.number()?, known: 1 });
        }
        Ok(Self { script, code, values })
    }

    /// The error for a code that this script cannot answer.
    pub(super) fn unexpected(&self) -> StoreError {
        StoreError::Protocol { script: self.script, answer: format!("the code {:?}", self.code) }
    }
}

impl Row {
    pub(super) fn read(script: &'static str, value: Value) -> Result<Self, StoreError> {
        match value {
            Value::Array(values) => Ok(Self { script, values: values.into_iter() }),
            other => Err(StoreError::Protocol { script, answer: format!("{other:?} for a row") }),
        }
    }

    fn wrong(&self, what: &str, value: &Value) -> StoreError {
        StoreError::Protocol { script: self.script, answer: format!("{value:?} for {what}") }
    }

    /// The error for a word that the model does not know.
    pub(super) fn wrong_word(&self, what: &str, word: &str) -> StoreError {
        StoreError::Protocol { script: self.script, answer: format!("{word:?} for {what}") }
    }

    fn next(&mut self) -> Result<Value, StoreError> {
        self.values
            .next()
            .ok_or_else(|| StoreError::Protocol { script: self.script, answer: "too few values".to_owned() })
    }

    /// A text that must be there.
    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        match self.next()? {
            Value::BulkString(bytes) => {
                String::from_utf8(bytes).map_err(|error| self.wrong("a text", &Value::BulkString(error.into_bytes())))
            }
            Value::SimpleString(text) => Ok(text),
            Value::Int(number) => Ok(number.to_string()),
            other => Err(self.wrong("a text", &other)),
        }
    }

    /// A text or nil.
    pub(super) fn optional_text(&mut self) -> Result<Option<String>, StoreError> {
        match self.values.as_slice().first() {
            Some(Value::Nil) => {
                self.next()?;
                Ok(None)
            }
            _ => self.text().map(Some),
        }
    }

    /// A number that must be there.
    pub(super) fn number(&mut self) -> Result<u64, StoreError> {
        let text = self.text()?;
        text.parse().map_err(|_| self.wrong("a number", &Value::SimpleString(text)))
    }

    /// A number or nil.
    pub(super) fn optional_number(&mut self) -> Result<Option<u64>, StoreError> {
        match self.optional_text()? {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| self.wrong("a number", &Value::SimpleString(text))),
        }
    }

    /// A row within.
    pub(super) fn row(&mut self) -> Result<Row, StoreError> {
        let script = self.script;
        Row::read(script, self.next()?)
    }

    /// A list of rows.
    pub(super) fn rows(&mut self) -> Result<Vec<Row>, StoreError> {
        let mut list = self.row()?;
        let mut rows = Vec::with_capacity(list.values.len());
        while !list.values.as_slice().is_empty() {
            rows.push(list.row()?);
        }
        Ok(rows)
    }

    /// A list of texts.
    pub(super) fn texts(&mut self) -> Result<Vec<String>, StoreError> {
        let mut list = self.row()?;
        let mut texts = Vec::with_capacity(list.values.len());
        while !list.values.as_slice().is_empty() {
            texts.push(list.text()?);
        }
        Ok(texts)
    }

    /// The code that a row of its own begins with.
    pub(super) fn into_reply(mut self) -> Result<Reply, StoreError> {
        let code = self.text()?;
        Ok(Reply { script: self.script, code, values: self })
    }
}

/// What `lua/lib/describe.lua` packs into one text, read from the left.
pub(super) struct Record<'a> {
    script: &'static str,
    values: std::str::Split<'a, char>,
}

impl<'a> Record<'a> {
    /// Between two values.
    const BETWEEN: char = '\u{1f}';
    /// For a value that is not there.
    const NONE: &'static str = "\u{1e}";

    /// A record in an answer of this script.
    pub(super) fn read(script: &'static str, text: &'a str) -> Self {
        Self { script, values: text.split(Self::BETWEEN) }
    }

    /// The error for a word that the model does not know.
    pub(super) fn wrong(&self, what: &str, word: &str) -> StoreError {
        StoreError::Protocol { script: self.script, answer: format!("{word:?} for {what}") }
    }

    /// A text or nothing.
    pub(super) fn optional_text(&mut self) -> Result<Option<&'a str>, StoreError> {
        let missing = || StoreError::Protocol { script: self.script, answer: "too few values".to_owned() };
        let text = self.values.next().ok_or_else(missing)?;
        Ok((text != Self::NONE).then_some(text))
    }

    /// A text that must be there.
    pub(super) fn text(&mut self) -> Result<&'a str, StoreError> {
        self.optional_text()?.ok_or_else(|| self.wrong("a value", "nothing"))
    }

    /// A number that must be there.
    pub(super) fn number(&mut self) -> Result<u64, StoreError> {
        let text = self.text()?;
        text.parse().map_err(|_| self.wrong("a number", text))
    }

    /// A number or nothing.
    pub(super) fn optional_number(&mut self) -> Result<Option<u64>, StoreError> {
        let Some(text) = self.optional_text()? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.wrong("a number", text))
    }
}
