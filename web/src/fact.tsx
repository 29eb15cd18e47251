/** One labelled fact of a definition list. */

import type { ComponentChildren } from "preact";

/** `label: children`. */
export function Fact(props: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{props.label}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}
