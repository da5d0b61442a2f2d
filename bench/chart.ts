/**
 * A bar chart as SVG, by hand: the same rows in every panel, panels side by side, each with a scale of its own that
 * starts at zero. It brings its own background, so it is readable wherever it is embedded, and follows the reader's
 * preference for dark.
 */

export interface Chart {
  readonly title: string;
  readonly subtitle: string;
  readonly footnote: string;
  readonly rows: readonly ChartRow[];
  readonly panels: readonly Panel[];
}

export interface ChartRow {
  readonly label: string;
  /** Drawn in the accent colour. */
  readonly isOurs: boolean;
}

export interface Panel {
  readonly title: string;
  /** Where a dotted line is drawn through the panel. */
  readonly reference: number;
  /** One for each row; undefined where there is nothing to draw. */
  readonly bars: readonly (Bar | undefined)[];
}

export interface Bar {
  readonly value: number;
  /** What stands at the end of the bar. */
  readonly text: string;
}

const MARGIN = 20;
const LABEL_WIDTH = 190;
const PANEL_WIDTH = 142;
const PANEL_GAP = 12;
/** Room in a panel for the text behind its longest bar. */
const TEXT_WIDTH = 48;
const BAR_HEIGHT = 12;
const ROW_HEIGHT = 20;
const ROWS_TOP = 92;
const FOOTER_HEIGHT = 36;
const PANELS_LEFT = MARGIN + LABEL_WIDTH;

const STYLE = `
  .card { fill: #ffffff; stroke: #d0d7de; }
  text { font: 12px system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .panel { font-size: 13px; font-weight: 600; }
  .quiet { fill: #59636e; }
  .label { text-anchor: end; }
  .strong { font-weight: 600; }
  .value { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; }
  .bar { fill: #afb8c1; }
  .ours { fill: #0a7f5a; }
  .reference { stroke: #59636e; stroke-dasharray: 2 3; }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #3d444d; }
    text { fill: #f0f6fc; }
    .quiet { fill: #9198a1; }
    .value { stroke: #0d1117; }
    .bar { fill: #4a525c; }
    .ours { fill: #2fbf8b; }
    .reference { stroke: #9198a1; }
  }`;

export function toSvg({ title, subtitle, footnote, rows, panels }: Chart): string {
  const width = PANELS_LEFT + panels.length * (PANEL_WIDTH + PANEL_GAP) - PANEL_GAP + MARGIN;
  const height = ROWS_TOP + rows.length * ROW_HEIGHT + FOOTER_HEIGHT;
  const labels = rows.map(({ label, isOurs }, index) =>
    text(PANELS_LEFT - 8, baseline(index), isOurs ? "label strong" : "label", label),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="description">${escaped(describe(subtitle, rows, panels))}</desc>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    text(MARGIN, 30, "title", title),
    text(MARGIN, 50, "quiet", subtitle),
    ...labels,
    ...panels.flatMap((panel, index) => drawPanel(panel, rows, PANELS_LEFT + index * (PANEL_WIDTH + PANEL_GAP))),
    text(MARGIN, height - 14, "quiet", footnote),
    "</svg>",
    "",
  ].join("\n");
}

function drawPanel({ title, reference, bars }: Panel, rows: readonly ChartRow[], left: number): string[] {
  const most = Math.max(reference, ...bars.map((bar) => bar?.value ?? 0));
  const scale = (value: number): number => Math.round((value / most) * (PANEL_WIDTH - TEXT_WIDTH) * 10) / 10;
  const lines = rows.flatMap(({ isOurs }, index) => {
    const bar = bars[index];
    if (!bar) return [text(left, baseline(index), "quiet", "–")];
    // A bar that is too short to see is still drawn: one pixel.
    const length = Math.max(1, scale(bar.value));
    const y = ROWS_TOP + index * ROW_HEIGHT;
    return [
      `<rect class="bar${isOurs ? " ours" : ""}" x="${left}" y="${y}" width="${length}" height="${BAR_HEIGHT}" rx="1.5"/>`,
      text(left + length + 5, baseline(index), isOurs ? "value strong" : "value quiet", bar.text),
    ];
  });
  const x = left + scale(reference);
  const bottom = ROWS_TOP + rows.length * ROW_HEIGHT - 4;
  return [
    text(left, ROWS_TOP - 14, "panel", title),
    `<line class="reference" x1="${x}" x2="${x}" y1="${ROWS_TOP - 6}" y2="${bottom}"/>`,
    ...lines,
  ];
}

function baseline(row: number): number {
  return ROWS_TOP + row * ROW_HEIGHT + BAR_HEIGHT - 2;
}

function describe(subtitle: string, rows: readonly ChartRow[], panels: readonly Panel[]): string {
  const told = panels.map(({ title, bars }) => {
    const values = rows.flatMap(({ label }, index) => (bars[index] ? [`${label} ${bars[index].text}`] : []));
    return `${title}: ${values.join(", ")}.`;
  });
  return [`${subtitle}.`, ...told].join(" ");
}

function text(x: number, y: number, style: string, content: string): string {
  return `<text class="${style}" x="${x}" y="${y}">${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
