/** Signing in with a password. A one-time link needs no page: the server sets the cookie and leads to the start page. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useRef, useState, type FormEvent } from "react";
import { Navigate, useSearchParams } from "react-router";

import { api, csrf, ok } from "~/api/client";
import { meQuery } from "~/api/queries";
import { texts } from "~/features/account/texts";
import { language, setLanguage, useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Icon } from "~/ui/Icon";
import { Mark } from "~/ui/Mark";

/** Only paths of ours: an address from outside must not lead anywhere else. */
export function wayBack(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : "/";
}

export default function SignInPage() {
  const t = useTexts(texts);
  const [search] = useSearchParams();
  const me = useQuery(meQuery);
  const queries = useQueryClient();
  const error = useId();
  const password = useRef<HTMLInputElement>(null);
  const [form, setForm] = useState({ username: "", password: "" });
  const signIn = useMutation({
    mutationFn: () => ok(api.POST("/auth/session", { body: form })),
    onSuccess: (found) => {
      csrf.set(found.csrf_token ?? "");
      queries.setQueryData(meQuery.queryKey, found);
    },
    onError: () => password.current?.select(),
  });
  if (me.data != null) return <Navigate to={wayBack(search.get("next"))} replace />;

  const send = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate();
  };
  const note = search.get("link") === "refused" ? t.linkRefused : search.has("next") ? t.ended : null;
  return (
    <main className="sign-in">
      <h1 className="brand"><Mark />Nomaflow</h1>
      <form className="panel" onSubmit={send} aria-label={t.title}>
        {note && <p className="note"><Icon name="info" />{note}</p>}
        <div className="field">
          <label htmlFor="username">{t.name}</label>
          <input
            id="username" className="input" autoComplete="username" autoCapitalize="none" spellCheck={false} required autoFocus
            value={form.username}
            onChange={(event) => setForm({ ...form, username: event.currentTarget.value })}
          />
        </div>
        <div className="field">
          <label htmlFor="password">{t.password}</label>
          <input
            ref={password}
            id="password" className="input" type="password" autoComplete="current-password" required
            aria-invalid={signIn.isError} aria-describedby={signIn.isError ? error : undefined}
            value={form.password}
            onChange={(event) => setForm({ ...form, password: event.currentTarget.value })}
          />
          {signIn.isError && <p className="err" id={error} role="alert"><Icon name="s-bad" />{signIn.error.message}</p>}
        </div>
        <Button type="submit" tone="primary" busy={signIn.isPending}>{t.signIn}</Button>
        <p className="help">{t.help} <code>liberty-admin user add NAME</code></p>
        <Button small tone="quiet" onClick={() => void setLanguage(language.get() === "en" ? "fr" : "en")}>{t.language}</Button>
      </form>
    </main>
  );
}
