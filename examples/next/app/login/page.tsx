import { nextPath } from "latchkey/next";
import { LoginForm } from "./login-form.tsx";

export default async function Login({ searchParams }: { searchParams: Promise<{ next?: string | string[] }> }) {
  const { next } = await searchParams;
  return <LoginForm next={nextPath(typeof next === "string" ? next : undefined)} />;
}
