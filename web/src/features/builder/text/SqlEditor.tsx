/** A field for SQL: colours, and names of tables and columns from the live connection. Loaded when needed. */
import { autocompletion, completionKeymap, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { keywordCompletionSource, PostgreSQL, sql } from "@codemirror/lang-sql";
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { columnsQuery, tablesQuery } from "~/features/builder/queries";
import { common, fromOutside, named, replaceText } from "~/features/builder/text/codemirror";
import { tablesIn } from "~/features/builder/text/sqlText";

interface Props {
  value: string;
  label: string;
  describedBy: string | undefined;
  invalid: boolean;
  disabled: boolean;
  /** Whose tables are offered. */
  connector: string | null;
  /** Names of declared queries, which may stand alone. */
  queries: readonly string[];
  onChange: (text: string) => void;
}

type Known = Pick<Props, "connector" | "queries">;

export default function SqlEditor(props: Props) {
  const { value, label, describedBy, invalid, disabled } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const queries = useQueryClient();
  const told = useRef(props);
  useEffect(() => {
    told.current = props;
  });
  const [naming] = useState(() => new Compartment());
  useEffect(() => {
    if (host.current === null) return;
    const made = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: told.current.value,
        extensions: [
          common(),
          naming.of(attributesOf(told.current)),
          EditorView.lineWrapping,
          sql({ dialect: PostgreSQL }),
          autocompletion({ override: [(context) => names(context, told.current, queries), keywordCompletionSource(PostgreSQL)] }),
          keymap.of(completionKeymap),
          EditorView.updateListener.of((update) => {
            const ours = update.transactions.some((one) => one.docChanged && one.annotation(fromOutside) !== true);
            if (ours) told.current.onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
  }, [naming, queries]);
  useEffect(() => {
    view.current?.dispatch({ effects: naming.reconfigure(attributesOf({ label, describedBy, invalid, disabled })) });
  }, [naming, label, describedBy, invalid, disabled]);
  useEffect(() => {
    const now = view.current;
    // While one types, the definition is a moment behind what stands here.
    if (now !== null && !now.hasFocus) replaceText(now, value);
  }, [value]);
  return <div className="input sql-cm" data-invalid={invalid || undefined} data-disabled={disabled || undefined} ref={host} />;
}

function attributesOf({ label, describedBy, invalid, disabled }: Pick<Props, "label" | "describedBy" | "invalid" | "disabled">) {
  return named(
    { "aria-label": label, ...(describedBy && { "aria-describedby": describedBy }), ...(invalid && { "aria-invalid": "true" }) },
    disabled,
  );
}

/** After `alias.` the columns of that table, else tables, columns of the tables that are named, declared queries. */
async function names(context: CompletionContext, { connector, queries }: Known, client: QueryClient): Promise<CompletionResult | null> {
  const word = context.matchBefore(/[\w.]*/);
  if (word === null || (word.from === word.to && !context.explicit)) return null;
  const text = context.state.doc.toString();
  const dot = word.text.lastIndexOf(".");
  const owner = dot < 0 ? null : word.text.slice(0, dot);
  const used = tablesIn(text);
  const options: Completion[] = owner === null ? queries.map((label) => ({ label, type: "function", boost: -1 })) : [];
  if (connector !== null) {
    if (owner === null) options.push(...(await tablesOf(client, connector, null)));
    const wanted = owner === null ? used : used.filter((one) => one.alias === owner || one.table === owner);
    for (const one of wanted) options.push(...(await columnsOf(client, connector, one.table, one.schema)));
    if (owner !== null && wanted.length === 0) options.push(...(await tablesOf(client, connector, owner)));
  }
  return options.length === 0 ? null : { from: word.from + dot + 1, options, validFor: /^\w*$/ };
}

async function tablesOf(client: QueryClient, connector: string, schema: string | null): Promise<readonly Completion[]> {
  try {
    const found = await client.fetchQuery(tablesQuery(connector, schema));
    return found.items.map((one) => ({ label: one.name, type: "class", detail: one.kind }));
  } catch {
    return []; // A database that does not answer offers nothing; typing goes on.
  }
}

async function columnsOf(client: QueryClient, connector: string, table: string, schema: string | null): Promise<readonly Completion[]> {
  try {
    const found = await client.fetchQuery(columnsQuery(connector, table, schema));
    return found.map((one) => ({ label: one.name, type: "property", detail: one.type.toLowerCase(), boost: 1 }));
  } catch {
    return [];
  }
}
