/** The first user, by the link that the server has shown on its terminal. */
import { useState } from "preact/hooks";
import { call, client, noticing } from "../api.ts";
import { Field, Form } from "../parts/form.tsx";
import { NewPassword } from "../parts/new-password.tsx";
import { Notice } from "../parts/notice.tsx";
import { go } from "../router.ts";
import { Alone, signIn } from "./sign-in.tsx";

/** Read once and taken out of the address, so that neither the history nor a shared screen keeps it. */
const token = location.pathname === "/console/first-user" ? location.hash.slice(1) : "";
if (token) history.replaceState(null, "", location.pathname);

export function FirstUserPage() {
  const [username, setUsername] = useState("");
  const [email, setEmail] = useState("");
  if (!token) {
    return (
      <Alone title="Open the link again">
        <Notice kind="note">
          The server shows a link on its terminal when it starts without any user. Open that one, as it stands there.
        </Notice>
        <p class="below">
          Have an account? <a href="/">Sign in</a>
        </p>
      </Alone>
    );
  }
  return (
    <Alone title="The first user" lead="This account will be staff: it sees and manages all others.">
      <Form
        submit="Create account"
        busy="Creating it…"
        onSubmit={async ({ username = "", email = "", password = "" }) => {
          await call("POST", "/v1/first-user", { token, username, email, password });
          await noticing(() => client.logout()).catch(() => {});
          await signIn(username, password);
          go("/", { replace: true });
        }}
      >
        <Field name="username" label="Username" autocomplete="username" isFirst onInput={setUsername} />
        <Field name="email" label="Email" type="email" autocomplete="email" onInput={setEmail} />
        <NewPassword name="password" label="Password" own={[username, email]} />
      </Form>
    </Alone>
  );
}
