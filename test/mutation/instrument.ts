/**
 * Puts all mutants of a file into it at once, each behind a switch: `(mutant(17) ? changed : original)`.
 * One copy of the sources then serves every mutant: which one is alive is decided by an environment variable, and a run without any tells which mutants a
 * test file executes at all.
 */
import { type Node, type SourceFile, SyntaxKind } from "typescript/unstable/ast";
import { changesOf, partsOf } from "./mutants.ts";

export interface Mutant {
  readonly id: number;
  /** Relative to the repository. */
  readonly file: string;
  readonly line: number;
  readonly what: string;
  /** The source line, for the report. */
  readonly source: string;
}

/** What each instrumented file begins with. */
const SWITCH = "const mutant = globalThis.__mutant;";

/**
 * Instruments a file.
 * @param firstId the number of its first mutant.
 */
export function instrument(sourceFile: SourceFile, file: string, firstId: number): { text: string; mutants: Mutant[] } {
  const source = sourceFile.text;
  const mutants: Mutant[] = [];
  const textOf = (node: Node): string => source.slice(startOf(node), node.end);

  function startOf(node: Node): number {
    return (
      node.pos + (/^(?:\s|\/\/[^\n]*\n|\/\*[\s\S]*?\*\/)*/.exec(source.slice(node.pos, node.end))?.[0].length ?? 0)
    );
  }

  function add(node: Node, what: string): number {
    const start = startOf(node);
    const line = source.slice(0, start).split("\n").length;
    const id = firstId + mutants.length;
    mutants.push({ id, file, line, what, source: (source.split("\n")[line - 1] ?? "").trim() });
    return id;
  }

  /** The text of a node with its mutants in it. */
  function rewrite(node: Node, parent: Node): string {
    if (isUntouched(node)) return textOf(node);
    const inner = rewriteChildren(node);
    if (node.kind === SyntaxKind.ExpressionStatement && isRemovable(node)) {
      return `if (!mutant(${add(node, "statement removed")})) ${inner}`;
    }
    if (node.kind === SyntaxKind.ReturnStatement && returnsSomething(node)) {
      return `{ if (mutant(${add(node, "return undefined")})) return undefined; ${inner} }`;
    }
    if (!isReplaceable(node, parent)) return inner;
    const changes = [...conditionChanges(node, parent), ...changesOf(node, textOf)];
    if (changes.length === 0) return inner;
    const branches = changes.map(({ what, text }) => `mutant(${add(node, what)}) ? ${text} : `).join("");
    return `(${branches}${inner})`;
  }

  function rewriteChildren(node: Node): string {
    let text = "";
    let at = startOf(node);
    node.forEachChild((child) => {
      const start = startOf(child);
      if (start < at) return;
      text += source.slice(at, start) + rewrite(child, node);
      at = child.end;
    });
    return text + source.slice(at, node.end);
  }

  const text = `${SWITCH}\n${source.slice(0, startOf(sourceFile))}${rewriteChildren(sourceFile)}`;
  return { text, mutants };
}

/** Types, imports, and messages of mistakes that only a programmer reads are left as they are. */
function isUntouched(node: Node): boolean {
  switch (node.kind) {
    case SyntaxKind.ImportDeclaration:
    case SyntaxKind.ExportDeclaration:
    case SyntaxKind.InterfaceDeclaration:
    case SyntaxKind.TypeAliasDeclaration:
      return true;
    case SyntaxKind.NewExpression:
      return /^new (?:TypeError|Error)\b/.test(node.getText());
    default:
      return node.kind >= SyntaxKind.FirstTypeNode && node.kind <= SyntaxKind.LastTypeNode;
  }
}

/** A condition is changed to always and to never. */
function conditionChanges(node: Node, parent: Node): { what: string; text: string }[] {
  const { condition, expression } = partsOf(parent);
  const isCondition =
    (parent.kind === SyntaxKind.IfStatement && expression === node) ||
    (parent.kind === SyntaxKind.WhileStatement && expression === node) ||
    (parent.kind === SyntaxKind.ConditionalExpression && condition === node);
  if (!isCondition) return [];
  return [
    { what: "condition → true", text: "true" },
    { what: "condition → false", text: "false" },
  ];
}

/** True for an expression that another can stand in place of, in parentheses. */
function isReplaceable(node: Node, parent: Node): boolean {
  const { left, name, expression, operatorToken } = partsOf(parent);
  switch (parent.kind) {
    case SyntaxKind.BinaryExpression:
      // The target of an assignment is no value.
      return !(node === left && operatorToken?.getText().endsWith("=") && !/^[=!<>]==?$/.test(operatorToken.getText()));
    case SyntaxKind.PropertyAssignment:
    case SyntaxKind.PropertyDeclaration:
    case SyntaxKind.PropertyAccessExpression:
    case SyntaxKind.MethodDeclaration:
      return (
        node !== name && !(parent.kind === SyntaxKind.PropertyAccessExpression && node === expression && isChain(node))
      );
    case SyntaxKind.ElementAccessExpression:
    case SyntaxKind.CallExpression:
      return !(node === expression && isChain(node));
    case SyntaxKind.LiteralType:
    case SyntaxKind.DeleteExpression:
      return false;
    default:
      return true;
  }
}

/** Taking one link of a?.b.c() out of its chain would change what the question mark skips. */
function isChain(node: Node): boolean {
  return (
    node.kind === SyntaxKind.PropertyAccessExpression ||
    node.kind === SyntaxKind.ElementAccessExpression ||
    node.kind === SyntaxKind.CallExpression
  );
}

/** True for a return of more than a literal, which has mutants of its own. */
function returnsSomething(node: Node): boolean {
  const { expression } = partsOf(node);
  return expression !== undefined && !/^(?:undefined|true|false|-?\d+|"[^"]*")$/.test(expression.getText());
}

/** Calls and assignments can be left out; `super(…)` can't. */
function isRemovable(node: Node): boolean {
  const { expression } = partsOf(node);
  return expression !== undefined && !node.getText().startsWith("super(");
}
