/** Plain text tables. */

/** Rows under a head, columns two spaces apart; columns listed in `left` are aligned left, all others right. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left: readonly number[],
): string {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => [...(row[i] ?? "")].length)));
  const line = (row: readonly string[]) =>
    widths
      .map((width, i) => {
        const gap = " ".repeat(width - [...(row[i] ?? "")].length);
        return left.includes(i) ? (row[i] ?? "") + gap : gap + (row[i] ?? "");
      })
      .join("  ")
      .trimEnd();
  const rule = "─".repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [line(head), rule, ...rows.map(line)].join("\n");
}

/** `name  value` lines, the names padded to one width. */
export function formatFacts(facts: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}
