/** Lines over the last minutes, drawn as SVG; what they say is said in words and figures beside them. */
import { type Point, toCeiling, toFigure, WINDOW } from "../measurements.ts";
import { sayDuration } from "../words.ts";

export interface Line {
  readonly name: string;
  /** How it looks: each differs by more than its colour. */
  readonly kind: "main" | "second" | "third" | "bad";
  readonly points: readonly Point[];
}

export interface ChartProps {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
  readonly now: number;
}

const WIDTH = 400;
const HEIGHT = 96;

export function Chart({ title, unit, lines, now }: ChartProps) {
  const ceiling = toCeiling(Math.max(0, ...lines.flatMap(({ points }) => points.map(({ value }) => value))));
  const x = (at: number) => WIDTH - ((now - at) / WINDOW) * WIDTH;
  const y = (value: number) => HEIGHT - 2 - (value / ceiling) * (HEIGHT - 6);
  return (
    <figure class="chart">
      <figcaption>
        <h2>{title}</h2>
        <span class="quiet">{unit}</span>
      </figcaption>
      <div class="plot">
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          <line class="grid" x1="0" x2={WIDTH} y1={y(ceiling)} y2={y(ceiling)} />
          <line class="grid" x1="0" x2={WIDTH} y1={y(ceiling / 2)} y2={y(ceiling / 2)} />
          <line class="grid base" x1="0" x2={WIDTH} y1={y(0)} y2={y(0)} />
          {lines.map(({ name, kind, points }) => (
            <g key={name} class={kind}>
              {kind === "main" && points.length > 1 && (
                <polygon
                  points={`${x((points[0] as Point).at)},${y(0)} ${toPoints(points, x, y)} ${x((points.at(-1) as Point).at)},${y(0)}`}
                />
              )}
              <polyline points={toPoints(points, x, y)} vector-effect="non-scaling-stroke" />
            </g>
          ))}
        </svg>
        <span class="ceiling quiet number">{toFigure(ceiling)}</span>
      </div>
      <p class="axis quiet">
        <span>{sayDuration(WINDOW / 1000)} ago</span>
        <span>now</span>
      </p>
      <ul class="legend">
        {lines.map(({ name, kind, points }) => (
          <li key={name}>
            <svg viewBox="0 0 20 4" class={kind} aria-hidden="true">
              <line x1="0" x2="20" y1="2" y2="2" />
            </svg>
            {name} <strong class="number">{toFigure(points.at(-1)?.value ?? 0)}</strong>
          </li>
        ))}
      </ul>
    </figure>
  );
}

const toPoints = (points: readonly Point[], x: (at: number) => number, y: (value: number) => number) =>
  points.map(({ at, value }) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
