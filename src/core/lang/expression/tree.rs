//! The tree of an expression, in one piece of memory.
//!
//! Most of ten thousand expressions are tried rarely, when they are not in the cache. The library's tree has a box for each
//! node: it would be loaded node by node, and takes ten times the memory.

use regex_syntax::hir::{self, Hir, HirKind, Look};

/// The tree of an expression.
#[derive(Debug)]
pub(super) struct Tree {
    /// In reading order: a node before its parts.
    nodes: Box<[Node]>,
    bytes: Box<[u8]>,
    classes: Box<[Set]>,
    ranges: Box<[(char, char)]>,
}

#[derive(Clone, Copy, Debug)]
enum Node {
    Empty,
    /// From the first to the second index in `bytes`.
    Literal(u32, u32),
    /// Index in `classes`.
    Class(u32),
    Look(Look),
    /// Nodes with parts have the index where these end.
    Capture(u32),
    Concat(u32),
    Alternation(u32),
    Repetition {
        end: u32,
        min: u32,
        max: Option<u32>,
    },
}

/// The characters of a class: ASCII characters as bits, the others as a range of indices in `ranges`.
#[derive(Clone, Copy, Debug)]
struct Set {
    ascii: u128,
    ranges: (u32, u32),
}

/// A node of a tree, with its subtree.
#[derive(Clone, Copy, Debug)]
pub(in crate::core::lang) struct TreePart<'t> {
    tree: &'t Tree,
    at: u32,
}

/// The kind of a node, as in the library's tree ([`HirKind`]).
#[derive(Clone, Copy, Debug)]
pub(in crate::core::lang) enum NodeKind<'t> {
    Empty,
    Literal(&'t [u8]),
    Class(Class<'t>),
    Look(Look),
    Capture(TreePart<'t>),
    Concat(Parts<'t>),
    Alternation(Parts<'t>),
    Repetition { sub: TreePart<'t>, min: u32, max: Option<u32> },
}

/// The parts of a node, in order.
#[derive(Clone, Copy, Debug)]
pub(in crate::core::lang) struct Parts<'t> {
    tree: &'t Tree,
    next: u32,
    end: u32,
}

/// A class of characters.
#[derive(Clone, Copy, Debug)]
pub(in crate::core::lang) struct Class<'t> {
    ascii: u128,
    /// The other characters, sorted; none of them is ASCII.
    ranges: &'t [(char, char)],
}

impl Tree {
    /// Makes the tree of an expression that the library parsed.
    pub(super) fn of(hir: &Hir) -> Tree {
        let mut growing = Growing::default();
        growing.add(hir);
        Tree {
            nodes: growing.nodes.into(),
            bytes: growing.bytes.into(),
            classes: growing.classes.into(),
            ranges: growing.ranges.into(),
        }
    }

    pub(in crate::core::lang) fn root(&self) -> TreePart<'_> {
        TreePart { tree: self, at: 0 }
    }
}

#[derive(Default)]
struct Growing {
    nodes: Vec<Node>,
    bytes: Vec<u8>,
    classes: Vec<Set>,
    ranges: Vec<(char, char)>,
}

/// `EXPRESSION_BYTES` bounds an expression, so all these numbers are small.
fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Growing {
    /// The library's own limit on nesting bounds the depth.
    fn add(&mut self, hir: &Hir) {
        let at = self.nodes.len();
        self.nodes.push(Node::Empty);
        self.nodes[at] = match hir.kind() {
            HirKind::Empty => Node::Empty,
            HirKind::Literal(literal) => {
                let from = number(self.bytes.len());
                self.bytes.extend_from_slice(&literal.0);
                Node::Literal(from, number(self.bytes.len()))
            }
            HirKind::Class(class) => {
                let set = self.set(class);
                self.classes.push(set);
                Node::Class(number(self.classes.len() - 1))
            }
            HirKind::Look(look) => Node::Look(*look),
            HirKind::Capture(capture) => Node::Capture(self.below(std::slice::from_ref(&*capture.sub))),
            HirKind::Concat(parts) => Node::Concat(self.below(parts)),
            HirKind::Alternation(parts) => Node::Alternation(self.below(parts)),
            HirKind::Repetition(repetition) => {
                let end = self.below(std::slice::from_ref(&*repetition.sub));
                Node::Repetition { end, min: repetition.min, max: repetition.max }
            }
        };
    }

    fn below(&mut self, parts: &[Hir]) -> u32 {
        parts.iter().for_each(|part| self.add(part));
        number(self.nodes.len())
    }

    fn set(&mut self, class: &hir::Class) -> Set {
        let first = number(self.ranges.len());
        let mut ascii = 0;
        let mut add = |start: char, end: char| {
            for c in start as u32..=(end as u32).min(127) {
                ascii |= 1 << c;
            }
            if !end.is_ascii() {
                self.ranges.push((start.max('\u{80}'), end));
            }
        };
        match class {
            hir::Class::Unicode(class) => class.ranges().iter().for_each(|r| add(r.start(), r.end())),
            // Bytes beyond ASCII are not characters: alone they match nothing in a text.
            hir::Class::Bytes(class) => {
                class.ranges().iter().filter(|r| r.start() < 128).for_each(|r| add(r.start().into(), r.end().min(127).into()));
            }
        }
        Set { ascii, ranges: (first, number(self.ranges.len())) }
    }
}

impl<'t> TreePart<'t> {
    pub(in crate::core::lang) fn kind(self) -> NodeKind<'t> {
        let tree = self.tree;
        let sub = TreePart { tree, at: self.at + 1 };
        let parts = |end: u32| Parts { tree, next: self.at + 1, end };
        match tree.nodes[self.at as usize] {
            Node::Empty => NodeKind::Empty,
            Node::Literal(from, to) => NodeKind::Literal(&tree.bytes[from as usize..to as usize]),
            Node::Class(n) => {
                let Set { ascii, ranges: (from, to) } = tree.classes[n as usize];
                NodeKind::Class(Class { ascii, ranges: &tree.ranges[from as usize..to as usize] })
            }
            Node::Look(look) => NodeKind::Look(look),
            Node::Capture(_) => NodeKind::Capture(sub),
            Node::Concat(end) => NodeKind::Concat(parts(end)),
            Node::Alternation(end) => NodeKind::Alternation(parts(end)),
            Node::Repetition { min, max, .. } => NodeKind::Repetition { sub, min, max },
        }
    }
}

impl<'t> Iterator for Parts<'t> {
    type Item = TreePart<'t>;

    fn next(&mut self) -> Option<TreePart<'t>> {
        if self.next >= self.end {
            return None;
        }
        let part = TreePart { tree: self.tree, at: self.next };
        self.next = match self.tree.nodes[self.next as usize] {
            Node::Capture(end) | Node::Concat(end) | Node::Alternation(end) | Node::Repetition { end, .. } => end,
            Node::Empty | Node::Literal(..) | Node::Class(_) | Node::Look(_) => self.next + 1,
        };
        Some(part)
    }
}

impl Class<'_> {
    /// True when the class contains this character.
    #[inline]
    pub(in crate::core::lang) fn has(&self, c: char) -> bool {
        match u32::from(c) {
            ascii @ ..128 => self.ascii >> ascii & 1 == 1,
            _ => {
                let after = self.ranges.partition_point(|(start, _)| *start <= c);
                after.checked_sub(1).is_some_and(|n| c <= self.ranges[n].1)
            }
        }
    }

    /// The bits of its characters if all are ASCII.
    pub(in crate::core::lang) fn ascii(&self) -> Option<u128> {
        self.ranges.is_empty().then_some(self.ascii)
    }
}
