/** What has happened to somebody's own account. */
import { Page } from "../parts/page.tsx";
import { Trail } from "../parts/trail.tsx";

export function ActivityPage() {
  return (
    <Page
      title="Activity"
      lead={
        <>
          What has happened to your account. If something here was not you,{" "}
          <a href="/console/password">change your password</a>.
        </>
      }
    >
      <Trail
        path="/v1/users/me/audit?limit=50"
        empty="Nothing has happened yet"
        about={({ by_staff }) => by_staff && <span class="quiet">by the staff</span>}
      />
    </Page>
  );
}
