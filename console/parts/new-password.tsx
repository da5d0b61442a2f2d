/** A field for a password that is to be: how long it would last is told while it is typed. */
import { useState } from "preact/hooks";
import { strengthOf } from "../strength.ts";
import { Field } from "./form.tsx";

export interface NewPasswordProps {
  readonly name: string;
  readonly label: string;
  /** What it should not be made of. */
  readonly own: readonly string[];
}

export function NewPassword({ name, label, own }: NewPasswordProps) {
  const [password, setPassword] = useState("");
  return (
    <Field
      name={name}
      label={label}
      type="password"
      autocomplete="new-password"
      onInput={setPassword}
      hint={
        password === "" ? (
          "At least 8 characters; anything goes. A few words you can remember are best."
        ) : (
          <Strength password={password} own={own} />
        )
      }
    />
  );
}

function Strength({ password, own }: { readonly password: string; readonly own: readonly string[] }) {
  const { level, words } = strengthOf(password, own);
  return (
    <>
      <span class={`strength level-${level}`} aria-hidden="true">
        <i />
        <i />
        <i />
        <i />
      </span>
      <span role="status">{words}</span>
    </>
  );
}
