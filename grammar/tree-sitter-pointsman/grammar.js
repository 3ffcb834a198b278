// The tree-sitter grammar of rule files. It reads ../pointsman.ebnf, the normative grammar, so it cannot differ from it.
//
// What is added here: which productions may be read in several ways at first (conflicts), comments, and marks of rows.
const fs = require('fs');
const path = require('path');

const text = fs.readFileSync(path.join(__dirname, '..', 'pointsman.ebnf'), 'utf8');
const productions = new Map();
for (const line of text.split('\n')) {
  const found = line.match(/^([A-Za-z_]+) = (.*)$/);
  if (found && found[1] !== 'RESERVED') productions.set(found[1], read(found[2]));
}

// The right side of a production as a tree.
function read(text) {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|\/(?:[^/\\]|\\.)*\/|[A-Za-z_]+|[()|*+?]/g);
  let at = 0;
  const choice = () => {
    const all = [sequence()];
    while (tokens[at] === '|') {
      at += 1;
      all.push(sequence());
    }
    return all.length === 1 ? all[0] : { choice: all };
  };
  const sequence = () => {
    const all = [];
    while (at < tokens.length && tokens[at] !== '|' && tokens[at] !== ')') {
      const token = tokens[at++];
      let part;
      if (token === '(') {
        part = choice();
        at += 1;
      } else if (token[0] === '"') part = { word: token.slice(1, -1) };
      else if (token[0] === '/') part = { pattern: token.slice(1, -1) };
      else part = { name: token };
      if (['?', '*', '+'].includes(tokens[at])) part = { [tokens[at++]]: part };
      all.push(part);
    }
    return all.length === 1 ? all[0] : { sequence: all };
  };
  return choice();
}

const isEmpty = (part) =>
  part.choice ? part.choice.some(isEmpty)
  : part.sequence ? part.sequence.every(isEmpty)
  : part.name ? productions.has(part.name) && isEmpty(productions.get(part.name))
  : part['+'] ? isEmpty(part['+'])
  : Boolean(part['?'] || part['*']);

// A part that is never empty: a rule of tree-sitter may not be.
const full = (part) =>
  !isEmpty(part) ? part
  : part.choice ? { choice: part.choice.map(full) }
  : part['?'] ? full(part['?'])
  : part['*'] ? { '+': part['*'] }
  : part.sequence && part.sequence.length === 2 && part.sequence.every(isEmpty)
    ? { choice: [{ sequence: [full(part.sequence[0]), part.sequence[1]] }, full(part.sequence[1])] }
  : part;

const names = { WORD: 'NAME' };

const rule = ($, part) =>
  part.choice ? choice(...part.choice.map((p) => rule($, p)))
  : part.sequence ? seq(...part.sequence.map((p) => rule($, p)))
  : part['?'] ? optional(rule($, part['?']))
  : part['*'] ? repeat(rule($, part['*']))
  : part['+'] ? repeat1(rule($, part['+']))
  : part.word !== undefined ? part.word
  : part.pattern ? new RegExp(part.pattern)
  : isEmpty(part) ? optional($[part.name])
  : $[names[part.name] || part.name];

const rules = { file: ($) => rule($, productions.get('file')) };
for (const [name, part] of productions) {
  if (name !== 'file' && !(name in names)) rules[name] = ($) => rule($, full(part));
}
rules.comment = () => /#[^\n]*/;

module.exports = grammar({
  name: 'pointsman',
  word: ($) => $.NAME,
  extras: ($) => [/[ \t\r\n\uFEFF]/, $.comment],
  conflicts: ($) => [
    [$.joined, $.choice],
    [$.host_change],
    [$.app_change],
    [$.alarm_change],
    [$.from],
    [$.key],
  ],
  rules,
});
