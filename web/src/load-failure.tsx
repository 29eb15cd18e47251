/** What stands in place of a report that could not be loaded. */

/** `message` says what is wrong and what to do. */
export function LoadFailure({ message }: { readonly message: string }) {
  return (
    <main class="failure">
      <h1>No report to show</h1>
      <p role="alert">{message}</p>
    </main>
  );
}
