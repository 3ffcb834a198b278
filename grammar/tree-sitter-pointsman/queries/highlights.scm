; Generated from grammar/pointsman.ebnf; a test keeps it so.

[
  "active"
  "after"
  "age"
  "alarm"
  "all"
  "and"
  "any"
  "app"
  "as"
  "at"
  "avg"
  "back"
  "backoff"
  "backup"
  "begins"
  "but"
  "by"
  "calendar"
  "cancel"
  "category"
  "claim"
  "cleared"
  "confirm"
  "contains"
  "count"
  "cron"
  "defaults"
  "detect"
  "distinct"
  "dry"
  "during"
  "each"
  "ends"
  "event"
  "every"
  "except"
  "false"
  "for"
  "from"
  "group"
  "hand"
  "help"
  "hold"
  "host"
  "host_of"
  "ignore"
  "in"
  "inhibited"
  "keep"
  "keys"
  "limit"
  "lines"
  "list"
  "live"
  "lost"
  "match"
  "max"
  "metric"
  "min"
  "mode"
  "no"
  "not"
  "of"
  "off"
  "on"
  "once"
  "only"
  "or"
  "over"
  "pair_of"
  "pattern"
  "per"
  "piece"
  "preceded"
  "primary"
  "raise"
  "raised"
  "rate"
  "react"
  "reaction"
  "refresh"
  "rerun"
  "retry"
  "running"
  "sample"
  "script"
  "set"
  "since"
  "site"
  "slack"
  "starts"
  "stopped"
  "sum"
  "summary"
  "then"
  "timeout"
  "times"
  "to"
  "true"
  "trust"
  "type"
  "unacked"
  "unless"
  "up"
  "when"
  "where"
  "while"
  "with"
  "within"
  "without"
  "zone"
] @keyword

(comment) @comment
(STRING) @string
(REGEX) @string.regex
(RAW_REGEX) @string.regex
(RECORD) @string.special
(COMPARISON) @operator
[
  (ADDRESS)
  (DATE)
  (DURATION)
  (FACTOR)
  (ID)
  (INTEGER)
  (NETWORK)
  (NUMBER)
  (PERCENT)
  (SIZE)
  (TIME)
] @number

(alarm (name) @type)
(pattern (name) @type)
(ignore (name) @type)
(piece (name) @type)
(named (name) @type)
(reaction (name) @type)
(calendar (name) @type)
(call (name) @function)
(field) @property
(binding (NAME) @variable.parameter)
