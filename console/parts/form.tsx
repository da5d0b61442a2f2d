/**
 * Forms: labelled fields whose problems stand beside them, sent once at a time.
 * Fields keep what was typed in the page itself, so nothing that happens while a form is open (a session that ends, a server that
 * goes) takes it away.
 */
import { type ComponentChildren, createContext } from "preact";
import { useContext, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { fieldProblems, say, sentence } from "../words.ts";
import { Notice } from "./notice.tsx";

type Problems = Readonly<Record<string, string>>;
const FormProblems = createContext<Problems>({});

export interface FormProps {
  readonly submit: string;
  /** What `submit` says while it is under way. */
  readonly busy: string;
  /** @throws anything: it is shown, by its fields where it names some. */
  readonly onSubmit: (values: Readonly<Record<string, string>>) => Promise<unknown>;
  /** Called instead of showing an error; true when it has seen to it. */
  readonly onRefused?: (error: unknown) => boolean;
  /** Empties the fields after a success. */
  readonly resets?: boolean;
  readonly children: ComponentChildren;
  /** Beside the button. */
  readonly more?: ComponentChildren;
}

export function Form({ submit, busy, onSubmit, onRefused, resets = false, children, more }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const problems = fieldProblems(error);

  async function send(event: Event): Promise<void> {
    event.preventDefault();
    if (isBusy || !form.current) return;
    setIsBusy(true);
    setError(undefined);
    const values = Object.fromEntries([...new FormData(form.current)].map(([name, value]) => [name, String(value)]));
    try {
      await onSubmit(values);
      if (resets) form.current?.reset();
    } catch (caught) {
      if (!onRefused?.(caught)) {
        setError(caught);
        focusProblem(form.current, Object.keys(fieldProblems(caught)));
      }
    } finally {
      setIsBusy(false);
    }
  }

  return (
    <form ref={form} onSubmit={send} noValidate>
      <FormProblems.Provider value={problems}>{children}</FormProblems.Provider>
      {error !== undefined && <Notice kind="problem">{say(error)}</Notice>}
      <div class="actions">
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {isBusy ? busy : submit}
        </button>
        {more}
      </div>
    </form>
  );
}

/** The first field that has a problem, once that is on the page. */
function focusProblem(form: HTMLFormElement | null, names: readonly string[]): void {
  requestAnimationFrame(() => {
    const fields = [...(form?.elements ?? [])] as HTMLInputElement[];
    fields.find(({ name }) => names.includes(name))?.focus();
  });
}

export interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly type?: "text" | "email" | "password" | "search";
  readonly autocomplete?: string;
  readonly hint?: ComponentChildren;
  readonly isOptional?: boolean;
  readonly isFirst?: boolean;
  readonly value?: string;
  readonly onInput?: (value: string) => void;
}

export function Field(props: FieldProps) {
  const { name, label, type = "text", autocomplete, hint, isOptional = false, isFirst = false, value, onInput } = props;
  const id = useId();
  const problem = useContext(FormProblems)[name];
  const [isShown, setIsShown] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  // The browser sees to `autofocus` once a load and only in a while.
  useLayoutEffect(() => {
    if (isFirst) field.current?.focus();
  }, [isFirst]);
  const told = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <div class="label">
        <label for={id}>{label}</label>
        {isOptional && <span class="quiet">optional</span>}
      </div>
      <div class="input">
        <input
          ref={field}
          id={id}
          name={name}
          // The types of elements know one type at a time.
          type={(isShown ? "text" : type) as "text"}
          autocomplete={autocomplete ?? "off"}
          autocapitalize="none"
          spellcheck={false}
          required={!isOptional}
          aria-invalid={problem ? true : undefined}
          aria-describedby={told || undefined}
          {...(value !== undefined && { defaultValue: value })}
          onInput={(event) => onInput?.(event.currentTarget.value)}
        />
        {type === "password" && (
          <button
            type="button"
            class="inside"
            aria-pressed={isShown}
            aria-label={`Show ${label.toLowerCase()}`}
            onClick={() => setIsShown(!isShown)}
          >
            {isShown ? "Hide" : "Show"}
          </button>
        )}
      </div>
      {problem && (
        <p class="problem" id={`${id}-problem`}>
          {sentence(`${label} ${problem}`)}
        </p>
      )}
      {hint && (
        <div class="hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
    </div>
  );
}

export function Area({ name, label, hint }: Pick<FieldProps, "name" | "label" | "hint">) {
  const id = useId();
  const problem = useContext(FormProblems)[name];
  const told = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <div class="label">
        <label for={id}>{label}</label>
      </div>
      <textarea
        id={id}
        name={name}
        rows={5}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        aria-invalid={problem ? true : undefined}
        aria-describedby={told || undefined}
      />
      {problem && (
        <p class="problem" id={`${id}-problem`}>
          {sentence(`${label} ${problem}`)}
        </p>
      )}
      {hint && (
        <div class="hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
    </div>
  );
}
