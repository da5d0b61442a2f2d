/** Changing the password. */
import { useState } from "preact/hooks";
import { client, noticing, type User } from "../api.ts";
import { Field, Form } from "../parts/form.tsx";
import { NewPassword } from "../parts/new-password.tsx";
import { Notice } from "../parts/notice.tsx";
import { Page, Section } from "../parts/page.tsx";

export function PasswordPage({ user }: { readonly user: User }) {
  const [count, setCount] = useState(0);
  return (
    <Page title="Password" lead="Changing it ends every other session of yours.">
      <Section title="Change your password">
        {count > 0 && <Notice kind="done">Your password has been changed. All other sessions have ended.</Notice>}
        <Form
          key={count}
          submit="Change password"
          busy="Changing it…"
          onSubmit={async ({ current_password = "", new_password = "" }) => {
            await noticing(() =>
              client.changePassword({ currentPassword: current_password, newPassword: new_password }),
            );
            setCount(count + 1);
          }}
        >
          {/* Password managers look for whose password it is. */}
          <input type="text" name="username" autocomplete="username" value={user.username} readOnly hidden />
          <Field name="current_password" label="Current password" type="password" autocomplete="current-password" />
          <NewPassword name="new_password" label="New password" own={[user.username, user.email]} />
        </Form>
      </Section>
    </Page>
  );
}
