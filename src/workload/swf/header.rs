//! The header of a log: comments that begin with `;`, some of which name what the machine is.

/// What the header says of the machine; zero where it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Nodes (`MaxNodes`).
    pub nodes: u64,
    /// Processors of all nodes (`MaxProcs`, or else `MaxNodes`).
    pub processors: u64,
    /// Memory of each node in bytes (`MaxMemory`, which is in kilobytes).
    pub memory_bytes: u64,
}

/// More nodes or processors than this are a broken header.
const MOST: u64 = 100_000_000;

impl Header {
    /// Reads a comment, without its semicolon. What it does not know it leaves alone: notes are
    /// free text.
    pub(super) fn read(&mut self, comment: &[u8]) {
        let Ok(text) = std::str::from_utf8(comment) else { return };
        let Some((label, value)) = text.split_once(':') else { return };
        // Some logs explain the number behind it.
        let number = value.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
        let Some(number) = number.filter(|number| *number <= MOST) else { return };
        match label.trim() {
            "MaxNodes" => self.nodes = number,
            "MaxProcs" => self.processors = number,
            "MaxMemory" => self.memory_bytes = number * 1024,
            _ => return,
        }
        if self.processors == 0 {
            self.processors = self.nodes;
        }
    }

    /// Number of nodes: one where only processors are told of.
    pub fn node_count(&self) -> u64 {
        self.nodes.clamp(1, self.processors.max(1)).min(self.processors)
    }

    /// Processors of the node with this number: they are shared out evenly, the first nodes have
    /// one more where that does not come out even.
    pub fn processors_of(&self, node: u64) -> u64 {
        let nodes = self.node_count();
        self.processors / nodes + u64::from(node < self.processors % nodes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(lines: &[&str]) -> Header {
        let mut header = Header::default();
        lines.iter().for_each(|line| header.read(line.as_bytes()));
        header
    }

    #[test]
    fn the_machine_is_what_the_header_says() {
        let found = header(&[" MaxNodes: 120", " MaxProcs: 240", " Note: MaxProcs: 9", " x"]);
        assert_eq!((found.node_count(), found.processors_of(7)), (120, 2));
        let found = header(&[" MaxProcs: 130 (of which 2 are idle)"]);
        assert_eq!((found.node_count(), found.processors_of(0)), (1, 130));
        let found = header(&[" MaxNodes: 3", " MaxMemory: 32768"]);
        assert_eq!((found.processors, found.memory_bytes), (3, 32 << 20));
        let found = header(&["MaxNodes: 4", "MaxProcs: 10"]);
        let shares: Vec<u64> = (0..4).map(|node| found.processors_of(node)).collect();
        assert_eq!(shares, [3, 3, 2, 2]);
        assert_eq!(header(&["MaxProcs: many", "MaxNodes: -1"]), Header::default());
    }

    #[test]
    fn the_last_word_of_processors_does_not_hang_on_the_order_of_lines() {
        assert_eq!(
            header(&["MaxProcs: 240", "MaxNodes: 120"]),
            header(&["MaxNodes: 120", "MaxProcs: 240"])
        );
    }
}
