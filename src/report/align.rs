//! Columns for the terminal: texts padded by characters, not bytes, and lines broken at words.

/// Where a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

/// `rows` as lines with aligned columns, two blanks between; `sides` gives one side per column.
/// Rows may be shorter than `sides`.
pub fn columns(rows: &[Vec<String>], sides: &[Side]) -> Vec<String> {
    let widths: Vec<usize> = (0..sides.len())
        .map(|index| rows.iter().filter_map(|row| row.get(index)).map(|cell| length(cell)).max())
        .map(Option::unwrap_or_default)
        .collect();
    rows.iter().map(|row| line(row, sides, &widths)).collect()
}

fn line(row: &[String], sides: &[Side], widths: &[usize]) -> String {
    let cells = row.iter().zip(sides).zip(widths).map(|((cell, side), &width)| {
        let gap = " ".repeat(width - length(cell));
        match side {
            Side::Left => format!("{cell}{gap}"),
            Side::Right => format!("{gap}{cell}"),
        }
    });
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// Number of characters.
pub fn length(text: &str) -> usize {
    text.chars().count()
}

/// `text` broken at blanks into lines of at most `width` characters; a longer word stands alone.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && length(&line) + 1 + length(word) > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// `items` put behind one another, three blanks between, on as many lines of `width` as it takes.
pub fn flowed(items: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if length(line) + 3 + length(item) <= width => {
                line.push_str("   ");
                line.push_str(item);
            }
            Some(_) | None => lines.push(item.clone()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_padded_by_characters() {
        let rows = [["a", "1 µs"], ["bcd", "12 s"]].map(|row| row.map(str::to_owned).to_vec());
        let lines = columns(&rows, &[Side::Left, Side::Right]);
        assert_eq!(lines, ["a    1 µs", "bcd  12 s"]);
    }

    #[test]
    fn long_texts_break_at_words() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable", 3), ["unbreakable"]);
        assert!(wrapped("", 10).is_empty());
        let items = ["a 1", "b 2", "c 3"].map(str::to_owned);
        assert_eq!(flowed(&items, 9), ["a 1   b 2", "c 3"]);
    }
}
