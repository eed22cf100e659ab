//! One page with a picture for each row: bars for the medians, a line from the least to the most.
//!
//! It needs nothing beside itself, and follows the reader's choice of light or dark.

use std::fmt::Write;

use super::{Circumstances, cell, count, goals, ratio, word};
use crate::arena::contender::{Contender, Role};
use crate::arena::figures::{Summary, Verdict};

const HEAD: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>parklet beside its peers</title>
<style>
:root { --text: #1d2129; --faint: #667085; --page: #fff; --card: #f6f7f9; --rule: #dde1e7;
  --judged: #2f6fdf; --control: #9dbcf0; --peer: #9aa3b2; --floor: #cfd4dc; --good: #1a7f43; --bad: #b93222; }
@media (prefers-color-scheme: dark) { :root { --text: #e5e9f0; --faint: #98a2b3; --page: #14171c; --card: #1c2027;
  --rule: #2d333d; --judged: #6fa1ff; --control: #3d5e9c; --peer: #6b7484; --floor: #434a56; --good: #5cc98a; --bad: #ff8a7a; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--page); margin: 2rem auto;
  max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; }
h2 { font-size: 1rem; margin: 0; display: flex; justify-content: space-between; gap: 1rem; }
p { margin: .2rem 0; } .faint { color: var(--faint); font-size: .87rem; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(36rem, 1fr)); gap: 1rem; margin-top: 1.5rem; }
@media (max-width: 40rem) { main { grid-template-columns: 1fr; } }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: .8rem 1rem; }
svg { width: 100%; height: auto; display: block; margin-top: .4rem; font: 13px system-ui, sans-serif; }
text { fill: var(--text); } .reached { color: var(--good); } .missed { color: var(--bad); }
.judged { fill: var(--judged); } .control { fill: var(--control); } .peer { fill: var(--peer); } .floor { fill: var(--floor); }
line { stroke: var(--text); stroke-opacity: .6; }
</style>
<h1>parklet beside its peers</h1>
";

pub(super) fn page(circumstances: &Circumstances, verdicts: &[Verdict]) -> String {
    let Circumstances {
        command,
        rounds,
        date,
        cores,
        kernel,
    } = circumstances;
    let command = escape(command);
    let mut page = HEAD.to_owned();
    let mut line = |text: &str| {
        page.push_str(text);
        page.push('\n');
    };
    line(&format!(
        "<p class=\"faint\"><code>{command}</code>, {date}, {cores} cores, Linux {kernel}. Bars are medians of {rounds} \
         rounds, lines go from the least to the most; shorter is better unless it says otherwise. Every runtime has two \
         workers, parklet-1 has one; the floor is no runtime, but the least that can be done by hand.</p>"
    ));
    for text in count(verdicts) {
        line(&format!("<p>{}</p>", escape(&text)));
    }
    line("<main>");
    for verdict in verdicts {
        line(&section(verdict));
    }
    line("</main>\n</html>");
    page
}

/// The picture of a row, with what it shows.
fn section(verdict: &Verdict) -> String {
    let row = verdict.row;
    let outcome = word(verdict.outcome());
    let more = if row.unit.more_is_better() {
        "; longer is better"
    } else {
        ""
    };
    let best = verdict.best_peer().map_or("no peer", |(name, _)| name);
    format!(
        "<section>\n<h2><span>{}</span><span class=\"{outcome}\">{outcome}</span></h2>\n<p>{}, {}{more}</p>\n\
         <p class=\"faint\">{} of the best peer ({best}), {} of async-std; goal {}</p>\n{}</section>",
        row.id(),
        escape(row.what),
        row.unit.name(),
        or_dash(ratio(verdict.ratio_to_best_peer())),
        or_dash(ratio(verdict.ratio_to("async-std"))),
        escape(&goals(verdict)),
        bars(verdict),
    )
}

/// Pixels of a picture: its width, where bars begin and may end, and the height of a bar with its gap.
const WIDTH: f64 = 640.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 470.0;
const STEP: f64 = 20.0;

fn bars(verdict: &Verdict) -> String {
    let cells: Vec<(&Contender, &Summary)> = verdict
        .cells
        .iter()
        .filter_map(|(contender, summary)| Some((*contender, summary.as_ref()?)))
        .collect();
    // By the medians: one slow round would make all bars short.
    let most = cells
        .iter()
        .map(|(_, summary)| summary.median)
        .fold(f64::MIN_POSITIVE, f64::max);
    let place = |value: f64| LEFT + (RIGHT - LEFT) * (value / most / 1.1).clamp(0.0, 1.0);
    let height = STEP * cells.len() as f64;
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n");
    for (index, (contender, summary)) in cells.into_iter().enumerate() {
        let top = STEP * index as f64;
        let (middle, baseline) = (top + STEP / 2.0 - 1.0, top + STEP - 6.0);
        let (min, median, max) = (
            place(summary.min),
            place(summary.median),
            place(summary.max),
        );
        let class = match contender.role {
            Role::Judged => "judged",
            Role::Control => "control",
            Role::Peer => "peer",
            Role::Floor => "floor",
        };
        writeln!(
            svg,
            "<text x=\"{}\" y=\"{baseline}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{class}\" x=\"{LEFT}\" y=\"{}\" width=\"{:.1}\" height=\"{}\"/>\
             <line x1=\"{min:.1}\" x2=\"{max:.1}\" y1=\"{middle}\" y2=\"{middle}\"/>\
             <text x=\"{}\" y=\"{baseline}\">{}</text>",
            LEFT - 6.0,
            contender.name,
            top + 2.0,
            median - LEFT,
            STEP - 6.0,
            RIGHT + 6.0,
            cell(summary),
        )
        .expect("a String takes all");
    }
    svg + "</svg>\n"
}

fn or_dash(text: String) -> String {
    if text.is_empty() {
        "–".to_owned()
    } else {
        text
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
