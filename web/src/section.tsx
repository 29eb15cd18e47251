/** One titled part of the page. */

import type { ComponentChildren } from "preact";

/** `id` is the part's address in the page. */
export function Section(props: { readonly id: string; readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section id={props.id} aria-labelledby={`${props.id}-title`}>
      <h2 id={`${props.id}-title`}>{props.title}</h2>
      {props.children}
    </section>
  );
}
