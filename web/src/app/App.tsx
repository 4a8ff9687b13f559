/** Everything around the pages: theme, data, router. */
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { createBrowserRouter, RouterProvider } from "react-router";

import { Fault } from "~/app/Fault";
import { PAGES } from "~/app/pages";
import { Allowed, Shell, Start } from "~/app/Shell";
import { resolver, scheme, schemeManager, theme } from "~/app/theme";
import { makeQueryClient } from "~/api/queries";
import { base, nonce } from "~/lib/base";
import { useStore } from "~/lib/store";
import { ForbiddenState, PageLoading } from "~/ui/States";
import { Toasts } from "~/ui/Toasts";

const SignInPage = lazy(() => import("~/features/account/SignInPage"));
const queries = makeQueryClient();

const router = createBrowserRouter(
  [
    { path: "/sign-in", element: <Suspense fallback={<PageLoading />}><SignInPage /></Suspense>, errorElement: <Fault /> },
    {
      element: <Shell />,
      errorElement: <Fault />,
      children: [
        { index: true, element: <Start /> },
        ...PAGES.map(({ path, page: Content, allowed }) => ({
          path,
          element: <Allowed to={allowed}><Content /></Allowed>,
          errorElement: <Fault />,
        })),
        { path: "*", element: <ForbiddenState /> },
      ],
    },
  ],
  { basename: base === "" ? "/" : base },
);

export function App() {
  const forced = useStore(scheme);
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={resolver}
      colorSchemeManager={schemeManager}
      defaultColorScheme="auto"
      {...(forced === "auto" ? {} : { forceColorScheme: forced })}
      getStyleNonce={() => nonce}
      withGlobalClasses={false}
    >
      <QueryClientProvider client={queries}>
        <Suspense fallback={<PageLoading />}>
          <RouterProvider router={router} />
          <Toasts />
        </Suspense>
      </QueryClientProvider>
    </MantineProvider>
  );
}
