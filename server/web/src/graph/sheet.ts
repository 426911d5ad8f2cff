/** The element's style sheet, constructed in script: it works under a policy that forbids inline styles. */
const TEXT = `
:host { display: block; height: var(--kg-graph-height, 32rem); contain: content; container-type: inline-size; }
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
.frame {
  --bg: var(--kg-graph-background, #ffffff); --surface: var(--kg-graph-surface, #ffffff); --text: var(--kg-graph-text, #1b2430);
  --muted: var(--kg-graph-muted, #566171); --line: var(--kg-graph-line, #d9dee5); --edge: var(--kg-graph-edge, #8b95a3);
  --accent: var(--kg-graph-accent, #1d5fae); --warn: var(--kg-graph-warn, #b3540b);
  --font: var(--kg-graph-font, system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif);
  position: relative; display: flex; flex-direction: column; height: 100%; color: var(--text); background: var(--bg); color-scheme: light;
  font: 13px/1.45 var(--font); border: 1px solid var(--line); border-radius: var(--kg-graph-radius, 8px); overflow: hidden; overflow-wrap: normal;
}
.frame.dark {
  --bg: var(--kg-graph-background, #14181d); --surface: var(--kg-graph-surface, #1b2128); --text: var(--kg-graph-text, #e4e8ee);
  --muted: var(--kg-graph-muted, #a3adba); --line: var(--kg-graph-line, #333b45); --edge: var(--kg-graph-edge, #7b8694);
  --accent: var(--kg-graph-accent, #7db4f5); --warn: var(--kg-graph-warn, #f0a35e); color-scheme: dark;
}
.toolbar { display: flex; flex-wrap: wrap; align-items: center; gap: 2px; padding: 4px 6px; border-bottom: 1px solid var(--line); background: var(--surface); }
.toolbar .space { flex: 1; min-width: 4px; }
.toolbar .count { color: var(--muted); padding: 0 8px; font-variant-numeric: tabular-nums; white-space: nowrap; }
button { font: inherit; color: inherit; background: none; border: 0; border-radius: 6px; cursor: pointer; padding: 4px 6px; text-align: left; }
.toolbar button { display: inline-flex; align-items: center; gap: 5px; min-height: 32px; min-width: 32px; justify-content: center; color: var(--muted); }
button:hover:not(:disabled) { background: color-mix(in srgb, var(--text) 8%, transparent); color: var(--text); }
button:disabled { opacity: 0.4; cursor: default; }
button[aria-pressed="true"], button[aria-expanded="true"] { background: color-mix(in srgb, var(--accent) 14%, transparent); color: var(--text); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.body { position: relative; flex: 1; display: flex; min-height: 0; }
.stage { position: relative; flex: 1; min-width: 0; }
.canvas { position: absolute; inset: 0; touch-action: none; }
.hint { position: absolute; top: 8px; left: 8px; max-width: calc(100% - 16px); margin: 0; padding: 3px 8px; border-radius: 6px; background: var(--surface); border: 1px solid var(--line); pointer-events: none; }
.legend { position: absolute; left: 8px; bottom: 8px; right: 8px; display: flex; flex-wrap: wrap; gap: 2px; margin: 0; padding: 0; list-style: none; pointer-events: none; }
.legend > * { pointer-events: auto; background: color-mix(in srgb, var(--surface) 88%, transparent); border-radius: 6px; }
.legend button { display: inline-flex; align-items: center; gap: 5px; min-height: 28px; padding: 2px 8px 2px 6px; color: var(--text); }
.legend button[aria-pressed="false"] { color: var(--muted); text-decoration: line-through; }
.legend button[aria-pressed="false"] svg { opacity: 0.3; }
.legend button[aria-pressed="true"] { background: none; }
.legend .lines { display: inline-flex; align-items: center; gap: 5px; min-height: 28px; padding: 2px 8px; color: var(--muted); }
.message { position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: 8px; padding: 24px; text-align: center; background: color-mix(in srgb, var(--bg) 90%, transparent); }
.message h3 { font-size: 15px; margin: 0; font-weight: 600; }
.message p { margin: 0; max-width: 46ch; color: var(--muted); overflow-wrap: anywhere; }
.message button, .note button { border: 1px solid var(--line); padding: 5px 12px; color: var(--text); }
.note { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding: 4px 10px; border-top: 1px solid var(--line); background: var(--surface); color: var(--muted); }
.busy { position: absolute; top: 0; left: 0; right: 0; height: 2px; overflow: hidden; }
.busy::after { content: ""; display: block; height: 100%; width: 30%; background: var(--accent); animation: run 1s linear infinite; }
@keyframes run { from { transform: translateX(-100%); } to { transform: translateX(400%); } }
@media (prefers-reduced-motion: reduce) { .busy::after { animation: none; width: 100%; } }
.filters { position: absolute; z-index: 3; top: 6px; left: 6px; width: min(19rem, calc(100% - 12px)); max-height: calc(100% - 12px); overflow: auto; padding: 10px 12px; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; box-shadow: 0 6px 24px rgb(0 0 0 / 0.14); }
.filters fieldset { border: 0; margin: 0 0 10px; padding: 0; }
.filters legend { font-weight: 600; padding: 0; margin-bottom: 3px; }
.filters label { display: flex; align-items: center; gap: 7px; min-height: 26px; }
.filters label span { flex: 1; }
.filters label small { color: var(--muted); font-variant-numeric: tabular-nums; }
.filters input[type="range"] { flex: 1; min-width: 0; accent-color: var(--accent); }
.filters input[type="checkbox"] { accent-color: var(--accent); }
.menu { position: absolute; z-index: 4; top: 6px; right: 6px; display: grid; padding: 4px; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; box-shadow: 0 6px 24px rgb(0 0 0 / 0.14); }
.menu button { padding: 6px 12px; }
.table { width: min(27rem, 45%); overflow: auto; border-left: 1px solid var(--line); background: var(--surface); }
.table table { border-collapse: collapse; width: 100%; }
.table caption { text-align: left; padding: 8px 10px 4px; color: var(--muted); }
.table th { white-space: nowrap; position: sticky; top: 0; background: var(--surface); text-align: left; font-weight: 600; padding: 4px 8px; }
.table td { border-top: 1px solid var(--line); padding: 1px 3px; vertical-align: top; }
.table td.n { text-align: right; padding: 5px 8px; font-variant-numeric: tabular-nums; color: var(--muted); }
.table tr.chosen td { background: color-mix(in srgb, var(--accent) 12%, transparent); }
.table td button.relation { color: var(--accent); }
.table td.disputed button.relation { color: var(--warn); }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
[hidden] { display: none !important; }
@container (max-width: 40rem) {
  .body.split { flex-direction: column; }
  .body.split .table { width: auto; height: 50%; border-left: 0; border-top: 1px solid var(--line); }
  .toolbar .wide { display: none; }
  .toolbar { gap: 0; }
  .toolbar button { min-height: 40px; min-width: 34px; }
  .toolbar .count { order: 1; flex-basis: 100%; text-align: center; font-size: 12px; }
  .legend .lines { display: none; }
  .legend button { font-size: 12px; }
}
`;

let shared: CSSStyleSheet | undefined;

/** One sheet for all elements of a page. */
export function sheet(): CSSStyleSheet {
  if (!shared) {
    shared = new CSSStyleSheet();
    shared.replaceSync(TEXT);
  }
  return shared;
}
