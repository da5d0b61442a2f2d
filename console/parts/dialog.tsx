/** Dialogs: the browser's own, which keeps the focus inside and gives it back. */
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { say } from "../words.ts";
import { Notice } from "./notice.tsx";

export interface DialogProps {
  readonly title: string;
  /** Absent: it can't be dismissed. */
  readonly onClose?: () => void;
  readonly children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const { current } = dialog;
    const opener = document.activeElement;
    current?.showModal();
    return () => {
      current?.close();
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

export interface ConfirmProps {
  /** What the button that opens it says, and the one that goes through with it. */
  readonly action: string;
  readonly busy: string;
  readonly title: string;
  readonly children: ComponentChildren;
  readonly run: () => Promise<unknown>;
  /** Words for an error that means something of its own here. */
  readonly say?: (error: unknown) => string | undefined;
  readonly isDanger?: boolean;
  /** One of many in a list: no colour of its own. */
  readonly isQuiet?: boolean;
  /** For screen readers, where several buttons say the same. */
  readonly of?: string;
}

/** A button that asks before it does what can't be undone. */
export function Confirm({
  action,
  busy,
  title,
  children,
  run,
  isDanger = true,
  isQuiet = false,
  of,
  say: sayHere,
}: ConfirmProps) {
  const [isOpen, setIsOpen] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  async function goThrough(): Promise<void> {
    if (isBusy) return;
    setIsBusy(true);
    setError(undefined);
    try {
      await run();
      setIsOpen(false);
    } catch (caught) {
      setError(caught);
    } finally {
      setIsBusy(false);
    }
  }

  const close = () => {
    setIsOpen(false);
    setError(undefined);
  };
  return (
    <>
      <button
        type="button"
        class={isDanger && !isQuiet ? "danger" : ""}
        onClick={() => setIsOpen(true)}
        aria-label={of && `${action}: ${of}`}
      >
        {action}
      </button>
      {isOpen && (
        <Dialog title={title} onClose={close}>
          <div>{children}</div>
          {error !== undefined && <Notice kind="problem">{sayHere?.(error) ?? say(error)}</Notice>}
          <div class="actions">
            <button
              type="button"
              class={isDanger ? "danger primary" : "primary"}
              aria-disabled={isBusy}
              onClick={goThrough}
            >
              {isBusy ? busy : action}
            </button>
            <button type="button" onClick={close}>
              Cancel
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
