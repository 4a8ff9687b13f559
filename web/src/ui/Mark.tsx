/** The mark and the name. */
export function Mark() {
  return (
    <svg viewBox="0 0 20 20" aria-hidden="true">
      <path fill="currentColor" d="M1 10h3v8H1zM6 6h3v12H6zM16 2h3v16h-3z" />
      <path fill="none" stroke="currentColor" d="M11.5 8.5h2v9h-2z" />
    </svg>
  );
}
