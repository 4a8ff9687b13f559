/** One job's definition, made or changed: form and text side by side, always in step. */
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { Builder } from "~/features/builder/Builder";
import { definitionQuery, schemaQuery } from "~/features/builder/queries";
import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";
import { ErrorState, SkeletonRows } from "~/ui/States";
import "~/features/builder/builder.css";

export default function BuilderPage() {
  const { name } = useParams();
  // Another job is another page: nothing of the one before may stay.
  return name === undefined ? <NewJob /> : <SavedJob key={name} name={name} />;
}

function NewJob() {
  const schema = useQuery(schemaQuery);
  if (schema.isError) return <ErrorState error={schema.error} onRetry={() => void schema.refetch()} />;
  return schema.data === undefined ? <Bones /> : <Builder schema={schema.data} definition={null} />;
}

function SavedJob({ name }: { name: string }) {
  const t = useTexts(texts);
  const schema = useQuery(schemaQuery);
  const definition = useQuery(definitionQuery(name));
  const error = schema.error ?? (definition.data === undefined ? definition.error : null);
  if (error !== null) {
    return <ErrorState error={error} title={t.notRead(name)} onRetry={() => void Promise.all([schema.refetch(), definition.refetch()])} />;
  }
  if (schema.data === undefined || definition.data === undefined) return <Bones />;
  return <Builder schema={schema.data} definition={definition.data} />;
}

function Bones() {
  return (
    <div className="ed bones-ed">
      <div className="panel"><SkeletonRows rows={10} height={48} /></div>
      <div className="panel"><SkeletonRows rows={20} height={24} /></div>
    </div>
  );
}
