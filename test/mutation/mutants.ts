/**
 * What a careless change to a source file could be: the mutants of one node of its syntax tree.
 * The tree comes from the `typescript` package itself, so nothing has to be installed for it.
 */
import type { Node } from "typescript/unstable/ast";
import { SyntaxKind } from "typescript/unstable/ast";

/** One change: a text to stand in the node's place. */
export interface Change {
  readonly what: string;
  readonly text: string;
}

/** Parts of nodes, by the names that the tree gives them. */
interface Parts {
  readonly operator?: SyntaxKind;
  readonly operatorToken?: Node;
  readonly left?: Node;
  readonly right?: Node;
  readonly operand?: Node;
  readonly condition?: Node;
  readonly expression?: Node;
  readonly name?: Node;
  readonly questionDotToken?: Node;
  readonly elements?: readonly Node[];
  readonly properties?: readonly Node[];
  readonly body?: Node;
  readonly arguments?: readonly Node[];
  readonly initializer?: Node;
}

export function partsOf(node: Node): Parts {
  return node as unknown as Parts;
}

/** Operators and what each could have been by mistake. */
const OPERATORS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    "===": ["!=="],
    "!==": ["==="],
    "<": ["<=", ">="],
    "<=": ["<", ">"],
    ">": [">=", "<="],
    ">=": [">", "<"],
    "&&": ["||"],
    "||": ["&&"],
    "??": ["&&"],
    "+": ["-"],
    "-": ["+"],
    "*": ["/"],
    "/": ["*"],
    "%": ["*"],
    "&": ["|"],
    "|": ["&"],
    "^": ["&"],
    "<<": [">>"],
    ">>": ["<<"],
    ">>>": ["<<"],
    "**": ["*"],
  }),
);

const ASSIGNMENTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "+=": "-=",
    "-=": "+=",
    "&=": "|=",
    "|=": "&=",
    ">>=": "<<=",
    "??=": "&&=",
  }),
);

/** Methods and the ones they are mixed up with. */
const METHODS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    some: "every",
    every: "some",
    startsWith: "endsWith",
    endsWith: "startsWith",
    max: "min",
    min: "max",
    ceil: "floor",
    floor: "ceil",
  }),
);

/** The changes that can be made to a node which is an expression. */
export function changesOf(node: Node, textOf: (node: Node) => string): readonly Change[] {
  const parts = partsOf(node);
  switch (node.kind) {
    case SyntaxKind.BinaryExpression:
      return binaryChanges(node, textOf);
    case SyntaxKind.PrefixUnaryExpression:
      return unaryChanges(node, textOf);
    case SyntaxKind.TrueKeyword:
      return [{ what: "true → false", text: "false" }];
    case SyntaxKind.FalseKeyword:
      return [{ what: "false → true", text: "true" }];
    case SyntaxKind.NumericLiteral:
      return [{ what: "number + 1", text: `(${textOf(node)} + 1)` }];
    case SyntaxKind.BigIntLiteral:
      return [{ what: "number + 1", text: `(${textOf(node)} + 1n)` }];
    case SyntaxKind.StringLiteral:
    case SyntaxKind.NoSubstitutionTemplateLiteral:
      return [
        textOf(node).length === 2 ? { what: '"" → "mutant"', text: '"mutant"' } : { what: 'text → ""', text: '""' },
      ];
    case SyntaxKind.TemplateExpression:
      return [{ what: 'template → ""', text: '""' }];
    case SyntaxKind.ArrayLiteralExpression:
      return parts.elements?.length ? [{ what: "[…] → []", text: "[]" }] : [];
    case SyntaxKind.ObjectLiteralExpression:
      return parts.properties?.length ? [{ what: "{…} → {}", text: "({})" }] : [];
    case SyntaxKind.CallExpression:
      return methodChanges(node, textOf);
    case SyntaxKind.ArrowFunction:
      return parts.body?.kind === SyntaxKind.Block ? [] : [{ what: "=> … → => undefined", text: "(() => undefined)" }];
    default:
      return [];
  }
}

function binaryChanges(node: Node, textOf: (node: Node) => string): readonly Change[] {
  const { operatorToken, left, right } = partsOf(node);
  if (!operatorToken || !left || !right) return [];
  const operator = textOf(operatorToken);
  const assigned = ASSIGNMENTS.get(operator);
  const others = OPERATORS.get(operator) ?? (assigned === undefined ? [] : [assigned]);
  return others.map((other) => ({
    what: `${operator} → ${other}`,
    // Mixing ?? with && or || needs parentheses.
    text: `(${assigned !== undefined ? textOf(left) : `(${textOf(left)})`} ${other} (${textOf(right)}))`,
  }));
}

function unaryChanges(node: Node, textOf: (node: Node) => string): readonly Change[] {
  const { operator, operand } = partsOf(node);
  if (!operand) return [];
  if (operator === SyntaxKind.ExclamationToken) return [{ what: "!x → x", text: `(${textOf(operand)})` }];
  if (operator === SyntaxKind.MinusToken) return [{ what: "-x → x", text: `(${textOf(operand)})` }];
  if (operator === SyntaxKind.TildeToken) return [{ what: "~x → x", text: `(${textOf(operand)})` }];
  return [];
}

function methodChanges(node: Node, textOf: (node: Node) => string): readonly Change[] {
  const { expression, arguments: args = [] } = partsOf(node);
  if (expression?.kind !== SyntaxKind.PropertyAccessExpression) return [];
  const { expression: object, name } = partsOf(expression);
  const other = name && METHODS.get(textOf(name));
  if (!object || !other) return [];
  return [{ what: `${textOf(name)} → ${other}`, text: `${textOf(object)}.${other}(${args.map(textOf).join(", ")})` }];
}
