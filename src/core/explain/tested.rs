//! Why a rule test failed: the story of the alarm that was expected.

use std::sync::Arc;

use crate::core::replay::rule_test::run_traced;
use crate::core::replay::test_file::RuleTest;
use crate::core::site::Site;

use super::story::stories_of;

/// The cause in a few lines, for an alarm that a test expects; empty if the rules do not have it.
pub fn reason_of_test(site: &Arc<Site>, test: &RuleTest, alarm: &str, key: Option<&str>) -> Vec<String> {
    let Ok((mut story, names)) = stories_of(&site.program, alarm, key) else { return Vec::new() };
    let (verdict, trace) = run_traced(site, test, names);
    let mut hits = Vec::new();
    for (line, event) in &trace.events {
        let mut event = event.clone();
        site.wants(&mut event, &mut hits);
        story.see(site, *line, &event);
    }
    trace.decisions.iter().for_each(|decision| story.decided(decision));
    verdict.entries.iter().for_each(|entry| story.add(entry));
    story.verdict(&site.program, &|line| format!("line {line}"))
}
