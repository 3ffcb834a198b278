//! Draws a frame: the state, the numbers, resources and alarms.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Row, Table};

use super::view::{TopRow, View};

/// The width of one name with its value, in characters.
const NUMBER: u16 = 26;
/// The widest column but the last, in characters.
const COLUMN: usize = 18;
/// The lines of a table beside its rows: its title and the names of its columns.
const HEAD: u16 = 2;

pub(super) fn draw(frame: &mut Frame<'_>, view: &View) {
    let across = (frame.area().width / NUMBER).max(1);
    let numbers = u16::try_from(view.numbers.len()).unwrap_or(0).div_ceil(across);
    let resources = u16::try_from(view.resources.len()).unwrap_or(u16::MAX).saturating_add(HEAD);
    // Alarms have at least half of what is left.
    let left = frame.area().height.saturating_sub(2 + numbers);
    let resources = resources.min((left / 2).max(HEAD + 1));
    let rows = [
        Constraint::Length(1),
        Constraint::Length(numbers),
        Constraint::Length(resources),
        Constraint::Min(0),
        Constraint::Length(1),
    ];
    let [title, middle, upper, lower, end] = Layout::vertical(rows).areas(frame.area());
    frame.render_widget(Paragraph::new(view.title.1.as_str()).style(colour(view.title.0).bold()), title);
    draw_numbers(frame, middle, view, across);
    if !view.numbers.is_empty() {
        let columns = ["resource", "what", "owner", "holders", "state", "why"];
        table(frame, upper, format!("Resources ({})", view.resources.len()), columns, &view.resources);
        let columns = ["category", "alarm", "key", "since", "", "summary"];
        table(frame, lower, format!("Alarms ({})", view.active), columns, &view.alarms);
    }
    let help = Line::from(vec!["q".bold(), " ends; durations: half / 99% of all since the controller's start".dim()]);
    frame.render_widget(help, end);
}

fn draw_numbers(frame: &mut Frame<'_>, area: Rect, view: &View, across: u16) {
    let lines: Vec<Line<'_>> = view
        .numbers
        .chunks(usize::from(across))
        .map(|line| {
            let spans = line.iter().flat_map(|(name, value)| {
                let room = usize::from(NUMBER).saturating_sub(name.len() + 2);
                [Span::from(*name).dim(), Span::from(format!(" {value:room$} "))]
            });
            Line::from(spans.collect::<Vec<_>>())
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), area);
}

fn table(frame: &mut Frame<'_>, area: Rect, title: String, columns: [&str; 6], rows: &[TopRow]) {
    let widths = widths(columns, rows);
    let rows = rows.iter().map(|row| Row::new(row.cells.clone()).style(colour(row.severity)));
    let head = Row::new(columns).style(Style::new().dim());
    let table = Table::new(rows, widths).header(head).block(Block::new().borders(Borders::TOP).title(title));
    frame.render_widget(table, area);
}

/// Each column is as wide as its content, up to a fifth of a usual terminal; the last one has what is left.
fn widths(columns: [&str; 6], rows: &[TopRow]) -> Vec<Constraint> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.cells.get(column)).map(|cell| cell.chars().count());
        let widest = cells.max().unwrap_or(0).max(columns[column].len()).min(COLUMN);
        Constraint::Length(u16::try_from(widest).unwrap_or(0))
    };
    (0..columns.len() - 1).map(width).chain([Constraint::Fill(1)]).collect()
}

fn colour(severity: u8) -> Style {
    match severity {
        0 => Style::new(),
        1 => Style::new().fg(Color::Yellow),
        _ => Style::new().fg(Color::Red),
    }
}
