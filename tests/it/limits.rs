//! The page of limits agrees with the program: it is generated from `base/limits.rs`.

use crate::support::{expect, read};

const HEAD: &str = "# Limits

Every limit of Pointsman has a name, a reason and a stated behaviour when it is reached. Nothing is lost silently: what is cut,
dropped, refused or forgotten is counted (`pointsman sources`), is a notice (`pointsman history`), or is a diagnostic of
`pointsman check`.

This page is generated from `src/core/base/limits.rs`. `UPDATE_EXPECTED=1 cargo test --test it limits` writes it anew.

## Memory

`limits: { memory: 512 MiB }` in `pointsman.yaml` says how much memory the controller may use. The default is 512 MiB, the least is
128 MiB; units are `MiB` and `GiB`. Each use of memory has a share of it (the `MEMORY_*` below, in percent), so that a flood of one
kind never takes the room of another. The queue of events and the buffers of connections take a new value with the next start,
what alarms keep takes it with a reload.

```yaml
limits: { memory: 1 GiB }
```

In each share a part is reserved for senders with trust `address` or better. A sender that anybody can forge never fills it.

## All limits

| limit | value | what happens |
|---|---|---|
";

/// Evaluates `64 * 1024`.
fn product(text: &str) -> Option<u64> {
    text.split('*').map(|factor| factor.trim().replace('_', "").parse::<u64>().ok()).product()
}

fn shown(name: &str, value: &str) -> String {
    let within = |call: &str| value.strip_prefix(call)?.strip_suffix(')').and_then(product);
    if let Some(seconds) = within("Duration::from_secs(") {
        return format!("{seconds} s");
    }
    if let Some(milliseconds) = within("Duration::from_millis(") {
        return format!("{milliseconds} ms");
    }
    let Some(number) = product(value) else { return format!("`{value}`") };
    match (name, number) {
        (name, n) if name.starts_with("MEMORY_") && n <= 100 => format!("{n} %"),
        (_, n) if n >= 1 << 20 && n % (1 << 20) == 0 => format!("{} MiB", n >> 20),
        (_, n) if n >= 1 << 10 && n % (1 << 10) == 0 && value.contains("1024") => format!("{} KiB", n >> 10),
        (_, n) => n.to_string(),
    }
}

#[test]
fn the_page_of_limits_is_that_of_the_program() {
    let link = regex::Regex::new(r"\[`(?:crate::[a-z:]*)?([A-Za-z_]+)`\]").unwrap();
    let mut page = HEAD.to_owned();
    let mut words: Vec<String> = Vec::new();
    for line in read("src/core/base/limits.rs").lines() {
        if let Some(comment) = line.strip_prefix("/// ") {
            words.push(comment.to_owned());
        } else if let Some(constant) = line.strip_prefix("pub const ").filter(|c| !c.starts_with("fn ")) {
            let (name, rest) = constant.split_once(':').unwrap();
            let value = rest.split_once('=').unwrap().1.trim().trim_end_matches(';');
            let text = words.join(" ").replace('|', "\\|");
            let text = link.replace_all(&text, "`$1`").into_owned();
            assert!(!text.is_empty(), "{name} has no reason");
            page.push_str(&format!("| `{name}` | {} | {text} |\n", shown(name, value)));
            words.clear();
        } else {
            words.clear();
        }
    }
    expect("docs/reference/limits.md", &page);
}
